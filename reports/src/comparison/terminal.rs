//! What a comparison ends with on a terminal: the verdict, what else changed, what got worse. Plain text, at most 100
//! columns.

use super::environment;
use super::words;
use super::{Compared, ComparedRun};
use crate::figures;
use crate::terminal::Page;
use milliwatt_scoring::comparison::{Change, MetricComparison};

/// The summary.
#[must_use]
pub fn render(compared: &Compared) -> String {
    let mut page = Page::default();
    heading(&mut page, compared);
    environment(&mut page, compared);
    for (change, title) in [
        (Change::Worse, "Worse"),
        (Change::Better, "Better"),
        (Change::CannotTell, "Cannot tell"),
    ] {
        told(&mut page, compared, change, title);
    }
    same(&mut page, compared);
    notes(&mut page, compared);
    page.text
}

fn heading(page: &mut Page, compared: &Compared) {
    let comparison = &compared.comparison;
    page.line(
        0,
        &format!(
            "{}  {}: {}",
            words::verdict(comparison.verdict),
            compared.scenario,
            words::headline(comparison)
        ),
    );
    for (name, runs) in [("baseline", &compared.baseline), ("run", &compared.runs)] {
        for run in runs {
            page.labelled(name, &described(run));
        }
    }
    for line in &compared.forced {
        page.line(0, &format!("FORCED: {line}"));
    }
}

pub(super) fn described(run: &ComparedRun) -> String {
    let seconds = run.measured.full_load.map_or(0, |(from, to)| to - from);
    format!(
        "{} (started {}, {} calls, {} at full load)",
        run.directory,
        figures::date(run.started),
        figures::count(run.measured.calls.started),
        figures::duration(f64::from(seconds))
    )
}

fn environment(page: &mut Page, compared: &Compared) {
    let (others, incidental): (Vec<_>, Vec<_>) = compared
        .environment
        .iter()
        .partition(|difference| !difference.incidental);
    if others.is_empty() {
        page.section("What else changed: nothing that environment.json knows of");
    } else {
        page.section("What else changed (environment.json)");
    }
    for difference in others {
        page.labelled(
            &difference.name,
            &format!(
                "{} -> {}",
                environment::values(&difference.baseline),
                environment::values(&difference.run)
            ),
        );
    }
    if !incidental.is_empty() {
        let names: Vec<&str> = incidental
            .iter()
            .map(|difference| difference.name.as_str())
            .collect();
        page.line(2, &format!("of themselves: {}", names.join(", ")));
    }
}

fn told(page: &mut Page, compared: &Compared, change: Change, title: &str) {
    let metrics = of(compared, change);
    if metrics.is_empty() {
        return;
    }
    page.section(title);
    for metric in metrics {
        let shown = if metric.decides {
            ""
        } else {
            " (does not decide)"
        };
        page.line(2, &format!("{}{shown}", words::subject(metric)));
        page.line(
            6,
            &format!(
                "{}: {}; matters from {} on",
                words::values(metric),
                words::difference(metric),
                words::least(metric)
            ),
        );
        if let Some(location) = metric.location.filter(|_| change != Change::CannotTell) {
            page.line(
                6,
                &format!(
                    "streams: shift {}, the one after higher in {} % of pairs",
                    figures::number((location.shift * 1000.0).round() / 1000.0),
                    figures::number((location.share * 100.0).round())
                ),
            );
        }
        for remark in words::remarks(metric) {
            page.line(6, &remark);
        }
    }
}

fn of(compared: &Compared, change: Change) -> Vec<&MetricComparison> {
    let metrics = compared.comparison.metrics.iter();
    metrics
        .filter(|metric| metric.verdict == Some(change))
        .collect()
}

fn same(page: &mut Page, compared: &Compared) {
    let metrics = of(compared, Change::Same);
    if metrics.is_empty() {
        return;
    }
    page.section("Same: before -> after, difference (95 % interval), matters from");
    for metric in metrics {
        let subject = match metric.leg {
            Some(leg) => format!("{} {}", leg.key(), metric.metric),
            None => metric.metric.to_owned(),
        };
        page.row(&format!("{subject:<42} {}", words::values(metric)));
        page.row(&format!(
            "{:<42} {}; {}",
            "",
            words::difference(metric),
            words::least(metric)
        ));
    }
}

fn notes(page: &mut Page, compared: &Compared) {
    page.section("How to read this");
    for note in words::notes(compared) {
        page.line(2, &format!("- {note}"));
    }
    let unmeasured: Vec<String> = compared
        .comparison
        .metrics
        .iter()
        .filter(|metric| metric.verdict.is_none())
        .map(words::subject)
        .collect();
    if !unmeasured.is_empty() {
        page.line(
            2,
            &format!("- Not measured in all runs: {}", unmeasured.join("; ")),
        );
    }
}
