//! A recording beside the audio that was sent: what was quiet there is no event here.

use super::frame::{Framer, Limits};
use super::silence::SilenceTracker;
use super::{SilenceRule, to_samples};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

/// A frame is quiet in the reference from this much above the level at which it is silent in a recording, dB: frames of
/// the two lie apart by less than a frame, and what is near the level must not be silent in one of them alone.
const MARGIN_DB: f64 = 3.0;
/// A silence that touches a pause of the reference has to be longer by this on each such side, ms: playout goes by
/// packets of 20 ms, and may slip by one.
const SLACK_MS: f64 = 30.0;
/// Frames of 10 ms: how finely a recording is laid beside its reference before its edges are.
const FRAME_MS: f64 = 10.0;
/// Two timelines are the same speech from this correlation on, and not below the other.
const SAME: f64 = 0.8;
const OTHER: f64 = 0.5;

/// Where audio is quiet.
#[derive(Clone, Debug, PartialEq)]
pub struct Pauses {
    /// In order and apart, samples.
    runs: Vec<Range<u64>>,
    /// Samples of the audio.
    length: u64,
    sample_rate: u32,
    /// After its end it begins again; else nothing follows.
    goes_round: bool,
}

impl Pauses {
    /// Finds the pauses of audio that may go round. `idle` is the magnitude of its encoding's code word of no signal.
    #[must_use]
    pub fn find(
        samples: &[i16],
        (sample_rate, idle): (u32, u16),
        rule: &SilenceRule,
        goes_round: bool,
    ) -> Self {
        let limits = Limits::new(sample_rate, rule.level_dbov + MARGIN_DB, idle);
        let (mut framer, mut tracker) = (Framer::new(limits), SilenceTracker::new(limits, 0));
        let mut runs = Vec::new();
        framer.samples().extend_from_slice(samples);
        framer.finish(|frame| runs.extend(tracker.handle(frame)));
        runs.extend(tracker.finish(framer.total()));
        Self {
            runs,
            length: samples.len() as u64,
            sample_rate,
            goes_round,
        }
    }

    /// What two parties who speak at once are both quiet in: the pauses of their mix.
    #[must_use]
    pub fn of_both(&self, other: &Self) -> Self {
        let mut runs = Vec::new();
        for own in &self.runs {
            let both = other.runs.iter().filter_map(|theirs| common(own, theirs));
            runs.extend(both);
        }
        Self {
            runs,
            ..self.clone()
        }
    }

    /// The pauses in a stretch of a recording that began at sample `first` of the audio, in samples of the recording.
    /// Outside audio that does not go round all is a pause.
    fn within(&self, first: i64, stretch: &Range<i64>) -> Vec<Range<i64>> {
        let length = i64::try_from(self.length).unwrap_or(i64::MAX).max(1);
        let (from, to) = (stretch.start + first, stretch.end + first);
        let rounds = if self.goes_round {
            from.div_euclid(length)..=(to - 1).div_euclid(length)
        } else {
            0..=0
        };
        let mut found = Vec::new();
        for round in rounds {
            let at = |sample: u64| i64::try_from(sample).unwrap_or(i64::MAX) + round * length;
            let begin = self.runs.partition_point(|run| at(run.end) <= from);
            let runs = self.runs[begin..]
                .iter()
                .map(|run| at(run.start)..at(run.end));
            found.extend(runs.take_while(|run| run.start < to));
        }
        if !self.goes_round {
            found.insert(0, i64::MIN / 2..0);
            found.push(length..i64::MAX / 2);
        }
        let shift = |run: &Range<i64>| run.start - first..run.end - first;
        found
            .iter()
            .map(shift)
            .filter_map(|run| clip(&run, stretch))
            .collect()
    }
}

/// What a recording should hold.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Of each channel, in turns; at the recording's sampling rate.
    pub channels: Vec<Arc<Pauses>>,
    /// The place in the audio at which the recording begins when nothing delays it, s.
    pub first_s: f64,
    /// How much later than that its audio may be heard, ms; below zero it is earlier.
    pub delay_ms: RangeInclusive<f64>,
}

