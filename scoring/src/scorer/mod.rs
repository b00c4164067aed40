//! From facts to what a run measured.
//!
//! [`score`] judges what there is, so that a cut-off run is judged as far as it came. The same facts
//! under another judgement give another verdict and the same measurements.
//!
//! It reads the facts two or three times instead of holding them: for everything but PDV; where two
//! clocks run apart, for each stream's least transit; and for PDV. What it holds grows with the run by
//! some distributions a second, some figures a stream, and each impairment.

mod attribution;
mod authenticity;
mod breaking;
mod brownout;
mod contention;
mod dead_air;
mod disrupted;
mod disruption_thresholds;
pub(crate) mod end;
mod evidence;
mod hooks;
mod identity;
mod leg;
mod live;
mod marks;
mod neighbours;
mod notes;
mod patterns;
mod reading;
mod recordings;
mod rows;
mod sample;
mod silence_origin;
mod spread;
mod step_events;
mod stream;
mod summary;
#[cfg(test)]
mod tests;
mod threshold;
mod timeline;
mod timers;
mod transfer;
mod transferred;
mod validity;

pub use live::{Live, LiveLeg, LiveView};
pub use reading::{score, score_for_comparison};

use crate::breaking_point::{Evidence, breaking_points};
use crate::clock::{Exchange, Skew};
use crate::disruption::GapLog;
use crate::emodel::Equipment;
use crate::judgement::{FigureKey, Judgement, PublishedFigure};
use crate::measured::{
    ClockMeasured, DocumentFigure, GuestMeasured, Legs, Measured, Recordings, ThresholdResult,
    Validity, Verdict,
};
use end::{EndRecord, ms, seconds_of};
use identity::Identity;
use leg::{LegRecord, LegSeries};
use marks::MarkLog;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::{Codec, Fill, LoadSpec, PTIME_NS};
use neighbours::NeighbourLog;
use recordings::RecordingLog;
use spread::{LegSpread, Spread};
use std::collections::BTreeSet;
use std::ops::Range;
use stream::StreamRule;
use summary::{Summary, whole};
use timeline::Timeline;

/// Seconds of the longest run that is drawn, 48 h: rows beyond would be a broken clock's.
const SECONDS_MAX: u32 = 48 * 3600;

/// What all facts say, but for the spread of transits.
#[derive(Clone, Debug, Default)]
struct Scorer {
    judgement: Option<Judgement>,
    ends: [EndRecord; 2],
    legs: [LegRecord; 2],
    timeline: Timeline,
    recordings: RecordingLog,
    nearest: Option<Exchange>,
    /// All of the run, about one a second.
    exchanges: Vec<Exchange>,
    gaps: GapLog,
    marks: MarkLog,
    neighbours: NeighbourLog,
    told: Vec<hooks::Line>,
    /// Why commands that did not succeed make no pass.
    hooks_failed: Vec<String>,
    /// What identifies each end's machine.
    identities: [Identity; 2],
    /// What [`Evidence`] must know before all else.
    steps: Vec<(End, Fact)>,
}

impl Scorer {
    /// Takes a fact from the log of `end`.
    fn absorb(&mut self, end: End, fact: &Fact) {
        self.ends[end as usize].absorb(fact);
        self.timeline.absorb(fact);
        self.recordings.absorb(fact);
        self.gaps.absorb(fact);
        self.marks.absorb(fact);
        if let Some(leg) = leg_of(fact) {
            self.legs[leg as usize].absorb(fact);
        }
        match fact {
            Fact::Clock { t1, t2, t3, t4 } => self.absorb_exchange(Exchange {
                t1: *t1,
                t2: *t2,
                t3: *t3,
                t4: *t4,
            }),
            Fact::Event { at, kind, text } => self.told.push((*at, kind.clone(), text.clone())),
            Fact::Environment { at, values, .. } => {
                let changes = self.identities[end as usize].changes(end, *at, values);
                self.told.extend(changes);
            }
            Fact::Opened { .. } | Fact::StepStarted { .. } | Fact::StepEnded { .. } => {
                self.steps.push((end, fact.clone()));
            }
            _ => {
                self.told.extend(self.neighbours.absorb(fact));
                self.told.extend(hooks::line(fact));
                self.hooks_failed.extend(hooks::failure(fact));
            }
        }
    }

