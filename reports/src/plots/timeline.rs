//! What plots over time share: the axis, and series as lines and bars on it.

use super::axis::Axis;
use super::figure::Segment;
use super::series::{Second, Series};
use crate::figures;
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// Points a line has at most; more would be narrower than a pixel.
const MOST_POINTS: u32 = 900;

/// Stretches of tainted time that are hatched; more are shaded.
const MOST_HATCHED: usize = 20;
/// Marks that have a line each; of more, only those with a name have one.
const MOST_LINES: usize = 60;

/// Time as a plot shows it, and what is drawn along it.
pub(super) struct Timeline<'a> {
    pub(super) series: &'a Series<'a>,
    pub(super) axis: Axis,
    pub(super) label: String,
    /// (from s, to s, phase) to shade.
    pub(super) phases: &'a [(f64, f64, Phase)],
    /// Events to mark: (s, kind).
    pub(super) marks: Vec<&'a (f64, String)>,
    /// Tainted time: (from s, to s), those joined that no point lies between.
    pub(super) tainted: Vec<(f64, f64)>,
    /// Seconds that one point stands for.
    seconds_a_point: u32,
}

impl<'a> Timeline<'a> {
    pub(super) fn of(series: &'a Series<'a>) -> Self {
        let ends = series
            .seconds
            .iter()
            .map(|row| row.number.saturating_add(1));
        let end = ends.max().unwrap_or(10);
        let (axis, unit) = Axis::time(f64::from(end));
        let seconds_a_point = end.div_ceil(MOST_POINTS).max(1);
        Self {
            series,
            axis,
            label: format!("{} ({unit})", series.time),
            phases: &series.phases,
            marks: series.marks.iter().collect(),
            tainted: joined(&series.tainted, f64::from(seconds_a_point)),
            seconds_a_point,
        }
    }

    /// Without phases and breaking points, for a figure that draws steps and says itself where a leg breaks.
    pub(super) fn of_steps(series: &'a Series<'a>) -> Self {
        let others = series.marks.iter();
        Self {
            phases: &[],
            marks: others.filter(|mark| mark.1 != "breaking-point").collect(),
            ..Self::of(series)
        }
    }

    /// Whether tainted time can be hatched: there is little enough of it to tell.
    pub(super) fn is_hatched(&self) -> bool {
        self.tainted.len() <= MOST_HATCHED
    }

    /// Whether there are too many marks for a line each.
    pub(super) fn is_crowded(&self) -> bool {
        self.marks.len() > MOST_LINES
    }

    /// A figure of a leg as a line: the largest value of each point's seconds, parted where nothing
    /// was measured.
    pub(super) fn line(&self, leg: Leg, value: fn(&Second) -> Option<f64>) -> Vec<Segment> {
        let bins = self.bins(leg, value).into_iter();
        self.segments(bins.map(|(bin, (_, largest))| (bin, vec![largest])))
    }

    /// The same of a figure that may also fall: the largest and the least value of each point's seconds.
    pub(super) fn span(&self, leg: Leg, value: fn(&Second) -> Option<f64>) -> Vec<Segment> {
        let bins = self.bins(leg, value).into_iter();
        self.segments(bins.map(|(bin, (least, largest))| {
            let alone = self.seconds_a_point == 1;
            let values = if alone {
                vec![largest]
            } else {
                vec![largest, least]
            };
            (bin, values)
        }))
    }

    /// The least and the largest value of each point's seconds.
    fn bins(&self, leg: Leg, value: fn(&Second) -> Option<f64>) -> BTreeMap<u32, (f64, f64)> {
        let mut bins: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        for row in self.series.seconds.iter().filter(|row| row.leg == leg) {
            let Some(value) = value(row) else { continue };
            let bin = row.number / self.seconds_a_point;
            let (least, largest) = bins.entry(bin).or_insert((value, value));
            (*least, *largest) = (least.min(value), largest.max(value));
        }
        bins
    }

