//! The document's picture of a guest whose network layer fails: PDV of each leg over time, the sent leg above, the transfer
//! of recordings and the load below it, all on one axis, with the steps of the load and the moment at which each leg breaks.

use super::axis::Axis;
use super::figure::{
    Band, Figure, Panel, Shape, Side, Stroke, Upright, UprightLabel, colour, highest,
};
use super::limits::{self, Limit};
use super::series::{Search, Second};
use super::timeline::Timeline;
use crate::figures;
use crate::tables::{STEP_LEGS, load, metric_word, step_leg};
use milliwatt_scoring::measured::{StepOutcome, StepRow, ThresholdResult};
use milliwatt_wire::id::Leg;

/// Low end of the PDV axes, ms. They are logarithmic, since a leg goes from below 1 ms to hundreds within a second of
/// breaking, and begin here, so that the quiet part below leaves the picture to what decides.
pub(super) const FLOOR_MS: f64 = 0.1;
/// Least high end, ms: a quiet search is not stretched.
const HIGH_MS: f64 = 100.0;
/// "Networking issues" of the document: the network layer starts to fail as RTP approaches this, Mbit/s.
pub(super) const DOCUMENT_MBPS: f64 = 120.0;

pub(super) fn figure<'a>(timeline: &'a Timeline, search: Search) -> Figure<'a> {
    let y = pdv_axis(timeline, search);
    let mut panels: Vec<Panel> = STEP_LEGS
        .map(|leg| pdv_panel(timeline, search, leg, &y))
        .into();
    panels.push(transfer_panel(timeline, search));
    panels.push(load_panel(timeline, search));
    let mut notes = vec![
        "bands: steps, with what each was to put on the sent leg, Mbit/s; tinted, with a bar on top: past a limit on that leg"
            .to_owned(),
        "PDV is on a logarithmic axis, so that 1 ms and 400 ms can both be read; what is below 0.1 ms lies on its lower edge"
            .to_owned(),
    ];
    notes.extend(timeline.notes());
    Figure {
        title: "Where each leg breaks".to_owned(),
        notes,
        legend: STEP_LEGS.into_iter().flat_map(legend).collect(),
        x: timeline.axis.clone(),
        x_label: timeline.label.clone(),
        x_limits: Vec::new(),
        panels,
        timeline: Some(timeline),
    }
}

fn legend(leg: Leg) -> [(Stroke, String); 2] {
    [
        (p999(leg), format!("{} leg, PDV p99.9; load", leg.key())),
        (max(leg), format!("{} leg, PDV max", leg.key())),
    ]
}

fn p999(leg: Leg) -> Stroke {
    Stroke::of(leg, 1.0, 2)
}

fn max(leg: Leg) -> Stroke {
    Stroke::of(leg, 0.55, 1)
}

/// The same for both legs.
fn pdv_axis(timeline: &Timeline, search: Search) -> Axis {
    let largest = STEP_LEGS.map(|leg| {
        let lines = pdv_lines(timeline, leg);
        let limit = pdv_limit(timeline.series.thresholds, search, leg).value;
        highest(&lines).unwrap_or(0.0).max(limit.unwrap_or(0.0))
    });
    Axis::logarithmic(FLOOR_MS, largest.into_iter().fold(HIGH_MS, f64::max))
}

fn pdv_lines(timeline: &Timeline, leg: Leg) -> Vec<Shape> {
    vec![
        Shape::Line(max(leg), timeline.line(leg, |row| row.pdv_max_ms)),
        Shape::Line(p999(leg), timeline.line(leg, |row| row.pdv_p999_ms)),
    ]
}

fn pdv_panel(timeline: &Timeline, search: Search, leg: Leg, y: &Axis) -> Panel {
    let title = format!("PDV, {}", timeline.series.title(leg));
    let lines = pdv_lines(timeline, leg);
    let empty = highest(&lines).is_none().then_some("nothing measured");
    // A leg's line rises where it breaks: the data lies over the mark.
    let mut shapes = vec![Shape::Steps(bands(search, Some(leg)))];
    shapes.extend(STEP_LEGS.into_iter().filter_map(|broken| {
        let label = (broken == leg).then(|| UprightLabel {
            text: broke(search, leg),
            beside_title: Some(title.chars().count()),
            side: Side::Centre,
        });
        line(search, broken, label)
    }));
    shapes.extend(lines);
    Panel {
        title,
        y: y.clone(),
        y_label: "PDV (ms)",
        shapes,
        limits: vec![pdv_limit(timeline.series.thresholds, search, leg)],
        empty,
        height: Some(150),
        x: None,
    }
}

