//! Trouble against load, a point a step: where a leg leaves the floor, and whether it does so at once or by and by.

use super::axis::Axis;
use super::breaking_point::{DOCUMENT_MBPS, FLOOR_MS, pdv_limit};
use super::canvas::LIMIT;
use super::figure::{
    Figure, Letter, Panel, Point, Segment, Shape, Side, Stroke, Upright, UprightLabel, colour,
    highest,
};
use super::limits::Limit;
use super::series::{Search, Series};
use crate::tables::{STEP_LEGS, load, step_leg};
use milliwatt_scoring::measured::{Reached, StepLeg, StepOutcome, StepRow};
use milliwatt_wire::id::Leg;
use milliwatt_wire::step::StepKind;

/// Low end of the axes of percent: 1 packet in 10,000. Limits on loss are tenths of a percent, and a broken leg loses tens.
const FLOOR_PERCENT: f64 = 0.01;
/// The document's load and a twentieth more, Mbit/s.
const BEYOND_MBPS: f64 = 1.05 * DOCUMENT_MBPS;

/// A figure of a step's leg.
type Value = fn(&StepLeg) -> Option<f64>;

const PDV: Value = |shown| shown.pdv_p999_ms;
const MISSING: Value = |shown| Some(shown.loss_percent? + shown.discarded_percent.unwrap_or(0.0));

pub(super) fn figure<'a>(series: &'a Series, search: Search) -> Figure<'a> {
    let (x, document_shown) = load_axis(search);
    let mut notes = vec![
        "a point a step. dot: good; cross: past a limit; open diamond: the tester spoilt it; ring: too little is known".to_owned(),
        "b: transfers as TCP goes; c: held for long; line: medians of each load, without b and without spoilt steps".to_owned(),
        "both vertical axes are logarithmic; what is below lies on the lower edge".to_owned(),
    ];
    notes.push(if document_shown {
        "dashed upright: 120 Mbit/s, near which the document's guest fails, and 126, a twentieth more".to_owned()
    } else {
        "120 Mbit/s, near which the document's guest fails, are off the scale".to_owned()
    });
    let panels = STEP_LEGS.into_iter().flat_map(|leg| {
        [
            pdv_panel(series, search, leg, document_shown),
            missing_panel(search, leg, document_shown),
        ]
    });
    Figure {
        title: "Load against trouble".to_owned(),
        notes,
        legend: STEP_LEGS
            .map(|leg| (Stroke::of(leg, 1.0, 2), series.title(leg)))
            .into(),
        x,
        x_label: "offered load of the leg (Mbit/s)".to_owned(),
        x_limits: Vec::new(),
        panels: panels.collect(),
        timeline: None,
    }
}

/// Over all loads of both legs, and up to the document's where that is not far beyond.
fn load_axis(search: Search) -> (Axis, bool) {
    let both = |step: &StepRow| STEP_LEGS.map(|leg| step_leg(step, leg).offered_mbps);
    let loads: Vec<f64> = search.steps.iter().flat_map(both).flatten().collect();
    let (Some(low), Some(high)) = (
        loads.iter().copied().min_by(f64::total_cmp),
        loads.iter().copied().max_by(f64::total_cmp),
    ) else {
        return (Axis::linear(DOCUMENT_MBPS), true);
    };
    let shown = high * 1.6 >= BEYOND_MBPS;
    let high = if shown { high.max(BEYOND_MBPS) } else { high };
    let margin = (high - low).max(1.0) / 25.0;
    (Axis::between((low - margin).max(0.0), high + margin), shown)
}

fn pdv_panel(series: &Series, search: Search, leg: Leg, document_shown: bool) -> Panel {
    let title = format!("PDV p99.9, {}", series.title(leg));
    let limit = pdv_limit(series.thresholds, search, leg);
    let data = data(search, leg, PDV);
    let high = [highest(&data), limit.value].into_iter().flatten();
    let mut shapes = references(document_shown, Some(title.chars().count()));
    shapes.extend(edges(search, leg, true));
    Panel {
        y: Axis::logarithmic(FLOOR_MS, high.fold(100.0, f64::max)),
        y_label: "PDV p99.9 (ms)",
        empty: highest(&data).is_none().then_some("nothing measured"),
        shapes: shapes.into_iter().chain(data).collect(),
        limits: vec![limit],
        height: Some(160),
        x: None,
        title,
    }
}

