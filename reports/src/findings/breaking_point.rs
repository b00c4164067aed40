//! Where each leg breaks, in words: what was found, what the metric that went first says of the reason, what to try.

use super::moment_of_day;
use crate::context::RunContext;
use crate::figures;
use crate::scorecard::Scorecard;
use crate::tables::{STEP_LEGS, load, metric_word, step_leg};
use milliwatt_scoring::breaking_point::guest_limited_mbps;
use milliwatt_scoring::measured::{BreakingPoint, Reached, StepOutcome, StepRow, Verdict};
use milliwatt_wire::id::Leg;
use milliwatt_wire::step::StepKind;

/// What the search says of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegFinding {
    /// Where it breaks, or how far it held, in a sentence.
    pub sentence: String,
    /// What is likely and what to try; none of a leg that held.
    pub advice: Vec<&'static str>,
}

/// The run's load came in steps, or was to be searched: there is something to say.
#[must_use]
pub fn is_searched(scorecard: &Scorecard) -> bool {
    let points = &scorecard.breaking_point;
    !scorecard.steps.is_empty() || points.receive.is_some() || points.sent.is_some()
}

/// The heading of what is said, and that it is no finding in an invalid run.
#[must_use]
pub fn title(scorecard: &Scorecard) -> &'static str {
    if scorecard.verdict == Verdict::Invalid {
        "Breaking point (no finding: the run is invalid)"
    } else {
        "Breaking point"
    }
}

/// The sent leg, then the receive leg.
#[must_use]
pub fn legs(scorecard: &Scorecard, context: &RunContext) -> Vec<LegFinding> {
    let finding = |leg| LegFinding {
        sentence: sentence(leg, scorecard, context),
        advice: advice(leg, scorecard),
    };
    STEP_LEGS.map(finding).into()
}

/// The leg's breaking point; none when the run did not look for it.
pub(crate) fn point(scorecard: &Scorecard, leg: Leg) -> Option<&BreakingPoint> {
    match leg {
        Leg::Receive => scorecard.breaking_point.receive.as_ref(),
        Leg::Sent => scorecard.breaking_point.sent.as_ref(),
    }
}

/// Where a leg breaks, or how far it held.
#[must_use]
pub fn sentence(leg: Leg, scorecard: &Scorecard, context: &RunContext) -> String {
    let words = match point(scorecard, leg) {
        None => "not looked for".to_owned(),
        Some(point) => match point.reached {
            Reached::Broke => broke(point, context),
            Reached::NotReached => not_reached(point, scorecard, leg),
            Reached::TesterLimited => tester_limited(point, scorecard, leg),
            Reached::NotMeasured => "not measured: no step could be judged on it".to_owned(),
        },
    };
    format!("{}: {words}", leg.title())
}

fn broke(point: &BreakingPoint, context: &RunContext) -> String {
    let carried = point
        .carried_mbps
        .map(|mbps| format!("{} carried", load(mbps)));
    let calls = point.calls.map(|n| figures::counted(n.into(), "call"));
    let beside: Vec<String> = carried.into_iter().chain(calls).collect();
    let beside = if beside.is_empty() {
        String::new()
    } else {
        format!(" ({})", beside.join(", "))
    };
    let metric = point
        .metric
        .as_deref()
        .map_or_else(String::new, |m| format!(": {} first", metric_word(m)));
    let at = point
        .at_s
        .map_or_else(String::new, |s| format!(", {}", moment_of_day(s, context)));
    let after = point.after_s.map_or_else(String::new, |s| {
        format!(", after {} at that load", figures::duration(s))
    });
    let good = point.last_good_mbps.map_or_else(
        || "no lower load was good".to_owned(),
        |mbps| format!("the last good load was {}", megabits(Some(mbps))),
    );
    format!(
        "broke at {} offered{beside}{metric}{at}{after}; {good}",
        megabits(point.first_bad_mbps)
    )
}

fn not_reached(point: &BreakingPoint, scorecard: &Scorecard, leg: Leg) -> String {
    let held = megabits(point.last_good_mbps);
    let calls = calls(point);
    match guest_limited_mbps(&scorecard.steps, leg) {
        Some(mbps) => format!(
            "not reached: held {held}{calls}; in the step of {} the guest, past its sent leg's limit, missed its own playout, \
             so more load would tell nothing of this leg",
            megabits(Some(mbps))
        ),
        None => format!("not reached: held {held}, the highest load offered{calls}"),
    }
}

