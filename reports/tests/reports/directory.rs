//! The files that a run leaves.

use crate::sample;
use milliwatt_reports::{ReportError, Scorecard, write_all};
use std::fs;
use std::path::Path;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_file_is_there_and_nothing_temporary_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (measured, context) = (sample::fail(), sample::context());
    let scorecard = Scorecard::new(&context, &measured);
    for _again in 0..2 {
        write_all(folder.path(), &scorecard, &measured, &context).unwrap();
        let expected = "events.jsonl junit.xml plots receive-pdv.hlog recordings.csv report.html scorecard.json seconds.csv \
                        sent-pdv.hlog streams.csv";
        assert_eq!(names(folder.path()).join(" "), expected);
        let plots = "attribution.svg dead-air.svg interarrival-jitter.svg mbps.svg pdv-distribution.svg pdv.svg silences.svg transfers.svg";
        assert_eq!(names(&folder.path().join("plots")).join(" "), plots);
    }
    let written = fs::read_to_string(folder.path().join("scorecard.json")).unwrap();
    assert_eq!(written, scorecard.to_json().unwrap());
    let read: Scorecard = serde_json::from_str(&written).unwrap();
    assert_eq!(
        (read.verdict, read.thresholds.len()),
        (scorecard.verdict, 13)
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // A folder stands where the file must go.
    fs::create_dir_all(folder.path().join("junit.xml/in-the-way")).unwrap();
    let measured = sample::pass();
    let scorecard = Scorecard::new(&sample::context(), &measured);
    let error = write_all(folder.path(), &scorecard, &measured, &sample::context()).unwrap_err();
    assert!(
        matches!(&error, ReportError::Write { path, .. } if path.ends_with("junit.xml")),
        "{error}"
    );
    assert!(
        !folder.path().join("scorecard.json").exists(),
        "whoever waits for the scorecard must not find it"
    );
}
