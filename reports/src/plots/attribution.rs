//! Whose doing delay was, a panel a leg: the mean of each second's packets, part upon part.

use super::axis::Axis;
use super::figure::{Figure, Panel, Shape, Stroke, colour, highest};
use super::series::Second;
use super::timeline::Timeline;
use milliwatt_scoring::measured::DelayParts;
use milliwatt_wire::id::Leg;
use plotters::style::RGBColor;

/// Reddish purple of the palette of Okabe and Ito.
const TESTER: RGBColor = RGBColor(0xcc, 0x79, 0xa7);
/// Bluish green of the same palette.
const GUEST: RGBColor = RGBColor(0x00, 0x9e, 0x73);
/// The least height of the axis, ms: a quiet run stays low.
const LEAST_MS: f64 = 1.0;

/// The top of a part of a stack, where a second has it.
type Top = fn(&Second) -> Option<f64>;

/// The parts from the uppermost down: each is drawn over the one before.
const PATH_STREAM: Top = |row| row.delay.filter(|d| d.path_stream_ms.is_some()).map(all);
const PATH: Top = |row| row.delay.filter(|d| d.path_stream_ms.is_none()).map(all);
const PATH_COMMON: Top = |row| row.delay.and_then(|d| Some(ends(d) + d.path_common_ms?));
const BOTH_ENDS: Top = |row| row.delay.map(ends);
const TESTER_ALONE: Top = |row| row.delay.map(|d| d.tester_ms);

pub(super) fn figure<'a>(timeline: &'a Timeline) -> Figure<'a> {
    let legs = Leg::BOTH.map(|leg| (leg, shapes(timeline, leg)));
    let panel = |(leg, shapes): (Leg, Vec<Shape>)| Panel {
        title: timeline.series.title(leg),
        y: Axis::linear(highest(&shapes).unwrap_or(0.0).max(LEAST_MS)),
        y_label: "mean delay (ms)",
        height: None,
        x: None,
        limits: Vec::new(),
        empty: is_empty(timeline, leg).then_some("nothing measured"),
        shapes,
    };
    let mut notes = vec![
        "PDV of the packets due in a second, part upon part; on the receive leg the time until the guest read them on top".to_owned(),
    ];
    notes.extend(timeline.notes());
    Figure {
        title: "Where delay variation came from".to_owned(),
        notes,
        legend: legend(&legs),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels: legs.into_iter().map(panel).collect(),
        timeline: Some(timeline),
    }
}

fn legend(legs: &[(Leg, Vec<Shape>); 2]) -> Vec<(Stroke, String)> {
    let mut legend = vec![
        (solid(TESTER), "tester".to_owned()),
        (solid(GUEST), "guest".to_owned()),
    ];
    for (leg, shapes) in legs {
        let [stream, undivided, common] = path_colours(*leg).map(solid);
        let mut add =
            |stroke, what| legend.push((stroke, format!("{} leg, path: {what}", leg.key())));
        add(common, "all streams at once");
        add(stream, "single streams");
        if matches!(shapes.get(1), Some(Shape::Bars(_, bars)) if !bars.is_empty()) {
            add(undivided, "too few streams to tell");
        }
    }
    legend
}

fn shapes(timeline: &Timeline, leg: Leg) -> Vec<Shape> {
    let [stream, undivided, common] = path_colours(leg);
    [
        (stream, PATH_STREAM),
        (undivided, PATH),
        (common, PATH_COMMON),
        (GUEST, BOTH_ENDS),
        (TESTER, TESTER_ALONE),
    ]
    .map(|(colour, top)| Shape::Bars(solid(colour), timeline.bars(leg, top)))
    .into()
}

/// Of single streams, not divided, of all streams at once: tints of the leg's colour.
fn path_colours(leg: Leg) -> [RGBColor; 3] {
    [0.35, 0.65, 1.0].map(|strength| tint(colour(leg), strength))
}

/// A colour on white, for what lies over something else.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between two octets"
)]
fn tint(RGBColor(r, g, b): RGBColor, strength: f64) -> RGBColor {
    let mix = |part: u8| (255.0 - (255.0 - f64::from(part)) * strength).round() as u8;
    RGBColor(mix(r), mix(g), mix(b))
}

fn solid(colour: RGBColor) -> Stroke {
    Stroke {
        colour,
        opacity: 1.0,
        width: 4,
    }
}

fn is_empty(timeline: &Timeline, leg: Leg) -> bool {
    let mut rows = timeline.series.seconds.iter();
    !rows.any(|row| row.leg == leg && row.delay.is_some())
}

fn ends(parts: DelayParts) -> f64 {
    parts.tester_ms + parts.guest_ms
}

fn all(parts: DelayParts) -> f64 {
    ends(parts) + parts.path_ms
}
