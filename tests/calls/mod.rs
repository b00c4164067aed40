//! Calls from end to end, held against truths that milliwatt did not make: the kernel's counters,
//! a capture read by another program, and what was done to the machines on purpose.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod capture;
mod first_command;
mod freeze;
mod load;
mod loss;
mod report;
mod roles;
mod silence;

use crate::lab::RunFolder;
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::time::NS_PER_MS;
use std::path::Path;

/// Both legs, by their key in files.
const LEGS: [&str; 2] = ["receive", "sent"];

/// Asserts that both legs had packets and lost none. What a busy machine did not send in the ramp is
/// no loss, and what it did not send at full load is the verdict's matter.
fn assert_nothing_lost(run: &RunFolder) {
    for leg in LEGS {
        let count = |what: &str| run.count(&format!("/legs/{leg}/{what}"));
        assert!(count("packets_expected") > 0, "{leg}");
        assert_eq!(count("packets_lost"), 0, "{leg}");
        assert_eq!(
            count("packets_received"),
            count("packets_expected"),
            "{leg}"
        );
    }
}

/// Asserts the verdict pass, with the summary where it is another.
fn assert_pass(run: &RunFolder) {
    assert_eq!(
        run.verdict(),
        "pass",
        "{}\n{}",
        run.ended.stdout,
        run.ended.stderr
    );
    assert_eq!(run.scorecard["validity"]["valid"], true);
}

/// Run time zero of a run, ns since 1970; none before the folder says so.
fn zero(folder: &Path) -> Option<i64> {
    let text = std::fs::read_to_string(folder.join("run.json")).ok()?;
    serde_json::from_str::<serde_json::Value>(&text).ok()?["started"].as_i64()
}

/// Waits until the run in `folder` has gone on for `ms`.
fn wait_for_run_time(folder: &Path, ms: i64) {
    crate::lab::wait_for("the run's start", 20, || zero(folder).is_some());
    let due = zero(folder).unwrap() + ms * NS_PER_MS;
    crate::lab::wait_for("a moment of the run", 60, || wall_now() >= due);
}
