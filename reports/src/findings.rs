//! A threshold's outcome in words: what, on which leg, how much against which limit, where, when.

pub mod breaking_point;
pub mod disruption;

use crate::context::RunContext;
use crate::figures;
use milliwatt_scoring::measured::{
    Attribution, Origin, Outcome, ThresholdResult, Verdict, WorstSecond,
};
use milliwatt_wire::id::Leg;

/// How a threshold's outcome bears on the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It failed and decides.
    Failed,
    /// It failed and only warns.
    Warned,
    /// There was nothing to judge.
    NotMeasured,
    /// It passed.
    Passed,
}

impl Weight {
    /// The weight of one outcome.
    #[must_use]
    pub fn of(result: &ThresholdResult) -> Self {
        match (result.outcome, result.warns_only) {
            (Outcome::Fail, false) => Self::Failed,
            (Outcome::Fail, true) => Self::Warned,
            (Outcome::NotMeasured, _) => Self::NotMeasured,
            (Outcome::Pass, _) => Self::Passed,
        }
    }

    /// One or two words, for tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "fail",
            Self::Warned => "warning",
            Self::NotMeasured => "not measured",
            Self::Passed => "pass",
        }
    }
}

/// The thresholds of one weight, in the scenario's order.
pub fn of_weight(
    thresholds: &[ThresholdResult],
    weight: Weight,
) -> impl Iterator<Item = &ThresholdResult> {
    thresholds
        .iter()
        .filter(move |result| Weight::of(result) == weight)
}

/// The metric and its leg.
#[must_use]
pub fn subject(result: &ThresholdResult) -> String {
    match result.leg {
        Some(leg) => format!("{}, {}", result.metric, leg.title()),
        None => result.metric.clone(),
    }
}

/// The limit with its unit, its sense and its window.
#[must_use]
pub fn limit(result: &ThresholdResult) -> String {
    let sense = if result.bound == "min" {
        "at least"
    } else {
        "at most"
    };
    format!(
        "{sense} {} {}",
        figures::quantity(result.limit, &result.unit),
        window(result)
    )
}

/// The window in words.
#[must_use]
pub fn window(result: &ThresholdResult) -> String {
    match result.window.as_str() {
        "run" => "in the whole run".to_owned(),
        window => format!("in any {window}"),
    }
}

/// What was measured, with its unit.
#[must_use]
pub fn measured(result: &ThresholdResult) -> String {
    result.measured.map_or_else(
        || figures::NOT_MEASURED.to_owned(),
        |value| figures::quantity(value, &result.unit),
    )
}

/// What was measured against the limit.
#[must_use]
pub fn comparison(result: &ThresholdResult) -> String {
    match result.measured {
        Some(_) => format!("measured {}, limit {}", measured(result), limit(result)),
        None => format!("not measured, limit {}", limit(result)),
    }
}

/// When the worst window was, by run time and by the wall clock; none when there is no such place.
#[must_use]
pub fn place(result: &ThresholdResult, context: &RunContext) -> Option<String> {
    result.at_s.map(|at_s| moment(at_s, context))
}

/// An instant by run time and, to find it in other logs, by the wall clock.
#[must_use]
pub fn moment(at_s: f64, context: &RunContext) -> String {
    format!(
        "{} ({})",
        figures::duration(at_s),
        figures::time_of_day(context.wall_at(at_s))
    )
}

/// The same within a sentence.
fn moment_of_day(at_s: f64, context: &RunContext) -> String {
    format!(
        "{} into the run ({})",
        figures::duration(at_s),
        figures::time_of_day(context.wall_at(at_s))
    )
}

/// The worst second of each leg that has one: when, who it was, and how much of it.
#[must_use]
pub fn worst_seconds(attribution: &Attribution, context: &RunContext) -> Vec<String> {
    let legs = Leg::BOTH
        .into_iter()
        .filter_map(|leg| Some((leg, attribution.get(leg).worst?)));
    legs.map(|(leg, worst)| {
        format!(
            "{}, worst at {}: {}",
            leg.title(),
            moment(worst.at_s, context),
            blame(&worst)
        )
    })
    .collect()
}

fn blame(worst: &WorstSecond) -> String {
    let who = match worst.origin {
        Origin::Tester => "the tester was late, which is no evidence",
        Origin::Guest => "the guest was late to send or to read",
        Origin::PathCommon => {
            "the path held all streams at once (a stall, or a queue that they share)"
        }
        Origin::PathStream => "the path held single streams (a queue, or bursts)",
        Origin::Path => "the path; too few streams to say whether it held all at once",
    };
    let ms = |part| figures::quantity(part, "ms");
    let common = worst
        .parts
        .path_common_ms
        .filter(|common| *common > 0.0)
        .map_or_else(String::new, |common| {
            format!(", {} of it of all streams", ms(common))
        });
    let tainted = if worst.tainted {
        "; a tainted second"
    } else {
        ""
    };
    format!(
        "{who}: tester {}, guest {}, path {}{common}{tainted}",
        ms(worst.parts.tester_ms),
        ms(worst.parts.guest_ms),
        ms(worst.parts.path_ms)
    )
}

/// Who says that the limit is the limit, and where.
#[must_use]
pub fn basis(result: &ThresholdResult) -> String {
    let basis = match result.basis.as_str() {
        "own" => "milliwatt default, adjust to your agreement",
        "practice" => "common practice",
        other => other,
    };
    // A source that begins by saying its basis again is told from there on.
    let repeated = [basis, "milliwatt default"]
        .into_iter()
        .find_map(|words| result.source.strip_prefix(words));
    let detail = repeated
        .unwrap_or(&result.source)
        .trim_start_matches([':', ';', ',', ' ']);
    if detail.is_empty() {
        basis.to_owned()
    } else {
        format!("{basis}; {detail}")
    }
}

/// What else a person should read: the scorer's note, and that tainted seconds decided.
#[must_use]
pub fn remarks(result: &ThresholdResult) -> Vec<String> {
    let mut remarks: Vec<String> = result.note.iter().cloned().collect();
    if result.outcome_without_tainted != result.outcome {
        let other = match result.outcome_without_tainted {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::NotMeasured => "not measured",
        };
        remarks.push(format!(
            "without the tainted seconds the outcome is: {other}"
        ));
    }
    remarks
}

/// The verdict in a sentence.
#[must_use]
pub fn headline(verdict: Verdict, thresholds: &[ThresholdResult]) -> String {
    let number = |weight| of_weight(thresholds, weight).count();
    let (failed, unmeasured) = (number(Weight::Failed), number(Weight::NotMeasured));
    let judged = thresholds.len() - unmeasured;
    let rest = match unmeasured {
        0 => String::new(),
        some => format!(", {some} not measured"),
    };
    match verdict {
        Verdict::Pass => format!("all {judged} measured thresholds kept{rest}"),
        Verdict::Fail => format!("{failed} of {judged} measured thresholds failed{rest}"),
        Verdict::Invalid => "no finding about the guest, for the reasons below".to_owned(),
    }
}

/// `PASS`, `FAIL` or `INVALID`.
#[must_use]
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID",
    }
}
