//! What live calls went through each time the same was done to the guest: a disruption alone may be luck, a distribution is
//! what to plan with.

use super::{Disruption, HookRow, MarkRow};
use crate::percentile::Percentile;
use serde::{Deserialize, Serialize};

/// What all marks, or all commands, of a label did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DisruptionSummary {
    /// Label of the marks, or of the event whose commands they are.
    pub label: String,
    /// How often it was done.
    pub repeats: u64,
    /// How often a disruption was its own.
    pub found: u64,
    /// The longest common blackout of each of these, ms.
    pub blackout_ms: RepeatBlackouts,
    /// The longest recovery of each of these, ms; what did not recover takes longer than all.
    pub recovered_ms: RepeatRecoveries,
    /// Of these, those that did not recover.
    pub not_recovered: u64,
    /// The most streams that any of these hit; null where there is none.
    pub streams_affected: Option<u64>,
}

/// Nearest-rank percentiles over repeats; null without any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RepeatBlackouts {
    /// Median.
    pub p50: Option<f64>,
    /// 95th.
    pub p95: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// Nearest-rank percentiles over repeats; null without any, and where it falls on one that did not recover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RepeatRecoveries {
    /// Median.
    pub p50: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// One time.
struct Repeat<'a> {
    label: &'a str,
    at: f64,
    own: Vec<&'a Disruption>,
}

/// A summary a label, in the order in which each was done first.
#[must_use]
pub fn summaries(
    marks: &[MarkRow],
    hooks: &[HookRow],
    disruptions: &[Disruption],
) -> Vec<DisruptionSummary> {
    let commands = hooks.iter().map(|hook| of_hook(hook, hooks, disruptions));
    let marked = marks.iter().filter(|mark| stands_alone(mark, hooks));
    let marked = marked.map(|mark| Repeat {
        label: &mark.label,
        at: mark.at,
        own: at(&mark.disruptions_at, disruptions),
    });
    let mut repeats: Vec<Repeat> = commands.chain(marked).collect();
    repeats.sort_by(|a, b| a.at.total_cmp(&b.at));
    let mut labels: Vec<&str> = Vec::new();
    for repeat in &repeats {
        if !labels.contains(&repeat.label) {
            labels.push(repeat.label);
        }
    }
    let of = |label| summary(label, repeats.iter().filter(|repeat| repeat.label == label));
    labels.into_iter().map(of).collect()
}

/// A command owns what began before the next of its label was started.
fn of_hook<'a>(hook: &'a HookRow, hooks: &[HookRow], disruptions: &'a [Disruption]) -> Repeat<'a> {
    let later = hooks
        .iter()
        .filter(|other| other.label == hook.label && other.started > hook.started);
    let next = later
        .map(|other| other.started)
        .fold(f64::INFINITY, f64::min);
    let mut own = at(&hook.disruptions_at, disruptions);
    own.retain(|disruption| disruption.at < next);
    Repeat {
        label: &hook.label,
        at: hook.started,
        own,
    }
}

/// Whether a mark is a time of its own: it is no command's that ended, nor beside commands of its label, nor a command's end.
fn stands_alone(mark: &MarkRow, hooks: &[HookRow]) -> bool {
    let mut same = hooks.iter().filter(|hook| hook.label == mark.label);
    match mark.source.as_str() {
        "hook-started" => !same.any(|hook| (hook.started..=hook.ended).contains(&mark.at)),
        "hook-ended" => false,
        _ => same.next().is_none(),
    }
}

/// The disruptions that began then.
fn at<'a>(times: &[f64], disruptions: &'a [Disruption]) -> Vec<&'a Disruption> {
    let is_meant = |disruption: &&Disruption| times.contains(&disruption.at);
    disruptions.iter().filter(is_meant).collect()
}