/// Why a reference is of no use for a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recording has {recording} samples a second, its reference {reference}")]
pub struct OtherRate {
    /// The recording's.
    pub recording: u32,
    /// The reference's.
    pub reference: u32,
}

impl Reference {
    pub(super) fn check(&self, sample_rate: u32) -> Result<(), OtherRate> {
        let other = self.channels.iter().find(|p| p.sample_rate != sample_rate);
        other.map_or(Ok(()), |pauses| {
            Err(OtherRate {
                recording: sample_rate,
                reference: pauses.sample_rate,
            })
        })
    }

    /// Lays a channel beside its reference: `quiet` are its silent runs, of any length.
    pub(super) fn lay(&self, channel: u8, quiet: &[Range<u64>], total: u64) -> Option<Laid<'_>> {
        let index = usize::from(channel) % self.channels.len().max(1);
        let own = Laid::of(self.channels.get(index)?, self, quiet, total);
        let others = self.channels.iter().enumerate();
        let others = others.filter(|(other, _)| *other != index);
        let is_crossed = own.likeness < OTHER
            && others
                .map(|(_, pauses)| Laid::of(pauses, self, quiet, total))
                .any(|other| other.likeness >= SAME);
        Some(Laid { is_crossed, ..own })
    }
}

/// A channel beside its reference.
#[derive(Clone, Debug)]
pub(super) struct Laid<'p> {
    pauses: &'p Pauses,
    /// Sample of the audio that lies at the recording's first.
    first: i64,
    /// How much later than expected it is heard, samples.
    pub(super) delay: i64,
    /// Correlation of quiet and sound in the two, -1 to 1.
    likeness: f64,
    /// It holds another channel's audio.
    pub(super) is_crossed: bool,
}

impl<'p> Laid<'p> {
    /// With the delay at which the two are most alike; of several the least.
    fn of(pauses: &'p Pauses, reference: &Reference, quiet: &[Range<u64>], total: u64) -> Self {
        let frame = i64::try_from(to_samples(FRAME_MS, pauses.sample_rate))
            .unwrap_or(1)
            .max(1);
        let first = signed_samples(reference.first_s * 1e3, pauses.sample_rate);
        let [from, to] = [reference.delay_ms.start(), reference.delay_ms.end()]
            .map(|ms| signed_samples(*ms, pauses.sample_rate).div_euclid(frame));
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        let heard = frames(quiet.iter().map(signed), frame, 0..total);
        let reach = -to * frame..total - from * frame;
        let sent = frames(pauses.within(first, &reach).into_iter(), frame, reach);
        let likeness = |delay: i64| {
            let skipped = usize::try_from(to - delay).unwrap_or(0);
            correlate(&heard, sent.get(skipped..).unwrap_or(&[]))
        };
        let mut delays: Vec<i64> = (from..=to).collect();
        delays.sort_by_key(|delay| delay.abs());
        let mut best = (f64::NEG_INFINITY, 0);
        for delay in delays {
            let likeness = likeness(delay);
            if likeness > best.0 {
                best = (likeness, delay);
            }
        }
        let coarse = Self {
            pauses,
            first: first - best.1 * frame,
            delay: best.1 * frame,
            likeness: best.0,
            is_crossed: false,
        };
        coarse.refined(quiet, frame)
    }

    /// Moved by what most edges of the recording's silences lie beside those of the pauses.
    fn refined(self, quiet: &[Range<u64>], frame: i64) -> Self {
        let mut apart: Vec<i64> = Vec::new();
        for run in quiet.iter().map(signed) {
            let around = run.start - 2 * frame..run.end + 2 * frame;
            for pause in self.pauses.within(self.first, &around) {
                let edges = [run.start - pause.start, run.end - pause.end];
                apart.extend(edges.into_iter().filter(|edge| edge.abs() <= frame * 3 / 2));
            }
        }
        apart.sort_unstable();
        let moved = apart.get(apart.len() / 2).copied().unwrap_or(0);
        Self {
            first: self.first - moved,
            delay: self.delay + moved,
            ..self
        }
    }

