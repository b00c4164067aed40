//! Silence in recordings: frames of 10 ms whose level is below a threshold, in runs of a least length,
//! with edges refined to the sample, on each channel by itself.
//!
//! Levels are in dBov: 20 log10(rms / full scale), a full-scale sine being -3.01 (RFC 6465).

use crate::wav::{Wav, WavError};
use milliwatt_wire::facts::SilenceFact;
use std::ops::Range;

/// What counts as a silence event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SilenceRule {
    /// Frames below this level are silent, dBov.
    pub level_dbov: f64,
    /// Least length of an event, ms.
    pub least_ms: f64,
    /// Nothing is looked at within this much of either end, ms.
    pub guard_ms: f64,
}

impl Default for SilenceRule {
    /// Below -50 dBov for at least 60 ms, outside the first and last 500 ms.
    fn default() -> Self {
        Self {
            level_dbov: -50.0,
            least_ms: 60.0,
            guard_ms: 500.0,
        }
    }
}

/// A recording, scored.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredRecording {
    /// Length, s.
    pub seconds: f64,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u8,
    /// Silence events, by channel and time.
    pub silences: Vec<SilenceFact>,
}

/// Scores the octets of a WAVE file.
pub fn score_recording(bytes: &[u8], rule: &SilenceRule) -> Result<ScoredRecording, WavError> {
    let wav = Wav::parse(bytes)?;
    let in_channel = |channel| {
        let samples: Vec<f64> = wav.samples(channel).collect();
        let ms = move |samples: usize| to_ms(samples, wav.sample_rate);
        find_silences(&samples, wav.sample_rate, rule)
            .into_iter()
            .map(move |silence| SilenceFact {
                channel,
                start_ms: ms(silence.start),
                length_ms: ms(silence.len()),
            })
    };
    Ok(ScoredRecording {
        seconds: wav.seconds(),
        sample_rate: wav.sample_rate,
        channels: wav.channels,
        silences: (0..wav.channels).flat_map(in_channel).collect(),
    })
}

/// The silences of one channel, as ranges of samples; samples are shares of full scale.
#[must_use]
pub fn find_silences(samples: &[f64], sample_rate: u32, rule: &SilenceRule) -> Vec<Range<usize>> {
    let guard = to_samples(rule.guard_ms, sample_rate);
    let heard = guard..samples.len().saturating_sub(guard);
    if heard.is_empty() {
        return Vec::new();
    }
    let limit = 10_f64.powf(rule.level_dbov / 20.0);
    let least = to_samples(rule.least_ms, sample_rate);
    let runs = silent_runs(
        &samples[heard.clone()],
        to_samples(10.0, sample_rate).max(1),
        limit,
    );
    let placed = runs
        .into_iter()
        .map(|run| run.start + heard.start..run.end + heard.start);
    placed
        .map(|run| refine(samples, run, &heard, limit))
        .filter(|run| run.len() >= least)
        .collect()
}

/// Maximal runs of silent frames; a frame cut short by the end is looked at too.
fn silent_runs(samples: &[f64], frame: usize, limit: f64) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, part) in samples.chunks(frame).enumerate() {
        if mean_square(part) >= limit * limit {
            continue;
        }
        let (from, to) = (index * frame, index * frame + part.len());
        match runs.last_mut() {
            Some(run) if run.end == from => run.end = to,
            _ => runs.push(from..to),
        }
    }
    runs
}

#[expect(clippy::cast_precision_loss, reason = "samples of one frame")]
fn mean_square(samples: &[f64]) -> f64 {
    samples.iter().map(|x| x * x).sum::<f64>() / samples.len() as f64
}

/// Moves both edges outwards over samples below the limit: the frame in which sound ends or begins is
/// part silence.
fn refine(samples: &[f64], run: Range<usize>, heard: &Range<usize>, limit: f64) -> Range<usize> {
    let is_quiet = |x: &&f64| x.abs() < limit;
    let before = samples[heard.start..run.start]
        .iter()
        .rev()
        .take_while(is_quiet)
        .count();
    let after = samples[run.end..heard.end]
        .iter()
        .take_while(is_quiet)
        .count();
    run.start - before..run.end + after
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a settable length; the cast saturates"
)]
fn to_samples(ms: f64, sample_rate: u32) -> usize {
    (ms * f64::from(sample_rate) / 1000.0).round() as usize
}

