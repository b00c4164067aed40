//! Draws what happened as lines across a panel, and names it above. Of many, only what has room for its name has a line, the
//! rarest first; the others stand above the panel.

use super::axis::Axis;
use super::canvas::{self, Canvas, Error, INK, Text};
use super::figure::{Figure, Panel, Shape};
use super::outline::skyline;
use super::panel::Place;
use super::step_shapes;
use plotters::element::{PathElement, Polygon};
use plotters::style::Color;
use std::collections::BTreeMap;

/// Room that a name takes, px.
const NAME: i32 = 90;
/// Height of what stands above a panel without a name, px.
const SHORT: i32 = 5;

/// Lines at marks and stalls, named as long as the names do not run into each other or into the title.
pub(super) fn draw(
    canvas: &Canvas,
    figure: &Figure,
    panel: &Panel,
    place: Place,
) -> Result<(), Error> {
    let Some(timeline) = &figure.timeline else {
        return Ok(());
    };
    let at = |(at, kind): &&(f64, String)| (place.x(&figure.x, *at), kind.clone());
    let mut marks: Vec<(i32, String)> = timeline.marks.iter().map(at).collect();
    marks.dedup();
    let free_from = title_end(&figure.x, panel, place);
    if !timeline.is_crowded() {
        return marks
            .iter()
            .zip(named(&marks, free_from))
            .try_for_each(|((x, kind), is_named)| {
                line(canvas, *x, place)?;
                if is_named {
                    name(canvas, kind, *x, place)
                } else {
                    Ok(())
                }
            });
    }
    let bars = marks.iter().map(|(x, _)| (*x, x + 1, place.top - SHORT));
    let short = Polygon::new(skyline(bars, place.top), INK.mix(0.5).filled());
    canvas.draw(&short)?;
    let mut named = rarest(&marks, free_from, place.right).into_iter();
    named.try_for_each(|(x, kind)| {
        line(canvas, x, place)?;
        name(canvas, kind, x, place)
    })
}

/// Where names are free to begin.
fn title_end(axis: &Axis, panel: &Panel, place: Place) -> i32 {
    // By an estimate of 7 px a letter of the title.
    let letters = i32::try_from(panel.title.chars().count()).unwrap_or(0);
    let named = panel.shapes.iter().filter_map(|shape| match shape {
        Shape::Upright(upright) => step_shapes::title_row_end(upright, axis, place),
        _ => None,
    });
    let title_end = place.left + (7 * letters + 10).max(220);
    named.fold(title_end, |end, label| end.max(label + 10))
}

fn line(canvas: &Canvas, x: i32, place: Place) -> Result<(), Error> {
    let line = vec![(x, place.top - 16), (x, place.bottom)];
    canvas.draw(&PathElement::new(line, INK.mix(0.5)))
}

fn name(canvas: &Canvas, kind: &str, x: i32, place: Place) -> Result<(), Error> {
    let look = Text {
        size: 11.0,
        ..Text::default()
    };
    canvas::text(canvas, kind, (x + 3, place.top - 22), look)
}

/// Which have room for a name, the first before the next.
fn named(marks: &[(i32, String)], mut free_from: i32) -> Vec<bool> {
    let mut has_room = |x: i32| {
        let fits = x >= free_from;
        if fits {
            free_from = x + NAME;
        }
        fits
    };
    marks.iter().map(|(x, _)| has_room(*x)).collect()
}

/// Those of the kind of which there are fewest have their room first.
fn rarest(marks: &[(i32, String)], free_from: i32, right: i32) -> Vec<(i32, &str)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, kind) in marks {
        *counts.entry(kind).or_default() += 1;
    }
    let mut wanted: Vec<(i32, &str)> = marks.iter().map(|(x, kind)| (*x, kind.as_str())).collect();
    wanted.sort_by_key(|(_, kind)| counts[kind]);
    let mut named: Vec<(i32, &str)> = Vec::new();
    for (x, kind) in wanted {
        let fits = free_from <= x && x <= right;
        if fits && named.iter().all(|other| (other.0 - x).abs() >= NAME) {
            named.push((x, kind));
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 100 stalls, 7 px apart, and a mark between two of them, the mark has its line, and the stalls what is left.
    #[test]
    fn the_rarest_of_many_marks_is_named_first() {
        let stalls = (0..100).map(|n| (7 * n, "stall".to_owned()));
        let mut marks: Vec<(i32, String)> = stalls.collect();
        marks.insert(44, (305, "vMotion".to_owned()));
        let named = rarest(&marks, 200, 700);
        assert_eq!(named[0], (305, "vMotion"));
        assert_eq!(named[1], (203, "stall"));
        let places: Vec<i32> = named.iter().skip(2).map(|mark| mark.0).collect();
        assert_eq!(places, [399, 490, 581, 672]);
    }
}
