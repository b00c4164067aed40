//! `milliwatt score` and what it stands on, beside ffmpeg; and files that are not as they should be.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod agreement;
mod codecs;
mod files;
mod reference;

use crate::lab::requirement::missing;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs ffmpeg with octets on its standard input; what it writes.
pub(crate) fn ffmpeg(args: &[&str], input: &[u8]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input");
    std::fs::write(&path, input).unwrap();
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error"])
        .args(
            args.iter()
                .map(|arg| arg.replace("INPUT", path.to_str().unwrap())),
        )
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ffmpeg {args:?}: {said}");
    output.stdout
}

/// Samples as octets.
pub(crate) fn octets(samples: &[i16]) -> Vec<u8> {
    samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect()
}

/// Octets as samples.
fn samples(octets: &[u8]) -> Vec<i16> {
    let (pairs, _) = octets.as_chunks::<2>();
    pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// A WAV file of 16-bit PCM, one channel at 8000 samples/s.
fn pcm16(samples: &[i16]) -> Vec<u8> {
    pcm16_of(1, samples)
}

/// The same of so many channels, their samples in turns.
fn pcm16_of(channels: u16, samples: &[i16]) -> Vec<u8> {
    let data = octets(samples);
    let size = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((size + 36).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(8000_u32.to_le_bytes());
    file.extend((16_000 * u32::from(channels)).to_le_bytes());
    file.extend((2 * channels).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(size.to_le_bytes());
    file.extend(data);
    file
}

/// So many seconds of something like speech, whose pauses are noise; silent for 300 ms at each place (samples).
fn speech(seconds: usize, silent_at: &[usize]) -> Vec<i16> {
    let mut noise = 1_u32;
    let mut samples: Vec<i16> = (0..seconds * 8000)
        .map(|n| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = i32::try_from(noise >> 16).unwrap() - 32_768;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "a test signal"
            )]
            let voice = {
                let t = n as f64 / 8000.0;
                let swell = 0.5 + 0.5 * (t * 19.0).sin();
                let harmonics = (1..9).map(|k| (t * f64::from(k) * 905.0).sin() / f64::from(k));
                (harmonics.sum::<f64>() * swell * 6000.0) as i32
            };
            i16::try_from(voice + hiss / 50).unwrap()
        })
        .collect();
    for at in silent_at {
        samples[*at..at + 2400].fill(0);
    }
    samples
}

/// Scores with these arguments; the JSON.
pub(crate) fn score(folder: &Path, args: &[&str]) -> serde_json::Value {
    let outcome = crate::cli::milliwatt_in(folder, &[&["score", "--json"], args].concat());
    serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}", outcome.stderr))
}

/// Start and end of each silence of a recording, s.
fn silences(recording: &serde_json::Value) -> Vec<(f64, f64)> {
    let events = recording["events"].as_array().unwrap().iter();
    events
        .filter(|event| event["kind"] == "silence")
        .map(|event| {
            let [start, length] = ["start_s", "duration_s"].map(|key| event[key].as_f64().unwrap());
            (start, start + length)
        })
        .collect()
}
