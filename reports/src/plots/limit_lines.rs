//! Draws the limits: dashed, named outside the data.

use super::canvas::{self, Canvas, Error, LIMIT, RIGHT, Text};
use super::figure::{Figure, Panel};
use super::limits::Limit;
use super::panel::Place;
use plotters::element::PathElement;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

/// Lines across the panel and their names at its right; a limit beyond the axis is told at the edge.
pub(super) fn across(canvas: &Canvas, panel: &Panel, place: Place) -> Result<(), Error> {
    let mut named: Vec<(i32, String, &str)> = Vec::new();
    for limit in &panel.limits {
        let y = limit
            .value
            .map_or(place.top, |value| place.y(&panel.y, value));
        let (first, second) = (limit.label[0].clone(), limit.label[1].as_str());
        match limit.value {
            Some(value) if value > panel.y.high() => named.push((
                place.top,
                format!("{first}: off the scale \u{2191}"),
                second,
            )),
            Some(value) if value < panel.y.low() => named.push((
                place.bottom,
                format!("{first}: off the scale \u{2193}"),
                second,
            )),
            Some(_) => {
                dashes(canvas, (place.left, y), (place.right, y))?;
                named.push((y, first, second));
            }
            None => named.push((y, first, second)),
        }
    }
    named.sort_by_key(|name| name.0);
    let mut free_from = i32::MIN;
    for (y, first, second) in named {
        let y = y.max(free_from);
        let look = Text {
            size: 11.0,
            colour: LIMIT,
            ..Text::default()
        };
        canvas::text(canvas, &first, (RIGHT + 8, y), Text { bold: true, ..look })?;
        canvas::text(canvas, second, (RIGHT + 8, y + 14), look)?;
        free_from = y + 32;
    }
    Ok(())
}

/// Limits of the horizontal axis, named above the panel or, beyond the axis, at its right.
pub(super) fn upright(canvas: &Canvas, figure: &Figure, place: Place) -> Result<(), Error> {
    let mut beyond = place.top;
    for Limit { value, label } in &figure.x_limits {
        let Some(value) = *value else { continue };
        let look = Text {
            size: 11.0,
            colour: LIMIT,
            ..Text::default()
        };
        if value > figure.x.high() {
            canvas::text(
                canvas,
                &format!("{}: off the scale \u{2192}", label[0]),
                (RIGHT + 8, beyond),
                Text { bold: true, ..look },
            )?;
            canvas::text(canvas, &label[1], (RIGHT + 8, beyond + 14), look)?;
            beyond += 32;
        } else {
            let x = place.x(&figure.x, value);
            dashes(canvas, (x, place.top), (x, place.bottom))?;
            let anchored = Text {
                anchor: HPos::Center,
                ..look
            };
            canvas::text(
                canvas,
                &label[0],
                (x, place.top - 22),
                Text {
                    bold: true,
                    ..anchored
                },
            )?;
            canvas::text(canvas, &label[1], (x, place.top - 8), anchored)?;
        }
    }
    Ok(())
}

/// A dashed line, level or upright: what is drawn is no measurement.
pub(super) fn dashes(canvas: &Canvas, from: (i32, i32), to: (i32, i32)) -> Result<(), Error> {
    let length = (to.0 - from.0).max(to.1 - from.1);
    let along = |distance: i32| {
        if from.1 == to.1 {
            (from.0 + distance, from.1)
        } else {
            (from.0, from.1 + distance)
        }
    };
    for start in (0..length).step_by(10) {
        let dash = vec![along(start), along((start + 6).min(length))];
        canvas.draw(&PathElement::new(dash, LIMIT.stroke_width(2)))?;
    }
    Ok(())
}
