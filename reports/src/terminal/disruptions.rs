//! What live calls went through, and what was done then.

use super::Page;
use crate::context::RunContext;
use crate::figures;
use crate::findings::disruption;
use crate::scorecard::Scorecard;
use crate::tables::{self, RepeatLine};

/// Disruptions told; `disruptions.csv` holds all.
const TOLD: usize = 10;
/// Marks and commands told; `scorecard.json` holds all.
const MARKS: usize = 20;

/// Nothing of a run that was neither interrupted nor marked.
pub(super) fn disruptions(page: &mut Page, scorecard: &Scorecard, context: &RunContext) {
    if !disruption::is_told(scorecard) {
        return;
    }
    let longest = disruption::longest(scorecard, TOLD);
    let sentences = disruption::sentences(scorecard, &longest, context);
    page.section(&match scorecard.disruptions.len() {
        all if all > TOLD => {
            format!("Disruptions (the {TOLD} longest of {all}; all: disruptions.csv)")
        }
        _ => "Disruptions".to_owned(),
    });
    if sentences.is_empty() {
        page.line(2, "none seen");
    }
    for sentence in &sentences {
        page.line(2, sentence);
    }
    for row in tables::repeats(scorecard) {
        page.line(2, &repeats(&row));
    }
    let marks = disruption::marks(scorecard, context);
    for mark in marks.iter().take(MARKS) {
        page.line(2, &format!("- {mark}"));
    }
    if marks.len() > MARKS {
        let more = figures::count((marks.len() - MARKS) as u64);
        page.line(2, &format!("- {more} more in scorecard.json"));
    }
}

/// `vMotion, 5 times, 4 with a disruption: blackout p50 / p95 / max 400 / 700 / 700 ms (limit 500), ...`
fn repeats(row: &RepeatLine) -> String {
    format!(
        "{}, {} times, {} with a disruption: blackout p50 / p95 / max {} ms (limit {}), recovered p50 / max {} ms (limit {}), \
         streams hit at most {}",
        row.label,
        row.repeats,
        row.found,
        row.blackout,
        row.blackout_limit,
        row.recovered,
        row.recovered_limit,
        row.streams,
    )
}
