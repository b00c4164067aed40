//! How an overloaded engine leaves time to others.
//!
//! Linux stops all threads of the real-time classes on a processor for 50 ms once they have used 950 ms of a second
//! (sched(7), `sched_rt_runtime_us`): an engine that does not get its work done would stop others of its host with it, at
//! worst the tester that measures it. So it rests on its own accord: not for long, and only when it is overloaded anyway.

use milliwatt_wire::time::{MonoTime, NS_PER_MS};

/// Rest is reckoned over so long.
const WINDOW_NS: i64 = 20 * NS_PER_MS;
/// Least rest in a window: 15 %, since another such thread may run meanwhile.
const LEAST_NS: i64 = 3 * NS_PER_MS;

/// A window cannot be worked through for so long: a slot's work ends before. The thread stood still, and rested.
const STOOD_NS: i64 = 10 * WINDOW_NS;

/// Reckons how long a thread has rested.
#[derive(Debug)]
pub(super) struct Rest {
    window: MonoTime,
    rested: i64,
}

impl Rest {
    /// Reckons from `now` on.
    pub(super) fn new(now: MonoTime) -> Self {
        Self {
            window: now,
            rested: 0,
        }
    }

    /// Until when the thread is to sleep, at `now`, that has its next work at `due`.
    pub(super) fn until(&mut self, now: MonoTime, due: MonoTime) -> MonoTime {
        let mut until = due.max(now);
        if now - self.window >= STOOD_NS {
            *self = Self::new(until);
        } else if now - self.window >= WINDOW_NS {
            until = until.max(now + (LEAST_NS - self.rested));
            *self = Self::new(until);
        } else {
            self.rested += until - now;
        }
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT_NS: i64 = 500_000;

    /// A thread that needs `work` in each slot, for a second: how long it slept in all, and at most beyond a due time.
    fn slept(work: i64) -> (i64, i64) {
        let start = MonoTime(7_000_000_000);
        let (mut now, mut slept, mut beyond) = (start, 0, 0);
        let mut rest = Rest::new(start);
        for slot in 1.. {
            let due = start + slot * SLOT_NS;
            now = now + work;
            let until = rest.until(now, due);
            beyond = beyond.max(until - due.max(now));
            slept += until - now;
            now = until;
            if now - start >= 1_000_000_000 {
                break;
            }
        }
        (slept, beyond)
    }

    #[test]
    fn a_thread_with_time_to_spare_sleeps_until_its_work_is_due_and_never_longer() {
        assert_eq!(slept(SLOT_NS / 2), (500_000_000, 0));
        // The 15 % themselves.
        assert_eq!(slept(SLOT_NS / 100 * 85), (150_000_000, 0));
    }

    /// What a thread that stood for 700 ms has to do now is late enough.
    #[test]
    fn a_thread_that_stood_still_does_not_rest_besides() {
        let start = MonoTime(7_000_000_000);
        let mut rest = Rest::new(start);
        let again = start + 700_000_000;
        assert_eq!(rest.until(again, start + SLOT_NS), again);
        let worked = again + WINDOW_NS;
        assert_eq!(rest.until(worked, start + SLOT_NS), worked + LEAST_NS);
    }

    /// 90 % and 200 % of what there is.
    #[test]
    fn an_overloaded_thread_rests_for_3_of_each_23_ms_and_no_longer_at_a_time() {
        for work in [SLOT_NS / 100 * 90, SLOT_NS * 2] {
            let (slept, beyond) = slept(work);
            assert!((110_000_000..170_000_000).contains(&slept), "{slept}");
            assert!(beyond <= LEAST_NS, "{beyond}");
        }
    }
}
