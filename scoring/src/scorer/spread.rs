//! How far transits lie apart: PDV of each stream and second, and J over full load.
//!
//! Both need what only all facts together tell: the skew to take off, a stream's least transit over the
//! whole run, when load was full. So the facts are read again, and no second of a stream is ever kept.

use super::end::{float, ratio, to_unit};
use super::leg::LegRecord;
use super::stream::lesser;
use crate::clock::Skew;
use crate::percentile::Distribution;
use milliwatt_wire::facts::{Fact, Scale, StreamSecond};
use milliwatt_wire::id::{CallId, Party};
use std::collections::BTreeMap;
use std::ops::Range;

/// Groups of streams at most that PDV is kept of.
const GROUPS: usize = 200;

/// Both legs', by [`milliwatt_wire::id::Leg`].
#[derive(Debug)]
pub(super) struct Spread {
    pub legs: [LegSpread; 2],
}

/// One leg's.
#[derive(Debug)]
pub(super) struct LegSpread {
    /// What the line of minima says of the clocks: receiver minus sender.
    pub skew: Option<Skew>,
    /// PDV by second of arrival, ns.
    pub pdv: BTreeMap<u32, Distribution>,
    full: Range<u32>,
    streams: BTreeMap<(CallId, Party), StreamSpread>,
    /// PDV over full load by stream, where that is asked for.
    by_stream: Option<ByStream>,
}

/// PDV over full load of each stream or, of many, of groups of streams.
#[derive(Debug)]
struct ByStream {
    groups: u64,
    pdv: BTreeMap<u64, Distribution>,
}

/// One stream's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StreamSpread {
    /// Least transit over the whole run, skew taken off, ns.
    reference: Option<i64>,
    /// Largest PDV, ns.
    pub pdv_max: Option<i64>,
    interarrival_jitter_sum: i64,
    interarrival_jitter_count: u64,
    interarrival_jitter_max: Option<i64>,
}

impl Spread {
    /// Takes a fact of the reading that finds each stream's least transit.
    pub(super) fn refer(&mut self, fact: &Fact) {
        if let Fact::StreamSecond(second) = fact {
            self.legs[second.stream.leg as usize].refer(second);
        }
    }

    /// Takes a fact of the last reading.
    pub(super) fn absorb(&mut self, fact: &Fact) {
        if let Fact::StreamSecond(second) = fact {
            self.legs[second.stream.leg as usize].absorb(second);
        }
    }

    /// Keeps PDV by stream, of legs of so many.
    pub(super) fn keep_streams(&mut self, streams: [usize; 2]) {
        for (leg, streams) in self.legs.iter_mut().zip(streams) {
            leg.keep_streams(streams);
        }
    }

    /// Some least transit is not known yet.
    pub(super) fn lacks_references(&self) -> bool {
        self.legs.iter().any(LegSpread::is_skewed)
    }
}

impl LegSpread {
    /// Of a leg all of whose facts were taken. Where no skew is to be taken off, least transits are known.
    pub(super) fn new(leg: &LegRecord, same_clock: bool, full: Range<u32>) -> Self {
        let skew = if same_clock {
            Some(Skew::default())
        } else {
            Skew::of_minima(leg.transit_minima())
        };
        let mut spread = Self {
            skew,
            pdv: BTreeMap::new(),
            full,
            streams: BTreeMap::new(),
            by_stream: None,
        };
        if !spread.is_skewed() {
            let known = leg.references().map(|(stream, reference)| {
                let reference = Some(reference);
                (
                    stream,
                    StreamSpread {
                        reference,
                        ..StreamSpread::default()
                    },
                )
            });
            spread.streams = known.collect();
        }
        spread
    }

    /// Keeps PDV by stream too: of `streams` beyond [`GROUPS`], in so many groups.
    pub(super) fn keep_streams(&mut self, streams: usize) {
        let groups = if streams > GROUPS {
            GROUPS as u64
        } else {
            u64::MAX
        };
        self.by_stream = Some(ByStream {
            groups,
            pdv: BTreeMap::new(),
        });
    }

    /// What was kept.
    pub(super) fn take_streams(&mut self) -> Vec<Distribution> {
        let kept = self.by_stream.take();
        kept.map_or_else(Vec::new, |kept| kept.pdv.into_values().collect())
    }

    fn is_skewed(&self) -> bool {
        self.skew.is_some_and(|skew| skew != Skew::default())
    }

    fn skew_at(&self, second: u32) -> i64 {
        self.skew.unwrap_or_default().at(second)
    }

    /// The spread of a stream.
    pub(super) fn stream(&self, stream: (CallId, Party)) -> StreamSpread {
        self.streams.get(&stream).copied().unwrap_or_default()
    }

    fn refer(&mut self, fact: &StreamSecond) {
        if !self.is_skewed() || fact.packets == 0 {
            return;
        }
        let level = fact.transit_min - self.skew_at(fact.second);
        let stream = self
            .streams
            .entry((fact.stream.call, fact.stream.party))
            .or_default();
        stream.reference = Some(lesser(stream.reference, level));
    }

    /// Adds a stream's PDV (RFC 5481 4.2) to its second, against its least transit over the whole run, so
    /// that a standing queue shows.
    fn absorb(&mut self, fact: &StreamSecond) {
        let key = (fact.stream.call, fact.stream.party);
        let skew = self.skew_at(fact.second);
        let Some(stream) = self.streams.get_mut(&key).filter(|_| fact.packets > 0) else {
            return;
        };
        if self.full.contains(&fact.second) {
            stream.absorb_interarrival_jitter(fact);
        }
        let Some(level) = stream.reference.map(|reference| reference + skew) else {
            return;
        };
        let most = fact.transit_max - level;
        stream.pdv_max = Some(stream.pdv_max.unwrap_or(0).max(most));
        let second = self.pdv.entry(fact.second).or_default();
        second.record_coarse(Scale::STREAM, &fact.pdv, fact.transit_min - level);
        second.raise_max(most);
        let full = self.full.contains(&fact.second);
        if let Some(kept) = self.by_stream.as_mut().filter(|_| full) {
            let stream = kept.of(key);
            stream.record_coarse(Scale::STREAM, &fact.pdv, fact.transit_min - level);
            stream.raise_max(most);
        }
    }
}

impl ByStream {
    fn of(&mut self, (call, party): (CallId, Party)) -> &mut Distribution {
        let stream = u64::from(call.0) * 2 + party.channel() as u64;
        self.pdv.entry(stream % self.groups).or_default()
    }
}

impl StreamSpread {
    fn absorb_interarrival_jitter(&mut self, fact: &StreamSecond) {
        if fact.interarrival_jitter_count > 0 {
            self.interarrival_jitter_sum += fact.interarrival_jitter_sum;
            self.interarrival_jitter_count += u64::from(fact.interarrival_jitter_count);
            self.interarrival_jitter_max = self
                .interarrival_jitter_max
                .max(Some(fact.interarrival_jitter_max));
        }
    }

    /// Mean and maximum of J over full load, ns (RFC 3550 A.8).
    pub(super) fn interarrival_jitter(&self) -> (Option<f64>, Option<i64>) {
        let sum = to_unit(self.interarrival_jitter_sum, 1.0);
        let mean = ratio(sum, float(self.interarrival_jitter_count));
        (mean, self.interarrival_jitter_max)
    }
}
