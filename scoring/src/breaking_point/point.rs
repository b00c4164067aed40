//! Where each leg breaks, by all steps of a run.

use super::board::Board;
use crate::measured::{BreakingPoint, BreakingPoints, Reached, StepLeg, StepOutcome, StepRow};
use milliwatt_wire::id::Leg;
use milliwatt_wire::step::StepKind;

/// Where each leg breaks; none without steps.
///
/// Steps of a ramp or a search say it by the majority at each load. Bursts change nothing. A leg that breaks while its
/// last good load is held for long broke there, and the next lower load that it held is its last good one.
#[must_use]
pub fn breaking_points(steps: &[StepRow]) -> BreakingPoints {
    let of = |leg| (!steps.is_empty()).then(|| breaking_point(steps, leg));
    BreakingPoints {
        receive: of(Leg::Receive),
        sent: of(Leg::Sent),
    }
}

/// The load at which the tester itself failed above what a leg held, as it was asked for, Mbit/s.
pub(crate) fn tester_failed_mbps(steps: &[StepRow], leg: Leg) -> Option<f64> {
    board(steps).spoilt(leg).map(mbps)
}

/// The load of which nothing was told above what a leg held, as it was asked for, Mbit/s.
pub(crate) fn untold_mbps(steps: &[StepRow], leg: Leg) -> Option<f64> {
    board(steps).untold(leg).map(mbps)
}

/// The load above what a leg held at which only the guest's own playout failed, as it was asked for, Mbit/s; none where no
/// step of the ramp or search came out so.
#[must_use]
pub fn guest_limited_mbps(steps: &[StepRow], leg: Leg) -> Option<f64> {
    board(steps).guest_limited(leg).map(mbps)
}

/// The highest load that was offered, as it was asked for, Mbit/s.
pub(crate) fn highest_mbps(steps: &[StepRow]) -> Option<f64> {
    board(steps).highest().map(mbps)
}

fn is_of_search(kind: StepKind) -> bool {
    matches!(kind, StepKind::Ramp | StepKind::Search | StepKind::Repeat)
}

fn board(steps: &[StepRow]) -> Board {
    let mut board = Board::default();
    for step in steps.iter().filter(|step| is_of_search(step.kind)) {
        board.take(kbps(step), [step.receive.outcome, step.sent.outcome]);
    }
    board
}

fn breaking_point(steps: &[StepRow], leg: Leg) -> BreakingPoint {
    let board = board(steps);
    let edge = board.edge(leg);
    let late = steps.iter().find(|step| {
        step.kind == StepKind::Confirm
            && of(step, leg).outcome == StepOutcome::Bad
            && edge.bad.is_none_or(|bad| kbps(step) < bad)
    });
    let first_bad = match late {
        Some(step) => Some((step, offered(step, leg))),
        None => edge
            .bad
            .and_then(|bad| at(steps, leg, bad, StepOutcome::Bad)),
    };
    let good = late.map_or(edge.good, |step| board.good_below(leg, kbps(step)));
    let last_good = good.and_then(|good| at(steps, leg, good, StepOutcome::Good));
    let shown = first_bad.or(last_good).map(|(step, _)| step);
    let broke = first_bad.map(|(step, _)| (step, of(step, leg)));
    let at_s = broke.and_then(|(_, leg)| leg.at_s);
    BreakingPoint {
        reached: late.map_or_else(|| board.reached(leg), |_| Reached::Broke),
        last_good_mbps: last_good.map(|(_, mbps)| mbps),
        first_bad_mbps: first_bad.map(|(_, mbps)| mbps),
        carried_mbps: shown.and_then(|step| of(step, leg).carried_mbps),
        calls: shown.map(|step| step.calls),
        metric: broke.and_then(|(_, leg)| leg.metric.clone()),
        at_s,
        after_s: at_s.zip(broke).map(|(at_s, (step, _))| at_s - step.from_s),
    }
}

/// The first step at a load that came out so, and the least that any such offered, Mbit/s.
fn at(steps: &[StepRow], leg: Leg, load: u32, outcome: StepOutcome) -> Option<(&StepRow, f64)> {
    let such = || {
        steps.iter().filter(move |step| {
            is_of_search(step.kind) && kbps(step) == load && of(step, leg).outcome == outcome
        })
    };
    let least = such()
        .map(|step| offered(step, leg))
        .min_by(f64::total_cmp)?;
    Some((such().next()?, least))
}

/// What the leg's sender said that it sent; what it was asked to where it said nothing.
fn offered(step: &StepRow, leg: Leg) -> f64 {
    of(step, leg).offered_mbps.unwrap_or(step.target_mbps)
}

fn of(step: &StepRow, leg: Leg) -> &StepLeg {
    match leg {
        Leg::Receive => &step.receive,
        Leg::Sent => &step.sent,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made of whole kbit/s"
)]
fn kbps(step: &StepRow) -> u32 {
    (step.target_mbps * 1000.0).round() as u32
}

fn mbps(kbps: u32) -> f64 {
    f64::from(kbps) / 1000.0
}
