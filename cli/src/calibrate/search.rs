//! Which load to try next: the ones listed, then the largest that is carried.

/// The largest load is known to so much, percent.
const PRECISION_PERCENT: u32 = 10;
/// A load that fails is tried again: once this machine stood still for a moment, twice it is the load.
const TRIES: u32 = 2;

/// A search in streams each way. Ask [`next_load`](Self::next_load), try it, say with [`took`](Self::took) whether it was carried.
#[derive(Clone, Debug)]
pub struct LoadSearch {
    listed: Vec<u32>,
    most: u32,
    carried: u32,
    failed: Option<u32>,
    tries: u32,
}

impl LoadSearch {
    /// Tries the loads listed, in ascending order, then between the largest carried and `most`.
    #[must_use]
    pub fn new(listed: &[u32], most: u32) -> Self {
        let mut listed: Vec<u32> = listed.iter().map(|streams| even(*streams)).collect();
        listed.sort_unstable_by(|a, b| b.cmp(a));
        listed.dedup();
        Self {
            listed,
            most: even(most),
            carried: 0,
            failed: None,
            tries: 0,
        }
    }

    /// The next load to try; none when the largest is known. The same again, once, after it failed.
    pub fn next_load(&mut self) -> Option<u32> {
        if self.tries > 0 {
            return self.failed;
        }
        let below = self.failed.unwrap_or(u32::MAX);
        while let Some(listed) = self.listed.pop() {
            if listed < below && listed <= self.most {
                return Some(listed);
            }
        }
        let next = match self.failed {
            None => self.carried.saturating_mul(2).min(self.most),
            Some(failed) => even(self.carried + (failed - self.carried) / 2),
        };
        let is_known = match self.failed {
            None => self.carried >= self.most,
            Some(failed) => (failed - self.carried) * 100 <= failed * PRECISION_PERCENT,
        };
        (!is_known && next > self.carried && Some(next) != self.failed).then_some(next)
    }

    /// What became of a load.
    pub fn took(&mut self, streams: u32, carried: bool) {
        if carried {
            self.carried = self.carried.max(streams);
            if self.tries > 0 {
                (self.failed, self.tries) = (None, 0);
            }
        } else {
            self.failed = Some(streams);
            self.tries = (self.tries + 1) % TRIES;
        }
    }

    /// The largest load that was carried, streams each way; 0 when none was.
    #[must_use]
    pub fn largest(&self) -> u32 {
        self.carried
    }
}

/// Calls have two parties.
fn even(streams: u32) -> u32 {
    (streams / 2 * 2).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(listed: &[u32], most: u32, carries: impl Fn(u32, usize) -> bool) -> (Vec<u32>, u32) {
        let mut search = LoadSearch::new(listed, most);
        let mut tried = Vec::new();
        while let Some(streams) = search.next_load() {
            search.took(streams, carries(streams, tried.len()));
            tried.push(streams);
            assert!(tried.len() < 100, "it never ends: {tried:?}");
        }
        (tried, search.largest())
    }

    #[test]
    fn loads_listed_come_first_then_the_largest_is_bisected() {
        let (tried, largest) = run(&[50, 250, 500, 1000, 2000], 8000, |streams, _| {
            streams <= 3300
        });
        // 4000 fails twice; then between 2000 and 4000.
        assert_eq!(
            tried,
            [50, 250, 500, 1000, 2000, 4000, 4000, 3000, 3500, 3500, 3250]
        );
        assert_eq!(largest, 3250);
    }

    #[test]
    fn what_failed_once_and_was_carried_then_counts_as_carried() {
        let (tried, largest) = run(&[50, 100], 100, |_, n| n != 0);
        assert_eq!((tried, largest), (vec![50, 50, 100], 100));
    }

    #[test]
    fn nothing_carried_is_zero() {
        assert_eq!(run(&[50, 100], 100, |_, _| false).1, 0);
    }

    proptest! {
        #[test]
        fn the_largest_is_found_to_ten_percent(limit in 2_u32..10_000, most in 100_u32..9000) {
            let (_, largest) = run(&[50, 250, 500], most, |streams, _| streams <= limit);
            prop_assert!(largest <= limit.min(most));
            let truth = f64::from(limit.min(most));
            prop_assert!(f64::from(largest) >= truth * 0.88 - 4.0, "{largest} of {truth}");
        }
    }
}
