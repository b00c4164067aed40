//! Times at which most streams of a leg were silent at once.

use super::gap::LEAST_US;
use super::silence::Silence;
use super::track::{Key, Track};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::RunTime;
use std::collections::BTreeMap;

/// Of 20 streams one may have been silent at another time without moving a begin or an end.
const LEFT_OUT_OF: usize = 20;

/// When streams of a leg were up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lives {
    starts: Vec<RunTime>,
    ends: Vec<RunTime>,
}

impl Lives {
    pub(crate) fn of<'t>(tracks: impl Iterator<Item = &'t Track<'t>>) -> Self {
        let mut lives = Self::default();
        for track in tracks {
            lives.starts.push(track.due);
            lives.ends.push(track.end.max(track.due));
        }
        lives.starts.sort_unstable();
        lives.ends.sort_unstable();
        lives
    }

    /// Streams up at a time.
    pub(crate) fn up(&self, at: RunTime) -> usize {
        let started = self.starts.partition_point(|start| *start <= at);
        let ended = self.ends.partition_point(|end| *end <= at);
        started.saturating_sub(ended)
    }
}

/// A time, from and to.
pub(crate) type Stretch = (RunTime, RunTime);

/// What streams of a leg had in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blackout {
    /// From the last packet of any stream before it to the first of any after it.
    pub from: RunTime,
    pub to: RunTime,
    /// The longest silence of each stream that was hit.
    pub silences: BTreeMap<Key, Silence>,
    /// Streams up at its begin.
    pub up: usize,
}

impl Blackout {
    /// Its length, ns: where a single stream was hit, with which nothing is common, that stream's own.
    pub(crate) fn length(&self) -> i64 {
        let alone = self.silences.len() == 1;
        (self.to - self.from - if alone { PTIME_NS } else { 0 }).max(0)
    }
}

/// The silences of a leg in order of their begin, so that those at a time are found at once.
#[derive(Debug)]
pub(crate) struct Silences {
    all: Vec<Silence>,
    /// The latest end of each and all before it.
    ended_by: Vec<RunTime>,
    /// Places of each stream's.
    of_stream: BTreeMap<Key, Vec<usize>>,
    lives: Lives,
}

impl Silences {
    pub(crate) fn new(all: Vec<Silence>, lives: Lives) -> Self {
        let mut latest = RunTime(i64::MIN);
        let ends = all.iter().map(|silence| {
            latest = latest.max(silence.to);
            latest
        });
        let ended_by = ends.collect();
        let mut of_stream: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
        for (place, silence) in all.iter().enumerate() {
            of_stream.entry(silence.stream).or_default().push(place);
        }
        Self {
            all,
            ended_by,
            of_stream,
            lives,
        }
    }

    /// Streams up at a time.
    pub(crate) fn up(&self, at: RunTime) -> usize {
        self.lives.up(at)
    }

    /// A stream's that overlap a time.
    pub(crate) fn of_stream(
        &self,
        stream: Key,
        (from, to): Stretch,
    ) -> impl Iterator<Item = &Silence> {
        let places = self.of_stream.get(&stream).map_or(&[][..], Vec::as_slice);
        let first = places.partition_point(|place| self.all[*place].to <= from);
        let near = places[first..].iter().map(|place| &self.all[*place]);
        near.take_while(move |silence| silence.from < to)
    }

    pub(crate) fn all(&self) -> &[Silence] {
        &self.all
    }

    pub(crate) fn overlapping(&self, (from, to): Stretch) -> impl Iterator<Item = &Silence> {
        let first = self.ended_by.partition_point(|end| *end <= from);
        let near = self.all[first..]
            .iter()
            .take_while(move |silence| silence.from < to);
        near.filter(move |silence| silence.overlaps(from, to))
    }

