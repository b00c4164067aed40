//! What a count of events in n trials proves: the exact one-sided bound of Clopper and Pearson (1934).

use statrs::distribution::{Beta, ContinuousCDF};

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
