//! A continuous tone, followed by its phase: samples that were spliced out of it, or in, show as a step.
//!
//! A tone of f Hz at a rate of r samples/s repeats itself after p = r / gcd(r, f) samples, and every one of its p phases
//! lies at its own whole number of samples. So the step tells how many samples are missing, up to whole periods of p:
//! 250 ms of 1004 Hz at 8000 samples/s. The phase is a mean over one such period before the step and one after it, in
//! which the error of the coding is the same on both sides.

use super::frame::{Frame, energy};
use std::collections::VecDeque;
use std::f64::consts::{PI, TAU};
use std::ops::Range;
use std::sync::Arc;

/// A frame whose energy is the tone's by this share holds the tone.
const TONE_SHARE: f64 = 0.98;
/// A frame's phase this far from the mean is another, radians: 0.9 degrees, five samples or more of 1004 Hz.
const PHASE_STEP: f64 = 0.015;
/// Frames that make a mean.
const FRAMES_MIN: usize = 5;
/// Frames of a mean at most.
const FRAMES_MAX: usize = 100;
/// Of the period's samples, this share may be missing rather than the rest inserted.
const MISSING_SHARE: f64 = 0.75;
/// A sample this far from the tone, as a share of its amplitude, is none of it.
const SAMPLE_STEP: f64 = 0.15;

/// Longer periods are not followed: a table of each is held.
const PERIOD_MAX: u64 = 48_000;

/// A break in a tone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Splice {
    /// The first sample after it.
    pub(super) at: u64,
    /// Samples that are missing, below zero that are too many, modulo the tone's period; none when the phase is no
    /// whole number of them.
    pub(super) missing: Option<i64>,
}

impl Splice {
    /// From the break on, as long as what is missing.
    pub(super) fn place(&self) -> Range<u64> {
        let missing = self.missing.unwrap_or(0).max(0).cast_unsigned();
        self.at..self.at + missing
    }
}

/// What a frame holds of a tone of known frequency.
#[derive(Clone, Copy, Debug)]
struct Fit {
    /// Cosine and sine part.
    parts: [f64; 2],
    /// Share of the frame's energy that is the tone.
    share: f64,
}

impl Fit {
    fn phase(&self) -> f64 {
        (-self.parts[1]).atan2(self.parts[0])
    }
}

/// A tone as a table of one period and a frame more.
#[derive(Debug)]
pub(super) struct Oscillator {
    cosines: Vec<f32>,
    sines: Vec<f32>,
    /// Sums of cosine squared, sine squared and cosine times sine before each sample.
    sums: Vec<[f64; 3]>,
    period: u64,
    /// Cycles in a period.
    cycles: u64,
}

