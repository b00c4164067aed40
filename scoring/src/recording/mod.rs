//! Recordings judged by what is heard in them: silence, dropouts, splices, clipping, one-way and crossed audio, levels.
//!
//! A recording is read as a stream, in memory that does not depend on its length, and each channel is looked at by
//! itself. Levels are in dBov: 20 log10(RMS / full scale), a full-scale sine being -3.01 (RFC 6465).

mod adpcm;
mod channel;
mod clipping;
mod dropout;
mod encoding;
mod frame;
mod level;
mod reference;
mod silence;
mod tone;
mod wav;

pub use encoding::{Encoding, Format};
pub use level::Levels;
pub use reference::{OtherRate, Pauses, Reference};
pub use wav::{WavError, WavReader};

use channel::{ChannelScorer, FoundInChannel};
use serde::Serialize;
use std::io::Read;
use std::sync::Arc;
use tone::Oscillator;

/// What counts as a silence event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SilenceRule {
    /// Frames of 10 ms below this level are silent, dBov.
    pub level_dbov: f64,
    /// Least length of an event, ms.
    pub least_ms: f64,
    /// Nothing is looked at within this much of either end, ms.
    pub guard_ms: f64,
}

impl Default for SilenceRule {
    /// Below -50 dBov for at least 60 ms, outside the first and last 500 ms.
    fn default() -> Self {
        Self {
            level_dbov: -50.0,
            least_ms: 60.0,
            guard_ms: 500.0,
        }
    }
}

/// What is looked for in a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What a silence is.
    pub silence: SilenceRule,
    /// Only what is silent on all channels at once is a silence: people listen while the other party speaks.
    pub mutual: bool,
    /// Least length of a dropout, ms.
    pub dropout_ms: f64,
    /// Measure levels too.
    pub levels: bool,
    /// Tones that the channels hold, one each in turns, Hz: followed by phase for splices, and looked for in each other's
    /// channel.
    pub tones_hz: Vec<u32>,
}

impl Default for Rules {
    /// The default silences, dropouts from 5 ms on; no levels, no tones.
    fn default() -> Self {
        Self {
            silence: SilenceRule::default(),
            mutual: false,
            dropout_ms: 5.0,
            levels: false,
            tones_hz: Vec::new(),
        }
    }
}

/// Kinds of events. The names are those of `milliwatt score --json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Below the level for at least the least length.
    Silence,
    /// Digital silence between sound and sound, shorter than a silence.
    Dropout,
    /// A tone goes on with another phase.
    Splice,
    /// Samples in a row at the largest magnitude there is.
    Clipping,
    /// The channel is silent for the whole recording.
    OneWay,
    /// The channel holds the other party's tone.
    Crossed,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Silence,
        Self::Dropout,
        Self::Splice,
        Self::Clipping,
        Self::OneWay,
        Self::Crossed,
    ];

    /// As in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Dropout => "dropout",
            Self::Splice => "splice",
            Self::Clipping => "clipping",
            Self::OneWay => "one-way",
            Self::Crossed => "crossed",
        }
    }

    /// Whether it is no event at the recording's ends, where calls begin and end in silence.
    fn is_guarded(self) -> bool {
        matches!(self, Self::Silence | Self::Dropout)
    }
}

/// Events by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; EventKind::ALL.len()]);

impl Counts {
    /// Those of a kind.
    #[must_use]
    pub fn of(&self, kind: EventKind) -> u64 {
        self.0[kind as usize]
    }

    /// One more of a kind.
    pub fn add(&mut self, kind: EventKind) {
        self.0[kind as usize] += 1;
    }

    /// All of another.
    pub fn add_all(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own += other;
        }
    }

    fn take_back(&mut self, kind: EventKind) {
        let count = &mut self.0[kind as usize];
        *count = count.saturating_sub(1);
    }
}

/// Something found in a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// What.
    pub kind: EventKind,
    /// Channel, from 0.
    pub channel: u8,
    /// From the recording's start, ms.
    pub start_ms: f64,
    /// Length, ms; of a splice, what is missing.
    pub length_ms: f64,
    /// Of a splice: samples that are missing, below zero that were put in, modulo the tone's period; none when the phase
    /// stands for no whole number.
    pub missing_samples: Option<i64>,
}

/// A recording, scored.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredRecording {
    /// Length, s.
    pub seconds: f64,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// Events by channel and time; of each kind and channel at most the first 1000.
    pub events: Vec<Event>,
    /// All events.
    pub counts: Counts,
    /// Levels of each channel, where they were asked for.
    pub levels: Vec<Levels>,
    /// Beside a reference: how much later than expected each channel's audio is heard, ms.
    pub delays_ms: Vec<f64>,
}

/// Scores a WAVE file.
///
/// # Errors
/// It is none, holds audio that is not decoded here, is shorter than it says, or cannot be read.
pub fn score_recording(source: impl Read, rules: &Rules) -> Result<ScoredRecording, WavError> {
    score(WavReader::open(source)?, rules, None)
}

