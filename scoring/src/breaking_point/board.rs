//! What came of each load that was offered, on each leg.

use crate::measured::{Reached, StepOutcome};
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// A load at which the tester spoilt so many steps is beyond it: the first and two repeats.
pub(super) const TAINTED_MOST: u32 = 3;
/// A load of which the receiving end told nothing so often cannot be measured.
pub(super) const UNMEASURED_MOST: u32 = 2;

/// What came of one load on one leg, step by step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    pub good: u32,
    pub bad: u32,
    pub tainted: u32,
    pub unmeasured: u32,
    pub guest_limited: u32,
}

impl Tries {
    fn add(&mut self, outcome: StepOutcome) {
        *match outcome {
            StepOutcome::Good => &mut self.good,
            StepOutcome::Bad => &mut self.bad,
            StepOutcome::Tainted => &mut self.tainted,
            StepOutcome::NotMeasured => &mut self.unmeasured,
            StepOutcome::GuestLimited => &mut self.guest_limited,
        } += 1;
    }

    /// What most tries say: whether the leg held it; none without a majority. A guest that was overtaxed in a try did not
    /// show that the leg held.
    pub(super) fn held(self) -> Option<bool> {
        if self.good > self.bad + self.guest_limited {
            Some(true)
        } else {
            (self.bad > self.good).then_some(false)
        }
    }

    /// So many agree that the rest of `2 agreeing - 1` tries could not outvote them.
    pub(super) fn is_sure(self, agreeing: u32) -> bool {
        self.good.max(self.bad) >= agreeing.max(1)
    }

    /// Without a majority, and trying again may give one.
    pub(super) fn is_open(self) -> bool {
        let tried = self != Self::default();
        tried && self.held().is_none() && !self.is_beyond_tester() && !self.is_unmeasurable()
    }

    /// The tester could not offer it.
    pub(super) fn is_beyond_tester(self) -> bool {
        self.held().is_none() && self.tainted >= TAINTED_MOST
    }

    /// Nothing can be learnt at it; once is enough where the guest suffers for it, unless it did not in another try.
    fn is_unmeasurable(self) -> bool {
        let said_nothing = self.unmeasured >= UNMEASURED_MOST || self.guest_limited > self.good;
        self.held().is_none() && said_nothing
    }
}

/// A leg's edge, kbit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Edge {
    /// The highest load that it held, below `bad` and below any that only the guest failed at.
    pub good: Option<u32>,
    /// The lowest load at which it broke.
    pub bad: Option<u32>,
}

/// All loads that were offered, kbit/s.
#[derive(Clone, Debug, Default)]
pub(super) struct Board {
    loads: BTreeMap<u32, [Tries; 2]>,
}

impl Board {
    /// Takes what a step at a load said of the receive leg and of the sent leg.
    pub(super) fn take(&mut self, kbps: u32, outcomes: [StepOutcome; 2]) {
        let tries = self.loads.entry(kbps).or_default();
        for (tries, outcome) in tries.iter_mut().zip(outcomes) {
            tries.add(outcome);
        }
    }

    pub(super) fn is_offered(&self, kbps: u32) -> bool {
        self.loads.contains_key(&kbps)
    }

    /// The highest load that was offered.
    pub(super) fn highest(&self) -> Option<u32> {
        self.loads.keys().next_back().copied()
    }

    pub(super) fn tries(&self, kbps: u32, leg: Leg) -> Tries {
        let tries = self.loads.get(&kbps);
        tries.map_or_else(Tries::default, |tries| tries[leg as usize])
    }

