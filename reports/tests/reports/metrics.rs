//! `scoring/METRICS.md` and what is written agree in both directions: every figure has a row, every row a figure, and
//! every test that a row names exists.

use crate::sample;
use milliwatt_reports::Scorecard;
use milliwatt_scoring::breaking_point::breaking_points;
use milliwatt_scoring::measured::{Measured, StepLeg, StepOutcome, StepRow};
use milliwatt_wire::step::StepKind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const DOCUMENT: &str = include_str!("../../../scoring/METRICS.md");
/// Parts of a scorecard whose figures are metrics, beside the legs.
const PARTS: [&str; 7] = [
    "recordings",
    "validity",
    "guest",
    "host",
    "clock",
    "calls",
    "control_mbps",
];
/// Rows under this have names for people.
const UNNAMED: &str = "What has no name of its own in JSON";

/// A row of a table: its section, the names in its first cell, the tests in its last.
struct Row {
    names: Vec<String>,
    tests: Vec<String>,
    cells: usize,
}

fn rows(document: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut section = "";
    for line in document.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if !line.starts_with("| ") || cells[0] == "name" {
            continue;
        }
        rows.push(Row {
            names: if section == UNNAMED {
                Vec::new()
            } else {
                quoted(cells[0])
            },
            tests: quoted(cells[cells.len() - 1]),
            cells: cells.len(),
        });
    }
    rows
}

/// What stands in backquotes; `a.{b,c}` is `a.b` and `a.c`.
fn quoted(cell: &str) -> Vec<String> {
    let expanded = |name: &str| match name.split_once('{') {
        Some((before, after)) => {
            let ends = after.trim_end_matches('}').split(',');
            ends.map(|end| format!("{before}{end}")).collect()
        }
        None => vec![name.to_owned()],
    };
    cell.split('`')
        .skip(1)
        .step_by(2)
        .flat_map(expanded)
        .collect()
}

/// The path of every figure in a value; an array is what its first element is.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                paths(field, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => paths(&items[0], path, found),
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// Every figure of the scorecard's parts, of its legs and of a capture's streams.
fn figures() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let scorecard = Scorecard::new(&sample::context(), &searched());
    let mut scorecard = serde_json::to_value(scorecard).unwrap();
    for part in PARTS {
        paths(&scorecard[part], part, &mut found);
    }
    paths(&scorecard["legs"]["receive"], "", &mut found);
    paths(
        &scorecard["breaking_point"]["sent"],
        "breaking_point",
        &mut found,
    );
    let mut step = scorecard["steps"][0].take();
    let legs = ["receive", "sent"].map(|leg| step.as_object_mut().unwrap().remove(leg).unwrap());
    for of_step in [&step, &legs[1]] {
        paths(of_step, "steps", &mut found);
    }
    paths(
        &scorecard["attribution"]["receive"],
        "attribution",
        &mut found,
    );
    paths(&scorecard["timers"]["tester"], "timers", &mut found);
    paths(&scorecard["transfers"]["sent"], "transfers", &mut found);
    let moved = Scorecard::new(&sample::context(), &sample::disruptions::moved());
    let mut disruption = serde_json::to_value(&moved.disruptions[0]).unwrap();
    let legs = disruption
        .as_object_mut()
        .unwrap()
        .remove("by_leg")
        .unwrap();
    paths(&disruption, "disruptions", &mut found);
    paths(&legs["sent"], "disruptions.by_leg", &mut found);
    let contended = Scorecard::new(&sample::context(), &sample::neighbours::contended());
    let contended = serde_json::to_value(contended).unwrap();
    for part in ["neighbours", "contention"] {
        paths(&contended[part], part, &mut found);
    }
    let summary = serde_json::to_value(&moved.disruption_summary).unwrap();
    paths(&summary, "disruption_summary", &mut found);
    let analysis = serde_json::to_value(sample::capture()).unwrap();
    let streams = analysis["streams"].as_array().unwrap();
    let reported = streams.iter().find(|stream| stream["reported"].is_object());
    paths(reported.unwrap(), "", &mut found);
    found
}

