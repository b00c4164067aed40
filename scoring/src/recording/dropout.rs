//! Dropouts: digital silence between sound and sound, too short for a silence. Speech ends in noise and noise gates
//! close on little; what is cut out leaves sound at both edges.

use super::frame::{Frame, Limits};
use std::ops::Range;

/// Finds dropouts in one channel.
#[derive(Debug)]
pub(super) struct DropoutTracker {
    limits: Limits,
    least: u64,
    /// As long as this it is a silence.
    below: u64,
    /// Where the idle run that is under way began, and whether sound came before it.
    run: Option<(u64, bool)>,
}

impl DropoutTracker {
    /// Of at least `least` and less than `below` samples.
    pub(super) fn new(limits: Limits, least: u64, below: u64) -> Self {
        Self {
            limits,
            least: least.max(1),
            below,
            run: None,
        }
    }

    /// Takes the next frame; hands on what ended in it.
    #[inline]
    pub(super) fn handle(&mut self, frame: &Frame<'_>, found: impl FnMut(Range<u64>)) {
        let idle = u64::from(frame.idle);
        let is_whole = frame.samples().len() as u64 == idle;
        match self.run {
            // A run that crosses frames has half of its least length in one of them, or fills one.
            None if idle * 2 < self.least && !is_whole => {}
            Some(_) if is_whole => {}
            _ => self.look_inside(frame, found),
        }
    }

    /// Follows the idle runs of a frame, sample by sample.
    fn look_inside(&mut self, frame: &Frame<'_>, mut found: impl FnMut(Range<u64>)) {
        for (at, sample) in frame.samples().iter().enumerate() {
            match (self.run, self.is_idle(*sample)) {
                (None, true) => self.run = Some(self.begin(frame, at)),
                (Some(run), false) => {
                    self.run = None;
                    self.end(run, frame, at).into_iter().for_each(&mut found);
                }
                _ => {}
            }
        }
    }

    /// The run that place `at` of a frame belongs to: at a frame's edge it may have begun in the one before.
    fn begin(&self, frame: &Frame<'_>, at: usize) -> (u64, bool) {
        let idle_before = frame
            .before()
            .iter()
            .rev()
            .take_while(|s| self.is_idle(**s));
        let behind = if at == 0 { idle_before.count() } else { 0 };
        let [before, _] = frame.beside(at, behind + self.limits.frame);
        let sound = &before[..before.len() - behind];
        (
            frame.start + at as u64 - behind as u64,
            self.is_sound(sound),
        )
    }

    /// The dropout that ends before place `at` of a frame, if it is one.
    fn end(
        &self,
        (start, sound_before): (u64, bool),
        frame: &Frame<'_>,
        at: usize,
    ) -> Option<Range<u64>> {
        let run = start..frame.start + at as u64;
        let fits = (self.least..self.below).contains(&(run.end - run.start));
        let [_, after] = frame.beside(at, self.limits.frame);
        (fits && sound_before && self.is_sound(after)).then_some(run)
    }

    fn is_idle(&self, sample: i16) -> bool {
        sample.unsigned_abs() <= self.limits.idle
    }

    fn is_sound(&self, samples: &[i16]) -> bool {
        !self.limits.are_silent(samples)
    }
}
