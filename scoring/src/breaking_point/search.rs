//! Which load is offered next.
//!
//! First the lowest, then the highest, then what halves the gap between the highest load that a leg held and the lowest
//! at which it broke: for the leg that breaks lower, then for the other, to the precision asked for. Both loads are then
//! made sure of: what most of their tries say holds, and the gap is searched again where that moved it.

use super::board::Board;
use crate::measured::{Reached, StepOutcome};
use milliwatt_wire::id::Leg;
use milliwatt_wire::step::StepKind;

/// Below the first load of a search that is bad already, it goes down to this part of it.
const LOWEST_PART: u32 = 8;
/// Tries at most of the bursts after a search: the first and two repeats of what the tester spoilt.
const BURSTS_TRIES: u32 = 3;

/// How the loads follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Course {
    /// The breaking point of each leg is searched.
    Search,
    /// Upward from the first, by so many Mbit/s, until both legs are bad or the highest was offered.
    Ramp {
        /// Mbit/s; above 0.
        step_mbps: f64,
    },
}

/// What is to be searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchPlan {
    /// How the loads follow each other.
    pub course: Course,
    /// The first load, Mbit/s.
    pub from_mbps: f64,
    /// The highest load that is ever offered, Mbit/s; at least `from_mbps`.
    pub to_mbps: f64,
    /// How near a leg's highest good and lowest bad load must lie, as a share of the latter: 0.03 is 3 %.
    pub precision: f64,
    /// How many steps must agree on an edge; with 1 none is repeated.
    pub repeats: u32,
    /// The highest load that both legs held is offered once more, transfers as TCP goes.
    pub bursts: bool,
    /// And once more for long.
    pub confirm: bool,
    /// No more steps than these, bursts and confirmation not counted.
    pub steps_max: u32,
}

impl Default for SearchPlan {
    /// 40 to 140 Mbit/s to 3 %, two steps agreeing, at most 40 steps.
    fn default() -> Self {
        Self {
            course: Course::Search,
            from_mbps: 40.0,
            to_mbps: 140.0,
            precision: 0.03,
            repeats: 2,
            bursts: false,
            confirm: false,
            steps_max: 40,
        }
    }
}

/// A step to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// What it is to put on the sent leg, Mbit/s: whole kbit/s.
    pub target_mbps: f64,
    /// Why.
    pub kind: StepKind,
}

/// How far a leg was followed, by the loads that were asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LegEdge {
    /// How far.
    pub reached: Reached,
    /// The highest load that it held below `first_bad_mbps`, Mbit/s.
    pub last_good_mbps: Option<f64>,
    /// The lowest at which it broke, Mbit/s.
    pub first_bad_mbps: Option<f64>,
}

/// A search that goes on. Pure: it learns of loads and outcomes only.
#[derive(Clone, Debug)]
pub struct Search {
    plan: SearchPlan,
    from: u32,
    to: u32,
    board: Board,
    asked: Option<(u32, StepKind)>,
    steps: u32,
    bursts: u32,
    /// The load that was held for long, and what it said of each leg.
    confirmed: Option<(u32, [StepOutcome; 2])>,
}

impl Search {
    /// A search of which nothing was offered yet.
    #[must_use]
    pub fn new(plan: SearchPlan) -> Self {
        let from = kbps(plan.from_mbps).max(1);
        Self {
            plan,
            from,
            to: kbps(plan.to_mbps).max(from),
            board: Board::default(),
            asked: None,
            steps: 0,
            bursts: 0,
            confirmed: None,
        }
    }

