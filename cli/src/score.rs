//! `milliwatt score`: silences in recordings, offline.

use crate::args::ScoreArgs;
use crate::exit::{ExitCode, Failure};
use crate::output;
use milliwatt_scoring::proportion::upper_bound;
use milliwatt_scoring::silence::{ScoredRecording, SilenceRule, score_recording};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;

/// What came of a set of recordings. The names are those of `milliwatt score --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Version of this form.
    pub schema_version: u32,
    /// A recording each, in order of the command line, folders by name.
    pub recordings: Vec<Score>,
    /// Over all.
    pub totals: Totals,
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Its file.
    pub file: String,
    /// Length, s; null when it could not be read.
    pub seconds: Option<f64>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u8>,
    /// What was found, by channel and time.
    pub events: Vec<Event>,
    /// Why it could not be scored.
    pub error: Option<String>,
}

/// Something found in a recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// From the start of the recording, s.
    pub start_s: f64,
    /// Length, s.
    pub duration_s: f64,
    /// `silence`.
    pub kind: &'static str,
    /// Channel, from 0.
    pub channel: u8,
}

/// Sums over all recordings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Could be scored.
    pub scored: u64,
    /// Could not.
    pub failed: u64,
    /// Files in folders that are no recordings by their name.
    pub ignored: u64,
    /// Have at least one silence event: a recording counts once.
    pub with_silence: u64,
    /// Silence events.
    pub silence_events: u64,
    /// One-sided exact 95 % upper bound of the share with silence; null when nothing was scored.
    pub upper_bound_95_percent: Option<f64>,
}

/// Scores what was named and prints it.
pub fn execute(args: &ScoreArgs) -> Result<ExitCode, Failure> {
    let rule = SilenceRule {
        level_dbov: args.level,
        least_ms: args.least.as_seconds() * 1e3,
        guard_ms: args.guard.as_seconds() * 1e3,
    };
    let scores = score(&args.paths, &rule);
    if args.json {
        output::print_json(&scores)?;
    } else {
        output::print(&scores.text())?;
    }
    match scores.totals {
        Totals { scored: 0, .. } => Err(Failure::could_not_run("no recording could be scored")
            .hint("WAV files are read: PCM of 8 to 32 bits, 32-bit float, G.711 of both laws")),
        Totals {
            with_silence: 0, ..
        } => Ok(ExitCode::Pass),
        _ => Ok(ExitCode::ThresholdFailed),
    }
}

/// Scores files, and the WAV files in folders. What cannot be read is in the result too.
#[must_use]
pub fn score(paths: &[PathBuf], rule: &SilenceRule) -> Scores {
    let mut found = Found::default();
    for path in paths {
        found.look(path, true);
    }
    let mut recordings: Vec<Score> = found
        .files
        .iter()
        .map(|file| score_file(file, rule))
        .collect();
    recordings.extend(found.errors);
    let totals = Totals {
        ignored: found.ignored,
        ..Totals::of(&recordings)
    };
    Scores {
        schema_version: SCHEMA_VERSION,
        recordings,
        totals,
    }
}

/// The files to score.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    errors: Vec<Score>,
    ignored: u64,
}

impl Found {
    /// Takes a file that was `named`, or that a folder holds and whose name ends in `.wav`. Links to
    /// folders are not followed: they can lead in circles.
    fn look(&mut self, path: &Path, named: bool) {
        let is_folder = if named {
            path.is_dir()
        } else {
            path.is_dir() && !path.is_symlink()
        };
        let is_wav = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("wav"));
        if is_folder {
            self.look_inside(path);
        } else if named || (is_wav && path.is_file()) {
            self.files.push(path.to_owned());
        } else {
            self.ignored += 1;
        }
    }

    fn look_inside(&mut self, folder: &Path) {
        let entries =
            std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
        match entries {
            Ok(entries) => {
                let mut paths: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).collect();
                paths.sort();
                for path in paths {
                    self.look(&path, false);
                }
            }
            Err(error) => self.errors.push(Score::failed(folder, error.to_string())),
        }
    }
}

fn score_file(file: &Path, rule: &SilenceRule) -> Score {
    let octets = match std::fs::read(file) {
        Ok(octets) => octets,
        Err(error) => return Score::failed(file, error.to_string()),
    };
    match score_recording(&octets, rule) {
        Ok(scored) => Score::of(file, &scored),
        Err(error) => Score::failed(file, error.to_string()),
    }
}

impl Score {
    fn of(file: &Path, scored: &ScoredRecording) -> Self {
        let events = scored.silences.iter().map(|silence| Event {
            start_s: silence.start_ms / 1e3,
            duration_s: silence.length_ms / 1e3,
            kind: "silence",
            channel: silence.channel,
        });
        Self {
            file: file.display().to_string(),
            seconds: Some(scored.seconds),
            sample_rate: Some(scored.sample_rate),
            channels: Some(scored.channels),
            events: events.collect(),
            error: None,
        }
    }

    fn failed(file: &Path, error: String) -> Self {
        Self {
            file: file.display().to_string(),
            seconds: None,
            sample_rate: None,
            channels: None,
            events: Vec::new(),
            error: Some(error),
        }
    }

    /// A line, and one for each event.
    fn text(&self) -> String {
        let outcome = match (&self.error, self.seconds, self.channels) {
            (Some(error), ..) => format!("not scored: {error}"),
            (None, Some(seconds), Some(channels)) => {
                format!(
                    "{seconds:.3} s, {channels} channels, {} silences",
                    self.events.len()
                )
            }
            _ => String::new(),
        };
        let events: Vec<String> = self.events.iter().map(Event::text).collect();
        format!("{}: {outcome}\n{}", self.file, output::lines("  ", &events))
    }
}

impl Event {
    fn text(&self) -> String {
        format!(
            "{} on channel {} at {:.3} s for {:.0} ms",
            self.kind,
            self.channel,
            self.start_s,
            self.duration_s * 1e3
        )
    }
}

impl Totals {
    fn of(recordings: &[Score]) -> Self {
        let mut totals = Self::default();
        for recording in recordings {
            let events = recording.events.len() as u64;
            totals.scored += u64::from(recording.error.is_none());
            totals.failed += u64::from(recording.error.is_some());
            totals.with_silence += u64::from(events > 0);
            totals.silence_events += events;
        }
        if totals.scored > 0 {
            totals.upper_bound_95_percent = upper_bound(totals.with_silence, totals.scored, 0.95);
        }
        totals
    }
}

impl Scores {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let totals = &self.totals;
        let bound = totals
            .upper_bound_95_percent
            .map_or_else(String::new, |share| {
                format!(
                    "with 95 % confidence at most {:.4} % of such recordings have a silence\n",
                    share * 100.0
                )
            });
        format!(
            "{}{} scored, {} not scored, {} other files passed over; {} with a silence, {} silences in all\n{bound}",
            self.recordings.iter().map(Score::text).collect::<String>(),
            totals.scored,
            totals.failed,
            totals.ignored,
            totals.with_silence,
            totals.silence_events,
        )
    }
}