    /// The evidence of the steps, before what happened in them was told.
    fn evidence(&mut self) -> Evidence {
        let mut evidence = Evidence::default();
        for (end, fact) in std::mem::take(&mut self.steps) {
            evidence.absorb(end, &fact);
        }
        for leg in Leg::BOTH {
            for fact in self.legs[leg as usize].started(leg) {
                evidence.absorb(sender_of(leg), &fact);
            }
        }
        evidence
    }

    /// The exchange with the least round trip tells the offset best.
    fn absorb_exchange(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
        let nearer = self
            .nearest
            .is_none_or(|nearest| exchange.round_trip_ns() < nearest.round_trip_ns());
        if nearer && exchange.round_trip_ns() >= 0 {
            self.nearest = Some(exchange);
        }
    }

    fn end(&self, end: End) -> &EndRecord {
        &self.ends[end as usize]
    }

    fn sender(&self, leg: Leg) -> &EndRecord {
        self.end(sender_of(leg))
    }

    fn load(&self) -> Option<&LoadSpec> {
        let opening = self.ends.iter().find_map(|end| end.opening.as_ref());
        opening.map(|opening| &opening.load)
    }

    fn same_clock(&self) -> bool {
        self.ends
            .iter()
            .filter_map(|end| end.opening.as_ref())
            .any(|opening| opening.same_clock)
    }

    /// The judgement in force, and what was wrong with the one in the facts.
    fn judgement(&self) -> (Judgement, Option<String>) {
        if let Some(judgement) = &self.judgement {
            return (judgement.clone(), None);
        }
        let text = self
            .end(End::Tester)
            .opening
            .as_ref()
            .map(|opening| opening.judgement.as_str());
        match text.map(serde_json::from_str) {
            Some(Ok(judgement)) => (judgement, None),
            Some(Err(why)) => {
                let advice =
                    "judge again with thresholds of your own (milliwatt report --thresholds)";
                (
                    Judgement::default(),
                    Some(format!(
                        "the thresholds in the tester's facts cannot be read ({why}): {advice}"
                    )),
                )
            }
            None => (
                Judgement::default(),
                Some("the tester's facts are missing: the run cannot be judged".to_owned()),
            ),
        }
    }

