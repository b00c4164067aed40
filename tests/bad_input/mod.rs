//! What goes wrong in practice: each with a message that says what to do, the documented exit code
//! (DESIGN.md section 6), and nothing lost of what was recorded until then.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod addresses;
mod captures;
mod comparisons;
mod disks;
mod firewalls;
mod folders;
mod guest_gone;
mod hooks;
mod ports;
mod ramps;
mod scenarios;
mod stops;
mod strangers;
mod tester_gone;
mod two_testers;
mod waiting;

use crate::lab::{Ended, Lab, MILLIWATT, Program, RunFolder, Side, pass_time, wait_for};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

/// Asserts that it ended with `code` and said every one of `words` on standard error.
fn assert_said(ended: &Ended, code: i32, words: &[&str]) {
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    assert_words(&ended.stderr, words);
}

/// Asserts that every one of `words` was said, in what looks like a message and not like a crash.
fn assert_words(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "not said: {word}\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

/// What a machine that stands still for a moment does to any test on it.
const TIMING: [&str; 3] = ["pdv_ms", "interarrival_jitter_ms", "dead_air"];

/// Asserts the verdict and its exit code. That the tester did not keep its own time may take its place, and so may a pass's
/// thresholds of timing: what else these tests need of the machine they say themselves.
fn assert_judged(run: &RunFolder, verdict: &str) {
    let reasons = run.scorecard["validity"]["reasons"].as_array().unwrap();
    let busy = |reason: &serde_json::Value| {
        let reason = reason.as_str().unwrap();
        reason.contains("did not keep its own time")
    };
    let too_busy = !reasons.is_empty() && reasons.iter().all(busy);
    let failed = failed_thresholds(run);
    let late = !failed.is_empty() && failed.iter().all(|metric| TIMING.contains(metric));
    let expected = match verdict {
        _ if too_busy => "invalid",
        "pass" if late => "fail",
        verdict => verdict,
    };
    assert_eq!(run.verdict(), expected, "{}", run.ended.stdout);
}

/// The metrics of the thresholds that failed, without the figure of their distribution.
fn failed_thresholds(run: &RunFolder) -> Vec<&str> {
    let thresholds = run.scorecard["thresholds"].as_array().unwrap().iter();
    let failed = thresholds.filter(|threshold| threshold["outcome"] == "fail");
    failed
        .map(|threshold| {
            let metric = threshold["metric"].as_str().unwrap();
            metric.split_once('.').map_or(metric, |(metric, _)| metric)
        })
        .collect()
}

/// Runs `milliwatt` here, outside any lab.
fn milliwatt(args: &[&str]) -> Ended {
    let output = Command::new(MILLIWATT).args(args).output().unwrap();
    output.into()
}

/// Waits until both ends have recorded the first second of the run in `folder`, and then `ms` more.
fn under_way(folder: &Path, ms: i64) {
    let recorded = |end: &str| {
        let facts = folder.join("facts").join(end);
        std::fs::metadata(facts).is_ok_and(|file| file.len() > 0)
    };
    wait_for("the first facts of both ends", 15, || {
        recorded("tester.facts") && recorded("guest.facts")
    });
    pass_time(ms);
}

/// Does `work` on a thread that has joined the network namespace of a running program.
fn in_network_of<T: Send>(program: &Program, work: impl FnOnce() -> T + Send) -> T {
    let namespace = File::open(format!("/proc/{}/ns/net", program.pid())).unwrap();
    let work = || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        work()
    };
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

/// The kinds of the run's events, in order.
fn events(run: &RunFolder) -> Vec<String> {
    let text = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    let kind = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["kind"].as_str().unwrap().to_owned()
    };
    text.lines().map(kind).collect()
}

/// `milliwatt report` on what a run left in `folder` of the lab.
fn report(lab: &Lab, folder: &str) -> RunFolder {
    let path = lab.path(folder);
    let ended = lab.start(Side::Tester, MILLIWATT, &["report", path.to_str().unwrap()]);
    RunFolder::of(path, ended.wait())
}

/// Asserts that every packet and every recording of `calls` calls came, and that both ends told all.
fn assert_complete(run: &RunFolder, calls: u64) {
    assert_eq!(run.scorecard["partial"], false, "{}", run.ended.stdout);
    for leg in ["receive", "sent"] {
        let count = |name: &str| run.count(&format!("/legs/{leg}/{name}"));
        let (expected, received) = (count("packets_expected"), count("packets_received"));
        assert!(
            expected > 0 && expected == received,
            "{leg}: {received} of {expected}"
        );
    }
    for pointer in [
        "/recordings/expected",
        "/recordings/received",
        "/recordings/scored",
    ] {
        assert_eq!(run.count(pointer), calls, "{pointer}: {}", run.ended.stdout);
    }
}
