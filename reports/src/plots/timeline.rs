//! What plots over time share: the axis, and series as lines and bars on it.

use super::axis::Axis;
use super::figure::Segment;
use super::series::{Second, Series};
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// Points a line has at most; more would be narrower than a pixel.
const MOST_POINTS: u32 = 900;

/// Time as a plot shows it, and what is drawn along it.
pub(super) struct Timeline<'a> {
    pub(super) series: &'a Series<'a>,
    pub(super) axis: Axis,
    pub(super) label: String,
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
        Self {
            series,
            axis,
            label: format!("{} ({unit})", series.time),
            seconds_a_point: end.div_ceil(MOST_POINTS).max(1),
        }
    }

    /// A figure of a leg as a line: the largest value of each point's seconds, parted where nothing
    /// was measured.
    pub(super) fn line(&self, leg: Leg, value: fn(&Second) -> Option<f64>) -> Vec<Segment> {
        let mut bins: BTreeMap<u32, f64> = BTreeMap::new();
        for row in self.series.seconds.iter().filter(|row| row.leg == leg) {
            if let Some(value) = value(row) {
                let largest = bins
                    .entry(row.number / self.seconds_a_point)
                    .or_insert(value);
                *largest = largest.max(value);
            }
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut last = None;
        for (bin, value) in bins {
            let point = (self.middle(bin), value);
            match segments.last_mut() {
                Some(segment) if last.is_some_and(|last| last + 1 == bin) => segment.push(point),
                _ => segments.push(vec![point]),
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

    /// What a reader must know of thinned series.
    pub(super) fn notes(&self) -> Vec<String> {
        match self.seconds_a_point {
            1 => Vec::new(),
            seconds => vec![format!("each point: the largest of {seconds} s")],
        }
    }

    fn middle(&self, bin: u32) -> f64 {
        (f64::from(bin) + 0.5) * f64::from(self.seconds_a_point)
    }
}
