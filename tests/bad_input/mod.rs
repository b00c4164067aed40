//! What goes wrong in practice: each with a message that says what to do, the documented exit code
//! (DESIGN.md section 6), and nothing lost of what was recorded until then.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod addresses;
mod disks;
mod firewalls;
mod folders;
mod guest_gone;
mod ports;
mod scenarios;
mod stops;
mod strangers;
mod tester_gone;
mod two_testers;

use crate::lab::{Ended, Lab, MILLIWATT, RunFolder, Side, pass_time, wait_for};
use std::path::Path;
use std::process::Command;

/// Asserts that it ended with `code` and said every one of `words` on standard error, and that what
/// it said looks like a message, not like a crash.
fn assert_said(ended: &Ended, code: i32, words: &[&str]) {
    let stderr = &ended.stderr;
    assert_eq!(ended.code, Some(code), "{ended:#?}");
    for word in words {
        assert!(stderr.contains(word), "not said: {word}\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
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
        assert!(expected > 0 && expected == received, "{leg}: {received} of {expected}");
    }
    for pointer in ["/recordings/expected", "/recordings/received", "/recordings/scored"] {
        assert_eq!(run.count(pointer), calls, "{pointer}: {}", run.ended.stdout);
    }
}
