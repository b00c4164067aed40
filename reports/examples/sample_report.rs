//! Writes the reports of the sample runs, one of them with its recordings, and captures, to look at after a change of a plot
//! or of the template:
//! `cargo run -p milliwatt-reports --example sample_report -- FOLDER`.

use milliwatt_reports::{ReportError, RunContext, Scorecard, write_all};
use milliwatt_scoring::measured::Measured;
use std::path::Path;

#[path = "../tests/reports/sample/mod.rs"]
mod sample;

/// A name and how its run is made.
type Sample = (&'static str, fn() -> Measured);

fn main() -> Result<(), ReportError> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "sample-report".to_owned());
    let runs: [Sample; 12] = [
        ("pass", sample::pass),
        ("fail", sample::fail),
        ("invalid", sample::invalid),
        ("empty", sample::empty),
        ("sent-broke", sample::steps::sent_broke),
        ("both-broke", sample::steps::both_broke),
        ("tester-limited", sample::steps::tester_limited),
        ("moved", sample::disruptions::moved),
        ("gone", sample::disruptions::gone),
        ("contended", sample::neighbours::contended),
        ("repeated", sample::disruptions::repeated),
        ("day", sample::day::day),
    ];
    let kept = Path::new(&folder).join("fail");
    sample::write_recordings(&kept, &sample::fail()).map_err(|source| ReportError::Write {
        path: kept.join("recordings"),
        source,
    })?;
    runs.iter().try_for_each(|(name, run)| {
        write(&Path::new(&folder).join(name), &run(), &sample::context())
    })?;
    let captures = [
        ("capture", sample::capture()),
        ("captured-run", sample::captured_run()),
        ("no-rtp", sample::nothing()),
    ];
    captures.iter().try_for_each(|(name, analysis)| {
        milliwatt_reports::analysis::write_all(&Path::new(&folder).join(name), analysis)
    })
}

fn write(folder: &Path, measured: &Measured, context: &RunContext) -> Result<(), ReportError> {
    let scorecard = Scorecard::new(context, measured);
    write_all(folder, &scorecard, measured, context)?;
    let summary = milliwatt_reports::terminal::render(&scorecard, measured, context);
    let path = folder.join("summary.txt");
    std::fs::write(&path, summary).map_err(|source| ReportError::Write { path, source })
}
