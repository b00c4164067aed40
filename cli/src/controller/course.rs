//! The course of a stepped load while it runs: which step comes next, when it begins, and when it has said enough. No
//! clock and no connection: the run asks it some times a second and does what it says.

use crate::scenario::course::CoursePlan;
use milliwatt_agent::session::STEP_LATE;
use milliwatt_scoring::breaking_point::{self as search, Evidence, Request, Search, SearchPlan};
use milliwatt_scoring::judgement::Judgement;
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

/// What is known of the steps.
pub(super) trait Judge {
    /// Takes a fact from the log of `end`.
    fn absorb(&mut self, end: End, fact: &Fact);
    /// Both ends have told all of a step.
    fn is_complete(&self, step: u32) -> bool;
    /// A leg will not be good any more in this step, whatever comes.
    fn is_surely_bad(&self, step: u32, leg: Leg) -> bool;
    /// What a step says of the receive leg and of the sent leg.
    fn outcomes(&self, step: u32) -> [StepOutcome; 2];
}

/// A course under way.
pub(super) struct Course<J = Judged> {
    plan: CoursePlan,
    processors: u32,
    search: Search,
    evidence: J,
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

impl<J: Judge> Course<J> {
    /// A course against a guest of so many processors.
    pub(super) fn new(plan: &CoursePlan, processors: u32, evidence: J) -> Self {
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
        let mut outcomes = self.evidence.outcomes(step.index);
        if self.spoilt == Some(step.index) {
            outcomes = [StepOutcome::Tainted; 2];
        }
        for (held, outcome) in self.held.iter_mut().zip(outcomes) {
            if outcome == StepOutcome::Good && request.kind != StepKind::Bursts {
                *held = held.max(request.target_mbps);
            }
        }
        self.search.take(request.target_mbps, outcomes);
    }
}

/// The facts of both ends so far, and by what they are judged.
pub(super) struct Judged {
    evidence: Evidence,
    judgement: Judgement,
}

impl Judged {
    /// Nothing yet.
    pub(super) fn by(judgement: &Judgement) -> Self {
        Self {
            evidence: Evidence::default(),
            judgement: judgement.clone(),
        }
    }
}

impl Judge for Judged {
    fn absorb(&mut self, end: End, fact: &Fact) {
        self.evidence.absorb(end, fact);
    }

    fn is_complete(&self, step: u32) -> bool {
        self.evidence.is_complete(step)
    }

    fn is_surely_bad(&self, step: u32, leg: Leg) -> bool {
        let sure = self.evidence.verdict_so_far(step, leg, &self.judgement);
        sure == Some(StepOutcome::Bad)
    }

    fn outcomes(&self, step: u32) -> [StepOutcome; 2] {
        let outcomes = self.evidence.outcomes(step, &self.judgement);
        outcomes.unwrap_or([StepOutcome::NotMeasured; 2])
    }
}

fn search_plan(plan: &CoursePlan) -> SearchPlan {
    SearchPlan {
        course: plan
            .step_mbps
            .map_or(search::Course::Search, |step_mbps| search::Course::Ramp {
                step_mbps,
            }),
        from_mbps: plan.from_mbps,
        to_mbps: plan.to_mbps,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::value::PortRange;
    use crate::scenario::{Request as Asked, resolve};
    use milliwatt_generator::steps::StepBook;

    /// A guest whose sent leg carries so much, Mbit/s, and whose receive leg carries all. It is known 2.3 s after a step's
    /// end; that a load is too much, 2.5 s after its begin.
    struct Guest {
        carries: f64,
        now: RunTime,
        steps: Vec<(Step, f64)>,
    }

    impl Judge for Guest {
        fn absorb(&mut self, _: End, fact: &Fact) {
            match fact {
                Fact::StepStarted {
                    step, target_kbps, ..
                } => self.steps.push((*step, f64::from(*target_kbps) / 1000.0)),
                Fact::StepEnded { at, .. } => {
                    if let Some((step, _)) = self.steps.last_mut() {
                        step.until = *at;
                    }
                }
                _ => {}
            }
        }

        fn is_complete(&self, step: u32) -> bool {
            self.now > self.steps[step as usize].0.until + 2_300_000_000
        }

        fn is_surely_bad(&self, step: u32, leg: Leg) -> bool {
            let (step, mbps) = self.steps[step as usize];
            leg == Leg::Sent && mbps > self.carries && self.now > step.from + 2_500_000_000
        }

        fn outcomes(&self, step: u32) -> [StepOutcome; 2] {
            let sent = if self.steps[step as usize].1 > self.carries {
                StepOutcome::Bad
            } else {
                StepOutcome::Good
            };
            [StepOutcome::Good, sent]
        }
    }

    /// Runs the built-in search against such a guest, asked five times a second. Gives its loads and its length, s.
    fn searched(carries: f64, full_for: &str) -> (Vec<f64>, f64) {
        let plan = resolve(&Asked {
            scenario: "120-mbps",
            set: &[],
            full_for: full_for.parse().ok(),
            media_ports: PortRange::MEDIA,
        })
        .unwrap();
        let book = StepBook::new(&plan.load);
        let guest = Guest {
            carries,
            now: RunTime::ZERO,
            steps: Vec::new(),
        };
        let mut course = Course::new(plan.course.as_ref().unwrap(), 2, guest);
        let mut ended_early = 0;
        loop {
            course.evidence.now = course.evidence.now + 200 * NS_PER_MS;
            let now = course.evidence.now;
            while let Some(order) = course.advance(now) {
                match order {
                    Order::Begin { step, .. } => {
                        assert!(step.from >= now + NOTICE_NS);
                        book.add(step).unwrap();
                    }
                    Order::End { index, at, early } => {
                        assert!(!early || at > now, "both ends hear of it before");
                        if early {
                            book.end_early(index, at);
                            ended_early += 1;
                        }
                    }
                    Order::Over => {
                        assert!(ended_early > 0 || carries > 140.0);
                        let loads = course.evidence.steps.iter().map(|(_, mbps)| *mbps);
                        return (loads.collect(), now.as_seconds());
                    }
                }
            }
        }
    }

    /// Every step is one that both ends take, the edge is found, and a search of two minutes takes no more than that and a
    /// step, wherever the leg breaks.
    #[test]
    fn a_search_makes_steps_that_fit_into_time_and_finds_the_edge() {
        for carries in [30.0, 40.2, 80.0, 119.0, 133.0, 200.0] {
            let (loads, seconds) = searched(carries, "2m");
            assert!(seconds < 130.0, "{carries}: {seconds} s: {loads:?}");
            let good = loads
                .iter()
                .filter(|load| **load <= carries)
                .fold(0.0, |a: f64, b| a.max(*b));
            let bad = loads
                .iter()
                .filter(|load| **load > carries)
                .fold(f64::MAX, |a: f64, b| a.min(*b));
            assert!(
                carries > 140.0 || (bad - good) / bad <= 0.031,
                "{good} to {bad}"
            );
        }
    }

    /// The confirmation of 15 min is the last step, and the longest.
    #[test]
    fn the_last_good_load_is_held_at_last() {
        let (loads, seconds) = searched(119.0, "20m");
        assert!((900.0..1100.0).contains(&seconds), "{seconds} s");
        let last = loads[loads.len() - 1];
        assert!((115.0..=119.0).contains(&last), "{loads:?}");
    }
}
