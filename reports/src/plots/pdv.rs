//! Packet delay variation (RFC 5481 4.2) over time, a panel a leg on one scale.

use super::figure::{Figure, Panel, Shape, Stroke, logarithmic_axis};
use super::limits;
use super::series::Second;
use super::timeline::Timeline;
use milliwatt_wire::id::Leg;

/// Below this nothing is told apart, ms.
const FLOOR_MS: f64 = 0.001;

/// (name, figure of a second, opacity, width).
type Line = (&'static str, fn(&Second) -> Option<f64>, f64, u32);

const LINES: [Line; 4] = [
    ("p50", |row| row.pdv_p50_ms, 0.3, 3),
    ("p99", |row| row.pdv_p99_ms, 0.6, 3),
    ("p99.9", |row| row.pdv_p999_ms, 1.0, 3),
    ("max", |row| row.pdv_max_ms, 1.0, 1),
];

pub(super) fn figure<'a>(timeline: &'a Timeline) -> Figure<'a> {
    let legs = Leg::BOTH.map(|leg| (leg, shapes(timeline, leg)));
    let heights: Vec<f64> = legs
        .iter()
        .flat_map(|(_, shapes)| shapes)
        .flat_map(Shape::heights)
        .collect();
    let y = logarithmic_axis(
        &heights,
        FLOOR_MS,
        &limits::of(timeline.series.thresholds, "pdv_ms", None),
    );
    let panel = |(leg, shapes): (Leg, Vec<Shape>)| Panel {
        title: timeline.series.title(leg),
        y: y.clone(),
        y_label: "PDV (ms)",
        height: None,
        x: None,
        empty: shapes
            .iter()
            .all(|shape| shape.heights().is_empty())
            .then_some("nothing measured"),
        shapes,
        limits: limits::of(timeline.series.thresholds, "pdv_ms", Some(leg)),
    };
    Figure {
        title: "Packet delay variation (PDV) over time".to_owned(),
        notes: timeline.notes(),
        legend: legend(),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels: legs.into_iter().map(panel).collect(),
        timeline: Some(timeline),
    }
}

fn shapes(timeline: &Timeline, leg: Leg) -> Vec<Shape> {
    let line = |(_, value, opacity, width): Line| {
        Shape::Line(Stroke::of(leg, opacity, width), timeline.line(leg, value))
    };
    LINES.into_iter().map(line).collect()
}

fn legend() -> Vec<(Stroke, String)> {
    let key = |leg: Leg| {
        LINES.map(|(name, _, opacity, width)| {
            (
                Stroke::of(leg, opacity, width),
                format!("{} {name}", leg.key()),
            )
        })
    };
    Leg::BOTH.into_iter().flat_map(key).collect()
}
