//! Searches for a breaking point, with legs that hold up to a known load, delay at first and lose more after that.

use super::rows::{second_row, wobble};
use super::runs::pass;
use milliwatt_scoring::measured::{
    BreakingPoint, BreakingPoints, EventRow, Measured, Reached, StepLeg, StepOutcome, StepRow,
    Verdict,
};
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;
use milliwatt_wire::step::StepKind::{self, Bursts, Confirm, Ramp, Repeat, Search};

/// Mbit/s of the sent leg that a call adds: two streams of 85.6 kbit/s and its recording.
const CALL_MBPS: f64 = 0.1804;
/// What the receive leg has of that: no recordings.
const RECEIVE_SHARE: f64 = 0.955;

/// Why, Mbit/s on the sent leg, seconds.
type Planned = (StepKind, f64, u32);

/// What the legs hold, Mbit/s of their own.
#[derive(Clone, Copy)]
struct Truth {
    receive: f64,
    sent: f64,
    /// The tester itself keeps time up to this target.
    tester: f64,
}

/// The sent leg breaks at 82.1 Mbit/s; the receive leg holds the 133.7 Mbit/s beside the highest load.
pub(crate) fn sent_broke() -> Measured {
    let plan: [Planned; 19] = [
        (Ramp, 40.0, 20),
        (Ramp, 50.0, 20),
        (Ramp, 60.0, 20),
        (Ramp, 70.0, 20),
        (Ramp, 80.0, 20),
        (Ramp, 90.0, 12),
        (Search, 85.0, 14),
        (Search, 82.1, 20),
        (Repeat, 80.0, 20),
        (Repeat, 82.1, 18),
        (Repeat, 80.0, 20),
        (Repeat, 82.1, 18),
        (Search, 100.0, 12),
        (Search, 120.0, 12),
        (Search, 140.0, 20),
        (Repeat, 140.0, 20),
        (Repeat, 140.0, 20),
        (Bursts, 80.0, 30),
        (Confirm, 80.0, 120),
    ];
    let truth = Truth {
        receive: 500.0,
        sent: 81.0,
        tester: 500.0,
    };
    let mut m = searched(&plan, truth);
    let burst = &mut m.steps[17].sent;
    (burst.outcome, burst.metric) = (StepOutcome::Bad, Some("loss_percent".into()));
    (burst.loss_percent, burst.at_s) = (Some(0.42), Some(315.6));
    m
}

/// The sent leg breaks at 82.1 Mbit/s, the receive leg at 117.5 of its own; the tester spoilt a step in between.
pub(crate) fn both_broke() -> Measured {
    let plan: [Planned; 14] = [
        (Ramp, 40.0, 20),
        (Ramp, 60.0, 20),
        (Ramp, 80.0, 20),
        (Ramp, 100.0, 12),
        (Search, 90.0, 12),
        (Search, 82.1, 18),
        (Search, 120.0, 18),
        (Search, 130.0, 18),
        (Search, 123.0, 18),
        (Repeat, 82.1, 18),
        (Repeat, 123.0, 18),
        (Repeat, 120.0, 18),
        (Bursts, 80.0, 30),
        (Confirm, 80.0, 60),
    ];
    let truth = Truth {
        receive: 116.0,
        sent: 81.0,
        tester: 500.0,
    };
    let mut m = searched(&plan, truth);
    taint(&mut m, 7);
    // The load that is last good does not hold for long.
    let confirm = &mut m.steps[13];
    confirm.sent.outcome = StepOutcome::Bad;
    confirm.sent.metric = Some("dead_air.events".into());
    confirm.sent.dead_air_events = 3;
    confirm.sent.at_s = Some(confirm.from_s + 41.0);
    m
}

/// Both legs hold 100 Mbit/s; at 120 the tester does not keep its own time, however often.
pub(crate) fn tester_limited() -> Measured {
    let plan: [Planned; 6] = [
        (Ramp, 40.0, 20),
        (Ramp, 60.0, 20),
        (Ramp, 80.0, 20),
        (Ramp, 100.0, 20),
        (Ramp, 120.0, 20),
        (Repeat, 120.0, 20),
    ];
    let truth = Truth {
        receive: 500.0,
        sent: 500.0,
        tester: 110.0,
    };
    searched(&plan, truth)
}

fn searched(plan: &[Planned], truth: Truth) -> Measured {
    let mut m = pass();
    m.verdict = Verdict::Pass;
    m.seconds.clear();
    let mut from = 2;
    for (index, planned) in (0..).zip(plan) {
        let step = step(index, from, *planned, truth);
        m.seconds.extend(seconds(&step, truth));
        m.events.push(begun(&step));
        m.steps.push(step);
        from += planned.2 + 1;
    }
    m.full_load = Some((2, from));
    for index in 0..m.steps.len() {
        if m.steps[index].target_mbps > truth.tester {
            taint(&mut m, index);
        }
    }
    m.breaking_point = BreakingPoints {
        receive: Some(point(&m.steps, Leg::Receive, |s| &s.receive)),
        sent: Some(point(&m.steps, Leg::Sent, |s| &s.sent)),
    };
    m
}

fn step(index: u32, from: u32, (kind, target_mbps, seconds): Planned, truth: Truth) -> StepRow {
    let from_s = f64::from(from);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some hundreds"
    )]
    let calls = (target_mbps / CALL_MBPS).round() as u32;
    let paced = kind != Bursts;
    StepRow {
        index,
        kind,
        from_s,
        until_s: from_s + f64::from(seconds),
        calls,
        target_mbps,
        receive: leg(from_s, target_mbps * RECEIVE_SHARE, truth.receive, None),
        sent: leg(from_s, target_mbps, truth.sent, paced.then_some(100.0)),
    }
}

