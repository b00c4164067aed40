//! The plots, as SVG: each threshold drawn in, tainted seconds hatched, ramp and drain shaded, the
//! legs in the same two colours everywhere. A figure without data says so. A capture knows no thresholds,
//! taint or phases, and nothing to attribute delay by.

mod attribution;
mod axis;
mod breaking_point;
mod canvas;
mod compared;
mod dead_air;
mod disruption;
mod figure;
mod interarrival_jitter;
mod limit_lines;
mod limits;
mod load_curve;
mod marks;
mod mbps;
mod outline;
mod panel;
mod pdv;
mod pdv_distribution;
mod series;
mod shapes;
mod silences;
mod step_shapes;
mod timeline;
mod transfers;
mod waveform;

pub use series::Series;
pub(crate) use series::leg_title;
pub(crate) use waveform::{COLUMNS, Channel, Waveform};

use figure::Figure;
use milliwatt_scoring::measured::Measured;
use plotters::drawing::DrawingAreaErrorKind;
use timeline::Timeline;

/// The legs over time as the load rose, and what each of them broke at.
pub(crate) const BREAKING_POINT: &str = "breaking_point";
/// What each step did to each leg, by its load.
pub(crate) const LOAD_CURVE: &str = "load_curve";

/// What live calls went through.
pub(crate) const DISRUPTION: &str = "disruption";

/// A drawn plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// File name without its extension.
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// The picture.
    pub svg: String,
}

impl Plot {
    /// The file's name in `plots/`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.svg", self.name)
    }
}

/// A plot could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw {name}.svg: {source}")]
pub struct PlotError {
    name: &'static str,
    source: DrawingAreaErrorKind<std::io::Error>,
}

/// All plots of a run or of a capture, in the order of the report.
pub fn draw_all<'a>(series: impl Into<Series<'a>>) -> Result<Vec<Plot>, PlotError> {
    let series = series.into();
    let timeline = Timeline::of(&series);
    let stepped = Timeline::of_steps(&series);
    let search = series.search.map(|search| {
        [
            (BREAKING_POINT, breaking_point::figure(&stepped, search)),
            (LOAD_CURVE, load_curve::figure(&series, search)),
        ]
    });
    let attribution = series
        .has_attribution
        .then(|| ("attribution", attribution::figure(&timeline)));
    let transfers =
        transfers::has_any(&series).then(|| ("transfers", transfers::figure(&timeline)));
    let silences = series
        .silences
        .map(|silences| ("silences", silences::figure(&timeline, silences)));
    let disruptions = series.disruptions.filter(|of| !of.rows.is_empty());
    let disruptions = disruptions.map(|of| (DISRUPTION, disruption::figure(of)));
    [
        (
            "interarrival-jitter",
            interarrival_jitter::figure(&timeline),
        ),
        ("pdv", pdv::figure(&timeline)),
        ("pdv-distribution", pdv_distribution::figure(&series)),
        ("mbps", mbps::figure(&timeline)),
        ("dead-air", dead_air::figure(&timeline)),
    ]
    .into_iter()
    .chain(silences)
    .chain(attribution)
    .chain(transfers)
    .chain(search.into_iter().flatten())
    .chain(disruptions)
    .map(|(name, figure)| plot(name, &figure))
    .collect()
}

/// Runs of both sides over each other.
pub(crate) fn draw_compared(
    before: &[&Measured],
    after: &[&Measured],
) -> Result<Vec<Plot>, PlotError> {
    let figures = compared::figures(before, after);
    let plots = figures.iter();
    plots.map(|(name, figure)| plot(name, figure)).collect()
}

/// The samples around a silence.
pub(crate) fn draw_waveform(waveform: &Waveform) -> Result<Plot, PlotError> {
    plot("waveform", &waveform::figure(waveform))
}

fn plot(name: &'static str, figure: &Figure) -> Result<Plot, PlotError> {
    let svg = canvas::draw(figure).map_err(|source| PlotError { name, source })?;
    Ok(Plot {
        name,
        title: figure.title.clone(),
        svg,
    })
}
