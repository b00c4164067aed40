//! Thresholds as written: checked, and turned into what scoring judges by.

use super::check::Findings;
use super::diagnostic::nearest;
use super::file::{self, Scenario};
use super::value::Duration;
use milliwatt_scoring::judgement::{
    Basis, Bound, FigureKey, Judgement, PublishedFigure, Threshold, Window, default_thresholds,
};
use milliwatt_scoring::metric::{find_metric, known_metrics};
use milliwatt_wire::id::Leg;
use milliwatt_wire::time::NS_PER_SECOND;

/// Checks the threshold at place `index` of the file.
pub(super) fn check(threshold: &file::Threshold, index: usize, found: &mut Findings) {
    let at = |key: &str| format!("threshold.{index}.{key}");
    let one_bound = threshold.max.is_some() != threshold.min.is_some();
    found.require(
        one_bound,
        format!("threshold.{index}"),
        "its limit is not clear",
        "exactly one of `max` and `min`",
    );
    found.require(
        threshold.per != Some(0),
        at("per"),
        "per 0",
        "1 or more, or left out",
    );
    let window = window(threshold.window.as_deref());
    let allowed = "\"run\" or whole seconds, such as \"10s\" or \"5m\"";
    found.require(window.is_some(), at("window"), "this is no window", allowed);
    let Some(metric) = find_metric(&threshold.metric) else {
        let message = format!("there is no metric `{}`", threshold.metric);
        found.require(
            false,
            at("metric"),
            message,
            near_metrics(&threshold.metric),
        );
        return;
    };
    let legs = metric.of_leg || threshold.leg.is_none();
    found.require(
        legs,
        at("leg"),
        format!("`{}` has no legs", metric.path),
        "leave `leg` out",
    );
    let run_only = window == Some(Window::Run);
    found.require(
        metric.windowed || run_only,
        at("window"),
        format!("`{}` is known for the whole run only", metric.path),
        "\"run\"",
    );
}

/// The metrics that a wrong path may have meant: nearest first, then those that share a part.
fn near_metrics(path: &str) -> String {
    let paths = || known_metrics().iter().map(|metric| metric.path);
    let mut near: Vec<&str> = nearest(path, paths()).into_iter().collect();
    let parts: Vec<&str> = path
        .split(['.', '_'])
        .filter(|part| part.len() > 2)
        .collect();
    near.extend(paths().filter(|known| parts.iter().any(|part| known.contains(part))));
    let mut shown: Vec<&str> = Vec::new();
    for metric in near {
        if !shown.contains(&metric) {
            shown.push(metric);
        }
    }
    if shown.is_empty() {
        return format!("one of: {}", paths().collect::<Vec<_>>().join(", "));
    }
    shown.truncate(6);
    format!("near ones: {}", shown.join(", "))
}

/// By what a scenario is judged: its own thresholds, and the defaults that it leaves.
#[must_use]
pub fn judgement(scenario: &Scenario) -> Judgement {
    let own: Vec<Threshold> = scenario.thresholds.iter().filter_map(threshold).collect();
    // A load that is raised until it breaks goes past every one of them.
    let defaults = if scenario.default_thresholds && scenario.ramp.is_none() {
        default_thresholds()
    } else {
        Vec::new()
    };
    let mut thresholds: Vec<Threshold> = defaults
        .iter()
        .filter_map(|default| left_of(default, &own))
        .collect();
    thresholds.extend(own);
    Judgement {
        thresholds,
        document: scenario.document.iter().map(figure).collect(),
        lateness_bound_us: microseconds(scenario.validity.lateness),
        ..Judgement::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 20 ms")]
fn microseconds(duration: Duration) -> f64 {
    duration.0 as f64 / 1000.0
}

/// What remains of a default where the scenario sets the same metric on some or all of its legs.
fn left_of(default: &Threshold, own: &[Threshold]) -> Option<Threshold> {
    let legs_of = |threshold: &Threshold| {
        find_metric(&threshold.metric)
            .map_or_else(Vec::new, |metric| metric.judged_legs(threshold.leg))
    };
    let replaced: Vec<Option<Leg>> = own
        .iter()
        .filter(|other| other.metric == default.metric)
        .flat_map(legs_of)
        .collect();
    let legs = legs_of(default);
    let left: Vec<Option<Leg>> = legs
        .iter()
        .copied()
        .filter(|leg| !replaced.contains(leg))
        .collect();
    match left.as_slice() {
        [] => None,
        all if all.len() == legs.len() => Some(default.clone()),
        some => Some(Threshold {
            leg: some[0],
            ..default.clone()
        }),
    }
}

fn threshold(written: &file::Threshold) -> Option<Threshold> {
    let (bound, limit) = match (written.max, written.min) {
        (Some(max), _) => (Bound::Max, max),
        (None, min) => (Bound::Min, min?),
    };
    Some(Threshold {
        metric: written.metric.clone(),
        leg: written.leg.map(|leg| {
            if leg == file::Leg::Receive {
                Leg::Receive
            } else {
                Leg::Sent
            }
        }),
        bound,
        limit,
        per: written.per.map(u64::from),
        window: window(written.window.as_deref())?,
        unit: find_metric(&written.metric)?.unit.to_owned(),
        basis: written.basis.map_or(Basis::Own, basis),
        source: written
            .source
            .clone()
            .unwrap_or_else(|| "this scenario".to_owned()),
        warns_only: written.warns_only,
    })
}

fn basis(written: file::Basis) -> Basis {
    match written {
        file::Basis::Document => Basis::Document,
        file::Basis::Standard => Basis::Standard,
        file::Basis::Own => Basis::Own,
        file::Basis::Practice => Basis::Practice,
    }
}

/// `run` (also when left out), or whole seconds; none when it is neither.
fn window(written: Option<&str>) -> Option<Window> {
    match written {
        None | Some("run") => Some(Window::Run),
        Some(text) => {
            let ns = text.parse::<Duration>().ok()?.0;
            let seconds = u32::try_from(ns / NS_PER_SECOND).ok()?;
            (seconds > 0 && ns % NS_PER_SECOND == 0).then_some(Window::Seconds(seconds))
        }
    }
}

fn figure(written: &file::Figure) -> PublishedFigure {
    PublishedFigure {
        figure: written.figure.clone(),
        key: match written.measured {
            file::Measured::ReceiveMegabytesPerSecond => FigureKey::ReceiveMegabytesPerSecond,
            file::Measured::SentMegabytesPerSecond => FigureKey::SentMegabytesPerSecond,
            file::Measured::SilentRecordings => FigureKey::SilentRecordings,
            file::Measured::GuestCpuPercent => FigureKey::GuestCpuPercent,
        },
        published: written.published,
        unit: written.unit.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_on_one_leg_leaves_the_default_to_the_other() {
        let own = Threshold {
            leg: Some(Leg::Sent),
            limit: 1.0,
            ..default_of("loss_percent")
        };
        assert_eq!(
            left_of(&default_of("loss_percent"), &[own]).and_then(|left| left.leg),
            Some(Leg::Receive)
        );
        assert_eq!(
            left_of(&default_of("loss_percent"), &[default_of("loss_percent")]),
            None
        );
        let other = default_of("pdv_ms.p999");
        assert_eq!(
            left_of(&default_of("loss_percent"), &[other]),
            Some(default_of("loss_percent"))
        );
    }

    fn default_of(metric: &str) -> Threshold {
        default_thresholds()
            .into_iter()
            .find(|threshold| threshold.metric == metric)
            .unwrap()
    }
}
