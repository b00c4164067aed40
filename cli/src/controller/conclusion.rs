//! From a run's folder to its reports: what `run` does at its end and `milliwatt report` any time.

use super::directory::RecordedFacts;
use super::environment::Environment;
use super::record::{RunRecord, read_environment, read_json, write_json};
use crate::exit::Failure;
use milliwatt_reports::directory::write_all;
use milliwatt_reports::scorecard::Scorecard;
use milliwatt_reports::terminal;
use milliwatt_scoring::judgement::Judgement;
use milliwatt_scoring::measured::Measured;
use milliwatt_scoring::scorer::score;
use std::path::Path;

/// What a run's folder says.
pub struct Conclusion {
    /// Everything measured.
    pub measured: Measured,
    /// The scorecard as written.
    pub scorecard: Scorecard,
    /// The summary for a terminal.
    pub summary: String,
}

/// Scores the facts in `folder` and writes every report; judged by their own thresholds or by others.
pub fn conclude(folder: &Path, judgement: Option<Judgement>) -> Result<Conclusion, Failure> {
    let record: RunRecord = read_json(folder, "run.json")?;
    let read = read_environment(folder);
    // What cannot be read is not written over: a person may mend it.
    let damaged = read.as_ref().err().map(|failure| failure.message.clone());
    let mut environment = read.unwrap_or_default();
    let mut facts = RecordedFacts::open(folder)?;
    let measured = score(judgement, |take| {
        facts.read(&mut |end, fact| {
            environment.absorb(end, fact);
            take(end, fact);
        })
    })?;
    environment.compare();
    if damaged.is_none() && environment != Environment::default() {
        write_json(folder, "environment.json", &environment)?;
    }
    let duration = measured
        .seconds
        .last()
        .map_or(0.0, |row| f64::from(row.second) + 1.0);
    let context = record.context(folder, duration, &environment);
    let scorecard = Scorecard::new(&context, &measured);
    write_all(folder, &scorecard, &measured, &context).map_err(|e| {
        Failure::could_not_run(e.to_string())
            .hint("the facts are safe: free some space and run `milliwatt report` on the folder")
    })?;
    let mut summary = terminal::render(&scorecard, &measured, &context);
    let unknown =
        damaged.map(|why| format!("{why}: the report leaves out what was told before the run"));
    for note in facts.notes().iter().chain(&unknown) {
        summary.push_str("\nnote: ");
        summary.push_str(note);
    }
    Ok(Conclusion {
        measured,
        scorecard,
        summary,
    })
}
