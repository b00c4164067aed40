//! When each stream of a leg was silent, and why.

use super::gap::{Gap, Source};
use super::level::Levels;
use super::track::{Heard, Key, Track};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::{BTreeMap, BTreeSet};

/// A stream that ends this long after the last that was heard of it did not come back, ns.
const GONE_NS: i64 = NS_PER_SECOND;

/// Why a stream was silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Nature {
    /// Its packets were lost.
    Loss,
    /// Its packets came late, in a clump.
    Delay,
    /// Its sender, or the guest's playout, stood still and did not make up for it.
    Pause,
}

/// A time without a packet, or a tick, of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    pub stream: Key,
    /// The last packet before it came.
    pub from: RunTime,
    /// The first after it came; the stream's end where none did.
    pub to: RunTime,
    pub nature: Nature,
    /// No packet came after it.
    pub endless: bool,
}

impl Silence {
    /// How much longer than a packet time it lasted, ns.
    pub(crate) fn blackout(&self) -> i64 {
        (self.to - self.from - PTIME_NS).max(0)
    }

    pub(crate) fn overlaps(&self, from: RunTime, to: RunTime) -> bool {
        self.from < to && from < self.to
    }
}

/// Begin, end and nature of a silence.
type Told = (RunTime, RunTime, Nature);

/// The streams of a leg.
#[derive(Debug)]
pub(crate) struct LegTracks<'a> {
    pub tracks: BTreeMap<Key, Track<'a>>,
    pub levels: Levels,
    /// Depth of the guest's playout buffer, ns.
    pub depth: i64,
}

