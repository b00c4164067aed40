//! How samples are written in a recording, and their decoding to 16 bits.

use super::adpcm;
use milliwatt_wire::g711::{decode_a_law, decode_mu_law};
use std::sync::LazyLock;

/// How a sample is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Unsigned, 128 is zero.
    Pcm8,
    /// Signed, little endian.
    Pcm16,
    /// Signed, little endian; its upper 16 bits are looked at.
    Pcm24,
    /// Signed, little endian; its upper 16 bits are looked at.
    Pcm32,
    /// IEEE 754, full scale 1.
    Float32,
    /// IEEE 754, full scale 1.
    Float64,
    /// G.711 mu-law.
    MuLaw,
    /// G.711 A-law.
    ALaw,
    /// IMA ADPCM, 4 bits a sample, in blocks.
    ImaAdpcm,
    /// Microsoft ADPCM, 4 bits a sample, in blocks, with its pairs of predictor coefficients.
    MsAdpcm(Vec<[i32; 2]>),
}

impl Encoding {
    /// By WAVE format tag and bits a sample; `extension` is what the format chunk holds from octet 18 on. None for what is
    /// not read.
    pub(super) fn of(tag: u16, bits: u16, extension: &[u8]) -> Option<Self> {
        Some(match (tag, bits) {
            (1, 8) => Self::Pcm8,
            (1, 16) => Self::Pcm16,
            (1, 24) => Self::Pcm24,
            (1, 32) => Self::Pcm32,
            (2, 4) => Self::MsAdpcm(adpcm::coefficients(extension)),
            (3, 32) => Self::Float32,
            (3, 64) => Self::Float64,
            (6, 8) => Self::ALaw,
            (7, 8) => Self::MuLaw,
            (0x11, 4) => Self::ImaAdpcm,
            _ => return None,
        })
    }

    /// Whether samples come in blocks that depend on their first ones.
    #[must_use]
    pub fn is_adpcm(&self) -> bool {
        matches!(self, Self::ImaAdpcm | Self::MsAdpcm(_))
    }

    /// Octets of one sample of each channel; of ADPCM the head of a block.
    pub(super) fn least_block(&self, channels: usize) -> usize {
        channels
            * match self {
                Self::Pcm8 | Self::MuLaw | Self::ALaw => 1,
                Self::Pcm16 => 2,
                Self::Pcm24 => 3,
                Self::Pcm32 | Self::Float32 => 4,
                Self::Float64 => 8,
                Self::ImaAdpcm => adpcm::IMA_HEAD,
                Self::MsAdpcm(_) => adpcm::MS_HEAD,
            }
    }

    /// The largest magnitude that can be written: a sample that has it may have been larger.
    #[must_use]
    pub fn overload(&self) -> u16 {
        match self {
            Self::Pcm8 => 32_512,
            Self::MuLaw => 32_124,
            Self::ALaw => 32_256,
            _ => 32_767,
        }
    }

    /// The largest magnitude that a silence without any signal is written with: A-law has no zero, and ADPCM steps around it.
    #[must_use]
    pub fn idle(&self) -> u16 {
        match self {
            Self::ALaw | Self::ImaAdpcm | Self::MsAdpcm(_) => 8,
            _ => 0,
        }
    }
}

/// What a recording's header says of its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// How samples are written.
    pub encoding: Encoding,
    /// Channels, interleaved.
    pub channels: u8,
    /// Samples a second and channel.
    pub sample_rate: u32,
    block: usize,
}

impl Format {
    pub(super) fn new(encoding: Encoding, channels: u8, sample_rate: u32, block: usize) -> Self {
        Self {
            encoding,
            channels,
            sample_rate,
            block,
        }
    }

    /// Octets that can be decoded by themselves: one sample of each channel, or a block of ADPCM.
    pub(super) fn block_octets(&self) -> usize {
        self.block
    }

    /// Appends the samples of whole blocks, interleaved; what is left of a block of ADPCM counts, a part of a sample does not.
    pub(super) fn decode(&self, raw: &[u8], samples: &mut Vec<i16>) {
        let channels = usize::from(self.channels);
        match &self.encoding {
            Encoding::ImaAdpcm => {
                for block in raw.chunks(self.block) {
                    adpcm::decode_ima(block, channels, samples);
                }
            }
            Encoding::MsAdpcm(coefficients) => {
                for block in raw.chunks(self.block) {
                    adpcm::decode_ms(block, channels, coefficients, samples);
                }
            }
            _ => self.decode_linear(&raw[..raw.len() / self.block * self.block], samples),
        }
    }

    /// Appends samples that stand for themselves.
    fn decode_linear(&self, raw: &[u8], samples: &mut Vec<i16>) {
        match &self.encoding {
            Encoding::Pcm8 => samples.extend(raw.iter().map(|a| (i16::from(*a) - 128) << 8)),
            Encoding::MuLaw => look_up(samples, raw, &MU_LAW),
            Encoding::ALaw => look_up(samples, raw, &A_LAW),
            Encoding::Pcm16 => extend(samples, raw, i16::from_le_bytes),
            Encoding::Pcm24 => extend(samples, raw, |[_, a, b]| i16::from_le_bytes([a, b])),
            Encoding::Pcm32 => extend(samples, raw, |[_, _, a, b]| i16::from_le_bytes([a, b])),
            Encoding::Float32 => extend(samples, raw, |x| scale(f32::from_le_bytes(x).into())),
            Encoding::Float64 => extend(samples, raw, |x| scale(f64::from_le_bytes(x))),
            Encoding::ImaAdpcm | Encoding::MsAdpcm(_) => {}
        }
    }
}

fn look_up(samples: &mut Vec<i16>, raw: &[u8], table: &[i16; 256]) {
    samples.extend(raw.iter().map(|code| table[usize::from(*code)]));
}

fn extend<const N: usize>(samples: &mut Vec<i16>, raw: &[u8], decode: impl Fn([u8; N]) -> i16) {
    let (octets, _) = raw.as_chunks::<N>();
    samples.extend(octets.iter().map(|octets| decode(*octets)));
}

/// A share of full scale on the 16-bit scale. No number is silence.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates: more than full scale is full scale"
)]
fn scale(share: f64) -> i16 {
    (share * 32_768.0).round() as i16
}

static MU_LAW: LazyLock<[i16; 256]> = LazyLock::new(|| table(decode_mu_law));
static A_LAW: LazyLock<[i16; 256]> = LazyLock::new(|| table(decode_a_law));

fn table(decode: fn(u8) -> i16) -> [i16; 256] {
    let mut table = [0; 256];
    for (code, sample) in (0..=u8::MAX).zip(&mut table) {
        *sample = decode(code);
    }
    table
}
