//! Draws a figure: title, notes and legend above, panels below each other, limits named at the right.

use super::axis::pixels;
use super::figure::{Figure, Panel, Stroke};
use super::panel::{self, Place};
use super::timeline::Timeline;
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, FontTransform, IntoFont, RGBColor, TextStyle, WHITE};

/// Text, axes.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Limits, in a colour that no leg has.
pub(super) const LIMIT: RGBColor = RGBColor(0x88, 0x22, 0x55);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// Phases other than full load; hatching.
pub(super) const SHADE: RGBColor = RGBColor(0x80, 0x80, 0x80);

/// Tainted time, where there is too much of it to hatch.
pub(super) const TAINTED: Stroke = Stroke {
    colour: SHADE,
    opacity: 0.3,
    width: 1,
};

/// Width of every plot, px.
const WIDTH: i32 = 960;
/// Left end of the plotting areas, px.
pub(super) const LEFT: i32 = 84;
/// Right end of the plotting areas, px, where limits are named beyond it.
pub(super) const RIGHT: i32 = 770;
/// Right end of the plotting areas without limits, px.
pub(super) const RIGHT_ALONE: i32 = WIDTH - 30;
/// Height of the line that a row of text takes, px.
const ROW: i32 = 20;
/// Room above a panel for its title, phases and marks, px.
const ABOVE: i32 = 40;
/// Room for the ticks of the panel above, px.
const BETWEEN: i32 = 24;
/// Room below the last panel for its axis, px.
const BELOW: i32 = 52;

pub(super) type Error = DrawingAreaErrorKind<std::io::Error>;
pub(super) type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The picture.
pub(super) fn draw(figure: &Figure) -> Result<String, Error> {
    let legend = legend_rows(figure);
    let top = 34 + ROW * rows(figure.notes.len() + legend.len());
    let usual = if figure.panels.len() == 1 { 280 } else { 180 };
    let panel_height = |panel: &Panel| panel.height.unwrap_or(usual);
    let pitch = |panel: &Panel| ABOVE + panel_height(panel) + BETWEEN;
    let height = top + figure.panels.iter().map(pitch).sum::<i32>() - BETWEEN + BELOW;
    let right = if figure.is_named_at_right() {
        RIGHT
    } else {
        RIGHT_ALONE
    };
    let mut svg = String::new();
    {
        let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        canvas.fill(&WHITE)?;
        heading(&canvas, figure, &legend)?;
        let mut above = top;
        for (index, panel) in figure.panels.iter().enumerate() {
            let place = Place {
                left: LEFT,
                right,
                top: above + ABOVE,
                bottom: above + ABOVE + panel_height(panel),
            };
            above += pitch(panel);
            panel::draw(
                &canvas,
                figure,
                panel,
                place,
                index + 1 == figure.panels.len(),
            )?;
        }
        canvas.present()?;
    }
    Ok(described(&svg, figure))
}

/// The picture with its title and a description, for those who do not see it.
fn described(svg: &str, figure: &Figure) -> String {
    let panels = figure.panels.iter().map(|panel| {
        let words = [&panel.title, panel.y_label, panel.empty.unwrap_or("")];
        let words = words.into_iter().filter(|words| !words.is_empty());
        words.collect::<Vec<_>>().join(": ")
    });
    let lines: Vec<String> = figure.notes.iter().cloned().chain(panels).collect();
    let description = escaped(&format!("{}; over {}", lines.join("; "), figure.x_label));
    let title = escaped(&figure.title);
    let words = format!("<title>{title}</title>\n<desc>{description}</desc>\n");
    let end = svg.find('>').map_or(0, |end| end + 1);
    format!("{}\n{words}{}", &svg[..end], svg[end..].trim_start())
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

fn heading(canvas: &Canvas, figure: &Figure, legend: &[Vec<Key>]) -> Result<(), Error> {
    let title = Text {
        size: 16.0,
        bold: true,
        ..Text::default()
    };
    text(canvas, &figure.title, (LEFT, 18), title)?;
    let mut y = 18;
    for note in &figure.notes {
        y += ROW;
        text(canvas, note, (LEFT, y), Text::default())?;
    }
    for row in legend {
        y += ROW;
        let mut x = LEFT;
        for key in row {
            key.draw(canvas, (x, y))?;
            x += key.width();
        }
    }
    Ok(())
}

/// An entry of the legend.
enum Key<'a> {
    Line(Stroke, &'a str),
    Tainted { is_hatched: bool },
}

impl Key<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Line(_, text) => text,
            Self::Tainted { .. } => "tainted second: no evidence",
        }
    }

    /// Width by an estimate of 6.6 px a letter at 12 px, with the sample and a space after it.
    fn width(&self) -> i32 {
        pixels(6.6 * f64::from(i32::try_from(self.text().chars().count()).unwrap_or(0))) + 46
    }

    fn draw(&self, canvas: &Canvas, (x, y): (i32, i32)) -> Result<(), Error> {
        match self {
            Self::Line(stroke, _) => {
                canvas.draw(&PathElement::new(vec![(x, y), (x + 24, y)], style(*stroke)))?;
            }
            Self::Tainted { is_hatched } => {
                let swatch = Place {
                    left: x,
                    right: x + 24,
                    top: y - 6,
                    bottom: y + 6,
                };
                if *is_hatched {
                    hatch(canvas, swatch)?;
                } else {
                    shade(canvas, swatch)?;
                }
            }
        }
        text(canvas, self.text(), (x + 30, y), Text::default())
    }
}

