//! What came of a set of recordings, as JSON and as text.

use crate::output;
use milliwatt_scoring::proportion::{Proven, recordings_needed, upper_bound};
use milliwatt_scoring::recording::{Counts, Event, EventKind, Levels, ScoredRecording};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the JSON form.
const SCHEMA_VERSION: u32 = 1;
/// The confidence of what is said about all such recordings.
const CONFIDENCE: f64 = 0.95;
/// With more recordings than these, those without events have no line of their own.
const LINES: usize = 50;

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
    /// Its file; characters that are no Unicode are replaced.
    pub file: String,
    /// Length, s; null when it could not be read.
    pub seconds: Option<f64>,
    /// Samples a second.
    pub sample_rate: Option<u32>,
    /// Channels.
    pub channels: Option<u8>,
    /// What was found, by channel and time; of each kind and channel at most the first 1000.
    pub events: Vec<EventRow>,
    /// Events past those.
    #[serde(skip_serializing_if = "is_zero")]
    pub events_not_listed: u64,
    /// Levels of each channel, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Levels>,
    /// Why it could not be scored.
    pub error: Option<String>,
    #[serde(skip)]
    counts: Counts,
}

/// Something found in a recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventRow {
    /// From the start of the recording, s.
    pub start_s: f64,
    /// Length, s; of a splice, what is missing.
    pub duration_s: f64,
    /// What.
    pub kind: EventKind,
    /// Channel, from 0.
    pub channel: u8,
    /// Of a splice: samples that are missing, below zero that were put in; modulo the period of the tone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_samples: Option<i64>,
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
    /// Events by kind, of the kinds that were found.
    pub events: BTreeMap<&'static str, u64>,
    /// One-sided exact 95 % upper bound of the share with silence; null when nothing was scored.
    pub upper_bound_95_percent: Option<f64>,
    /// What the counts say about a claim; null when nothing was scored.
    pub claim: Option<Claim>,
}

/// The claim that at most one recording in so many has a silence, at 95 % confidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Claim {
    /// At most one in this many.
    pub one_in: u64,
    /// Whether it is proven, disproven, or neither.
    pub outcome: Proven,
    /// So many recordings with as many silences would prove it.
    pub recordings_needed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Score {
    pub(super) fn of(file: &Path, scored: ScoredRecording) -> Self {
        let listed = scored.events.len() as u64;
        let all: u64 = EventKind::ALL
            .iter()
            .map(|kind| scored.counts.of(*kind))
            .sum();
        Self {
            file: file.display().to_string(),
            seconds: Some(scored.seconds),
            sample_rate: Some(scored.sample_rate),
            channels: Some(scored.channels),
            events: scored.events.iter().map(EventRow::of).collect(),
            events_not_listed: all.saturating_sub(listed),
            levels: scored.levels,
            error: None,
            counts: scored.counts,
        }
    }

    pub(super) fn failed(file: &Path, error: String) -> Self {
        Self {
            file: file.display().to_string(),
            seconds: None,
            sample_rate: None,
            channels: None,
            events: Vec::new(),
            events_not_listed: 0,
            levels: Vec::new(),
            error: Some(error),
            counts: Counts::default(),
        }
    }

    /// A line, and one for each event and each channel's levels.
    fn text(&self) -> String {
        let outcome = match (&self.error, self.seconds, self.channels) {
            (Some(error), ..) => format!("not scored: {error}"),
            (None, Some(seconds), Some(channels)) => {
                let found = said(&self.counts).unwrap_or_else(|| "nothing found".to_owned());
                let plural = if channels == 1 { "" } else { "s" };
                format!("{seconds:.3} s, {channels} channel{plural}, {found}")
            }
            _ => String::new(),
        };
        let mut lines: Vec<String> = self.events.iter().map(EventRow::text).collect();
        if self.events_not_listed > 0 {
            lines.push(format!("and {} more", self.events_not_listed));
        }
        let levels = self.levels.iter().enumerate();
        lines.extend(levels.map(|(channel, levels)| levels_text(channel, levels)));
        format!("{}: {outcome}\n{}", self.file, output::lines("  ", &lines))
    }
}

