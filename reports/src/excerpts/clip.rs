//! A stretch as a clip that a page holds by itself.

use super::Stretch;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// PCM of 16 bits, by its WAVE format tag.
const PCM: u16 = 1;
const OCTETS_A_SAMPLE: u16 = 2;
/// Octets of a WAVE file before its samples, without the first eight.
const HEAD: u32 = 36;

/// A `data:` URI (RFC 2397) of the WAVE file.
pub(super) fn data_uri(stretch: &Stretch) -> String {
    format!("data:audio/wav;base64,{}", STANDARD.encode(wav(stretch)))
}

/// A WAVE file of PCM of 16 bits with a format chunk of 16 octets.
pub(super) fn wav(stretch: &Stretch) -> Vec<u8> {
    let octets = stretch
        .samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes());
    let octets: Vec<u8> = octets.collect();
    let length = u32::try_from(octets.len()).unwrap_or(u32::MAX - HEAD);
    let block = OCTETS_A_SAMPLE * u16::from(stretch.channels);
    let mut file = Vec::with_capacity(octets.len() + 44);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(HEAD + length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0");
    file.extend_from_slice(&PCM.to_le_bytes());
    file.extend_from_slice(&u16::from(stretch.channels).to_le_bytes());
    file.extend_from_slice(&stretch.sample_rate.to_le_bytes());
    file.extend_from_slice(&(stretch.sample_rate * u32::from(block)).to_le_bytes());
    file.extend_from_slice(&block.to_le_bytes());
    file.extend_from_slice(&(8 * OCTETS_A_SAMPLE).to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(&octets);
    file
}
