//! What a count of events in n trials proves: the exact one-sided bound of Clopper and Pearson (1934).

use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

/// More recordings than anybody makes: no more are asked for.
const TRIALS_MAX: u64 = 1 << 40;

/// Whether a share is proven to be at most so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proven {
    /// The upper bound is at most that.
    #[serde(rename = "proven")]
    Yes,
    /// The lower bound is more.
    #[serde(rename = "disproven")]
    No,
    /// Neither.
    Undecided,
}

impl Proven {
    /// By `events` in `trials`, each bound one-sided at `confidence`.
    #[must_use]
    pub fn of(events: u64, trials: u64, share: f64, confidence: f64) -> Self {
        if upper_bound(events, trials, confidence).is_some_and(|bound| bound <= share) {
            Self::Yes
        } else if lower_bound(events, trials, confidence).is_some_and(|bound| bound > share) {
            Self::No
        } else {
            Self::Undecided
        }
    }
}

/// One-sided exact upper confidence bound of a share, when `events` were seen in `trials`; 0.95 is
/// `confidence` 95 %. None without trials or with more events than trials.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub fn upper_bound(events: u64, trials: u64, confidence: f64) -> Option<f64> {
    if trials == 0 || events > trials {
        return None;
    }
    if events == trials {
        return Some(1.0);
    }
    if events == 0 {
        return Some(1.0 - (1.0 - confidence).powf(1.0 / trials as f64));
    }
    let beta = Beta::new(events as f64 + 1.0, (trials - events) as f64).ok()?;
    Some(beta.inverse_cdf(confidence))
}

/// One-sided exact lower confidence bound of a share. None without trials or with more events than trials.
#[must_use]
pub fn lower_bound(events: u64, trials: u64, confidence: f64) -> Option<f64> {
    // What was not an event has its upper bound there.
    let others = trials.checked_sub(events)?;
    upper_bound(others, trials, confidence).map(|bound| 1.0 - bound)
}

/// The least number of trials in which so many events prove that their share is at most `share`.
#[must_use]
pub fn recordings_needed(events: u64, share: f64, confidence: f64) -> u64 {
    let proves = |trials| upper_bound(events, trials, confidence).is_some_and(|b| b <= share);
    let (mut few, mut enough) = (events, events + 1);
    while !proves(enough) && enough < TRIALS_MAX {
        (few, enough) = (enough, enough * 2);
    }
    while enough - few > 1 {
        let middle = few + (enough - few) / 2;
        if proves(middle) {
            enough = middle;
        } else {
            few = middle;
        }
    }
    enough
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn close(measured: Option<f64>, expected: f64) {
        let measured = measured.unwrap();
        assert!(
            (measured / expected - 1.0).abs() < 1e-4,
            "{measured} is not {expected}"
        );
    }

    #[test]
    fn bounds_are_those_of_the_exact_binomial() {
        close(upper_bound(0, 5000, 0.95), 5.9897e-4);
        close(upper_bound(0, 5000, 0.975), 7.3750e-4);
        close(upper_bound(1, 5000, 0.975), 1.113_82e-3);
        close(upper_bound(3, 1000, 0.975), 8.742_02e-3);
        close(upper_bound(0, 15_000, 0.95), 1.996_96e-4);
    }

    #[test]
    fn one_in_5000_is_proven_by_exactly_the_tabled_number_of_recordings() {
        let rows = [
            (0.90, [11_512, 19_448, 26_610, 33_403]),
            (0.95, [14_978, 23_718, 31_477, 38_766]),
        ];
        for (confidence, needed) in rows {
            for (events, trials) in (0..).zip(needed) {
                assert!(upper_bound(events, trials, confidence).unwrap() <= 1.0 / 5000.0);
                assert!(upper_bound(events, trials - 1, confidence).unwrap() > 1.0 / 5000.0);
            }
        }
    }

    #[test]
    fn needed_recordings_are_those_of_the_table() {
        let rows = [
            (0.90, [11_512, 19_448, 26_610, 33_403, 39_966, 46_372]),
            (0.95, [14_978, 23_718, 31_477, 38_766, 45_766, 52_563]),
            (0.975, [18_443, 27_856, 36_121, 43_834, 51_205, 58_339]),
            (0.99, [23_024, 33_189, 42_027, 50_223, 58_020, 65_539]),
        ];
        for (confidence, needed) in rows {
            for (events, needed) in (0..).zip(needed) {
                assert_eq!(recordings_needed(events, 1.0 / 5000.0, confidence), needed);
            }
        }
    }

    #[test]
    fn lower_bounds_are_those_of_the_exact_binomial() {
        close(lower_bound(1, 5000, 0.975), 5.0635e-6);
        close(lower_bound(3, 1000, 0.975), 6.1910e-4);
        assert_eq!(lower_bound(0, 5000, 0.975), Some(0.0));
    }

    #[test]
    fn a_claim_is_proven_disproven_or_neither() {
        let of = |events, trials| Proven::of(events, trials, 1.0 / 5000.0, 0.95);
        assert_eq!(of(0, 14_978), Proven::Yes);
        assert_eq!(of(0, 14_977), Proven::Undecided);
        assert_eq!(of(1, 5000), Proven::Undecided);
        // The chance of 4 or more at a mean of 1 is 1.9 %, of 3 or more 8 %.
        assert_eq!([of(3, 5000), of(4, 5000)], [Proven::Undecided, Proven::No]);
    }

    proptest! {
        /// More events prove less, more trials without one prove more; the bound lies above what was seen.
        #[test]
        fn bounds_move_with_what_was_seen(trials in 2_u64..20_000, share in 0.0_f64..1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of some thousands")]
            let events = (share * (trials - 1) as f64) as u64;
            let bound = |events, trials| upper_bound(events, trials, 0.95).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let seen = events as f64 / trials as f64;
            prop_assert!(bound(events, trials) > seen);
            prop_assert!(bound(events + 1, trials) > bound(events, trials));
            prop_assert!(bound(events, trials + 1) < bound(events, trials));
            prop_assert!(upper_bound(events, trials, 0.99).unwrap() > bound(events, trials));
        }
    }

    #[test]
    fn nothing_is_bounded_without_trials() {
        assert_eq!(upper_bound(0, 0, 0.95), None);
        assert_eq!(upper_bound(3, 2, 0.95), None);
        assert_eq!(upper_bound(2, 2, 0.95), Some(1.0));
    }
}