/// Past what a leg holds it queues 1.4 s into the step, and what is too much is lost.
fn leg(from_s: f64, offered: f64, holds: f64, goodput: Option<f64>) -> StepLeg {
    let over = (offered - holds).max(0.0);
    let bad = over > 0.0;
    StepLeg {
        outcome: if bad {
            StepOutcome::Bad
        } else {
            StepOutcome::Good
        },
        offered_mbps: Some(offered),
        carried_mbps: Some(if bad { offered - 2.0 * over } else { offered }),
        transfer_mbps: Some(offered * 0.05),
        loss_percent: Some(if bad { 200.0 * over / offered } else { 0.0 }),
        discarded_percent: Some(if bad { 3.0 } else { 0.0 }),
        dead_air_events: if bad { 240 } else { 0 },
        pdv_p999_ms: Some(if bad {
            380.0 + over
        } else {
            0.4 + offered / 40.0
        }),
        transfer_goodput_percent: goodput.map(|percent| if bad { percent / 2.0 } else { percent }),
        metric: bad.then(|| "pdv_ms.p999".into()),
        at_s: bad.then_some(from_s + 1.4),
    }
}

fn seconds(step: &StepRow, truth: Truth) -> Vec<milliwatt_scoring::measured::SecondRow> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds"
    )]
    let (from, until) = (step.from_s as u32, step.until_s as u32);
    let row = |second: u32, leg: Leg| {
        let (own, holds) = match leg {
            Leg::Receive => (&step.receive, truth.receive),
            Leg::Sent => (&step.sent, truth.sent),
        };
        let offered = own.offered_mbps.unwrap_or(0.0);
        let late = offered > holds && second > from;
        let quiet = (0.2 + offered / 160.0) * (1.0 + wobble(second, leg, 1));
        let p999 = if late {
            300.0 + 90.0 * wobble(second, leg, 2)
        } else {
            quiet
        };
        let burst = if step.kind == Bursts {
            12.0 * wobble(second, leg, 3)
        } else {
            0.0
        };
        let transfer = if leg == Leg::Sent {
            offered * 0.05 + burst
        } else {
            0.1
        };
        milliwatt_scoring::measured::SecondRow {
            phase: Phase::Full,
            calls: step.calls,
            pdv_p999_ms: Some(p999),
            pdv_max_ms: Some(p999 * (1.5 + wobble(second, leg, 4))),
            mbps: Some(offered + burst),
            transfer_mbps: Some(transfer),
            rtp_mbps: Some(offered + burst - transfer),
            ..second_row(second, leg, 1.0)
        }
    };
    (from..until)
        .flat_map(|second| Leg::BOTH.map(|leg| row(second, leg)))
        .collect()
}

/// The tester did not keep its own time in the step.
fn taint(m: &mut Measured, index: usize) {
    let step = &mut m.steps[index];
    for leg in [&mut step.receive, &mut step.sent] {
        (leg.outcome, leg.metric, leg.at_s) = (StepOutcome::Tainted, None, None);
    }
    let (from, until) = (step.from_s, step.until_s);
    for row in &mut m.seconds {
        row.tainted |= (from..until).contains(&f64::from(row.second));
    }
}

fn begun(step: &StepRow) -> EventRow {
    EventRow {
        at_s: step.from_s,
        kind: "step".into(),
        text: format!("step {} begins: {} calls", step.index, step.calls),
        duration_ms: None,
        ..super::events::stall()
    }
}

fn point(steps: &[StepRow], leg: Leg, of: fn(&StepRow) -> &StepLeg) -> BreakingPoint {
    let judged = |outcome| {
        let steps = steps
            .iter()
            .filter(|step| !matches!(step.kind, Bursts | Confirm));
        steps.filter(move |step| of(step).outcome == outcome)
    };
    let load = |step: &&StepRow| of(step).offered_mbps.unwrap_or(0.0);
    let by_load = |a: &&StepRow, b: &&StepRow| load(a).total_cmp(&load(b));
    let bad = judged(StepOutcome::Bad).min_by(by_load);
    let good = judged(StepOutcome::Good)
        .max_by(by_load)
        .filter(|_| bad.is_none());
    let below = bad.and_then(|bad| {
        judged(StepOutcome::Good)
            .filter(|s| load(s) < load(&bad))
            .max_by(by_load)
    });
    let tainted = judged(StepOutcome::Tainted).next().is_some();
    let shown = bad.or(good);
    assert!(shown.is_some(), "{leg:?}");
    BreakingPoint {
        reached: match (bad, tainted) {
            (Some(_), _) => Reached::Broke,
            (None, true) => Reached::TesterLimited,
            (None, false) => Reached::NotReached,
        },
        last_good_mbps: below.or(good).as_ref().map(load),
        first_bad_mbps: bad.as_ref().map(load),
        carried_mbps: shown.and_then(|step| of(step).carried_mbps),
        calls: shown.map(|step| step.calls),
        metric: bad.and_then(|step| of(step).metric.clone()),
        at_s: bad.and_then(|step| of(step).at_s),
        after_s: bad.and_then(|step| Some(of(step).at_s? - step.from_s)),
    }
}
