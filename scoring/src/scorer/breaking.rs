//! Thresholds on where a leg breaks.
//!
//! Such a threshold asks for a least load. A leg that broke below it fails; one that held it passes; one that was followed
//! to less and did not break is not measured, and proves nothing.

use super::Summary;
use crate::breaking_point::{guest_limited_mbps, highest_mbps, tester_failed_mbps, untold_mbps};
use crate::judgement::{Judgement, Threshold, Window};
use crate::measured::{BreakingPoint, Outcome, Reached, ThresholdResult};
use crate::metric::find_metric;
use milliwatt_wire::id::Leg;

impl Summary<'_> {
    /// The result on the leg that is asked of. `leg` is what the result names: none where the metric's path does.
    pub(super) fn judge_breaking_point(
        &self,
        threshold: &Threshold,
        leg: Option<Leg>,
        broken: Leg,
    ) -> ThresholdResult {
        let point = self.breaking_point_of(broken);
        let outcome = point.map_or(Outcome::NotMeasured, |point| outcome(threshold, point));
        ThresholdResult {
            metric: threshold.metric.clone(),
            leg,
            limit: threshold.limit,
            bound: threshold.bound.key().to_owned(),
            unit: threshold.unit.clone(),
            window: Window::Run.text(),
            measured: point.and_then(|point| point.last_good_mbps),
            at_s: point.and_then(|point| point.at_s),
            outcome,
            outcome_without_tainted: outcome,
            warns_only: threshold.warns_only,
            basis: threshold.basis.key().to_owned(),
            source: threshold.source.clone(),
            note: point.map(note),
        }
    }

    pub(super) fn breaking_point_of(&self, leg: Leg) -> Option<&BreakingPoint> {
        match leg {
            Leg::Receive => self.breaking_point.receive.as_ref(),
            Leg::Sent => self.breaking_point.sent.as_ref(),
        }
    }

    /// Why a run that did not follow a leg as far as its threshold asks proves nothing. A leg that broke below its own is
    /// a finding that stands, however far the other was followed.
    pub(super) fn breaking_points_open(
        &self,
        judgement: &Judgement,
        results: &[ThresholdResult],
    ) -> Vec<String> {
        let judged: Vec<(Leg, &ThresholdResult)> = results
            .iter()
            .filter(|result| !result.warns_only)
            .filter_map(|result| {
                let metric = find_metric(&result.metric)?;
                Some((metric.breaking_leg(result.leg)?, result))
            })
            .collect();
        if judged
            .iter()
            .any(|(_, result)| result.outcome == Outcome::Fail)
        {
            return Vec::new();
        }
        let open = judged
            .iter()
            .filter(|(_, result)| result.outcome == Outcome::NotMeasured);
        let mut reasons: Vec<String> = open
            .map(|(leg, result)| self.why_open(*leg, result.limit, judgement))
            .collect();
        reasons.dedup();
        reasons
    }

    fn why_open(&self, leg: Leg, limit: f64, judgement: &Judgement) -> String {
        let reached = self.breaking_point_of(leg).map(|point| point.reached);
        if let (Some(Reached::TesterLimited), Some(failed)) =
            (reached, tester_failed_mbps(&self.steps, leg))
        {
            return self.tester_failed(leg, failed, judgement);
        }
        if let Some(mbps) = guest_limited_mbps(&self.steps, leg) {
            return format!(
                "the {} was not followed up to the limit of {limit} Mbit/s: at {mbps:.1} Mbit/s the guest was past its sent leg's \
                 limit and missed its own playout, which tells nothing of that leg; mend the sent leg, or give the guest more \
                 processors, and search again",
                leg.title()
            );
        }
        if let Some(mbps) = untold_mbps(&self.steps, leg) {
            return format!(
                "the {} was not followed up to the limit of {limit} Mbit/s: at {mbps:.1} Mbit/s nothing was told of it, since the other \
                 leg, which carries the guest's own word, had broken by then; mend that first, or give control a path of its own",
                leg.title()
            );
        }
        match highest_mbps(&self.steps) {
            Some(highest) => format!(
                "the ramp ends at {highest:.1} Mbit/s, below the limit of {limit} Mbit/s: set ramp.to higher, and let the run come to its end"
            ),
            None => "the run made no step, so where a leg breaks is not known: let it run longer, and look in events for what ended it"
                .to_owned(),
        }
    }

    fn tester_failed(&self, leg: Leg, failed: f64, judgement: &Judgement) -> String {
        let both = Leg::BOTH.iter().all(|leg| {
            let point = self.breaking_point_of(*leg);
            point.is_some_and(|point| point.reached == Reached::TesterLimited)
        });
        let before = if both {
            "either leg".to_owned()
        } else {
            format!("the {}", leg.title())
        };
        format!(
            "the tester failed at {failed:.1} Mbit/s before {before}: it was over {:.0} us late, left packets out or dropped them itself; \
             use a faster or less busy tester, or real-time scheduling, and run again",
            judgement.lateness_bound_us
        )
    }
}

fn outcome(threshold: &Threshold, point: &BreakingPoint) -> Outcome {
    let broke = point.reached == Reached::Broke;
    // A leg that broke at the lowest load that was offered held nothing.
    let held = point.last_good_mbps.or(broke.then_some(0.0));
    match held {
        Some(held) if threshold.bound.admits(held, threshold.limit) => Outcome::Pass,
        Some(_) if broke => Outcome::Fail,
        _ => Outcome::NotMeasured,
    }
}

fn note(point: &BreakingPoint) -> String {
    let mbps = |load: Option<f64>| {
        load.map_or_else(|| "no load".to_owned(), |mbps| format!("{mbps:.1} Mbit/s"))
    };
    match point.reached {
        Reached::Broke => {
            let metric = point.metric.as_deref().unwrap_or("a limit");
            format!(
                "it broke at {}: {metric} was past its limit first",
                mbps(point.first_bad_mbps)
            )
        }
        Reached::NotReached => format!(
            "it held {} and was not seen to break",
            mbps(point.last_good_mbps)
        ),
        Reached::TesterLimited => format!(
            "it held {}; above that the tester itself failed",
            mbps(point.last_good_mbps)
        ),
        Reached::NotMeasured => "no step was judged on this leg".to_owned(),
    }
}
