//! Disruptions of a run: what lies together in time, of either leg.

use super::common::{Blackout, Lives, Silences, Stretch};
use super::count::Counts;
use super::gap::GapLog;
use super::level::{Levels, STEP_NS};
use super::recovery;
use super::silence::{LegTracks, Nature};
use super::track::{Key, Track};
use milliwatt_wire::id::{CallId, Leg};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// What lies nearer to each other than this is one disruption, ns.
pub(crate) const JOINED_NS: i64 = 2 * NS_PER_SECOND;
/// Disruptions that are measured; of more, those with the longest blackouts.
pub(crate) const DISRUPTIONS_MAX: usize = 100;
/// Places of a disruption's picture.
const TRACE_PARTS: u32 = 400;
/// What may have moved the transit by less than this part of a disruption is left in what the disruption is said to.
const NOTED_PART: i64 = 4;

/// What disruptions are looked for in.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// Every stream of each leg, with the leg's levels.
    pub tracks: [BTreeMap<Key, Track<'a>>; 2],
    pub levels: [Levels; 2],
    /// Depth of the guest's playout buffer, ns.
    pub depth: i64,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In order of time.
    pub disruptions: Vec<FoundDisruption>,
    /// Further ones, with shorter blackouts.
    pub unlisted: u64,
    /// Times that were the tester's own doing.
    pub own: u64,
}

/// One, with what it did to each leg.
#[derive(Debug)]
pub(crate) struct FoundDisruption {
    pub from: RunTime,
    pub legs: [Option<FoundLeg>; 2],
    /// Streams hit on either leg, and up.
    pub streams: (usize, usize),
    pub calls_hit: BTreeSet<CallId>,
    pub calls_up: usize,
    /// Calls of which a stream did not come back.
    pub calls_lost: usize,
    /// When 19 in 20 of the streams hit had come back; none where more did not.
    pub recovered: Option<RunTime>,
    /// The time that [`FoundLeg::trace`] shows.
    pub traced: Stretch,
}

/// What a disruption did to a leg.
#[derive(Debug)]
pub(crate) struct FoundLeg {
    pub nature: Nature,
    pub blackout: Blackout,
    /// How many there were near each other.
    pub blackouts: usize,
    pub recovered: Option<RunTime>,
    pub counts: Counts,
    /// What the transit stepped by for good, ns; none where that cannot be told.
    pub step: Option<i64>,
    /// How far the least transit lay above the run's, before and after, ns; 0 where it did not step.
    pub excess: [i64; 2],
    /// Most streams silent in each part of the time shown.
    pub trace: Vec<usize>,
}

/// Finds them. `is_own` says of a stretch on a leg with so many streams up whether the tester's own doing explains it.
pub(crate) fn find(
    scene: Scene<'_>,
    gaps: &GapLog,
    is_own: impl Fn(Leg, Stretch, usize) -> bool,
) -> Found {
    let Scene {
        tracks: [receive, sent],
        levels: [receive_levels, sent_levels],
        depth,
    } = scene;
    let leg = |tracks, levels| LegTracks {
        tracks,
        levels,
        depth,
    };
    let legs = [leg(receive, receive_levels), leg(sent, sent_levels)];
    let of_leg = |leg: Leg, ticks: &[_]| {
        let own = &legs[leg as usize];
        Silences::new(
            own.silences(gaps.of(leg), ticks),
            Lives::of(own.tracks.values()),
        )
    };
    let sent = of_leg(Leg::Sent, &[]);
    let receive = of_leg(Leg::Receive, sent.all());
    Finder {
        legs,
        silences: [receive, sent],
    }
    .find(is_own)
}

struct Finder<'a> {
    legs: [LegTracks<'a>; 2],
    silences: [Silences; 2],
}

/// Stretches of each leg that are one disruption.
#[derive(Debug, Default)]
struct Span {
    stretches: [Vec<Stretch>; 2],
}

