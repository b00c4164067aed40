//! Formats that are read through ffmpeg.

use super::{ffmpeg, missing, octets, score, silences, speech};
use crate::cli::milliwatt_in;

/// What ffmpeg can write here, by ending, and how far a codec's frames, ringing and delay move the edges of a silence, s.
const FORMATS: [(&str, &[&str], f64); 5] = [
    ("flac", &["-f", "flac"], 0.002),
    (
        "g722",
        &["-ar", "16000", "-c:a", "g722", "-f", "g722"],
        0.01,
    ),
    ("gsm", &["-c:a", "libgsm", "-f", "gsm"], 0.25),
    ("mp3", &["-f", "mp3"], 0.2),
    ("opus", &["-c:a", "libopus", "-f", "ogg"], 0.05),
];

#[test]
fn other_formats_are_decoded_by_ffmpeg() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = octets(&speech(4, &[12_000]));
    for (ending, format, _) in FORMATS {
        let from = ["-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "INPUT"];
        let file = ffmpeg(&[&from[..], format, &["-"]].concat(), &source);
        std::fs::write(folder.path().join(format!("call.{ending}")), file).unwrap();
    }
    let json = score(folder.path(), &["."]);
    assert_eq!(json["totals"]["scored"].as_u64(), Some(5), "{json}");
    let recordings = json["recordings"].as_array().unwrap().iter();
    for (recording, (_, _, blur)) in recordings.zip(FORMATS) {
        let found = silences(recording);
        assert_eq!(found.len(), 1, "{recording}");
        let (start, end) = found[0];
        assert!((start - 1.5).abs() < blur, "{recording}");
        assert!((end - 1.8).abs() < blur, "{recording}");
    }
}

/// A WAV file of `TrueSpeech`, which nothing free can write: blocks of zeros.
fn true_speech() -> Vec<u8> {
    let data = vec![0_u8; 32 * 100];
    let mut file = b"RIFF".to_vec();
    file.extend((3200 + 4 + 58 + 8_u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(50_u32.to_le_bytes());
    file.extend([0x22, 0, 1, 0]);
    file.extend(8000_u32.to_le_bytes());
    file.extend(1067_u32.to_le_bytes());
    file.extend([32, 0, 1, 0, 32, 0, 1, 0, 0xf0, 0]);
    file.extend([0; 28]);
    file.extend(b"data");
    file.extend(3200_u32.to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn true_speech_is_read_and_without_ffmpeg_named() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wav"), true_speech()).unwrap();
    let recording = &score(folder.path(), &["a.wav"])["recordings"][0];
    assert_eq!(
        recording["seconds"].as_f64(),
        Some(3.0),
        "100 blocks of 30 ms: {recording}"
    );
    let outcome = milliwatt_in(folder.path(), &["score", "a.wav"]);
    assert!(
        outcome.code == Some(0) || outcome.code == Some(3),
        "{}",
        outcome.stderr
    );
}

/// Where it is not installed: which file, which format, which program, and how to get it.
#[test]
fn without_ffmpeg_the_format_and_the_program_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wav"), true_speech()).unwrap();
    let outcome = crate::cli::milliwatt_without_programs(folder.path(), &["score", "a.wav"]);
    assert_eq!(outcome.code, Some(1));
    for part in [
        "a.wav: not scored",
        "0x0022 (TrueSpeech)",
        "ffmpeg, which is not installed",
    ] {
        assert!(
            outcome.stdout.contains(part),
            "no {part:?} in {}",
            outcome.stdout
        );
    }
}
