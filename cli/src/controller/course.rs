//! The course of a stepped load while it runs: which step comes next, when it begins, and when it has said enough. No
//! clock and no connection: the run asks it some times a second and does what it says.

use crate::scenario::course::CoursePlan;
use milliwatt_scoring::breaking_point::{Evidence, Request, Search, SearchPlan};
use milliwatt_scoring::measured::StepOutcome;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::step::{Flow, Step, StepKind};
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunTime};

/// A step is told so long before it begins: for the way to the guest, twice.
const NOTICE_NS: i64 = 600 * NS_PER_MS;
/// A step that is ended early goes on for so long, so that both ends know by then.
const EARLY_NS: i64 = 5 * PTIME_NS;
/// The guest's word on a step is waited for: what it says shares a path that was full.
const PATIENCE_NS: i64 = 8 * NS_PER_SECOND;
/// What the guest says when it heard of a step after its begin.
pub(super) const STEP_LATE: &str = "step-late";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// Both ends are told of this step.
    Begin {
        step: Step,
        kind: StepKind,
        target_kbps: u32,
    },
    /// A step ends here; early, where both ends are to be told.
    End {
        index: u32,
        at: RunTime,
        early: bool,
    },
    /// The run ends.
    Over,
}

/// A course under way.
pub(super) struct Course {
    plan: CoursePlan,
    processors: u32,
    search: Search,
    evidence: Evidence,
    doing: Doing,
    next_index: u32,
    next_call: u32,
    /// The highest load that each leg held in some step, Mbit/s.
    held: [f64; 2],
    /// The guest heard too late of a step: it says nothing.
    spoilt: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    Deciding,
    Offering(Step, Request),
    /// It ended at this time.
    Awaiting(Step, Request, RunTime),
    Over,
}

impl Course {
    /// A course against a guest of so many processors.
    pub(super) fn new(plan: &CoursePlan, processors: u32, evidence: Evidence) -> Self {
        Self {
            search: Search::new(search_plan(plan)),
            plan: plan.clone(),
            processors,
            evidence,
            doing: Doing::Deciding,
            next_index: 0,
            next_call: 0,
            held: [0.0; 2],
            spoilt: None,
        }
    }

    /// Takes a fact from the log of `end`.
    pub(super) fn absorb(&mut self, end: End, fact: &Fact) {
        match fact {
            // Known since they were decided on.
            Fact::StepStarted { .. } | Fact::StepEnded { .. } => {}
            Fact::Event { kind, .. } if kind == STEP_LATE => {
                self.spoilt = self.next_index.checked_sub(1);
            }
            _ => self.evidence.absorb(end, fact),
        }
    }

    /// What is to be done at `now`, one thing at a time: to be asked until nothing is.
    pub(super) fn advance(&mut self, now: RunTime) -> Option<Order> {
        match self.doing {
            Doing::Deciding => Some(self.decide(now)),
            Doing::Offering(step, request) => self.end(step, request, now),
            Doing::Awaiting(step, request, since) => {
                if !self.evidence.is_complete(step.index) && now - since < PATIENCE_NS {
                    return None;
                }
                self.judge(step, request);
                Some(self.decide(now))
            }
            Doing::Over => None,
        }
    }

    /// The load that is offered, Mbit/s.
    pub(super) fn offered_mbps(&self) -> Option<f64> {
        match self.doing {
            Doing::Offering(_, request) => Some(request.target_mbps),
            _ => None,
        }
    }

    fn decide(&mut self, now: RunTime) -> Order {
        let Some(request) = self.search.next() else {
            self.doing = Doing::Over;
            return Order::Over;
        };
        let step = self.step(request, now);
        let target_kbps = kbps(request.target_mbps);
        self.evidence.absorb(
            End::Tester,
            &Fact::StepStarted {
                step,
                kind: request.kind,
                target_kbps,
            },
        );
        self.doing = Doing::Offering(step, request);
        Order::Begin {
            step,
            kind: request.kind,
            target_kbps,
        }
    }

    fn step(&mut self, request: Request, now: RunTime) -> Step {
        let (calls, flow) = self.plan.mix.of(request.target_mbps, self.processors);
        let flow = match (request.kind, flow) {
            (StepKind::Bursts, Flow::Paced(_)) => Flow::Unpaced,
            (_, flow) => flow,
        };
        let hold = match request.kind {
            StepKind::Confirm => self.plan.confirm.unwrap_or(self.plan.hold),
            _ => self.plan.hold,
        };
        let from = whole_second_from(now + NOTICE_NS);
        let step = Step {
            index: self.next_index,
            from,
            until: from + hold,
            calls,
            first_call: self.next_call,
            flow,
        };
        self.next_index += 1;
        self.next_call += calls;
        step
    }

    /// The end of a step, when it has come or when going on would only harm.
    fn end(&mut self, step: Step, request: Request, now: RunTime) -> Option<Order> {
        let early = now < step.until && self.is_enough(step, request);
        if now < step.until && !early {
            return None;
        }
        let at = if early {
            RunTime((now + EARLY_NS).0 / PTIME_NS * PTIME_NS).min(step.until)
        } else {
            step.until
        };
        let index = step.index;
        self.evidence
            .absorb(End::Tester, &Fact::StepEnded { index, at });
        self.doing = Doing::Awaiting(step, request, at);
        Some(Order::End { index, at, early })
    }

    /// A leg is surely bad, and so is the other, or it held as much before.
    fn is_enough(&self, step: Step, request: Request) -> bool {
        let bad = Leg::BOTH.map(|leg| self.evidence.is_surely_bad(step.index, leg));
        let said = |leg: usize| bad[leg] || self.held[leg] >= request.target_mbps;
        bad.contains(&true) && said(0) && said(1)
    }

    fn judge(&mut self, step: Step, request: Request) {
        let mut outcomes = Leg::BOTH.map(|leg| self.evidence.outcome(step.index, leg));
        if self.spoilt == Some(step.index) {
            outcomes = [StepOutcome::Tainted; 2];
        }
        for (held, outcome) in self.held.iter_mut().zip(outcomes) {
            if outcome == StepOutcome::Good && request.kind != StepKind::Bursts {
                *held = held.max(request.target_mbps);
            }
        }
        self.search.take(request, outcomes);
    }
}

fn search_plan(plan: &CoursePlan) -> SearchPlan {
    SearchPlan {
        from_mbps: plan.from_mbps,
        to_mbps: plan.to_mbps,
        step_mbps: plan.step_mbps,
        precision: plan.precision,
        repeats: plan.repeats,
        bursts: plan.bursts,
        confirm: plan.confirm.is_some(),
        steps_max: crate::scenario::course::SEARCH_STEPS.max(plan.steps()),
    }
}

fn whole_second_from(at: RunTime) -> RunTime {
    RunTime((at.0 + NS_PER_SECOND - 1).div_euclid(NS_PER_SECOND) * NS_PER_SECOND)
}

fn kbps(mbps: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates"
    )]
    let kbps = (mbps * 1000.0).round() as u32;
    kbps
}
