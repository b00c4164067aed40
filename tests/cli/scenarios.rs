//! Scenarios as files: the built-in ones, wrong ones, the schema, the forecast.

use super::program::{milliwatt, milliwatt_in};

const VALID: &str = r#"name = "mine"
title = "mine"
for = "5s"

[calls]
concurrent = 2
hold = "9s"
"#;

/// No word that ends it, no length, two ends, none, a maximum of nothing, a name that is taken, and an event behind the last.
const WRONG_PHASES: &str = r#"hold = "9s"
[[event]]
label = "move"
[[phase]]
name = "a"
until = "movement"
[[phase]]
name = "b"
for = "0s"
[[phase]]
name = "c"
for = "1s"
until = "move"
[[phase]]
name = "a"
[[phase]]
name = "d"
for = "1s"
max = "0s"
[[event]]
label = "too late"
after = "d""#;

/// Nothing to run, no time to run it, no such phase, past the end at once or at last, once more without when, a name that is taken.
const WRONG_EVENTS: &str = r#"hold = "9s"
[[event]]
label = "a"
at = "1s"
run = []
[[event]]
label = "b"
run = ["govc"]
timeout = "0s"
[[event]]
label = "c"
after = "lunch"
[[event]]
label = "d"
at = "5s"
[[event]]
label = "e"
at = "1s"
repeat = 3
[[event]]
label = "f"
at = "1s"
repeat = 3
every = "2s"
[[event]]
label = "e\n"
timeout = "1s"
repeat = 0
[[event]]
label = "a""#;

/// No socket, another kind's key, no regular expression, no address of HTTP.
const WRONG_SOURCES: &str = r#"hold = "9s"
[[hypervisor]]
kind = "qmp"
file = "/var/log/messages"
[[hypervisor]]
kind = "log"
file = "/var/log/messages"
pattern = "Task: ("
[[hypervisor]]
kind = "azure"
address = "https://169.254.169.254""#;

/// `VALID` with one change, checked by `scenarios check`.
fn check(replaced: &str, by: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    assert!(VALID.contains(replaced), "{replaced}");
    std::fs::write(folder.path().join("mine.toml"), VALID.replace(replaced, by)).unwrap();
    milliwatt_in(folder.path(), &["scenarios", "check", "mine.toml"]).text()
}

#[test]
fn the_file_that_the_wrong_ones_are_made_from_is_right() {
    let text = check("mine", "mine");
    assert!(text.starts_with("exit code Some(0)\n"), "{text}");
}

#[test]
fn what_is_wrong_in_a_file_is_shown_in_its_place_with_what_is_allowed() {
    let threshold = |metric: &str, more: &str| {
        format!("hold = \"9s\"\n[[threshold]]\nmetric = \"{metric}\"\n{more}")
    };
    let cases = [
        ("unknown-key", "concurrent", "conccurent".to_owned()),
        ("missing-key", "hold = \"9s\"", String::new()),
        ("wrong-unit", "\"9s\"", "\"20 sheep\"".to_owned()),
        ("wrong-type", "= 2", "= \"two\"".to_owned()),
        (
            "unknown-metric",
            "hold = \"9s\"",
            threshold("pdv.p999", "max = 30"),
        ),
        (
            "leg-of-no-leg",
            "hold = \"9s\"",
            threshold("recordings.with_silence", "max = 1\nleg = \"sent\""),
        ),
        (
            "window-of-no-window",
            "hold = \"9s\"",
            threshold("mos_lq.min", "min = 4\nwindow = \"10s\""),
        ),
        (
            "no-limit",
            "hold = \"9s\"",
            threshold("loss_percent", "window = \"500ms\""),
        ),
        (
            "several",
            "hold = \"9s\"",
            "hold = \"0s\"\nlegs = 0\n[media]\nptime = \"30ms\"\ncodec = \"G729\"".to_owned(),
        ),
        (
            "not-whole-packets",
            "hold = \"9s\"",
            "hold = \"9s\"\n[playout]\nbuffer = \"50ms\"".to_owned(),
        ),
        ("too-few-ports", "= 2", "= 5000".to_owned()),
        ("phases", "hold = \"9s\"", WRONG_PHASES.to_owned()),
        ("events", "hold = \"9s\"", WRONG_EVENTS.to_owned()),
        ("sources", "hold = \"9s\"", WRONG_SOURCES.to_owned()),
        ("never-ends", "for = \"5s\"", String::new()),
        ("no-toml", "[calls]", "[calls".to_owned()),
    ];
    for (name, replaced, by) in cases {
        let text = check(replaced, &by);
        assert!(text.starts_with("exit code Some(2)\n"), "{name}: {text}");
        insta::assert_snapshot!(format!("wrong-{name}"), text);
    }
}

