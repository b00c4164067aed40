//! The section on where each leg breaks.

use crate::context::RunContext;
use crate::findings::breaking_point::{self, LegFinding};
use crate::plots::{BREAKING_POINT, LOAD_CURVE, Plot};
use crate::scorecard::Scorecard;
use crate::tables::{self, StepLine};

/// Steps listed; `steps.csv` holds all.
const STEPS: usize = 100;

/// What to look at in each picture.
const CAPTIONS: [(&str, &str); 2] = [
    (
        BREAKING_POINT,
        "What to look at: which upright line is at the lower load, and what went up before it. PDV that climbs at the begin of a \
         band and stays is a queue that no longer empties; PDV that jumps together with the transfer of recordings is a send path \
         that both share; PDV that stays low in a band with a bar on top was not what broke. Hatched seconds prove nothing.",
    ),
    (
        LOAD_CURVE,
        "What to look at: where a leg's line leaves the floor. A wall is a hard limit, as a full link or a policer; a slope is a \
         queue that grows with the load. A dot and a cross at one load: it holds there at times, so do not plan with it. Plan below \
         the last good load.",
    ),
];

pub(super) struct Search<'a> {
    pub(super) title: &'static str,
    pub(super) legs: Vec<LegFinding>,
    pub(super) remarks: Vec<String>,
    /// With their captions.
    pub(super) pictures: Vec<(&'a Plot, &'static str)>,
    pub(super) steps: Vec<StepLine>,
    pub(super) more_steps: u64,
}

impl<'a> Search<'a> {
    /// None in a run whose load did not come in steps.
    pub(super) fn of(
        scorecard: &Scorecard,
        context: &RunContext,
        plots: &'a [Plot],
    ) -> Option<Self> {
        let pictures = plots.iter().filter_map(|plot| Some((plot, caption(plot)?)));
        breaking_point::is_searched(scorecard).then(|| Self {
            title: breaking_point::title(scorecard),
            legs: breaking_point::legs(scorecard, context),
            remarks: breaking_point::remarks(scorecard),
            pictures: pictures.collect(),
            steps: tables::steps(&scorecard.steps, STEPS),
            more_steps: scorecard.steps.len().saturating_sub(STEPS) as u64,
        })
    }
}

/// Whether a plot belongs to this section.
pub(super) fn shows(plot: &Plot) -> bool {
    caption(plot).is_some()
}

fn caption(plot: &Plot) -> Option<&'static str> {
    let own = CAPTIONS.iter().find(|(name, _)| *name == plot.name);
    own.map(|(_, caption)| *caption)
}
