//! `junit.xml`: a test case a threshold, one for the run's validity, and one a leg whose breaking point was looked for. In an invalid run nothing
//! is a finding: what failed is an error, what passed is skipped.

use crate::context::RunContext;
use crate::findings::{self, Weight, breaking_point};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::{Reached, ThresholdResult, Verdict};
use milliwatt_wire::id::Leg;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};
use std::time::Duration;

/// The whole file.
pub fn render(scorecard: &Scorecard, context: &RunContext) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new(format!("milliwatt {}", scorecard.scenario));
    suite.set_time(Duration::try_from_secs_f64(context.duration_s).unwrap_or_default());
    suite.add_property(("run", context.directory.as_str()));
    suite.add_property(("started", scorecard.run.started.as_str()));
    suite.add_property(("verdict", findings::verdict_word(scorecard.verdict)));
    suite.add_test_case(case("validity", validity_status(scorecard), scorecard));
    for result in &scorecard.thresholds {
        suite.add_test_case(threshold_case(result, scorecard, context));
    }
    if breaking_point::is_searched(scorecard) {
        let cases = Leg::BOTH.map(|leg| breaking_point_case(leg, scorecard, context));
        suite.add_test_cases(cases);
    }
    let mut report = Report::new("milliwatt");
    report.add_test_suite(suite);
    report.to_string()
}

fn threshold_case(
    result: &ThresholdResult,
    scorecard: &Scorecard,
    context: &RunContext,
) -> TestCase {
    let status = threshold_status(result, scorecard.verdict == Verdict::Invalid, context);
    let succeeded = matches!(status, TestCaseStatus::Success { .. });
    let mut case = case(&findings::subject(result), status, scorecard);
    if succeeded {
        // A success has no text of its own to hold the figures.
        case.set_system_out(details(result, context));
    }
    case
}

/// That a leg breaks somewhere is what was looked for and no failure: thresholds alone decide.
fn breaking_point_case(leg: Leg, scorecard: &Scorecard, context: &RunContext) -> TestCase {
    let name = format!("breaking_point, {}", leg.title());
    let sentence = breaking_point::sentence(leg, scorecard, context);
    let reached = breaking_point::point(scorecard, leg).map(|point| point.reached);
    let invalid = scorecard.verdict == Verdict::Invalid;
    if invalid || matches!(reached, None | Some(Reached::NotMeasured)) {
        let mut status = TestCaseStatus::skipped();
        status.set_type(if invalid {
            "invalid run"
        } else {
            "not measured"
        });
        status.set_message(sentence);
        return case(&name, status, scorecard);
    }
    let mut case = case(&name, TestCaseStatus::success(), scorecard);
    case.set_system_out(sentence);
    case
}

fn case(name: &str, status: TestCaseStatus, scorecard: &Scorecard) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(format!("milliwatt.{}", scorecard.scenario));
    case
}

fn validity_status(scorecard: &Scorecard) -> TestCaseStatus {
    if scorecard.verdict != Verdict::Invalid {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("invalid run");
    status.set_message("no finding about the guest");
    status.set_description(scorecard.validity.reasons.join("\n"));
    status
}

fn threshold_status(
    result: &ThresholdResult,
    invalid: bool,
    context: &RunContext,
) -> TestCaseStatus {
    let mut status = match (Weight::of(result), invalid) {
        (Weight::Failed, true) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (Weight::Failed, false) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Weight::NotMeasured, _) | (_, true) => TestCaseStatus::skipped(),
        (Weight::Passed | Weight::Warned, false) => return TestCaseStatus::success(),
    };
    status.set_type(if invalid {
        "invalid run"
    } else {
        Weight::of(result).word()
    });
    status.set_message(findings::comparison(result));
    status.set_description(details(result, context));
    status
}

fn details(result: &ThresholdResult, context: &RunContext) -> String {
    let mut lines = vec![format!(
        "{}: {}",
        Weight::of(result).word(),
        findings::comparison(result)
    )];
    lines.extend(findings::place(result, context).map(|place| format!("worst at {place}")));
    lines.push(format!("limit: {}", findings::basis(result)));
    lines.extend(findings::remarks(result));
    lines.join("\n")
}
