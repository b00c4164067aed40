//! One direction: its streams, its seconds.

use super::attribution::DueTally;
use super::end::{EndRecord, float, largest, mean, ms, ratio};
use super::patterns::Patterns;
use super::spread::LegSpread;
use super::stream::{StreamRecord, StreamRule, StreamSummary, lesser};
use crate::clock::Skew;
use crate::measured::{DeadAir, LegMeasured, MeanMax, MosSpread, PdvPercentiles, Percentiles};
use crate::percentile::{Distribution, Percentile};
use milliwatt_wire::facts::{DeadCause, Fact, Scale, SentSecond, StreamSecond};
use milliwatt_wire::id::{CallId, Leg, Party, StreamId};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::RunTime;
use std::collections::BTreeMap;
use std::ops::Range;

/// Dead air of this length and more is counted apart, ns.
const LONG_DEAD_AIR_NS: i64 = 200_000_000;

/// All streams of a leg in one second.
#[derive(Clone, Debug, Default)]
pub(super) struct LegSecond {
    pub received: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub discarded: u64,
    pub interarrival_jitter_sum: i64,
    pub interarrival_jitter_count: u64,
    pub interarrival_jitter_max: i64,
    /// Least transit of any stream, ns, skew included.
    pub transit_min: Option<i64>,
    pub ipdv: Distribution,
    /// Of the packets due in it, not of those that arrived in it.
    pub due: DueTally,
    /// From here on known at the end only.
    pub expected: u64,
    pub lost: u64,
    pub not_sent: u64,
    pub pdv: Distribution,
    pub dead_air_ns: i64,
    pub dead_air_events: u64,
    pub sent: Option<SentSecond>,
}

/// Facts about one leg.
#[derive(Clone, Debug, Default)]
pub(super) struct LegRecord {
    pub seconds: BTreeMap<u32, LegSecond>,
    streams: BTreeMap<(CallId, Party), StreamRecord>,
    reports_unauthentic: u64,
}

/// A dead-air event.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeadAirEvent {
    pub stream: StreamId,
    pub at: RunTime,
    pub length: i64,
    pub cause: DeadCause,
}

impl DeadAirEvent {
    /// Seconds of run time it touches.
    pub(super) fn seconds(&self) -> std::ops::RangeInclusive<u32> {
        self.at.second()..=(self.at + (self.length - 1)).second()
    }
}

/// A leg, summed up.
#[derive(Clone, Debug)]
pub(super) struct LegSeries {
    pub seconds: BTreeMap<u32, LegSecond>,
    pub streams: Vec<StreamSummary>,
    pub events: Vec<DeadAirEvent>,
    /// What the line of minima says of the clocks: receiver minus sender.
    pub skew: Option<Skew>,
    /// RTCP packets that did not authenticate.
    pub reports_unauthentic: u64,
}

impl LegRecord {
    fn stream(&mut self, id: StreamId) -> &mut StreamRecord {
        self.streams.entry((id.call, id.party)).or_default()
    }

    /// Takes what concerns a leg or a stream of it.
    pub(super) fn absorb(&mut self, fact: &Fact) {
        match fact {
            Fact::StreamStarted { stream, due, ssrc } => {
                let record = self.stream(*stream);
                (record.due, record.ssrc) = (Some(*due), Some(*ssrc));
            }
            Fact::StreamSecond(second) => self.absorb_second(second),
            Fact::DeadSlots {
                stream,
                cause,
                first_slot,
                slots,
            } => {
                self.stream(*stream)
                    .absorb_dead(*cause, *first_slot, *slots);
            }
            Fact::NotSent {
                stream,
                first_slot,
                slots,
            } => {
                self.stream(*stream)
                    .absorb_dead(DeadCause::NotSent, *first_slot, *slots);
            }
            Fact::LatePackets { stream, packets } => {
                self.stream(*stream).absorb_late(packets);
            }
            Fact::AnchoredAnew { stream, slot, .. } => self.stream(*stream).absorb_anchor(*slot),
            Fact::StreamEnd(end) => self.stream(end.stream).absorb_end(*end),
            Fact::Unauthentic {
                stream,
                packets,
                reports,
                ..
            } => {
                self.stream(*stream).unauthentic += u64::from(*packets);
                self.reports_unauthentic += u64::from(*reports);
            }
            Fact::Ledger(ledger) => self.stream(ledger.stream).ledger = Some(*ledger),
            Fact::LegSecond {
                second,
                ipdv,
                ipdv_max,
                ..
            } => {
                let tally = self.seconds.entry(*second).or_default();
                tally.ipdv.record_coarse(Scale::LEG, ipdv, 0);
                if !ipdv.is_empty() {
                    tally.ipdv.raise_max(*ipdv_max);
                }
            }
            Fact::Due(due) => self.seconds.entry(due.second).or_default().due.add(due),
            _ => {}
        }
    }

