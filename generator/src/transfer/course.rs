//! When made-up files flow and when recordings are released, by what both ends know before the run.

use crate::calls::CallPlan;
use crate::steps::StepBook;
use milliwatt_wire::id::End;
use milliwatt_wire::load::{LoadSpec, TransferDirection, TransferWhen};
use milliwatt_wire::step::Flow;
use milliwatt_wire::time::RunTime;
use std::sync::Arc;

/// The course of an end's transfers.
#[derive(Clone, Debug)]
pub struct Course {
    /// Made-up files flow at full load so; none where steps say it, or where they come from the other end.
    flow: Option<Flow>,
    /// The steps that say it.
    steps: Option<Arc<StepBook>>,
    full_from: RunTime,
    full_until: RunTime,
    /// Recordings are released each so many ns of full load; none where each goes when its call has ended.
    every: Option<i64>,
}

impl Course {
    /// That of an end.
    #[must_use]
    pub fn of(load: &LoadSpec, plan: &CallPlan, end: End) -> Self {
        let flow = (!load.stepped && makes_up(load, end)).then(|| full_flow(load));
        let every = match load.transfer.when {
            TransferWhen::Every(ns) if end == End::Guest => Some(ns.max(1)),
            _ => None,
        };
        Self {
            flow: flow.flatten(),
            steps: plan.steps.clone().filter(|_| makes_up(load, end)),
            full_from: plan.full_from,
            full_until: plan.full_until,
            every,
        }
    }

    /// How made-up files are to flow; none leaves it as it is.
    #[must_use]
    pub fn flow(&self, now: RunTime) -> Option<Flow> {
        if let Some(steps) = &self.steps {
            return Some(steps.flow_at(now));
        }
        let is_full = (self.full_from..self.full_until).contains(&now);
        self.flow
            .map(|flow| if is_full { flow } else { Flow::None })
    }

    /// Recordings are kept for a batch.
    #[must_use]
    pub fn has_batches(&self) -> bool {
        self.every.is_some()
    }

    /// The first release after `now`; none when recordings are never kept.
    #[must_use]
    pub fn next_release(&self, now: RunTime) -> Option<RunTime> {
        let every = self.every?;
        let passed = (now - self.full_from).max(0) / every;
        Some(self.full_from + (passed + 1).saturating_mul(every))
    }

    /// The next time at which anything of it is known to change; none when nothing does any more.
    #[must_use]
    pub fn next_change(&self, now: RunTime) -> Option<RunTime> {
        let ends = [self.full_from, self.full_until].into_iter();
        let switch = ends.filter(|at| self.flow.is_some() && *at > now).min();
        switch.into_iter().chain(self.next_release(now)).min()
    }
}

/// Made-up files are sent by this end, if by any.
#[must_use]
pub fn makes_up(load: &LoadSpec, end: End) -> bool {
    let from = match load.transfer.direction {
        TransferDirection::ToTester => End::Guest,
        TransferDirection::ToGuest => End::Tester,
    };
    end == from
}

