//! Calls from end to end, held against truths that milliwatt did not make: the kernel's counters,
//! a capture read by another program, and what was done to the machines on purpose.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod attribution;
mod calibration;
mod capture;
mod captured;
mod clocks;
mod concealment;
mod disruptions;
mod first_command;
mod freeze;
mod load;
mod loss;
mod neighbours;
mod report;
mod roles;
mod silence;
mod speech;
mod srtp;
mod timekeeping;

use crate::lab::{RunFolder, Stall, run_zero};
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};
use std::path::Path;

/// Both legs, by their key in files.
const LEGS: [&str; 2] = ["receive", "sent"];

/// Asserts that both legs had packets and lost none. What a busy machine did not send in the ramp is
/// no loss, and what it did not send at full load is the verdict's matter.
pub(crate) fn assert_nothing_lost(run: &RunFolder) {
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

/// Asserts the verdict pass or fail; or, where the witness saw the machine itself stand still, that the run says invalid
/// and blames just those seconds, and that all the others say the same: the product and a bare loop agree on when this
/// machine could not be believed.
pub(crate) fn assert_verdict_as_witnessed(run: &RunFolder, stalls: &[Stall], verdict: &str) {
    if run.verdict() != verdict {
        assert_eq!(run.verdict(), "invalid", "{}", run.ended.stdout);
    }
    assert_valid_as_witnessed(run, stalls);
    let thresholds = run.scorecard["thresholds"].as_array().unwrap();
    let failed: Vec<_> = thresholds.iter().filter(|judged| fails(judged)).collect();
    assert_eq!(!failed.is_empty(), verdict == "fail", "{failed:#?}");
}

/// A threshold fails by the seconds in which the tester kept its own time.
pub(crate) fn fails(threshold: &serde_json::Value) -> bool {
    threshold["outcome_without_tainted"] == "fail"
}

/// Asserts the verdict pass, as [`assert_verdict_as_witnessed`] does.
pub(crate) fn assert_pass_as_witnessed(run: &RunFolder, stalls: &[Stall]) {
    assert_verdict_as_witnessed(run, stalls, "pass");
}

/// Asserts that the run is valid; or that it blames only seconds in which the witness saw the machine itself stand still.
pub(crate) fn assert_valid_as_witnessed(run: &RunFolder, stalls: &[Stall]) {
    if run.scorecard["validity"]["valid"] == true {
        return;
    }
    println!("the machine stood still: {stalls:?}");
    for reason in run.scorecard["validity"]["reasons"].as_array().unwrap() {
        let said = reason.as_str().unwrap();
        assert!(said.contains("did not keep its own time"), "{said}");
    }
    let zero = run_zero(&run.path).unwrap();
    for second in run.scorecard["validity"]["tainted"].as_array().unwrap() {
        let from = zero + (second.as_i64().unwrap() - 1) * NS_PER_SECOND;
        let seen = stalls
            .iter()
            .any(|stall| (from..from + 3 * NS_PER_SECOND).contains(&stall.at));
        assert!(
            seen,
            "second {second} is tainted, and the machine did not stand still: {stalls:?}\n{}",
            run.ended.stdout
        );
    }
}

/// Waits until the run in `folder` has gone on for `ms`.
fn wait_for_run_time(folder: &Path, ms: i64) {
    crate::lab::wait_for("the run's start", 20, || run_zero(folder).is_some());
    let due = run_zero(folder).unwrap() + ms * NS_PER_MS;
    crate::lab::wait_for("a moment of the run", 60, || wall_now() >= due);
}