    /// The longest of some stretches of most silence, in order, and what was hit in all of them. None without any.
    pub(crate) fn blackout(&self, stretches: &[Stretch]) -> Option<Blackout> {
        let longest = *stretches.iter().max_by_key(|(from, to)| *to - *from)?;
        let whole = (stretches.first()?.0, stretches.last()?.1);
        let hit = self.overlapping(whole).filter(|silence| {
            let place = stretches.partition_point(|(_, to)| *to <= silence.from);
            stretches
                .get(place)
                .is_some_and(|(from, _)| *from < silence.to)
        });
        let silences = longest_of_each(hit);
        let common = longest_of_each(self.overlapping(longest));
        let (from, to) = intersection(common.values(), longest);
        Some(Blackout {
            from,
            to,
            silences,
            up: self.lives.up(from),
        })
    }

    /// Times at which at least half of the streams up were silent, and two where more than one was up.
    pub(crate) fn stretches(&self) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut since = None;
        self.count(
            |at, silent| match (since, is_most(silent, self.lives.up(at))) {
                (None, true) => since = Some(at),
                (Some(from), false) => {
                    stretches.push((from, at));
                    since = None;
                }
                _ => {}
            },
        );
        let least = i64::from(LEAST_US) * 1000;
        stretches.retain(|(from, to)| *to - *from >= least);
        stretches
    }

    /// How many streams are silent from each time on at which that changes.
    fn count(&self, mut tell: impl FnMut(RunTime, usize)) {
        let begins = self.all.iter().map(|silence| (silence.from, 1));
        let ends = self.all.iter().map(|silence| (silence.to, -1));
        let mut changes: Vec<(RunTime, i64)> = begins.chain(ends).collect();
        changes.sort_unstable();
        let mut silent = 0_i64;
        for (place, (at, change)) in changes.iter().enumerate() {
            silent += change;
            if changes.get(place + 1).is_none_or(|(next, _)| next != at) {
                tell(*at, usize::try_from(silent).unwrap_or(0));
            }
        }
    }

    /// The most streams silent in each of so many equal parts of a stretch.
    pub(crate) fn trace(&self, stretch: Stretch, parts: u32) -> Vec<usize> {
        let part = ((stretch.1 - stretch.0) / i64::from(parts)).max(1);
        let near = Self::new(
            self.overlapping(stretch).copied().collect(),
            Lives::default(),
        );
        let mut most = vec![0; parts as usize];
        let (mut held, mut place) = (0, 0_usize);
        near.count(|at, silent| {
            let until = usize::try_from((at - stretch.0).max(0) / part).unwrap_or(usize::MAX);
            let until = until.min(most.len().saturating_sub(1));
            for part in most.iter_mut().take(until + 1).skip(place) {
                *part = held.max(*part);
            }
            (held, place) = (silent, until);
            most[until] = most[until].max(silent);
        });
        most
    }
}

fn longest_of_each<'s>(silences: impl Iterator<Item = &'s Silence>) -> BTreeMap<Key, Silence> {
    let mut longest: BTreeMap<Key, Silence> = BTreeMap::new();
    for silence in silences {
        let held = longest.entry(silence.stream).or_insert(*silence);
        if silence.to - silence.from > held.to - held.from {
            *held = *silence;
        }
    }
    longest
}

/// From the last of their begins to the first of their ends, one in twenty left out; all of the stretch where they have
/// nothing in common.
fn intersection<'s>(silences: impl Iterator<Item = &'s Silence>, stretch: Stretch) -> Stretch {
    let (mut begins, mut ends): (Vec<RunTime>, Vec<RunTime>) = silences
        .map(|silence| {
            let end = if silence.endless {
                stretch.1.max(silence.to)
            } else {
                silence.to
            };
            (silence.from, end)
        })
        .unzip();
    begins.sort_unstable();
    ends.sort_unstable();
    let left_out = begins.len() / LEFT_OUT_OF;
    let from = begins.iter().rev().nth(left_out);
    let to = ends.get(left_out).map(|end| (*end).min(stretch.1));
    match (from, to) {
        (Some(from), Some(to)) if *from < to => (*from, to),
        _ => stretch,
    }
}

fn is_most(silent: usize, up: usize) -> bool {
    up > 0 && silent >= up.min(2) && 2 * silent >= up
}