    /// The parts of a silent run in which the reference sounds, of at least `least` samples.
    pub(super) fn unexplained(&self, run: &Range<u64>, least: u64) -> Vec<Range<u64>> {
        let slack = signed_samples(SLACK_MS, self.pauses.sample_rate);
        let least = i64::try_from(least).unwrap_or(i64::MAX).max(1);
        let run = signed(run);
        let around = run.start - slack..run.end + slack;
        let pauses = self.pauses.within(self.first, &around);
        let parts = left_over(&run, &pauses).into_iter();
        let long_enough = parts.filter(|part| {
            let touches = |edge: i64| pauses.iter().any(|p| p.start <= edge && edge <= p.end);
            let sides = [part.start, part.end]
                .into_iter()
                .filter(|e| touches(*e))
                .count();
            part.end - part.start >= least + slack * i64::try_from(sides).unwrap_or(0)
        });
        long_enough
            .map(|part| part.start.unsigned_abs()..part.end.unsigned_abs())
            .collect()
    }

    /// Whether the reference sounds anywhere in a stretch, by more than the edge of a pause.
    pub(super) fn sounds_in(&self, stretch: &Range<u64>) -> bool {
        !stretch.is_empty() && !self.unexplained(stretch, 1).is_empty()
    }

    /// Whether the reference is quiet at or near a run.
    pub(super) fn is_quiet_near(&self, run: &Range<u64>) -> bool {
        let slack = signed_samples(SLACK_MS, self.pauses.sample_rate);
        let run = signed(run);
        let around = run.start - slack..run.end + slack;
        !self.pauses.within(self.first, &around).is_empty()
    }
}

/// Which frames of a stretch lie wholly in a run.
fn frames(runs: impl Iterator<Item = Range<i64>>, frame: i64, stretch: Range<i64>) -> Vec<bool> {
    let count = usize::try_from((stretch.end - stretch.start).div_euclid(frame)).unwrap_or(0);
    let mut quiet = vec![false; count];
    for run in runs {
        let from = (run.start - stretch.start + frame - 1)
            .div_euclid(frame)
            .max(0);
        let to = (run.end - stretch.start).div_euclid(frame);
        let place = usize::try_from(from).unwrap_or(0)..usize::try_from(to).unwrap_or(0).min(count);
        if let Some(inside) = quiet.get_mut(place) {
            inside.fill(true);
        }
    }
    quiet
}

/// The correlation of two sequences of yes and no (phi), over what both have; 0 where one of them is all the same.
#[expect(clippy::cast_precision_loss, reason = "counts of frames")]
fn correlate(a: &[bool], b: &[bool]) -> f64 {
    let mut counts = [[0_u64; 2]; 2];
    for (a, b) in a.iter().zip(b) {
        counts[usize::from(*a)][usize::from(*b)] += 1;
    }
    let [[neither, only_b], [only_a, both]] = counts.map(|row| row.map(|count| count as f64));
    let sums = [
        both + only_a,
        both + only_b,
        neither + only_a,
        neither + only_b,
    ];
    let scale = sums.iter().product::<f64>().sqrt();
    if scale > 0.0 {
        (both * neither - only_a * only_b) / scale
    } else {
        0.0
    }
}

/// What is left of a run without the pauses in it, which are in order.
fn left_over(run: &Range<i64>, pauses: &[Range<i64>]) -> Vec<Range<i64>> {
    let (mut left, mut at) = (Vec::new(), run.start);
    for pause in pauses {
        if pause.start > at {
            left.push(at..pause.start.min(run.end));
        }
        at = at.max(pause.end);
    }
    if at < run.end {
        left.push(at..run.end);
    }
    left.retain(|part| part.start < part.end);
    left
}

fn signed(run: &Range<u64>) -> Range<i64> {
    let signed = |sample: u64| i64::try_from(sample).unwrap_or(i64::MAX);
    signed(run.start)..signed(run.end)
}

fn common(a: &Range<u64>, b: &Range<u64>) -> Option<Range<u64>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}

fn clip(run: &Range<i64>, stretch: &Range<i64>) -> Option<Range<i64>> {
    let both = run.start.max(stretch.start)..run.end.min(stretch.end);
    (!both.is_empty()).then_some(both)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a settable length; the cast saturates"
)]
fn signed_samples(ms: f64, sample_rate: u32) -> i64 {
    (ms * f64::from(sample_rate) / 1000.0).round() as i64
}