#[expect(clippy::cast_precision_loss, reason = "a length in samples below 2^53")]
fn to_ms(samples: usize, sample_rate: u32) -> f64 {
    samples as f64 * 1000.0 / f64::from(sample_rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wav::tests::file;
    use milliwatt_wire::g711::{encode_a_law, encode_mu_law};
    use milliwatt_wire::load::{TONE_A_HZ, TONE_B_HZ};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SEED: u64 = 7;

    /// A tone at -10 dBm0 or so on the 16-bit scale.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a test signal"
    )]
    fn tone(hz: u32, sample: usize) -> i16 {
        ((sample as f64 * f64::from(hz) * std::f64::consts::TAU / 8000.0).sin() * 7000.0) as i16
    }

    /// A stereo recording, party A left and B right, silent where told: (channel, first sample, samples).
    fn recording(samples: usize, encode: fn(i16) -> u8, silent: &[(u8, usize, usize)]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(2 * samples);
        for sample in 0..samples {
            for (channel, hz) in [(0, TONE_A_HZ), (1, TONE_B_HZ)] {
                let is_silent = silent
                    .iter()
                    .any(|(c, from, n)| *c == channel && (*from..from + n).contains(&sample));
                octets.push(encode(if is_silent { 0 } else { tone(hz, sample) }));
            }
        }
        octets
    }

    fn score(bytes: &[u8]) -> Vec<SilenceFact> {
        score_recording(bytes, &SilenceRule::default())
            .unwrap()
            .silences
    }

    #[test]
    fn every_injected_silence_is_found_at_its_place_and_none_besides() {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        for (tag, encode) in [(7, encode_mu_law as fn(i16) -> u8), (6, encode_a_law)] {
            for round in 0..20 {
                // One silence of 60 to 400 ms in each second between the guards, on either channel.
                let silent: Vec<(u8, usize, usize)> = (1..9)
                    .map(|second| {
                        (
                            random.random_range(0..2),
                            second * 8000 + random.random_range(0..4000),
                            random.random_range(480..3200),
                        )
                    })
                    .collect();
                let bytes = file(tag, 2, 8000, 8, &recording(80_000, encode, &silent));
                let mut found = score(&bytes);
                found.sort_by(|a, b| a.start_ms.total_cmp(&b.start_ms));
                assert_eq!(found.len(), silent.len(), "seed {SEED} round {round}");
                for (found, (channel, from, samples)) in found.iter().zip(silent) {
                    assert_eq!(found.channel, channel);
                    assert!(
                        (found.start_ms - to_ms(from, 8000)).abs() < 10.0,
                        "{found:?} injected at sample {from}"
                    );
                    assert!(
                        (found.length_ms - to_ms(samples, 8000)).abs() < 10.0,
                        "{found:?} of {samples} samples"
                    );
                }
            }
        }
    }

    #[test]
    fn unbroken_tones_hold_no_silence() {
        for (tag, encode) in [(7, encode_mu_law as fn(i16) -> u8), (6, encode_a_law)] {
            assert_eq!(
                score(&file(tag, 2, 8000, 8, &recording(160_000, encode, &[]))),
                []
            );
        }
    }

    #[test]
    fn less_than_60_ms_is_no_event() {
        let short = [(0, 16_000, 440), (1, 20_003, 440)];
        assert_eq!(
            score(&file(
                7,
                2,
                8000,
                8,
                &recording(40_000, encode_mu_law, &short)
            )),
            []
        );
    }

    #[test]
    fn the_first_and_last_half_second_are_not_looked_at() {
        let ends = [(0, 0, 3999), (1, 76_001, 3999)];
        assert_eq!(
            score(&file(
                7,
                2,
                8000,
                8,
                &recording(80_000, encode_mu_law, &ends)
            )),
            []
        );
        let longer = [(0, 0, 4800)];
        let found = score(&file(
            7,
            2,
            8000,
            8,
            &recording(80_000, encode_mu_law, &longer),
        ));
        assert_eq!(
            (found.len(), found[0].start_ms),
            (1, 500.0),
            "the 100 ms past the guard count"
        );
        assert!((found[0].length_ms - 100.0).abs() < 1.0);
    }

    #[test]
    fn the_level_decides() {
        let at = |peak: f64| vec![peak; 16_000];
        let silences = |peak| find_silences(&at(peak), 8000, &SilenceRule::default()).len();
        assert_eq!(silences(0.003_16), 1, "-50.006 dBov");
        assert_eq!(silences(0.003_17), 0, "-49.98 dBov");
    }

    #[test]
    fn the_digital_milliwatt_has_its_level_and_is_no_silence() {
        let mu: Vec<u8> = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e].repeat(2000);
        let bytes = file(7, 1, 8000, 8, &mu);
        let samples: Vec<f64> = Wav::parse(&bytes).unwrap().samples(0).collect();
        assert!(
            (10.0 * mean_square(&samples).log10() + 6.218).abs() < 1e-3,
            "-6.218 dBov"
        );
        assert_eq!(score(&bytes), []);
    }

    #[test]
    fn a_recording_shorter_than_its_guards_is_scored_and_empty() {
        let scored =
            score_recording(&file(7, 2, 8000, 8, &[0xff; 1600]), &SilenceRule::default()).unwrap();
        assert_eq!(
            (scored.seconds, scored.channels, scored.silences.len()),
            (0.1, 2, 0)
        );
    }
}