/// Scores a WAVE file beside the audio that was sent: silences and dropouts are events only where that sounds. The
/// reference is asked for once the recording's sampling rate is known.
///
/// # Errors
/// The same, or the reference has another sampling rate.
pub fn score_against(
    source: impl Read,
    rules: &Rules,
    reference: impl FnOnce(u32) -> Reference,
) -> Result<ScoredRecording, WavError> {
    let wav = WavReader::open(source)?;
    let sample_rate = wav.format().sample_rate;
    let reference = reference(sample_rate);
    reference.check(sample_rate).map_err(WavError::OtherRate)?;
    score(wav, rules, Some(&reference))
}

fn score(
    mut wav: WavReader<impl Read>,
    rules: &Rules,
    reference: Option<&Reference>,
) -> Result<ScoredRecording, WavError> {
    let format = wav.format().clone();
    let tones = oscillators(rules, format.sample_rate);
    let mut channels: Vec<ChannelScorer> = (0..format.channels)
        .map(|channel| ChannelScorer::new(channel, &format, (rules, &tones), reference.is_some()))
        .collect();
    let (mut samples, mut total) = (Vec::new(), 0);
    while wav.read(&mut samples)? {
        for channel in &mut channels {
            channel.handle(&samples, format.channels.into());
        }
        total += samples.len() as u64 / u64::from(format.channels);
        samples.clear();
    }
    let finish = |channel: ChannelScorer| channel.finish(reference);
    let found = channels.into_iter().map(finish).collect();
    let scored = ScoredRecording {
        seconds: to_ms(total, format.sample_rate) / 1e3,
        sample_rate: format.sample_rate,
        channels: format.channels,
        events: Vec::new(),
        counts: Counts::default(),
        levels: Vec::new(),
        delays_ms: Vec::new(),
    };
    Ok(scored.with(found, rules))
}

/// The tones to look for, at a sampling rate.
fn oscillators(rules: &Rules, sample_rate: u32) -> Vec<Arc<Oscillator>> {
    let frame = frame::samples_of_frame(sample_rate);
    let tones = rules.tones_hz.iter().filter_map(|hertz| {
        let oscillator = Oscillator::new(*hertz, sample_rate, frame)?;
        Some(Arc::new(oscillator))
    });
    tones.collect()
}

impl ScoredRecording {
    /// With what was found in each channel.
    fn with(mut self, found: Vec<FoundInChannel>, rules: &Rules) -> Self {
        for channel in found {
            self.events.extend(channel.events);
            self.counts.add_all(&channel.counts);
            self.levels.extend(channel.levels);
            self.delays_ms.extend(channel.delay_ms);
        }
        if rules.mutual && self.channels > 1 {
            self.keep_mutual_silences(rules.silence.least_ms);
        }
        self
    }

    /// Leaves of the silences what all channels have in common, as events of the first channel.
    fn keep_mutual_silences(&mut self, least_ms: f64) {
        let is_silence = |event: &&Event| event.kind == EventKind::Silence;
        let of = |channel| {
            let own = self.events.iter().filter(is_silence);
            own.filter(move |event| event.channel == channel)
                .map(|event| (event.start_ms, event.start_ms + event.length_ms))
                .collect::<Vec<_>>()
        };
        let mut mutual: Vec<(f64, f64)> = of(0);
        for channel in 1..self.channels {
            mutual = intersect(&mutual, &of(channel));
        }
        self.events.retain(|event| event.kind != EventKind::Silence);
        mutual.retain(|(start, end)| end - start >= least_ms);
        self.counts.0[EventKind::Silence as usize] = mutual.len() as u64;
        let events = mutual.into_iter().map(|(start, end)| Event {
            kind: EventKind::Silence,
            channel: 0,
            start_ms: start,
            length_ms: end - start,
            missing_samples: None,
        });
        self.events.extend(events);
        self.events.sort_by(|a, b| {
            let by_channel = a.channel.cmp(&b.channel);
            by_channel.then(a.start_ms.total_cmp(&b.start_ms))
        });
    }
}

/// What two lists of stretches, each in order and apart, have in common.
fn intersect(a: &[(f64, f64)], b: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut a, mut b, mut both) = (a.iter().peekable(), b.iter().peekable(), Vec::new());
    while let (Some((a_start, a_end)), Some((b_start, b_end))) = (a.peek(), b.peek()) {
        let (start, end) = (a_start.max(*b_start), a_end.min(*b_end));
        if start < end {
            both.push((start, end));
        }
        if a_end < b_end {
            a.next();
        } else {
            b.next();
        }
    }
    both
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a settable length; the cast saturates"
)]
fn to_samples(ms: f64, sample_rate: u32) -> u64 {
    (ms * f64::from(sample_rate) / 1000.0).round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "a length in samples below 2^53")]
fn to_ms(samples: u64, sample_rate: u32) -> f64 {
    samples as f64 * 1000.0 / f64::from(sample_rate)
}

#[cfg(test)]
mod tests;
