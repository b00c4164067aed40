//! The relation of two hosts' clocks: offset by the least round trip, skew by the lower convex hull
//! (Moon, Skelly and Towsley, INFOCOM 1999), in two parts where its rate changed (Zhang, Liu and Xia, INFOCOM 2002).

mod line;

use line::{Bend, Line, bend, spans_enough};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// A steeper line than this is a queue that fills, not a clock: NTP slews at most 500 ppm, and a queue that fills as
/// slowly takes a load within 0.05 % of what drains it.
const SKEW_MAX_PPM: f64 = 500.0;

/// One four-timestamp exchange: t1 and t4 by the tester's clock, t2 and t3 by the guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Tester sends.
    pub t1: RunTime,
    /// Guest receives.
    pub t2: RunTime,
    /// Guest answers.
    pub t3: RunTime,
    /// Tester receives.
    pub t4: RunTime,
}

impl Exchange {
    /// Guest minus tester, ns; wrong by half the round trip at most.
    #[must_use]
    pub fn offset_ns(&self) -> i64 {
        i64::midpoint(self.t2 - self.t1, self.t3 - self.t4)
    }

    /// Time on the way there and back, ns.
    #[must_use]
    pub fn round_trip_ns(&self) -> i64 {
        (self.t4 - self.t1) - (self.t3 - self.t2)
    }
}

/// How fast a leg's transit drifts because the receiver's clock runs at another rate than the sender's, and where
/// that rate changed, if it did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Skew {
    ns_per_second: f64,
    change: Option<SkewChange>,
}

/// Where one line no longer fits: a clock was slewed or set, a machine moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkewChange {
    /// When, s on the scale of the points.
    pub at_s: f64,
    /// By how much the transit stepped there for good, ns: a clock that was set, another path or a standing queue,
    /// which transit alone cannot tell apart. It is no skew and is not taken off.
    pub step_ns: f64,
    ns_per_second: f64,
}

impl SkewChange {
    /// Parts per million from there on: receiver's clock minus sender's.
    #[must_use]
    pub fn ppm(self) -> f64 {
        self.ns_per_second / 1000.0
    }
}

impl Skew {
    /// From the least transit of each second (second, ns). None when they span less than a minute, or
    /// when a line is steeper than any clock's.
    #[must_use]
    pub fn of_minima(minima: impl Iterator<Item = (u32, i64)>) -> Option<Self> {
        Self::of_points(minima.map(|(second, ns)| (i64::from(second) * NS_PER_SECOND, ns)))
    }