    /// The step to make next; the same one until [`Self::take`] was told of it. None when all is known, or when nothing
    /// more can be learnt.
    #[expect(
        clippy::should_implement_trait,
        reason = "what comes next depends on what is taken in between: no iterator"
    )]
    pub fn next(&mut self) -> Option<Request> {
        self.asked = self.asked.or_else(|| self.decide());
        let (kbps, kind) = self.asked?;
        Some(Request {
            target_mbps: mbps(kbps),
            kind,
        })
    }

    /// Takes what the step that was asked for last says of the receive leg and of the sent leg. `target_mbps` is the load
    /// that was offered: another than was asked for counts as what it is.
    pub fn take(&mut self, target_mbps: f64, outcomes: [StepOutcome; 2]) {
        match self.asked.take() {
            Some((_, StepKind::Bursts)) => {
                let spoilt = outcomes.contains(&StepOutcome::Tainted);
                self.bursts = if spoilt {
                    self.bursts + 1
                } else {
                    BURSTS_TRIES
                };
            }
            Some((_, StepKind::Confirm)) => self.confirmed = Some((kbps(target_mbps), outcomes)),
            _ => {
                self.steps += 1;
                self.board.take(kbps(target_mbps), outcomes);
            }
        }
    }

    /// Steps taken, bursts and confirmation not counted.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// What is known of a leg so far. A leg that broke late, while its last good load was confirmed, broke there.
    #[must_use]
    pub fn edge(&self, leg: Leg) -> LegEdge {
        let edge = self.board.edge(leg);
        let late = self
            .confirmed
            .filter(|(_, outcomes)| outcomes[leg as usize] == StepOutcome::Bad)
            .map(|(kbps, _)| kbps);
        let (reached, good, bad) = match late {
            Some(kbps) => (Reached::Broke, self.board.good_below(leg, kbps), Some(kbps)),
            None => (self.board.reached(leg), edge.good, edge.bad),
        };
        LegEdge {
            reached,
            last_good_mbps: good.map(mbps),
            first_bad_mbps: bad.map(mbps),
        }
    }

    /// The load from which on the tester could not keep its own time, Mbit/s.
    #[must_use]
    pub fn tester_failed_mbps(&self) -> Option<f64> {
        let spoilt = Leg::BOTH
            .into_iter()
            .filter_map(|leg| self.board.spoilt(leg));
        spoilt.min().map(mbps)
    }

    fn decide(&self) -> Option<(u32, StepKind)> {
        let load = (self.steps < self.plan.steps_max).then(|| match self.plan.course {
            Course::Search => self.searched(),
            Course::Ramp { step_mbps } => self.ramped(kbps(step_mbps).max(1)),
        });
        load.flatten()
            .map(|load| (load, self.kind(load)))
            .or_else(|| self.after())
    }

    fn kind(&self, load: u32) -> StepKind {
        match self.plan.course {
            _ if self.board.is_offered(load) => StepKind::Repeat,
            Course::Search => StepKind::Search,
            Course::Ramp { .. } => StepKind::Ramp,
        }
    }

    /// What comes when the edges are known.
    fn after(&self) -> Option<(u32, StepKind)> {
        let load = self.board.good_for_both()?;
        if self.plan.bursts && self.bursts < BURSTS_TRIES && self.confirmed.is_none() {
            return Some((load, StepKind::Bursts));
        }
        (self.plan.confirm && self.confirmed.is_none()).then_some((load, StepKind::Confirm))
    }

    fn searched(&self) -> Option<u32> {
        if !self.board.is_offered(self.from) {
            return Some(self.from);
        }
        let [receive, sent] = Leg::BOTH.map(|leg| self.board.edge(leg));
        let breaks = |edge: super::board::Edge| edge.bad.unwrap_or(u32::MAX);
        let legs = if breaks(sent) < breaks(receive) {
            [Leg::Sent, Leg::Receive]
        } else {
            Leg::BOTH
        };
        legs.into_iter().find_map(|leg| self.wanted(leg))
    }

    /// The load that a leg's edge needs next; none when it is known as well as it can be.
    fn wanted(&self, leg: Leg) -> Option<u32> {
        let edge = self.board.edge(leg);
        let ceiling = self.board.ceiling(leg);
        let upper = edge.bad.into_iter().chain(ceiling).min();
        let good = edge.good.unwrap_or(0);
        if let Some(open) = self
            .board
            .open_between(leg, good, upper.unwrap_or(u32::MAX))
        {
            return Some(open);
        }
        let Some(upper) = upper else {
            return self.below_the_top(leg, good);
        };
        let floor = self.from / LOWEST_PART;
        // Where the tester, or the guest, failed below a load that was good before, there is no gap.
        let gap = upper.saturating_sub(good);
        let middle = good + gap / 2;
        let wide = f64::from(gap) > self.plan.precision * f64::from(upper);
        if wide && middle > good && middle < upper && (good > 0 || upper > floor.max(1)) {
            return Some(middle);
        }
        let unsure = |load: &u32| {
            ceiling.is_none_or(|ceiling| *load < ceiling)
                && !self.board.tries(*load, leg).is_sure(self.plan.repeats)
        };
        edge.bad.into_iter().chain(edge.good).find(unsure)
    }

    /// No load is known at which the leg breaks: the highest, made sure of.
    fn below_the_top(&self, leg: Leg, good: u32) -> Option<u32> {
        let sure = self.board.tries(self.to, leg).is_sure(self.plan.repeats);
        (good < self.to || !sure).then_some(self.to)
    }

    fn ramped(&self, step: u32) -> Option<u32> {
        let Some(now) = self.board.highest() else {
            return Some(self.from);
        };
        let broken = |leg: Leg| {
            let bad = self.board.edge(leg).bad;
            bad.is_some_and(|bad| self.board.tries(bad, leg).is_sure(self.plan.repeats))
        };
        let over = |leg: Leg| broken(leg) || self.board.ceiling(leg).is_some();
        if Leg::BOTH.into_iter().all(over) {
            return None;
        }
        let again = |leg: Leg| {
            let tries = self.board.tries(now, leg);
            let unsure = tries.held() == Some(false) && !tries.is_sure(self.plan.repeats);
            !over(leg) && (tries.is_open() || unsure)
        };
        if Leg::BOTH.into_iter().any(again) {
            return Some(now);
        }
        (now < self.to).then(|| now.saturating_add(step).min(self.to))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what it may be"
)]
fn kbps(mbps: f64) -> u32 {
    (mbps * 1000.0).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

fn mbps(kbps: u32) -> f64 {
    f64::from(kbps) / 1000.0
}
