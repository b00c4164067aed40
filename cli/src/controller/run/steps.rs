//! The steps of a stepped load: begun, ended, and the run with the last of them.

use super::Run;
use crate::controller::course::Order;
use milliwatt_wire::control::ToAgent;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::time::RunTime;

impl Run<'_> {
    /// Does what the course of a stepped load asks for, until the run is stopped.
    pub(super) fn follow_course(&mut self, now: RunTime) {
        while self.cut.0 == i64::MAX
            && let Some(order) = self.course.as_mut().and_then(|course| course.advance(now))
        {
            self.carry_out(order);
        }
    }

    fn carry_out(&mut self, order: Order) {
        let steps = self.plan.steps.as_ref();
        match order {
            Order::Begin {
                step,
                kind,
                target_kbps,
            } => {
                if let Some(Err(error)) = steps.map(|steps| steps.add(step)) {
                    self.event("stop", format!("the load's course came to an end: {error}"));
                    return self.stop();
                }
                self.link.send(ToAgent::Step { step });
                let fact = Fact::StepStarted {
                    step,
                    kind,
                    target_kbps,
                };
                drop(self.media.facts.send(fact));
            }
            Order::End { index, at, early } => {
                if let Some(steps) = steps.filter(|_| early) {
                    steps.end_early(index, at);
                    self.link.send(ToAgent::EndStep { index, at });
                }
                drop(self.media.facts.send(Fact::StepEnded { index, at }));
            }
            Order::Over => self.stop(),
        }
    }
}
