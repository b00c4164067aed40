//! Recordings of the sample run whose guest stalled: two parties who talk, silent where the run's events say so.

use milliwatt_scoring::measured::Measured;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

const RATE: u32 = 8000;
/// Length of each, s.
const SECONDS: u32 = 62;
/// Calls whose recording was kept whole.
const KEPT: [u32; 5] = [1, 3, 8, 42, 77];
/// The call whose recording was damaged since.
const DAMAGED: u32 = 120;

/// Writes `recordings/` into a run directory.
pub(crate) fn write_recordings(folder: &Path, measured: &Measured) -> io::Result<()> {
    let folder = folder.join("recordings");
    fs::create_dir_all(&folder)?;
    for call in KEPT {
        fs::write(folder.join(file_name(call)), recording(call, measured))?;
    }
    let whole = recording(DAMAGED, measured);
    fs::write(folder.join(file_name(DAMAGED)), &whole[..whole.len() / 2])
}

/// The name of a call's recording.
pub(crate) fn file_name(call: u32) -> String {
    format!("call-{call:05}.wav")
}

/// A WAVE file of two channels, PCM of 16 bits.
fn recording(call: u32, measured: &Measured) -> Vec<u8> {
    let own = measured
        .events
        .iter()
        .filter(|event| event.call == Some(call));
    let silences: Vec<(u8, Range<f64>)> = own
        .filter_map(|event| {
            let start_s = event.start_s?;
            Some((
                event.channel?,
                start_s..start_s + event.duration_ms? / 1000.0,
            ))
        })
        .collect();
    let samples = (0..RATE * SECONDS).flat_map(|n| [0, 1].map(|channel| (n, channel)));
    let samples = samples.map(|(n, channel)| {
        let at_s = f64::from(n) / f64::from(RATE);
        let mut silences = silences.iter();
        let is_silent = silences.any(|(of, at)| *of == channel && at.contains(&at_s));
        if is_silent { 0 } else { voice(at_s, channel) }
    });
    wav(2, RATE, &samples.collect::<Vec<i16>>())
}

/// Syllables, a few a second, of a voice a channel.
fn voice(at_s: f64, channel: u8) -> i16 {
    let turn = std::f64::consts::TAU * at_s;
    let (pitch, syllables) = if channel == 0 {
        (140.0, 1.6)
    } else {
        (210.0, 2.1)
    };
    let loudness = 0.35 + 0.65 * (turn * syllables / 2.0).sin().powi(2);
    let tone =
        (turn * pitch).sin() + 0.5 * (turn * 2.0 * pitch).sin() + 0.3 * (turn * 7.0 * pitch).sin();
    #[expect(clippy::cast_possible_truncation, reason = "within full scale")]
    let sample = (3_000.0 * loudness * tone) as i16;
    sample
}

/// A WAVE file of PCM of 16 bits.
pub(crate) fn wav(channels: u16, rate: u32, samples: &[i16]) -> Vec<u8> {
    let octets = u32::try_from(2 * samples.len()).unwrap_or(u32::MAX);
    let mut file = b"RIFF".to_vec();
    file.extend((octets.saturating_add(36)).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * 2 * u32::from(channels)).to_le_bytes());
    file.extend((2 * channels).to_le_bytes());
    file.extend(b"\x10\0data");
    file.extend(octets.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
