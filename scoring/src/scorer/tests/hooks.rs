//! Marks, commands and parts on the time line, and what a command that failed makes of a verdict.

use super::truth::{Slot, Truth, first};
use crate::measured::Verdict;
use milliwatt_wire::facts::{Fact, HookOutcome, MarkSource};
use milliwatt_wire::id::Leg;
use milliwatt_wire::time::RunTime;

fn at(seconds: i64) -> RunTime {
    RunTime(seconds * 1_000_000_000)
}

fn ended(outcome: HookOutcome) -> Fact {
    Fact::HookEnded {
        label: "vMotion".into(),
        started: at(3),
        at: at(5),
        outcome,
        output: "migrating\n\nno such host\n".into(),
    }
}

#[test]
fn marks_commands_and_parts_lie_on_the_time_line() {
    let mark = |label: &str, source| Fact::Mark {
        at: at(3),
        label: label.into(),
        source,
    };
    let truth = Truth {
        tester: vec![
            Fact::PartStarted {
                at: at(2),
                name: "before".into(),
            },
            mark("lunch", MarkSource::Told),
            mark("vMotion", MarkSource::HookStarted),
            ended(HookOutcome::Exited(1)),
            mark("vMotion ended", MarkSource::HookEnded),
            mark("STOP", MarkSource::Hypervisor("qmp".into())),
        ],
        ..Truth::clean(10)
    };
    let run = truth.measure();
    let told = ["phase", "mark", "hook", "hypervisor"];
    let rows = run
        .events
        .iter()
        .filter(|row| told.contains(&row.kind.as_str()));
    let rows: Vec<_> = rows
        .map(|row| (row.at_s, row.kind.as_str(), row.text.as_str()))
        .collect();
    let end = "vMotion: its command ended with exit code 1 after 2.0 s; it said: migrating / no such host";
    let expected = [
        (2.0, "phase", "before"),
        (3.0, "mark", "lunch"),
        (3.0, "hook", "vMotion: its command was started"),
        (3.0, "hypervisor", "qmp: STOP"),
        (5.0, "hook", end),
    ];
    assert_eq!(rows, expected);
}

/// A command that hangs in the system: the time line says so.
#[test]
fn a_command_that_could_not_be_ended_is_on_the_time_line_and_no_pass() {
    let truth = Truth {
        tester: vec![ended(HookOutcome::NotEnded)],
        ..Truth::clean(10)
    };
    let run = truth.measure();
    let told = run.events.iter().find(|row| row.kind == "hook").unwrap();
    let text = "vMotion: its command was killed, did not end, and was left after 2.0 s";
    assert!(told.text.starts_with(text), "{}", told.text);
    assert_eq!(run.hooks[0].outcome, "not-ended");
    assert_eq!(run.verdict, Verdict::Invalid);
}

/// Without it nothing was tested: no pass. What failed all the same is a finding.
#[test]
fn a_command_that_did_not_succeed_makes_no_pass_and_hides_no_failure() {
    let verdict = |outcome, mut truth: Truth| {
        truth.tester.push(ended(outcome));
        let run = truth.measure();
        (run.verdict, run.validity.reasons.len())
    };
    let clean = || Truth::clean(10);
    assert_eq!(verdict(HookOutcome::Exited(0), clean()), (Verdict::Pass, 0));
    for outcome in [
        HookOutcome::Exited(1),
        HookOutcome::Signalled(9),
        HookOutcome::TimedOut,
        HookOutcome::NotStarted("not there".into()),
        HookOutcome::NotEnded,
    ] {
        assert_eq!(verdict(outcome, clean()), (Verdict::Invalid, 1));
    }
    let mut lossy = clean();
    let slots = lossy.slots.get_mut(&first(Leg::Sent)).unwrap();
    slots[200..300].fill(Slot::Lost);
    assert_eq!(verdict(HookOutcome::TimedOut, lossy), (Verdict::Fail, 0));
}
