//! Levels of one channel: active speech level and activity by ITU-T P.56 method B, and the noise floor.

use super::frame::{Frame, Framer, Limits, energy};
use super::to_samples;
use serde::Serialize;
use std::ops::Range;

/// Thresholds of P.56: 2^-15 to 2^-1 of full scale.
const THRESHOLDS: usize = 15;
/// Time constant of the envelope, s.
const SMOOTHING_S: f64 = 0.03;
/// Activity lasts on for this long, ms.
const HANGOVER_MS: f64 = 200.0;
/// The active level lies this far above its threshold, dB.
const MARGIN_DB: f64 = 15.9;
/// Steps of the frames' levels, a dB.
const STEPS_A_DB: f64 = 2.0;
/// Frames below this are all in one step, dBov.
const FLOOR_DBOV: f64 = -100.0;
const STEPS: usize = 201;
/// The share of frames that lie at or below the noise floor.
const FLOOR_SHARE: f64 = 0.1;

/// The levels of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Levels {
    /// RMS over the whole recording, dBov; null when there is no signal at all.
    pub long_term_dbov: Option<f64>,
    /// Active speech level, dBov (ITU-T P.56, method B); null when nothing is active.
    pub active_dbov: Option<f64>,
    /// Share of the time that is active, 0 to 1.
    pub activity: Option<f64>,
    /// The level that one frame of 10 ms in ten lies below, to 0.5 dB, dBov; frames of digital silence are left out.
    /// Null when there are no others.
    pub noise_floor_dbov: Option<f64>,
    /// Largest magnitude, dB of full scale; null when there is no signal at all.
    pub peak_dbfs: Option<f64>,
}

impl Levels {
    /// The levels of one channel's samples.
    #[must_use]
    pub fn of(samples: &[i16], sample_rate: u32) -> Self {
        let mut framer = Framer::new(Limits::new(sample_rate, FLOOR_DBOV, 0));
        let mut meter = LevelMeter::new(sample_rate);
        framer.samples().extend_from_slice(samples);
        framer.finish(|frame| meter.handle(frame));
        meter.finish()
    }
}

/// Measures the levels of a channel as its frames come.
#[derive(Debug)]
pub(super) struct LevelMeter {
    keep: f64,
    hangover: u64,
    envelope: [f64; 2],
    /// Thresholds that the envelope is at or above.
    above: usize,
    /// For each threshold: since when the envelope is above it, or below it.
    since: [u64; THRESHOLDS],
    /// Whether it ever was above.
    was_above: [bool; THRESHOLDS],
    active: [u64; THRESHOLDS],
    squares: u64,
    samples: u64,
    peak: u16,
    frames: Vec<u64>,
}

impl LevelMeter {
    pub(super) fn new(sample_rate: u32) -> Self {
        let rate = f64::from(sample_rate);
        Self {
            keep: (-1.0 / (rate * SMOOTHING_S)).exp(),
            hangover: to_samples(HANGOVER_MS, sample_rate),
            envelope: [0.0; 2],
            above: 0,
            since: [0; THRESHOLDS],
            was_above: [false; THRESHOLDS],
            active: [0; THRESHOLDS],
            squares: 0,
            samples: 0,
            peak: 0,
            frames: vec![0; STEPS],
        }
    }

    /// Takes the next frame.
    pub(super) fn handle(&mut self, frame: &Frame<'_>) {
        let squares = energy(frame.samples());
        self.squares += squares;
        self.peak = self.peak.max(frame.peak);
        if frame.peak > 0 {
            self.frames[step(mean(squares, frame.samples().len() as u64))] += 1;
        }
        self.follow(frame.samples());
    }

    /// Follows the envelope: two smoothers in a row.
    fn follow(&mut self, samples: &[i16]) {
        let (keep, gain) = (self.keep, (1.0 - self.keep) / 32_768.0);
        let [mut p, mut q] = self.envelope;
        let mut bounds = self.bounds();
        for sample in samples {
            p = keep * p + gain * f64::from(sample.unsigned_abs());
            q = keep * q + (1.0 - keep) * p;
            if !bounds.contains(&q) {
                self.cross(q);
                bounds = self.bounds();
            }
            self.samples += 1;
        }
        self.envelope = [p, q];
    }

