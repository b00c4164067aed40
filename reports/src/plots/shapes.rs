//! Draws shapes of data inside a panel's place, or right above it.

use super::axis::{Axis, pixels};
use super::canvas::{self, Canvas, Error, Text};
use super::figure::{Lane, Shape, Stroke};
use super::panel::Place;
use super::step_shapes;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::Color;

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
        Shape::Bars(stroke, bars) => bars.iter().try_for_each(|&(from, to, height)| {
            let ((left, top), (right, _)) = (spot((from, height)), spot((to, height)));
            let corners = [(left, top), (right.max(left + 2), place.bottom)];
            canvas.draw(&Rectangle::new(
                corners,
                stroke.colour.mix(stroke.opacity).filled(),
            ))
        }),
        Shape::Ticks(stroke, at) => {
            let mut places: Vec<i32> = at.iter().map(|at| place.x(axes.0, *at)).collect();
            places.dedup();
            places
                .iter()
                .try_for_each(|x| triangle(canvas, *stroke, (*x, place.top)))
        }
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

fn triangle(canvas: &Canvas, stroke: Stroke, (x, y): (i32, i32)) -> Result<(), Error> {
    canvas.draw(&Polygon::new(
        vec![(x - 4, y), (x + 4, y), (x, y + 8)],
        stroke.colour,
    ))
}

/// Bars (from, to, top px) that stand on a floor, each wide enough to be seen, as one outline: a picture of a long run stays
/// small.
fn outlined(
    canvas: &Canvas,
    stroke: Stroke,
    bars: impl Iterator<Item = (f64, f64, i32)>,
    floor: i32,
    (axis, place): (&Axis, Place),
) -> Result<(), Error> {
    let bars = bars.map(|(from, to, top)| {
        let (left, right) = (place.x(axis, from), place.x(axis, to));
        (left, right.max(left + 2), top)
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

/// The outline of bars (left, right, top) that stand on a floor, in order; where pixels are shared, the first has them.
fn skyline(bars: impl Iterator<Item = (i32, i32, i32)>, floor: i32) -> Vec<(i32, i32)> {
    let mut outline: Vec<(i32, i32)> = Vec::new();
    for (left, right, top) in bars {
        let end = outline.last().map_or(i32::MIN, |point| point.0);
        let left = left.max(end);
        if right <= left {
            continue;
        }
        if left > end {
            outline.extend(outline.last().map(|point| (point.0, floor)));
            outline.push((left, floor));
        }
        outline.extend([(left, top), (right, top)]);
    }
    outline.extend(outline.last().map(|point| (point.0, floor)));
    outline
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_a_lane_are_one_outline_that_goes_down_between_them() {
        let bars = [(10, 12, 90), (12, 15, 80), (20, 22, 90), (21, 22, 80)];
        let outline = [
            (10, 100),
            (10, 90),
            (12, 90),
            (12, 80),
            (15, 80),
            (15, 100), // two that touch
            (20, 100),
            (20, 90),
            (22, 90),
            (22, 100), // the last has no pixel left
        ];
        assert_eq!(skyline(bars.into_iter(), 100), outline);
        assert!(skyline(std::iter::empty(), 100).is_empty());
    }
}
