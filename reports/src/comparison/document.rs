//! `comparison.json`, and what `milliwatt compare --json` prints. Field names are fixed and only ever added to;
//! `comparison.schema.json` describes them.

use super::{Compared, ComparedRun, EnvironmentDifference, words};
use crate::figures;
use milliwatt_scoring::comparison::{Change, MetricComparison};
use serde::Serialize;

/// Version of the format.
const SCHEMA_VERSION: u32 = 1;

/// The whole document.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'a> {
    schema_version: u32,
    verdict: Change,
    scenario: &'a str,
    /// What changed besides.
    environment: &'a [EnvironmentDifference],
    /// What should have been equal and was not.
    forced: &'a [String],
    baseline: Vec<Run<'a>>,
    runs: Vec<Run<'a>>,
    /// Figures that share the chance of an error.
    judged: usize,
    metrics: &'a [MetricComparison],
    notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Run<'a> {
    directory: &'a str,
    started: String,
    calls: u64,
    full_load_s: Option<u32>,
}

impl<'a> Document<'a> {
    /// Of what was compared.
    #[must_use]
    pub fn of(compared: &'a Compared) -> Self {
        let runs = |runs: &'a [ComparedRun]| runs.iter().map(Run::of).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            verdict: compared.comparison.verdict,
            scenario: &compared.scenario,
            environment: &compared.environment,
            forced: &compared.forced,
            baseline: runs(&compared.baseline),
            runs: runs(&compared.runs),
            judged: compared.comparison.judged,
            metrics: &compared.comparison.metrics,
            notes: words::notes(compared),
        }
    }

    /// Indented, with a line end.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl<'a> Run<'a> {
    fn of(run: &'a ComparedRun) -> Self {
        Self {
            directory: &run.directory,
            started: figures::rfc3339(run.started),
            calls: run.measured.calls.started,
            full_load_s: run.measured.full_load.map(|(from, to)| to - from),
        }
    }
}
