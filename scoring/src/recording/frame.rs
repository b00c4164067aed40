//! One channel of a recording in frames of 10 ms, each with what lies around it.

use std::ops::Range;

/// Frames a second.
const FRAMES_A_SECOND: u32 = 100;
/// Frames behind and ahead of the one that is looked at.
const BEHIND: usize = 2;

/// A frame as the detectors see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'s> {
    /// What is held of the channel.
    held: &'s [i16],
    /// Where the frame begins in it.
    at: usize,
    length: usize,
    /// Its first sample, counted from the recording's start.
    pub(super) start: u64,
    /// Largest magnitude in it.
    pub(super) peak: u16,
    /// Samples in it with no signal at all.
    pub(super) idle: u16,
    /// Its level is below the limit.
    pub(super) is_silent: bool,
}

impl<'s> Frame<'s> {
    /// Its samples.
    pub(super) fn samples(&self) -> &'s [i16] {
        &self.held[self.at..self.at + self.length]
    }

    /// What is held of before it: two frames, except at the recording's start.
    pub(super) fn before(&self) -> &'s [i16] {
        &self.held[..self.at]
    }

    /// So many samples before and after the place `at` of the frame, as many as there are.
    pub(super) fn beside(&self, at: usize, samples: usize) -> [&'s [i16]; 2] {
        let middle = self.at + at;
        let end = (middle + samples).min(self.held.len());
        [
            &self.held[middle.saturating_sub(samples)..middle],
            &self.held[middle..end],
        ]
    }
}

/// What makes a frame silent, and a sample idle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Samples of a frame.
    pub(super) frame: usize,
    /// Magnitudes below this are quiet.
    pub(super) quiet_below: u16,
    /// The limit's mean square.
    mean_square: f64,
    /// Magnitudes up to this are idle.
    pub(super) idle: u16,
}

impl Limits {
    /// By rate, the limit in dBov (20 log10 of the RMS over full scale), and the encoding's idle magnitude.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "limited to 16 bits; the casts saturate"
    )]
    pub(super) fn new(sample_rate: u32, level_dbov: f64, idle: u16) -> Self {
        let limit = 10_f64.powf(level_dbov / 20.0) * 32_768.0;
        Self {
            frame: samples_of_frame(sample_rate),
            quiet_below: limit.ceil() as u16,
            mean_square: limit * limit,
            idle,
        }
    }

    /// Whether samples are below the limit; no samples are.
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of a frame's squares stay below 2^53"
    )]
    pub(super) fn are_silent(&self, samples: &[i16]) -> bool {
        let limit = self.mean_square * samples.len() as f64;
        samples.is_empty() || (energy(samples) as f64) < limit
    }
}

/// Samples in 10 ms, rounded.
pub(super) fn samples_of_frame(sample_rate: u32) -> usize {
    ((sample_rate + FRAMES_A_SECOND / 2) / FRAMES_A_SECOND) as usize
}

/// The sum of squares.
pub(super) fn energy(samples: &[i16]) -> u64 {
    let square = |x: &i16| u64::from((i32::from(*x) * i32::from(*x)).unsigned_abs());
    samples.iter().map(square).sum()
}

/// The least and the largest sample, and how many have at most the idle magnitude: one pass.
fn measure(samples: &[i16], idle: u16) -> (i16, i16, u16) {
    let (mut least, mut largest, mut idles) = (0_i16, 0_i16, 0_u16);
    for sample in samples {
        least = least.min(*sample);
        largest = largest.max(*sample);
        idles = idles.wrapping_add(u16::from(sample.unsigned_abs() <= idle));
    }
    (least, largest, idles)
}

/// A channel, cut into frames as its samples come.
#[derive(Debug)]
pub(super) struct Framer {
    limits: Limits,
    held: Vec<i16>,
    /// Where the next frame begins in what is held.
    at: usize,
    /// Samples that are not held any more.
    past: u64,
}

impl Framer {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            held: Vec::new(),
            at: 0,
            past: 0,
        }
    }

    /// Where the channel's next samples are to be put.
    pub(super) fn samples(&mut self) -> &mut Vec<i16> {
        &mut self.held
    }

    /// Samples that came so far.
    pub(super) fn total(&self) -> u64 {
        self.past + self.held.len() as u64
    }

    /// Hands on each frame after which a further one is held.
    pub(super) fn advance(&mut self, mut handle: impl FnMut(&Frame<'_>)) {
        let length = self.limits.frame;
        while self.at + 2 * length <= self.held.len() {
            handle(&self.frame(self.at..self.at + length));
            self.at += length;
        }
        let spent = self.at.saturating_sub(BEHIND * length);
        self.held.drain(..spent);
        self.at -= spent;
        self.past += spent as u64;
    }

    /// Hands on what is left; the last frame may be shorter.
    pub(super) fn finish(&mut self, mut handle: impl FnMut(&Frame<'_>)) {
        while self.at < self.held.len() {
            let end = (self.at + self.limits.frame).min(self.held.len());
            handle(&self.frame(self.at..end));
            self.at = end;
        }
    }

    fn frame(&self, place: Range<usize>) -> Frame<'_> {
        let samples = &self.held[place.clone()];
        let (least, largest, idle) = measure(samples, self.limits.idle);
        let peak = least.unsigned_abs().max(largest.unsigned_abs());
        Frame {
            held: &self.held,
            at: place.start,
            length: samples.len(),
            start: self.past + place.start as u64,
            peak,
            idle,
            is_silent: peak < self.limits.quiet_below || self.limits.are_silent(samples),
        }
    }
}