fn tester_limited(point: &BreakingPoint, scorecard: &Scorecard, leg: Leg) -> String {
    let failed = point
        .first_bad_mbps
        .or_else(|| tester_failed(&scorecard.steps, leg, point.last_good_mbps));
    let at = failed.map_or_else(
        || "at the next higher load".to_owned(),
        |mbps| format!("at {}", megabits(Some(mbps))),
    );
    let held = point.last_good_mbps.map_or_else(
        || "no load was good before".to_owned(),
        |mbps| {
            format!(
                "the leg held up to {}{}",
                megabits(Some(mbps)),
                calls(point)
            )
        },
    );
    format!("the tester failed first, {at}; {held}")
}

/// The least load above `held` that the tester spoilt, Mbit/s.
fn tester_failed(steps: &[StepRow], leg: Leg, held: Option<f64>) -> Option<f64> {
    let such = |step: &&StepRow| step_leg(step, leg).outcome == StepOutcome::Tainted;
    let spoilt = steps.iter().filter(such);
    spoilt
        .filter_map(|step| step_leg(step, leg).offered_mbps)
        .filter(|mbps| held.is_none_or(|held| *mbps > held))
        .min_by(f64::total_cmp)
}

fn calls(point: &BreakingPoint) -> String {
    point.calls.map_or_else(String::new, |n| {
        format!(" ({})", figures::counted(n.into(), "call"))
    })
}

fn megabits(mbps: Option<f64>) -> String {
    mbps.map_or_else(
        || "an unknown load".to_owned(),
        |mbps| format!("{} Mbit/s", load(mbps)),
    )
}

/// Which leg broke first, and what came of the last good load with transfers as TCP goes and for long.
#[must_use]
pub fn remarks(scorecard: &Scorecard) -> Vec<String> {
    let last = scorecard.steps.iter().filter_map(last_good_step);
    order(scorecard)
        .map(str::to_owned)
        .into_iter()
        .chain(last)
        .collect()
}

/// Beside the document, whose sent leg failed first.
fn order(scorecard: &Scorecard) -> Option<&'static str> {
    let broke = |leg| point(scorecard, leg).filter(|p| p.reached == Reached::Broke);
    // Up to where a leg did not break.
    let beyond = |leg| {
        let point = point(scorecard, leg)?;
        match point.reached {
            Reached::Broke => point.first_bad_mbps,
            Reached::NotReached | Reached::TesterLimited => point.last_good_mbps,
            Reached::NotMeasured => None,
        }
    };
    let breaks_below = |leg, other| {
        let own = broke(leg).and_then(|p| p.first_bad_mbps);
        matches!((own, beyond(other)), (Some(own), Some(other)) if own < other)
    };
    if breaks_below(Leg::Sent, Leg::Receive) {
        Some(
            "the sent leg breaks at a lower load than the receive leg, as in the document, whose guest began to fail as RTP \
             approached 120 Mbit/s",
        )
    } else if breaks_below(Leg::Receive, Leg::Sent) {
        Some(
            "the receive leg breaks at a lower load than the sent leg; in the document it was the sent leg, as RTP approached \
             120 Mbit/s",
        )
    } else {
        None
    }
}

fn last_good_step(step: &StepRow) -> Option<String> {
    let what = match step.kind {
        StepKind::Bursts => "transfers as TCP goes, at the last good load",
        StepKind::Confirm => "the last good load for long",
        StepKind::Ramp | StepKind::Search | StepKind::Repeat => return None,
    };
    let legs = STEP_LEGS.map(|leg| format!("{} leg {}", leg.key(), of_last_good(step, leg)));
    Some(format!(
        "{what} (step {}, {} Mbit/s, {}): {}",
        step.index,
        load(step.target_mbps),
        figures::counted(step.calls.into(), "call"),
        legs.join(", ")
    ))
}

