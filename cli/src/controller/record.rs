//! `run.json` and `environment.json`: what a later `milliwatt report` must know beside the facts.

use super::environment::Environment;
use super::scope::{describe_guest, describe_scope};
use super::setup::Ready;
use crate::exit::Failure;
use crate::run::RunRequest;
use milliwatt_agent::telemetry::environment;
use milliwatt_reports::context::{NoiseFloor, RunContext};
use milliwatt_wire::clock::{mono_now, wall_now};
use milliwatt_wire::time::RunClock;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One run's identity, written when it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Version of this file's format.
    pub version: u32,
    /// The run's random identity, 16 hexadecimal digits.
    pub run: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The published test it reproduces.
    pub source: Option<String>,
    /// Run time zero by the tester's wall clock, ns since 1970.
    pub started: i64,
    /// Version of milliwatt.
    pub milliwatt: String,
    /// The command line.
    pub command: String,
    /// What was in the path and what was not.
    pub scope: Vec<String>,
    /// The guest program.
    pub guest: String,
    /// What calibration found on the tester.
    pub floor: Option<NoiseFloor>,
}

/// The format of `run.json`.
pub const RECORD_VERSION: u32 = 2;

/// Writes a JSON file of the run's folder.
pub fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> Result<(), Failure> {
    let path = folder.join(name);
    let failed =
        |e: String| Failure::could_not_run(format!("cannot write {}: {e}", path.display()));
    let text = serde_json::to_string_pretty(value).map_err(|e| failed(e.to_string()))?;
    std::fs::write(&path, text + "\n").map_err(|e| failed(e.to_string()))
}

/// Reads one.
pub fn read_json<T: for<'de> Deserialize<'de>>(folder: &Path, name: &str) -> Result<T, Failure> {
    let path = folder.join(name);
    let failed = |e: String| {
        Failure::could_not_run(format!("cannot read {}: {e}", path.display()))
            .hint("give the folder of a run of this version of milliwatt (--out, or runs/...)")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| failed(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| failed(e.to_string()))
}

/// `environment.json` of a run's folder; nothing is known of the machines where there is none.
///
/// # Errors
/// It is there and cannot be read.
pub fn read_environment(folder: &Path) -> Result<Environment, Failure> {
    let name = "environment.json";
    match folder.join(name).try_exists() {
        Ok(false) => Ok(Environment::default()),
        _ => read_json(folder, name),
    }
}

impl RunRecord {
    /// What reports print of the run.
    #[must_use]
    pub fn context(
        &self,
        directory: &Path,
        duration_s: f64,
        environment: &Environment,
    ) -> RunContext {
        RunContext {
            scenario: self.scenario.clone(),
            title: self.title.clone(),
            source: self.source.clone(),
            directory: directory.display().to_string(),
            started: self.started,
            version: self.milliwatt.clone(),
            command: self.command.clone(),
            duration_s,
            scope: self.scope.clone(),
            guest: self.guest.clone(),
            environment: environment.listed(),
            floor: self.floor.clone(),
        }
    }
}

/// Writes what is known of the run before it starts.
pub(super) fn write_identity(
    request: &RunRequest,
    folder: &Path,
    (run, own): (u64, bool),
    (ready, neighbours): (&Ready, Vec<String>),
    clock: RunClock,
) -> Result<(), Failure> {
    let plan = &request.plan;
    let record = RunRecord {
        version: RECORD_VERSION,
        run: format!("{run:016x}"),
        scenario: plan.name.clone(),
        title: plan.title.clone(),
        source: plan.source.clone(),
        started: wall_now() + (clock.zero - mono_now()),
        milliwatt: env!("CARGO_PKG_VERSION").into(),
        command: std::env::args()
            .map(|word| without_token(&word))
            .collect::<Vec<_>>()
            .join(" "),
        scope: [describe_scope(ready, own), neighbours].concat(),
        guest: describe_guest(ready, own),
        floor: request.floor.clone(),
    };
    write_json(folder, "run.json", &record)?;
    let environment =
        Environment::at_start(&environment(Some(ready.local)), &ready.accept.environment);
    write_json(folder, "environment.json", &environment)?;
    std::fs::write(folder.join("scenario.toml"), &plan.text).map_err(|e| {
        Failure::could_not_run(format!(
            "cannot write scenario.toml in {}: {e}",
            folder.display()
        ))
    })
}

/// A join line's secret has no place in a folder that people pass on.
fn without_token(word: &str) -> String {
    match word.rsplit_once('#') {
        Some((address_and_fingerprint, _)) if word.contains("milliwatt1:") => {
            format!("{address_and_fingerprint}#...")
        }
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_join_line_is_not_kept() {
        let word = "--guest=milliwatt1:192.0.2.7:7700#00ff#secret";
        assert_eq!(
            without_token(word),
            "--guest=milliwatt1:192.0.2.7:7700#00ff#..."
        );
        assert_eq!(without_token("runs/a#b"), "runs/a#b");
    }
}