fn missing_panel(search: Search, leg: Leg, document_shown: bool) -> Panel {
    let data = data(search, leg, MISSING);
    let mut shapes = references(document_shown, None);
    shapes.extend(edges(search, leg, false));
    Panel {
        title: format!("lost or late at playout, {} leg", leg.key()),
        y: Axis::logarithmic(FLOOR_PERCENT, 100.0),
        y_label: "percent of sent",
        empty: highest(&data).is_none().then_some("nothing measured"),
        shapes: shapes.into_iter().chain(data).collect(),
        limits: Vec::<Limit>::new(),
        height: Some(110),
        x: None,
    }
}

/// The medians' line below the points.
fn data(search: Search, leg: Leg, value: Value) -> Vec<Shape> {
    let line = Shape::Line(Stroke::of(leg, 0.6, 2), vec![medians(search, leg, value)]);
    let points = search.steps.iter().filter_map(|step| {
        let shown = step_leg(step, leg);
        Some(Point {
            at: (shown.offered_mbps?, value(shown)?),
            outcome: shown.outcome,
            letter: letter(step.kind),
        })
    });
    vec![line, Shape::Points(colour(leg), points.collect())]
}

fn letter(kind: StepKind) -> Option<Letter> {
    match kind {
        StepKind::Bursts => Some(Letter {
            text: "b",
            left: 13,
        }),
        StepKind::Confirm => Some(Letter { text: "c", left: 3 }),
        StepKind::Ramp | StepKind::Search | StepKind::Repeat => None,
    }
}

/// The median of each target over the steps that had it and were judged, by offered load.
fn medians(search: Search, leg: Leg, value: Value) -> Segment {
    let judged = search.steps.iter().filter(|step| {
        let outcome = step_leg(step, leg).outcome;
        step.kind != StepKind::Bursts && matches!(outcome, StepOutcome::Good | StepOutcome::Bad)
    });
    let mut known: Vec<(f64, f64, f64)> = judged
        .filter_map(|step| {
            let shown = step_leg(step, leg);
            Some((step.target_mbps, shown.offered_mbps?, value(shown)?))
        })
        .collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    known
        .chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq())
        .map(|load| {
            (
                median(load.iter().map(|k| k.1)),
                median(load.iter().map(|k| k.2)),
            )
        })
        .collect()
}

/// The lower one of an even number.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1) / 2;
    values.get(middle).copied().unwrap_or(0.0)
}

/// The document's load and a twentieth more; named where a title of so many letters leaves room.
fn references(shown: bool, title: Option<usize>) -> Vec<Shape> {
    let line = |(at, side): (f64, Side)| {
        let label = title.map(|letters| UprightLabel {
            text: format!("{at:.0}"),
            beside_title: Some(letters),
            side,
        });
        Shape::Upright(Upright {
            at,
            colour: LIMIT,
            dashed: true,
            label,
        })
    };
    let both = [(DOCUMENT_MBPS, Side::Left), (BEYOND_MBPS, Side::Right)];
    both.into_iter().filter(|_| shown).map(line).collect()
}

/// The last good and the first bad load of the leg.
fn edges(search: Search, leg: Leg, named: bool) -> Vec<Shape> {
    let line = |at: Option<f64>, name: &str, side| {
        let at = at?;
        let label = named.then(|| UprightLabel {
            text: format!("{name} {}", load(at)),
            beside_title: None,
            side,
        });
        Some(Shape::Upright(Upright {
            at,
            colour: colour(leg),
            dashed: false,
            label,
        }))
    };
    let held = search
        .point(leg)
        .filter(|point| point.reached != Reached::NotMeasured);
    let good = held.and_then(|point| point.last_good_mbps);
    let bad = search.broken(leg).and_then(|point| point.first_bad_mbps);
    let lines = [
        line(good, "last good", Side::Left),
        line(bad, "first bad", Side::Right),
    ];
    lines.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_a_value_that_was_measured() {
        assert!((median([9.0, 1.0, 3.0].into_iter()) - 3.0).abs() < 1e-9);
        assert!((median([9.0, 1.0].into_iter()) - 1.0).abs() < 1e-9);
    }
}
