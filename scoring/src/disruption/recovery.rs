//! When streams that were hit flow as before.

use super::common::{Blackout, Silences};
use super::level::STEP_NS;
use super::silence::{LegTracks, Silence};
use super::track::Track;
use crate::percentile::Percentile;
use milliwatt_wire::facts::{LATE_LISTED_NS, LatePacket};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunTime};

/// What hits a stream again within this is the same hit, ns: ten packet times.
const SAME_HIT_NS: i64 = 200 * NS_PER_MS;
/// So much of a stream is looked at at a time, ns.
const LOOKED_NS: i64 = 10 * NS_PER_SECOND;
/// Packets come at most so late, ns.
const LATEST_NS: i64 = 60 * NS_PER_SECOND;

/// When each stream that was hit flowed again; none of one that did not.
pub(super) fn returns(
    leg: &LegTracks<'_>,
    silences: &Silences,
    blackout: &Blackout,
    step: Option<i64>,
) -> Vec<Option<RunTime>> {
    let hit = blackout.silences.iter();
    hit.filter_map(|(key, silence)| Some((leg.tracks.get(key)?, silence)))
        .map(|(track, silence)| returned(leg, track, (silences, silence), step))
        .collect()
}

/// When 19 in 20 of them flowed again, nearest rank; none where more did not.
pub(super) fn of_most(returns: &[Option<RunTime>]) -> Option<RunTime> {
    let mut at: Vec<RunTime> = returns
        .iter()
        .map(|at| at.unwrap_or(RunTime(i64::MAX)))
        .collect();
    at.sort_unstable();
    Percentile::P95.of_sorted(&at).filter(|at| at.0 < i64::MAX)
}

fn returned(
    leg: &LegTracks<'_>,
    track: &Track<'_>,
    (silences, first): (&Silences, &Silence),
    step: Option<i64>,
) -> Option<RunTime> {
    let mut until = if first.endless { return None } else { first.to };
    loop {
        let looked = (until, until + LOOKED_NS);
        let mut again: Vec<(RunTime, RunTime)> = impairments(leg, track, looked, step).collect();
        again.extend(silences.of_stream(first.stream, looked).map(times));
        again.sort_unstable();
        for (from, to) in again {
            if from - until > SAME_HIT_NS {
                break;
            }
            until = until.max(to);
        }
        if until.0 == i64::MAX {
            return None;
        }
        if looked.1 - until > SAME_HIT_NS {
            return Some(until);
        }
    }
}

fn times(silence: &Silence) -> (RunTime, RunTime) {
    let never = RunTime(i64::MAX);
    (
        silence.from,
        if silence.endless { never } else { silence.to },
    )
}

/// What hits a stream in a time, but for its silences.
fn impairments(
    leg: &LegTracks<'_>,
    track: &Track<'_>,
    (from, to): (RunTime, RunTime),
    step: Option<i64>,
) -> impl Iterator<Item = (RunTime, RunTime)> {
    let slot_from = |at| track.slot_from(at, &leg.levels);
    let slots = (
        slot_from(from + -leg.depth).saturating_sub(1),
        slot_from(to),
    );
    let dead = [&track.lost, &track.unsent];
    let time = |slot| track.time_of(slot, &leg.levels);
    let dead = dead
        .into_iter()
        .flat_map(move |runs| runs.within(slots.0, slots.1));
    let dead =
        dead.map(move |(first, slots)| (time(first), time(first) + i64::from(slots) * PTIME_NS));
    let unplayed = track
        .unplayed
        .within(slots.0, slots.1)
        .map(|(first, slots)| {
            let tick = track.tick_of(first, leg.depth, &leg.levels);
            (tick, tick + i64::from(slots) * PTIME_NS)
        });
    let late = late_arrivals(leg, track, (from, to), step).map(|at| (at, at));
    dead.chain(unplayed)
        .chain(late)
        .filter(move |hit| hit.1 >= from)
}

/// When packets came in a time that were late, by more than what transit stepped by for good: that is in those only that came
/// before playout was anchored anew.
pub(super) fn late_arrivals(
    leg: &LegTracks<'_>,
    track: &Track<'_>,
    (from, to): (RunTime, RunTime),
    step: Option<i64>,
) -> impl Iterator<Item = RunTime> {
    let slot_from = |at| track.slot_from(at, &leg.levels);
    let (first, after) = (slot_from(from + -LATEST_NS), slot_from(to));
    let step = step.filter(|step| *step >= STEP_NS).unwrap_or(0);
    // What stood still for so long has its slots as much earlier by its clock.
    let began = slot_from(from + -step);
    let begin = track.late.partition_point(|late| late.slot < first);
    let late = track.late[begin..]
        .iter()
        .take_while(move |late| late.slot < after);
    let stepped = move |late: &LatePacket| {
        if track.is_anchored_anew(began, late.slot) {
            0
        } else {
            step
        }
    };
    late.filter(move |late| i64::from(late.above_us) * 1000 - stepped(late) > LATE_LISTED_NS)
        .map(|late| track.time_of(late.slot, &leg.levels) + i64::from(late.above_us) * 1000)
        .filter(move |at| from <= *at && *at <= to)
}
