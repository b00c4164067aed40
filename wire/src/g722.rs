//! G.722 at 64 kbit/s (ITU-T G.722, mode 1): 16 kHz audio, two samples an octet.

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

/// Samples a second.
pub const SAMPLE_RATE: u32 = 16_000;
/// The code word that a decoder of any state soon makes (almost) nothing of: below -55 dBov from the second packet on.
pub const IDLE_CODE: u8 = 0xfc;
/// An encoder: what it makes of a sample depends on those before.
pub struct Encoder(G722Encoder);

impl Encoder {
    /// An encoder in its first state.
    #[must_use]
    pub fn new() -> Self {
        Self(G722Encoder::new())
    }

    /// The code words of the next samples, an octet for every two; of an odd number the last is left out.
    pub fn encode(&mut self, samples: &[i16]) -> Vec<u8> {
        self.0.encode(&samples[..samples.len() & !1])
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// A decoder: what it makes of a code word depends on those before.
pub struct Decoder(G722Decoder);

impl Decoder {
    /// A decoder in its first state.
    #[must_use]
    pub fn new() -> Self {
        Self(G722Decoder::new())
    }

    /// The samples of the next code words, two an octet.
    pub fn decode(&mut self, codes: &[u8]) -> Vec<i16> {
        self.0.decode(codes)
    }

    /// The same into memory of the caller; what finds no room there is left out.
    pub fn decode_into(&mut self, codes: &[u8], samples: &mut [i16]) {
        let codes = &codes[..codes.len().min(samples.len() / 2)];
        // There is room: the only error that a decoder has.
        self.0.decode_into(codes, samples).unwrap_or_default();
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dbov(samples: &[i16]) -> f64 {
        let squares: f64 = samples.iter().map(|x| f64::from(*x).powi(2)).sum();
        let samples = f64::from(u32::try_from(samples.len()).unwrap());
        10.0 * (squares.max(1e-9) / samples / 32_768.0_f64.powi(2)).log10()
    }

    /// After a loud tone of any of many frequencies, and from the first state: the second packet of idle codes and all
    /// after it are below -55 dBov.
    #[test]
    fn idle_codes_soon_are_silence_whatever_was_before() {
        for hertz in [
            0.0, 100.0, 440.0, 1004.0, 1346.0, 2000.0, 3400.0, 5000.0, 7000.0,
        ] {
            let phase = |n: u32| std::f64::consts::TAU * hertz * f64::from(n) / 16_000.0;
            #[expect(clippy::cast_possible_truncation, reason = "the peak fits 16 bits")]
            let tone: Vec<i16> = (0..8000)
                .map(|n| (22_600.0 * phase(n).sin()) as i16)
                .collect();
            let mut decoder = Decoder::new();
            decoder.decode(&Encoder::new().encode(&tone));
            decoder.decode(&[IDLE_CODE; 160]);
            for packet in 2..50 {
                let level = dbov(&decoder.decode(&[IDLE_CODE; 160]));
                assert!(
                    level < -55.0,
                    "{level:.1} dBov in packet {packet} after {hertz} Hz"
                );
            }
        }
    }
}
