//! `milliwatt compare` on runs that cannot be compared, or not yet: each says why, and what to do.

use super::{assert_said, milliwatt};
use crate::lab::{MILLIWATT, Turn};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A valid run of calls on this machine alone for so long, in a folder of this name. What this machine spoils by standing still
/// is no input of this test: another is made.
fn run(folder: &Path, name: &str, seconds: u32, calls: u32) -> String {
    let spoilt = 4;
    let made = (0..8).map(|number| {
        let out = folder
            .join(format!("{name}-{number}"))
            .display()
            .to_string();
        (make(&out, seconds, calls), out)
    });
    let (code, out) = made.into_iter().find(|(code, _)| *code != spoilt).unwrap();
    assert!(matches!(code, 0 | 3), "{out}: exit code {code}");
    out
}

/// Gives the exit code.
fn make(out: &str, seconds: u32, calls: u32) -> i32 {
    let mut command = Command::new(MILLIWATT);
    command.args([
        "run",
        "smoke",
        "--out",
        out,
        "--for",
        &format!("{seconds}s"),
    ]);
    let calls = [
        format!("calls.concurrent={calls}"),
        format!("calls.total={calls}"),
    ];
    let settings = [
        "validity.lateness=20ms",
        "recording.share=0",
        &calls[0],
        &calls[1],
    ];
    command.args(settings.iter().flat_map(|setting| ["--set", setting]));
    command.output().unwrap().status.code().unwrap()
}

/// The same facts, said to be of another version.
fn of_another_version(run: &str) -> String {
    let other = format!("{run}-of-old");
    fs::create_dir_all(format!("{other}/facts")).unwrap();
    for file in [
        "scenario.toml",
        "environment.json",
        "facts/tester.facts",
        "facts/guest.facts",
    ] {
        fs::copy(format!("{run}/{file}"), format!("{other}/{file}")).unwrap();
    }
    let record = fs::read_to_string(format!("{run}/run.json")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
    record["milliwatt"] = "0.0.9".into();
    fs::write(format!("{other}/run.json"), record.to_string()).unwrap();
    other
}

#[test]
fn runs_of_another_load_length_or_version_are_refused_and_too_few_calls_tell_nothing() {
    let _turn = Turn::wait();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let base = run(folder, "base", 3, 2);
    let (again, more) = (run(folder, "again", 3, 2), run(folder, "more", 3, 3));
    let longer = run(folder, "longer", 6, 2);
    let old = of_another_version(&base);
    let refused = |other: &str, words: &[&str]| {
        let ended = milliwatt(&["compare", &base, other]);
        assert_said(
            &ended,
            1,
            &[words, &["cannot be compared", "--force"]].concat(),
        );
        assert_eq!(ended.stdout, "", "nothing is judged");
    };
    refused(&more, &["calls.concurrent: 2 in ", ", 3 in "]);
    refused(&longer, &["length of full load: 3 s in ", ", 6 s in "]);
    let version = env!("CARGO_PKG_VERSION");
    refused(&old, &[&format!("milliwatt: {version} in "), ", 0.0.9 in "]);

    let forced = milliwatt(&["compare", "--force", &base, &more]);
    assert!(matches!(forced.code, Some(0 | 3)), "{forced:#?}");
    assert!(
        forced.stdout.contains("calls.concurrent: 2 in "),
        "{}",
        forced.stdout
    );

    // Four streams a leg and 3 s: nothing can be said of them, and what is missing is.
    let few = milliwatt(&["compare", "--json", &base, &again]);
    assert_said(&few, 0, &[]);
    let few: serde_json::Value = serde_json::from_str(&few.stdout).unwrap();
    assert_eq!(few["verdict"], "cannot-tell", "{few:#}");
    let reasons = few["metrics"].to_string();
    assert!(reasons.contains("and at least 8 are needed"), "{few:#}");

    // What a person or a full disk did to a file is told, and nothing is written over it.
    let damaged = format!("{again}/environment.json");
    fs::write(&damaged, "{\"tester\": ").unwrap();
    let ended = milliwatt(&["compare", &base, &again]);
    assert_said(&ended, 1, &["cannot read", &damaged, "line 1"]);
    let report = milliwatt(&["report", &again]);
    assert!(matches!(report.code, Some(0 | 3)), "{report:#?}");
    let told = format!("cannot read {damaged}");
    assert!(report.stdout.contains(&told), "{}", report.stdout);
    assert_eq!(fs::read_to_string(&damaged).unwrap(), "{\"tester\": ");
}
