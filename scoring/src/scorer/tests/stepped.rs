//! A run of steps, each a truth of its own: its seconds and calls are moved to where the step lies.

use super::truth::{CALLS, ENDS, Truth, judge, load};
use crate::breaking_point::Evidence;
use crate::judgement::Judgement;
use crate::measured::{Measured, StepRow};
use milliwatt_wire::facts::{Fact, Phase};
use milliwatt_wire::id::{CallId, End, StreamId};
use milliwatt_wire::step::{Flow, Step, StepKind};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// Seconds between the end of a step and the begin of the next.
const GAP: u32 = 2;

/// Steps in their order.
#[derive(Clone, Debug)]
pub(super) struct Stepped {
    pub steps: Vec<(u32, StepKind, Truth)>,
    pub judgement: Judgement,
    /// Steps of which the guest's word never comes.
    pub silent: Vec<usize>,
}

impl Stepped {
    /// One step of 40 Mbit/s.
    pub(super) fn one(truth: Truth) -> Self {
        Self {
            judgement: truth.judgement.clone(),
            steps: vec![(40_000, StepKind::Search, truth)],
            silent: Vec::new(),
        }
    }

    /// Steps of a search at these loads, kbit/s.
    pub(super) fn search(loads: &[(u32, Truth)]) -> Self {
        let step = |(kbps, truth): &(u32, Truth)| (*kbps, StepKind::Search, truth.clone());
        Self {
            steps: loads.iter().map(step).collect(),
            judgement: Judgement::default(),
            silent: Vec::new(),
        }
    }

    fn from(&self, index: usize) -> u32 {
        self.steps[..index]
            .iter()
            .map(|(_, _, truth)| truth.seconds + GAP)
            .sum()
    }

    fn step(&self, index: usize) -> Step {
        let from = self.from(index);
        let number = u32::try_from(index).unwrap();
        Step {
            index: number,
            from: at(from),
            until: at(from + self.steps[index].2.seconds),
            calls: CALLS,
            first_call: number * CALLS,
            flow: Flow::None,
        }
    }

    /// What an end tells of a step.
    pub(super) fn facts_of(&self, index: usize, end: End) -> Vec<Fact> {
        if end == End::Guest && self.silent.contains(&index) {
            return Vec::new();
        }
        let (target_kbps, kind, truth) = &self.steps[index];
        let step = self.step(index);
        let own = truth.facts(end).into_iter().filter(|fact| {
            !matches!(
                fact,
                Fact::Opened { .. } | Fact::Phase { .. } | Fact::Closed { .. }
            )
        });
        let moved = own.map(|fact| moved(fact, self.from(index), step.first_call));
        let started = Fact::StepStarted {
            step,
            kind: *kind,
            target_kbps: *target_kbps,
        };
        let ended = Fact::StepEnded {
            index: step.index,
            at: step.until,
        };
        let is_tester = end == End::Tester;
        let started = is_tester.then_some(started).into_iter();
        started
            .chain(moved)
            .chain(is_tester.then_some(ended))
            .collect()
    }

    pub(super) fn opened(&self, end: End) -> Fact {
        let truth = Truth {
            judgement: self.judgement.clone(),
            ..self.steps[0].2.clone()
        };
        let mut opened = truth.facts(end).swap_remove(0);
        if let Fact::Opened { load: told, .. } = &mut opened {
            **told = load();
            told.stepped = true;
        }
        opened
    }

    fn facts(&self, end: End) -> Vec<Fact> {
        let until = at(self.from(self.steps.len()));
        let phases = [(Phase::Full, RunTime::ZERO), (Phase::Drain, until)];
        let phases = phases.map(|(phase, at)| Fact::Phase { phase, at });
        let mut facts = vec![self.opened(end)];
        facts.extend(phases.into_iter().filter(|_| end == End::Tester));
        facts.extend((0..self.steps.len()).flat_map(|index| self.facts_of(index, end)));
        facts.push(Fact::Closed { at: until });
        facts
    }

    /// Scored from the logs: all of the tester's before all of the guest's.
    pub(super) fn measure(&self) -> Measured {
        judge(None, |take| {
            for end in ENDS {
                self.facts(end).iter().for_each(|fact| take(end, fact));
            }
        })
    }

    /// The evidence as it comes while the run goes on.
    pub(super) fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::default();
        for end in ENDS {
            evidence.absorb(end, &self.opened(end));
        }
        for index in 0..self.steps.len() {
            for end in ENDS {
                for fact in self.facts_of(index, end) {
                    evidence.absorb(end, &fact);
                }
            }
        }
        evidence
    }

    /// What the only step showed.
    pub(super) fn row(&self) -> StepRow {
        self.evidence().row(0, &self.judgement).unwrap()
    }
}

fn at(second: u32) -> RunTime {
    RunTime(i64::from(second) * NS_PER_SECOND)
}

/// A fact so many seconds later, of calls so much higher.
fn moved(mut fact: Fact, seconds: u32, calls: u32) -> Fact {
    let of_call = |call: &mut CallId| call.0 += calls;
    let of_stream = |stream: &mut StreamId| stream.call.0 += calls;
    let later = |at: &mut RunTime| *at = *at + i64::from(seconds) * NS_PER_SECOND;
    match &mut fact {
        Fact::CallStarted { call, at, .. } | Fact::CallEnded { call, at, .. } => {
            of_call(call);
            later(at);
        }
        Fact::StreamStarted { stream, due, .. } => {
            of_stream(stream);
            later(due);
        }
        Fact::StreamSecond(second) => {
            of_stream(&mut second.stream);
            second.second += seconds;
        }
        Fact::DeadSlots { stream, .. }
        | Fact::LatePackets { stream, .. }
        | Fact::NotSent { stream, .. } => of_stream(stream),
        Fact::StreamEnd(end) => of_stream(&mut end.stream),
        Fact::Ledger(ledger) => of_stream(&mut ledger.stream),
        Fact::Pacing(own) => own.second += seconds,
        Fact::Sent(own) => own.second += seconds,
        Fact::Host(own) => own.second += seconds,
        Fact::Transfers(own) => own.second += seconds,
        other => panic!("{other:?}"),
    }
    fact
}
