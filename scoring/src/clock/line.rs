//! Lines below points of least transit: one through all, or two where the clock's rate changed.
//!
//! Points are (s, ns), ascending in time.

use std::ops::Range;

/// Seconds that points must span before a line is trusted; those on either side of a change too.
const SPAN_MIN_S: f64 = 60.0;
/// Two parts whose lines differ by more than this are not of one clock at one rate.
const CHANGE_PPM: f64 = 5.0;
/// Two lines must lie so many times nearer to the points than one: else noise decides.
const NEARER: f64 = 2.0;
/// Places that are tried at a time when a change is looked for.
const TRIED: usize = 16;

/// `slope * t + intercept`, ns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    /// ns a second.
    pub slope: f64,
    /// ns.
    pub intercept: f64,
}

impl Line {
    /// The line below all points that is nearest to them in sum: the edge of the lower convex hull that spans the
    /// mean of t. None for fewer than two points.
    pub(super) fn below(points: &[(f64, f64)]) -> Option<Self> {
        let mut hull: Vec<(f64, f64)> = Vec::with_capacity(points.len());
        for point in points {
            while hull.len() >= 2 && !turns_left(hull[hull.len() - 2], hull[hull.len() - 1], *point)
            {
                hull.pop();
            }
            hull.push(*point);
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
        let mean = points.iter().map(|(t, _)| t).sum::<f64>() / points.len() as f64;
        let edge = hull.windows(2).find(|edge| edge[1].0 >= mean)?;
        let slope = (edge[1].1 - edge[0].1) / (edge[1].0 - edge[0].0);
        Some(Self {
            slope,
            intercept: edge[0].1 - slope * edge[0].0,
        })
    }

    /// Its height at a time.
    pub(super) fn at(self, t: f64) -> f64 {
        self.slope * t + self.intercept
    }

    /// How far the points lie above it, in sum.
    fn distance(self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|(t, d)| d - self.at(*t)).sum()
    }

    fn differs(self, other: Self) -> bool {
        (self.slope - other.slope).abs() > CHANGE_PPM * 1000.0
    }
}

fn turns_left(a: (f64, f64), b: (f64, f64), c: (f64, f64)) -> bool {
    (b.0 - a.0) * (c.1 - a.1) > (c.0 - a.0) * (b.1 - a.1)
}

/// Whether points span a minute: each stands for the second that it begins.
pub(super) fn spans_enough(points: &[(f64, f64)]) -> bool {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return false;
    };
    last.0 - first.0 + 1.0 >= SPAN_MIN_S
}

/// Two lines where one does not fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bend {
    pub before: Line,
    pub after: Line,
    /// When the one ends and the other begins, s.
    pub at: f64,
}

/// Two lines in place of the `whole` one, where its halves do not agree with it or with each other and two are much
/// nearer to the points.
pub(super) fn bend(points: &[(f64, f64)], whole: Line) -> Option<Bend> {
    let cuts = cuts(points)?;
    let middle = f64::midpoint(points.first()?.0, points.last()?.0);
    let (first, second) = points.split_at(points.partition_point(|(t, _)| *t < middle));
    let halves = [Line::below(first)?, Line::below(second)?];
    let agree = !halves[0].differs(halves[1]) && !halves.iter().any(|half| half.differs(whole));
    if agree {
        return None;
    }
    let (cut, distance) = nearest(points, cuts)?;
    let (first, second) = points.split_at(cut);
    let (before, after) = (Line::below(first)?, Line::below(second)?);
    (distance * NEARER <= whole.distance(points)).then(|| Bend {
        before,
        after,
        at: meeting(before, after, points[cut - 1].0, points[cut].0),
    })
}

/// Where points may be parted so that either side spans enough.
fn cuts(points: &[(f64, f64)]) -> Option<Range<usize>> {
    let (start, end) = (points.first()?.0, points.last()?.0);
    let from = points.partition_point(|(t, _)| t - start + 1.0 < SPAN_MIN_S) + 1;
    let to = points.partition_point(|(t, _)| end - t + 1.0 >= SPAN_MIN_S);
    (from < to).then_some(from..to)
}

/// The cut whose two lines lie nearest to the points, and how near: searched in ever finer steps.
fn nearest(points: &[(f64, f64)], mut cuts: Range<usize>) -> Option<(usize, f64)> {
    loop {
        let step = cuts.len().div_ceil(TRIED).max(1);
        let tried = cuts.clone().step_by(step).filter_map(|cut| {
            let (first, second) = points.split_at(cut);
            let near = |part| Some(Line::below(part)?.distance(part));
            Some((cut, near(first)? + near(second)?))
        });
        let best = tried.min_by(|a, b| a.1.total_cmp(&b.1))?;
        if step == 1 {
            return Some(best);
        }
        let from = best.0.saturating_sub(step - 1).max(cuts.start);
        cuts = from..(best.0 + step).min(cuts.end);
    }
}

