//! How many octets a second may go.

use milliwatt_wire::time::{MonoTime, NS_PER_SECOND};

/// What was missed is made up for up to this long, ns: a rate that cannot be had does not pile up.
const CREDIT_NS: i64 = NS_PER_SECOND / 4;

/// A steady rate, from its first use on.
#[derive(Clone, Debug)]
pub struct Rate {
    octets_per_second: u64,
    /// Up to when what it allows was used.
    used: Option<MonoTime>,
}

impl Rate {
    /// So many octets a second, 1 or more.
    #[must_use]
    pub fn new(octets_per_second: u64) -> Self {
        Self {
            octets_per_second: octets_per_second.max(1),
            used: None,
        }
    }

    /// Takes `octets` at `now`: none when they may go at once, else when to ask again.
    pub fn take(&mut self, now: MonoTime, octets: u64) -> Option<MonoTime> {
        let used = self.used.unwrap_or(now).max(now + -CREDIT_NS);
        if used > now {
            return Some(used);
        }
        self.used = Some(used + self.length(octets));
        None
    }

    /// Time that passed with load off allows nothing.
    pub fn rest(&mut self) {
        self.used = None;
    }

    fn length(&self, octets: u64) -> i64 {
        let ns = u128::from(octets) * u128::from(NS_PER_SECOND.unsigned_abs())
            / u128::from(self.octets_per_second);
        i64::try_from(ns).unwrap_or(i64::MAX / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Octets of pieces of 1000 that go in a second when asked each `step` ns from `from` on.
    fn gone(rate: &mut Rate, from: i64, step: i64) -> u64 {
        let mut octets = 0;
        let mut now = from;
        while now < from + NS_PER_SECOND {
            match rate.take(MonoTime(now), 1000) {
                None => octets += 1000,
                Some(_) => now += step,
            }
        }
        octets
    }

    #[test]
    fn a_rate_is_kept_however_seldom_it_is_asked_for() {
        for step in [1_000_000, 10_000_000, 50_000_000] {
            let mut rate = Rate::new(1_000_000);
            let octets = gone(&mut rate, 0, step);
            // What the last look of the second did not see yet is missing.
            let least = 1_000_000 - u64::try_from(step / 1000).unwrap();
            assert!((least..=1_001_000).contains(&octets), "{step}: {octets}");
        }
    }

    /// After 10 s in which nothing went, a quarter of a second is made up for, and no more.
    #[test]
    fn what_could_not_go_does_not_pile_up() {
        let mut rate = Rate::new(1_000_000);
        gone(&mut rate, 0, 1_000_000);
        let octets = gone(&mut rate, 11 * NS_PER_SECOND, 1_000_000);
        assert!((1_240_000..=1_252_000).contains(&octets), "{octets}");
        rate.rest();
        let octets = gone(&mut rate, 30 * NS_PER_SECOND, 1_000_000);
        assert!((999_000..=1_001_000).contains(&octets), "{octets}");
    }
}
