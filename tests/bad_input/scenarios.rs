//! A scenario that is wrong: file, line, column, what is allowed; exit code 2, and nothing is begun.

use super::assert_said;
use crate::lab::{Ended, MILLIWATT};
use std::path::Path;
use std::process::Command;

const GOOD: &str = r#"name = "mine"
title = "a scenario of mine"
for = "10s"

[calls]
concurrent = 10
total = 10
arrivals = "20/s"
hold = "12s"
legs = 2

[[threshold]]
metric = "pdv_ms.p999"
leg = "sent"
max = 20
source = "our agreement"
"#;

/// Runs the good scenario with `wrong` in place of `right`, in `folder`.
fn run_with(folder: &Path, right: &str, wrong: &str) -> Ended {
    assert!(GOOD.contains(right), "{right}");
    std::fs::write(folder.join("mine.toml"), GOOD.replace(right, wrong)).unwrap();
    let mut command = Command::new(MILLIWATT);
    command.args(["run", "mine.toml"]).current_dir(folder);
    command.output().unwrap().into()
}

#[test]
fn what_is_wrong_in_a_scenario_is_shown_at_its_place_with_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&str, &str, &[&str]); 5] = [
        (
            "legs = 2",
            "leggs = 2",
            &[
                "mine.toml: line 10, column 1",
                "unknown key `leggs`",
                "did you mean `legs`",
                "allowed: concurrent, total",
            ],
        ),
        (
            "\"12s\"",
            "\"12 apples\"",
            &[
                "mine.toml: line 9, column 8",
                "`12 apples`",
                "fixed \"180s\"",
                "\"2m..5m\"",
            ],
        ),
        ("\"20/s\"", "20", &["mine.toml: line 8, column 12"]),
        (
            "pdv_ms.p999",
            "pdv_ms.p9999",
            &[
                "mine.toml: line 13, column 10",
                "no metric `pdv_ms.p9999`",
                "near ones: pdv_ms.p999",
            ],
        ),
        (
            "leg = \"sent\"",
            "leg = \"up\"",
            &["mine.toml: line 14, column 7", "up", "receive", "sent"],
        ),
    ];
    for (right, wrong, words) in cases {
        assert_said(&run_with(folder.path(), right, wrong), 2, words);
    }
    assert!(!folder.path().join("runs").exists(), "nothing was begun");
}

#[test]
fn an_unknown_scenario_names_those_there_are_and_the_nearest() {
    let words = [
        "there is no scenario `smok`",
        "smoke, 250-calls",
        "did you mean `smoke`?",
    ];
    assert_said(&super::milliwatt(&["run", "smok"]), 2, &words);
}

#[test]
fn a_setting_for_a_key_that_does_not_exist_is_refused() {
    let ended = super::milliwatt(&["run", "smoke", "--set", "calls.concurent=3"]);
    assert_said(
        &ended,
        2,
        &[
            "--set calls.concurent=3",
            "unknown key `concurent`",
            "did you mean `concurrent`?",
        ],
    );
}
