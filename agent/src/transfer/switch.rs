//! Turns made-up files on and off, and releases recordings in batches, by the course of a run that is known
//! beforehand; and ends made-up files when the run is stopped, whatever the load.

use super::TransferLoad;
use crate::engine::MediaStatus;
use crate::recording::shelf::Shelf;
use milliwatt_generator::transfer::Course;
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::time::{NS_PER_MS, RunClock, RunTime};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

/// The switch looks at least this often whether the run was stopped.
const LOOK_NS: i64 = 20 * NS_PER_MS;

/// What a switch acts on.
#[derive(Clone)]
pub struct Switched {
    /// Where the run's stop is said.
    pub status: Arc<MediaStatus>,
    /// Made-up files.
    pub transfers: Arc<TransferLoad>,
    /// Recordings.
    pub shelf: Arc<Shelf>,
}

/// Starts the switch, a thread that ends when made-up files have ended for good.
pub fn start_switch(
    course: Course,
    clock: RunClock,
    switched: Switched,
) -> std::io::Result<JoinHandle<()>> {
    if course.has_batches() {
        switched.shelf.keep_for_batches();
    }
    thread::Builder::new()
        .name("transfers".into())
        .spawn(move || {
            let mut seen = RunTime(i64::MIN);
            while !switched.transfers.has_ended() {
                let now = clock.run(mono_now());
                switched.act(&course, seen, now);
                seen = now;
                let next = course.next_change(now).unwrap_or(RunTime(i64::MAX));
                sleep_until(clock.mono(next.min(now + LOOK_NS)));
            }
        })
}

impl Switched {
    /// What is due at `now` and was not at `seen`.
    fn act(&self, course: &Course, seen: RunTime, now: RunTime) {
        let cut = RunTime(self.status.cut.load(Ordering::Relaxed));
        if now >= cut || self.status.halt.load(Ordering::Relaxed) {
            self.transfers.end();
            self.shelf.release_for_good();
            return;
        }
        if let Some(flow) = course.flow(now) {
            self.transfers.set_flow(flow);
        }
        if course.next_release(seen).is_some_and(|due| due <= now) {
            self.shelf.release_batch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::shelf::Finished;
    use crate::recording::test_load;
    use milliwatt_generator::calls::CallPlan;
    use milliwatt_wire::id::{CallId, End};
    use milliwatt_wire::load::{LoadSpec, TransferSpec, TransferWhen};
    use milliwatt_wire::step::Flow;
    use milliwatt_wire::time::NS_PER_SECOND;
    use milliwatt_wire::transfer::Item;
    use std::path::PathBuf;

    /// One call: full load from second 1 to second 61.
    fn switched(when: TransferWhen) -> (Switched, Course) {
        let load = LoadSpec {
            transfer: TransferSpec {
                when,
                ..TransferSpec::default()
            },
            full_for: Some(60 * NS_PER_SECOND),
            ..test_load()
        };
        let switched = Switched {
            status: Arc::default(),
            transfers: Arc::new(TransferLoad::new(&load, End::Guest)),
            shelf: Arc::default(),
        };
        let course = Course::of(&load, &CallPlan::expand(&load), End::Guest);
        (switched, course)
    }

    fn second(n: i64) -> RunTime {
        RunTime(n * NS_PER_SECOND)
    }

    #[test]
    fn made_up_files_end_with_full_load_or_with_the_run_before_it() {
        let (run, course) = switched(TransferWhen::Backlog);
        let flow = |from: RunTime, to: RunTime| {
            run.act(&course, from, to);
            run.transfers.flow()
        };
        assert_eq!(flow(second(-1), second(0)), Flow::None);
        assert_eq!(flow(second(0), second(1)), Flow::Unpaced);
        assert_eq!(flow(second(60), second(61)), Flow::None);
        assert_eq!(flow(second(1), second(2)), Flow::Unpaced);
        run.status.cut.store(second(3).0, Ordering::Relaxed);
        assert_eq!(flow(second(2), second(3)), Flow::None);
        assert!(run.transfers.has_ended());
        let (run, course) = switched(TransferWhen::Backlog);
        run.act(&course, second(0), second(1));
        run.status.halt.store(true, Ordering::Relaxed);
        run.act(&course, second(1), second(1));
        assert_eq!(run.transfers.flow(), Flow::None);
    }

    fn recording(call: u32) -> Finished {
        Finished {
            item: Item::Recording(CallId(call)),
            path: PathBuf::new(),
            octets: 0,
        }
    }

    #[test]
    fn recordings_wait_for_their_batch_and_for_nothing_at_the_end() {
        let (run, course) = switched(TransferWhen::Every(10 * NS_PER_SECOND));
        run.shelf.keep_for_batches();
        run.shelf.put(recording(1));
        run.act(&course, second(0), second(10));
        assert_eq!((run.shelf.waiting(), run.shelf.pending()), (0, 1));
        run.act(&course, second(10), second(11));
        run.shelf.put(recording(2));
        assert_eq!((run.shelf.waiting(), run.shelf.pending()), (1, 2));
        // The switch stood still for a release and more: one is as good as two.
        run.act(&course, second(11), second(35));
        assert_eq!(run.shelf.waiting(), 2);
        run.shelf.put(recording(3));
        run.status.cut.store(second(36).0, Ordering::Relaxed);
        run.act(&course, second(35), second(36));
        run.shelf.put(recording(4));
        assert_eq!(run.shelf.waiting(), 4, "stopped: nothing waits any more");
    }
}
