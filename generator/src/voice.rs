//! The parties' audio: a loop of whole packets each, encoded once.
//!
//! Neither tone has a whole number of cycles in a packet, so a packet spliced out of a recording shows as a break in
//! phase. Speech begins elsewhere in each call, so that no two calls are alike.

use crate::speech::Speech;
use milliwatt_wire::id::{CallId, Party};
use milliwatt_wire::load::{Codec, SAMPLES_PER_PACKET, TONE_A_HZ, TONE_B_HZ};

/// Peak of a sine at 0 dBm0 on the 16-bit scale: G.711's overload point is +3.17 dBm0.
const PEAK_0_DBM0: f64 = 22_600.0;

/// A party's audio.
#[derive(Clone, Debug)]
pub struct Voice {
    codec: Codec,
    codes: Vec<u8>,
}

impl Voice {
    /// Encodes samples at the codec's rate; what is left over a whole packet is cut off, and less than one is silence.
    #[must_use]
    pub fn new(samples: &[i16], codec: Codec) -> Self {
        let a_packet = codec.samples_a_packet();
        let whole = &samples[..samples.len() / a_packet * a_packet];
        if whole.is_empty() {
            return Self {
                codec,
                codes: vec![codec.idle_code(); SAMPLES_PER_PACKET],
            };
        }
        // A coder whose state is that of the loop's end goes on from there to its beginning.
        let mut codes = codec.encode(&[whole, whole].concat());
        let codes = codes.split_off(codes.len() / 2);
        Self { codec, codes }
    }

    /// A second of a tone at 0 dBm0.
    #[must_use]
    pub fn tone(hertz: u32, codec: Codec) -> Self {
        let rate = codec.sample_rate();
        let samples: Vec<i16> = (0..rate).map(|n| sine(hertz, n, rate)).collect();
        Self::new(&samples, codec)
    }

    /// Packets of the loop.
    #[must_use]
    pub fn packets(&self) -> u32 {
        u32::try_from(self.codes.len() / SAMPLES_PER_PACKET).unwrap_or(u32::MAX)
    }

    /// The code words of packet `at` of the loop, which goes round.
    #[must_use]
    pub fn packet(&self, at: u32) -> &[u8] {
        let start = (at % self.packets()) as usize * SAMPLES_PER_PACKET;
        &self.codes[start..start + SAMPLES_PER_PACKET]
    }