    fn absorb_second(&mut self, fact: &StreamSecond) {
        let tally = self.seconds.entry(fact.second).or_default();
        tally.received += u64::from(fact.packets);
        tally.duplicated += u64::from(fact.duplicates);
        tally.reordered += u64::from(fact.reordered);
        tally.discarded += u64::from(fact.discarded);
        tally.interarrival_jitter_sum += fact.interarrival_jitter_sum;
        tally.interarrival_jitter_count += u64::from(fact.interarrival_jitter_count);
        tally.interarrival_jitter_max = tally
            .interarrival_jitter_max
            .max(fact.interarrival_jitter_max);
        if fact.packets > 0 {
            tally.transit_min = Some(lesser(tally.transit_min, fact.transit_min));
        }
        self.stream(fact.stream).absorb_second(fact);
    }

    /// The line of least transits over all streams.
    pub(super) fn transit_minima(&self) -> impl Iterator<Item = (u32, i64)> + '_ {
        let minima = self.seconds.iter();
        minima.filter_map(|(second, tally)| Some((*second, tally.transit_min?)))
    }

    /// Late packets in order of their slots.
    pub(super) fn sort_late(&mut self) {
        self.streams.values_mut().for_each(StreamRecord::sort_late);
    }

    /// Every stream.
    pub(super) fn records(&self) -> impl Iterator<Item = ((CallId, Party), &StreamRecord)> {
        self.streams
            .iter()
            .map(|(stream, record)| (*stream, record))
    }

    /// When slot 0 of a stream was due.
    pub(super) fn due_of(&self, stream: (CallId, Party)) -> Option<RunTime> {
        self.streams.get(&stream)?.due
    }

    /// When each stream began, as its sender told.
    pub(super) fn started(&self, leg: Leg) -> impl Iterator<Item = Fact> + '_ {
        let streams = self.streams.iter();
        streams.filter_map(move |((call, party), record)| {
            let (call, party) = (*call, *party);
            Some(Fact::StreamStarted {
                stream: StreamId { call, party, leg },
                due: record.due?,
                ssrc: record.ssrc.unwrap_or_default(),
            })
        })
    }

    /// How many streams were told of.
    pub(super) fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Least transit of each stream, skew included.
    pub(super) fn references(&self) -> impl Iterator<Item = ((CallId, Party), i64)> + '_ {
        let streams = self.streams.iter();
        streams.filter_map(|(stream, record)| Some((*stream, record.transit_min?)))
    }

    /// Sums the leg up.
    pub(super) fn summarise(
        self,
        leg: Leg,
        rule: &StreamRule,
        spread: LegSpread,
        sender: &EndRecord,
    ) -> LegSeries {
        let streams = self.streams.into_iter().map(|((call, party), record)| {
            let id = StreamId { call, party, leg };
            record.summarise(id, rule, &spread.stream((call, party)))
        });
        let streams: Vec<StreamSummary> = streams
            .filter(|stream| stream.row.expected > 0 || stream.row.not_sent > 0)
            .collect();
        let mut series = LegSeries {
            seconds: self.seconds,
            events: events_of(&streams),
            streams,
            skew: spread.skew,
            reports_unauthentic: self.reports_unauthentic,
        };
        for (second, distribution) in spread.pdv {
            series.second(second).pdv = distribution;
        }
        series.place_impairments();
        series.place_sent(sender);
        series
    }
}

fn events_of(streams: &[StreamSummary]) -> Vec<DeadAirEvent> {
    let mut events: Vec<DeadAirEvent> = streams
        .iter()
        .flat_map(|stream| {
            stream.events.iter().map(|run| DeadAirEvent {
                stream: stream.row.stream,
                at: stream.time_of(run.first_slot),
                length: run.length(),
                cause: run.cause,
            })
        })
        .collect();
    events.sort_by_key(|event| (event.at, event.stream));
    events
}

