//! `comparison.html`: one file that needs no network, with the plots inside.

use super::{Compared, environment, terminal, words};
use crate::plots::Plot;
use askama::Template;
use milliwatt_scoring::comparison::{Change, MetricComparison};

#[derive(Template)]
#[template(path = "comparison.html")]
struct Page<'a> {
    scenario: &'a str,
    verdict: &'static str,
    class: &'static str,
    headline: String,
    forced: &'a [String],
    /// What is compared: the side, and the run.
    runs: Vec<(&'static str, String)>,
    environment: Vec<Row>,
    metrics: Vec<MetricRow>,
    plots: &'a [Plot],
    notes: Vec<String>,
}

/// A fact that differs.
struct Row {
    name: String,
    baseline: String,
    run: String,
    remark: &'static str,
}

/// A metric.
struct MetricRow {
    class: &'static str,
    outcome: &'static str,
    subject: String,
    remarks: Vec<String>,
    values: String,
    difference: String,
    least: String,
    location: String,
}

/// The whole file.
pub(super) fn render(compared: &Compared, plots: &[Plot]) -> Result<String, askama::Error> {
    let comparison = &compared.comparison;
    let sides = [("baseline", &compared.baseline), ("run", &compared.runs)];
    let runs = sides
        .into_iter()
        .flat_map(|(name, runs)| runs.iter().map(move |run| (name, terminal::described(run))));
    let page = Page {
        scenario: &compared.scenario,
        verdict: words::verdict(comparison.verdict),
        class: match comparison.verdict {
            Change::Worse => "FAIL",
            Change::CannotTell => "INVALID",
            Change::Better | Change::Same => "PASS",
        },
        headline: words::headline(comparison),
        forced: &compared.forced,
        runs: runs.collect(),
        environment: compared.environment.iter().map(row).collect(),
        metrics: ordered(&comparison.metrics)
            .into_iter()
            .map(metric_row)
            .collect(),
        plots,
        notes: words::notes(compared),
    };
    page.render()
}

fn row(difference: &super::EnvironmentDifference) -> Row {
    Row {
        name: difference.name.clone(),
        baseline: environment::values(&difference.baseline),
        run: environment::values(&difference.run),
        remark: if difference.incidental {
            "changes of itself"
        } else {
            ""
        },
    }
}

/// Worse first, then better, then what cannot be told, what is the same, what was not measured.
fn ordered(metrics: &[MetricComparison]) -> Vec<&MetricComparison> {
    let rank = |metric: &MetricComparison| match metric.verdict {
        Some(Change::Worse) => 0,
        Some(Change::Better) => 1,
        Some(Change::CannotTell) => 2,
        Some(Change::Same) => 3,
        None => 4,
    };
    let mut ordered: Vec<&MetricComparison> = metrics.iter().collect();
    ordered.sort_by_key(|metric| rank(metric));
    ordered
}

fn metric_row(metric: &MetricComparison) -> MetricRow {
    let mut remarks = words::remarks(metric);
    if !metric.decides {
        remarks.push("does not decide".to_owned());
    }
    MetricRow {
        class: match metric.verdict {
            Some(Change::Worse) => "fail",
            Some(Change::CannotTell) | None => "warn",
            Some(Change::Better | Change::Same) => "pass",
        },
        outcome: words::outcome(metric),
        subject: words::subject(metric),
        remarks,
        values: words::values(metric),
        difference: words::difference(metric),
        least: words::least(metric),
        location: words::location(metric),
    }
}
