//! Disks that are full.

use super::{assert_judged, assert_said, events, report, under_way};
use crate::lab::{Lab, RunFolder, wait_for};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small disk; unmounted with this value.
struct Disk {
    at: PathBuf,
}

impl Disk {
    fn mount(at: PathBuf, kilobytes: u32) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        mount(
            &["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "tmpfs"],
            &at,
        );
        Self { at }
    }

    fn grow(&self, kilobytes: u32) {
        mount(&["-o", &format!("remount,size={kilobytes}k")], &self.at);
    }
}

fn mount(args: &[&str], at: &Path) {
    let status = Command::new("mount").args(args).arg(at).status().unwrap();
    assert!(status.success(), "mount {args:?} {}", at.display());
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.at).status());
    }
}

fn events_text(run: &RunFolder) -> String {
    std::fs::read_to_string(run.path.join("events.jsonl")).unwrap()
}

/// 10 recordings of 16 kB/s fill 500 kB in 3 s; facts, which come to the same disk, are not lost.
#[test]
fn a_full_disk_of_the_guest_loses_recordings_and_says_which_and_no_facts() {
    let Some(lab) = Lab::open(&["mount"]) else {
        return;
    };
    let disk = Disk::mount(lab.path("agent"), 500);
    let run = lab_run(&lab, &["--max-disk", "1 GB"], &["--for", "6s"]);
    assert_judged(&run, "fail");
    assert_eq!(run.scorecard["partial"], false, "{}", run.ended.stdout);
    assert_eq!(run.count("/legs/sent/packets_lost"), 0);
    let (expected, received) = (
        run.count("/recordings/expected"),
        run.count("/recordings/received"),
    );
    assert!(expected == 10 && received < 10, "{received} of {expected}");
    let said = events_text(&run);
    let missing = said.matches("is missing: No space left on device").count();
    assert_eq!(missing as u64, expected - received, "{said}");
    assert!(said.contains(disk.at.to_str().unwrap()), "{said}");
    assert!(
        run.ended.stdout.contains("No space left on device"),
        "{}",
        run.ended.stdout
    );
}

fn lab_run(lab: &Lab, agent: &[&str], args: &[&str]) -> RunFolder {
    let agent = lab.start_agent(agent);
    let ended = lab.start_run("smoke", &agent, "run", args).wait_within(30);
    RunFolder::of(lab.path("run"), ended)
}

#[test]
fn a_guest_without_room_refuses_before_anything_is_begun() {
    let Some(lab) = Lab::open(&["mount"]) else {
        return;
    };
    let _disk = Disk::mount(lab.path("agent"), 500);
    let agent = lab.start_agent(&[]);
    let ended = lab.start_run("smoke", &agent, "run", &[]).wait_within(8);
    assert_said(
        &ended,
        1,
        &["the agent refuses", "of disk asked", "--max-disk"],
    );
}

/// 10 recordings of 8 s are 1.3 MB, half of which fits.
#[test]
fn recordings_that_the_tester_cannot_keep_wait_at_the_guest_until_there_is_room() {
    let Some(lab) = Lab::open(&["mount"]) else {
        return;
    };
    let disk = Disk::mount(lab.path("run"), 800);
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run(
        "smoke",
        &agent,
        "run",
        &["--for", "6s", "--keep-recordings", "all"],
    );
    wait_for("the word on the full disk", 20, || {
        tester.stderr().contains("cannot keep recordings")
    });
    assert!(
        tester.stderr().contains("No space left on device"),
        "{}",
        tester.stderr()
    );
    disk.grow(8000);
    let run = RunFolder::of(lab.path("run"), tester.wait_within(15));
    assert_judged(&run, "pass");
    super::assert_complete(&run, 10);
    assert!(events(&run).contains(&"disk-full".to_owned()));
    assert_eq!(
        std::fs::read_dir(lab.path("run/recordings"))
            .unwrap()
            .count(),
        10
    );
}

#[test]
fn recordings_that_never_find_room_at_the_tester_are_counted() {
    let Some(lab) = Lab::open(&["mount"]) else {
        return;
    };
    let disk = Disk::mount(lab.path("run"), 800);
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run(
        "smoke",
        &agent,
        "run",
        &["--for", "6s", "--keep-recordings", "all"],
    );
    wait_for("the word on the full disk", 20, || {
        tester.stderr().contains("cannot keep recordings")
    });
    tester.signal("INT");
    wait_for("its answer", 2, || {
        tester.stderr().contains("once more ends at once")
    });
    tester.signal("INT");
    let ended = tester.wait_within(10);
    assert_said(&ended, 1, &["No space left on device", "milliwatt report"]);
    disk.grow(8000);
    let run = report(&lab, "run");
    assert_judged(&run, "fail");
    let received = run.count("/recordings/received");
    assert!(
        run.count("/recordings/expected") == 10 && (1..10).contains(&received),
        "{received}"
    );
    let kept = std::fs::read_dir(lab.path("run/recordings"))
        .unwrap()
        .count();
    assert_eq!(
        kept as u64, received,
        "none that was confirmed is lost, and no half one is left"
    );
}

#[test]
fn a_tester_without_room_for_facts_ends_and_what_it_has_is_judged_later() {
    let Some(lab) = Lab::open(&["mount"]) else {
        return;
    };
    let disk = Disk::mount(lab.path("run"), 32);
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run(
        "smoke",
        &agent,
        "run",
        &["--for", "60s", "--set", "calls.hold=90s"],
    );
    under_way(&lab.path("run"), 0);
    let ended = tester.wait_within(30);
    assert_said(
        &ended,
        1,
        &[
            "facts cannot be written",
            "No space left on device",
            "milliwatt report",
        ],
    );
    let next = lab.start_run("smoke", &agent, "next", &["--for", "1s"]);
    disk.grow(8000);
    let run = report(&lab, "run");
    assert_eq!(run.scorecard["partial"], true);
    assert!(run.ended.stdout.contains("PARTIAL"), "{}", run.ended.stdout);
    assert!(run.count("/legs/sent/packets_received") > 1000);
    let next = RunFolder::of(lab.path("next"), next.wait_within(15));
    assert_judged(&next, "pass"); // the agent was told, and is free at once
}