/// The scenario's own limit; without one half the playout buffer, which is what milliwatt takes for one.
pub(super) fn pdv_limit(thresholds: &[ThresholdResult], search: Search, leg: Leg) -> Limit {
    let own = limits::of(thresholds, "pdv_ms.p999", Some(leg));
    let value = own.iter().find_map(|limit| limit.value);
    let value = value.unwrap_or(search.buffer_ms / 2.0);
    Limit {
        value: Some(value),
        label: [
            format!("limit {}", figures::quantity(value, "ms")),
            "PDV p99.9".to_owned(),
        ],
    }
}

fn transfer_panel(timeline: &Timeline, search: Search) -> Panel {
    Panel {
        height: Some(80),
        x: None,
        ..mbps_panel(timeline, search, "transfer of recordings", |row| {
            row.transfer_mbps
        })
    }
}

fn load_panel(timeline: &Timeline, search: Search) -> Panel {
    let panel = mbps_panel(timeline, search, "offered load", |row| row.mbps);
    let high = highest(&panel.shapes).unwrap_or(0.0);
    let shown = if DOCUMENT_MBPS <= 3.0 * high {
        high.max(DOCUMENT_MBPS)
    } else {
        high.max(1.0)
    };
    Panel {
        // Clear of the upper edge.
        y: Axis::linear(shown * 1.05),
        limits: vec![Limit {
            value: Some(DOCUMENT_MBPS),
            label: [
                "120 Mbit/s".to_owned(),
                "the document: fails near it".to_owned(),
            ],
        }],
        height: Some(140),
        x: None,
        ..panel
    }
}

fn mbps_panel(
    timeline: &Timeline,
    search: Search,
    title: &str,
    value: fn(&Second) -> Option<f64>,
) -> Panel {
    let lines = STEP_LEGS.map(|leg| Shape::Line(p999(leg), timeline.line(leg, value)));
    let high = highest(&lines);
    let mut shapes = vec![Shape::Steps(bands(search, None))];
    shapes.extend(lines);
    shapes.extend(STEP_LEGS.into_iter().filter_map(|leg| {
        let label = UprightLabel {
            text: format!("{} leg", leg.key()),
            beside_title: None,
            side: Side::Right,
        };
        line(search, leg, Some(label))
    }));
    Panel {
        title: title.to_owned(),
        y: Axis::linear(high.filter(|high| *high > 0.0).unwrap_or(1.0)),
        y_label: "Mbit/s",
        shapes,
        limits: Vec::new(),
        empty: high.is_none().then_some("nothing measured"),
        height: None,
        x: None,
    }
}

fn broke(search: Search, leg: Leg) -> String {
    let point = search.broken(leg);
    let mbps = point.and_then(|point| point.first_bad_mbps);
    let mbps = mbps.map_or_else(String::new, |mbps| format!(": {} Mbit/s", load(mbps)));
    let metric = point.and_then(|point| point.metric.as_deref());
    let metric = metric.map_or_else(String::new, |metric| format!(", {}", metric_word(metric)));
    format!("{} leg breaks{mbps}{metric}", leg.key())
}

/// The moment at which a leg broke.
fn line(search: Search, leg: Leg, label: Option<UprightLabel>) -> Option<Shape> {
    let at = search.broken(leg)?.at_s?;
    Some(Shape::Upright(Upright {
        at,
        colour: colour(leg),
        dashed: false,
        label,
    }))
}

/// The steps, labelled where a panel is of one leg.
fn bands(search: Search, leg: Option<Leg>) -> Vec<Band> {
    let band = |step: &StepRow| Band {
        from: step.from_s,
        to: step.until_s,
        outcome: leg.map(|leg| step_leg(step, leg).outcome),
        label: leg.map_or_else(String::new, |_| label(step.target_mbps)),
        rank: leg.map_or(0, |leg| rank(step, leg, search)),
    };
    search.steps.iter().map(band).collect()
}

fn label(mbps: f64) -> String {
    figures::number((mbps * 10.0).round() / 10.0)
}

/// The step at which the leg broke before other bad ones, and those before the rest.
fn rank(step: &StepRow, leg: Leg, search: Search) -> u8 {
    let at = search.broken(leg).and_then(|point| point.at_s);
    if at.is_some_and(|at| (step.from_s..step.until_s).contains(&at)) {
        2
    } else {
        u8::from(step_leg(step, leg).outcome == StepOutcome::Bad)
    }
}