impl Span {
    fn all(&self) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter().flatten()
    }

    fn from(&self) -> RunTime {
        self.all().map(|(from, _)| *from).min().unwrap_or_default()
    }

    fn until(&self) -> RunTime {
        self.all().map(|(_, to)| *to).max().unwrap_or_default()
    }

    fn longest(&self) -> i64 {
        self.all().map(|(from, to)| *to - *from).max().unwrap_or(0)
    }
}

impl Finder<'_> {
    fn find(&self, is_own: impl Fn(Leg, Stretch, usize) -> bool) -> Found {
        let mut own = 0;
        let mut stretches: Vec<(Stretch, Leg)> = Vec::new();
        for leg in Leg::BOTH {
            for stretch in self.silences[leg as usize].stretches() {
                let up = self.silences[leg as usize].up(stretch.0);
                if is_own(leg, stretch, up) {
                    own += 1;
                } else {
                    stretches.push((stretch, leg));
                }
            }
        }
        let spans = spans(stretches);
        let unlisted = spans.len().saturating_sub(DISRUPTIONS_MAX) as u64;
        let mut listed: Vec<usize> = (0..spans.len()).collect();
        listed.sort_by_key(|index| Reverse(spans[*index].longest()));
        listed.truncate(DISRUPTIONS_MAX);
        let measured = listed
            .iter()
            .filter_map(|index| self.measure(&spans[*index], clear(&spans, *index)));
        let mut disruptions: Vec<FoundDisruption> = measured.collect();
        disruptions.sort_by_key(|disruption| disruption.from);
        Found {
            disruptions,
            unlisted,
            own,
        }
    }

    fn measure(&self, span: &Span, clear: Stretch) -> Option<FoundDisruption> {
        let blackouts = Leg::BOTH
            .map(|leg| self.silences[leg as usize].blackout(&span.stretches[leg as usize]));
        let from = blackouts
            .iter()
            .flatten()
            .map(|blackout| blackout.from)
            .min()?;
        let at = begin(&blackouts)?;
        let mut legs = Leg::BOTH.into_iter().zip(blackouts).map(|(leg, blackout)| {
            let many = span.stretches[leg as usize].len();
            self.measure_leg(leg, blackout?, (from, many), clear)
        });
        let mut legs = [legs.next()?, legs.next()?];
        let traced = traced(at, legs.iter().flatten());
        for (leg, silences) in legs.iter_mut().zip(&self.silences) {
            if let Some(leg) = leg {
                leg.trace = silences.trace(traced, TRACE_PARTS);
            }
        }
        Some(self.over_legs(at, legs, traced))
    }

    fn measure_leg(
        &self,
        leg: Leg,
        blackout: Blackout,
        (from, blackouts): (RunTime, usize),
        clear: Stretch,
    ) -> Option<FoundLeg> {
        let own = &self.legs[leg as usize];
        let last = blackout.silences.values().map(|silence| silence.to).max()?;
        let step = own.levels.step((from, last), clear);
        let returns = recovery::returns(own, &self.silences[leg as usize], &blackout, step);
        let recovered = recovery::of_most(&returns);
        let until = recovered.unwrap_or(last).max(blackout.to);
        let counts = Counts::of(own, &blackout, (from, until), step);
        Some(FoundLeg {
            nature: nature(&blackout, step),
            blackouts,
            recovered,
            counts,
            step,
            excess: own.levels.excess((from, last), clear),
            trace: Vec::new(),
            blackout,
        })
    }

    fn over_legs(
        &self,
        from: RunTime,
        legs: [Option<FoundLeg>; 2],
        traced: Stretch,
    ) -> FoundDisruption {
        let silences = || {
            legs.iter()
                .flatten()
                .flat_map(|leg| leg.blackout.silences.values())
        };
        let hit: BTreeSet<Key> = silences().map(|silence| silence.stream).collect();
        let up: BTreeSet<Key> = self
            .legs
            .iter()
            .flat_map(|leg| &leg.tracks)
            .filter(|(_, track)| track.due <= from && from < track.end)
            .map(|(key, _)| *key)
            .collect();
        let lost: BTreeSet<CallId> = silences()
            .filter(|silence| silence.endless)
            .map(|silence| silence.stream.0)
            .collect();
        let calls_up: BTreeSet<CallId> = up.iter().map(|(call, _)| *call).collect();
        let recovered = legs.iter().flatten().map(|leg| leg.recovered);
        FoundDisruption {
            from,
            streams: (hit.len(), up.union(&hit).count()),
            calls_hit: hit.iter().map(|(call, _)| *call).collect(),
            calls_up: calls_up.len(),
            calls_lost: lost.len(),
            recovered: recovered
                .collect::<Option<Vec<_>>>()
                .and_then(|all| all.into_iter().max()),
            traced,
            legs,
        }
    }
}

