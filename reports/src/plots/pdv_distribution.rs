//! How many packets lay above each PDV, over full load: the tail decides, so both axes are logarithmic.

use super::axis::Axis;
use super::figure::{Figure, Panel, Segment, Shape, Stroke, logarithmic_axis};
use super::limits;
use super::series::Series;
use milliwatt_wire::id::Leg;

/// Below this nothing is told apart, ms.
const FLOOR_MS: f64 = 0.001;

pub(super) fn figure(series: &Series) -> Figure<'static> {
    let curves = [above(&series.pdv_curves[0]), above(&series.pdv_curves[1])];
    let points = || curves.iter().flatten();
    let values: Vec<f64> = points().map(|point| point.0).collect();
    let rarest = points()
        .map(|point| point.1)
        .filter(|share| *share > 0.0)
        .fold(0.1, f64::min);
    let x_limits = limits::of(series.thresholds, "pdv_ms", None);
    let empty = values.is_empty().then_some("nothing measured");
    let x = logarithmic_axis(&values, FLOOR_MS, &x_limits);
    let lines = Leg::BOTH
        .into_iter()
        .zip(curves)
        .filter(|(_, curve)| !curve.is_empty());
    Figure {
        title: series.pdv_title.to_owned(),
        notes: vec![
            "share of packets whose PDV was above x; p99.9 is where a line crosses 0.1 %"
                .to_owned(),
        ],
        legend: Leg::BOTH
            .map(|leg| (Stroke::of(leg, 1.0, 2), series.title(leg)))
            .into(),
        x,
        x_label: "PDV (ms)".to_owned(),
        x_limits,
        panels: vec![Panel {
            title: String::new(),
            y: Axis::logarithmic(rarest, 100.0),
            y_label: "packets above (%)",
            height: None,
            x: None,
            shapes: lines
                .map(|(leg, curve)| Shape::Line(Stroke::of(leg, 1.0, 2), vec![curve]))
                .collect(),
            limits: Vec::new(),
            empty,
        }],
        timeline: None,
    }
}

/// (ms, percent above) from (ms, share at or below), down to the largest value, which none is above.
fn above(curve: &[(f64, f64)]) -> Segment {
    let points = curve
        .iter()
        .map(|&(ms, share)| (ms.max(FLOOR_MS), (1.0 - share).max(0.0) * 100.0));
    let start = curve.first().map(|&(ms, _)| (ms.max(FLOOR_MS), 100.0));
    start.into_iter().chain(points).collect()
}
