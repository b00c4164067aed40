//! Draws what plots of a search have beside other plots: steps as bands, lines at loads and times, a point a step.

use super::axis::{Axis, pixels};
use super::canvas::{self, Canvas, Error, INK, LIMIT, SHADE, Text};
use super::figure::{Band, Point, Side, Upright, UprightLabel};
use super::limit_lines;
use super::panel::Place;
use milliwatt_scoring::measured::StepOutcome;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, RGBColor, WHITE};

/// Size of a step's label, px.
const SMALL: f64 = 10.0;
/// Width of its letters by an estimate, px.
const SMALL_LETTER: f64 = 5.8;
/// Width of a letter of an upright line's label, bold at 11 px, by an estimate, px.
const LETTER: f64 = 6.4;

/// Neighbours are shaded apart, those past a limit in the limits' colour and with a bar on top.
pub(super) fn bands(
    canvas: &Canvas,
    bands: &[Band],
    axis: &Axis,
    place: Place,
) -> Result<(), Error> {
    for (number, band) in bands.iter().enumerate() {
        let (left, right) = edges(band, axis, place);
        let shade = match band.outcome {
            Some(StepOutcome::Bad) if number % 2 == 0 => LIMIT.mix(0.22),
            Some(StepOutcome::Bad) => LIMIT.mix(0.12),
            _ if number % 2 == 0 => SHADE.mix(0.16),
            _ => SHADE.mix(0.05),
        };
        let whole = [(left, place.top), (right, place.bottom)];
        canvas.draw(&Rectangle::new(whole, shade.filled()))?;
        if band.outcome == Some(StepOutcome::Bad) {
            let bar = [(left, place.top), (right, place.top + 4)];
            canvas.draw(&Rectangle::new(bar, LIMIT.filled()))?;
        }
    }
    labels(bands, axis, place)
        .into_iter()
        .try_for_each(|(band, x)| label(canvas, band, (x, place.top - 8)))
}

fn label(canvas: &Canvas, band: &Band, at: (i32, i32)) -> Result<(), Error> {
    let bad = band.outcome == Some(StepOutcome::Bad);
    let look = Text {
        size: SMALL,
        bold: bad,
        colour: if bad { LIMIT } else { INK },
        anchor: HPos::Center,
        ..Text::default()
    };
    canvas::text(canvas, &band.label, at, look)
}

/// Those that have room above the panel, the highest rank first, and the middle of each.
fn labels<'b>(bands: &'b [Band], axis: &Axis, place: Place) -> Vec<(&'b Band, i32)> {
    let mut wanted: Vec<&Band> = bands.iter().filter(|band| !band.label.is_empty()).collect();
    wanted.sort_by_key(|band| std::cmp::Reverse(band.rank));
    let mut taken: Vec<(i32, i32)> = Vec::new();
    let mut shown = Vec::new();
    for band in wanted {
        let (left, right) = edges(band, axis, place);
        let middle = i32::midpoint(left, right);
        let half = width(&band.label, SMALL_LETTER) / 2 + 3;
        let room = (middle - half, middle + half);
        if taken.iter().all(|t| room.1 <= t.0 || t.1 <= room.0) {
            taken.push(room);
            shown.push((band, middle));
        }
    }
    shown
}

fn edges(band: &Band, axis: &Axis, place: Place) -> (i32, i32) {
    let (left, right) = (place.x(axis, band.from), place.x(axis, band.to));
    (left, right.max(left + 1))
}

fn width(text: &str, letter: f64) -> i32 {
    let letters = i32::try_from(text.chars().count()).unwrap_or(0);
    pixels(f64::from(letters) * letter)
}

/// The line, and its name where it has one.
pub(super) fn upright(
    canvas: &Canvas,
    upright: &Upright,
    axis: &Axis,
    place: Place,
) -> Result<(), Error> {
    let x = place.x(axis, upright.at);
    if upright.dashed {
        limit_lines::dashes(canvas, (x, place.top), (x, place.bottom))?;
    } else {
        let line = vec![(x, place.top - 4), (x, place.bottom)];
        canvas.draw(&PathElement::new(line, upright.colour.stroke_width(2)))?;
    }
    let Some(label) = &upright.label else {
        return Ok(());
    };
    let look = Text {
        size: 11.0,
        bold: true,
        colour: upright.colour,
        ..Text::default()
    };
    canvas::text(canvas, &label.text, label_place(label, x, place), look)
}

