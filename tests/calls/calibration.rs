//! `milliwatt calibrate`, and what a run makes of what it found.

use crate::lab::{Lab, MILLIWATT, Side, requirement};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

/// Runs the program with `state` as the user's state folder.
fn milliwatt(state: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_milliwatt"));
    command
        .args(args)
        .env("XDG_STATE_HOME", state)
        .env("NO_COLOR", "1");
    command.output().unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Two loads are measured, and the largest looked for is the second; what was found is kept where the next run finds
/// it, which says so beside its result. Then the file is made to say that 10 streams are the most: a run of 20 warns.
#[test]
fn a_calibration_is_kept_and_said_beside_a_run() {
    if requirement::missing(&["root"]) {
        return;
    }
    let _turn = crate::lab::Turn::wait();
    let state = tempfile::tempdir().unwrap();
    let args = [
        "calibrate",
        "--streams",
        "10,20",
        "--max-streams",
        "20",
        "--for",
        "1s",
        "--pacing",
        "sleep",
        "--json",
    ];
    let calibrated = milliwatt(state.path(), &args);
    let stderr = String::from_utf8_lossy(&calibrated.stderr);
    assert_eq!(calibrated.status.code(), Some(0), "{stderr}");
    let printed: Value = serde_json::from_slice(&calibrated.stdout).unwrap();
    let file = state.path().join("milliwatt/calibration.json");
    assert_eq!(read(&file), printed);
    let floors = printed["floors"].as_array().unwrap();
    let loads: Vec<&Value> = floors.iter().map(|floor| &floor["streams"]).collect();
    assert_eq!(loads, [10, 20]);
    for floor in floors {
        let (late, pdv) = (&floor["lateness_us"]["p999"], &floor["pdv_ms"]["p999"]);
        assert!(
            late.as_f64().unwrap() > 0.0 && pdv.as_f64().unwrap() > 0.0,
            "{floor}"
        );
        let limited = floor["limited_by"].is_null();
        assert_eq!(
            floor["carried"], limited,
            "what was not carried has a reason: {floor}"
        );
    }
    let mut smaller = printed.clone();
    smaller["largest_streams"] = json!(10);
    smaller["limited_by"] = json!("a reason of this test's");
    smaller["floors"][0]["carried"] = json!(true);
    smaller["floors"][0]["lateness_us"]["p999"] = json!(123.0);
    smaller["floors"].as_array_mut().unwrap().truncate(1);
    std::fs::write(&file, smaller.to_string()).unwrap();
    let out = state.path().join("run");
    let out = out.to_str().unwrap();
    let run = milliwatt(state.path(), &["run", "smoke", "--for", "1s", "--out", out]);
    let (stdout, stderr) = [&run.stdout, &run.stderr]
        .map(|text| String::from_utf8_lossy(text))
        .into();
    assert!(
        stderr.contains("asks for 20 streams each way")
            && stderr.contains("a reason of this test's"),
        "{stderr}"
    );
    let said = stdout
        .lines()
        .find(|line| line.contains("largest honest load"));
    assert!(
        said.is_some_and(|line| line.trim_end().ends_with(" 10")),
        "{stdout}"
    );
    let scorecard = read(&Path::new(out).join("scorecard.json"));
    assert_eq!(scorecard["noise_floor"]["streams"], 10);
    assert_eq!(scorecard["noise_floor"]["lateness_p999_us"], 123.0);
}

/// Against an agent on another machine, its path is in what is measured, and that is said; in a file of its own no run would
/// find it.
#[test]
fn a_calibration_against_an_agent_says_that_a_path_is_in_it() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let file = lab.path("calibration.json");
    let mut command = lab.command(Side::Tester, MILLIWATT);
    command.args(["calibrate", "--streams", "10", "--max-streams", "10"]);
    command.args(["--for", "1s", "--pacing", "sleep"]);
    command.args(["--guest", &agent.join, "--out", file.to_str().unwrap()]);
    let calibrated = command.output().unwrap();
    let [stdout, stderr] = [&calibrated.stdout, &calibrated.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned());
    assert_eq!(calibrated.status.code(), Some(0), "{stderr}");
    let kept = read(&file);
    assert_eq!(kept["floors"][0]["streams"], 10);
    assert!(
        stdout.contains("its path is in the PDV") && stdout.contains("without --out"),
        "{stdout}"
    );
}

/// A file that is damaged, or of another machine, is not used, and the run says what to do.
#[test]
fn a_calibration_that_cannot_be_used_is_told_of() {
    let state = tempfile::tempdir().unwrap();
    std::fs::create_dir(state.path().join("milliwatt")).unwrap();
    let file = state.path().join("milliwatt/calibration.json");
    std::fs::write(&file, "{ \"schema_version\": 1").unwrap();
    let run = milliwatt(state.path(), &["run", "smoke", "--dry-run"]);
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{stderr}");
    assert!(
        stderr.contains("cannot be read") && stderr.contains("milliwatt calibrate"),
        "{stderr}"
    );
}
