//! What a plot shows, before it is drawn.

use super::axis::Axis;
use super::limits::Limit;
use super::timeline::Timeline;
use milliwatt_scoring::measured::StepOutcome;
use milliwatt_wire::id::Leg;
use plotters::style::RGBColor;

/// Blue of the palette of Okabe and Ito, which colour-blind readers tell from its vermilion.
pub(super) const RECEIVE: RGBColor = RGBColor(0x00, 0x72, 0xb2);
/// Vermilion of the same palette.
pub(super) const SENT: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

/// The colour of a leg, the same in every plot.
pub(super) fn colour(leg: Leg) -> RGBColor {
    match leg {
        Leg::Receive => RECEIVE,
        Leg::Sent => SENT,
    }
}

/// Runs before a change, where two sides are drawn over each other.
pub(super) const BEFORE: RGBColor = RECEIVE;
/// Runs after it.
pub(super) const AFTER: RGBColor = SENT;

/// Points that a line joins; a gap in the measurement parts two of these.
pub(super) type Segment = Vec<(f64, f64)>;

/// A plot: one or more panels above each other on one horizontal axis.
pub(super) struct Figure<'a> {
    pub(super) title: String,
    /// Further lines under the title.
    pub(super) notes: Vec<String>,
    pub(super) legend: Vec<(Stroke, String)>,
    pub(super) x: Axis,
    pub(super) x_label: String,
    /// Limits on the horizontal axis.
    pub(super) x_limits: Vec<Limit>,
    pub(super) panels: Vec<Panel>,
    /// Shading and marks, for plots over time.
    pub(super) timeline: Option<&'a Timeline<'a>>,
}

impl Figure<'_> {
    /// Whether there is a limit to name, or a lane to count.
    pub(super) fn is_named_at_right(&self) -> bool {
        let named = |panel: &Panel| !panel.limits.is_empty() || !panel.y.lane_names().is_empty();
        self.panels.iter().any(named) || !self.x_limits.is_empty()
    }
}

/// One pair of axes.
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) y: Axis,
    pub(super) y_label: &'static str,
    pub(super) shapes: Vec<Shape>,
    pub(super) limits: Vec<Limit>,
    /// Said in the middle when there is nothing to draw.
    pub(super) empty: Option<&'static str>,
    /// Pixels; none for what the number of panels leaves.
    pub(super) height: Option<i32>,
    /// A horizontal axis of its own; none for the figure's.
    pub(super) x: Option<Axis>,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) colour: RGBColor,
    /// 0 to 1.
    pub(super) opacity: f64,
    /// Pixels.
    pub(super) width: u32,
}

impl Stroke {
    pub(super) fn of(leg: Leg, opacity: f64, width: u32) -> Self {
        Self {
            colour: colour(leg),
            opacity,
            width,
        }
    }
}

/// Something drawn from data.
pub(super) enum Shape {
    /// A line with gaps.
    Line(Stroke, Vec<Segment>),
    /// Bars from the bottom: (from, to, height).
    Bars(Stroke, Vec<(f64, f64, f64)>),
    /// Triangles along the upper edge.
    Ticks(Stroke, Vec<f64>),
    /// How much of something there was in a lane of [`Axis::lanes`].
    Lane(Stroke, Lane),
    /// The least and the largest value of each pixel column, from the left.
    Envelope(Stroke, Vec<(f64, f64)>),
    /// Shaded over the whole height: (from, to), in order.
    Bands(Stroke, Vec<(f64, f64)>),
    /// Bars above the panel: (from, to), in order.
    Strips(Stroke, Vec<(f64, f64)>),
    /// Steps of the load, shaded over the whole height.
    Steps(Vec<Band>),
    /// A line from the bottom to above the panel.
    Upright(Upright),
    /// A point a step, in a colour.
    Points(RGBColor, Vec<Point>),
}

/// A step of the load.
pub(super) struct Band {
    pub(super) from: f64,
    pub(super) to: f64,
    /// What it says of the panel's leg; none where a panel has no leg.
    pub(super) outcome: Option<StepOutcome>,
    /// Said above it, where there is room.
    pub(super) label: String,
    /// Labels of a higher rank have their room first.
    pub(super) rank: u8,
}

/// A line at a place of the horizontal axis.
pub(super) struct Upright {
    pub(super) at: f64,
    pub(super) colour: RGBColor,
    /// No measurement, but what measurements are compared with.
    pub(super) dashed: bool,
    pub(super) label: Option<UprightLabel>,
}

/// Its name above the panel.
pub(super) struct UprightLabel {
    pub(super) text: String,
    /// Beside the panel's title, whose width in letters this is; else right above the panel.
    pub(super) beside_title: Option<usize>,
    pub(super) side: Side,
}

/// Where a label stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Centre,
    Right,
}

/// A step among others.
pub(super) struct Point {
    pub(super) at: (f64, f64),
    /// Tells its shape.
    pub(super) outcome: StepOutcome,
    /// A letter above it.
    pub(super) letter: Option<Letter>,
}

/// A letter that tells why a step was made.
#[derive(Clone, Copy)]
pub(super) struct Letter {
    pub(super) text: &'static str,
    /// How far left of the point it begins, px: several at one place stand beside each other.
    pub(super) left: i32,
}

/// A lane's content.
pub(super) struct Lane {
    /// Which, 0 the uppermost.
    pub(super) index: usize,
    /// (from, to, share of the lane's height), in order and apart.
    pub(super) bars: Vec<(f64, f64, f64)>,
    /// Said at its right.
    pub(super) remark: String,
}

impl Shape {
    /// The heights that the vertical axis must hold.
    pub(super) fn heights(&self) -> Vec<f64> {
        match self {
            Self::Line(_, segments) => segments.iter().flatten().map(|point| point.1).collect(),
            Self::Bars(_, bars) => bars.iter().map(|bar| bar.2).collect(),
            Self::Ticks(..)
            | Self::Lane(..)
            | Self::Envelope(..)
            | Self::Bands(..)
            | Self::Strips(..)
            | Self::Steps(..)
            | Self::Upright(..) => Vec::new(),
            Self::Points(_, points) => points.iter().map(|point| point.at.1).collect(),
        }
    }
}

/// Largest of the shapes' heights; none when there are none.
pub(super) fn highest(shapes: &[Shape]) -> Option<f64> {
    shapes
        .iter()
        .flat_map(Shape::heights)
        .max_by(f64::total_cmp)
}

/// A logarithmic axis that holds the shapes' heights down to `floor`, and the limits that do not
/// flatten them.
pub(super) fn logarithmic_axis(heights: &[f64], floor: f64, limits: &[Limit]) -> Axis {
    let positive = || heights.iter().copied().filter(|height| *height >= floor);
    let (Some(low), Some(high)) = (
        positive().min_by(f64::total_cmp),
        positive().max_by(f64::total_cmp),
    ) else {
        return Axis::logarithmic(floor, floor * 100.0);
    };
    // A limit up to one and a half decades above the data leaves the data most of a log axis.
    let high = limits
        .iter()
        .filter_map(|limit| limit.value)
        .filter(|value| *value <= high * 30.0)
        .fold(high, f64::max);
    Axis::logarithmic(low, high)
}
