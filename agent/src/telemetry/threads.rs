//! How long packet threads were ready to run and did not: a processor short of time, whatever its use is.

use milliwatt_wire::clock::mono_now;
use milliwatt_wire::socket::scheduled;
use milliwatt_wire::time::MonoTime;
use std::collections::BTreeMap;

/// What each thread had waited for by the last sample.
#[derive(Clone, Debug, Default)]
pub struct ThreadWaits {
    at: Option<MonoTime>,
    /// By thread, ns.
    waited: BTreeMap<i32, u64>,
}

impl ThreadWaits {
    /// The largest share of the time since the last sample that one of the threads was runnable and did not run,
    /// percent. None at first, and where the system does not tell.
    pub fn sample(&mut self, threads: &[i32]) -> Option<f32> {
        let now = mono_now();
        let waited = threads
            .iter()
            .filter_map(|thread| Some((*thread, scheduled(*thread)?.1)));
        self.take(now, waited.collect())
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a share"
    )]
    fn take(&mut self, now: MonoTime, waited: BTreeMap<i32, u64>) -> Option<f32> {
        let before = std::mem::replace(&mut self.waited, waited);
        let since = now - self.at.replace(now)?;
        let more =
            |(thread, waited): (&i32, &u64)| Some(waited.saturating_sub(*before.get(thread)?));
        let most = self.waited.iter().filter_map(more).max()?;
        (since > 0).then(|| (most as f64 * 100.0 / since as f64) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_that_waited_longest_counts() {
        let mut waits = ThreadWaits::default();
        let ms = 1_000_000;
        assert_eq!(
            waits.take(MonoTime(0), [(7, 5 * ms), (8, 0)].into()),
            None,
            "nothing to compare with"
        );
        // A second later thread 7 waited 10 ms more, thread 8 250 ms.
        let now = MonoTime(1000 * 1_000_000);
        assert_eq!(
            waits.take(now, [(7, 15 * ms), (8, 250 * ms)].into()),
            Some(25.0)
        );
        assert_eq!(
            waits.take(now + 1, BTreeMap::new()),
            None,
            "they have ended"
        );
    }
}