    /// Between these the envelope crosses no threshold.
    fn bounds(&self) -> Range<f64> {
        let at = |above: usize| above.checked_sub(1).map_or(f64::NEG_INFINITY, threshold);
        let to = if self.above < THRESHOLDS {
            threshold(self.above)
        } else {
            f64::INFINITY
        };
        at(self.above)..to
    }

    /// The envelope crossed thresholds.
    fn cross(&mut self, q: f64) {
        let above = (0..THRESHOLDS).take_while(|j| q >= threshold(*j)).count();
        for j in self.above..above {
            self.active[j] += self.lasting(j);
            self.was_above[j] = true;
            self.since[j] = self.samples;
        }
        for j in above..self.above {
            self.active[j] += self.samples - self.since[j];
            self.since[j] = self.samples;
        }
        self.above = above;
    }

    /// Samples that the activity of a threshold which the envelope is below lasted on.
    fn lasting(&self, threshold: usize) -> u64 {
        if self.was_above[threshold] {
            (self.samples - self.since[threshold]).min(self.hangover)
        } else {
            0
        }
    }

    /// What all of it comes to.
    pub(super) fn finish(mut self) -> Levels {
        self.cross(f64::NEG_INFINITY);
        for j in 0..THRESHOLDS {
            self.active[j] += self.lasting(j);
        }
        let long_term = decibels(mean(self.squares, self.samples));
        let active = self.active_level();
        Levels {
            long_term_dbov: long_term,
            active_dbov: active,
            activity: long_term
                .zip(active)
                .map(|(long_term, active)| 10_f64.powf((long_term - active) / 10.0)),
            noise_floor_dbov: self.noise_floor(),
            peak_dbfs: decibels((f64::from(self.peak) / 32_768.0).powi(2)),
        }
    }

    /// The level whose threshold lies [`MARGIN_DB`] below it, between those of two thresholds.
    fn active_level(&self) -> Option<f64> {
        let levels = (0..THRESHOLDS)
            .filter(|j| self.active[*j] > 0)
            .filter_map(|j| {
                let level = decibels(mean(self.squares, self.active[j]))?;
                Some((level, level - 20.0 * threshold(j).log10()))
            });
        let mut before: Option<(f64, f64)> = None;
        for (level, margin) in levels {
            if margin <= MARGIN_DB {
                let share = before.map(|(l, m)| (l, (m - MARGIN_DB) / (m - margin)));
                return Some(share.map_or(level, |(l, share)| l + (level - l) * share));
            }
            before = Some((level, margin));
        }
        before.map(|(level, _)| level)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of frames")]
    fn noise_floor(&self) -> Option<f64> {
        let all: u64 = self.frames.iter().sum();
        let mut below = 0;
        let step = self.frames.iter().position(|frames| {
            below += frames;
            all > 0 && below as f64 >= all as f64 * FLOOR_SHARE
        })?;
        Some(FLOOR_DBOV + step as f64 / STEPS_A_DB)
    }
}

/// The threshold, a share of full scale.
fn threshold(j: usize) -> f64 {
    const ALL: [f64; THRESHOLDS] = {
        let (mut all, mut j, mut value) = ([0.0; THRESHOLDS], THRESHOLDS, 1.0);
        while j > 0 {
            value /= 2.0;
            j -= 1;
            all[j] = value;
        }
        all
    };
    ALL[j]
}

/// The mean square of samples on the 16-bit scale, as a share of full scale.
#[expect(clippy::cast_precision_loss, reason = "a level")]
fn mean(squares: u64, samples: u64) -> f64 {
    squares as f64 / samples as f64 / (32_768.0 * 32_768.0)
}

/// None for nothing, or none of nothing.
fn decibels(mean_square: f64) -> Option<f64> {
    (mean_square > 0.0).then(|| 10.0 * mean_square.log10())
}

/// The step of a frame's level.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "limited to the steps"
)]
fn step(mean_square: f64) -> usize {
    let above = 10.0 * mean_square.log10() - FLOOR_DBOV;
    ((above * STEPS_A_DB).ceil().max(0.0) as usize).min(STEPS - 1)
}