/// The events that were found, by kind.
fn said(counts: &Counts) -> Option<String> {
    let kinds = EventKind::ALL.iter().filter(|kind| counts.of(**kind) > 0);
    let said: Vec<String> = kinds
        .map(|kind| format!("{} {}", counts.of(*kind), kind.name()))
        .collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn levels_text(channel: usize, levels: &Levels) -> String {
    let level = |dbov: Option<f64>| dbov.map_or_else(|| "-".to_owned(), |l| format!("{l:.1}"));
    format!(
        "channel {channel}: active speech level {} dBov, active {} % of the time, noise floor {} dBov, peak {} dBFS",
        level(levels.active_dbov),
        levels
            .activity
            .map_or_else(|| "-".to_owned(), |a| format!("{:.0}", a * 100.0)),
        level(levels.noise_floor_dbov),
        level(levels.peak_dbfs),
    )
}

impl EventRow {
    fn of(event: &Event) -> Self {
        Self {
            start_s: event.start_ms / 1e3,
            duration_s: event.length_ms / 1e3,
            kind: event.kind,
            channel: event.channel,
            missing_samples: event.missing_samples,
        }
    }

    fn text(&self) -> String {
        let place = format!(
            "{} on channel {} at {:.3} s",
            self.kind.name(),
            self.channel,
            self.start_s
        );
        match (self.kind, self.missing_samples) {
            (EventKind::Splice, Some(missing @ 0..)) => {
                format!("{place}: {missing} samples missing")
            }
            (EventKind::Splice, Some(added)) => format!("{place}: {} samples too many", -added),
            (EventKind::Splice, None) => format!("{place}: the phase changed"),
            _ => format!("{place} for {:.0} ms", self.duration_s * 1e3),
        }
    }
}

impl Totals {
    fn of(recordings: &[Score], ignored: u64, one_in: u64) -> Self {
        let mut totals = Self {
            ignored,
            ..Self::default()
        };
        let mut counts = Counts::default();
        for recording in recordings {
            totals.scored += u64::from(recording.error.is_none());
            totals.failed += u64::from(recording.error.is_some());
            totals.with_silence += u64::from(recording.counts.of(EventKind::Silence) > 0);
            counts.add_all(&recording.counts);
        }
        totals.silence_events = counts.of(EventKind::Silence);
        let found = EventKind::ALL.iter().filter(|kind| counts.of(**kind) > 0);
        totals.events = found.map(|kind| (kind.name(), counts.of(*kind))).collect();
        totals.upper_bound_95_percent = upper_bound(totals.with_silence, totals.scored, CONFIDENCE);
        totals.claim = (totals.scored > 0).then(|| Claim::of(&totals, one_in));
        totals
    }

    fn text(&self) -> String {
        let found: Vec<String> = self
            .events
            .iter()
            .map(|(kind, n)| format!("{n} {kind}"))
            .collect();
        let found = if found.is_empty() {
            "nothing found".to_owned()
        } else {
            found.join(", ")
        };
        let bound = self
            .upper_bound_95_percent
            .map_or_else(String::new, |share| {
                format!(
                    "with 95 % confidence at most {:.4} % of such recordings have a silence\n",
                    share * 100.0
                )
            });
        format!(
            "{} scored, {} not scored, {} other files passed over; {} with a silence; {found}\n{bound}{}",
            self.scored,
            self.failed,
            self.ignored,
            self.with_silence,
            self.claim
                .as_ref()
                .map_or_else(String::new, |claim| claim.text(self)),
        )
    }
}

impl Claim {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn of(totals: &Totals, one_in: u64) -> Self {
        let share = 1.0 / one_in as f64;
        Self {
            one_in,
            outcome: Proven::of(totals.with_silence, totals.scored, share, CONFIDENCE),
            recordings_needed: recordings_needed(totals.with_silence, share, CONFIDENCE),
        }
    }

    fn text(&self, totals: &Totals) -> String {
        let claim = format!("at most 1 in {} has a silence", self.one_in);
        match self.outcome {
            Proven::Yes => format!("that {claim} is proven\n"),
            Proven::No => format!("that {claim} is disproven\n"),
            Proven::Undecided => format!(
                "that {claim} is undecided: it takes {} recordings with {} among them, {} were scored\n",
                self.recordings_needed, totals.with_silence, totals.scored
            ),
        }
    }
}

impl Scores {
    pub(super) fn of(recordings: Vec<Score>, ignored: u64, one_in: u64) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            totals: Totals::of(&recordings, ignored, one_in),
            recordings,
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let all = self.recordings.len() <= LINES;
        let has_line = |score: &&Score| {
            all || score.error.is_some() || !score.events.is_empty() || !score.levels.is_empty()
        };
        let lines = self.recordings.iter().filter(has_line).map(Score::text);
        format!("{}{}", lines.collect::<String>(), self.totals.text())
    }
}
