//! What live calls went through, a panel a disruption, each on a time axis of its own: how many streams of each leg were silent,
//! the common blackout of each, when most had recovered, and what was marked meanwhile.

use super::axis::Axis;
use super::canvas::INK;
use super::figure::{Figure, Panel, Shape, Side, Stroke, Upright, UprightLabel};
use super::series::Disruptions;
use crate::figures;
use milliwatt_scoring::measured::{Disruption, DisruptionTrace};
use milliwatt_wire::id::Leg;

/// Disruptions that are drawn: those with the longest blackouts.
const PANELS: usize = 6;

pub(super) fn figure<'a>(of: Disruptions) -> Figure<'a> {
    let mut shown: Vec<(&Disruption, &DisruptionTrace)> = of.rows.iter().zip(of.traces).collect();
    let all = shown.len();
    shown.sort_by(|a, b| b.0.blackout_ms.total_cmp(&a.0.blackout_ms));
    shown.truncate(PANELS);
    shown.sort_by(|a, b| a.0.at.total_cmp(&b.0.at));
    let mut notes = vec![
        "shaded: the common blackout of a leg, in which none of its streams but one in twenty had a packet or was played"
            .to_owned(),
        "dashed: 19 in 20 of the streams that were hit flowed as before; each panel has a time axis of its own".to_owned(),
    ];
    if all > PANELS {
        notes.push(format!("the {PANELS} longest of {all}"));
    }
    Figure {
        title: "Streams silent around each disruption".to_owned(),
        notes,
        legend: Leg::BOTH
            .map(|leg| (line(leg), leg.title().to_owned()))
            .into(),
        x: Axis::linear(1.0),
        x_label: "run time (s)".to_owned(),
        x_limits: Vec::new(),
        panels: shown
            .into_iter()
            .map(|(row, trace)| panel(row, trace, of))
            .collect(),
        timeline: None,
    }
}

fn line(leg: Leg) -> Stroke {
    Stroke::of(leg, 1.0, 2)
}

fn panel(row: &Disruption, trace: &DisruptionTrace, of: Disruptions) -> Panel {
    let title = format!(
        "{} s: {} of {} ms, {} of {} streams",
        figures::number(row.at),
        row.kind.name(),
        figures::number(row.blackout_ms.round()),
        figures::count(row.streams_affected),
        figures::count(row.streams),
    );
    let mut shapes: Vec<Shape> = Leg::BOTH
        .into_iter()
        .filter_map(|leg| {
            let own = row.by_leg.get(leg)?;
            let shade = Stroke::of(leg, 0.13, 1);
            let until = own.until_s.min(trace.until_s);
            Some(Shape::Bands(shade, vec![(own.from_s, until)]))
        })
        .collect();
    let legs = Leg::BOTH.into_iter();
    shapes.extend(legs.filter_map(|leg| silent(leg, trace)));
    shapes.extend(uprights(row, trace, of, title.chars().count()));
    Panel {
        title,
        y: Axis::linear(most(trace).max(1.0) * 1.05),
        y_label: "streams silent",
        shapes,
        limits: Vec::new(),
        empty: None,
        height: Some(170),
        x: Some(Axis::between(trace.from_s, trace.until_s)),
    }
}

fn most(trace: &DisruptionTrace) -> f64 {
    let counts = trace.silent.iter().flatten();
    f64::from(counts.copied().max().unwrap_or(0))
}

/// As a staircase: each part has the most streams that were silent in it.
fn silent(leg: Leg, trace: &DisruptionTrace) -> Option<Shape> {
    let counts = &trace.silent[leg as usize];
    let parts = f64::from(
        u32::try_from(counts.len())
            .ok()
            .filter(|parts| *parts > 0)?,
    );
    let width = (trace.until_s - trace.from_s) / parts;
    let points = (0_u32..).zip(counts).flat_map(|(part, count)| {
        let from = trace.from_s + f64::from(part) * width;
        [from, from + width].map(|at| (at, f64::from(*count)))
    });
    Some(Shape::Line(line(leg), vec![points.collect()]))
}

/// When it had recovered, and each mark in the time shown.
fn uprights(
    row: &Disruption,
    trace: &DisruptionTrace,
    of: Disruptions,
    letters: usize,
) -> Vec<Shape> {
    let inside = |at: f64| trace.from_s <= at && at <= trace.until_s;
    let recovered = row.recovered_ms.map(|ms| row.at + ms / 1000.0);
    let recovered = recovered.filter(|at| inside(*at)).map(|at| Upright {
        at,
        colour: INK,
        dashed: true,
        label: Some(UprightLabel {
            text: "recovered".to_owned(),
            beside_title: None,
            side: Side::Centre,
        }),
    });
    let marks = of.marks.iter().filter(|mark| inside(mark.at));
    let marks = marks.map(|mark| Upright {
        at: mark.at,
        colour: INK,
        dashed: false,
        label: Some(UprightLabel {
            text: mark.label.clone(),
            beside_title: Some(letters),
            side: Side::Centre,
        }),
    });
    recovered
        .into_iter()
        .chain(marks)
        .map(Shape::Upright)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::figure::colour;
    use super::*;

    #[test]
    fn a_leg_that_flowed_has_no_line() {
        let trace = DisruptionTrace {
            from_s: 1.0,
            until_s: 2.0,
            silent: [vec![0, 5, 5, 0], Vec::new()],
        };
        assert!(silent(Leg::Sent, &trace).is_none());
        let Some(Shape::Line(stroke, segments)) = silent(Leg::Receive, &trace) else {
            panic!("no line");
        };
        assert_eq!(stroke.colour, colour(Leg::Receive));
        assert_eq!(segments[0][2..4], [(1.25, 5.0), (1.5, 5.0)]);
        assert!((most(&trace) - 5.0).abs() < 1e-9);
    }
}
