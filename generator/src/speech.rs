//! Made-up speech: voiced sounds with the rhythm of syllables, in a timeline of talk and pauses drawn from a seed. It
//! says nothing and belongs to nobody; what is known of it exactly is where it is quiet.

use milliwatt_wire::id::Party;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;
use std::ops::Range;

/// Length of a party's loop, s.
pub const LOOP_S: u32 = 60;
/// RMS of the talk, dBov: the active speech level of a call at its nominal level (ITU-T P.56, G.100.1).
pub const ACTIVE_DBOV: f64 = -26.0;
/// Mean length of talk and of a pause, s, and the shortest and longest of each. Conversations have about as much of
/// both (ITU-T P.59).
const TALK_S: (f64, [f64; 2]) = (1.0, [0.4, 4.0]);
const PAUSE_S: (f64, [f64; 2]) = (0.9, [0.3, 3.0]);
/// A syllable's length, s.
const SYLLABLE_S: Range<f64> = 0.12..0.28;
/// The least that a syllable falls to: speech has no hole inside a word.
const SYLLABLE_FLOOR: f64 = 0.35;
/// Talk begins and ends within this, s.
const EDGE_S: f64 = 0.005;
/// Formants of the vowels that syllables take in turns, Hz.
const VOWELS: [[f64; 3]; 5] = [
    [730.0, 1090.0, 2440.0],
    [270.0, 2290.0, 3010.0],
    [300.0, 870.0, 2240.0],
    [530.0, 1840.0, 2480.0],
    [570.0, 840.0, 2410.0],
];
/// Bandwidth of a formant, Hz.
const BANDWIDTH: f64 = 120.0;
/// Breath beside the voice's pulses.
const BREATH: f64 = 0.02;

/// A party's made-up speech.
#[derive(Clone, Debug)]
pub struct Speech {
    /// 16-bit samples.
    pub samples: Vec<i16>,
    /// Where it talks, in samples; all else is digital silence.
    pub talk: Vec<Range<usize>>,
}

impl Speech {
    /// The speech of a party, so many samples a second: the same for the same seed, party and rate, and at any rate the
    /// same timeline to the sample.
    #[must_use]
    pub fn new(seed: u64, party: Party, sample_rate: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(u64::MAX - party as u64);
        let length = (LOOP_S * sample_rate) as usize;
        let talk = timeline(&mut random, length, f64::from(sample_rate));
        let mut voice = Voice::new(party, f64::from(sample_rate));
        let mut signal = vec![0.0; length];
        for spurt in &talk {
            voice.talk(&mut random, &mut signal[spurt.clone()]);
        }
        let samples = level(&signal, talk.iter().map(ExactSizeIterator::len).sum());
        Self { samples, talk }
    }
}

/// Talk and pauses in turns; the loop begins and ends inside a pause.
fn timeline(random: &mut ChaCha8Rng, length: usize, rate: f64) -> Vec<Range<usize>> {
    let (mut talk, mut at) = (Vec::new(), 0);
    loop {
        let start = at + draw(random, PAUSE_S, rate);
        let end = start + draw(random, TALK_S, rate);
        if end + samples_of(PAUSE_S.1[0], rate) > length {
            return talk;
        }
        talk.push(start..end);
        at = end;
    }
}

/// An exponential length of whole milliseconds between its bounds, in samples.
fn draw(random: &mut ChaCha8Rng, (mean, [least, most]): (f64, [f64; 2]), rate: f64) -> usize {
    let share: f64 = random.random();
    let seconds = (-mean * (1.0 - share).ln()).clamp(least, most);
    samples_of((seconds * 1000.0).round() / 1000.0, rate)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a length of seconds"
)]
fn samples_of(seconds: f64, rate: f64) -> usize {
    (seconds * rate).round() as usize
}

/// A voice: pulses of a pitch, through the formants of a vowel.
struct Voice {
    rate: f64,
    pitch: f64,
    /// Of the pulse train, in turns.
    phase: f64,
    formants: [Resonator; 3],
}

impl Voice {
    fn new(party: Party, rate: f64) -> Self {
        Self {
            rate,
            pitch: match party {
                Party::A => 115.0,
                Party::B => 205.0,
            },
            phase: 0.0,
            formants: [Resonator::default(); 3],
        }
    }

    /// One stretch of talk, syllable by syllable.
    fn talk(&mut self, random: &mut ChaCha8Rng, spurt: &mut [f64]) {
        let edge = samples_of(EDGE_S, self.rate);
        let mut at = 0;
        while at < spurt.len() {
            let syllable = samples_of(random.random_range(SYLLABLE_S), self.rate);
            let end = (at + syllable).min(spurt.len());
            let vowel = VOWELS[random.random_range(0..VOWELS.len())];
            self.say(random, vowel, &mut spurt[at..end]);
            at = end;
        }
        for sample in 0..edge.min(spurt.len() / 2) {
            let gain = share(sample, edge);
            let last = spurt.len() - 1 - sample;
            spurt[sample] *= gain;
            spurt[last] *= gain;
        }
    }

