//! How long packet threads ran, and how long they were ready to run and did not: the second is a processor short of
//! time, whatever the first is.

use milliwatt_wire::clock::mono_now;
use milliwatt_wire::socket::scheduled;
use milliwatt_wire::time::MonoTime;
use std::collections::BTreeMap;

/// The largest shares of a time that any thread had, percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Running.
    pub running: f32,
    /// Runnable and not running.
    pub runnable: f32,
}

/// What each thread had run and waited by the last sample.
#[derive(Clone, Debug, Default)]
pub struct ThreadShares {
    at: Option<MonoTime>,
    /// By thread: ran, waited, ns.
    scheduled: BTreeMap<i32, (u64, u64)>,
}

impl ThreadShares {
    /// The shares since the last sample. None at first, and where the system does not tell.
    pub fn sample(&mut self, threads: &[i32]) -> Option<Shares> {
        let now = mono_now();
        let told = threads
            .iter()
            .filter_map(|thread| Some((*thread, scheduled(*thread)?)));
        self.take(now, told.collect())
    }

    fn take(&mut self, now: MonoTime, scheduled: BTreeMap<i32, (u64, u64)>) -> Option<Shares> {
        let before = std::mem::replace(&mut self.scheduled, scheduled);
        let since = now - self.at.replace(now)?;
        let mut most: Option<(u64, u64)> = None;
        for (thread, (ran, waited)) in &self.scheduled {
            let Some((ran_before, waited_before)) = before.get(thread) else {
                continue;
            };
            let (most_ran, most_waited) = most.unwrap_or_default();
            most = Some((
                most_ran.max(ran.saturating_sub(*ran_before)),
                most_waited.max(waited.saturating_sub(*waited_before)),
            ));
        }
        let (ran, waited) = most.filter(|_| since > 0)?;
        Some(Shares {
            running: percent(ran, since),
            runnable: percent(waited, since),
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a share"
)]
fn percent(ns: u64, of: i64) -> f32 {
    (ns as f64 * 100.0 / of as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_that_ran_and_the_one_that_waited_longest_count() {
        let mut shares = ThreadShares::default();
        let ms = 1_000_000;
        let first = [(7, (900 * ms, 5 * ms)), (8, (0, 0))];
        assert_eq!(
            shares.take(MonoTime(0), first.into()),
            None,
            "nothing to compare with"
        );
        // A second later thread 7 ran 500 ms and waited 10 ms more, thread 8 ran 20 ms and waited 250 ms.
        let now = MonoTime(1_000_000_000);
        let second = [(7, (1400 * ms, 15 * ms)), (8, (20 * ms, 250 * ms))];
        let largest = Shares {
            running: 50.0,
            runnable: 25.0,
        };
        assert_eq!(shares.take(now, second.into()), Some(largest));
        assert_eq!(
            shares.take(now + 1, BTreeMap::new()),
            None,
            "they have ended"
        );
    }
}