impl LegSeries {
    fn second(&mut self, second: u32) -> &mut LegSecond {
        self.seconds.entry(second).or_default()
    }

    fn place_impairments(&mut self) {
        for stream in std::mem::take(&mut self.streams) {
            for slot in &stream.lost_slots {
                self.second(stream.time_of(*slot).second()).lost += 1;
            }
            for slot in &stream.not_sent_slots {
                self.second(stream.time_of(*slot).second()).not_sent += 1;
            }
            self.streams.push(stream);
        }
        for event in self.events.clone() {
            self.second(event.at.second()).dead_air_events += 1;
            for slot in 0..event.length / PTIME_NS {
                self.second((event.at + slot * PTIME_NS).second())
                    .dead_air_ns += PTIME_NS;
            }
        }
    }

    /// Packets expected in a second are those its sender sent in it; without the sender's word, those
    /// that are known of.
    fn place_sent(&mut self, sender: &EndRecord) {
        for sent in sender.sent.values() {
            self.second(sent.second).sent = Some(*sent);
        }
        for tally in self.seconds.values_mut() {
            let known = tally.received + tally.lost;
            tally.expected = tally
                .sent
                .map_or(known, |sent| u64::from(sent.rtp_packets).max(tally.lost));
        }
    }

    /// What stands in the scorecard.
    pub(super) fn measured(&self, full: &Range<u32>) -> LegMeasured {
        let rows = || self.streams.iter().map(|stream| &stream.row);
        let sum = |count: fn(&crate::measured::StreamRow) -> u64| rows().map(count).sum::<u64>();
        let (expected, lost) = (sum(|row| row.expected), sum(|row| row.lost));
        let seconds = || self.seconds.range(full.clone()).map(|(_, second)| second);
        let by_ledger = self.streams.iter().all(|stream| stream.by_ledger);
        let mut measured = LegMeasured {
            streams: u32::try_from(rows().filter(|row| row.expected > 0).count())
                .unwrap_or(u32::MAX),
            expected_from: if by_ledger {
                "ledger"
            } else {
                "sequence-numbers"
            }
            .to_owned(),
            packets_expected: expected,
            packets_received: sum(|row| row.received),
            packets_lost: lost,
            packets_duplicated: sum(|row| row.duplicated),
            packets_reordered: sum(|row| row.reordered),
            packets_discarded: sum(|row| row.discarded),
            packets_not_sent: sum(|row| row.not_sent),
            packets_unauthentic: self.packets_unauthentic(),
            playout_anchored_anew: self.streams.iter().map(|stream| stream.anchored_anew).sum(),
            loss_percent: ratio(100.0 * float(lost), float(expected)),
            interarrival_jitter_ms: self.interarrival_jitter_ms(),
            ipdv_ms: percentiles_ms(&merged(seconds().map(|second| &second.ipdv))),
            pdv_ms: pdv_percentiles_ms(&merged(seconds().map(|second| &second.pdv))),
            mos_lq: mos_spread(rows().filter_map(|row| row.mos_lq).collect()),
            dead_air: self.dead_air(),
            mbps: MeanMax {
                mean: mean(self.mbps(full, ALL_OCTETS)),
                max: largest(self.mbps(full, ALL_OCTETS)),
            },
            rtp_mbps: mean(self.mbps(full, RTP_OCTETS)),
            transfer_mbps: mean(self.mbps(full, TRANSFER_OCTETS)),
            nic_mbps: mean(self.mbps(full, NIC_OCTETS)),
            dscp_arrived: self.dscp_arrived(),
            ..LegMeasured::default()
        };
        let mut patterns = Patterns::default();
        for stream in &self.streams {
            patterns.add(&stream.patterns);
        }
        patterns.measure(&mut measured);
        measured
    }

    /// Mean of the streams' means, maximum of their maxima.
    fn interarrival_jitter_ms(&self) -> MeanMax {
        let means = self
            .streams
            .iter()
            .filter_map(|stream| stream.interarrival_jitter_mean);
        let max = self
            .streams
            .iter()
            .filter_map(|stream| stream.interarrival_jitter_max)
            .max();
        MeanMax {
            mean: mean(means).map(|ns| ns / 1e6),
            max: max.map(ms),
        }
    }

