//! Whether the tester may be believed.

use super::Summary;
use super::end::{EndRecord, float, lateness_of, lateness_us, seconds_of, to_unit};
use crate::judgement::Judgement;
use crate::measured::{Outcome, ThresholdResult, Validity};
use crate::metric::find_metric;
use crate::percentile::Percentile;
use milliwatt_wire::facts::PacingSecond;
use milliwatt_wire::id::{End, Leg};
use std::collections::BTreeSet;

/// What depends on when packets arrived: a metric's name begins so.
const BY_ARRIVAL: [&str; 7] = [
    "dead_air",
    "discarded_percent",
    "interarrival_jitter_ms",
    "ipdv_ms",
    "mos_lq",
    "packets_discarded",
    "pdv_ms",
];

/// Seconds in which an end did not keep its own time, or dropped packets itself.
pub(super) fn tainted_seconds(end: &EndRecord, bound_us: f64) -> BTreeSet<u32> {
    let late = end
        .pacing
        .values()
        .filter(|second| is_late(second, bound_us))
        .map(|second| second.second);
    let dropped = end
        .host
        .keys()
        .copied()
        .filter(|second| end.rise(*second, |host| host.socket_drops).unwrap_or(0) > 0);
    late.chain(dropped).collect()
}

fn is_late(second: &PacingSecond, bound_us: f64) -> bool {
    let p999 = lateness_of(second).percentile(Percentile::P999);
    second.not_sent > 0 || p999.is_some_and(|ns| to_unit(ns, 1e3) > bound_us)
}