impl LegTracks<'_> {
    /// Silences in order of time, those of one stream apart from each other. `ticks` are those of the sent leg, whose packets
    /// are the ticks of the guest's playout.
    pub(crate) fn silences<'g>(
        &self,
        gaps: impl Iterator<Item = &'g Gap>,
        ticks: &[Silence],
    ) -> Vec<Silence> {
        let ticks = by_stream(ticks);
        let mut of_stream: BTreeMap<Key, Vec<&Gap>> = BTreeMap::new();
        for gap in gaps {
            let stream = (gap.stream.call, gap.stream.party);
            of_stream.entry(stream).or_default().push(gap);
        }
        let mut silences = Vec::new();
        for (key, track) in &self.tracks {
            let told = of_stream.get(key).map_or(&[][..], Vec::as_slice);
            let ended: BTreeSet<u32> = told
                .iter()
                .filter(|gap| gap.source == Source::Arrival)
                .map(|gap| gap.slot)
                .collect();
            let mut own: Vec<Silence> = told
                .iter()
                .filter(|gap| !is_told_twice(gap, &ended))
                .map(|gap| self.silence((*key, track), gap, &ticks))
                .collect();
            own.extend(self.endless(*key, track));
            silences.extend(joined(own));
        }
        silences.sort_by_key(|silence| (silence.from, silence.stream));
        silences
    }

    fn silence(
        &self,
        (stream, track): (Key, &Track<'_>),
        gap: &Gap,
        ticks: &BTreeMap<Key, Vec<Silence>>,
    ) -> Silence {
        let (from, to, nature) = match gap.source {
            Source::Arrival => self.between_arrivals(track, gap),
            Source::Lost => self.between_slots(track, gap),
            Source::Playout => self.between_ticks((stream, track), gap, ticks),
        };
        Silence {
            stream,
            from,
            to,
            nature,
            endless: false,
        }
    }

    /// A packet that was not listed as late came up to 20 ms after its time: as much as the gap is longer than the slots
    /// that it spans.
    fn between_arrivals(&self, track: &Track<'_>, gap: &Gap) -> Told {
        let length = i64::from(gap.length_us) * 1000;
        let missing = gap.slot.saturating_sub(gap.slots);
        let unsent = track.unsent.right_before(missing);
        let spanned = (1 + i64::from(gap.slots) + i64::from(unsent)) * PTIME_NS;
        // What was missing then may have come since.
        let lost = i64::from(track.lost.count(missing, gap.slot));
        let listed = track.above(gap.slot);
        let above = listed.unwrap_or_else(|| (length - spanned).clamp(0, PTIME_NS));
        let to = track.time_of(gap.slot, &self.levels) + above;
        let blackout = length - PTIME_NS;
        let nature = if 2 * lost * PTIME_NS >= blackout {
            Nature::Loss
        } else if 2 * listed.unwrap_or(0) >= blackout {
            Nature::Delay
        } else {
            Nature::Pause
        };
        (to + -length, to, nature)
    }

    fn between_slots(&self, track: &Track<'_>, gap: &Gap) -> Told {
        let after = gap.slot.saturating_add(gap.slots);
        let from = track.time_of(gap.slot, &self.levels) + -PTIME_NS;
        let above = track.above(after).unwrap_or(0);
        let to = from + (i64::from(gap.slots) + 1) * PTIME_NS + above;
        (from, to, Nature::Loss)
    }

    /// A tick sends what it plays: while the guest sent nothing it played nothing, though not all of what it did not play
    /// may have been told, since its buffer holds so much only. The first tick that runs again may run up to a packet time
    /// late: its packet tells when.
    fn between_ticks(
        &self,
        ((call, party), track): (Key, &Track<'_>),
        gap: &Gap,
        ticks: &BTreeMap<Key, Vec<Silence>>,
    ) -> Told {
        let first = track.tick_of(gap.slot, self.depth, &self.levels);
        let from = first + -PTIME_NS;
        let due = first + i64::from(gap.slots) * PTIME_NS;
        let sent = ticks
            .get(&(call, party.other()))
            .or_else(|| ticks.get(&(call, party)));
        let stood = sent.into_iter().flatten().filter(|silence| {
            silence.nature == Nature::Pause && !silence.endless && silence.overlaps(from, due)
        });
        let whole = stood.fold((from, due), |(from, to), silence| {
            (from.min(silence.from), to.max(silence.to))
        });
        (whole.0, whole.1, Nature::Pause)
    }

    /// What was never heard of again.
    fn endless(&self, stream: Key, track: &Track<'_>) -> Option<Silence> {
        let from = match track.heard {
            Heard::Unknown => return None,
            Heard::Nothing => track.time_of(0, &self.levels),
            Heard::Until(slot) => {
                track.time_of(slot, &self.levels) + track.above(slot).unwrap_or(0)
            }
        };
        (track.end - from >= GONE_NS).then_some(Silence {
            stream,
            from,
            to: track.end,
            nature: if track.tail_lost > 0 {
                Nature::Loss
            } else {
                Nature::Pause
            },
            endless: true,
        })
    }
}

/// A run of lost packets whose gap between arrivals was told too, by the slot that ended it.
fn is_told_twice(gap: &Gap, ended: &BTreeSet<u32>) -> bool {
    let after = gap.slot.saturating_add(gap.slots);
    gap.source == Source::Lost
        && ended
            .range(gap.slot.saturating_add(1)..=after)
            .next()
            .is_some()
}

fn by_stream(silences: &[Silence]) -> BTreeMap<Key, Vec<Silence>> {
    let mut of_stream: BTreeMap<Key, Vec<Silence>> = BTreeMap::new();
    for silence in silences {
        of_stream.entry(silence.stream).or_default().push(*silence);
    }
    of_stream
}

/// Silences of one stream, those that overlap as one of the nature of the longest.
fn joined(mut silences: Vec<Silence>) -> Vec<Silence> {
    silences.sort_by_key(|silence| silence.from);
    let mut apart: Vec<Silence> = Vec::with_capacity(silences.len());
    for silence in silences {
        match apart.last_mut() {
            Some(last) if silence.from < last.to => {
                if silence.blackout() > last.blackout() {
                    last.nature = silence.nature;
                }
                last.to = last.to.max(silence.to);
                last.endless |= silence.endless;
            }
            _ => apart.push(silence),
        }
    }
    apart
}