/// What a leg's streams were mostly silent of; packets that came late and stay late were not held, their sender stood still.
fn nature(blackout: &Blackout, step: Option<i64>) -> Nature {
    let many = |nature| {
        let silences = blackout.silences.values();
        silences.filter(|silence| silence.nature == nature).count()
    };
    let natures = [Nature::Loss, Nature::Delay, Nature::Pause];
    let most = natures.into_iter().max_by_key(|nature| many(*nature));
    let stays = step.is_some_and(|step| step >= STEP_NS && 2 * step >= blackout.length());
    match most {
        Some(Nature::Delay) if stays => Nature::Pause,
        Some(most) => most,
        None => Nature::Pause,
    }
}

fn spans(mut stretches: Vec<(Stretch, Leg)>) -> Vec<Span> {
    stretches.sort_by_key(|(stretch, _)| *stretch);
    let mut spans: Vec<(RunTime, Span)> = Vec::new();
    for (stretch, leg) in stretches {
        match spans.last_mut() {
            Some((until, span)) if stretch.0 - *until < JOINED_NS => {
                *until = (*until).max(stretch.1);
                span.stretches[leg as usize].push(stretch);
            }
            _ => {
                let mut span = Span::default();
                span.stretches[leg as usize].push(stretch);
                spans.push((stretch.1, span));
            }
        }
    }
    spans.into_iter().map(|(_, span)| span).collect()
}

/// From the end of the disruption before one to the begin of the next, of those that may have moved the transit by so much that
/// it shows in what this one is said to: by as long as they last at most.
fn clear(spans: &[Span], index: usize) -> Stretch {
    let least = spans[index].longest() / NOTED_PART;
    let is_long = |span: &&Span| span.longest() >= least;
    let before = spans[..index].iter().rev().find(is_long);
    let after = spans[index + 1..].iter().find(is_long);
    (
        before.map_or(RunTime(-NS_PER_SECOND), Span::until),
        after.map_or(RunTime(i64::MAX), Span::from),
    )
}

/// The earlier begin of two blackouts of a like length; that of the longer one, where the other is less than half of it: what a
/// clock that stood still shows of the leg that it stamps is short, and not in its place.
fn begin(blackouts: &[Option<Blackout>; 2]) -> Option<RunTime> {
    let length = |blackout: &Blackout| blackout.to - blackout.from;
    let all = || blackouts.iter().flatten();
    let longest = all().map(length).max()?;
    let alike = all().filter(|blackout| 2 * length(blackout) >= longest);
    alike.map(|blackout| blackout.from).min()
}

/// The time that a picture shows: from the begin to the recovery, half as much before it and as much after it, of which a quarter
/// of a second and half a second at least, 5 s and 10 s at most.
fn traced<'l>(from: RunTime, legs: impl Iterator<Item = &'l FoundLeg>) -> Stretch {
    let ends = legs.map(|leg| {
        leg.recovered
            .unwrap_or(leg.blackout.to)
            .max(leg.blackout.to)
    });
    let until = ends.max().unwrap_or(from);
    let around = ((until - from) / 2).clamp(NS_PER_SECOND / 4, 5 * NS_PER_SECOND);
    (from + -around, until + 2 * around)
}
