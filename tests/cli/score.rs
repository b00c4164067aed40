//! `milliwatt score` on files that the test writes.

use super::program::{Outcome, milliwatt_in, milliwatt_without_programs};
use std::f64::consts::TAU;
use std::path::Path;

/// Five seconds of a 1004 Hz tone on two channels, 16-bit PCM at 8000 Hz, channel 1 silent over `silent_ms`.
fn recording(silent_ms: std::ops::Range<u32>) -> Vec<u8> {
    let mut data = Vec::new();
    for sample in 0..40_000_u32 {
        #[expect(clippy::cast_possible_truncation, reason = "below 16 bits")]
        let tone = (8000.0 * (TAU * 1004.0 * f64::from(sample) / 8000.0).sin()) as i16;
        let right = if silent_ms.contains(&(sample / 8)) {
            0
        } else {
            tone
        };
        data.extend(tone.to_le_bytes());
        data.extend(right.to_le_bytes());
    }
    let size = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((size + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    file.extend(8000_u32.to_le_bytes());
    file.extend(32_000_u32.to_le_bytes());
    file.extend(b"\x04\0\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write =
        |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
    std::fs::create_dir(folder.path().join("calls")).unwrap();
    write("calls/a.wav", &recording(0..0));
    write("calls/b.WAV", &recording(2000..2300));
    write("calls/c.wav", b"no audio at all");
    write("calls/notes.txt", b"not a recording");
    folder
}

fn score(folder: &Path, args: &[&str]) -> Outcome {
    milliwatt_in(folder, &[&["score"], args].concat())
}

#[test]
fn a_silence_is_found_in_its_place_and_a_bad_file_stops_nothing() {
    let folder = folder();
    let outcome = score(folder.path(), &["calls", "--json"]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let event = &json["recordings"][1]["events"][0];
    assert_eq!(
        (event["kind"].as_str(), event["channel"].as_u64()),
        (Some("silence"), Some(1))
    );
    for (key, seconds) in [("start_s", 2.0), ("duration_s", 0.3)] {
        assert!(
            (event[key].as_f64().unwrap() - seconds).abs() < 0.001,
            "{key}: {event}"
        );
    }
    assert!(
        json["recordings"][2]["error"]
            .as_str()
            .unwrap()
            .contains("not a WAVE file")
    );
    let totals = &json["totals"];
    let counts = [
        "scored",
        "failed",
        "ignored",
        "with_silence",
        "silence_events",
    ]
    .map(|key| totals[key].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1), Some(1), Some(1)]);
}

#[test]
fn the_table_is_for_people() {
    let folder = folder();
    let outcome = milliwatt_without_programs(folder.path(), &["score", "calls"]);
    insta::assert_snapshot!("score", outcome.text());
}

#[test]
fn exit_codes_tell_silence_none_and_nothing_scored() {
    let folder = folder();
    assert_eq!(score(folder.path(), &["calls/a.wav"]).code, Some(0));
    assert_eq!(
        score(
            folder.path(),
            &["calls/a.wav", "calls/c.wav", "missing.wav"]
        )
        .code,
        Some(0)
    );
    assert_eq!(
        score(folder.path(), &["calls/c.wav", "missing.wav"]).code,
        Some(1)
    );
    assert_eq!(score(folder.path(), &[]).code, Some(2));
}

#[test]
fn what_counts_as_silence_can_be_told() {
    let folder = folder();
    assert_eq!(
        score(folder.path(), &["calls/b.WAV", "--least", "400ms"]).code,
        Some(0)
    );
    assert_eq!(
        score(folder.path(), &["calls/b.WAV", "--guard", "2500ms"]).code,
        Some(0)
    );
}
