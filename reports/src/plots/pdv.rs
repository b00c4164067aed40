//! Packet delay variation (RFC 5481 4.2) over time, a panel a leg on one scale.

use super::figure::{Figure, Panel, Shape, Stroke, logarithmic_axis};
use super::limits;
use super::timeline::Timeline;
use milliwatt_scoring::measured::{Measured, SecondRow};
use milliwatt_wire::id::Leg;

/// Below this nothing is told apart, ms.
const FLOOR_MS: f64 = 0.001;

/// (name, figure of a second, opacity, width).
type Line = (&'static str, fn(&SecondRow) -> Option<f64>, f64, u32);

const LINES: [Line; 4] = [
    ("p50", |row| row.pdv_p50_ms, 0.3, 3),
    ("p99", |row| row.pdv_p99_ms, 0.6, 3),
    ("p99.9", |row| row.pdv_p999_ms, 1.0, 3),
    ("max", |row| row.pdv_max_ms, 1.0, 1),
];

pub(super) fn figure<'a>(measured: &Measured, timeline: &'a Timeline) -> Figure<'a> {
    let legs = Leg::BOTH.map(|leg| (leg, shapes(measured, timeline, leg)));
    let heights: Vec<f64> = legs
        .iter()
        .flat_map(|(_, shapes)| shapes)
        .flat_map(Shape::heights)
        .collect();
    let y = logarithmic_axis(
        &heights,
        FLOOR_MS,
        &limits::of(&measured.thresholds, "pdv_ms", None),
    );
    let panel = |(leg, shapes): (Leg, Vec<Shape>)| Panel {
        title: leg.title().to_owned(),
        y: y.clone(),
        y_label: "PDV (ms)",
        empty: shapes
            .iter()
            .all(|shape| shape.heights().is_empty())
            .then_some("nothing measured"),
        shapes,
        limits: limits::of(&measured.thresholds, "pdv_ms", Some(leg)),
    };
    Figure {
        title: "Packet delay variation (PDV) over time".to_owned(),
        notes: timeline.notes(),
        legend: legend(),
        x: timeline.axis.clone(),
        x_label: timeline.label,
        x_limits: Vec::new(),
        panels: legs.into_iter().map(panel).collect(),
        timeline: Some(timeline),
    }
}

fn shapes(measured: &Measured, timeline: &Timeline, leg: Leg) -> Vec<Shape> {
    let line = |(_, value, opacity, width): Line| {
        Shape::Line(
            Stroke::of(leg, opacity, width),
            timeline.series(measured, leg, value),
        )
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
