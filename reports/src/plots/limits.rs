//! Thresholds as lines in a plot.

use crate::figures;
use milliwatt_scoring::measured::ThresholdResult;
use milliwatt_wire::id::Leg;

/// A threshold in a plot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    /// Where it lies; none when its quantity is not an axis of the plot.
    pub(super) value: Option<f64>,
    /// What is said beside the line.
    pub(super) label: [String; 2],
}

/// The limits on `metric` (`pdv_ms` stands for all its figures) of one leg, or of both with equal
/// ones told once.
pub(super) fn of(thresholds: &[ThresholdResult], metric: &str, leg: Option<Leg>) -> Vec<Limit> {
    let mut limits: Vec<Limit> = Vec::new();
    let found: Vec<_> = thresholds
        .iter()
        .filter(|t| leg.is_none() || t.leg == leg)
        .filter_map(|t| Some((t, figure(t, metric)?)))
        .collect();
    for (threshold, figure) in &found {
        let twins = found
            .iter()
            .filter(|(other, name)| name == figure && same(threshold, other))
            .count();
        let place = match (leg, threshold.leg) {
            (None, Some(own)) if twins == 1 => format!(", {} leg", own.key()),
            (None, Some(_)) => ", both legs".to_owned(),
            _ => String::new(),
        };
        let limit = Limit {
            value: Some(threshold.limit),
            label: [
                format!(
                    "limit {}",
                    figures::quantity(threshold.limit, &threshold.unit)
                ),
                format!("{}{}{place}", spoken(figure), window(threshold)),
            ],
        };
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    limits
}

/// The limits of a metric that is no axis of the plot: told with what was measured, no line.
pub(super) fn told(thresholds: &[ThresholdResult], metric: &str, leg: Leg) -> Vec<Limit> {
    let tell = |t: &ThresholdResult| {
        let figure = figure(t, metric).filter(|_| t.leg.is_none_or(|own| own == leg))?;
        let measured = t.measured.map_or_else(
            || "not measured".to_owned(),
            |value| format!("measured {}", figures::number(value)),
        );
        Some(Limit {
            value: None,
            label: [
                format!("limit {}: {measured}", figures::number(t.limit)),
                figure.replace('_', " "),
            ],
        })
    };
    thresholds.iter().filter_map(tell).collect()
}

/// The part of a threshold's metric after `metric`; none when it is another metric.
fn figure<'a>(threshold: &'a ThresholdResult, metric: &str) -> Option<&'a str> {
    let path = threshold
        .metric
        .strip_prefix("legs.")
        .map_or(threshold.metric.as_str(), |rest| {
            rest.split_once('.').map_or(rest, |(_, path)| path)
        });
    match path.strip_prefix(metric)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    }
}

fn same(a: &ThresholdResult, b: &ThresholdResult) -> bool {
    a.limit.total_cmp(&b.limit).is_eq() && a.window == b.window
}

fn spoken(figure: &str) -> &str {
    match figure {
        "p999" => "p99.9",
        other => other,
    }
}

fn window(threshold: &ThresholdResult) -> String {
    if threshold.window == "run" {
        " in the run".to_owned()
    } else {
        format!(" in any {}", threshold.window)
    }
}
