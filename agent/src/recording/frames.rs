//! Audio on its way from a media engine to the recorder, in batches that go back and forth: in a steady state few of
//! them are under way and nothing is allocated; behind a disk that stands still more are made, up to a bound, and
//! freed when it has caught up.

use milliwatt_receiver::recorder::RecorderInput;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Inputs that travel together: 5 ms of 250 streams.
const BATCH: usize = 64;

/// Empty batches that are kept: 20 ms of 500 streams, the most that waits where nothing stands still.
const SPARE: usize = 8;

type Batch = Vec<RecorderInput>;

/// The engine's side.
#[derive(Debug)]
pub struct FrameSender {
    filling: Batch,
    full: Producer<Batch>,
    empty: Consumer<Batch>,
    /// Batches there are, and may be.
    made: Arc<AtomicUsize>,
    most: usize,
}

/// The recorder's side.
#[derive(Debug)]
pub struct FrameReceiver {
    full: Consumer<Batch>,
    empty: Producer<Batch>,
    made: Arc<AtomicUsize>,
    most: usize,
}

/// A way for at most about `inputs` under way at a time.
#[must_use]
pub fn frame_queue(inputs: usize) -> (FrameSender, FrameReceiver) {
    let most = inputs.div_ceil(BATCH) + 2;
    let (full, filled) = RingBuffer::new(most);
    let (emptied, empty) = RingBuffer::new(most);
    let made = Arc::new(AtomicUsize::new(1));
    let sender = FrameSender {
        filling: batch(),
        full,
        empty,
        made: Arc::clone(&made),
        most,
    };
    (
        sender,
        FrameReceiver {
            full: filled,
            empty: emptied,
            made,
            most,
        },
    )
}

fn batch() -> Batch {
    Vec::with_capacity(BATCH)
}

impl FrameSender {
    /// Hands an input over, with others. False when the recorder is so far behind that there is no room.
    pub fn push(&mut self, input: RecorderInput) -> bool {
        if self.filling.len() == BATCH {
            self.flush();
        }
        let has_room = self.filling.len() < BATCH;
        if has_room {
            self.filling.push(input);
        }
        has_room
    }

    /// Lets the recorder have what waits to be handed over, when there is anything and room.
    pub fn flush(&mut self) {
        if self.filling.is_empty() {
            return;
        }
        let next = self.empty.pop().ok().or_else(|| {
            (self.made.load(Ordering::Relaxed) < self.most).then(|| {
                self.made.fetch_add(1, Ordering::Relaxed);
                batch()
            })
        });
        if let Some(next) = next {
            let full = std::mem::replace(&mut self.filling, next);
            // There is room for as many as were made.
            drop(self.full.push(full));
        }
    }
}

impl FrameReceiver {
    /// Takes what has come, in order.
    pub fn drain(&mut self, mut take: impl FnMut(&RecorderInput)) {
        while let Ok(mut batch) = self.full.pop() {
            batch.iter().for_each(&mut take);
            batch.clear();
            if self.most - self.empty.slots() < SPARE {
                // There is room for as many as were made.
                drop(self.empty.push(batch));
            } else {
                self.made.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::id::CallId;

    fn input(call: u32) -> RecorderInput {
        RecorderInput::Ended {
            call: CallId(call),
            frames: 0,
        }
    }

    fn drained(receiver: &mut FrameReceiver) -> Vec<RecorderInput> {
        let mut all = Vec::new();
        receiver.drain(|input| all.push(*input));
        all
    }

    #[test]
    fn everything_comes_in_order_and_a_steady_state_makes_no_more_batches() {
        let (mut sender, mut receiver) = frame_queue(1000);
        for round in 0..100 {
            assert!((0..70).all(|n| sender.push(input(round * 70 + n))));
            sender.flush();
            let expected: Vec<RecorderInput> = (round * 70..round * 70 + 70).map(input).collect();
            assert_eq!(drained(&mut receiver), expected);
        }
        assert_eq!(sender.made.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn behind_a_recorder_that_stands_still_the_bound_holds_and_what_fits_comes() {
        let (mut sender, mut receiver) = frame_queue(128);
        let pushed = (0..1000).take_while(|n| sender.push(input(*n))).count();
        assert_eq!(pushed, 4 * BATCH, "two batches and two more");
        let come = drained(&mut receiver).len();
        assert_eq!(come, 3 * BATCH);
        assert!(sender.push(input(1000)), "there is room again");
        sender.flush();
        let rest = drained(&mut receiver);
        assert_eq!((rest.len(), rest.last()), (BATCH + 1, Some(&input(1000))));
    }

    /// 40 batches wait for a recorder that stands still. When it has caught up there are those that are spare, and the
    /// one that is being filled; and all goes on.
    #[test]
    fn what_was_made_behind_a_recorder_that_stood_still_is_freed_when_it_goes_on() {
        let (mut sender, mut receiver) = frame_queue(100 * BATCH);
        let inputs = u32::try_from(40 * BATCH).unwrap();
        assert!((0..=inputs).all(|n| sender.push(input(n))));
        assert_eq!(sender.made.load(Ordering::Relaxed), 41);
        assert_eq!(drained(&mut receiver).len(), 40 * BATCH);
        assert_eq!(sender.made.load(Ordering::Relaxed), SPARE + 1);
        assert!((0..inputs).all(|n| sender.push(input(n))));
        sender.flush();
        assert_eq!(drained(&mut receiver).len(), 40 * BATCH + 1);
    }
}