/// The legend in as few rows as fit the picture, about equally long.
fn legend_rows<'a>(figure: &'a Figure) -> Vec<Vec<Key<'a>>> {
    let keys: Vec<Key> = figure
        .legend
        .iter()
        .map(|(stroke, text)| Key::Line(*stroke, text))
        .collect();
    let total: i32 = keys.iter().map(Key::width).sum();
    let count = total / (WIDTH - LEFT) + 1;
    // A tenth of slack, so that the longer half of a pair stays on one row.
    let most = total / count * 11 / 10;
    let (mut rows, mut row, mut used) = (Vec::new(), Vec::new(), 0);
    for key in keys {
        if used + key.width() > most {
            rows.push(std::mem::take(&mut row));
            used = 0;
        }
        used += key.width();
        row.push(key);
    }
    let has_tainted = |timeline: &&&Timeline| !timeline.tainted.is_empty();
    if let Some(timeline) = figure.timeline.as_ref().filter(has_tainted) {
        let key = Key::Tainted {
            is_hatched: timeline.is_hatched(),
        };
        // On a row of its own where it would leave the picture.
        if used + key.width() > WIDTH - LEFT {
            rows.push(std::mem::take(&mut row));
        }
        row.push(key);
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Text {
    /// px.
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: RGBColor,
    pub(super) anchor: HPos,
    /// Reads upwards.
    pub(super) upright: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            size: 12.0,
            bold: false,
            colour: INK,
            anchor: HPos::Left,
            upright: false,
        }
    }
}

/// Writes a line of text, vertically centred on its place.
pub(super) fn text(
    canvas: &Canvas,
    content: &str,
    at: (i32, i32),
    look: Text,
) -> Result<(), Error> {
    // The SVG backend divides sizes by 1.24, its guess of a font's line height.
    let font = ("sans-serif", look.size * 1.24).into_font();
    let font = if look.bold {
        font.style(FontStyle::Bold)
    } else {
        font
    };
    let font = if look.upright {
        font.transform(FontTransform::Rotate270)
    } else {
        font
    };
    let style = TextStyle::from(font)
        .color(&look.colour)
        .pos(Pos::new(look.anchor, VPos::Center));
    canvas.draw_text(content, &style, at)
}

fn shade(canvas: &Canvas, place: Place) -> Result<(), Error> {
    let corners = [(place.left, place.top), (place.right, place.bottom)];
    let filled = TAINTED.colour.mix(TAINTED.opacity).filled();
    canvas.draw(&Rectangle::new(corners, filled))
}

/// Hatches a place: light strokes that leave the data readable.
pub(super) fn hatch(canvas: &Canvas, place: Place) -> Result<(), Error> {
    let (height, colour) = (place.bottom - place.top, SHADE.mix(0.55));
    canvas.draw(&Rectangle::new(
        [(place.left, place.top), (place.right, place.bottom)],
        SHADE.mix(0.12).filled(),
    ))?;
    // A stroke rises from (start, bottom) to (start + height, top); the place cuts it off.
    for start in (place.left - height..place.right).step_by(6) {
        let (from, to) = (start.max(place.left), (start + height).min(place.right));
        let stroke = vec![
            (from, place.bottom - (from - start)),
            (to, place.bottom - (to - start)),
        ];
        canvas.draw(&PathElement::new(stroke, colour))?;
    }
    Ok(())
}

/// A stroke as plotters has it.
pub(super) fn style(stroke: Stroke) -> plotters::style::ShapeStyle {
    stroke.colour.mix(stroke.opacity).stroke_width(stroke.width)
}

fn rows(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
