//! Thresholds judged.

use super::Summary;
use super::end::seconds_of;
use super::evidence::{Observation, Seconds};
use crate::judgement::{Basis, Bound, Threshold, Window};
use crate::measured::{Outcome, ThresholdResult};
use crate::metric::{Metric, find_metric};
use milliwatt_wire::id::Leg;
use milliwatt_wire::time::RunTime;
use std::collections::BTreeSet;
use std::ops::Range;

/// The worst of a threshold's windows.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Worst {
    observation: Observation,
    from: u32,
}

impl Summary<'_> {
    /// Judges all thresholds, one result a leg; and a guest that was lost, whatever they are.
    pub(super) fn judge(&self, thresholds: &[Threshold]) -> Vec<ThresholdResult> {
        let judged = thresholds
            .iter()
            .filter_map(|threshold| Some((threshold, find_metric(&threshold.metric)?)));
        judged
            .flat_map(|(threshold, metric)| {
                metric
                    .judged_legs(threshold.leg)
                    .into_iter()
                    .map(|leg| self.judge_one(threshold, metric, leg))
            })
            .chain(self.guest_lost().map(lost_guest))
            .collect()
    }

    fn judge_one(
        &self,
        threshold: &Threshold,
        metric: &Metric,
        leg: Option<Leg>,
    ) -> ThresholdResult {
        if let Some(broken) = metric.breaking_leg(leg) {
            return self.judge_breaking_point(threshold, leg, broken);
        }
        if let Some(of) = metric.of_disruption() {
            return self.judge_disruptions(threshold, of);
        }
        let limit = self.limit(threshold, leg);
        let all = self.worst(threshold, leg, &BTreeSet::new());
        let outcome = self.outcome(threshold, limit, all);
        let outcome_without_tainted = if self.tainted.is_empty() {
            outcome
        } else {
            self.outcome(threshold, limit, self.worst(threshold, leg, &self.tainted))
        };
        ThresholdResult {
            metric: threshold.metric.clone(),
            leg,
            limit,
            bound: threshold.bound.key().to_owned(),
            unit: threshold.unit.clone(),
            window: threshold.window.text(),
            measured: all.and_then(|worst| worst.observation.value),
            at_s: all
                .filter(|_| metric.windowed && threshold.window != Window::Run)
                .map(|worst| f64::from(worst.from)),
            outcome,
            outcome_without_tainted,
            warns_only: threshold.warns_only,
            basis: threshold.basis.key().to_owned(),
            source: threshold.source.clone(),
            note: self.note(threshold, leg, all),
        }
    }

    /// The limit, times the number of lots begun where it holds for a lot.
    fn limit(&self, threshold: &Threshold, leg: Option<Leg>) -> f64 {
        let Some(per) = threshold.per else {
            return threshold.limit;
        };
        threshold.limit
            * super::end::float(self.lot_units(threshold, leg).div_ceil(per.max(1)).max(1))
    }

    /// What lots are counted in: recordings scored, minutes of call leg at full load, or calls.
    fn lot_units(&self, threshold: &Threshold, leg: Option<Leg>) -> u64 {
        match (threshold.metric.split_once('.'), leg) {
            (Some(("recordings", _)), _) => self.recordings.scored,
            (Some(("dead_air", _)), Some(leg)) => {
                self.leg(leg).call_minutes(&seconds_of(self.full.as_ref()))
            }
            _ => self.calls.started,
        }
    }

    /// The worst window; none where nothing was measured in any.
    fn worst(
        &self,
        threshold: &Threshold,
        leg: Option<Leg>,
        left_out: &BTreeSet<u32>,
    ) -> Option<Worst> {
        let full = self.full.clone().unwrap_or(0..0);
        let windows = windows(&full, effective_window(threshold));
        let observed = windows.map(|range| {
            let from = range.start;
            Worst {
                observation: self.observe(&threshold.metric, leg, &Seconds { range, left_out }),
                from,
            }
        });
        let measured = observed.filter(|worst| !worst.observation.is_empty());
        measured.reduce(|worst, next| {
            if is_worse(threshold.bound, next.observation, worst.observation) {
                next
            } else {
                worst
            }
        })
    }

    fn outcome(&self, threshold: &Threshold, limit: f64, worst: Option<Worst>) -> Outcome {
        let Some(Worst { observation, .. }) = worst else {
            return Outcome::NotMeasured;
        };
        let value = observation
            .value
            .map(|value| value + super::end::float(self.unproven(threshold)));
        let within = value.is_none_or(|value| threshold.bound.admits(value, limit));
        let beyond = observation.beyond && threshold.bound == Bound::Max;
        if within && !beyond {
            Outcome::Pass
        } else {
            Outcome::Fail
        }
    }

    /// Recordings that were expected and could not be scored, when the tester waited for them to the
    /// end: nothing shows that they hold no silence.
    fn unproven(&self, threshold: &Threshold) -> u64 {
        let counts = threshold.metric == "recordings.with_silence" && self.tester_closed();
        if counts {
            self.recordings
                .expected
                .saturating_sub(self.recordings.scored)
        } else {
            0
        }
    }

    fn note(
        &self,
        threshold: &Threshold,
        leg: Option<Leg>,
        worst: Option<Worst>,
    ) -> Option<String> {
        let mut notes = Vec::new();
        notes.extend(self.short_full_load(threshold));
        if worst.is_some_and(|worst| worst.observation.beyond) {
            notes.push(
                "packets lost, not sent or discarded count as exceeding it, and decide".to_owned(),
            );
        }
        notes.extend(self.proof(threshold));
        if let (Some(per), Some(leg), true) = (
            threshold.per,
            leg,
            threshold.metric.starts_with("dead_air."),
        ) {
            notes.push(format!(
                "{} per {per} call-minutes begun, of {}",
                threshold.limit,
                self.lot_units(threshold, Some(leg))
            ));
        }
        if threshold.metric == "hypervisor.cpu_percent" {
            notes.push(
                "cannot be read from inside a guest: look at it on the virtual machine's host"
                    .to_owned(),
            );
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    fn short_full_load(&self, threshold: &Threshold) -> Option<String> {
        let length = self.full.as_ref().map(Range::len)?;
        match threshold.window {
            Window::Seconds(window) if length < window as usize => Some(format!(
                "full load lasted {length} s, shorter than the window: judged over all of it"
            )),
            _ => None,
        }
    }

    /// What so many recordings prove.
    fn proof(&self, threshold: &Threshold) -> Option<String> {
        if threshold.metric != "recordings.with_silence" {
            return None;
        }
        let missing = self.unproven(threshold);
        let lacking = if missing > 0 {
            format!("; {missing} expected and not scored count as silent")
        } else {
            String::new()
        };
        let bound = self.recordings.upper_bound_95_percent?;
        let (silent, scored) = (self.recordings.with_silence, self.recordings.scored);
        Some(format!(
            "{silent} of {scored} proves, at 95 %, no more than 1 in {:.0}{lacking}",
            (1.0 / bound).floor()
        ))
    }
}

/// A guest that goes away under load fails the test, as a call that breaks off does.
fn lost_guest((at, text): (RunTime, &str)) -> ThresholdResult {
    ThresholdResult {
        metric: "guest.lost".to_owned(),
        leg: None,
        limit: 0.0,
        bound: Bound::Max.key().to_owned(),
        unit: "count".to_owned(),
        window: Window::Run.text(),
        measured: Some(1.0),
        at_s: Some(at.as_seconds()),
        outcome: Outcome::Fail,
        outcome_without_tainted: Outcome::Fail,
        warns_only: false,
        basis: Basis::Own.key().to_owned(),
        source: "a guest that is lost under test fails it".to_owned(),
        note: Some(format!(
            "{text}; look at the guest and at what `milliwatt agent` printed there"
        )),
    }
}

/// The largest rate of a run is that of its largest second; every other metric is taken over the run at once.
fn effective_window(threshold: &Threshold) -> Window {
    if threshold.metric == "mbps.max" && threshold.window == Window::Run {
        Window::Seconds(1)
    } else {
        threshold.window
    }
}

/// The windows of a threshold in full load; all of it where it is shorter than one.
fn windows(full: &Range<u32>, window: Window) -> impl Iterator<Item = Range<u32>> + use<> {
    let length = match window {
        Window::Seconds(seconds) => seconds.clamp(1, full.end.saturating_sub(full.start).max(1)),
        Window::Run => full.end.saturating_sub(full.start).max(1),
    };
    let last = full.end.saturating_sub(length);
    (full.start..=last).map(move |from| from..from + length)
}

fn is_worse(bound: Bound, next: Observation, than: Observation) -> bool {
    match bound {
        Bound::Max => (next.beyond, next.value) > (than.beyond, than.value),
        Bound::Min => next.value < than.value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(full: Range<u32>, window: Window) -> Vec<Range<u32>> {
        windows(&full, window).collect()
    }

    #[test]
    fn windows_slide_by_a_second_and_lie_wholly_in_full_load() {
        assert_eq!(ranges(10..14, Window::Seconds(3)), [10..13, 11..14]);
        assert_eq!(ranges(10..14, Window::Run).first(), Some(&(10..14)));
    }

    #[test]
    fn full_load_shorter_than_the_window_is_the_window() {
        assert_eq!(ranges(10..14, Window::Seconds(60)).len(), 1);
        assert_eq!(ranges(10..14, Window::Seconds(60)).first(), Some(&(10..14)));
    }

    #[test]
    fn packets_that_never_came_are_worse_than_any_that_did() {
        let beyond = Observation {
            value: Some(1.0),
            beyond: true,
        };
        let late = Observation {
            value: Some(900.0),
            beyond: false,
        };
        assert!(is_worse(Bound::Max, beyond, late) && !is_worse(Bound::Max, late, beyond));
        assert!(is_worse(Bound::Min, Some(1.0).into(), Some(2.0).into()));
    }
}
