//! The table of a stepped load's steps, a row a leg.

use super::dash;
use crate::figures::{self, NOT_MEASURED};
use milliwatt_scoring::measured::{StepLeg, StepOutcome, StepRow};
use milliwatt_wire::id::Leg;

/// The sent leg first: the document saw it fail first.
pub(crate) const LEGS: [Leg; 2] = [Leg::Sent, Leg::Receive];

/// What a step says of a leg, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLine {
    /// Its number; the same for both legs.
    pub index: String,
    /// Why it was made.
    pub kind: &'static str,
    /// Calls up.
    pub calls: String,
    /// What it was to put on the sent leg, Mbit/s.
    pub target: String,
    /// `sent` or `receive`.
    pub leg: &'static str,
    /// Sent this way, Mbit/s.
    pub offered: String,
    /// Arrived, Mbit/s.
    pub carried: String,
    /// PDV p99.9, ms.
    pub pdv: String,
    /// Percent of sent.
    pub lost: String,
    /// Late at playout, percent of sent.
    pub discarded: String,
    /// Events.
    pub dead_air: String,
    /// Percent of what the pace allowed.
    pub goodput: String,
    /// `good`, `bad: loss`, ...
    pub outcome: String,
    /// Class of the outcome in a page.
    pub class: &'static str,
}

/// The last `most` steps, two lines each: a search ends nearest to what it looked for, and a ramp at it.
#[must_use]
pub fn steps(steps: &[StepRow], most: usize) -> Vec<StepLine> {
    let shown = steps.iter().skip(steps.len().saturating_sub(most));
    shown
        .flat_map(|step| LEGS.map(|leg| StepLine::of(step, leg)))
        .collect()
}

impl StepLine {
    fn of(step: &StepRow, leg: Leg) -> Self {
        let shown = step_leg(step, leg);
        Self {
            index: step.index.to_string(),
            kind: step.kind.name(),
            calls: figures::count(step.calls.into()),
            target: load(step.target_mbps),
            leg: leg.key(),
            offered: shown.offered_mbps.map_or_else(dash, load),
            carried: shown.carried_mbps.map_or_else(dash, load),
            pdv: shown.pdv_p999_ms.map_or_else(dash, short),
            lost: shown.loss_percent.map_or_else(dash, short),
            discarded: shown.discarded_percent.map_or_else(dash, short),
            dead_air: figures::count(shown.dead_air_events),
            goodput: shown.transfer_goodput_percent.map_or_else(dash, short),
            outcome: outcome(shown),
            class: class(shown.outcome),
        }
    }
}

/// The leg of a step.
pub(crate) fn step_leg(step: &StepRow, leg: Leg) -> &StepLeg {
    match leg {
        Leg::Receive => &step.receive,
        Leg::Sent => &step.sent,
    }
}

/// Mbit/s to a tenth, which is less than two calls.
pub(crate) fn load(mbps: f64) -> String {
    format!("{mbps:.1}")
}

/// A breaking metric as people call it.
pub(crate) fn metric_word(metric: &str) -> &str {
    match metric {
        "pdv_ms.p999" => "PDV p99.9",
        "loss_percent" => "loss",
        "discarded_percent" => "late at playout",
        "dead_air.events" => "dead air",
        "transfer.goodput_percent" => "transfer goodput",
        other => other,
    }
}

fn outcome(shown: &StepLeg) -> String {
    match (shown.outcome, &shown.metric) {
        (StepOutcome::Bad, Some(metric)) => format!("bad: {}", metric_word(metric)),
        (StepOutcome::NotMeasured, _) => NOT_MEASURED.to_owned(),
        (outcome, _) => outcome.name().to_owned(),
    }
}

fn class(outcome: StepOutcome) -> &'static str {
    match outcome {
        StepOutcome::Good => "pass",
        StepOutcome::Bad => "fail",
        StepOutcome::Tainted | StepOutcome::GuestLimited => "warn",
        StepOutcome::NotMeasured => "none",
    }
}

/// At most three digits, so that a row of many figures fits a terminal; what is there is never shown as 0.
fn short(value: f64) -> String {
    let decimals = match value {
        v if v > 0.0 && v < 0.01 => return "<0.01".to_owned(),
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    let rounded: f64 = format!("{value:.decimals$}").parse().unwrap_or(value);
    figures::number(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept_and_little_is_not_nothing() {
        assert_eq!(
            [
                0.0, 0.0004, 0.01, 1.256, 9.996, 12.34, 99.96, 412.6, 1_234.6
            ]
            .map(short),
            [
                "0", "<0.01", "0.01", "1.26", "10", "12.3", "100", "413", "1,235"
            ]
        );
    }
}