    fn segments(&self, bins: impl Iterator<Item = (u32, Vec<f64>)>) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut last = None;
        for (bin, values) in bins {
            let points = values.into_iter().map(|value| (self.middle(bin), value));
            match segments.last_mut() {
                Some(segment) if last.is_some_and(|last| last + 1 == bin) => segment.extend(points),
                _ => segments.push(points.collect()),
            }
            last = Some(bin);
        }
        segments
    }

    /// The line's points as bars, those of 0 left out.
    pub(super) fn bars(&self, leg: Leg, value: fn(&Second) -> Option<f64>) -> Vec<(f64, f64, f64)> {
        let half = f64::from(self.seconds_a_point) / 2.0;
        let points = self.line(leg, value).into_iter().flatten();
        points
            .filter(|(_, height)| *height > 0.0)
            .map(|(x, height)| (x - half, x + half, height))
            .collect()
    }

    /// How many stretches of time there are at once: (from, to, count) of each row of points that have as many, those
    /// without any left out. A stretch is in every point that it touches; points are as many as a line has at most.
    pub(super) fn overlaps(
        &self,
        stretches: impl Iterator<Item = (f64, f64)>,
    ) -> Vec<(f64, f64, u32)> {
        overlaps(self.axis.high() / f64::from(MOST_POINTS), stretches)
    }

    /// What a reader must know of thinned [`Timeline::overlaps`].
    pub(super) fn overlap_notes(&self) -> Vec<String> {
        let thinned = match self.axis.high() / f64::from(MOST_POINTS) {
            seconds if seconds <= 1.0 => None,
            seconds => Some(format!("each point: all of {} s", figures::number(seconds))),
        };
        thinned.into_iter().chain(self.mark_note()).collect()
    }

    /// What a reader must know of thinned series.
    pub(super) fn notes(&self) -> Vec<String> {
        self.thinned("the largest")
    }

    /// The same of [`Timeline::span`].
    pub(super) fn span_notes(&self) -> Vec<String> {
        self.thinned("the largest and the least")
    }

    /// What each point shows of its seconds.
    pub(super) fn thinned(&self, shown: &str) -> Vec<String> {
        let points = match self.seconds_a_point {
            1 => None,
            seconds => Some(format!("each point: {shown} of {seconds} s")),
        };
        points.into_iter().chain(self.mark_note()).collect()
    }

    fn mark_note(&self) -> Option<String> {
        self.is_crowded().then(|| {
            format!(
                "above each panel: {} events, all in events.jsonl; lines: the rarest, as far as there is room for their names",
                figures::count(self.marks.len() as u64)
            )
        })
    }

    fn middle(&self, bin: u32) -> f64 {
        (f64::from(bin) + 0.5) * f64::from(self.seconds_a_point)
    }
}

/// Stretches that are in order, those joined that less than `apart` lies between; all as they are where that is a second.
fn joined(stretches: &[(f64, f64)], apart: f64) -> Vec<(f64, f64)> {
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for &(from, to) in stretches {
        match joined.last_mut() {
            Some(last) if from - last.1 < apart => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

fn overlaps(point_s: f64, stretches: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64, u32)> {
    let mut changes: BTreeMap<u32, i64> = BTreeMap::new();
    for (from, to) in stretches {
        let (first, last) = (point(from / point_s), point(to / point_s));
        *changes.entry(first).or_default() += 1;
        *changes.entry(last.max(first) + 1).or_default() -= 1;
    }
    changes.retain(|_, change| *change != 0);
    let mut runs = Vec::new();
    let (mut from, mut count) = (0, 0);
    for (at, change) in changes {
        if let (Ok(count), true) = (u32::try_from(count), count > 0) {
            let place = |point: u32| f64::from(point) * point_s;
            runs.push((place(from), place(at), count));
        }
        (from, count) = (at, count + change);
    }
    runs
}

/// The point that a place on the axis lies in, in points.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and no number is 0; a place on the axis"
)]
fn point(place: f64) -> u32 {
    (place as u32).min(MOST_POINTS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In points of a tenth of a second: (first, one after the last, count).
    fn found(stretches: &[(f64, f64)]) -> Vec<(u32, u32, u32)> {
        let tenths = |seconds: f64| point(seconds * 10.0 + 0.5);
        overlaps(0.1, stretches.iter().copied())
            .into_iter()
            .map(|(from, to, count)| (tenths(from), tenths(to), count))
            .collect()
    }

    #[test]
    fn stretches_are_counted_in_every_point_that_they_touch() {
        // 1.05 to 1.32 touches points 10 to 13, 1.25 to 1.25 point 12; 5.0 to 5.0 point 50.
        let found = found(&[(1.05, 1.32), (1.25, 1.25), (5.0, 5.0)]);
        assert_eq!(found, [(10, 12, 1), (12, 13, 2), (13, 14, 1), (50, 51, 1)]);
    }

    #[test]
    fn stretches_that_follow_each_other_are_one_run() {
        assert_eq!(found(&[(2.0, 2.05), (2.1, 2.15)]), [(20, 22, 1)]);
    }

    #[test]
    fn what_lies_beyond_the_axis_or_nowhere_is_drawn_at_its_edge() {
        let broken = [(1e9, 2e9), (-3.0, f64::NAN)];
        assert_eq!(found(&broken), [(0, 1, 1), (899, 899, 1)]);
        assert!(found(&[]).is_empty());
    }
}