/// Where two lines meet, if between these times; else, where the transit stepped, the second of them.
fn meeting(before: Line, after: Line, from: f64, to: f64) -> f64 {
    let meet = (before.intercept - after.intercept) / (after.slope - before.slope);
    if (from..=to).contains(&meet) {
        meet
    } else {
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        let line = Line::below(&points).unwrap();
        assert!(
            (line.slope - 0.005).abs() < 1e-12,
            "5 ppm in ms/s: {line:?}"
        );
        assert!((line.intercept - 25.0).abs() < 1e-9);
        // The delays sum to 336.5, twelve points of the line to 12 x 25 + 0.005 x 660.
        assert!((line.distance(&points) - 33.2).abs() < 1e-9);
        assert_eq!(Line::below(&points[..1]), None);
    }

    #[test]
    fn lines_that_do_not_meet_between_two_points_step_at_the_second() {
        let line = |slope, intercept| Line { slope, intercept };
        let meets = |after| meeting(line(1.0, 0.0), after, 9.0, 10.0);
        assert_eq!(
            meets(line(0.0, 9.5)).total_cmp(&9.5),
            std::cmp::Ordering::Equal
        );
        assert_eq!(
            meets(line(0.0, 4.0)).total_cmp(&10.0),
            std::cmp::Ordering::Equal
        );
        assert_eq!(
            meets(line(1.0, 4.0)).total_cmp(&10.0),
            std::cmp::Ordering::Equal
        );
        assert_eq!(
            meets(line(1.0, 0.0)).total_cmp(&10.0),
            std::cmp::Ordering::Equal
        );
    }

    /// 100 ppm until half past second 150, then -50 ppm.
    #[test]
    fn a_change_between_two_points_is_placed_where_the_lines_meet() {
        let height = |s: f64| s.min(150.5) * 1e5 - (s - 150.5).max(0.0) * 5e4;
        let points: Vec<(f64, f64)> = (0..300).map(f64::from).map(|s| (s, height(s))).collect();
        let bend = bend(&points, Line::below(&points).unwrap()).unwrap();
        assert!((bend.at - 150.5).abs() < 1e-6, "{bend:?}");
        assert!((bend.before.slope - 1e5).abs() < 1e-6 && (bend.after.slope + 5e4).abs() < 1e-6);
    }

    /// Halves 10 ppm apart, and 10 ms of queue in every second second: two lines are 1500 ms from the points in sum,
    /// one not twice as far.
    #[test]
    fn two_lines_hardly_nearer_than_one_are_none() {
        let height = |s: f64| (s - 150.0).max(0.0) * 1e4 + s % 2.0 * 1e7;
        let points: Vec<(f64, f64)> = (0..300).map(f64::from).map(|s| (s, height(s))).collect();
        assert_eq!(bend(&points, Line::below(&points).unwrap()), None);
    }

    /// Seconds 1000 to 1129: the 60th is the least that ends a first part, the 71st the last that begins a second.
    #[test]
    fn either_side_of_a_cut_spans_a_minute() {
        let points: Vec<(f64, f64)> = (1000..1130).map(|s| (f64::from(s), 0.0)).collect();
        assert_eq!(cuts(&points), Some(60..71));
        assert_eq!(cuts(&points[..119]), None);
        assert_eq!(cuts(&[]), None);
        assert!(spans_enough(&points[..60]) && !spans_enough(&points[..59]) && !spans_enough(&[]));
    }

    proptest! {
        #[test]
        fn the_line_lies_below_all_points_and_touches_two(delays in prop::collection::vec(0.0_f64..1e6, 2..200)) {
            let points: Vec<(f64, f64)> = (0..).map(f64::from).zip(delays).collect();
            let line = Line::below(&points).unwrap();
            let above = points.iter().map(|(t, d)| d - line.at(*t));
            prop_assert!(above.clone().all(|height| height > -1e-6));
            prop_assert!(above.filter(|height| *height < 1e-6).count() >= 2);
        }

        /// The finer and finer search against trying every cut, where the rate truly changes.
        #[test]
        fn the_nearest_cut_is_found(at in 60_u32..340, ppm in -400_i32..400, noise in prop::collection::vec(0.0_f64..1e5, 400)) {
            let height = |s: u32| f64::from(s) * 1e5 + f64::from(s.saturating_sub(at)) * f64::from(ppm) * 1e3;
            let points: Vec<(f64, f64)> = (0..400).zip(noise).map(|(s, noise)| (f64::from(s), height(s) + noise)).collect();
            let all = cuts(&points).unwrap();
            let each = all.clone().map(|cut| nearest(&points, cut..cut + 1).unwrap().1);
            let least = each.min_by(f64::total_cmp).unwrap();
            let found = nearest(&points, all).unwrap().1;
            prop_assert!(found <= least * 1.1, "{} against {}", found, least);
        }
    }
}