    /// What was measured, judged.
    fn finish(mut self, full: Option<Range<u32>>, spread: Spread, evidence: &Evidence) -> Measured {
        let (judgement, judgement_error) = self.judgement();
        let last_second = self.last_second();
        let found = self.disruptions();
        let legs = self.sum_legs_up(spread);
        let steps = evidence.rows(&judgement);
        let mut summary = Summary {
            scorer: &self,
            timeline: &self.timeline,
            recording_log: &self.recordings,
            told: &self.told,
            clock: self.clock(legs[0].skew),
            legs,
            recordings: self
                .recordings
                .measured(self.load().map(|load| load.recording.rate_bits_per_second)),
            calls: self.timeline.counts,
            full,
            last_second,
            tainted: self.tainted(&judgement),
            judgement_error,
            breaking_point: breaking_points(&steps),
            steps,
            found,
            disruptions: Vec::new(),
        };
        summary.disruptions = summary.disruption_rows();
        summary.recordings.silence_events_unexplained = summary.unexplained_silences();
        let thresholds = summary.judge(&judgement.thresholds);
        let validity = summary.validity(&judgement, &thresholds);
        let full = seconds_of(summary.full.as_ref());
        let legs = Legs {
            receive: summary.legs[0].measured(&full),
            sent: summary.legs[1].measured(&full),
        };
        let guest = summary.guest();
        let timers = summary.timers();
        let mut notes = notes::notes(
            self.load(),
            [self.end(End::Tester), self.end(End::Guest)],
            &legs,
            &summary.recordings,
            &timers,
        );
        let of_skew = |(leg, series): (Leg, &LegSeries)| notes::skew_change(leg, series.skew?);
        notes.extend(Leg::BOTH.into_iter().zip(&summary.legs).filter_map(of_skew));
        notes.extend(summary.transfer_note(&judgement.steps));
        notes.extend(summary.disruption_notes());
        notes.extend(summary.packets_changed());
        notes.extend(identity::notes(&self.told));
        let neighbours = self.neighbours.rows();
        notes.extend(neighbours::notes(&neighbours));
        let mut measured = Measured {
            notes,
            verdict: verdict(&validity, &thresholds),
            partial: self.ends.iter().any(|end| !end.closed),
            document: judgement
                .document
                .iter()
                .map(|figure| beside(figure, &legs, &summary.recordings, &guest))
                .collect(),
            validity,
            legs,
            recordings: summary.recordings,
            transfers: summary.transfers(),
            thresholds,
            guest,
            host: summary.host(),
            timers,
            clock: summary.clock.clone(),
            attribution: summary.attribution(),
            breaking_point: summary.breaking_point.clone(),
            neighbours,
            contention: summary.contention(),
            calls: summary.calls,
            full_load: summary.full.clone().map(|full| (full.start, full.end)),
            control_mbps: summary.observe("control_mbps", None, &whole(&full)).value,
            seconds: summary.second_rows(),
            streams: summary
                .legs
                .iter()
                .flat_map(|leg| &leg.streams)
                .map(|stream| stream.row.clone())
                .collect(),
            events: summary.event_rows(),
            marks: self.marks.mark_rows(&summary.disruptions),
            hooks: self.marks.hook_rows(&summary.disruptions),
            disruption_traces: summary.disruption_traces(),
            // The last that is made of them are events.
            disruptions: std::mem::take(&mut summary.disruptions),
            steps: std::mem::take(&mut summary.steps),
            recording_rows: self.recordings.rows(),
            recording_layout: summary.recording_layout(),
            pdv_curves: [
                rows::curve(&summary.legs[0], &full),
                rows::curve(&summary.legs[1], &full),
            ],
            histograms: Vec::new(),
        };
        measured.histograms = summary.into_second_histograms();
        measured
    }

    /// Seconds that lie wholly in full load.
    fn full(&self) -> Option<Range<u32>> {
        let told_by_both = self.ends.iter().map(EndRecord::reported).min().flatten();
        self.timeline.full(told_by_both)
    }

    /// The spread of transits, before any was taken.
    fn spread(&self, full: Option<&Range<u32>>) -> Spread {
        let of = |leg| LegSpread::new(leg, self.same_clock(), seconds_of(full));
        Spread {
            legs: self.legs.each_ref().map(of),
        }
    }

    /// Takes the legs out: what they hold of each stream goes as it is summed up.
    fn sum_legs_up(&mut self, spread: Spread) -> [LegSeries; 2] {
        let [receive, sent] = std::mem::take(&mut self.legs);
        let [receive_spread, sent_spread] = spread.legs;
        let sum_up = |record: LegRecord, leg, spread| {
            record.summarise(leg, &self.rule(leg), spread, self.sender(leg))
        };
        [
            sum_up(receive, Leg::Receive, receive_spread),
            sum_up(sent, Leg::Sent, sent_spread),
        ]
    }

    /// Depth of the guest's playout buffer, ns.
    fn playout_buffer(&self) -> i64 {
        self.load().map_or(3 * PTIME_NS, |load| load.playout_buffer)
    }

    fn rule(&self, leg: Leg) -> StreamRule {
        StreamRule {
            playout_buffer: self.playout_buffer(),
            dead_air_min: self.load().map_or(3 * PTIME_NS, |load| load.dead_air_min),
            equipment: equipment(self.load()),
            receiver_closed: self.end(receiver_of(leg)).closed,
        }
    }

    /// The tester's; and the agent's own when no guest was named, since both then share one machine.
    fn tainted(&self, judgement: &Judgement) -> BTreeSet<u32> {
        let tester = self.end(End::Tester);
        let mut tainted = validity::tainted_seconds(tester, judgement.lateness_bound_us);
        if tester
            .opening
            .as_ref()
            .is_some_and(|opening| !opening.guest_named)
        {
            tainted.extend(validity::tainted_seconds(
                self.end(End::Guest),
                judgement.lateness_bound_us,
            ));
        }
        tainted
    }

