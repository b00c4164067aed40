//! The relation of two hosts' clocks: offset by the least round trip, skew by the lower convex hull
//! (Moon, Skelly and Towsley, INFOCOM 1999).

use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// A steeper line than this is a queue that fills, not a clock: NTP slews at most 500 ppm.
const SKEW_MAX_PPM: f64 = 500.0;
/// Seconds that minima must span before a line is trusted.
const SKEW_SPAN_MIN_S: f64 = 60.0;

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

/// The line `slope * t + intercept` below all points (t ascending, d) that is nearest to them in sum: the edge of the
/// lower convex hull that spans the mean of t. None for fewer than two points.
#[must_use]
pub fn lower_hull_line(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut hull: Vec<(f64, f64)> = Vec::with_capacity(points.len());
    for point in points {
        while hull.len() >= 2 && !turns_left(hull[hull.len() - 2], hull[hull.len() - 1], *point) {
            hull.pop();
        }
        hull.push(*point);
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    let mean = points.iter().map(|(t, _)| t).sum::<f64>() / points.len() as f64;
    let edge = hull.windows(2).find(|edge| edge[1].0 >= mean)?;
    let slope = (edge[1].1 - edge[0].1) / (edge[1].0 - edge[0].0);
    Some((slope, edge[0].1 - slope * edge[0].0))
}

fn turns_left(a: (f64, f64), b: (f64, f64), c: (f64, f64)) -> bool {
    (b.0 - a.0) * (c.1 - a.1) > (c.0 - a.0) * (b.1 - a.1)
}

/// How fast a leg's transit drifts because the receiver's clock runs at another rate than the sender's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Skew {
    ns_per_second: f64,
}

impl Skew {
    /// From the least transit of each second (second, ns). None when they span less than a minute, or
    /// when the line is steeper than any clock's.
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
        let span = points.last()?.0 - points.first()?.0;
        let (ns_per_second, _) = lower_hull_line(&points)?;
        let skew = Self { ns_per_second };
        (span + 1.0 >= SKEW_SPAN_MIN_S && skew.ppm().abs() <= SKEW_MAX_PPM).then_some(skew)
    }

    /// Parts per million: receiver's clock minus sender's.
    #[must_use]
    pub fn ppm(self) -> f64 {
        self.ns_per_second / 1000.0
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
        (self.ns_per_second * (at as f64 / 1e9)) as i64
    }

    /// What a second's transit holds of it, ns, counted from second 0.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "500 ppm of a year fit 2^63 ns; the cast saturates"
    )]
    pub fn at(self, second: u32) -> i64 {
        (self.ns_per_second * f64::from(second)).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn lower_hull_finds_5_ppm_where_least_squares_would_not() {
        let delays = [
            28.0, 25.55, 32.1, 25.15, 29.2, 27.25, 25.5, 34.35, 25.4, 26.95, 31.5, 25.55,
        ];
        let points: Vec<(f64, f64)> = (0..12)
            .map(f64::from)
            .map(|n| n * 10.0)
            .zip(delays)
            .collect();
        let (slope, intercept) = lower_hull_line(&points).unwrap();
        assert!((slope - 0.005).abs() < 1e-12, "5 ppm in ms/s: {slope}");
        assert!((intercept - 25.0).abs() < 1e-9);
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
        assert_eq!(lower_hull_line(&[(1.0, 1.0)]), None);
    }
}
