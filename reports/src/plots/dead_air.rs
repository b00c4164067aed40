//! Dead air over time, a panel a leg: how much of it each second, and when its events began.

use super::axis::Axis;
use super::figure::{Figure, Panel, Shape, Stroke, highest};
use super::limits;
use super::timeline::Timeline;
use milliwatt_wire::id::Leg;

/// Low end of the axis, ms: half a slot.
const FLOOR_MS: f64 = 10.0;

pub(super) fn figure<'a>(timeline: &'a Timeline) -> Figure<'a> {
    let legs = Leg::BOTH.map(|leg| (leg, shapes(timeline, leg)));
    let high = legs
        .iter()
        .filter_map(|(_, shapes)| highest(shapes))
        .fold(1000.0, f64::max);
    let panel = |(leg, shapes): (Leg, Vec<Shape>)| Panel {
        title: timeline.series.title(leg),
        y: Axis::logarithmic(FLOOR_MS, high),
        y_label: "dead air (ms/s)",
        height: None,
        x: None,
        limits: limits::told(timeline.series.thresholds, "dead_air", leg),
        empty: empty(timeline, leg, &shapes),
        shapes,
    };
    let mut notes = vec![timeline.series.dead_air_note.to_owned()];
    notes.extend(timeline.notes());
    Figure {
        title: "Dead air over time".to_owned(),
        notes,
        legend: Leg::BOTH
            .map(|leg| (Stroke::of(leg, 0.8, 4), timeline.series.title(leg)))
            .into(),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels: legs.into_iter().map(panel).collect(),
        timeline: Some(timeline),
    }
}

fn shapes(timeline: &Timeline, leg: Leg) -> Vec<Shape> {
    let begins = timeline.series.dead_air_begins.iter();
    let begins = begins.filter(|begin| begin.1 == leg);
    let stroke = Stroke::of(leg, 0.8, 4);
    vec![
        Shape::Bars(stroke, timeline.bars(leg, |row| Some(row.dead_air_ms))),
        Shape::Ticks(stroke, begins.map(|begin| begin.0).collect()),
    ]
}

fn empty(timeline: &Timeline, leg: Leg, shapes: &[Shape]) -> Option<&'static str> {
    let measured = timeline.series.seconds.iter().any(|row| row.leg == leg);
    match (measured, highest(shapes)) {
        (false, _) => Some("nothing measured"),
        (true, None) => Some("no dead air"),
        (true, Some(_)) => None,
    }
}