    fn last_second(&self) -> Option<u32> {
        let ends = self.ends.iter().filter_map(EndRecord::reported);
        let legs = self
            .legs
            .iter()
            .filter_map(|leg| leg.seconds.keys().next_back().copied());
        ends.chain(legs).max().map(|last| last.min(SECONDS_MAX))
    }

    fn clock(&self, receive_skew: Option<Skew>) -> ClockMeasured {
        ClockMeasured {
            same_clock: self.same_clock(),
            round_trip_min_ms: self.nearest.map(|nearest| ms(nearest.round_trip_ns())),
            offset_ms: self.nearest.map(|nearest| ms(nearest.offset_ns())),
            skew_ppm: receive_skew.map(Skew::ppm),
            skew_change: receive_skew.and_then(Skew::change).map(Into::into),
        }
    }
}

/// A phone that fills gaps so; with the concealment of G.711 Appendix I where nothing is known. None of a codec whose
/// audio is wider than the E-model's.
fn equipment(load: Option<&LoadSpec>) -> Option<Equipment> {
    let load = load.map(|load| (load.codec, load.rated_fill));
    match load {
        Some((Codec::G722, _)) => None,
        Some((_, Fill::Silence)) => Some(Equipment::G711),
        Some((_, Fill::G711AppendixI)) | None => Some(Equipment::G711_CONCEALED),
    }
}

pub(crate) fn sender_of(leg: Leg) -> End {
    match leg {
        Leg::Receive => End::Tester,
        Leg::Sent => End::Guest,
    }
}

pub(crate) fn receiver_of(leg: Leg) -> End {
    match leg {
        Leg::Receive => End::Guest,
        Leg::Sent => End::Tester,
    }
}

fn leg_of(fact: &Fact) -> Option<Leg> {
    match fact {
        Fact::StreamSecond(second) => Some(second.stream.leg),
        Fact::StreamEnd(end) => Some(end.stream.leg),
        Fact::Ledger(ledger) => Some(ledger.stream.leg),
        Fact::LegSecond { leg, .. } => Some(*leg),
        Fact::Due(due) => Some(due.leg),
        Fact::StreamStarted { stream, .. }
        | Fact::DeadSlots { stream, .. }
        | Fact::LatePackets { stream, .. }
        | Fact::Unauthentic { stream, .. }
        | Fact::AnchoredAnew { stream, .. }
        | Fact::NotSent { stream, .. } => Some(stream.leg),
        _ => None,
    }
}

/// Invalid outranks fail outranks pass; a threshold that only warns never fails.
fn verdict(validity: &Validity, thresholds: &[ThresholdResult]) -> Verdict {
    let failed = thresholds.iter().any(ThresholdResult::fails);
    match (validity.valid, failed) {
        (false, _) => Verdict::Invalid,
        (true, true) => Verdict::Fail,
        (true, false) => Verdict::Pass,
    }
}

/// A published figure with ours beside it.
fn beside(
    figure: &PublishedFigure,
    legs: &Legs,
    recordings: &Recordings,
    guest: &GuestMeasured,
) -> DocumentFigure {
    const BITS_AN_OCTET: f64 = 8.0;
    let measured = match figure.key {
        FigureKey::ReceiveMegabytesPerSecond => {
            legs.receive.mbps.mean.map(|mbps| mbps / BITS_AN_OCTET)
        }
        FigureKey::SentMegabytesPerSecond => legs.sent.mbps.mean.map(|mbps| mbps / BITS_AN_OCTET),
        FigureKey::SilentRecordings => {
            (recordings.scored > 0).then(|| end::float(recordings.with_silence))
        }
        FigureKey::GuestCpuPercent => guest.cpu_percent,
    };
    DocumentFigure {
        figure: figure.figure.clone(),
        published: figure.published,
        measured,
        unit: figure.unit.clone(),
    }
}
