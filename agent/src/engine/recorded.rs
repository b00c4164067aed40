//! Which call is being recorded on each lane, and the way of its audio to the recorder.

use super::status::MediaStatus;
use crate::recording::frames::FrameSender;
use milliwatt_generator::calls::Call;
use milliwatt_receiver::recorder::RecorderInput;
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::RunTime;
use std::sync::atomic::Ordering;

/// Hands an input to the recorder; one that finds no room is counted.
pub(super) fn record(recorder: &mut FrameSender, input: RecorderInput, status: &MediaStatus) {
    if !recorder.push(input) {
        status.recorder_drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// The call being recorded on each lane, so that its end is told once, after its last tick.
#[derive(Debug)]
pub(super) struct RecordedLanes {
    calls: Vec<Option<Call>>,
    legs: usize,
}

impl RecordedLanes {
    pub(super) fn new(lines: usize, legs: u8) -> Self {
        let legs = usize::from(legs.clamp(1, 2));
        Self {
            calls: vec![None; lines / legs],
            legs,
        }
    }

    /// Lanes there are.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Notes that `call` is being recorded; whatever was recorded on its lane before has ended.
    pub(super) fn begin(
        &mut self,
        index: usize,
        call: &Call,
        cut: RunTime,
    ) -> Option<RecorderInput> {
        let current = &mut self.calls[index / self.legs];
        if current.is_some_and(|c| c.id == call.id) || !call.recorded {
            return None;
        }
        current.replace(*call).map(|c| ended(&c, cut))
    }

    /// The end of the lane's call, once its last tick is past.
    pub(super) fn end(
        &mut self,
        lane: usize,
        due: RunTime,
        cut: RunTime,
        margin: i64,
    ) -> Option<RecorderInput> {
        let over = |c: &Call| due >= c.end().min(cut) + margin + 2 * PTIME_NS;
        self.calls
            .get_mut(lane)?
            .take_if(|c| over(c))
            .map(|c| ended(&c, cut))
    }
}

fn ended(call: &Call, cut: RunTime) -> RecorderInput {
    let frames = u32::try_from((call.end().min(cut) - call.start).max(0) / PTIME_NS).unwrap_or(0);
    RecorderInput::Ended {
        call: call.id,
        frames,
    }
}
