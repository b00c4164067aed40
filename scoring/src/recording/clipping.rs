//! Clipping: three or more samples in a row at the largest magnitude that their encoding has.

use super::frame::Frame;
use std::ops::Range;

/// Samples in a row that are no chance.
const LEAST: u64 = 3;

/// Finds clipping in one channel. What lies close together is one.
#[derive(Debug)]
pub(super) struct ClippingTracker {
    overload: u16,
    /// Clipping this close to the last is part of it, samples.
    reach: u64,
    /// Where a run of samples at the limit began.
    run: Option<u64>,
    open: Option<Range<u64>>,
}

impl ClippingTracker {
    pub(super) fn new(overload: u16, reach: u64) -> Self {
        Self {
            overload,
            reach,
            run: None,
            open: None,
        }
    }

    /// Takes the next frame; gives clipping that is over for longer than the reach.
    #[inline]
    pub(super) fn handle(&mut self, frame: &Frame<'_>) -> Option<Range<u64>> {
        if frame.peak >= self.overload || self.run.is_some() {
            self.look_inside(frame);
        }
        let over = self.open.as_ref()?.end + self.reach < frame.start;
        if over { self.open.take() } else { None }
    }

    /// What is open at the end.
    pub(super) fn finish(&mut self, total: u64) -> Option<Range<u64>> {
        self.end_run(total);
        self.open.take()
    }

    fn look_inside(&mut self, frame: &Frame<'_>) {
        for (at, sample) in (frame.start..).zip(frame.samples()) {
            if sample.unsigned_abs() >= self.overload {
                self.run.get_or_insert(at);
            } else {
                self.end_run(at);
            }
        }
    }

    fn end_run(&mut self, end: u64) {
        let Some(start) = self.run.take().filter(|start| end - start >= LEAST) else {
            return;
        };
        match &mut self.open {
            // A frame is shorter than the reach: what is open is at most a reach away.
            Some(open) => open.end = end,
            None => self.open = Some(start..end),
        }
    }
}
