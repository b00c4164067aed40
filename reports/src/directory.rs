//! The report files of a run directory.

mod recordings;

use crate::context::RunContext;
use crate::plots::{self, Plot, PlotError};
use crate::scorecard::Scorecard;
use crate::{csv, events, excerpts, hlog, html, junit};
use milliwatt_scoring::measured::Measured;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why the report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file of the report could not be written.
    #[error(
        "cannot write {path}: {source}; make room there or give the right to write, and repeat (`milliwatt report` for a run that is over)"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A plot could not be drawn.
    #[error(transparent)]
    Plot(#[from] PlotError),
    /// JSON could not be made.
    #[error("cannot make the JSON of {file}: {source}")]
    Json {
        /// The file.
        file: &'static str,
        /// What serde said.
        source: serde_json::Error,
    },
    /// `junit.xml` could not be made.
    #[error("cannot make junit.xml: {0}")]
    Junit(#[from] quick_junit::SerializeError),
    /// `report.html` could not be made.
    #[error("cannot make report.html: {0}")]
    Html(#[from] askama::Error),
    /// An interval log could not be made.
    #[error(transparent)]
    Hlog(#[from] hlog::HlogError),
}

/// Writes every report file of a run into `dir`: each whole or not at all, and `scorecard.json`
/// last, so that whoever waits for it finds the rest. Recordings in `recordings/` of it are seen and heard in `report.html`;
/// one that is not there, or cannot be read, is said to be missing there.
pub fn write_all(
    dir: &Path,
    scorecard: &Scorecard,
    measured: &Measured,
    context: &RunContext,
) -> Result<(), ReportError> {
    let json = |file| move |source| ReportError::Json { file, source };
    let plots = plots::draw_all(measured)?;
    let excerpts = excerpts::of(measured, |span| recordings::read(dir, span))?;
    write_plots(dir, &plots)?;
    write(
        &dir.join("report.html"),
        html::render(scorecard, measured, context, (&plots, &excerpts))?.as_bytes(),
    )?;
    write(
        &dir.join("junit.xml"),
        junit::render(scorecard, context)?.as_bytes(),
    )?;
    write(&dir.join("streams.csv"), csv::streams(measured).as_bytes())?;
    write(&dir.join("seconds.csv"), csv::seconds(measured).as_bytes())?;
    write(
        &dir.join("recordings.csv"),
        csv::recordings(measured).as_bytes(),
    )?;
    if !measured.steps.is_empty() {
        write(&dir.join("steps.csv"), csv::steps(measured).as_bytes())?;
    }
    if !measured.disruptions.is_empty() {
        write(
            &dir.join("disruptions.csv"),
            csv::disruptions(measured).as_bytes(),
        )?;
    }
    write(
        &dir.join("events.jsonl"),
        events::render(measured)
            .map_err(json("events.jsonl"))?
            .as_bytes(),
    )?;
    for (name, content) in hlog::render(context.started, measured)? {
        write(&dir.join(name), &content)?;
    }
    write(
        &dir.join("scorecard.json"),
        scorecard
            .to_json()
            .map_err(json("scorecard.json"))?
            .as_bytes(),
    )
}

/// The plots, into `plots/` of the directory, which is made.
pub(crate) fn write_plots(dir: &Path, plots: &[Plot]) -> Result<(), ReportError> {
    let folder = dir.join("plots");
    fs::create_dir_all(&folder).map_err(|source| ReportError::Write {
        path: folder.clone(),
        source,
    })?;
    plots
        .iter()
        .try_for_each(|plot| write(&folder.join(plot.file_name()), plot.svg.as_bytes()))
}

/// By way of a neighbour and a rename: a reader never sees half a file.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    fs::write(&temporary, content)
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|source| ReportError::Write {
            path: path.to_owned(),
            source,
        })
}
