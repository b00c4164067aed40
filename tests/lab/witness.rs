//! An independent witness of the machine itself: a bare real-time loop on each processor that wakes
//! once a millisecond and notes when it could not. What it saw, no program in the lab can have
//! caused or hidden: the machine below this one stood still.

use milliwatt_wire::clock::{mono_now, sleep_until, wall_now};
use milliwatt_wire::socket::{pin_to_cpu, request_real_time};
use milliwatt_wire::time::NS_PER_MS;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Above every thread of the program under test.
const PRIORITY: u8 = 80;
/// A shorter delay is scheduling, not a stall.
const STALL_NS: i64 = 2 * NS_PER_MS;

/// A time in which a processor did not run its most urgent thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stall {
    /// Its end, ns since 1970.
    pub(crate) at: i64,
    /// Its length, ns.
    pub(crate) length: i64,
}

/// Watches from its making to [`Self::end`].
#[derive(Debug)]
pub(crate) struct Witness {
    over: Arc<AtomicBool>,
    watchers: Vec<JoinHandle<Vec<Stall>>>,
}

impl Witness {
    /// Starts a watcher on each processor.
    pub(crate) fn start() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let watchers = (0..processors).map(|processor| {
            let over = Arc::clone(&over);
            std::thread::spawn(move || watch(processor, &over))
        });
        Self {
            watchers: watchers.collect(),
            over,
        }
    }

    /// Ends it; what was seen.
    pub(crate) fn end(self) -> Vec<Stall> {
        self.over.store(true, Ordering::Relaxed);
        let seen = self.watchers.into_iter().map(JoinHandle::join);
        seen.flat_map(|stalls| stalls.unwrap()).collect()
    }
}

fn watch(processor: usize, over: &AtomicBool) -> Vec<Stall> {
    pin_to_cpu(processor).unwrap();
    // Without the right to it, an ordinary thread: it sees what the others see, and more.
    request_real_time(PRIORITY).unwrap_or_default();
    let mut stalls = Vec::new();
    let mut due = mono_now();
    while !over.load(Ordering::Relaxed) {
        due = due + NS_PER_MS;
        sleep_until(due);
        let late = mono_now() - due;
        if late > STALL_NS {
            stalls.push(Stall {
                at: wall_now(),
                length: late,
            });
            due = mono_now();
        }
    }
    stalls
}
