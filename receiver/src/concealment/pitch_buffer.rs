//! What is repeated during an erasure, and the seams.
//!
//! Weights are whole numbers over a common divisor, and what is left of a division is cut off, as the standard's
//! program does where it makes 16 bits of its sums.

use super::{FRAME, HISTORY, QUARTER_MAX};

/// The history before an erasure, of which the last one, two or three pitch periods are read again and again. Its last
/// quarter of a period leads over to what comes before the first of them.
pub(super) struct PitchBuffer {
    samples: [i16; HISTORY],
    /// The last samples as they were.
    end: [i16; QUARTER_MAX],
    period: usize,
    periods: usize,
}

impl PitchBuffer {
    pub(super) fn new(history: &[i16; HISTORY], period: usize, periods: usize) -> Self {
        let mut end = [0; QUARTER_MAX];
        end.copy_from_slice(&history[HISTORY - QUARTER_MAX..]);
        let mut buffer = Self {
            samples: *history,
            end,
            period,
            periods,
        };
        buffer.repeat(periods);
        buffer
    }

    /// Repeats so many periods from now on.
    pub(super) fn repeat(&mut self, periods: usize) {
        self.periods = periods;
        let quarter = self.period / 4;
        let (rest, last) = self.samples.split_at_mut(HISTORY - quarter);
        last.copy_from_slice(&rest[HISTORY - periods * self.period - quarter..][..quarter]);
        overlap_add(&self.end[QUARTER_MAX - quarter..], last);
    }

    /// Reads on from an offset, which moves; after the last period comes the first.
    pub(super) fn read(&self, offset: &mut usize, out: &mut [i16]) {
        let repeated = &self.samples[HISTORY - self.periods * self.period..];
        for sample in out {
            *sample = repeated[*offset];
            *offset = if *offset + 1 == repeated.len() {
                0
            } else {
                *offset + 1
            };
        }
    }

    /// The last quarter of a period.
    pub(super) fn last_quarter(&self) -> &[i16] {
        &self.samples[HISTORY - self.period / 4..]
    }
}

/// Fades from `before` to what begins `after`, over the length of `before`.
pub(super) fn overlap_add(before: &[i16], after: &mut [i16]) {
    let length = whole(before.len());
    for (i, (before, after)) in (1..).zip(before.iter().zip(after)) {
        let sum = i32::from(*before) * (length - i) + i32::from(*after) * i;
        *after = narrow(sum / length);
    }
}

/// Fades from what an erasure of so many frames would go on with to the good samples, over their length. What goes on
/// keeps the size that it had at the end of the erasure.
pub(super) fn overlap_add_at_end(continued: &[i16], good: &mut [i16], frames: u8) {
    let length = whole(good.len());
    let fifths = 5 - (i32::from(frames) - 1).clamp(0, 5);
    for (i, (continued, good)) in (1..).zip(continued.iter().zip(good)) {
        let continued = i32::from(*continued) * fifths * (length - i);
        *good = narrow((continued + 5 * i32::from(*good) * i) / (5 * length));
    }
}

/// Makes the frame that comes after so many frames of an erasure smaller: nothing in the first, then by a fifth of the
/// full size in each, sample by sample.
pub(super) fn attenuate(frame: &mut [i16; FRAME], frames: u8) {
    const FULL: i32 = 400; // five frames
    if frames == 0 {
        return;
    }
    let first = FULL - (i32::from(frames) - 1) * whole(FRAME);
    for (gain, sample) in (0..=first).rev().zip(frame) {
        *sample = narrow(i32::from(*sample) * gain / FULL);
    }
}

fn whole(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(1)
}

/// A mean of 16-bit samples, weights adding up to one at most, is one.
#[expect(clippy::cast_possible_truncation, reason = "a mean of 16-bit samples")]
fn narrow(mean: i32) -> i16 {
    mean as i16
}
