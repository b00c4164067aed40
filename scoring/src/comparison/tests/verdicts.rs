//! Where an interval lies against the least difference decides.

use crate::comparison::verdict::Seen;
use crate::comparison::{Change, compared_metrics};

fn verdict(interval: [f64; 2], higher_is_better: bool) -> Change {
    let seen = Seen {
        difference: f64::midpoint(interval[0], interval[1]),
        interval_95: interval,
        interval_of_all: interval,
        least_difference: 1.0,
    };
    seen.verdict(higher_is_better)
}

#[test]
fn an_interval_beyond_the_least_difference_is_worse_and_one_within_it_the_same() {
    for (interval, expected) in [
        ([1.1, 3.0], Change::Worse),
        ([1.0, 3.0], Change::CannotTell),
        ([0.1, 0.9], Change::Same),
        ([-1.0, 1.0], Change::Same),
        ([-1.1, 1.0], Change::CannotTell),
        ([0.5, 1.5], Change::CannotTell),
        ([-3.0, -1.1], Change::Better),
        ([-9.0, 9.0], Change::CannotTell),
    ] {
        assert_eq!(verdict(interval, false), expected, "{interval:?}");
    }
}

#[test]
fn of_what_is_better_when_higher_less_is_worse() {
    assert_eq!(verdict([-0.5, -0.2], true), Change::Same);
    assert_eq!(verdict([-3.0, -1.1], true), Change::Worse);
    assert_eq!(verdict([1.1, 3.0], true), Change::Better);
}

/// Beyond it by itself, but not among so many.
#[test]
fn what_one_metric_alone_would_say_is_not_told_among_many() {
    let seen = Seen {
        difference: 2.0,
        interval_95: [1.2, 2.8],
        interval_of_all: [0.8, 3.2],
        least_difference: 1.0,
    };
    assert_eq!(seen.verdict(false), Change::CannotTell);
}

#[test]
fn the_least_difference_is_the_larger_of_an_absolute_one_and_a_share() {
    let p99 = compared_metrics()
        .iter()
        .find(|metric| metric.path == "pdv_ms.p99")
        .unwrap();
    for (baseline, least) in [(0.2, 1.0), (4.0, 1.0), (40.0, 10.0)] {
        assert!((p99.least.at(baseline) - least).abs() < 1e-9);
    }
}
