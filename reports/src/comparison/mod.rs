//! The report of `milliwatt compare`: runs after a change against runs before it. It opens with what else changed.

mod document;
pub mod environment;
mod junit;
mod page;
pub mod terminal;
mod words;

pub use document::Document;
pub use environment::EnvironmentDifference;

use crate::directory::{self, ReportError};
use crate::plots::{self, Plot};
use milliwatt_scoring::comparison::Comparison;
use milliwatt_scoring::measured::Measured;
use std::path::Path;

/// Everything that is reported of a comparison.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The scenario's name; of the runs before the change, where they are not of one.
    pub scenario: String,
    /// What was found.
    pub comparison: Comparison,
    /// The runs before the change.
    pub baseline: Vec<ComparedRun>,
    /// Those after it.
    pub runs: Vec<ComparedRun>,
    /// What else is different.
    pub environment: Vec<EnvironmentDifference>,
    /// What should have been equal and was not, a sentence each; it was compared all the same.
    pub forced: Vec<String>,
}

/// One run.
#[derive(Clone, Debug)]
pub struct ComparedRun {
    /// Its folder, as the user would type it.
    pub directory: String,
    /// Run time zero by the tester's wall clock, ns since 1970.
    pub started: i64,
    /// What it measured.
    pub measured: Measured,
}

/// Writes `plots/*.svg`, `comparison.html` (one file, offline), `junit.xml` and, last, `comparison.json` into `dir`, which is
/// made: each whole or not at all.
pub fn write_all(dir: &Path, compared: &Compared) -> Result<(), ReportError> {
    let plots = draw(compared)?;
    directory::write_plots(dir, &plots)?;
    let page = page::render(compared, &plots)?;
    directory::write(&dir.join("comparison.html"), page.as_bytes())?;
    directory::write(&dir.join("junit.xml"), junit::render(compared)?.as_bytes())?;
    let json = Document::of(compared).to_json();
    let json = json.map_err(|source| ReportError::Json {
        file: "comparison.json",
        source,
    })?;
    directory::write(&dir.join("comparison.json"), json.as_bytes())
}

/// `comparison.html`.
pub fn html(compared: &Compared) -> Result<String, ReportError> {
    Ok(page::render(compared, &draw(compared)?)?)
}

/// `junit.xml`.
pub fn junit(compared: &Compared) -> Result<String, ReportError> {
    Ok(junit::render(compared)?)
}

fn draw(compared: &Compared) -> Result<Vec<Plot>, ReportError> {
    let before: Vec<&Measured> = compared.baseline.iter().map(|run| &run.measured).collect();
    let after: Vec<&Measured> = compared.runs.iter().map(|run| &run.measured).collect();
    Ok(plots::draw_compared(&before, &after)?)
}
