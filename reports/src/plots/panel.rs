//! Draws one panel: shading below, then the grid, the data, the limits.

use super::axis::Axis;
use super::canvas::{self, Canvas, Error, GRID, INK, SHADE, Text};
use super::figure::{Figure, Panel};
use super::{limit_lines, marks, shapes};
use milliwatt_wire::facts::Phase;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::element::{PathElement, Rectangle};
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

/// A rectangle of the picture, px.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) top: i32,
    pub(super) bottom: i32,
}

impl Place {
    pub(super) fn x(&self, axis: &Axis, value: f64) -> i32 {
        axis.map(&value, (self.left, self.right))
    }

    pub(super) fn y(&self, axis: &Axis, value: f64) -> i32 {
        axis.map(&value, (self.bottom, self.top))
    }
}

/// Draws the panel; only the last carries the name of the horizontal axis.
pub(super) fn draw(
    canvas: &Canvas,
    figure: &Figure,
    panel: &Panel,
    place: Place,
    last: bool,
) -> Result<(), Error> {
    phases(canvas, figure, place)?;
    grid(canvas, figure, panel, place)?;
    for shape in &panel.shapes {
        let x = panel.x.as_ref().unwrap_or(&figure.x);
        shapes::draw(canvas, shape, (x, &panel.y), place)?;
    }
    tainted(canvas, figure, place)?;
    marks::draw(canvas, figure, panel, place)?;
    limit_lines::across(canvas, panel, place)?;
    limit_lines::upright(canvas, figure, place)?;
    names(canvas, figure, panel, place, last)
}

fn grid(canvas: &Canvas, figure: &Figure, panel: &Panel, place: Place) -> Result<(), Error> {
    let x_axis = panel.x.as_ref().unwrap_or(&figure.x);
    // The name of a lane stands in it, above the line that it ends with.
    let lift = if panel.y.lane_names().is_empty() {
        0
    } else {
        8
    };
    for tick in panel.y.key_points(0) {
        let y = place.y(&panel.y, tick);
        canvas.draw(&PathElement::new(
            vec![(place.left, y), (place.right, y)],
            GRID,
        ))?;
        let look = Text {
            anchor: HPos::Right,
            ..Text::default()
        };
        canvas::text(
            canvas,
            &panel.y.format_ext(&tick),
            (place.left - 6, y - lift),
            look,
        )?;
    }
    for tick in x_axis.key_points(0) {
        let x = place.x(x_axis, tick);
        canvas.draw(&PathElement::new(
            vec![(x, place.top), (x, place.bottom + 4)],
            GRID,
        ))?;
        let look = Text {
            anchor: HPos::Center,
            ..Text::default()
        };
        canvas::text(
            canvas,
            &x_axis.format_ext(&tick),
            (x, place.bottom + 13),
            look,
        )?;
    }
    let axes = vec![
        (place.left, place.top),
        (place.left, place.bottom),
        (place.right, place.bottom),
    ];
    canvas.draw(&PathElement::new(axes, INK))
}

fn names(
    canvas: &Canvas,
    figure: &Figure,
    panel: &Panel,
    place: Place,
    last: bool,
) -> Result<(), Error> {
    let centred = Text {
        anchor: HPos::Center,
        ..Text::default()
    };
    let (middle_x, middle_y) = (
        i32::midpoint(place.left, place.right),
        i32::midpoint(place.top, place.bottom),
    );
    canvas::text(
        canvas,
        &panel.title,
        (place.left, place.top - 26),
        Text {
            bold: true,
            ..Text::default()
        },
    )?;
    canvas::text(
        canvas,
        panel.y_label,
        (18, middle_y),
        Text {
            upright: true,
            ..centred
        },
    )?;
    if last {
        canvas::text(
            canvas,
            &figure.x_label,
            (middle_x, place.bottom + 36),
            centred,
        )?;
    }
    if let Some(empty) = panel.empty {
        canvas::text(
            canvas,
            empty,
            (middle_x, middle_y),
            Text {
                size: 16.0,
                ..centred
            },
        )?;
    }
    Ok(())
}

fn phases(canvas: &Canvas, figure: &Figure, place: Place) -> Result<(), Error> {
    for (from, to, phase) in figure.timeline.iter().flat_map(|timeline| timeline.phases) {
        let (left, right) = (place.x(&figure.x, *from), place.x(&figure.x, *to));
        let name = match phase {
            Phase::Ramp => "ramp",
            Phase::Full => "full load",
            Phase::Drain => "drain",
        };
        if *phase != Phase::Full {
            canvas.draw(&Rectangle::new(
                [(left, place.top), (right, place.bottom)],
                SHADE.mix(0.14).filled(),
            ))?;
        }
        if right - left > 34 {
            let look = Text {
                size: 11.0,
                anchor: HPos::Center,
                ..Text::default()
            };
            canvas::text(
                canvas,
                name,
                (i32::midpoint(left, right), place.top - 8),
                look,
            )?;
        }
    }
    Ok(())
}

/// Hatched as long as there is little; then shaded, as dark as hatching is from afar.
fn tainted(canvas: &Canvas, figure: &Figure, place: Place) -> Result<(), Error> {
    let Some(timeline) = &figure.timeline else {
        return Ok(());
    };
    if !timeline.is_hatched() {
        let bars = timeline.tainted.iter();
        let bars = bars.map(|&(from, to)| (from, to, place.top));
        return shapes::outlined(
            canvas,
            canvas::TAINTED,
            bars,
            place.bottom,
            (&figure.x, place),
        );
    }
    for (from, to) in &timeline.tainted {
        let (left, right) = (place.x(&figure.x, *from), place.x(&figure.x, *to));
        canvas::hatch(
            canvas,
            Place {
                left,
                right: right.max(left + 3),
                ..place
            },
        )?;
    }
    Ok(())
}