fn of_last_good(step: &StepRow, leg: Leg) -> String {
    let shown = step_leg(step, leg);
    let metric = shown.metric.as_deref().map(metric_word);
    let by = metric.map_or_else(String::new, |metric| format!(" by {metric}"));
    match (shown.outcome, step.kind) {
        (StepOutcome::Good, StepKind::Confirm) => {
            format!("held for {}", figures::duration(step.until_s - step.from_s))
        }
        (StepOutcome::Good, _) => "holds".to_owned(),
        (StepOutcome::Bad, StepKind::Confirm) => {
            let after = shown.at_s.map(|at_s| at_s - step.from_s);
            let after =
                after.map_or_else(String::new, |s| format!(" after {}", figures::duration(s)));
            format!("broke{after}{by}")
        }
        (StepOutcome::Bad, _) => format!("breaks{by}"),
        (StepOutcome::Tainted, _) => "not judged: the tester spoilt it".to_owned(),
        (StepOutcome::NotMeasured, _) => "not measured".to_owned(),
        (StepOutcome::GuestLimited, _) => "not judged: the guest missed its own playout".to_owned(),
    }
}

/// What the first metric past its limit says, and what to try.
fn advice(leg: Leg, scorecard: &Scorecard) -> Vec<&'static str> {
    let Some(point) = point(scorecard, leg) else {
        return Vec::new();
    };
    match point.reached {
        Reached::Broke => point
            .metric
            .as_deref()
            .map_or_else(Vec::new, |metric| of_metric(metric, leg).into()),
        Reached::TesterLimited => vec![
            "This is the tester's limit, not the guest's: `milliwatt calibrate` tells what it carries.",
            "Try: a tester with more or faster cores and nothing else on it, run as root.",
        ],
        Reached::NotReached => {
            let limited = guest_limited_mbps(&scorecard.steps, leg);
            vec![match limited {
                Some(_) => {
                    "Try: what the sent leg's breaking point calls for, or more processors for the guest; then search again."
                }
                None => "The guest may hold more: search with a higher `ramp.to`.",
            }]
        }
        Reached::NotMeasured => Vec::new(),
    }
}

fn of_metric(metric: &str, leg: Leg) -> [&'static str; 2] {
    match (metric, leg) {
        ("pdv_ms.p999", Leg::Sent) => [
            "Likely: a queue. Packets waited before any limit on loss was passed; on this leg they wait in the guest's send path \
             (socket, qdisc, virtual network card, the host's switch), which recordings share, or in the network behind it.",
            "Try: recordings at a lower rate or on a network card of their own; a queue that lets DSCP 46 go first; more transmit \
             queues; then search again and see whether the load at which it breaks moves.",
        ],
        ("pdv_ms.p999", Leg::Receive) => [
            "Likely: a queue. Packets waited before any limit on loss was passed; on this leg they wait in the network, in the \
             host's switch, or at a guest that is late to take them.",
            "Try: more receive queues and virtual processors for interrupts, a reservation of CPU for the guest; \"Where delay \
             variation came from\" tells the guest's share.",
        ],
        ("loss_percent", _) => [
            "Likely: something that drops rather than queues, for PDV was still within its limit: a policer, a rate limit of the \
             virtual network, a ring or a buffer that is too short.",
            "Try: the drop counters along the way (`ip -s link`, `ethtool -S`, `tc -s qdisc`, the virtual switch's own), and what \
             the host or the cloud allows a guest of this size.",
        ],
        ("discarded_percent", _) => [
            "Packets arrived, but too late for the playout buffer: delay in bursts, or of some streams only.",
            "Try: the PDV of those seconds in the plots; \"How impairments lie to each other\" tells what a deeper buffer would have \
             made of the same arrivals.",
        ],
        ("dead_air.events", _) => [
            "Streams fell silent before delay or loss passed a limit: short stalls rather than too much load on average.",
            "Try: the cause of the dead air and the stalls at that time (events.jsonl), CPU time stolen from the guest, what else \
             the host did then.",
        ],
        ("transfer.goodput_percent", _) => [
            "Recordings did not get through at the pace at which they are made while voice was still within its limits: at this \
             load they pile up on the guest.",
            "Try: more transfers in parallel, loss and round trip of the path (TCP slows down with both), a network of their own \
             for recordings.",
        ],
        _ => [
            "What this metric means is told in scoring/METRICS.md.",
            "Try: the plots of that time.",
        ],
    }
}