    fn of(&self, leg: Leg) -> impl DoubleEndedIterator<Item = (u32, Tries)> + '_ {
        self.loads
            .iter()
            .map(move |(kbps, tries)| (*kbps, tries[leg as usize]))
    }

    /// Where most tries put the edge of a leg.
    pub(super) fn edge(&self, leg: Leg) -> Edge {
        let bad = self
            .of(leg)
            .find(|(_, tries)| tries.held() == Some(false))
            .map(|(kbps, _)| kbps);
        let limited = |(_, tries): &(u32, Tries)| tries.held().is_none() && tries.guest_limited > 0;
        let limited = self.of(leg).find(limited).map(|(kbps, _)| kbps);
        let below = bad.into_iter().chain(limited).min();
        Edge {
            good: self.good_below(leg, below.unwrap_or(u32::MAX)),
            bad,
        }
    }

    /// The highest load below one that a leg held.
    pub(super) fn good_below(&self, leg: Leg, kbps: u32) -> Option<u32> {
        let held = |(_, tries): &(u32, Tries)| tries.held() == Some(true);
        self.of(leg)
            .rev()
            .filter(|(load, _)| *load < kbps)
            .find(held)
            .map(|(load, _)| load)
    }

    /// The highest load that both legs held, none of them broken below.
    pub(super) fn good_for_both(&self) -> Option<u32> {
        let edges = Leg::BOTH.map(|leg| self.edge(leg));
        let below = edges.iter().filter_map(|edge| edge.bad).min();
        let held = |kbps: &u32| Leg::BOTH.map(|leg| self.tries(*kbps, leg).held());
        let loads = self.loads.keys().rev().copied();
        loads
            .filter(|kbps| below.is_none_or(|below| *kbps < below))
            .find(|kbps| held(kbps) == [Some(true); 2])
    }

    /// The lowest load above `above` and below `below` of which it is open what it says of a leg.
    pub(super) fn open_between(&self, leg: Leg, above: u32, below: u32) -> Option<u32> {
        self.of(leg)
            .filter(|(kbps, tries)| *kbps > above && *kbps < below && tries.is_open())
            .map(|(kbps, _)| kbps)
            .next()
    }

    /// From this load on nothing can be learnt of a leg: the tester cannot offer it, or nothing is told of the leg there.
    pub(super) fn ceiling(&self, leg: Leg) -> Option<u32> {
        let ends = |legs: &[Tries; 2]| {
            legs.iter().any(|tries| tries.is_beyond_tester())
                || legs[leg as usize].is_unmeasurable()
        };
        let beyond = self.loads.iter().find(|(_, legs)| ends(legs));
        beyond.map(|(kbps, _)| *kbps)
    }

    /// The lowest load above a leg's last good one that the tester spoilt and that nothing else tells of.
    pub(super) fn spoilt(&self, leg: Leg) -> Option<u32> {
        self.open_by(leg, |tries| tries.tainted)
    }

    /// The lowest load above a leg's last good one of which nothing was told.
    pub(super) fn untold(&self, leg: Leg) -> Option<u32> {
        self.open_by(leg, |tries| tries.unmeasured)
    }

    /// The lowest load above a leg's last good one at which only the guest's own playout failed.
    pub(super) fn guest_limited(&self, leg: Leg) -> Option<u32> {
        self.open_by(leg, |tries| tries.guest_limited)
    }

    /// The lowest load above a leg's last good one that is left open by steps of a kind.
    fn open_by(&self, leg: Leg, such: impl Fn(Tries) -> u32) -> Option<u32> {
        let good = self.edge(leg).good.unwrap_or(0);
        self.of(leg)
            .find(|(kbps, tries)| *kbps > good && tries.held().is_none() && such(*tries) > 0)
            .map(|(kbps, _)| kbps)
    }

    /// How far the leg was followed.
    pub(super) fn reached(&self, leg: Leg) -> Reached {
        let edge = self.edge(leg);
        let harm = self.guest_limited(leg).unwrap_or(u32::MAX);
        if edge.bad.is_some() {
            Reached::Broke
        } else if self.spoilt(leg).is_some_and(|spoilt| spoilt < harm) {
            Reached::TesterLimited
        } else if edge.good.is_some() {
            Reached::NotReached
        } else {
            Reached::NotMeasured
        }
    }
}
