//! What was sent each way over time; recording transfer also apart, on a scale of its own.

use super::axis::Axis;
use super::figure::{Figure, Panel, Shape, Stroke, highest};
use super::limits::{self, Limit};
use super::series::Second;
use super::timeline::Timeline;
use milliwatt_wire::id::Leg;

pub(super) fn figure<'a>(timeline: &'a Timeline) -> Figure<'a> {
    let mut panels = vec![panel(
        timeline,
        timeline.series.load,
        |row| row.mbps,
        limits::of(timeline.series.thresholds, "mbps", None),
    )];
    if timeline.series.transfers {
        panels.push(panel(
            timeline,
            "recording transfer alone",
            |row| row.transfer_mbps,
            Vec::new(),
        ));
    }
    Figure {
        title: "Load on the network over time".to_owned(),
        notes: timeline.span_notes(),
        legend: Leg::BOTH
            .map(|leg| (Stroke::of(leg, 1.0, 2), timeline.series.title(leg)))
            .into(),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels,
        timeline: Some(timeline),
    }
}

fn panel(
    timeline: &Timeline,
    title: &str,
    value: fn(&Second) -> Option<f64>,
    limits: Vec<Limit>,
) -> Panel {
    let line = |leg| Shape::Line(Stroke::of(leg, 1.0, 2), timeline.span(leg, value));
    let shapes: Vec<Shape> = Leg::BOTH.map(line).into();
    let highest = highest(&shapes);
    // A limit beyond three times the data would flatten it on this linear axis.
    let shown = |high: f64| {
        limits
            .iter()
            .filter_map(|limit| limit.value)
            .filter(|value| *value <= 3.0 * high)
            .fold(high, f64::max)
    };
    Panel {
        title: title.to_owned(),
        y: Axis::linear(highest.filter(|high| *high > 0.0).map_or(1.0, shown)),
        y_label: "Mbit/s",
        height: None,
        x: None,
        empty: highest.is_none().then_some("nothing measured"),
        shapes,
        limits,
    }
}