impl Summary<'_> {
    /// The tester's own record, and whether it decided anything.
    pub(super) fn validity(&self, judgement: &Judgement, results: &[ThresholdResult]) -> Validity {
        let tester = self.end(End::Tester);
        let sum = |count: fn(&PacingSecond) -> u32| {
            tester
                .pacing
                .values()
                .map(|second| u64::from(count(second)))
                .sum::<u64>()
        };
        let full = seconds_of(self.full.as_ref());
        let tainted: Vec<u32> = self.tainted.range(full.clone()).copied().collect();
        let mut reasons: Vec<String> = self.judgement_error.iter().cloned().collect();
        reasons.extend(self.nothing_measured(sum(|second| second.planned)));
        reasons.extend(self.tester_unfinished());
        reasons.extend(self.facts_lost());
        reasons.extend(self.keys_differ());
        reasons.extend(self.unstamped(results));
        if self.is_stepped() {
            // What the tester spoilt, or the guest did not tell of, is judged step by step.
            reasons.extend(self.breaking_points_open(judgement, results));
        } else {
            reasons.extend(self.guest_silent());
            reasons.extend(too_many_tainted(
                tainted.len(),
                full.len(),
                judgement.tainted_share_percent,
            ));
            reasons.extend(results.iter().filter_map(changed_by_taint));
        }
        // A limit that was exceeded was, whatever a command did.
        if !results.iter().any(ThresholdResult::fails) {
            reasons.extend(self.scorer.hooks_failed.iter().cloned());
        }
        Validity {
            valid: reasons.is_empty(),
            reasons,
            tainted_seconds: u32::try_from(tainted.len()).unwrap_or(u32::MAX),
            tainted,
            departures_planned: sum(|second| second.planned),
            departures_sent: sum(|second| second.sent),
            departures_not_sent: sum(|second| second.not_sent),
            socket_drops: tester.socket_drops().unwrap_or(0),
            lateness_us: lateness_us(&tester.lateness(full)),
        }
    }

    /// What a tester that did not come to its end has recorded is shown, and decides nothing.
    fn tester_unfinished(&self) -> Option<String> {
        (!self.end(End::Tester).closed).then(|| {
            "the tester did not come to the end of the run (killed, its disk full, or still running): \
             what it recorded is shown and not judged; run again"
                .to_owned()
        })
    }

    /// Figures of which the tester lost a part are figures of something else; so are those of an agent of its own. A guest
    /// that could not keep pace with what it saw is a finding.
    fn facts_lost(&self) -> Option<String> {
        let guest_named = self.end(End::Tester).opening.as_ref();
        let guest_named = guest_named.is_some_and(|opening| opening.guest_named);
        let guest = Some(self.end(End::Guest)).filter(|_| !guest_named);
        let text = [Some(self.end(End::Tester)), guest]
            .into_iter()
            .flatten()
            .find_map(|end| end.facts_lost.as_ref())?;
        Some(format!(
            "what was measured is not whole ({text}): free the tester of other work, or use fewer calls, and run again"
        ))
    }

    /// A tester that only knows when it read makes delay of its own, which it cannot tell from the way's. A run that fails by
    /// nothing but when packets came to it has found nothing then.
    fn unstamped(&self, results: &[ThresholdResult]) -> Option<String> {
        if self.end(End::Tester).stamps_arrivals() {
            return None;
        }
        let by_arrival = |result: &&ThresholdResult| {
            let (leg, metric) = self.decided_by(result);
            let mut metrics = BY_ARRIVAL.iter();
            leg == Some(Leg::Sent) && metrics.any(|by| metric.starts_with(by))
        };
        let failed: Vec<_> = results.iter().filter(|result| result.fails()).collect();
        let first = failed.first().filter(|_| failed.iter().all(by_arrival))?;
        Some(format!(
            "{} of the {} is past its limit, and the tester's system does not stamp arrivals: how late the tester read is in it; \
             run the tester on a Linux that supports SO_TIMESTAMPING",
            first.metric,
            Leg::Sent.title()
        ))
    }

    /// Of which leg it is, and by what it was decided: a breaking point by the metric that was past its limit first.
    fn decided_by<'r>(&'r self, result: &'r ThresholdResult) -> (Option<Leg>, &'r str) {
        let broken = find_metric(&result.metric).and_then(|metric| metric.breaking_leg(result.leg));
        let first = broken.and_then(|leg| self.breaking_point_of(leg)?.metric.as_deref());
        (broken.or(result.leg), first.unwrap_or(&result.metric))
    }

    /// A guest that told nothing of some of full load may have done anything in it; one that was
    /// lost is a finding of its own.
    fn guest_silent(&self) -> Option<String> {
        if self.guest_lost().is_some() {
            return None;
        }
        let full = self.full.as_ref()?;
        let told_until = self
            .end(End::Guest)
            .reported()
            .map_or(0, |last| last + 1)
            .max(full.start);
        (told_until < full.end).then(|| {
            format!(
                "the guest told nothing of the last {} of {} full-load seconds: look in events and in the agent's own output for why it stopped, and run again",
                full.end - told_until,
                full.len()
            )
        })
    }

    fn nothing_measured(&self, planned: u64) -> Vec<String> {
        let mut reasons = Vec::new();
        if planned == 0 {
            reasons.push("the tester had no packet to send: check that the scenario has calls and that the run reached its ramp".to_owned());
        }
        if self.full.is_none() && self.guest_lost().is_none() {
            reasons.push(
                "the run had no whole second at full load, so nothing could be judged: let it run longer (--for) and look in events for what ended it"
                    .to_owned(),
            );
        }
        reasons
    }
}

fn too_many_tainted(tainted: usize, full: usize, share_percent: f64) -> Option<String> {
    let share = 100.0 * float(tainted as u64) / float(full.max(1) as u64);
    (share > share_percent).then(|| {
        format!(
            "the tester did not keep its own time in {tainted} of {full} full-load seconds ({share:.1} %, at most {share_percent} %): \
             use fewer calls, a less busy or faster tester, or real-time scheduling, and run again"
        )
    })
}

fn changed_by_taint(result: &ThresholdResult) -> Option<String> {
    let changed = result.outcome != result.outcome_without_tainted
        && result.outcome_without_tainted != Outcome::NotMeasured;
    (changed && !result.warns_only).then(|| {
        let leg = result.leg.map_or_else(String::new, |leg| format!(", {}", leg.title()));
        format!(
            "seconds in which the tester did not keep its own time decide {}{leg}: free the tester of other work and run again",
            result.metric
        )
    })
}
