//! Commands as a scenario may have them: good, failing, hanging, not there.

use super::*;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

/// Runs one command to its end.
fn run(words: &[&str], timeout_ms: i64) -> HookEnd {
    ends(words, timeout_ms, false)
}

fn ends(words: &[&str], timeout_ms: i64, stopped: bool) -> HookEnd {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut hooks = Hooks::default();
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let timeout = timeout_ms * 1_000_000;
        hooks.start(3, &HookCommand { words, timeout }, Path::new("/a run"));
        if stopped {
            return hooks.end_all().await.remove(0);
        }
        hooks.next().await.unwrap()
    })
}

const LONG: i64 = 60_000;

/// Arguments are what the scenario has, blanks and all: no shell reads them.
#[test]
fn a_command_gets_its_arguments_as_they_are_and_its_output_is_kept() {
    let end = run(&["printf", "%s|", "a b", "$HOME", "*"], LONG);
    assert_eq!(
        (end.event, end.outcome, end.cut),
        (3, HookOutcome::Exited(0), false)
    );
    assert_eq!(end.output, "a b|$HOME|*|");
    assert!(end.at >= end.started);
}

#[test]
fn both_outputs_and_the_exit_code_of_a_command_that_fails_are_told() {
    let end = run(&["sh", "-c", "echo out; echo err >&2; exit 7"], LONG);
    assert_eq!(end.outcome, HookOutcome::Exited(7));
    assert!(
        end.output.contains("out\n") && end.output.contains("err\n"),
        "{}",
        end.output
    );
}

#[test]
fn a_command_knows_the_run_that_it_is_part_of() {
    let end = run(&["sh", "-c", "echo $MILLIWATT_RUN_DIR"], LONG);
    assert_eq!(end.output, "/a run\n");
}

#[test]
fn a_command_that_is_not_there_did_not_start() {
    let end = run(&["/nowhere/govc"], LONG);
    assert!(
        matches!(&end.outcome, HookOutcome::NotStarted(why) if why.contains("No such file")),
        "{end:?}"
    );
}

#[test]
fn a_signal_is_told_as_one() {
    assert_eq!(
        run(&["sh", "-c", "kill -9 $$"], LONG).outcome,
        HookOutcome::Signalled(9)
    );
}

/// The shell's child holds the pipe open, and ends with the group: were it left, its last words would be waited for in vain.
#[test]
fn a_command_that_hangs_is_ended_with_all_that_it_started() {
    let end = run(&["sh", "-c", "sleep 600 & echo $!; wait"], 1500);
    assert_eq!(end.outcome, HookOutcome::TimedOut);
    let child = Pid::from_raw(end.output.trim().parse().unwrap()).unwrap();
    let alive = std::fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero()));
    // Ended, and perhaps not yet collected by whoever is its parent now.
    assert!(
        alive.map_or(true, |stat| stat.contains(") Z")),
        "{}",
        end.output
    );
}

/// One that does not want to end when it is asked to.
#[test]
fn a_command_that_does_not_listen_is_ended_all_the_same() {
    let end = run(&["sh", "-c", "trap '' TERM; sleep 600; sleep 600"], 200);
    assert_eq!(end.outcome, HookOutcome::TimedOut);
}

/// Its group is then without it, and is told in vain.
#[test]
fn a_command_that_left_its_group_is_ended_all_the_same() {
    let script = "setpgrp(0, getpgrp(getppid())); sleep 600";
    assert_eq!(
        run(&["perl", "-e", script], 500).outcome,
        HookOutcome::TimedOut
    );
}

/// As one is that waits for a disk which does not answer: it takes no signal, and its end never comes.
#[test]
fn a_command_that_cannot_be_ended_is_left_and_told() {
    let short = Duration::from_millis(20);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ended = runtime.block_on(async {
        let gone = std::future::pending();
        Group(None).end(gone, [short, short]).await
    });
    assert!(ended.is_none());
    assert!(
        GRACE + STUCK + 2 * LAST_WORDS < ALL_ENDED,
        "and is told in time"
    );
}

#[test]
fn the_end_of_the_run_ends_what_still_runs() {
    let end = ends(&["sleep", "600"], LONG, true);
    assert_eq!((end.outcome, end.cut), (HookOutcome::Signalled(15), true));
}

#[test]
fn what_a_command_leaves_running_is_not_waited_for() {
    let end = run(&["sh", "-c", "sleep 5 & echo left"], LONG);
    assert_eq!(
        (end.outcome, end.output.as_str()),
        (HookOutcome::Exited(0), "left\n")
    );
}

/// A run that breaks off (its disk is full, say) asks nothing to end: its runtime goes, and the commands with it. What the shell
/// started has the pipe open as long as it lives, and would write to it.
#[test]
fn a_run_that_breaks_off_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let script = "exec 3>\"$0\"; echo up >&3; (sleep 20; echo outlived it >&3) & wait";
    let words = ["sh", "-c", script, pipe.to_str().unwrap()].map(str::to_owned);
    let hook = HookCommand {
        words: words.to_vec(),
        timeout: LONG * 1_000_000,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut hooks = Hooks::default();
    {
        let _entered = runtime.enter();
        hooks.start(0, &hook, folder.path());
    }
    let mut said = BufReader::new(File::open(&pipe).unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert_eq!(line, "up\n");
    drop(runtime);
    line.clear();
    said.read_to_string(&mut line).unwrap();
    assert_eq!(line, "");
}
