//! Silences: runs of silent frames, with both edges moved outwards to the sample.

use super::frame::{Frame, Limits};
use std::ops::Range;

/// Finds runs of silence in one channel.
#[derive(Debug)]
pub(super) struct SilenceTracker {
    limits: Limits,
    /// Nothing that begins a run is looked at before.
    guard: u64,
    /// Where the run that is under way began.
    run: Option<u64>,
    /// The first frame past the guard that was none.
    first_sound: Option<u64>,
}

impl SilenceTracker {
    pub(super) fn new(limits: Limits, guard: u64) -> Self {
        Self {
            limits,
            guard,
            run: None,
            first_sound: None,
        }
    }

    /// Takes the next frame; gives the run that it ended.
    #[inline]
    pub(super) fn handle(&mut self, frame: &Frame<'_>) -> Option<Range<u64>> {
        if frame.is_silent {
            if self.run.is_none() {
                self.run = Some(frame.start - self.quiet(frame.before().iter().rev()));
            }
            return None;
        }
        if self.first_sound.is_none() && frame.start >= self.guard {
            self.first_sound = Some(frame.start);
        }
        let start = self.run.take()?;
        Some(start..frame.start + self.quiet(frame.samples().iter()))
    }

    /// The run that the recording ended in; `total` samples were all.
    pub(super) fn finish(&mut self, total: u64) -> Option<Range<u64>> {
        Some(self.run.take()?..total)
    }

    /// Whether anything was heard between the guards.
    pub(super) fn has_sound(&self, heard_until: u64) -> bool {
        self.first_sound.is_some_and(|first| first < heard_until)
    }

    /// The frame in which sound ends or begins is part silence: how many samples are, from its edge on.
    fn quiet<'s>(&self, samples: impl Iterator<Item = &'s i16>) -> u64 {
        let below = self.limits.quiet_below;
        samples
            .take_while(|sample| sample.unsigned_abs() < below)
            .count() as u64
    }
}
