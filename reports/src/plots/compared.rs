//! Runs before a change and after it, drawn over each other: the same figures as a run's own plots, a panel a leg, a colour
//! a side.

use super::axis::Axis;
use super::figure::{AFTER, BEFORE, Figure, Panel, Segment, Shape, Stroke, logarithmic_axis};
use milliwatt_scoring::measured::{Measured, SecondRow};
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// Below this nothing is told apart, ms.
const FLOOR_MS: f64 = 0.001;
/// Points a line has at most.
const MOST_POINTS: u32 = 900;

/// A run's line in a leg's panel.
type Line = fn(&Measured, Leg) -> Vec<Segment>;

/// Every plot, with its file's name.
pub(super) fn figures(
    before: &[&Measured],
    after: &[&Measured],
) -> [(&'static str, Figure<'static>); 3] {
    let sides = [(before, BEFORE), (after, AFTER)];
    let end = before
        .iter()
        .chain(after)
        .map(|run| full_seconds(run))
        .max();
    let (time, unit) = Axis::time(f64::from(end.unwrap_or(0).max(1)));
    let mut notes = vec!["full load of each run, from its first second on".to_owned()];
    match end.unwrap_or(0).div_ceil(MOST_POINTS) {
        0 | 1 => {}
        seconds => notes.push(format!("each point: the largest of up to {seconds} s")),
    }
    let over_time = |title: &str, y_label, line: Line| Figure {
        title: title.to_owned(),
        notes: notes.clone(),
        x: time.clone(),
        x_label: format!("time at full load ({unit})"),
        panels: panels(sides, y_label, line),
        ..blank()
    };
    [
        ("pdv-distribution", distribution(sides)),
        (
            "pdv",
            over_time(
                "PDV p99 over time, both sides",
                "PDV p99 (ms)",
                |run, leg| by_second(run, leg, |row| row.pdv_p99_ms),
            ),
        ),
        (
            "interarrival-jitter",
            over_time(
                "Interarrival jitter over time, both sides",
                "mean J (ms)",
                |run, leg| by_second(run, leg, |row| row.interarrival_jitter_mean_ms),
            ),
        ),
    ]
}

fn blank() -> Figure<'static> {
    let stroke = |colour| Stroke {
        colour,
        opacity: 1.0,
        width: 2,
    };
    Figure {
        title: String::new(),
        notes: Vec::new(),
        legend: vec![
            (stroke(BEFORE), "baseline".to_owned()),
            (stroke(AFTER), "run".to_owned()),
        ],
        x: Axis::linear(1.0),
        x_label: String::new(),
        x_limits: Vec::new(),
        panels: Vec::new(),
        timeline: None,
    }
}

/// How many packets lay above each PDV.
fn distribution(sides: [(&[&Measured], plotters::style::RGBColor); 2]) -> Figure<'static> {
    let runs = || sides.iter().flat_map(|(runs, _)| runs.iter());
    let curves = runs().flat_map(|run| run.pdv_curves.iter().flatten());
    let values: Vec<f64> = curves.map(|point| point.0.max(FLOOR_MS)).collect();
    let rarest = runs()
        .flat_map(|run| Leg::BOTH.map(|leg| above(run, leg)))
        .flatten()
        .map(|point| point.1)
        .filter(|share| *share > 0.0)
        .fold(0.1, f64::min);
    let mut panels = panels(sides, "packets above (%)", |run, leg| vec![above(run, leg)]);
    for panel in &mut panels {
        panel.y = Axis::logarithmic(rarest, 100.0);
    }
    Figure {
        title: "PDV distribution at full load, both sides".to_owned(),
        notes: vec![
            "share of packets whose PDV was above x; p99.9 is where a line crosses 0.1 %"
                .to_owned(),
        ],
        x: logarithmic_axis(&values, FLOOR_MS, &[]),
        x_label: "PDV (ms)".to_owned(),
        panels,
        ..blank()
    }
}

fn above(run: &Measured, leg: Leg) -> Segment {
    let curve = &run.pdv_curves[leg as usize];
    let points = curve
        .iter()
        .map(|&(ms, share)| (ms.max(FLOOR_MS), (1.0 - share).max(0.0) * 100.0));
    let start = curve.first().map(|&(ms, _)| (ms.max(FLOOR_MS), 100.0));
    start.into_iter().chain(points).collect()
}

fn panels(
    sides: [(&[&Measured], plotters::style::RGBColor); 2],
    y_label: &'static str,
    line: Line,
) -> Vec<Panel> {
    let shapes = Leg::BOTH.map(|leg| {
        let of_side = |(runs, colour): (&[&Measured], _)| {
            let stroke = Stroke {
                colour,
                opacity: 0.8,
                width: 2,
            };
            let lines = runs.iter().map(|run| Shape::Line(stroke, line(run, leg)));
            lines.collect::<Vec<_>>()
        };
        sides.into_iter().flat_map(of_side).collect::<Vec<_>>()
    });
    let all = shapes.iter().flatten().flat_map(Shape::heights);
    let y = logarithmic_axis(&all.collect::<Vec<_>>(), FLOOR_MS, &[]);
    let panel = |(leg, shapes): (Leg, Vec<Shape>)| Panel {
        title: leg.title().to_owned(),
        x: None,
        y: y.clone(),
        y_label,
        height: None,
        empty: shapes
            .iter()
            .all(|shape| shape.heights().is_empty())
            .then_some("nothing measured"),
        shapes,
        limits: Vec::new(),
    };
    Leg::BOTH.into_iter().zip(shapes).map(panel).collect()
}

fn full_seconds(run: &Measured) -> u32 {
    run.full_load
        .map_or(0, |(from, to)| to.saturating_sub(from))
}

/// A figure of a leg over full load: the largest value of each point's seconds.
fn by_second(run: &Measured, leg: Leg, value: fn(&SecondRow) -> Option<f64>) -> Vec<Segment> {
    let Some((from, to)) = run.full_load else {
        return Vec::new();
    };
    let seconds_a_point = (to - from).div_ceil(MOST_POINTS).max(1);
    let rows = run.seconds.iter();
    let rows = rows.filter(|row| row.leg == leg && (from..to).contains(&row.second));
    let mut points: BTreeMap<u32, f64> = BTreeMap::new();
    for (second, value) in rows.filter_map(|row| Some((row.second - from, value(row)?))) {
        let largest = points.entry(second / seconds_a_point).or_insert(value);
        *largest = largest.max(value);
    }
    let middle = |point: u32| (f64::from(point) + 0.5) * f64::from(seconds_a_point);
    let line: Segment = points
        .into_iter()
        .map(|(point, value)| (middle(point), value))
        .collect();
    if line.is_empty() {
        Vec::new()
    } else {
        vec![line]
    }
}
