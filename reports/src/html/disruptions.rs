//! The section on what live calls went through.

use crate::context::RunContext;
use crate::findings::disruption;
use crate::plots::{DISRUPTION, Plot};
use crate::scorecard::Scorecard;
use crate::tables::{self, DisruptionLine, RepeatLine};

/// Disruptions told in a sentence; the table has more of them.
const TOLD: usize = 20;
/// Disruptions listed; `disruptions.csv` holds all.
const ROWS: usize = 100;
/// Marks and commands listed; `scorecard.json` holds all.
const MARKS: usize = 50;

/// What to look at in the picture.
const CAPTION: &str = "What to look at: how steep the sides are, and whether the legs differ. Upright sides on both legs are a machine \
    that stood still. A receive leg that comes back later than the sent leg is a network that still sent packets to the old place. \
    Sides that slope are streams that came back one by one.";

pub(super) struct Disruptions<'a> {
    pub(super) sentences: Vec<String>,
    /// Disruptions that have no sentence.
    pub(super) more_sentences: u64,
    pub(super) marks: Vec<String>,
    pub(super) more_marks: u64,
    pub(super) picture: Option<&'a Plot>,
    pub(super) caption: &'static str,
    /// Of what was done several times.
    pub(super) repeats: Vec<RepeatLine>,
    pub(super) rows: Vec<DisruptionLine>,
    pub(super) more_rows: u64,
}

impl<'a> Disruptions<'a> {
    /// None of a run that was neither interrupted nor marked.
    pub(super) fn of(
        scorecard: &Scorecard,
        context: &RunContext,
        plots: &'a [Plot],
    ) -> Option<Self> {
        let all = scorecard.disruptions.len();
        let marks = disruption::marks(scorecard, context);
        disruption::is_told(scorecard).then(|| Self {
            sentences: disruption::sentences(
                scorecard,
                &disruption::longest(scorecard, TOLD),
                context,
            ),
            more_sentences: all.saturating_sub(TOLD) as u64,
            more_marks: marks.len().saturating_sub(MARKS) as u64,
            marks: marks.into_iter().take(MARKS).collect(),
            picture: plots.iter().find(|plot| shows(plot)),
            caption: CAPTION,
            repeats: tables::repeats(scorecard),
            rows: tables::disruptions(&disruption::longest(scorecard, ROWS), context),
            more_rows: all.saturating_sub(ROWS) as u64,
        })
    }
}

/// Whether a plot belongs to this section.
pub(super) fn shows(plot: &Plot) -> bool {
    plot.name == DISRUPTION
}
