//! Signals whose truth is known.

use crate::encode;
use milliwatt_wire::load::Codec;
use std::f64::consts::TAU;

/// A generator of numbers (Knuth's MMIX constants), the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap()
    }

    /// One of 0 to `below` - 1.
    pub(crate) fn below(&mut self, below: u32) -> u32 {
        self.next() % below
    }

    /// Between -1 and 1.
    fn uniform(&mut self) -> f64 {
        f64::from(self.next()) / f64::from(1_u32 << 31) - 1.0
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to 16 bits")]
pub(crate) fn sample(value: f64) -> i16 {
    value.round().clamp(-32768.0, 32767.0) as i16
}

/// A sine of an amplitude, sample by sample.
pub(crate) fn sine(hz: f64, amplitude: f64) -> impl Iterator<Item = f64> {
    (0_u32..).map(move |n| amplitude * (TAU * hz * f64::from(n) / 8000.0).sin())
}

/// Like speech: pulses of a gliding pitch of 60 to 450 Hz through two resonances, noise, and pauses, at changing levels.
pub(crate) fn speech(random: &mut Random, samples: usize) -> Vec<i16> {
    let (mut out, mut resonators) = (Vec::with_capacity(samples), [[0.0; 2]; 2]);
    let (mut phase, mut voice) = (0.0, Voice::draw(random));
    while out.len() < samples {
        if out.len() % 800 == 799 {
            voice = Voice::draw(random);
        }
        voice.hz *= voice.glide;
        phase += voice.hz / 8000.0;
        let pulse = if phase >= 1.0 { voice.voiced } else { 0.0 };
        phase = f64::fract(phase);
        let mut value = pulse + voice.noise * random.uniform();
        for (state, hz) in resonators.iter_mut().zip(voice.formants) {
            let next = value + 1.8 * (TAU * hz / 8000.0).cos() * state[0] - 0.81 * state[1];
            *state = [next, state[0]];
            value = next;
        }
        out.push(sample(value));
    }
    out
}

struct Voice {
    hz: f64,
    glide: f64,
    voiced: f64,
    noise: f64,
    formants: [f64; 2],
}

impl Voice {
    fn draw(random: &mut Random) -> Self {
        let level = 10_f64.powf(1.5 + 2.0 * random.uniform());
        let kind = random.below(8);
        Self {
            hz: 255.0 + 195.0 * random.uniform(),
            glide: 1.0 + 0.0002 * random.uniform(),
            voiced: if kind < 5 { level } else { 0.0 },
            noise: if kind == 7 { 0.0 } else { level / 20.0 },
            formants: [
                500.0 + 250.0 * random.uniform(),
                1800.0 + 700.0 * random.uniform(),
            ],
        }
    }
}

pub(crate) fn coded(codec: Codec, signal: impl IntoIterator<Item = i16>) -> Vec<u8> {
    signal.into_iter().map(|s| encode(codec, s)).collect()
}