fn summary<'a>(
    label: &str,
    repeats: impl Iterator<Item = &'a Repeat<'a>> + Clone,
) -> DisruptionSummary {
    let found = repeats.clone().filter(|repeat| !repeat.own.is_empty());
    let largest = |value: fn(&Disruption) -> f64| {
        let of = |repeat: &Repeat| repeat.own.iter().map(|own| value(own)).fold(0.0, f64::max);
        let mut values: Vec<f64> = found.clone().map(of).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let blackouts = largest(|disruption| disruption.blackout_ms);
    let recoveries = largest(|disruption| disruption.recovered_ms.unwrap_or(f64::INFINITY));
    let finite = |value: Option<f64>| value.filter(|ms| ms.is_finite());
    let not_recovered = recoveries.iter().filter(|ms| ms.is_infinite());
    DisruptionSummary {
        label: label.to_owned(),
        repeats: repeats.count() as u64,
        found: blackouts.len() as u64,
        blackout_ms: RepeatBlackouts {
            p50: Percentile::P50.of_sorted(&blackouts),
            p95: Percentile::P95.of_sorted(&blackouts),
            max: blackouts.last().copied(),
        },
        recovered_ms: RepeatRecoveries {
            p50: finite(Percentile::P50.of_sorted(&recoveries)),
            max: finite(recoveries.last().copied()),
        },
        not_recovered: not_recovered.count() as u64,
        streams_affected: found
            .flat_map(|repeat| repeat.own.iter())
            .map(|own| own.streams_affected)
            .max(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::{ByLeg, DisruptionKind, MarkEffect};
    use milliwatt_wire::facts::Phase;

    fn disruption(at: f64, blackout_ms: f64, recovered_ms: Option<f64>) -> Disruption {
        Disruption {
            at,
            kind: DisruptionKind::Pause,
            blackout_ms,
            brownout_ms: None,
            brownout_before_ms: None,
            brownout_after_ms: None,
            brownout_pdv_p99_ms: None,
            streams_affected: 500,
            streams: 500,
            calls_affected: 250,
            calls: 250,
            calls_lost: 0,
            packets_lost: 0,
            packets_late: 0,
            packets_not_sent: 0,
            recovered_ms,
            legs: Vec::new(),
            by_leg: ByLeg::default(),
            clock_step_ms: None,
            mark: None,
            mark_at: None,
            part: None,
            phase: Phase::Full,
            tainted: false,
        }
    }

    fn hook(started: f64, disruptions_at: &[f64]) -> HookRow {
        HookRow {
            label: "vMotion".to_owned(),
            started,
            ended: started + 5.0,
            outcome: "exited".to_owned(),
            exit_code: Some(0),
            detail: None,
            output: String::new(),
            effect: MarkEffect::Disruption,
            disruptions_at: disruptions_at.to_vec(),
        }
    }

    fn mark(label: &str, at: f64, source: &str, disruptions_at: &[f64]) -> MarkRow {
        MarkRow {
            label: label.to_owned(),
            at,
            source: source.to_owned(),
            detail: None,
            effect: MarkEffect::None,
            disruptions_at: disruptions_at.to_vec(),
        }
    }

    /// Five times, the third without effect, the second with two disruptions: blackouts 300, 450, 600, 700; of 4 the ranks of
    /// p50 and p95 are 2 and 4. One of four did not recover: the median is the second, 550, and the largest is none.
    #[test]
    fn a_command_that_is_repeated_has_the_distribution_of_its_blackouts() {
        let disruptions = [
            disruption(103.0, 300.0, Some(400.0)),
            disruption(203.0, 450.0, Some(550.0)),
            disruption(206.0, 200.0, Some(300.0)),
            disruption(403.0, 600.0, None),
            disruption(503.0, 700.0, Some(800.0)),
        ];
        let hooks = [
            hook(100.0, &[103.0]),
            hook(200.0, &[203.0, 206.0]),
            hook(300.0, &[]),
            hook(400.0, &[403.0]),
            hook(500.0, &[503.0]),
        ];
        // The marks of the commands are no times of their own.
        let marks = [
            mark("vMotion", 100.0, "hook-started", &[103.0]),
            mark("vMotion", 105.0, "hook-ended", &[]),
            mark("vMotion", 201.0, "told", &[203.0]),
        ];
        let expected = DisruptionSummary {
            label: "vMotion".to_owned(),
            repeats: 5,
            found: 4,
            blackout_ms: RepeatBlackouts {
                p50: Some(450.0),
                p95: Some(700.0),
                max: Some(700.0),
            },
            recovered_ms: RepeatRecoveries {
                p50: Some(550.0),
                max: None,
            },
            not_recovered: 1,
            streams_affected: Some(500),
        };
        assert_eq!(summaries(&marks, &hooks, &disruptions), [expected]);
    }

    /// Commands 20 s apart: what began 60 s after the first, and after the third had begun, is the third's alone.
    #[test]
    fn what_two_commands_may_have_done_is_the_later_one_s() {
        let disruptions = [disruption(142.0, 300.0, Some(400.0))];
        let hooks = [100.0, 120.0, 140.0].map(|started| hook(started, &[142.0]));
        let [only] = &summaries(&[], &hooks, &disruptions)[..] else {
            panic!("one label")
        };
        assert_eq!((only.repeats, only.found), (3, 1));
    }

    /// Told by people or a hypervisor, each is a time; a command that was still running at the end is one too.
    #[test]
    fn each_label_has_a_row_in_the_order_of_its_first_time() {
        let disruptions = [disruption(62.0, 300.0, Some(400.0))];
        let marks = [
            mark("snapshot", 10.0, "told", &[]),
            mark("move", 60.0, "hypervisor", &[62.0]),
            mark("snapshot", 90.0, "scenario", &[]),
            mark("backup", 99.0, "hook-started", &[]),
        ];
        let rows = summaries(&marks, &[], &disruptions);
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.label.as_str(),
                    row.repeats,
                    row.found,
                    row.blackout_ms.p50,
                )
            })
            .collect();
        let expected = [
            ("snapshot", 2, 0, None),
            ("move", 1, 1, Some(300.0)),
            ("backup", 1, 0, None),
        ];
        assert_eq!(rows, expected);
        assert!(summaries(&[], &[], &disruptions).is_empty());
    }
}