    /// The loop as it is heard at the far end, at the codec's rate.
    #[must_use]
    pub fn heard(&self) -> Vec<i16> {
        let mut samples = self.codec.decode(&[&self.codes[..], &self.codes].concat());
        samples.split_off(samples.len() / 2)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the peak fits 16 bits")]
fn sine(hertz: u32, n: u32, rate: u32) -> i16 {
    let phase = std::f64::consts::TAU * f64::from(hertz) * f64::from(n) / f64::from(rate);
    (PEAK_0_DBM0 * phase.sin()).round() as i16
}

/// What both parties say, and where in it each call begins.
#[derive(Clone, Debug)]
pub struct Voices {
    of: [Voice; 2],
    /// Calls begin at the loops' beginning, or each at a place of its own.
    seed: Option<u64>,
}

impl Voices {
    /// A tone each.
    #[must_use]
    pub fn tones(codec: Codec) -> Self {
        Self {
            of: [TONE_A_HZ, TONE_B_HZ].map(|hertz| Voice::tone(hertz, codec)),
            seed: None,
        }
    }

    /// Made-up speech of a seed.
    #[must_use]
    pub fn speech(seed: u64, codec: Codec) -> Self {
        let rate = codec.sample_rate();
        let voice = |party| Voice::new(&Speech::new(seed, party, rate).samples, codec);
        Self::of_voices(Party::BOTH.map(voice), seed)
    }

    /// Audio of any kind, one loop for each party; the seed says where in it each call begins.
    #[must_use]
    pub fn of_voices(of: [Voice; 2], seed: u64) -> Self {
        Self {
            of,
            seed: Some(seed),
        }
    }

    /// A party's loop.
    #[must_use]
    pub fn of(&self, party: Party) -> &Voice {
        &self.of[party.channel()]
    }

    /// The place in both loops at which a call begins, in packets of party A's loop.
    #[must_use]
    pub fn first(&self, call: CallId) -> u32 {
        let Some(seed) = self.seed else { return 0 };
        let place = mix(seed ^ u64::from(call.0)) % u64::from(self.of[0].packets());
        u32::try_from(place).unwrap_or(0)
    }

    /// The code words of a call's packet `slot`.
    #[must_use]
    pub fn packet(&self, call: CallId, party: Party, slot: u32) -> &[u8] {
        let voice = self.of(party);
        let first = u64::from(self.first(call));
        let place = (first + u64::from(slot)) % u64::from(voice.packets());
        voice.packet(u32::try_from(place).unwrap_or(0))
    }
}

/// The finalizer of `SplitMix64`: neighbouring numbers come out far apart.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_goes_on_through_its_loop_from_its_own_place_and_round() {
        let voices = Voices::speech(1, Codec::Pcmu);
        let packets = voices.of(Party::A).packets();
        assert_eq!(packets, 3000, "60 s");
        let firsts: std::collections::BTreeSet<u32> =
            (0..100).map(|call| voices.first(CallId(call))).collect();
        assert!(firsts.len() > 90, "{} places of 100 calls", firsts.len());
        for slot in [0, 1, 2999, 3000, 90_000] {
            let place = (voices.first(CallId(5)) + slot) % packets;
            for party in Party::BOTH {
                let own = voices.packet(CallId(5), party, slot);
                assert_eq!(own, voices.of(party).packet(place));
            }
        }
    }

    #[test]
    fn a_tone_begins_with_its_call() {
        let voices = Voices::tones(Codec::Pcma);
        for call in 0..9 {
            assert_eq!(voices.first(CallId(call)), 0);
        }
        assert_eq!(
            voices.packet(CallId(3), Party::B, 51),
            voices.of(Party::B).packet(1)
        );
    }

    /// In G.722 what a code word means depends on those before: heard from the second round on, a tone that fits its
    /// loop has no seam, so every round is the same and holds little but the tone.
    #[test]
    fn a_loop_of_g722_has_no_seam() {
        let tone = Voice::tone(TONE_A_HZ, Codec::G722);
        let rounds = Codec::G722.decode(&tone.codes.repeat(4));
        let (second, fourth) = (&rounds[16_000..32_000], &rounds[48_000..]);
        assert_eq!(second, fourth);
        let ratio = tone_to_rest_db(TONE_A_HZ, second);
        assert!(ratio > 25.0, "{ratio:.1} dB");
    }

    /// Power of a tone of whole cycles to that of all else in a second of 16 kHz, dB.
    fn tone_to_rest_db(hertz: u32, second: &[i16]) -> f64 {
        let (mut in_phase, mut across, mut all) = (0.0, 0.0, 0.0);
        for (n, sample) in (0_u32..).zip(second) {
            let phase = std::f64::consts::TAU * f64::from(hertz) * f64::from(n) / 16_000.0;
            let sample = f64::from(*sample);
            in_phase += sample * phase.cos();
            across += sample * phase.sin();
            all += sample * sample;
        }
        let tone = (in_phase * in_phase + across * across) * 2.0 / 16_000.0;
        10.0 * (tone / (all - tone)).log10()
    }

    #[test]
    fn less_than_a_packet_is_silence() {
        for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
            let voice = Voice::new(&[1000; 159], codec);
            assert_eq!(voice.packets(), 1);
            assert!(
                voice
                    .packet(7)
                    .iter()
                    .all(|code| *code == codec.idle_code())
            );
        }
    }
}
