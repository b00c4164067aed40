//! Events of a load that comes in steps: the begin of each step and what came of it, and where a leg broke.

use super::Summary;
use crate::measured::{BreakingPoint, EventRow, Reached, StepLeg, StepOutcome, StepRow};
use milliwatt_wire::id::Leg;
use milliwatt_wire::time::RunTime;

impl Summary<'_> {
    /// A row a step, at its begin.
    pub(super) fn step_rows(&self) -> impl Iterator<Item = EventRow> + '_ {
        let steps = self.steps.iter();
        steps.map(|step| self.event(run_time(step.from_s), "step", step_text(step)))
    }

    /// A row for each leg that broke, where it did.
    pub(super) fn breaking_point_rows(&self) -> impl Iterator<Item = EventRow> + '_ {
        Leg::BOTH.into_iter().filter_map(|leg| {
            let point = self.breaking_point_of(leg)?;
            let at_s = point.at_s.filter(|_| point.reached == Reached::Broke)?;
            let text = breaking_point_text(leg, point);
            Some(self.event(run_time(at_s), "breaking-point", text))
        })
    }
}

/// `step 3 (search): 82.5 Mbit/s, 455 calls, 6 s: receive good, sent bad (pdv_ms.p999)`.
fn step_text(step: &StepRow) -> String {
    let plural = if step.calls == 1 { "" } else { "s" };
    // A step that was ended before its time is no whole number of seconds long.
    let seconds = ((step.until_s - step.from_s) * 10.0).round() / 10.0;
    format!(
        "step {} ({}): {:.1} Mbit/s, {} call{plural}, {seconds} s: receive {}, sent {}",
        step.index,
        step.kind.name(),
        step.target_mbps,
        step.calls,
        outcome_text(&step.receive),
        outcome_text(&step.sent),
    )
}

fn outcome_text(leg: &StepLeg) -> String {
    match (leg.outcome, &leg.metric) {
        (StepOutcome::Bad, Some(metric)) => format!("bad ({metric})"),
        (outcome, _) => outcome.name().to_owned(),
    }
}

/// `sent leg (guest -> tester) broke at 110.0 Mbit/s: loss_percent first; the last good load was 90.0 Mbit/s`.
fn breaking_point_text(leg: Leg, point: &BreakingPoint) -> String {
    let at = point
        .first_bad_mbps
        .map_or_else(String::new, |mbps| format!(" at {mbps:.1} Mbit/s"));
    let metric = point
        .metric
        .as_ref()
        .map_or_else(String::new, |metric| format!(": {metric} first"));
    let good = point.last_good_mbps.map_or_else(
        || "no lower load was good".to_owned(),
        |mbps| format!("the last good load was {mbps:.1} Mbit/s"),
    );
    format!("{} broke{at}{metric}; {good}", leg.title())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a place in a run; the cast saturates"
)]
fn run_time(seconds: f64) -> RunTime {
    RunTime((seconds * 1e9).round() as i64)
}
