//! What `milliwatt compare` says before it compares anything.

use super::program::{milliwatt, milliwatt_in};

#[test]
fn a_folder_that_holds_no_run_is_named_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let outcome = milliwatt_in(
        dir.path(),
        &["compare", "before", "after", "--out", "report"],
    );
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("before/run.json"),
        "{}",
        outcome.stderr
    );
    assert!(outcome.stderr.contains("hint: "), "{}", outcome.stderr);
    assert!(!dir.path().join("report").exists());
}

#[test]
fn a_run_that_is_named_twice_is_no_comparison() {
    let outcome = milliwatt(&["compare", "a", "b", "a"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("a is named twice"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_least_difference_of_no_metric_names_the_metrics() {
    let outcome = milliwatt(&["compare", "a", "b", "--least", "pdv=1"]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("pdv_ms.p999"), "{}", outcome.stderr);
}
