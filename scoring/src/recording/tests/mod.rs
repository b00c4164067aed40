//! Recordings whose truth is known, scored.

mod beside;
mod events;
mod files;
mod formats;
mod levels;
mod silences;
mod tones;

use super::*;
use std::f64::consts::TAU;

/// A file of one format chunk and one data chunk.
pub(super) fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let align = channels * bits / 8;
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(channels.to_le_bytes());
    format.extend(rate.to_le_bytes());
    format.extend((rate * u32::from(align)).to_le_bytes());
    format.extend(align.to_le_bytes());
    format.extend(bits.to_le_bytes());
    riff(&[(b"fmt ", &format), (b"data", data)])
}

/// A file of chunks.
fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
    for (name, body) in chunks {
        bytes.extend(*name);
        bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        bytes.extend(*body);
        bytes.extend(vec![0; body.len() % 2]);
    }
    bytes
}

/// A file of 16-bit PCM at 8000 samples/s.
fn pcm16(channels: u16, samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    file(1, channels, 8000, 16, &data)
}

/// A sample of a tone at 8000 samples/s.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a test signal"
)]
fn tone(hertz: u32, peak: f64, sample: usize) -> i16 {
    ((sample as f64 * f64::from(hertz) * TAU / 8000.0).sin() * peak).round() as i16
}

/// So many samples of a tone.
fn tones(hertz: u32, peak: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|n| tone(hertz, peak, n)).collect()
}

#[track_caller]
fn score_with(bytes: &[u8], rules: &Rules) -> ScoredRecording {
    score_recording(bytes, rules).unwrap()
}

/// Events of a kind by the default rules: channel, start and length in ms.
#[track_caller]
fn events(bytes: &[u8], kind: EventKind) -> Vec<(u8, f64, f64)> {
    events_with(bytes, kind, &Rules::default())
}

#[track_caller]
fn events_with(bytes: &[u8], kind: EventKind, rules: &Rules) -> Vec<(u8, f64, f64)> {
    let scored = score_with(bytes, rules);
    let of_kind = scored.events.iter().filter(|event| event.kind == kind);
    let found: Vec<(u8, f64, f64)> = of_kind
        .map(|event| (event.channel, event.start_ms, event.length_ms))
        .collect();
    assert_eq!(scored.counts.of(kind), found.len() as u64);
    found
}
