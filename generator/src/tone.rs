//! The parties' audio: two continuous tones, encoded once. Neither frequency has a whole number
//! of cycles in a packet, so a packet spliced out of a recording shows as a break in phase.

use milliwatt_wire::g711::{encode_a_law, encode_mu_law};
use milliwatt_wire::id::Party;
use milliwatt_wire::load::{CLOCK_RATE, Codec, SAMPLES_PER_PACKET, TONE_A_HZ, TONE_B_HZ};

/// Peak of a sine at 0 dBm0 on the 16-bit scale: G.711's overload point is +3.17 dBm0.
const PEAK_0_DBM0: f64 = 22_600.0;

/// One second of a tone and one packet more, so that every packet is one slice.
#[derive(Clone, Debug)]
pub struct Tone {
    codes: Vec<u8>,
}

impl Tone {
    /// The tone of a party.
    #[must_use]
    pub fn new(party: Party, codec: Codec) -> Self {
        let hertz = match party {
            Party::A => TONE_A_HZ,
            Party::B => TONE_B_HZ,
        };
        let samples = CLOCK_RATE as usize + SAMPLES_PER_PACKET;
        Self {
            codes: (0..samples)
                .map(|n| encode(codec, sample(hertz, n)))
                .collect(),
        }
    }

    /// The codes of packet `slot` of a stream.
    #[must_use]
    pub fn packet(&self, slot: u32) -> &[u8] {
        let start = slot as usize % (CLOCK_RATE as usize / SAMPLES_PER_PACKET) * SAMPLES_PER_PACKET;
        &self.codes[start..start + SAMPLES_PER_PACKET]
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "n < 8160, the peak fits 16 bits"
)]
fn sample(hertz: u32, n: usize) -> i16 {
    let phase = std::f64::consts::TAU * f64::from(hertz) * n as f64 / f64::from(CLOCK_RATE);
    (PEAK_0_DBM0 * phase.sin()).round() as i16
}

/// Encodes one 16-bit sample.
fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::Pcmu => encode_mu_law(sample),
        Codec::Pcma => encode_a_law(sample),
    }
}
