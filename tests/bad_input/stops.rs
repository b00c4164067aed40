//! Ctrl-C, SIGTERM and `milliwatt stop`: the run ends early and is judged; nothing is lost.

use super::{assert_complete, assert_judged, assert_said, events, under_way};
use crate::lab::{Frozen, Lab, MILLIWATT, Program, RunFolder, Side, pass_time, wait_for};
use milliwatt_wire::clock::mono_now;
use std::process::Command;

/// Starts a run, does `ask` three seconds into it, and gives the run with the time it then took, s.
fn run_asked(lab: &Lab, ask: impl FnOnce(&Program, &str)) -> (RunFolder, f64) {
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &[]);
    under_way(&lab.path("run"), 2000);
    let asked = mono_now();
    ask(&tester, lab.path("run").to_str().unwrap());
    let ended = tester.wait_within(10);
    #[expect(clippy::cast_precision_loss, reason = "some seconds in ns")]
    let took = (mono_now() - asked) as f64 / 1e9;
    (RunFolder::of(lab.path("run"), ended), took)
}

/// It passed, with every recording, well before its 10 s at full load.
fn assert_ended_early(run: &RunFolder, text: &str) {
    assert_judged(run, "pass");
    assert_complete(run, 10);
    assert!(
        events(run).contains(&"stop".to_owned()),
        "{:?}",
        events(run)
    );
    let log = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    assert!(log.contains(text), "{log}");
    assert!(run.count("/calls/cut") == 10, "{}", run.scorecard["calls"]);
}

#[test]
fn ctrl_c_ends_calls_transfers_recordings_and_judges() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (run, took) = run_asked(&lab, |tester, _| tester.signal("INT"));
    assert_ended_early(&run, "all calls end");
    assert_said(
        &run.ended,
        0,
        &["stopping: calls end, recordings are transferred; once more ends at once"],
    );
    assert!(took < 4.0, "{took} s");
}

#[test]
fn a_polite_kill_is_as_ctrl_c() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (run, took) = run_asked(&lab, |tester, _| tester.signal("TERM"));
    assert_ended_early(&run, "all calls end");
    assert!(took < 4.0, "{took} s");
}

#[test]
fn ctrl_c_twice_ends_within_a_second() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (run, took) = run_asked(&lab, |tester, _| {
        tester.signal("INT");
        wait_for("its answer", 2, || {
            tester.stderr().contains("once more ends at once")
        });
        tester.signal("INT");
    });
    assert_ended_early(&run, "all media ends at once");
    assert!(took < 1.5, "{took} s");
}

#[test]
fn milliwatt_stop_drains_and_with_now_ends_within_a_second() {
    for (flags, text, limit) in [
        (&[][..], "all calls end", 4.0),
        (&["--now"][..], "all media ends at once", 1.5),
    ] {
        let Some(lab) = Lab::open(&[]) else { return };
        let (run, took) = run_asked(&lab, |_, folder| {
            assert_said(
                &super::milliwatt(&[&["stop"], flags, &[folder]].concat()),
                0,
                &[],
            );
        });
        assert_ended_early(&run, text);
        assert!(took < limit, "{took} s");
    }
}

#[test]
fn stop_without_a_running_test_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(MILLIWATT)
        .arg("stop")
        .env("XDG_RUNTIME_DIR", folder.path())
        .output();
    assert_said(
        &output.unwrap().into(),
        1,
        &[
            "no test of yours is running on this machine",
            "as the same user",
        ],
    );
}

/// A terminal sends Ctrl-C to every process of its foreground group.
#[test]
fn ctrl_c_at_a_terminal_reaches_the_tester_and_not_its_own_agent() {
    let Some(lab) = Lab::open(&["setsid"]) else {
        return;
    };
    let out = lab.path("run");
    let tester = lab.start(
        Side::Tester,
        "setsid",
        &[MILLIWATT, "run", "smoke", "--out", out.to_str().unwrap()],
    );
    under_way(&out, 2000);
    let group = format!("-{}", tester.pid());
    assert!(
        Command::new("kill")
            .args(["-s", "INT", "--", &group])
            .status()
            .unwrap()
            .success()
    );
    let run = RunFolder::of(out, tester.wait_within(10));
    assert_complete(&run, 10);
    assert!(
        !events(&run).contains(&"control-lost".to_owned()),
        "{:?}",
        events(&run)
    );
}

#[test]
fn ctrl_c_twice_ends_soon_also_when_the_guest_is_frozen() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &[]);
    under_way(&lab.path("run"), 2000);
    let frozen = Frozen::now(&agent.program);
    pass_time(500);
    tester.signal("INT");
    wait_for("its answer", 2, || {
        tester.stderr().contains("once more ends at once")
    });
    tester.signal("INT");
    let ended = tester.wait_within(5);
    drop(frozen);
    let run = RunFolder::of(lab.path("run"), ended);
    assert_ne!(run.verdict(), "pass");
    assert_eq!(run.scorecard["partial"], true);
    assert!(run.count("/legs/receive/packets_received") > 1000);
}
