//! Which calls have begun and ended by now, and which phase the run is in: told as facts.

use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::facts::{Fact, Phase};
use milliwatt_wire::id::CallId;
use milliwatt_wire::time::RunTime;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// Walks the plan once, as time goes by.
pub(super) struct Calendar {
    plan: Arc<CallPlan>,
    next_start: u32,
    up: BinaryHeap<Reverse<(RunTime, CallId)>>,
    phase: Option<Phase>,
    cut: RunTime,
}

impl Calendar {
    pub(super) fn new(plan: &Arc<CallPlan>) -> Self {
        Self {
            plan: Arc::clone(plan),
            next_start: 0,
            up: BinaryHeap::new(),
            phase: None,
            cut: RunTime(i64::MAX),
        }
    }

    /// Ends every call at `at`.
    pub(super) fn cut(&mut self, at: RunTime) {
        self.cut = self.cut.min(at);
    }

    /// Tells what has happened by `now`.
    pub(super) fn advance(&mut self, now: RunTime, tell: &mut impl FnMut(Fact)) {
        self.turn_phase(now, tell);
        let cut = self.cut.min(self.plan.cut());
        while let Some(call) = self
            .plan
            .call(CallId(self.next_start))
            .filter(|c| c.start <= now && c.start < cut)
        {
            tell(Fact::CallStarted {
                call: call.id,
                lane: call.lane,
                at: call.start,
            });
            self.up.push(Reverse((call.end(), call.id)));
            self.next_start += 1;
        }
        while let Some(Reverse((end, id))) = self
            .up
            .peek()
            .copied()
            .filter(|Reverse((end, _))| (*end).min(cut) <= now)
        {
            self.up.pop();
            let call = self.plan.call(id);
            tell(Fact::CallEnded {
                call: id,
                at: end.min(cut),
                cut: end > cut || call.is_some_and(|call| call.cut),
            });
            if call.is_some_and(|call| call.recorded) {
                tell(Fact::RecordingExpected { call: id });
            }
        }
    }

    fn turn_phase(&mut self, now: RunTime, tell: &mut impl FnMut(Fact)) {
        let (full_from, full_until) = (
            self.plan.full_from().min(self.cut),
            self.plan.full_until.min(self.cut),
        );
        let steps = [
            (Phase::Ramp, RunTime::ZERO),
            (Phase::Full, full_from),
            (Phase::Drain, full_until),
        ];
        for (phase, at) in steps {
            let later = match self.phase {
                None => true,
                Some(Phase::Ramp) => phase != Phase::Ramp,
                Some(Phase::Full) => phase == Phase::Drain,
                Some(Phase::Drain) => false,
            };
            if later && at <= now {
                self.phase = Some(phase);
                tell(Fact::Phase { phase, at });
            }
        }
    }

    /// The phase told last.
    pub(super) fn phase(&self) -> Phase {
        self.phase.unwrap_or(Phase::Ramp)
    }

    /// Calls that are up.
    pub(super) fn calls_up(&self) -> usize {
        self.up.len()
    }
}
