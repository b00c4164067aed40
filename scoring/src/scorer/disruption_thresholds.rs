//! Thresholds on disruptions: the worst of those that began at full load counts.
//!
//! A run without any is within every such limit, since nothing was seen to interrupt it. One that never recovered is past any
//! limit on the time that it took.

use super::Summary;
use super::end::float;
use crate::judgement::{Bound, Threshold, Window};
use crate::measured::{Disruption, Outcome, ThresholdResult};
use milliwatt_wire::facts::Phase;

impl Summary<'_> {
    /// The result of a threshold on `disruptions.` and what follows.
    pub(super) fn judge_disruptions(&self, threshold: &Threshold, of: &str) -> ThresholdResult {
        let worst = self.worst_disruption(of, threshold.bound);
        let count = self.judged_disruptions().count();
        let judged = self.full.is_some() && self.legs.iter().any(|leg| !leg.streams.is_empty());
        let (measured, beyond) = match worst {
            _ if !judged => (None, false),
            _ if of == "count" => (Some(float(count as u64)), false),
            None => (Some(0.0), false),
            Some(worst) => (value(worst, of), value(worst, of).is_none()),
        };
        let within = measured.is_none_or(|value| threshold.bound.admits(value, threshold.limit));
        let outcome = match (judged, within && !beyond) {
            (false, _) => Outcome::NotMeasured,
            (true, true) => Outcome::Pass,
            (true, false) => Outcome::Fail,
        };
        ThresholdResult {
            metric: threshold.metric.clone(),
            leg: None,
            limit: threshold.limit,
            bound: threshold.bound.key().to_owned(),
            unit: threshold.unit.clone(),
            window: Window::Run.text(),
            measured,
            at_s: worst.map(|worst| worst.at),
            outcome,
            // What the tester's own stalls explain is no disruption to begin with.
            outcome_without_tainted: outcome,
            warns_only: threshold.warns_only,
            basis: threshold.basis.key().to_owned(),
            source: threshold.source.clone(),
            note: judged.then(|| note(worst, count, beyond)),
        }
    }

    /// Those that began at full load.
    fn judged_disruptions(&self) -> impl Iterator<Item = &Disruption> {
        let all = self.disruptions.iter();
        all.filter(|disruption| disruption.phase == Phase::Full)
    }

    /// The one that is worst by a metric: the first of equals. What never recovered is worse than all.
    fn worst_disruption(&self, of: &str, bound: Bound) -> Option<&Disruption> {
        let badness = |disruption: &Disruption| {
            let value = value(disruption, of).unwrap_or(f64::INFINITY);
            if bound == Bound::Max { value } else { -value }
        };
        let measured = self
            .judged_disruptions()
            .filter(|disruption| of == "recovered_ms" || value(disruption, of).is_some());
        measured.reduce(|worst, next| {
            if badness(next) > badness(worst) {
                next
            } else {
                worst
            }
        })
    }
}

/// What a metric says of a disruption; none of what was not measured, or never came.
fn value(disruption: &Disruption, of: &str) -> Option<f64> {
    match of {
        "blackout_ms" => Some(disruption.blackout_ms),
        "brownout_ms" => disruption.brownout_ms,
        "recovered_ms" => disruption.recovered_ms,
        "streams_affected" => Some(float(disruption.streams_affected)),
        "calls_affected" => Some(float(disruption.calls_affected)),
        "calls_lost" => Some(float(disruption.calls_lost)),
        "packets_lost" => Some(float(disruption.packets_lost)),
        "packets_late" => Some(float(disruption.packets_late)),
        _ => None,
    }
}

fn note(worst: Option<&Disruption>, count: usize, beyond: bool) -> String {
    let Some(worst) = worst else {
        return match count {
            0 => "no disruption seen".to_owned(),
            some => format!("{some} seen"),
        };
    };
    let which = match count {
        1 => "the only disruption".to_owned(),
        many => format!("the worst of {many} disruptions"),
    };
    let mark = worst
        .mark
        .as_ref()
        .map_or_else(String::new, |mark| format!(", mark: {mark}"));
    let never = if beyond { ": it did not recover" } else { "" };
    format!("{which}{mark}{never}")
}
