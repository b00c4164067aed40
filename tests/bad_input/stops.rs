//! Ctrl-C, SIGTERM, a terminal that goes away and `milliwatt stop`: the run ends early and is judged; nothing is lost.

use super::{assert_complete, assert_judged, assert_said, assert_words, events, report, under_way};
use crate::lab::{Frozen, Lab, MILLIWATT, Program, RunFolder, Side, pass_time, wait_for};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::time::NS_PER_SECOND;
use std::path::Path;
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
    assert_words(
        &run.ended.stderr,
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

/// The system says it, and the shell once more: that is no wish to end at once.
#[test]
fn a_hangup_is_as_ctrl_c_however_often_it_comes() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (run, took) = run_asked(&lab, |tester, _| {
        tester.signal("HUP");
        pass_time(100);
        tester.signal("HUP");
    });
    assert_ended_early(&run, "the terminal is gone: all calls end");
    let log = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    assert!(!log.contains("at once"), "{log}");
    assert!(took < 4.0, "{took} s");
}

/// An hour of a command, in a run at a terminal of its own, which is then closed as that of a lost connection is: reading and
/// writing fail from then on. The run ends as by Ctrl-C, all its reports are written, and the command is no more.
#[test]
fn a_run_whose_terminal_is_closed_is_judged_and_leaves_no_command_running() {
    let Some(lab) = Lab::open(&["script"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let (out, note) = (lab.path("run"), lab.path("command.pid"));
    let hook = format!(
        r#"event=[{{label="long", at="1s", run=["sh", "-c", "echo $$ > {}; exec sleep 3600"], timeout="2h"}}]"#,
        note.display()
    );
    let words = [
        MILLIWATT,
        "run",
        "smoke",
        "--guest",
        &agent.join,
        "--out",
        out.to_str().unwrap(),
        "--set",
        &hook,
    ];
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let command = format!("exec {}", quoted.join(" "));
    let terminal = lab.start(
        Side::Tester,
        "script",
        &["--quiet", "--command", &command, "/dev/null"],
    );
    under_way(&out, 1500);
    let written = || std::fs::read_to_string(&note).unwrap_or_default();
    wait_for("the command", 5, || written().ends_with('\n'));
    let hook = Path::new("/proc").join(written().trim());
    assert!(hook.exists(), "the command is running");
    let told = terminal.kill().stdout;
    // The last of what is written.
    let last = out.join("scorecard.json");
    wait_for("the run's reports", 15, || last.exists());
    wait_for("the command's end", 5, || !hook.exists());
    let run = report(&lab, "run");
    assert_complete(&run, 10);
    assert!(run.count("/calls/cut") == 10, "{}", run.scorecard["calls"]);
    let log = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    assert!(
        log.contains("the terminal is gone: all calls end"),
        "{log}\n{told}"
    );
    assert!(
        log.contains("long: its command was ended by signal 15"),
        "{log}"
    );
}

#[test]
fn a_run_under_nohup_outlives_its_terminal() {
    let Some(lab) = Lab::open(&["nohup"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let out = lab.path("run");
    let words = [
        "run",
        "smoke",
        "--for",
        "3s",
        "--guest",
        &agent.join,
        "--out",
    ];
    let tester = lab.start(
        Side::Tester,
        "nohup",
        &[&[MILLIWATT][..], &words, &[out.to_str().unwrap()]].concat(),
    );
    under_way(&out, 500);
    tester.signal("HUP");
    let run = RunFolder::of(out, tester.wait_within(15));
    assert_complete(&run, 10);
    assert!(
        !events(&run).contains(&"stop".to_owned()),
        "{:?}",
        events(&run)
    );
    let [from, until] = run.full_load();
    assert!(until - from >= 3 * NS_PER_SECOND, "{from} {until}");
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
