//! Draws shapes of data inside a panel's place, or right above it.

use super::axis::{Axis, pixels};
use super::canvas::{self, Canvas, Error, Text};
use super::figure::{Lane, Shape, Stroke};
use super::outline::{saw, skyline};
use super::panel::Place;
use super::step_shapes;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::Color;

/// Least width of a bar, px.
const LEAST_BAR: i32 = 2;
/// Triangles that are drawn one by one.
const MOST_TRIANGLES: usize = 100;

/// Draws one shape.
pub(super) fn draw(
    canvas: &Canvas,
    shape: &Shape,
    axes: (&Axis, &Axis),
    place: Place,
) -> Result<(), Error> {
    let spot = |(x, y): (f64, f64)| (place.x(axes.0, x), place.y(axes.1, y));
    match shape {
        Shape::Line(stroke, segments) => segments.iter().try_for_each(|segment| {
            line(canvas, *stroke, segment.iter().copied().map(spot).collect())
        }),
        Shape::Bars(stroke, all) => bars(canvas, *stroke, all, axes, place),
        Shape::Ticks(stroke, at) => ticks(canvas, *stroke, at, axes.0, place),
        Shape::Lane(stroke, content) => lane(canvas, *stroke, content, axes, place),
        Shape::Envelope(stroke, columns) => envelope(canvas, *stroke, columns, axes.1, place),
        Shape::Bands(stroke, bands) => {
            let tops = bands.iter().map(|&(from, to)| (from, to, place.top));
            outlined(canvas, *stroke, tops, place.bottom, (axes.0, place))
        }
        Shape::Strips(stroke, strips) => {
            let tops = strips.iter().map(|&(from, to)| (from, to, place.top - 15));
            outlined(canvas, *stroke, tops, place.top - 5, (axes.0, place))
        }
        Shape::Steps(bands) => step_shapes::bands(canvas, bands, axes.0, place),
        Shape::Upright(upright) => step_shapes::upright(canvas, upright, axes.0, place),
        Shape::Points(colour, points) => points
            .iter()
            .try_for_each(|point| step_shapes::point(canvas, *colour, point, spot(point.at))),
    }
}

fn line(canvas: &Canvas, stroke: Stroke, points: Vec<(i32, i32)>) -> Result<(), Error> {
    match points[..] {
        [lone] => canvas.draw(&Circle::new(
            lone,
            2,
            stroke.colour.mix(stroke.opacity).filled(),
        )),
        _ => canvas.draw(&PathElement::new(points, canvas::style(stroke))),
    }
}

/// Each by itself as long as each has pixels of its own; else as one outline, on which the highest is seen.
fn bars(
    canvas: &Canvas,
    stroke: Stroke,
    bars: &[(f64, f64, f64)],
    (x, y): (&Axis, &Axis),
    place: Place,
) -> Result<(), Error> {
    let wide = |bar: &(f64, f64, f64)| place.x(x, bar.1) - place.x(x, bar.0) >= LEAST_BAR;
    if !bars.iter().all(wide) {
        let tops = bars.iter();
        let tops = tops.map(|&(from, to, height)| (from, to, place.y(y, height)));
        return outlined(canvas, stroke, tops, place.bottom, (x, place));
    }
    let filled = stroke.colour.mix(stroke.opacity).filled();
    bars.iter().try_for_each(|&(from, to, height)| {
        let corners = [
            (place.x(x, from), place.y(y, height)),
            (place.x(x, to), place.bottom),
        ];
        canvas.draw(&Rectangle::new(corners, filled))
    })
}

/// Triangles along the upper edge, in order; many as outlines of those that overlap.
fn ticks(
    canvas: &Canvas,
    stroke: Stroke,
    at: &[f64],
    axis: &Axis,
    place: Place,
) -> Result<(), Error> {
    let mut places: Vec<i32> = at.iter().map(|at| place.x(axis, *at)).collect();
    places.dedup();
    if places.len() <= MOST_TRIANGLES {
        let mut places = places.iter();
        return places.try_for_each(|x| triangle(canvas, stroke, (*x, place.top)));
    }
    let mut outlines = saw(&places, place.top).into_iter();
    outlines.try_for_each(|outline| canvas.draw(&Polygon::new(outline, stroke.colour)))
}

fn triangle(canvas: &Canvas, stroke: Stroke, (x, y): (i32, i32)) -> Result<(), Error> {
    canvas.draw(&Polygon::new(
        vec![(x - 4, y), (x + 4, y), (x, y + 8)],
        stroke.colour,
    ))
}

/// Bars (from, to, top px) that stand on a floor, each wide enough to be seen, as one outline: a picture of a long run stays
/// small.
pub(super) fn outlined(
    canvas: &Canvas,
    stroke: Stroke,
    bars: impl Iterator<Item = (f64, f64, i32)>,
    floor: i32,
    (axis, place): (&Axis, Place),
) -> Result<(), Error> {
    let bars = bars.map(|(from, to, top)| {
        let (left, right) = (place.x(axis, from), place.x(axis, to));
        (left, right.max(left + LEAST_BAR), top)
    });
    let outline = skyline(bars, floor);
    if outline.is_empty() {
        return Ok(());
    }
    let filled = stroke.colour.mix(stroke.opacity).filled();
    canvas.draw(&Polygon::new(outline, filled))
}

/// The bars of a lane, which stand on its lower end, and the remark.
fn lane(
    canvas: &Canvas,
    stroke: Stroke,
    lane: &Lane,
    axes: (&Axis, &Axis),
    place: Place,
) -> Result<(), Error> {
    let lanes = i32::try_from(axes.1.lane_names().len().max(1)).unwrap_or(1);
    let pitch = (place.bottom - place.top) / lanes;
    let floor = place.top + pitch * (i32::try_from(lane.index).unwrap_or(0) + 1);
    let bars = lane.bars.iter().map(|&(from, to, share)| {
        let height = pixels(f64::from(pitch - 4) * share).max(3);
        (from, to, floor - height)
    });
    outlined(canvas, stroke, bars, floor, (axes.0, place))?;
    let look = Text {
        size: 11.0,
        ..Text::default()
    };
    canvas::text(canvas, &lane.remark, (place.right + 8, floor - 8), look)
}

/// One line through the least and the largest value of every pixel column.
fn envelope(
    canvas: &Canvas,
    stroke: Stroke,
    columns: &[(f64, f64)],
    axis: &Axis,
    place: Place,
) -> Result<(), Error> {
    let mut points: Vec<(i32, i32)> = Vec::with_capacity(2 * columns.len());
    for (x, &(low, high)) in (place.left..).zip(columns) {
        points.extend([(x, place.y(axis, high)), (x, place.y(axis, low))]);
    }
    points.dedup();
    canvas.draw(&PathElement::new(points, canvas::style(stroke)))
}