    /// The same from any least transits: (when, transit), ns, in order of time.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "transit below 2^53 ns (104 days)"
    )]
    pub fn of_points(points: impl Iterator<Item = (i64, i64)>) -> Option<Self> {
        let points: Vec<(f64, f64)> = points
            .map(|(at, ns)| (at as f64 / 1e9, ns as f64))
            .collect();
        if !spans_enough(&points) {
            return None;
        }
        let whole = Line::below(&points)?;
        let skew = bend(&points, whole).map_or_else(|| Self::straight(whole), Self::bent);
        let steepest = skew.ppm().abs().max(skew.ppm_after().abs());
        (steepest <= SKEW_MAX_PPM).then_some(skew)
    }

    fn straight(line: Line) -> Self {
        Self {
            ns_per_second: line.slope,
            change: None,
        }
    }

    fn bent(bend: Bend) -> Self {
        let step_ns = bend.after.at(bend.at) - bend.before.at(bend.at);
        Self {
            ns_per_second: bend.before.slope,
            change: Some(SkewChange {
                at_s: bend.at,
                step_ns,
                ns_per_second: bend.after.slope,
            }),
        }
    }

    /// Parts per million, receiver's clock minus sender's; before the change, where there is one.
    #[must_use]
    pub fn ppm(self) -> f64 {
        self.ns_per_second / 1000.0
    }

    fn ppm_after(self) -> f64 {
        self.change.map_or(self.ppm(), SkewChange::ppm)
    }

    /// Where the rate changed, if it did.
    #[must_use]
    pub fn change(self) -> Option<SkewChange> {
        self.change
    }

    /// What the transit at a time holds of it, whole ns, counted from time 0.
    #[must_use]
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "500 ppm of a year fit 2^53 ns; the cast saturates"
    )]
    pub fn at_ns(self, at: i64) -> i64 {
        self.drift_ns(at as f64 / 1e9) as i64
    }

    /// What a second's transit holds of it, ns, counted from second 0.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "500 ppm of a year fit 2^63 ns; the cast saturates"
    )]
    pub fn at(self, second: u32) -> i64 {
        self.drift_ns(second.into()).round() as i64
    }

    #[inline]
    fn drift_ns(self, at_s: f64) -> f64 {
        match self.change {
            Some(change) if at_s > change.at_s => {
                self.ns_per_second * change.at_s + change.ns_per_second * (at_s - change.at_s)
            }
            _ => self.ns_per_second * at_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn offset_and_round_trip_of_the_worked_example() {
        let ms = |ms: i64| RunTime(ms * 1_000_000);
        let exchange = Exchange {
            t1: ms(100_000),
            t2: ms(150_012),
            t3: ms(150_013),
            t4: ms(100_030),
        };
        assert_eq!(exchange.offset_ns(), 49_997_500_000, "49.9975 s");
        assert_eq!(exchange.round_trip_ns(), 29_000_000, "29 ms");
    }

    #[test]
    fn skew_of_100_ppm_is_found_to_the_ppm_and_taken_off_to_the_ns() {
        let skew =
            Skew::of_minima((0..90).map(|s| (s, 5_000_000 + i64::from(s) * 100_000))).unwrap();
        assert!((skew.ppm() - 100.0).abs() < 1e-9);
        assert_eq!(skew.at(60), 6_000_000);
    }

    #[test]
    fn neither_a_short_stretch_nor_a_filling_queue_is_taken_for_a_clock() {
        assert_eq!(
            Skew::of_minima((0..59).map(|s| (s, i64::from(s) * 100_000))),
            None,
            "under a minute"
        );
        assert_eq!(
            Skew::of_minima((0..90).map(|s| (s, i64::from(s) * 600_000))),
            None,
            "600 ppm"
        );
        assert_eq!(Skew::of_minima(std::iter::empty()), None);
        let minute = Skew::of_minima((0..60).map(|s| (s, i64::from(s) * 500_000)));
        assert!(
            (minute.unwrap().ppm() - 500.0).abs() < 1e-9,
            "60 seconds, 500 ppm"
        );
    }

    /// Least transit of each second: a line of so many ppm, then from a second on another, after a step.
    fn two_parts(
        seconds: u32,
        at: u32,
        ppm: [i64; 2],
        step: i64,
    ) -> impl Iterator<Item = (u32, i64)> {
        (0..seconds).map(move |s| {
            let before = i64::from(s.min(at)) * ppm[0] * 1000;
            let after = i64::from(s.saturating_sub(at)) * ppm[1] * 1000;
            (
                s,
                7_000_000 + before + after + if s < at { 0 } else { step },
            )
        })
    }

    #[test]
    fn a_rate_that_changes_is_split_where_it_does() {
        let skew = Skew::of_minima(two_parts(300, 200, [100, -50], 0)).unwrap();
        let change = skew.change().unwrap();
        assert!((skew.ppm() - 100.0).abs() < 1e-6);
        assert!((change.ppm() + 50.0).abs() < 1e-6);
        assert!((change.at_s - 200.0).abs() < 1e-3, "{change:?}");
        assert!(change.step_ns.abs() < 1.0);
        for (second, transit) in two_parts(300, 200, [100, -50], 0) {
            assert!(
                (transit - skew.at(second) - 7_000_000).abs() <= 1,
                "second {second}"
            );
            assert!((skew.at_ns(i64::from(second) * NS_PER_SECOND) - skew.at(second)).abs() <= 1);
        }
    }

    #[test]
    fn a_step_is_told_and_not_taken_off() {
        let skew = Skew::of_minima(two_parts(300, 90, [100, 100], 10_000_000)).unwrap();
        let change = skew.change().unwrap();
        assert!((skew.ppm() - 100.0).abs() < 1e-6);
        assert!((change.ppm() - 100.0).abs() < 1e-6);
        assert!((change.at_s - 90.0).abs() < 1e-9);
        assert!((change.step_ns - 1e7).abs() < 1.0);
        assert_eq!((skew.at(89), skew.at(290)), (8_900_000, 29_000_000));
    }

    /// Halves 5 ppm apart are one clock. A change within the last minute is put where that begins, as the line that
    /// then lies below: from (240, 24) to (299, 28) ms.
    #[test]
    fn small_changes_are_none_and_late_ones_are_placed_a_minute_before_the_end() {
        let change = |at, ppm| {
            Skew::of_minima(two_parts(300, at, ppm, 0))
                .unwrap()
                .change()
        };
        assert_eq!(change(150, [100, 104]), None);
        let late = change(280, [100, 0]).unwrap();
        assert!((late.at_s - 240.0).abs() < 1e-6, "{late:?}");
        assert!((late.ppm() - 4000.0 / 59.0).abs() < 1e-6, "{late:?}");
        assert!(change(150, [100, 107]).is_some());
        let short = Skew::of_minima(two_parts(119, 60, [100, 0], 0)).unwrap();
        assert_eq!(short.change(), None, "a minute on either side is needed");
    }

    #[test]
    fn a_part_steeper_than_any_clock_is_no_skew_at_all() {
        assert_eq!(Skew::of_minima(two_parts(300, 150, [0, 600], 0)), None);
        assert_eq!(Skew::of_minima(two_parts(300, 150, [-600, 0], 0)), None);
    }

    proptest! {
        #[test]
        fn a_constant_added_to_all_transits_is_no_skew(
            ppm in -400_i64..400,
            constant in -1_000_000_000_i64..1_000_000_000,
            queues in prop::collection::vec(0_i64..3_000_000, 60..200),
        ) {
            let minima = |constant: i64| (0..).zip(&queues).map(move |(s, queue)| (s, constant + i64::from(s) * ppm * 1000 + queue));
            let (here, there) = (Skew::of_minima(minima(0)), Skew::of_minima(minima(constant)));
            prop_assert_eq!(here.is_some(), there.is_some());
            if let (Some(here), Some(there)) = (here, there) {
                prop_assert!((here.ppm() - there.ppm()).abs() < 1e-3);
                prop_assert_eq!(here.change().is_some(), there.change().is_some());
            }
        }

        /// Queues of up to 3 ms above one line, every fifth second without one, are not taken for a change.
        #[test]
        fn noise_above_one_line_is_no_change(
            ppm in -400_i64..400,
            queues in prop::collection::vec(0_i64..3_000_000, 120..400),
        ) {
            let minima = (0..).zip(&queues).map(|(s, queue)| {
                (s, i64::from(s) * ppm * 1000 + if s % 5 == 0 { 0 } else { *queue })
            });
            let skew = Skew::of_minima(minima).unwrap();
            prop_assert_eq!(skew.change(), None);
            #[expect(clippy::cast_precision_loss, reason = "some hundred ppm")]
            let wanted = ppm as f64;
            prop_assert!((skew.ppm() - wanted).abs() < 1e-6);
        }

        #[test]
        fn the_offset_is_within_half_the_round_trip(
            offset in -1_000_000_000_i64..1_000_000_000,
            [there, back, inside] in [0_i64..50_000_000, 0_i64..50_000_000, 0_i64..1_000_000],
        ) {
            let t2 = there + offset;
            let exchange = Exchange {
                t1: RunTime(0),
                t2: RunTime(t2),
                t3: RunTime(t2 + inside),
                t4: RunTime(there + inside + back),
            };
            prop_assert_eq!(exchange.round_trip_ns(), there + back);
            prop_assert!((exchange.offset_ns() - offset).abs() * 2 <= there + back + 1);
        }
    }
}