/// Where a label beside the panel's title ends, so that nothing else is written over it.
pub(super) fn title_row_end(upright: &Upright, axis: &Axis, place: Place) -> Option<i32> {
    let beside_title = |label: &&UprightLabel| label.beside_title.is_some();
    let label = upright.label.as_ref().filter(beside_title)?;
    let begin = label_place(label, place.x(axis, upright.at), place).0;
    Some(begin + width(&label.text, LETTER))
}

/// Where a label begins: inside the picture, and clear of the title that it stands beside.
fn label_place(label: &UprightLabel, x: i32, place: Place) -> (i32, i32) {
    let width = width(&label.text, LETTER);
    let wanted = match label.side {
        Side::Left => x - 4 - width,
        Side::Centre => x - width / 2,
        Side::Right => x + 4,
    };
    let Some(letters) = label.beside_title else {
        return (wanted.max(place.left - 60), place.top - 8);
    };
    let title = i32::try_from(letters).unwrap_or(0) * 7 + 14;
    let most = (place.right - width).max(place.left);
    (
        wanted.clamp(place.left, most).max(place.left + title),
        place.top - 26,
    )
}

/// A dot where a step was good, a cross where it was bad, an open diamond where the tester spoilt it, a ring where too
/// little is known.
pub(super) fn point(
    canvas: &Canvas,
    colour: RGBColor,
    point: &Point,
    (x, y): (i32, i32),
) -> Result<(), Error> {
    let thick = colour.stroke_width(2);
    match point.outcome {
        StepOutcome::Good => canvas.draw(&Circle::new((x, y), 4, colour.filled()))?,
        StepOutcome::Bad => {
            let strokes = [
                vec![(x - 4, y - 4), (x + 4, y + 4)],
                vec![(x - 4, y + 4), (x + 4, y - 4)],
            ];
            for stroke in strokes {
                canvas.draw(&PathElement::new(stroke, LIMIT.stroke_width(3)))?;
            }
        }
        StepOutcome::Tainted => {
            let corners = vec![(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)];
            canvas.draw(&Polygon::new(corners.clone(), WHITE.filled()))?;
            let outline = corners.iter().copied().chain(corners.first().copied());
            canvas.draw(&PathElement::new(
                outline.collect::<Vec<_>>(),
                SHADE.stroke_width(2),
            ))?;
        }
        StepOutcome::NotMeasured | StepOutcome::GuestLimited => {
            canvas.draw(&Circle::new((x, y), 4, thick))?;
        }
    }
    let Some(letter) = point.letter else {
        return Ok(());
    };
    let look = Text {
        size: 11.0,
        bold: true,
        ..Text::default()
    };
    canvas::text(canvas, letter.text, (x - letter.left, y - 10), look)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band(from: f64, rank: u8) -> Band {
        Band {
            from,
            to: from + 10.0,
            outcome: None,
            label: "100".into(),
            rank,
        }
    }

    /// 10 px a step, and labels of 23 px: of three, that of the highest rank has its room, of six every third.
    #[test]
    fn of_labels_that_would_overlap_the_highest_rank_is_shown() {
        let place = Place {
            left: 0,
            right: 100,
            top: 50,
            bottom: 100,
        };
        let axis = Axis::between(0.0, 100.0);
        let shown = |bands: &[Band]| -> Vec<i32> {
            labels(bands, &axis, place).iter().map(|l| l.1).collect()
        };
        assert_eq!(shown(&[band(0.0, 0), band(10.0, 2), band(20.0, 1)]), [15]);
        let six: Vec<Band> = (0..6).map(|n| band(10.0 * f64::from(n), 0)).collect();
        assert_eq!(shown(&six), [5, 35]);
    }

    #[test]
    fn a_label_stays_clear_of_the_title_and_in_the_picture() {
        let place = Place {
            left: 80,
            right: 780,
            top: 100,
            bottom: 200,
        };
        let label = UprightLabel {
            text: "breaks".into(),
            beside_title: Some(10),
            side: Side::Centre,
        };
        // 38 px wide; the title takes 84 px.
        assert_eq!(label_place(&label, 90, place), (164, 74));
        assert_eq!(label_place(&label, 400, place), (381, 74));
        assert_eq!(label_place(&label, 780, place), (742, 74));
    }
}
