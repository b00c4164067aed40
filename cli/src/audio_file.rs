//! Audio files that are read whole: what a run sends, and what recordings are laid beside.

use crate::ffmpeg;
use milliwatt_scoring::recording::{WavError, WavReader};
use rubato::audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Longest audio that is taken, s: it is held in memory.
const LONGEST_S: u32 = 3600;
/// Shortest, s.
const SHORTEST_S: u32 = 1;
/// Samples that are resampled at a time.
const CHUNK: usize = 1024;

/// Audio of one channel or two; further ones are left out.
#[derive(Clone, Debug)]
pub(crate) struct AudioFile {
    /// Samples a second.
    pub(crate) sample_rate: u32,
    /// 16-bit samples, all channels as long.
    pub(crate) channels: Vec<Vec<i16>>,
}

impl AudioFile {
    /// Reads a file of any format that is known here or to ffmpeg, of a second to an hour.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let opened = File::open(path).map_err(|error| error.to_string())?;
        let audio = match decode(opened) {
            Err(unread @ (WavError::NotWave(_) | WavError::UnknownFormat { .. })) => {
                ffmpeg::decode(path, &unread, decode)?
            }
            read => read.map_err(|error| error.to_string())?,
        };
        audio.check_length()?;
        Ok(audio)
    }

    fn check_length(&self) -> Result<(), String> {
        let samples = self.channels.first().map_or(0, Vec::len) as u64;
        let rate = u64::from(self.sample_rate);
        if samples > u64::from(LONGEST_S) * rate {
            return Err(format!("it is longer than {} min", LONGEST_S / 60));
        }
        if samples < u64::from(SHORTEST_S) * rate {
            return Err(format!("it is shorter than {SHORTEST_S} s"));
        }
        Ok(())
    }

    /// The same at another rate: what is too high for that is left out.
    ///
    /// # Errors
    /// The rates have no common measure.
    pub(crate) fn at_rate(&self, sample_rate: u32) -> Result<Self, String> {
        let resampled = self.channels.iter();
        let resampled = resampled.map(|channel| resample(channel, self.sample_rate, sample_rate));
        Ok(Self {
            sample_rate,
            channels: resampled.collect::<Result<_, _>>()?,
        })
    }
}

/// The first two channels, to a sample more than the longest audio.
fn decode(source: impl Read) -> Result<AudioFile, WavError> {
    let mut wav = WavReader::open(source)?;
    let format = wav.format().clone();
    let of_all = usize::from(format.channels);
    let most = u64::from(LONGEST_S) * u64::from(format.sample_rate);
    let mut channels = vec![Vec::new(); of_all.min(2)];
    let mut samples = Vec::new();
    while channels
        .first()
        .is_some_and(|held: &Vec<i16>| held.len() as u64 <= most)
        && wav.read(&mut samples)?
    {
        for (channel, held) in channels.iter_mut().enumerate() {
            held.extend(samples.iter().skip(channel).step_by(of_all));
        }
        samples.clear();
    }
    Ok(AudioFile {
        sample_rate: format.sample_rate,
        channels,
    })
}

fn resample(samples: &[i16], from: u32, to: u32) -> Result<Vec<i16>, String> {
    if from == to {
        return Ok(samples.to_vec());
    }
    let failed =
        |error: &dyn Display| format!("it cannot be resampled from {from} to {to} Hz: {error}");
    let input = [samples.iter().map(|s| f32::from(*s)).collect::<Vec<f32>>()];
    let buffer = SequentialSliceOfVecs::new(&input[..], 1, samples.len());
    let buffer = buffer.map_err(|error| failed(&error))?;
    let resampler = Fft::<f32>::new(from as usize, to as usize, CHUNK, 1, FixedSync::Both);
    let output = resampler
        .map_err(|error| failed(&error))?
        .process_all(&buffer, samples.len(), None)
        .map_err(|error| failed(&error))?;
    Ok(output.take_data().into_iter().map(to_16_bits).collect())
}

/// The nearest 16-bit sample; what is above full scale is cut.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
pub(crate) fn to_16_bits(sample: f32) -> i16 {
    sample.round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    #[expect(clippy::cast_possible_truncation, reason = "a test signal")]
    fn sine(hertz: f64, rate: u32, seconds: u32) -> Vec<i16> {
        let phase = |n: u32| TAU * hertz * f64::from(n) / f64::from(rate);
        (0..rate * seconds)
            .map(|n| (10_000.0 * phase(n).sin()).round() as i16)
            .collect()
    }

    /// From the rates that audio has, a second in the middle: a tone that telephony carries is a tone of the same level
    /// with nothing beside it (to 0.1 dB and 40 dB), wherever between two samples it lies, and one that telephony does
    /// not carry is 40 dB lower.
    #[test]
    fn what_a_rate_can_carry_stays_and_the_rest_goes() {
        for from in [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000] {
            let heard = resample(&sine(1000.0, from, 2), from, 8000).unwrap();
            assert_eq!(heard.len(), 16_000, "{from}");
            let (tone, rest) = tone_and_rest(1000.0, &heard[4000..12_000]);
            let ideal = 10_000.0_f64.powi(2) / 2.0 * 8000.0;
            assert!(
                (10.0 * (tone / ideal).log10()).abs() < 0.1,
                "{tone} of {ideal} from {from}"
            );
            assert!(rest < ideal / 1e4, "{rest} of {ideal} from {from}");
            if from > 12_000 {
                let heard = resample(&sine(5500.0, from, 2), from, 8000).unwrap();
                let (tone, rest) = tone_and_rest(1000.0, &heard[4000..12_000]);
                assert!(
                    tone + rest < ideal / 1e4,
                    "{} of {ideal} from {from}",
                    tone + rest
                );
            }
        }
    }

    /// Energy of a tone of whole cycles, and of all else, in a second of 8 kHz.
    fn tone_and_rest(hertz: f64, second: &[i16]) -> (f64, f64) {
        let (mut in_phase, mut across, mut all) = (0.0, 0.0, 0.0);
        for (n, sample) in (0_u32..).zip(second) {
            let phase = TAU * hertz * f64::from(n) / 8000.0;
            let sample = f64::from(*sample);
            in_phase += sample * phase.cos();
            across += sample * phase.sin();
            all += sample * sample;
        }
        let tone = (in_phase * in_phase + across * across) * 2.0 / 8000.0;
        (tone, all - tone)
    }
}
