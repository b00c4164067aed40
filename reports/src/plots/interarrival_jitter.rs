//! Interarrival jitter (RFC 3550 A.8) of both legs over time.

use super::figure::{Figure, Panel, Shape, Stroke, logarithmic_axis};
use super::limits;
use super::series::Second;
use super::timeline::Timeline;
use milliwatt_wire::id::Leg;

/// Below this nothing is told apart, ms.
const FLOOR_MS: f64 = 0.001;

/// (name, figure of a second, opacity, width).
type Line = (&'static str, fn(&Second) -> Option<f64>, f64, u32);

const LINES: [Line; 2] = [
    ("mean", |row| row.interarrival_jitter_mean_ms, 1.0, 3),
    ("max", |row| row.interarrival_jitter_max_ms, 0.65, 1),
];

pub(super) fn figure<'a>(timeline: &'a Timeline) -> Figure<'a> {
    let limits = limits::of(timeline.series.thresholds, "interarrival_jitter_ms", None);
    let (mut legend, mut shapes) = (Vec::new(), Vec::new());
    for leg in Leg::BOTH {
        for (name, value, opacity, width) in LINES {
            let stroke = Stroke::of(leg, opacity, width);
            legend.push((stroke, format!("{} leg, {name}", leg.key())));
            shapes.push(Shape::Line(stroke, timeline.line(leg, value)));
        }
    }
    let heights: Vec<f64> = shapes.iter().flat_map(Shape::heights).collect();
    Figure {
        title: "Interarrival jitter over time".to_owned(),
        notes: timeline.notes(),
        legend,
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels: vec![Panel {
            title: String::new(),
            y: logarithmic_axis(&heights, FLOOR_MS, &limits),
            y_label: "interarrival jitter (ms)",
            height: None,
            x: None,
            empty: heights.is_empty().then_some("nothing measured"),
            shapes,
            limits,
        }],
        timeline: Some(timeline),
    }
}
