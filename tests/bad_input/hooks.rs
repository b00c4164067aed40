//! Commands of a scenario that fail, hang or are not there, marks with no test to take them, a monitor that nobody serves: the run
//! goes on, and each is told.

use super::assert_said;
use crate::lab::{Ended, MILLIWATT, RunFolder, Turn};
use milliwatt_wire::time::NS_PER_SECOND;
use std::fs;
use std::process::Command;

/// Six seconds of four calls, with what goes wrong in them; the last phase waits for a mark that a command tells.
const SCENARIO: &str = r#"name = "mine"
title = "what goes wrong"

[calls]
concurrent = 4
arrivals = "20/s"
hold = "60s"

[[phase]]
name = "before"
for = "4s"

[[phase]]
name = "removal"
until = "removed"
max = "60s"

[[event]]
label = "fails"
at = "1s"
run = ["sh", "-c", "echo no such host >&2; exit 7"]

[[event]]
label = "hangs"
at = "1s"
run = ["sleep", "600"]
timeout = "2s"

[[event]]
label = "absent"
at = "1s"
run = ["/nowhere/govc", "vm.migrate"]

[[event]]
label = "script"
at = "5s"
run = ["MILLIWATT", "mark", "removed"]

[[event]]
label = "removed"

[[hypervisor]]
kind = "qmp"
socket = "/nowhere/qmp"
"#;

#[test]
fn commands_that_go_wrong_are_told_and_the_run_goes_on_and_makes_no_pass() {
    let _turn = Turn::wait();
    let folder = tempfile::tempdir().unwrap();
    let scenario = SCENARIO.replace("MILLIWATT", MILLIWATT);
    fs::write(folder.path().join("mine.toml"), scenario).unwrap();
    let mut command = Command::new(MILLIWATT);
    command.args(["run", "mine.toml", "--out", "out"]);
    let ended: Ended = command.current_dir(folder.path()).output().unwrap().into();
    let run = RunFolder::of(folder.path().join("out"), ended);
    let words = [
        "fails: its command ended with exit code 7",
        "hangs: its command did not end in its time, and was ended",
        "absent: its command did not start: No such file",
        "mark: removed",
        "source qmp cannot be read",
    ];
    assert_said(&run.ended, 4, &words);
    let reasons = run.scorecard["validity"]["reasons"].to_string();
    for label in ["fails", "hangs", "absent"] {
        assert!(reasons.contains(&format!("({label}: ")), "{reasons}");
    }
    assert!(!reasons.contains("script"), "{reasons}");
    let events = fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    assert!(events.contains("it said: no such host"), "{events}");
    assert_eq!(run.scorecard["partial"], false);
    // 4 s and the mark, which came after 5 s, of at most 64.
    let [from, until] = run.full_load();
    let seconds = (until - from) / NS_PER_SECOND;
    assert!((5..40).contains(&seconds), "{seconds} s");
}

#[test]
fn a_mark_without_a_running_test_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mark = |words: &[&str]| -> Ended {
        let mut command = Command::new(MILLIWATT);
        command.arg("mark").args(words);
        command.env("XDG_RUNTIME_DIR", folder.path());
        command.output().unwrap().into()
    };
    let words = [
        "no test of yours is running on this machine",
        "run this where `milliwatt run` runs, as the same user",
    ];
    assert_said(&mark(&["vMotion started"]), 1, &words);
    assert_said(&mark(&["two\nlines"]), 2, &["is no label"]);
    let run_dir = folder.path().to_str().unwrap();
    assert_said(&mark(&["a", run_dir]), 1, &["run.json"]);
}
