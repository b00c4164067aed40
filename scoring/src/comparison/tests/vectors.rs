//! Hand-computed vectors of the statistics.

use crate::comparison::bootstrap::{Resampler, interval};
use crate::comparison::rank::{hodges_lehmann, mann_whitney};
use proptest::prelude::*;

const A: [f64; 4] = [1.1, 2.2, 3.3, 4.4];
const B: [f64; 5] = [2.0, 3.0, 5.0, 6.0, 7.0];

fn near(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 1e-6
}

/// Of 20 pairs b is larger in 15 (2: 1; 3: 2; 5, 6, 7: 4 each). Of the 126 orders 18 have U of 15 or more.
#[test]
fn mann_whitney_of_the_worked_example() {
    let test = mann_whitney(&A, &B).unwrap();
    assert!(near(test.u, 15.0) && near(test.share, 0.75), "{test:?}");
    assert!(near(test.p, 36.0 / 126.0), "{test:?}");
    assert!(near(test.z, 1.224_745), "{test:?}");
}

/// The median of the 20 differences.
#[test]
fn hodges_lehmann_of_the_worked_example() {
    assert!(near(hodges_lehmann(&A, &B).unwrap(), 1.8));
}

/// Of 27 samples with replacement of {1, 2, 4}: a median of 1 in 7, of 2 in 13, of 4 in 7.
#[test]
fn every_resample_of_three_has_the_medians_it_must_have() {
    let values = [1.0, 2.0, 4.0];
    let mut medians = [0; 3];
    for all in 0..27 {
        let mut picks = [all % 3, all / 3 % 3, all / 9];
        picks.sort_unstable();
        medians[picks[1]] += 1;
    }
    assert_eq!(medians, [7, 13, 7]);
    let mut resampler = Resampler::new(1, 27_000);
    let mut counts = [0_i32; 3];
    let drawn = resampler.resample(3, |pick| {
        let mut three = [pick(), pick(), pick()];
        three.sort_unstable();
        counts[three[1]] += 1;
        values[three[1]]
    });
    assert_eq!(drawn.len(), 27_000);
    // A standard deviation is 72 and 82: four of them.
    for (count, expected) in counts.into_iter().zip([7_000, 13_000, 7_000]) {
        assert!((count - expected).abs() < 330, "{counts:?}");
    }
}

/// Four values a side, all in order: 1 order of 70, either way.
#[test]
fn samples_all_in_order_have_the_least_p_there_is() {
    let test = mann_whitney(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]).unwrap();
    assert!(near(test.u, 16.0) && near(test.p, 2.0 / 70.0), "{test:?}");
}

#[test]
fn equal_samples_are_not_told_apart_and_empty_ones_say_nothing() {
    let equal = mann_whitney(&[3.0; 6], &[3.0; 9]).unwrap();
    assert!(
        near(equal.u, 27.0) && near(equal.z, 0.0) && near(equal.p, 1.0),
        "{equal:?}"
    );
    assert_eq!(mann_whitney(&[], &B), None);
    assert_eq!(hodges_lehmann(&A, &[]), None);
}

/// 100 values cut at a twentieth on either side.
#[test]
fn an_interval_lies_between_its_tails() {
    let mut values: Vec<f64> = (0..100).rev().map(f64::from).collect();
    let [low, high] = interval(&mut values, 0.05);
    assert!(near(low, 5.0) && near(high, 94.0));
    let [low, high] = interval(&mut [7.0], 0.025);
    assert!(near(low, 7.0) && near(high, 7.0));
}

/// 1200 values a side, more pairs than are listed: every value of b is 2.5 above one of a.
#[test]
fn the_shift_of_large_samples_needs_no_list_of_differences() {
    let a: Vec<f64> = (0..1200).map(|n| f64::from(n % 97)).collect();
    let b: Vec<f64> = a.iter().map(|a| a + 2.5).collect();
    assert!(near(hodges_lehmann(&a, &b).unwrap(), 2.5));
}

proptest! {
    /// A shift of b shifts the estimate by as much; exchanging the samples turns its sign and U about.
    #[test]
    fn location_follows_its_samples(
        a in prop::collection::vec(0_i32..50, 1..30),
        b in prop::collection::vec(0_i32..50, 1..30),
        by in -20_i32..20,
    ) {
        let floats = |values: &[i32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        let (a, moved) = (floats(&a), floats(&b.iter().map(|b| b + by).collect::<Vec<_>>()));
        let b = floats(&b);
        let shift = hodges_lehmann(&a, &b).unwrap();
        prop_assert!(near(hodges_lehmann(&a, &moved).unwrap(), shift + f64::from(by)));
        prop_assert!(near(hodges_lehmann(&b, &a).unwrap(), -shift));
        let (there, back) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
        prop_assert!(near(there.share + back.share, 1.0) && near(there.p, back.p));
        prop_assert!((0.0..=1.0).contains(&there.p));
    }
}