impl Oscillator {
    /// A tone of `hertz`, for frames of `frame` samples. None when it repeats itself after more than [`PERIOD_MAX`]
    /// samples.
    pub(super) fn new(hertz: u32, sample_rate: u32, frame: usize) -> Option<Self> {
        let divisor = gcd(hertz.into(), sample_rate.into());
        let (period, cycles) = (u64::from(sample_rate) / divisor, u64::from(hertz) / divisor);
        let mut oscillator = Self {
            cosines: Vec::new(),
            sines: Vec::new(),
            sums: vec![[0.0; 3]],
            period,
            cycles,
        };
        let length = Some(period + frame as u64).filter(|_| period <= PERIOD_MAX)?;
        for n in 0..length {
            oscillator.push(TAU * float(n * cycles % period) / float(period));
        }
        Some(oscillator)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "single precision is enough"
    )]
    fn push(&mut self, angle: f64) {
        let (sine, cosine) = angle.sin_cos();
        self.cosines.push(cosine as f32);
        self.sines.push(sine as f32);
        let [squares, sine_squares, products] = self.sums[self.sums.len() - 1];
        self.sums.push([
            squares + cosine * cosine,
            sine_squares + sine * sine,
            products + cosine * sine,
        ]);
    }

    /// Where a sample of the recording lies in the table.
    fn place(&self, sample: u64) -> usize {
        usize::try_from(sample % self.period).unwrap_or(0)
    }

    /// The tone that fits samples best, by least squares.
    fn fit(&self, start: u64, samples: &[i16]) -> Fit {
        let at = self.place(start);
        let end = at + samples.len();
        let x_cosine = correlate(samples, &self.cosines[at..end]);
        let x_sine = correlate(samples, &self.sines[at..end]);
        let (from, to) = (self.sums[at], self.sums[end]);
        let [cosine, sine, both]: [f64; 3] = std::array::from_fn(|n| to[n] - from[n]);
        let determinant = cosine * sine - both * both;
        let parts = [
            (x_cosine * sine - x_sine * both) / determinant,
            (x_sine * cosine - x_cosine * both) / determinant,
        ];
        let all = float(energy(samples));
        let share = (parts[0] * x_cosine + parts[1] * x_sine) / all;
        Fit {
            parts,
            share: if share.is_finite() { share } else { 0.0 },
        }
    }

    /// Whole samples that a step of phase stands for, below a period; none between two.
    #[expect(clippy::cast_possible_truncation, reason = "far below 2^63")]
    fn samples_of(&self, step: f64, accuracy: f64) -> Option<i64> {
        let units = step / TAU * float(self.period);
        if (units - units.round()).abs() > accuracy {
            return None;
        }
        let period = i128::from(self.period);
        let units = i128::from(units.round() as i64).rem_euclid(period);
        let inverse = inverse(self.cycles.into(), period)?;
        let samples = i64::try_from(units * inverse % period).ok()?;
        let most = float(self.period) * MISSING_SHARE;
        let is_missing = samples <= most as i64;
        Some(if is_missing {
            samples
        } else {
            samples - self.period.cast_signed()
        })
    }
}

/// The sum of products, in eight lanes as the processor has them.
fn correlate(samples: &[i16], table: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; 8];
    let (samples, rest) = samples.as_chunks::<8>();
    let (table, table_rest) = table.as_chunks::<8>();
    for (samples, table) in samples.iter().zip(table) {
        for ((lane, sample), value) in lanes.iter_mut().zip(samples).zip(table) {
            *lane += f32::from(*sample) * value;
        }
    }
    let rest = rest.iter().zip(table_rest);
    let rest = rest.map(|(sample, value)| f32::from(*sample) * value);
    f64::from(lanes.iter().sum::<f32>() + rest.sum::<f32>())
}

/// Phases of some frames in a row, as unit vectors and their sum.
#[derive(Clone, Debug, Default)]
struct PhaseMean {
    phases: VecDeque<[f64; 2]>,
    sum: [f64; 2],
}

impl PhaseMean {
    fn push(&mut self, phase: f64, most: usize) {
        let (sine, cosine) = phase.sin_cos();
        self.phases.push_back([cosine, sine]);
        self.sum = [self.sum[0] + cosine, self.sum[1] + sine];
        if self.phases.len() > most
            && let Some([cosine, sine]) = self.phases.pop_front()
        {
            self.sum = [self.sum[0] - cosine, self.sum[1] - sine];
        }
    }

    fn clear(&mut self) {
        *self = Self::default();
    }

    fn mean(&self) -> f64 {
        self.sum[1].atan2(self.sum[0])
    }
}

/// Follows a tone in one channel.
#[derive(Debug)]
pub(super) struct ToneTracker {
    oscillator: Arc<Oscillator>,
    /// Frames of a whole period.
    frames: usize,
    before: PhaseMean,
    before_parts: [f64; 2],
    /// Where the tone left its phase, and the phases since.
    step: Option<(u64, PhaseMean)>,
    seen: u64,
    tone: u64,
}

impl ToneTracker {
    /// Of frames of `frame` samples.
    pub(super) fn new(oscillator: Arc<Oscillator>, frame: usize) -> Self {
        let frames = usize::try_from(oscillator.period).unwrap_or(usize::MAX) / frame;
        Self {
            frames: frames.clamp(FRAMES_MIN, FRAMES_MAX),
            oscillator,
            before: PhaseMean::default(),
            before_parts: [0.0; 2],
            step: None,
            seen: 0,
            tone: 0,
        }
    }

