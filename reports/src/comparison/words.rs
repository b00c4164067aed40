//! What was found, in words.

use super::Compared;
use crate::figures::{self, counted};
use milliwatt_scoring::comparison::{Change, Comparison, MetricComparison};

/// `WORSE`, `SAME`, ...
pub(super) fn verdict(change: Change) -> &'static str {
    match change {
        Change::Better => "BETTER",
        Change::Same => "SAME",
        Change::Worse => "WORSE",
        Change::CannotTell => "CANNOT TELL",
    }
}

/// The verdict of one metric.
pub(super) fn outcome(metric: &MetricComparison) -> &'static str {
    match metric.verdict {
        Some(Change::Better) => "better",
        Some(Change::Same) => "same",
        Some(Change::Worse) => "worse",
        Some(Change::CannotTell) => "cannot tell",
        None => "not measured",
    }
}

/// How the verdict came about.
pub(super) fn headline(comparison: &Comparison) -> String {
    let count = |change| {
        let deciding = comparison.metrics.iter().filter(|metric| metric.decides);
        deciding
            .filter(|metric| metric.verdict == Some(change))
            .count()
    };
    format!(
        "of {} {} worse, {} better, {} the same, {} cannot be told",
        counted(comparison.judged as u64, "figure"),
        count(Change::Worse),
        count(Change::Better),
        count(Change::Same),
        count(Change::CannotTell)
    )
}

/// A metric and its leg.
pub(super) fn subject(metric: &MetricComparison) -> String {
    match metric.leg {
        Some(leg) => format!("{}, {}", metric.metric, leg.title()),
        None => metric.metric.to_owned(),
    }
}

/// Before and after.
pub(super) fn values(metric: &MetricComparison) -> String {
    match metric.baseline.zip(metric.run) {
        Some((baseline, run)) => {
            format!("{} -> {}", rounded(baseline), quantity(run, metric.unit))
        }
        None => figures::NOT_MEASURED.to_owned(),
    }
}

/// The difference with its interval.
pub(super) fn difference(metric: &MetricComparison) -> String {
    match metric.difference.zip(metric.interval_95) {
        Some((difference, interval)) => {
            format!("{} ({})", signed(difference), between(interval))
        }
        None => figures::NOT_MEASURED.to_owned(),
    }
}

/// The least difference that matters.
pub(super) fn least(metric: &MetricComparison) -> String {
    let least = metric.least_difference;
    least.map_or_else(
        || figures::NOT_MEASURED.to_owned(),
        |least| quantity(least, metric.unit),
    )
}

/// Why it cannot be told, and what would tell; nothing where it can.
pub(super) fn remarks(metric: &MetricComparison) -> Vec<String> {
    if metric.verdict != Some(Change::CannotTell) {
        return Vec::new();
    }
    let mut remarks: Vec<String> = metric.reason.iter().cloned().collect();
    if metric.reason.is_none() && is_beyond_alone(metric) {
        remarks.push("alone it would be told, but not among so many figures".to_owned());
    }
    remarks.push(match metric.needed {
        Some(needed) => {
            let streams = needed.streams.map_or_else(String::new, |streams| {
                format!(" ({} a side)", counted(streams, "stream"))
            });
            format!(
                "to tell: about {} times as many calls or minutes{streams}, or as many runs",
                figures::number((needed.times * 10.0).ceil() / 10.0)
            )
        }
        None => "the difference is about the least that matters, or the noise is too large: more calls would hardly tell".to_owned(),
    });
    remarks
}

/// The interval of this metric alone lies beyond the least difference.
fn is_beyond_alone(metric: &MetricComparison) -> bool {
    metric
        .interval_95
        .zip(metric.least_difference)
        .is_some_and(|([low, high], least)| low > least || high < -least)
}

/// What a reader must know of all intervals.
pub(super) fn notes(compared: &Compared) -> Vec<String> {
    let [before, after] = compared.comparison.runs;
    let runs = match (before, after) {
        (1, 1) => "One run a side: the noise from run to run is not known, and taken to be as large as what streams and seconds of a run show. Where runs differ by more, the intervals are too narrow: repeat both (--baseline for more runs before).".to_owned(),
        (1, _) | (_, 1) => "One side is a single run: its noise from run to run is taken from the other side.".to_owned(),
        _ => format!("{before} runs against {after}: intervals hold the noise from run to run, as far as so few runs show it."),
    };
    vec![
        runs,
        "Intervals: 95 %, over streams and over blocks of time, never over packets. Worse or better: the interval that holds for all figures together lies wholly beyond the least difference that matters. Same: the 95 % interval lies within it on both sides. Else: cannot tell.".to_owned(),
        "guest.cpu_percent and guest.steal_percent are shown and do not decide.".to_owned(),
    ]
}

fn quantity(value: f64, unit: &str) -> String {
    let unit = if unit == "percent" { "%" } else { unit };
    format!("{} {unit}", rounded(value))
}

/// Four digits at most: an estimate has no more.
fn rounded(value: f64) -> String {
    let magnitude = if value == 0.0 {
        0.0
    } else {
        value.abs().log10().floor()
    };
    let unit = 10_f64.powf(magnitude - 3.0);
    figures::number((value / unit).round() * unit)
}

fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", rounded(value))
}

fn between([low, high]: [f64; 2]) -> String {
    format!("{} to {}", signed(low), signed(high))
}

/// Where the streams of one side lie against the other's.
pub(super) fn location(metric: &MetricComparison) -> String {
    metric.location.map_or_else(
        || figures::NOT_MEASURED.to_owned(),
        |location| {
            format!(
                "{}; higher in {} % of pairs; p {}",
                signed(location.shift),
                figures::number((location.share * 100.0).round()),
                if location.p < 1e-4 {
                    "< 0.0001".to_owned()
                } else {
                    figures::number((location.p * 1e4).round() / 1e4)
                }
            )
        },
    )
}