    fn dead_air(&self) -> DeadAir {
        let slots: u64 = self
            .streams
            .iter()
            .map(|stream| stream.row.expected + stream.row.not_sent)
            .sum();
        let events = self.events.len() as u64;
        DeadAir {
            events,
            events_200ms: self.events.iter().filter(|event| event.is_long()).count() as u64,
            longest_ms: self.events.iter().map(|event| event.length).max().map(ms),
            total_ms: ms(self.events.iter().map(|event| event.length).sum()),
            streams_affected: self
                .streams
                .iter()
                .filter(|stream| !stream.events.is_empty())
                .count() as u64,
            per_1000_call_minutes: per_1000_minutes(events, slots),
        }
    }

    /// Minutes of call leg in some seconds, rounded up: each slot is a packet time of one.
    pub(super) fn call_minutes(&self, seconds: &Range<u32>) -> u64 {
        let slots: u64 = self
            .seconds
            .range(seconds.clone())
            .map(|(_, second)| second.expected + second.not_sent)
            .sum();
        slots.div_ceil(3000)
    }

    /// Mbit/s of each second in which the sender said what it sent.
    fn mbps(&self, seconds: &Range<u32>, octets: Octets) -> impl Iterator<Item = f64> + '_ {
        let inside = self.seconds.range(seconds.clone());
        inside
            .filter_map(move |(_, second)| second.sent.as_ref().and_then(octets))
            .map(mbps_of)
    }

    fn dscp_arrived(&self) -> Option<u8> {
        let mut arrived = self
            .streams
            .iter()
            .filter(|stream| stream.row.received > 0)
            .filter_map(|stream| stream.dscp);
        let first = arrived.next()?;
        arrived.all(|dscp| dscp == first).then_some(first)
    }
}

impl DeadAirEvent {
    /// At least 200 ms.
    pub(super) fn is_long(&self) -> bool {
        self.length >= LONG_DEAD_AIR_NS
    }
}

/// Events a thousand minutes of a call leg; `slots` are the packet times it lasted.
pub(super) fn per_1000_minutes(events: u64, slots: u64) -> Option<f64> {
    const SLOTS_A_MINUTE: f64 = 3000.0;
    ratio(float(events) * 1000.0 * SLOTS_A_MINUTE, float(slots))
}

/// One distribution of many.
pub(super) fn merged<'a>(parts: impl Iterator<Item = &'a Distribution>) -> Distribution {
    parts.fold(Distribution::default(), |mut all, part| {
        all.add(part);
        all
    })
}

/// What to count of the octets an end sent; none where it was not known.
pub(super) type Octets = fn(&SentSecond) -> Option<u64>;

/// Everything of the run, as a NIC counts it.
pub(super) const ALL_OCTETS: Octets =
    |sent| Some(sent.rtp_octets + sent.rtcp_octets + sent.transfer_octets + sent.control_octets);
/// RTP and RTCP.
pub(super) const RTP_OCTETS: Octets = |sent| Some(sent.rtp_octets + sent.rtcp_octets);
/// Recording transfer.
pub(super) const TRANSFER_OCTETS: Octets = |sent| Some(sent.transfer_octets);
/// Everything on the interface, ours or not.
pub(super) const NIC_OCTETS: Octets = |sent| sent.nic_octets;

/// Octets of one second as Mbit/s.
pub(super) fn mbps_of(octets: u64) -> f64 {
    float(octets) * 8.0 / 1e6
}

fn percentiles_ms(ipdv: &Distribution) -> Percentiles {
    let at = |percentile| ipdv.percentile(percentile).map(ms);
    Percentiles {
        p50: at(Percentile::P50),
        p99: at(Percentile::P99),
        p999: at(Percentile::P999),
        max: ipdv.max().map(ms),
    }
}

fn pdv_percentiles_ms(pdv: &Distribution) -> PdvPercentiles {
    let at = |percentile| pdv.percentile(percentile).map(ms);
    PdvPercentiles {
        p50: at(Percentile::P50),
        p95: at(Percentile::P95),
        p99: at(Percentile::P99),
        p999: at(Percentile::P999),
        max: pdv.max().map(ms),
    }
}

fn mos_spread(mut mos: Vec<f64>) -> MosSpread {
    mos.sort_by(f64::total_cmp);
    MosSpread {
        min: mos.first().copied(),
        p5: Percentile::P5.of_sorted(&mos),
        median: Percentile::P50.of_sorted(&mos),
    }
}
