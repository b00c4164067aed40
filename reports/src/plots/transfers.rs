//! What transfers got through and what held them, over time, below the PDV of the legs that they share the path with: a leg
//! whose delay varies as transfers come and go shows it here at a glance.

use super::axis::Axis;
use super::figure::{Figure, Panel, Segment, Shape, Stroke, highest};
use super::series::{Second, Series};
use super::timeline::Timeline;
use milliwatt_wire::id::Leg;

/// The least height of the axis of stalls, ms: times between acknowledgements below it are those of any path.
const LEAST_STALL_MS: f64 = 200.0;
/// The least height of the axis of PDV, ms.
const LEAST_PDV_MS: f64 = 10.0;
/// The least height of the axis of segments sent again.
const LEAST_SEGMENTS: f64 = 10.0;

/// A figure of a second.
type Value = fn(&Second) -> Option<f64>;

/// Some second tells of a transfer.
pub(super) fn has_any(series: &Series) -> bool {
    let mut rows = series.seconds.iter();
    rows.any(|row| row.transfer_goodput_mbps.is_some())
}

pub(super) fn figure<'a>(timeline: &'a Timeline) -> Figure<'a> {
    let panel = |title: &str, y_label, least, value: Value| {
        let line = |leg| timeline.line(leg, value);
        panel(title, y_label, least, Leg::BOTH.map(line))
    };
    let goodput = |leg| timeline.span(leg, |row| row.transfer_goodput_mbps);
    let mut notes = vec![
        "goodput: what the receiver's TCP acknowledged, without headers".to_owned(),
        "stall: something is outstanding on a connection, and no acknowledgement comes".to_owned(),
    ];
    notes.extend(timeline.thinned("the largest, of goodput also the least,"));
    Figure {
        title: "Transfers over time, and the delay variation beside them".to_owned(),
        notes,
        legend: Leg::BOTH
            .map(|leg| (Stroke::of(leg, 1.0, 2), timeline.series.title(leg)))
            .into(),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels: vec![
            panel("PDV p99.9", "ms", LEAST_PDV_MS, |row| row.pdv_p999_ms),
            self::panel("goodput", "Mbit/s", 0.0, Leg::BOTH.map(goodput)),
            panel(
                "longest stall of any connection",
                "ms",
                LEAST_STALL_MS,
                |row| row.transfer_stalled_ms,
            ),
            panel(
                "TCP segments sent again",
                "segments a second",
                LEAST_SEGMENTS,
                |row| row.transfer_retransmissions,
            ),
        ],
        timeline: Some(timeline),
    }
}

fn panel(title: &str, y_label: &'static str, least: f64, lines: [Vec<Segment>; 2]) -> Panel {
    let lines = Leg::BOTH.into_iter().zip(lines);
    let shapes: Vec<Shape> = lines
        .map(|(leg, line)| Shape::Line(Stroke::of(leg, 1.0, 2), line))
        .collect();
    let high = highest(&shapes);
    let top = high.unwrap_or(0.0).max(least);
    Panel {
        title: title.to_owned(),
        x: None,
        y: Axis::linear(if top > 0.0 { top } else { 1.0 }),
        y_label,
        height: Some(120),
        empty: high.is_none().then_some("nothing measured"),
        shapes,
        limits: Vec::new(),
    }
}