    /// Takes the next frame; gives a splice of which all is known.
    pub(super) fn handle(&mut self, frame: &Frame<'_>) -> Option<Splice> {
        self.seen += u64::from(!frame.is_silent);
        let fit = self.oscillator.fit(frame.start, frame.samples());
        let phase = fit.phase();
        if fit.share < TONE_SHARE {
            self.leave(frame);
            return None;
        }
        self.tone += 1;
        if self.before.phases.len() < FRAMES_MIN {
            self.settle(fit);
            return None;
        }
        let Some((_, after)) = &mut self.step else {
            if distance(phase, self.before.mean()) < PHASE_STEP {
                self.before.push(phase, self.frames);
                self.before_parts = fit.parts;
            } else {
                self.leave(frame);
                self.hold(phase);
            }
            return None;
        };
        if !after.phases.is_empty() && distance(phase, after.mean()) >= PHASE_STEP {
            after.clear();
        }
        self.hold(phase);
        self.conclude(self.frames)
    }

    /// What the recording ends in.
    pub(super) fn finish(&mut self) -> Option<Splice> {
        self.conclude(FRAMES_MIN)
    }

    /// Frames with sound, and those of them that are this tone.
    pub(super) fn frames(&self) -> [u64; 2] {
        [self.seen, self.tone]
    }

    /// The first frames of all: a tone that does not hold still begins anew.
    fn settle(&mut self, fit: Fit) {
        let phase = fit.phase();
        if !self.before.phases.is_empty() && distance(phase, self.before.mean()) >= PHASE_STEP {
            self.before.clear();
        }
        self.before.push(phase, self.frames);
        self.before_parts = fit.parts;
    }

    /// The tone is not in this frame as it was: where it left is kept.
    fn leave(&mut self, frame: &Frame<'_>) {
        if self.before.phases.len() < FRAMES_MIN {
            self.before.clear();
        } else if let Some((_, after)) = &mut self.step {
            after.clear();
        } else {
            self.step = Some((self.find_step(frame), PhaseMean::default()));
        }
    }

    fn hold(&mut self, phase: f64) {
        if let Some((_, after)) = &mut self.step {
            after.push(phase, self.frames);
        }
    }

    /// The first sample that is none of the tone as it was.
    fn find_step(&self, frame: &Frame<'_>) -> u64 {
        let [cosine, sine] = self.before_parts;
        let limit = SAMPLE_STEP * cosine.hypot(sine);
        let at = self.oscillator.place(frame.start);
        let table = self.oscillator.cosines[at..].iter();
        let table = table.zip(&self.oscillator.sines[at..]);
        let is_tone = |(sample, (c, s)): &(&i16, (&f32, &f32))| {
            (f64::from(**sample) - cosine * f64::from(**c) - sine * f64::from(**s)).abs() < limit
        };
        let held = frame.samples().iter().zip(table).take_while(is_tone);
        frame.start + held.count() as u64
    }

    /// The splice, when the phases after the step are enough.
    fn conclude(&mut self, enough: usize) -> Option<Splice> {
        let (at, after) = self.step.as_ref()?;
        if after.phases.len() < enough {
            return None;
        }
        let step = difference(after.mean(), self.before.mean());
        // A whole period on each side is exact; means of less have their noise.
        let whole = after.phases.len().min(self.before.phases.len()) >= self.frames;
        let missing = self
            .oscillator
            .samples_of(step, if whole { 0.4 } else { 0.25 });
        let splice = Splice { at: *at, missing };
        self.before = after.clone();
        self.step = None;
        (step.abs() >= PHASE_STEP / 2.0 && missing != Some(0)).then_some(splice)
    }
}

/// `a` less `b`, between half a turn either way.
fn difference(a: f64, b: f64) -> f64 {
    (a - b + PI).rem_euclid(TAU) - PI
}

fn distance(a: f64, b: f64) -> f64 {
    difference(a, b).abs()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// The inverse of `a` modulo `m`.
fn inverse(a: i128, m: i128) -> Option<i128> {
    let (mut r, mut next_r, mut t, mut next_t) = (m, a.rem_euclid(m), 0, 1);
    while next_r != 0 {
        let quotient = r / next_r;
        (r, next_r) = (next_r, r - quotient * next_r);
        (t, next_t) = (next_t, t - quotient * next_t);
    }
    (r == 1).then(|| t.rem_euclid(m))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn float(n: u64) -> f64 {
    n as f64
}
