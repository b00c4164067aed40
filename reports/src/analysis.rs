//! The report of `milliwatt analyze`: what captures hold, as the files of a folder.
//!
//! Its page and its plots are those of a run, without what only a run knows: thresholds, a verdict,
//! recordings.

mod csv;
mod page;
mod ranking;
mod tables;

use crate::directory::{self, ReportError};
use crate::plots;
use milliwatt_scoring::analysis::Analysis;
use std::path::Path;

/// Writes `plots/*.svg`, `report.html`, `streams.csv` (a row a stream), `seconds.csv` (a row a second
/// and leg) and, last, `analysis.json` into `dir`: each whole or not at all.
pub fn write_all(dir: &Path, analysis: &Analysis) -> Result<(), ReportError> {
    let plots = plots::draw_all(analysis)?;
    directory::write_plots(dir, &plots)?;
    let page = page::render(analysis, &plots)?;
    directory::write(&dir.join("report.html"), page.as_bytes())?;
    directory::write(&dir.join("streams.csv"), csv::streams(analysis).as_bytes())?;
    directory::write(&dir.join("seconds.csv"), csv::seconds(analysis).as_bytes())?;
    let json = serde_json::to_string_pretty(analysis).map_err(|source| ReportError::Json {
        file: "analysis.json",
        source,
    })?;
    directory::write(&dir.join("analysis.json"), (json + "\n").as_bytes())
}
