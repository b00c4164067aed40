//! When load rose, was full, fell; which calls were up.

use crate::measured::CallCounts;
use milliwatt_wire::facts::{Fact, Phase};
use milliwatt_wire::id::CallId;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::BTreeMap;
use std::ops::Range;

/// Phases and calls.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline {
    full_from: Option<RunTime>,
    drain_from: Option<RunTime>,
    started: BTreeMap<CallId, RunTime>,
    ended: BTreeMap<CallId, RunTime>,
    /// Change of the calls up, by the first second that shows it.
    changes: BTreeMap<u32, i64>,
    pub counts: CallCounts,
}

impl Timeline {
    pub(super) fn absorb(&mut self, fact: &Fact) {
        match fact {
            Fact::Phase {
                phase: Phase::Full,
                at,
            } => self.full_from = self.full_from.or(Some(*at)),
            Fact::Phase {
                phase: Phase::Drain,
                at,
            } => self.drain_from = self.drain_from.or(Some(*at)),
            Fact::CallStarted { call, at, .. } => {
                self.started.insert(*call, *at);
                self.counts.started += 1;
                *self.changes.entry(second_from(*at)).or_default() += 1;
            }
            Fact::CallEnded { call, at, cut } => {
                self.ended.insert(*call, *at);
                self.counts.cut += u64::from(*cut);
                self.counts.completed += u64::from(!cut);
                *self.changes.entry(second_from(*at)).or_default() -= 1;
            }
            _ => {}
        }
    }

    /// When a call began.
    pub(super) fn start_of(&self, call: CallId) -> Option<RunTime> {
        self.started.get(&call).copied()
    }

    /// When a call ended.
    pub(super) fn end_of(&self, call: CallId) -> Option<RunTime> {
        self.ended.get(&call).copied()
    }

    /// The seconds that lie wholly in full load; a run that was cut off in it has it to `last`.
    pub(super) fn full(&self, last: Option<u32>) -> Option<Range<u32>> {
        let from = second_from(self.full_from?);
        let to = self
            .drain_from
            .map_or_else(|| last.map(|last| last + 1), |drain| Some(drain.second()))?;
        (from < to).then_some(from..to)
    }

    /// The phase of a second.
    pub(super) fn phase(&self, second: u32, full: Option<&Range<u32>>) -> Phase {
        match full {
            Some(full) if full.contains(&second) => Phase::Full,
            Some(full) if second >= full.end => Phase::Drain,
            None if self
                .drain_from
                .is_some_and(|drain| second >= drain.second()) =>
            {
                Phase::Drain
            }
            _ => Phase::Ramp,
        }
    }

    /// Calls up at the start of each second, 0 to `last`.
    pub(super) fn calls_up(&self, last: u32) -> Vec<u32> {
        let mut up = 0;
        (0..=last)
            .map(|second| {
                up += self.changes.get(&second).copied().unwrap_or(0);
                u32::try_from(up).unwrap_or(0)
            })
            .collect()
    }
}

/// The first second whose start is not before `at`.
fn second_from(at: RunTime) -> u32 {
    let at = at.0.max(0);
    u32::try_from(at / NS_PER_SECOND + i64::from(at % NS_PER_SECOND > 0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::id::Lane;

    #[test]
    fn only_seconds_wholly_in_full_load_are_full() {
        let mut timeline = Timeline::default();
        timeline.absorb(&Fact::Phase {
            phase: Phase::Full,
            at: RunTime(5_500_000_000),
        });
        assert_eq!(
            timeline.full(Some(9)),
            Some(6..10),
            "cut off: to the last second told of"
        );
        timeline.absorb(&Fact::Phase {
            phase: Phase::Drain,
            at: RunTime(8_999_999_999),
        });
        let full = timeline.full(Some(20)).unwrap();
        assert_eq!(full, 6..8);
        let phases: Vec<Phase> = (5..9)
            .map(|second| timeline.phase(second, Some(&full)))
            .collect();
        assert_eq!(
            phases,
            [Phase::Ramp, Phase::Full, Phase::Full, Phase::Drain]
        );
    }

    #[test]
    fn calls_are_up_at_the_start_of_the_seconds_they_span() {
        let mut timeline = Timeline::default();
        let call = CallId(0);
        timeline.absorb(&Fact::CallStarted {
            call,
            lane: Lane(0),
            at: RunTime(1_000_000_000),
        });
        timeline.absorb(&Fact::CallEnded {
            call,
            at: RunTime(3_000_000_001),
            cut: false,
        });
        assert_eq!(timeline.calls_up(4), [0, 1, 1, 1, 0]);
        assert_eq!(
            timeline.counts,
            CallCounts {
                started: 1,
                completed: 1,
                cut: 0
            }
        );
    }

    /// A phase told of twice is that told of first.
    #[test]
    fn full_load_begins_and_ends_once() {
        let mut timeline = Timeline::default();
        for (phase, second) in [
            (Phase::Full, 2),
            (Phase::Full, 4),
            (Phase::Drain, 7),
            (Phase::Drain, 9),
        ] {
            timeline.absorb(&Fact::Phase {
                phase,
                at: RunTime(second * NS_PER_SECOND),
            });
        }
        assert_eq!(timeline.full(None), Some(2..7));
    }

    /// A run that was ended while load rose.
    #[test]
    fn without_full_load_the_ramp_lasts_until_the_drain() {
        let mut timeline = Timeline::default();
        let phases = |timeline: &Timeline| [3, 4, 5].map(|second| timeline.phase(second, None));
        assert_eq!(phases(&timeline), [Phase::Ramp; 3]);
        timeline.absorb(&Fact::Phase {
            phase: Phase::Drain,
            at: RunTime(4_200_000_000),
        });
        assert_eq!(phases(&timeline), [Phase::Ramp, Phase::Drain, Phase::Drain]);
    }

    #[test]
    fn calls_are_counted_by_how_they_ended() {
        let mut timeline = Timeline::default();
        for (call, cut) in [(0, true), (1, false), (2, false)] {
            let (call, at) = (CallId(call), RunTime(1_000_000_001));
            let lane = Lane(call.0);
            timeline.absorb(&Fact::CallStarted { call, lane, at });
            timeline.absorb(&Fact::CallEnded { call, at, cut });
        }
        let counts = timeline.counts;
        assert_eq!((counts.started, counts.completed, counts.cut), (3, 2, 1));
        assert_eq!(timeline.start_of(CallId(2)), Some(RunTime(1_000_000_001)));
        assert_eq!(
            timeline.calls_up(3),
            [0; 4],
            "begun and ended within a second"
        );
    }
}