/// A run with a step, and what it says.
fn searched() -> Measured {
    let leg = StepLeg {
        outcome: StepOutcome::Good,
        offered_mbps: Some(40.2),
        carried_mbps: Some(40.1),
        transfer_mbps: Some(2.1),
        loss_percent: Some(0.0),
        discarded_percent: Some(0.0),
        dead_air_events: 0,
        pdv_p999_ms: Some(1.2),
        transfer_goodput_percent: Some(100.0),
        metric: None,
        at_s: None,
    };
    let steps = vec![StepRow {
        index: 0,
        kind: StepKind::Search,
        from_s: 2.0,
        until_s: 8.0,
        calls: 200,
        target_mbps: 40.0,
        receive: leg.clone(),
        sent: leg,
    }];
    Measured {
        breaking_point: breaking_points(&steps),
        steps,
        ..sample::fail()
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Sources by their path from the top, without `.rs`.
fn sources() -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut folders: Vec<PathBuf> = [
        "scoring/src",
        "receiver/src",
        "receiver/tests",
        "generator/src",
        "agent/src",
        "cli/src",
        "tests/calls",
    ]
    .map(|folder| repository().join(folder))
    .into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path.strip_prefix(repository()).unwrap().with_extension("");
                sources.insert(name.to_str().unwrap().replace('\\', "/"), text);
            }
        }
    }
    sources
}

/// What is wrong with a document about these figures and sources.
fn errors(
    document: &str,
    figures: &BTreeSet<String>,
    sources: &BTreeMap<String, String>,
) -> Vec<String> {
    let rows = rows(document);
    let named: BTreeSet<String> = rows.iter().flat_map(|row| row.names.clone()).collect();
    let missing = figures
        .difference(&named)
        .map(|name| format!("{name}: no row"));
    let stale = named
        .difference(figures)
        .map(|name| format!("{name}: no figure"));
    let mut found: Vec<String> = missing.chain(stale).collect();
    for row in rows {
        let first = row.names.first().cloned().unwrap_or_default();
        if row.cells != 7 || row.tests.is_empty() {
            found.push(format!(
                "{first}: {} cells, {} tests",
                row.cells,
                row.tests.len()
            ));
        }
        let unknown = row.tests.iter().filter(|test| !exists(test, sources));
        found.extend(unknown.map(|test| format!("{test}: no test")));
    }
    found
}

fn exists(test: &str, sources: &BTreeMap<String, String>) -> bool {
    let Some((file, function)) = test.split_once("::") else {
        return false;
    };
    // A module's tests may stand in a file of their own, which either name means.
    let is_meant = |path: &str| {
        let named = |path: &str| {
            let own = path.starts_with("scoring/src/");
            path == file || own && path.rsplit('/').next() == Some(file)
        };
        named(path) || path.strip_suffix("/tests").is_some_and(named)
    };
    sources
        .iter()
        .filter(|(path, _)| is_meant(path))
        .any(|(_, text)| {
            let tests = text.split("#[test]").skip(1);
            let mut names = tests.filter_map(|rest| rest.split_once("fn ")?.1.split('(').next());
            names.any(|name| function == "*" || name == function)
        })
}

#[test]
fn every_figure_has_a_row_and_every_row_its_tests() {
    assert_eq!(
        errors(DOCUMENT, &figures(), &sources()),
        Vec::<String>::new()
    );
}

#[test]
fn the_check_finds_what_is_wrong() {
    let of = |document: &str| errors(document, &figures(), &sources());
    let renamed = DOCUMENT.replace("| `impairment_events` |", "| `impairments` |");
    assert_eq!(
        of(&renamed),
        ["impairment_events: no row", "impairments: no figure"]
    );
    let untested = DOCUMENT.replace(
        "`burst_gap::the_example_of_rfc_3611`",
        "`burst_gap::the_example`",
    );
    assert_eq!(of(&untested), ["burst_gap::the_example: no test"]);
    let cut = DOCUMENT.replace("| `streams` | - | - |", "| `streams` | - |");
    assert_eq!(of(&cut), ["streams: 6 cells, 1 tests"]);
    assert_eq!(of("").len(), figures().len(), "nothing is described");
}
