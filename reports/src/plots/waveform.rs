//! The samples around a silence, a panel a channel: least and largest of each pixel column, silences shaded, and above each
//! panel the dead air of its party where it is heard.

use super::axis::Axis;
use super::canvas::{INK, LEFT, RIGHT_ALONE};
use super::figure::{Figure, Panel, RECEIVE, Shape, Stroke};
use super::silences::origin_colour;
use milliwatt_scoring::measured::SilenceOrigin;
use plotters::style::RGBColor;

/// Pixel columns of a panel.
pub(crate) const COLUMNS: usize = (RIGHT_ALONE - LEFT).unsigned_abs() as usize;

/// Height of a panel, px.
const HEIGHT: i32 = 104;
/// Least height of the axis, % of full scale: idle noise stays flat.
const LEAST_PERCENT: f64 = 1.0;
/// Of a band in a colour; of a grey one more, or it is no more seen than what is shaded by a phase.
const OPACITY: f64 = 0.22;
const GREY_OPACITY: f64 = 0.35;

/// A stretch of a recording.
pub(crate) struct Waveform {
    pub(crate) title: String,
    pub(crate) notes: Vec<String>,
    /// From the recording's start, s.
    pub(crate) from_s: f64,
    /// From the recording's start, s.
    pub(crate) to_s: f64,
    pub(crate) channels: Vec<Channel>,
}

/// A channel of it.
pub(crate) struct Channel {
    pub(crate) title: String,
    /// Least and largest sample of each of [`COLUMNS`], share of full scale.
    pub(crate) envelope: Vec<(f64, f64)>,
    /// (from s, to s, what it came from).
    pub(crate) silences: Vec<(f64, f64, SilenceOrigin)>,
    /// (from s, to s), where it is heard.
    pub(crate) dead_air: Vec<(f64, f64)>,
}

pub(super) fn figure(waveform: &Waveform) -> Figure<'static> {
    let samples = waveform
        .channels
        .iter()
        .flat_map(|channel| &channel.envelope);
    let peak = samples.fold(0.0_f64, |peak, (low, high)| peak.max(-low).max(*high));
    let y = Axis::about_zero((100.0 * peak).max(LEAST_PERCENT));
    Figure {
        title: waveform.title.clone(),
        notes: waveform.notes.clone(),
        legend: legend(waveform),
        x: Axis::between(waveform.from_s, waveform.to_s),
        x_label: "place in the recording (s)".to_owned(),
        x_limits: Vec::new(),
        panels: waveform.channels.iter().map(|c| panel(c, &y)).collect(),
        timeline: None,
    }
}

fn panel(channel: &Channel, y: &Axis) -> Panel {
    let percent = channel.envelope.iter();
    let percent = percent.map(|(low, high)| (100.0 * low, 100.0 * high));
    let bands = |origin| {
        let own = channel
            .silences
            .iter()
            .filter(move |silence| silence.2 == origin);
        let places = own.map(|&(from, to, _)| (from, to)).collect();
        Shape::Bands(band(origin), places)
    };
    Panel {
        title: channel.title.clone(),
        y: y.clone(),
        y_label: "% of full scale",
        height: Some(HEIGHT),
        x: None,
        shapes: ORIGINS
            .map(bands)
            .into_iter()
            .chain([
                Shape::Envelope(stroke(INK, 0.85, 1), percent.collect()),
                Shape::Strips(stroke(RECEIVE, 1.0, 10), channel.dead_air.clone()),
            ])
            .collect(),
        limits: Vec::new(),
        empty: channel.envelope.is_empty().then_some("no samples"),
    }
}

const ORIGINS: [SilenceOrigin; 3] = [
    SilenceOrigin::DeadAir,
    SilenceOrigin::Known,
    SilenceOrigin::Unexplained,
];

/// What is in the picture, and nothing else.
fn legend(waveform: &Waveform) -> Vec<(Stroke, String)> {
    let silences = || {
        waveform
            .channels
            .iter()
            .flat_map(|channel| &channel.silences)
    };
    let mut legend: Vec<(Stroke, String)> = ORIGINS
        .into_iter()
        .filter(|origin| silences().any(|silence| silence.2 == *origin))
        .map(|origin| (band(origin), named(origin).to_owned()))
        .collect();
    if waveform
        .channels
        .iter()
        .any(|channel| !channel.dead_air.is_empty())
    {
        legend.push((
            stroke(RECEIVE, 1.0, 10),
            "dead air of the party's packets, where it is heard".to_owned(),
        ));
    }
    legend
}

fn named(origin: SilenceOrigin) -> &'static str {
    match origin {
        SilenceOrigin::DeadAir => "silence from dead air",
        SilenceOrigin::Known => "known silence",
        SilenceOrigin::Unexplained => "unexplained silence",
    }
}

fn band(origin: SilenceOrigin) -> Stroke {
    let opacity = match origin {
        SilenceOrigin::Known => GREY_OPACITY,
        SilenceOrigin::DeadAir | SilenceOrigin::Unexplained => OPACITY,
    };
    stroke(origin_colour(origin), opacity, 12)
}

fn stroke(colour: RGBColor, opacity: f64, width: u32) -> Stroke {
    Stroke {
        colour,
        opacity,
        width,
    }
}
