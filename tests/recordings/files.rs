//! Files that are not as they should be: a row each, and the others are scored.

use super::{pcm16, score, speech};
use crate::cli::milliwatt_in;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Writes a file; lengths of its header can be told apart from what it holds.
fn write(folder: &Path, name: &OsStr, file: &[u8], data_length: Option<u32>) {
    let mut file = file.to_vec();
    if let Some(length) = data_length {
        file[40..44].copy_from_slice(&length.to_le_bytes());
    }
    std::fs::write(folder.join(name), file).unwrap();
}

#[test]
fn every_bad_file_has_a_row_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = pcm16(&speech(2, &[]));
    let file =
        |name: &str, octets: &[u8], length| write(folder.path(), OsStr::new(name), octets, length);
    file("a-good.wav", &good, None);
    file("b-cut.wav", &good[..20_000], None);
    file("c-lying.wav", &good, Some(3_000_000_000));
    file("d-empty.wav", &[], None);
    file("e-no-audio.wav", &pcm16(&[]), None);
    file("f-text.wav", b"Dear sirs, please find attached", None);
    std::fs::create_dir(folder.path().join("g-folder.wav")).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("h-link.wav")).unwrap();
    write(
        folder.path(),
        OsStr::from_bytes(b"i-\xff\xfe.wav"),
        &good,
        None,
    );
    let json = score(folder.path(), &[".", "missing.wav", "/proc/self/mem"]);
    let rows = json["recordings"].as_array().unwrap();
    let said: Vec<(&str, Option<&str>)> = rows
        .iter()
        .map(|row| (row["file"].as_str().unwrap(), row["error"].as_str()))
        .collect();
    let expected = [
        ("./a-good.wav", None),
        (
            "./b-cut.wav",
            Some("cut off: chunk 'data' should hold 32000 octets, the file has 19956"),
        ),
        (
            "./c-lying.wav",
            Some("should hold 3000000000 octets, the file has 32000"),
        ),
        ("./d-empty.wav", Some("not a WAVE file")),
        ("./e-no-audio.wav", Some("no audio")),
        ("./f-text.wav", Some("not a WAVE file")),
        ("./i-\u{fffd}\u{fffd}.wav", None),
        ("missing.wav", Some("No such file")),
        ("/proc/self/mem", Some("Input/output error")),
    ];
    assert_eq!(said.len(), expected.len(), "{said:?}");
    for ((file, error), (name, part)) in said.into_iter().zip(expected) {
        assert_eq!(file, name);
        assert_eq!(error.is_some(), part.is_some(), "{file}: {error:?}");
        assert!(
            error.unwrap_or_default().contains(part.unwrap_or_default()),
            "{file}: {error:?}"
        );
    }
    let totals = ["scored", "failed", "ignored"].map(|key| json["totals"][key].as_u64().unwrap());
    assert_eq!(totals, [2, 7, 1], "a link to nothing is passed over");
}

#[test]
fn exit_code_1_is_when_nothing_could_be_scored() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), OsStr::new("bad.wav"), b"no", None);
    assert_eq!(milliwatt_in(folder.path(), &["score", "."]).code, Some(1));
    write(
        folder.path(),
        OsStr::new("good.wav"),
        &pcm16(&speech(2, &[])),
        None,
    );
    assert_eq!(milliwatt_in(folder.path(), &["score", "."]).code, Some(0));
}

/// More than 2 GiB of audio in one chunk, of which a hole in the file holds all but the head.
#[test]
fn a_data_chunk_of_more_than_2_gib_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let length = (2_u32 << 30) + 32_000;
    write(
        folder.path(),
        OsStr::new("long.wav"),
        &pcm16(&speech(2, &[])),
        Some(length),
    );
    let file = File::options()
        .write(true)
        .open(folder.path().join("long.wav"))
        .unwrap();
    file.set_len(u64::from(length) + 44).unwrap();
    let recording = &score(folder.path(), &["long.wav"])["recordings"][0];
    assert_eq!(
        recording["seconds"].as_f64(),
        Some(f64::from(length) / 16_000.0),
        "{recording}"
    );
    let silence = &recording["events"][0];
    assert_eq!(
        silence["start_s"].as_f64().map(f64::round),
        Some(2.0),
        "{silence}"
    );
}

/// 100,000 names of one recording, with one among them that is silent in the middle.
#[test]
fn a_folder_of_100_000_files_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    let many = folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    write(
        folder.path(),
        OsStr::new("good"),
        &pcm16(&[7000; 800]),
        None,
    );
    for n in 0..100_000 {
        // A file of ext4 has at most 65,000 names.
        let first = many.join(format!("{:03}000.wav", n / 1000));
        let name = many.join(format!("{n:06}.wav"));
        if n % 1000 == 0 {
            std::fs::copy(folder.path().join("good"), name).unwrap();
        } else {
            std::fs::hard_link(first, name).unwrap();
        }
    }
    write(
        &many,
        OsStr::new("077777.wav-silent.wav"),
        &pcm16(&speech(2, &[7000])),
        None,
    );
    let outcome = milliwatt_in(folder.path(), &["score", "many"]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "many/077777.wav-silent.wav: 2.000 s, 1 channel, 1 silence"
    );
    assert!(
        outcome.stdout.contains("100001 scored, 0 not scored"),
        "{}",
        outcome.stdout
    );
    assert_eq!(lines.len(), 5, "recordings without events have no line");
}