#[test]
fn every_built_in_scenario_is_listed_and_shown() {
    let list = milliwatt(&["scenarios"]);
    insta::assert_snapshot!("scenarios", list.text());
    for line in list.stdout.lines() {
        let name = line.split_whitespace().next().unwrap();
        let shown = milliwatt(&["scenarios", "show", name]);
        assert!(
            shown.stdout.starts_with(&format!("name = \"{name}\"\n")),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_scenario_is_a_usage_failure_that_offers_the_near_one() {
    let outcome = milliwatt(&["run", "250-cals"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("hint: did you mean `250-calls`?"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_scenario_of_a_later_version_says_what_is_missing() {
    let outcome = milliwatt(&["run", "smoke", "--set", "agent.work=decode"]);
    assert_eq!(outcome.code, Some(1));
    let part = "extra work in the guest program (agent.work)";
    assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
}

/// It says what to start, and where; the forecast needs none.
#[test]
fn a_scenario_with_neighbours_and_none_named_is_refused() {
    let outcome = milliwatt(&["run", "host-contention"]);
    assert_eq!(outcome.code, Some(2));
    for part in [
        "no --neighbour was given",
        "8 processors at 95 % in phase `contention`, 1m on and 1m off by turns",
        "start `milliwatt agent --allow-neighbour` in ANOTHER guest of the same host",
    ] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
    let forecast = milliwatt(&["run", "host-contention", "--dry-run"]).text();
    assert!(
        forecast.contains("  neighbour  8 processors at 95 %"),
        "{forecast}"
    );
}

#[test]
fn the_schema_is_the_golden_one() {
    insta::assert_snapshot!("schema", milliwatt(&["scenarios", "schema"]).stdout);
}

#[test]
fn the_forecast_of_the_250_call_test() {
    insta::assert_snapshot!(
        "dry-run-250-calls",
        milliwatt(&["run", "250-calls", "--dry-run"]).text()
    );
    let json = milliwatt(&["run", "250-calls", "--dry-run", "--json"]);
    insta::assert_snapshot!("dry-run-250-calls-json", json.stdout);
}

/// What waits for a word, what a command line adds, and what the agent must allow.
#[test]
fn a_forecast_says_what_will_happen_when() {
    let command = "event.0.run=[\"govc\", \"vm.migrate\", \"-host\", \"esx 2\", \"guest\"]";
    let moved = [
        "run",
        "vmotion",
        "--dry-run",
        "--set",
        "event.0.at=60s",
        "--set",
        command,
        "--set",
        "event.0.repeat=2",
        "--set",
        "event.0.every=5m",
    ];
    insta::assert_snapshot!("dry-run-vmotion", milliwatt(&moved).text());
    for name in ["backup", "canary"] {
        let forecast = milliwatt(&["run", name, "--dry-run"]).text();
        insta::assert_snapshot!(format!("dry-run-{name}"), forecast);
    }
}

#[test]
fn a_change_on_the_command_line_is_resolved_and_a_wrong_one_is_shown() {
    let right = milliwatt(&[
        "run",
        "smoke",
        "--dry-run",
        "--set",
        "calls.concurrent=3",
        "--set",
        "calls.hold=2s",
    ]);
    assert!(right.stdout.contains("6 each way"), "{}", right.text());
    let wrong = milliwatt(&["run", "smoke", "--dry-run", "--set", "calls.concurent=3"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.stderr.contains("did you mean `concurrent`?"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn capacity_follows_the_formulas() {
    insta::assert_snapshot!(
        "capacity",
        milliwatt(&["capacity", "--engines", "8", "--calls", "1000"]).text()
    );
}
