//! A stretch of samples, cut from a recording as it is read.

use super::Span;
use milliwatt_scoring::recording::{WavError, WavReader};
use std::io::Read;

/// Channels that an excerpt can have: a run records one or two.
pub const MOST_CHANNELS: u8 = 2;
/// Samples a second that an excerpt can have: a run records 8000.
pub const MOST_SAMPLE_RATE: u32 = 48_000;

/// Why there is nothing to see and hear of a silence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAudio {
    /// There is no such file.
    #[error(
        "the recording is not in recordings/: it was not kept (`--keep-recordings`) or has been taken away"
    )]
    NotThere,
    /// The facts name no file of `recordings/`.
    #[error("the recording's name is no name of a file in recordings/")]
    NoName,
    /// A folder, a pipe or the like.
    #[error("the recording is no regular file")]
    NoFile,
    /// Larger than any recording of a run.
    #[error("the recording has {0} octets, more than is read for a report")]
    TooLarge(u64),
    /// The system could not read it.
    #[error("the recording cannot be read: {0}")]
    Unreadable(String),
    /// It is no WAVE file, or a damaged one.
    #[error("the recording cannot be read: {0}")]
    Damaged(#[from] WavError),
    /// Not what a run records.
    #[error(
        "the recording has {channels} channels at {sample_rate} samples/s: no recording of a run"
    )]
    Foreign {
        /// Channels.
        channels: u8,
        /// Samples a second.
        sample_rate: u32,
    },
    /// It ends before the silence, or has not its channel.
    #[error("the recording does not reach to the silence: it is another one than was scored")]
    Beyond,
}

/// Samples of all channels, interleaved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Samples a second and channel.
    pub sample_rate: u32,
    /// Channels, at least one.
    pub channels: u8,
    /// Samples of each channel that lie before it.
    pub first: u64,
    /// The samples.
    pub samples: Vec<i16>,
}

impl Stretch {
    /// Cuts a span out of a WAVE file, which is read no further than to its end.
    ///
    /// # Errors
    /// It is none or damaged, nothing that a run records, or does not reach to the silence.
    pub fn cut(source: impl Read, span: &Span) -> Result<Self, NoAudio> {
        let mut wav = WavReader::open(source)?;
        let (channels, sample_rate) = (wav.format().channels, wav.format().sample_rate);
        if channels > MOST_CHANNELS || sample_rate > MOST_SAMPLE_RATE {
            return Err(NoAudio::Foreign {
                channels,
                sample_rate,
            });
        }
        let place = |seconds| frames(seconds, sample_rate);
        let (first, end) = (place(span.from_s), place(span.to_s));
        let (mut samples, mut read, mut at) = (Vec::new(), Vec::new(), 0);
        while at < end && wav.read(&mut read)? {
            let count = read.len() as u64 / u64::from(channels);
            let own = inside(at, count, first..end, channels);
            samples.extend_from_slice(read.get(own).unwrap_or(&[]));
            at += count;
            read.clear();
        }
        if at <= place(span.start_s) || span.channel >= channels {
            return Err(NoAudio::Beyond);
        }
        Ok(Self {
            sample_rate,
            channels,
            first,
            samples,
        })
    }

    /// Its begin, s from the recording's start.
    #[must_use]
    pub fn from_s(&self) -> f64 {
        seconds(self.first, self.sample_rate)
    }

    /// Its end, s from the recording's start.
    #[must_use]
    pub fn to_s(&self) -> f64 {
        seconds(self.first + self.frames() as u64, self.sample_rate)
    }

    /// Samples of each channel.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }

    /// Least and largest sample of a channel in each of so many columns of equal width, share of full scale. A column that is
    /// narrower than a sample has the one that it lies in.
    #[must_use]
    pub fn envelope(&self, channel: u8, columns: usize) -> Vec<(f64, f64)> {
        let (frames, step) = (self.frames(), usize::from(self.channels.max(1)));
        if frames == 0 {
            return Vec::new();
        }
        let share = |sample: i16| f64::from(sample) / 32_768.0;
        let column = |index: usize| {
            let from = index * frames / columns;
            let to = ((index + 1) * frames / columns).max(from + 1);
            let own = (from..to).filter_map(|n| self.samples.get(n * step + usize::from(channel)));
            let least = own.clone().min().copied().unwrap_or(0);
            (share(least), share(own.max().copied().unwrap_or(0)))
        };
        (0..columns).map(column).collect()
    }
}

/// The part of a piece of so many frames, which begins at `at`, that lies in a range of frames: its place in the piece.
fn inside(
    at: u64,
    count: u64,
    range: std::ops::Range<u64>,
    channels: u8,
) -> std::ops::Range<usize> {
    let place = |frame: u64| {
        let index = frame.clamp(at, at + count) - at;
        usize::try_from(index * u64::from(channels)).unwrap_or(usize::MAX)
    };
    place(range.start)..place(range.end)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and no number is 0; a place in a file"
)]
fn frames(seconds: f64, sample_rate: u32) -> u64 {
    (seconds * f64::from(sample_rate)).round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "a length in samples below 2^53")]
fn seconds(frames: u64, sample_rate: u32) -> f64 {
    frames as f64 / f64::from(sample_rate)
}

#[cfg(test)]
mod tests;
