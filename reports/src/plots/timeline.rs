//! What plots over time share: the axis, phases, tainted seconds, marks, and the series themselves.

use super::axis::Axis;
use super::figure::Segment;
use crate::incidents;
use milliwatt_scoring::measured::{Measured, SecondRow};
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// Points a line has at most; more would be narrower than a pixel.
const MOST_POINTS: u32 = 900;

/// Run time as a plot shows it.
pub(super) struct Timeline {
    pub(super) axis: Axis,
    pub(super) label: &'static str,
    /// (from s, to s, phase).
    pub(super) phases: Vec<(f64, f64, Phase)>,
    /// (from s, to s).
    pub(super) tainted: Vec<(f64, f64)>,
    /// Events that are no dead air and no silence: (s, kind).
    pub(super) marks: Vec<(f64, String)>,
    /// Seconds that one point stands for.
    pub(super) seconds_a_point: u32,
}

impl Timeline {
    pub(super) fn of(measured: &Measured) -> Self {
        let end = measured
            .seconds
            .iter()
            .map(|row| row.second + 1)
            .max()
            .unwrap_or(10);
        let (axis, label) = Axis::run_time(f64::from(end));
        let mut phases = BTreeMap::new();
        let mut tainted: BTreeMap<u32, bool> = measured
            .validity
            .tainted
            .iter()
            .map(|second| (*second, true))
            .collect();
        for row in &measured.seconds {
            phases.insert(row.second, row.phase);
            *tainted.entry(row.second).or_default() |= row.tainted;
        }
        tainted.retain(|_, tainted| *tainted);
        let marks = measured
            .events
            .iter()
            .filter(|event| !incidents::is_impairment(event));
        Self {
            axis,
            label,
            phases: spans(&phases),
            tainted: spans(&tainted)
                .into_iter()
                .map(|(from, to, _)| (from, to))
                .collect(),
            marks: marks
                .map(|event| (event.at_s, event.kind.clone()))
                .collect(),
            seconds_a_point: end.div_ceil(MOST_POINTS).max(1),
        }
    }

    /// A leg's series: the largest value of each point's seconds, parted where nothing was measured.
    pub(super) fn series(
        &self,
        measured: &Measured,
        leg: Leg,
        value: fn(&SecondRow) -> Option<f64>,
    ) -> Vec<Segment> {
        let mut bins: BTreeMap<u32, f64> = BTreeMap::new();
        for row in measured.seconds.iter().filter(|row| row.leg == leg) {
            if let Some(value) = value(row) {
                let largest = bins
                    .entry(row.second / self.seconds_a_point)
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

    /// The series' points as bars, those of 0 left out.
    pub(super) fn bars(
        &self,
        measured: &Measured,
        leg: Leg,
        value: fn(&SecondRow) -> Option<f64>,
    ) -> Vec<(f64, f64, f64)> {
        let half = f64::from(self.seconds_a_point) / 2.0;
        let points = self.series(measured, leg, value).into_iter().flatten();
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

/// Joins neighbouring seconds of the same kind.
fn spans<K: PartialEq + Copy>(seconds: &BTreeMap<u32, K>) -> Vec<(f64, f64, K)> {
    let mut spans: Vec<(u32, u32, K)> = Vec::new();
    for (&second, &kind) in seconds {
        match spans.last_mut() {
            Some(last) if last.1 == second && last.2 == kind => last.1 = second + 1,
            _ => spans.push((second, second + 1, kind)),
        }
    }
    spans
        .into_iter()
        .map(|(from, to, kind)| (f64::from(from), f64::from(to), kind))
        .collect()
}
