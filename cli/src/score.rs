//! `milliwatt score`: recordings judged by what is heard in them, offline.

mod files;
mod judge;
mod rows;

pub use rows::{Claim, EventRow, Score, Scores, Totals};

use crate::args::ScoreArgs;
use crate::exit::{ExitCode, Failure};
use crate::ffmpeg;
use crate::output;
use files::Files;
pub use judge::Judge;
use milliwatt_scoring::recording::{Rules, SilenceRule, WavError};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::time::{MonoTime, NS_PER_MS};
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// A pause of speech that both parties leave is shorter than this, ms: ITU-T P.59 has them last half a second on
/// average, and one in 3000 longer than this.
const SPEECH_LEAST_MS: f64 = 4000.0;
/// Progress is told this often.
const PROGRESS_NS: i64 = 500 * NS_PER_MS;

/// Scores what was named and prints it.
pub fn execute(args: &ScoreArgs) -> Result<ExitCode, Failure> {
    let judge = Judge::new(rules(args), args.reference.as_deref())?;
    let scores = score(&args.paths, &judge, args.claim);
    if args.json {
        output::print_json(&scores)?;
    } else {
        output::print(&scores.text())?;
    }
    match scores.totals {
        Totals { scored: 0, .. } => Err(Failure::could_not_run("no recording could be scored")
            .hint("WAV files are read: PCM, float, G.711, IMA and MS ADPCM; other formats where ffmpeg is installed")),
        Totals {
            with_silence: 0, ..
        } => Ok(ExitCode::Pass),
        _ => Ok(ExitCode::ThresholdFailed),
    }
}

fn rules(args: &ScoreArgs) -> Rules {
    let least_ms = args.least.map(|least| least.as_seconds() * 1e3);
    let default_ms = if args.speech {
        SPEECH_LEAST_MS
    } else {
        SilenceRule::default().least_ms
    };
    Rules {
        silence: SilenceRule {
            level_dbov: args.level,
            least_ms: least_ms.unwrap_or(default_ms),
            guard_ms: args.guard.as_seconds() * 1e3,
        },
        mutual: args.speech,
        dropout_ms: args.dropout.as_seconds() * 1e3,
        levels: args.levels,
        tones_hz: args.tone.clone(),
    }
}

/// Scores files, and the recordings in folders, on every processor. What cannot be read is in the result too.
#[must_use]
pub fn score(paths: &[PathBuf], judge: &Judge, one_in: u64) -> Scores {
    let files = Files::find(paths);
    let mut recordings = score_files(&files.recordings, judge);
    let errors = files.errors.into_iter();
    recordings.extend(errors.map(|(folder, error)| Score::failed(&folder, error)));
    Scores::of(recordings, files.ignored, one_in)
}

/// Scores files side by side; in their order.
fn score_files(files: &[PathBuf], judge: &Judge) -> Vec<Score> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let (teller, told) = channel();
    let mut scores: Vec<Option<Score>> = vec![None; files.len()];
    std::thread::scope(|scope| {
        for _ in 0..threads.min(files.len()) {
            let (teller, next) = (teller.clone(), &next);
            scope.spawn(move || {
                while let Some((index, file)) = take(next, files) {
                    if teller.send((index, score_file(file, judge))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(teller);
        let mut progress = Progress::new(files.len());
        loop {
            match told.recv_timeout(Duration::from_nanos(PROGRESS_NS.cast_unsigned())) {
                Ok((index, score)) => {
                    progress.done += 1;
                    scores[index] = Some(score);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            progress.tell();
        }
        progress.clear();
    });
    scores.into_iter().flatten().collect()
}

/// The next file that nobody has.
fn take<'f>(next: &AtomicUsize, files: &'f [PathBuf]) -> Option<(usize, &'f PathBuf)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, files.get(index)?))
}

fn score_file(file: &Path, judge: &Judge) -> Score {
    let scored = match File::open(file).map(|source| judge.score(source)) {
        Err(error) => Err(error.to_string()),
        Ok(Err(unread @ (WavError::NotWave(_) | WavError::UnknownFormat { .. }))) => {
            ffmpeg::decode(file, &unread, |wav| judge.score(wav))
        }
        Ok(scored) => scored.map_err(|error| error.to_string()),
    };
    match scored {
        Ok(scored) => Score::of(file, scored),
        Err(error) => Score::failed(file, error),
    }
}

/// How far it is, on a terminal, in one line.
struct Progress {
    done: usize,
    of: usize,
    /// When it was told last, or begun.
    last: MonoTime,
    is_told: bool,
    is_seen: bool,
}

impl Progress {
    fn new(of: usize) -> Self {
        Self {
            done: 0,
            of,
            last: mono_now(),
            is_told: false,
            is_seen: std::io::stderr().is_terminal(),
        }
    }

    fn tell(&mut self) {
        let now = mono_now();
        if self.is_seen && now - self.last >= PROGRESS_NS {
            (self.last, self.is_told) = (now, true);
            say(&format!("\r{} of {} recordings", self.done, self.of));
        }
    }

    fn clear(&self) {
        if self.is_told {
            say("\r\x1b[K");
        }
    }
}

/// Without a line's end. When even that fails there is nobody left to tell.
fn say(text: &str) {
    drop(write!(std::io::stderr().lock(), "{text}"));
}