    /// One syllable: the pitch falls a little, the loudness rises and falls.
    fn say(&mut self, random: &mut ChaCha8Rng, vowel: [f64; 3], out: &mut [f64]) {
        for (formant, hertz) in self.formants.iter_mut().zip(vowel) {
            formant.tune(hertz, self.rate);
        }
        let length = out.len();
        for (index, sample) in out.iter_mut().enumerate() {
            let part = share(index, length);
            self.phase += self.pitch * (1.05 - 0.1 * part) / self.rate;
            let pulse = if self.phase >= 1.0 { 1.0 } else { 0.0 };
            self.phase -= pulse;
            let breath = BREATH * (random.random::<f64>() - 0.5);
            let source = pulse + breath;
            let voiced: f64 = self.formants.iter_mut().map(|f| f.pass(source)).sum();
            let loudness = (part * TAU / 2.0).sin().powi(2);
            *sample = voiced * (SYLLABLE_FLOOR + (1.0 - SYLLABLE_FLOOR) * loudness);
        }
    }
}

/// A resonance: two poles.
#[derive(Clone, Copy, Default)]
struct Resonator {
    gain: f64,
    feedback: [f64; 2],
    past: [f64; 2],
}

impl Resonator {
    fn tune(&mut self, hertz: f64, rate: f64) {
        let radius = (-TAU / 2.0 * BANDWIDTH / rate).exp();
        let turn = TAU * hertz / rate;
        self.feedback = [2.0 * radius * turn.cos(), -radius * radius];
        self.gain = (1.0 - radius) * turn.sin();
    }

    fn pass(&mut self, input: f64) -> f64 {
        let [one, two] = self.past;
        let output = self.gain * input + self.feedback[0] * one + self.feedback[1] * two;
        self.past = [output, one];
        output
    }
}

/// Brings the talk to its level; `active` samples of the signal are talk.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a minute's samples; the cast to 16 bits saturates"
)]
fn level(signal: &[f64], active: usize) -> Vec<i16> {
    let squares: f64 = signal.iter().map(|x| x * x).sum();
    let rms = (squares / active.max(1) as f64).sqrt();
    let gain = 32_768.0 * 10_f64.powf(ACTIVE_DBOV / 20.0) / rms.max(f64::MIN_POSITIVE);
    signal.iter().map(|x| (x * gain).round() as i16).collect()
}

#[expect(clippy::cast_precision_loss, reason = "places in a minute's samples")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of 10 ms below the level at which recordings are silent, dBov.
    const SILENT_DBOV: f64 = -50.0;

    #[expect(clippy::cast_precision_loss, reason = "a frame's samples")]
    fn dbov(frame: &[i16]) -> f64 {
        let squares: f64 = frame.iter().map(|x| f64::from(*x).powi(2)).sum();
        10.0 * (squares / frame.len() as f64 / 32_768.0_f64.powi(2)).log10()
    }

    /// 20 seeds, both parties, both rates: talk is 5 dB and more above silence in each of its frames but those that hold
    /// its edges, pauses are digital silence, and there is a third or more of both.
    #[test]
    fn talk_is_heard_without_a_hole_and_pauses_are_digital_silence() {
        for seed in 0..20 {
            for (party, rate) in [(Party::A, 8000), (Party::B, 8000), (Party::A, 16_000)] {
                let speech = Speech::new(seed, party, rate);
                let frame = rate as usize / 100;
                let mut silent = speech.samples.clone();
                for spurt in &speech.talk {
                    silent[spurt.clone()].fill(0);
                    let inner = spurt.start + frame..spurt.end - frame;
                    let frames = speech.samples[inner].chunks_exact(frame);
                    let least = frames.map(dbov).fold(0.0, f64::min);
                    assert!(
                        least > SILENT_DBOV + 5.0,
                        "{seed} {party:?}: {least:.1} dBov in {spurt:?}"
                    );
                }
                assert!(silent.iter().all(|sample| *sample == 0));
                let talk: usize = speech.talk.iter().map(ExactSizeIterator::len).sum();
                let third = speech.samples.len() / 3;
                assert!(talk > third && talk < 2 * third, "{talk} of {}", 3 * third);
            }
        }
    }

    #[test]
    fn talk_is_at_its_level_and_does_not_clip() {
        for party in Party::BOTH {
            let speech = Speech::new(7, party, 8000);
            let talk: Vec<i16> = speech
                .talk
                .iter()
                .flat_map(|spurt| &speech.samples[spurt.clone()])
                .copied()
                .collect();
            assert!((dbov(&talk) - ACTIVE_DBOV).abs() < 0.1, "{}", dbov(&talk));
            assert!(talk.iter().all(|sample| sample.unsigned_abs() < 32_000));
        }
    }

    #[test]
    fn a_seed_is_a_timeline_at_any_rate_and_each_party_has_its_own() {
        let at = |seed, party, rate| Speech::new(seed, party, rate).talk;
        let narrow = at(1, Party::A, 8000);
        let wide = narrow.iter().map(|spurt| 2 * spurt.start..2 * spurt.end);
        assert_eq!(at(1, Party::A, 16_000), wide.collect::<Vec<_>>());
        assert_ne!(narrow, at(1, Party::B, 8000));
        assert_ne!(narrow, at(2, Party::A, 8000));
        let again = Speech::new(1, Party::A, 8000).samples;
        assert_eq!(again, Speech::new(1, Party::A, 8000).samples);
    }
}
