//! Where each leg breaks, and the steps that showed it.

use super::Page;
use crate::context::RunContext;
use crate::findings::breaking_point;
use crate::scorecard::Scorecard;
use crate::tables::{self, StepLine};

/// Steps listed; `steps.csv` holds all.
const STEPS: usize = 40;

/// Nothing in a run whose load did not come in steps.
pub(super) fn breaking_point(page: &mut Page, scorecard: &Scorecard, context: &RunContext) {
    if !breaking_point::is_searched(scorecard) {
        return;
    }
    page.section(breaking_point::title(scorecard));
    for leg in breaking_point::legs(scorecard, context) {
        page.line(2, &leg.sentence);
        for advice in leg.advice {
            page.line(6, advice);
        }
    }
    for remark in breaking_point::remarks(scorecard) {
        page.line(2, &format!("- {remark}"));
    }
    if scorecard.steps.is_empty() {
        return;
    }
    page.line(
        2,
        "- seen over time in plots/breaking_point.svg, by load in plots/load_curve.svg",
    );
    table(page, scorecard);
}

fn table(page: &mut Page, scorecard: &Scorecard) {
    let all = scorecard.steps.len();
    page.section(&if all > STEPS {
        format!("Steps (the last {STEPS} of {all}; all: steps.csv)")
    } else {
        "Steps (Mbit/s; PDV p99.9 in ms; lost, late at playout and transfer goodput in %)"
            .to_owned()
    });
    let head = StepLine {
        index: "step".into(),
        kind: "kind",
        calls: "calls".into(),
        target: "target".into(),
        leg: "leg",
        offered: "offered".into(),
        carried: "carried".into(),
        pdv: "PDV".into(),
        lost: "lost".into(),
        discarded: "late".into(),
        dead_air: "dead".into(),
        goodput: "goodp".into(),
        outcome: "outcome".into(),
        class: "",
    };
    row(page, &head);
    for (number, line) in tables::steps(&scorecard.steps, STEPS)
        .into_iter()
        .enumerate()
    {
        // A step is named on the first of its two lines.
        let own = if number % 2 == 0 { line } else { unnamed(line) };
        row(page, &own);
    }
}

fn unnamed(line: StepLine) -> StepLine {
    StepLine {
        index: String::new(),
        kind: "",
        calls: String::new(),
        target: String::new(),
        ..line
    }
}

fn row(page: &mut Page, line: &StepLine) {
    page.row(&format!(
        "{:>4} {:<7} {:>5} {:>6}  {:<7} {:>7} {:>7} {:>6} {:>5} {:>5} {:>6} {:>5}  {}",
        line.index,
        line.kind,
        line.calls,
        line.target,
        line.leg,
        line.offered,
        line.carried,
        line.pdv,
        line.lost,
        line.discarded,
        line.dead_air,
        line.goodput,
        line.outcome
    ));
}