/// How made-up files flow at full load; none when there are none.
#[must_use]
pub fn full_flow(load: &LoadSpec) -> Option<Flow> {
    let rate = load.transfer.rate_bits_per_second;
    match load.transfer.when {
        TransferWhen::AtCallEnd | TransferWhen::Every(_) => None,
        TransferWhen::Backlog => Some(rate.map_or(Flow::Unpaced, Flow::Paced)),
        TransferWhen::Continuous => {
            let filled =
                u64::from(load.concurrent) * u64::from(load.recording.rate_bits_per_second);
            Some(Flow::Paced(rate.unwrap_or(filled)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_load;
    use milliwatt_wire::load::TransferSpec;
    use milliwatt_wire::step::Step;
    use milliwatt_wire::time::NS_PER_SECOND;

    const SECOND: i64 = NS_PER_SECOND;

    fn load(when: TransferWhen, rate: Option<u64>, direction: TransferDirection) -> LoadSpec {
        LoadSpec {
            transfer: TransferSpec {
                when,
                rate_bits_per_second: rate,
                direction,
                ..TransferSpec::default()
            },
            ..test_load()
        }
    }

    fn course(load: &LoadSpec, end: End) -> Course {
        Course::of(load, &CallPlan::expand(load), end)
    }

    /// The ramp of 250 calls at 50/s: full load from second 5 to second 65.
    #[test]
    fn made_up_files_flow_from_the_start_of_full_load_to_its_end() {
        let backlog = load(
            TransferWhen::Backlog,
            Some(30_000_000),
            TransferDirection::ToTester,
        );
        let guest = course(&backlog, End::Guest);
        let at = |ns: i64| guest.flow(RunTime(ns));
        assert_eq!(at(5 * SECOND - 1), Some(Flow::None));
        assert_eq!(at(5 * SECOND), Some(Flow::Paced(30_000_000)));
        assert_eq!(at(65 * SECOND - 1), Some(Flow::Paced(30_000_000)));
        assert_eq!(at(65 * SECOND), Some(Flow::None));
        let change = |ns: i64| guest.next_change(RunTime(ns)).map(|at| at.0 / SECOND);
        assert_eq!(
            (change(-SECOND), change(5 * SECOND), change(65 * SECOND)),
            (Some(5), Some(65), None)
        );
        assert_eq!(
            course(&backlog, End::Tester).flow(RunTime(6 * SECOND)),
            None
        );
    }

    /// 250 x 8533 bit/s.
    #[test]
    fn a_continuous_flow_is_what_the_calls_fill_where_no_rate_is_given() {
        let way = TransferDirection::ToGuest;
        let flow = |load: &LoadSpec| course(load, End::Tester).flow(RunTime(6 * SECOND));
        assert_eq!(
            flow(&load(TransferWhen::Continuous, None, way)),
            Some(Flow::Paced(2_133_250))
        );
        assert_eq!(
            flow(&load(TransferWhen::Continuous, Some(7), way)),
            Some(Flow::Paced(7))
        );
        assert_eq!(
            flow(&load(TransferWhen::Backlog, None, way)),
            Some(Flow::Unpaced)
        );
        assert_eq!(flow(&load(TransferWhen::AtCallEnd, None, way)), None);
        let stepped = LoadSpec {
            stepped: true,
            ..load(TransferWhen::Backlog, None, way)
        };
        assert_eq!(flow(&stepped), Some(Flow::None), "no step yet");
    }

    #[test]
    fn steps_say_how_files_flow_while_they_last() {
        let stepped = LoadSpec {
            stepped: true,
            ..load(TransferWhen::Backlog, None, TransferDirection::ToTester)
        };
        let plan = CallPlan::expand(&stepped);
        let guest = Course::of(&stepped, &plan, End::Guest);
        let step = Step {
            index: 0,
            from: RunTime(2 * SECOND),
            until: RunTime(6 * SECOND),
            calls: 10,
            first_call: 0,
            flow: Flow::Paced(1_000_000),
        };
        plan.steps.as_ref().unwrap().add(step).unwrap();
        let at = |seconds: i64| guest.flow(RunTime(seconds * SECOND));
        assert_eq!(at(1), Some(Flow::None));
        assert_eq!((at(2), at(5)), (Some(step.flow), Some(step.flow)));
        assert_eq!(at(6), Some(Flow::None));
        assert_eq!(
            Course::of(&stepped, &plan, End::Tester).flow(RunTime(3 * SECOND)),
            None
        );
    }

    #[test]
    fn batches_are_released_at_whole_multiples_after_the_start_of_full_load() {
        let way = TransferDirection::ToTester;
        let every = load(TransferWhen::Every(20 * SECOND), None, way);
        let guest = course(&every, End::Guest);
        let next = |ns: i64| guest.next_release(RunTime(ns)).unwrap().0;
        let times = [
            (0, 25 * SECOND),
            (5 * SECOND, 25 * SECOND),
            (25 * SECOND - 1, 25 * SECOND),
            (25 * SECOND, 45 * SECOND),
            (64 * SECOND, 65 * SECOND),
            (65 * SECOND, 85 * SECOND),
        ];
        for (now, release) in times {
            assert_eq!(next(now), release, "after {now}");
        }
        assert!(guest.has_batches());
        assert_eq!(guest.flow(RunTime(6 * SECOND)), None);
        assert!(!course(&every, End::Tester).has_batches());
        let at_end = load(TransferWhen::AtCallEnd, None, way);
        assert_eq!(course(&at_end, End::Guest).next_change(RunTime(0)), None);
    }
}
