//! `junit.xml` of a comparison: a test case a metric and leg. Worse fails; what cannot be told is skipped, and says why.

use super::{Compared, words};
use milliwatt_scoring::comparison::{Change, MetricComparison};
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

/// The whole file.
pub(super) fn render(compared: &Compared) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new(format!("milliwatt compare {}", compared.scenario));
    suite.add_property(("verdict", words::verdict(compared.comparison.verdict)));
    for (name, runs) in [("baseline", &compared.baseline), ("run", &compared.runs)] {
        for run in runs {
            suite.add_property((name, run.directory.as_str()));
        }
    }
    for metric in &compared.comparison.metrics {
        suite.add_test_case(case(metric, &compared.scenario));
    }
    let mut report = Report::new("milliwatt");
    report.add_test_suite(suite);
    report.to_string()
}

fn case(metric: &MetricComparison, scenario: &str) -> TestCase {
    let kind = match (metric.verdict, metric.decides) {
        (Some(Change::Worse), true) => Some(TestCaseStatus::non_success(NonSuccessKind::Failure)),
        (Some(Change::CannotTell) | None, _) => Some(TestCaseStatus::skipped()),
        _ => None,
    };
    let failed = kind.is_some();
    let status = kind.map_or_else(TestCaseStatus::success, |mut status| {
        status.set_type(words::outcome(metric));
        status.set_message(summary(metric));
        status.set_description(details(metric));
        status
    });
    let mut case = TestCase::new(words::subject(metric), status);
    case.set_classname(format!("milliwatt.compare.{scenario}"));
    if !failed {
        case.set_system_out(details(metric));
    }
    case
}

fn summary(metric: &MetricComparison) -> String {
    format!("{}: {}", words::outcome(metric), words::values(metric))
}

fn details(metric: &MetricComparison) -> String {
    let mut lines = vec![
        summary(metric),
        format!(
            "difference {}; matters from {} on",
            words::difference(metric),
            words::least(metric)
        ),
    ];
    lines.extend(words::remarks(metric));
    lines.join("\n")
}
