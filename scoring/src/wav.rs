//! WAVE files, read without copying: PCM of 8, 16, 24 and 32 bits, 32-bit float, and G.711 of both laws,
//! with format chunks of 16 or 18 octets or `WAVE_FORMAT_EXTENSIBLE`.

use milliwatt_wire::g711::{decode_a_law, decode_mu_law};
use thiserror::Error;

/// Why a file cannot be read as audio.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WavError {
    /// Not a RIFF file of type WAVE.
    #[error("not a WAVE file: expected it to begin with RIFF....WAVE, found {0:02x?}")]
    NotWave(Vec<u8>),
    /// The file ends inside a chunk.
    #[error(
        "cut off: chunk '{chunk}' should hold {expected} octets, the file has {found} left of it"
    )]
    Truncated {
        /// Its name.
        chunk: String,
        /// Octets its header tells of.
        expected: usize,
        /// Octets there are.
        found: usize,
    },
    /// A chunk that every WAVE file has is not there, or comes too late.
    #[error("no '{0}' chunk found where one was expected ('fmt ' comes before 'data')")]
    MissingChunk(&'static str),
    /// The format chunk is shorter than its format needs.
    #[error("format chunk of {found} octets, expected at least {expected}")]
    ShortFormat {
        /// Octets needed.
        expected: usize,
        /// Octets there are.
        found: usize,
    },
    /// A codec that is not read.
    #[error(
        "format tag {tag:#06x} with {bits} bits a sample; expected PCM of 8, 16, 24 or 32 bits, 32-bit float, A-law or mu-law"
    )]
    UnknownFormat {
        /// WAVE format tag, of the sub-format where it is extensible.
        tag: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// Numbers that do not fit each other.
    #[error(
        "{channels} channels at {sample_rate} samples/s in blocks of {block_align} octets; expected 1 to 255 channels, a rate and blocks of {expected_align} octets"
    )]
    Inconsistent {
        /// Channels.
        channels: u16,
        /// Samples a second.
        sample_rate: u32,
        /// Octets a block, as written.
        block_align: u16,
        /// Octets a block, by channels and bits.
        expected_align: usize,
    },
}

/// How a sample is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleFormat {
    /// Unsigned, 128 is zero.
    Pcm8,
    /// Signed, little endian.
    Pcm16,
    /// Signed, little endian.
    Pcm24,
    /// Signed, little endian.
    Pcm32,
    /// IEEE 754, full scale 1.
    Float32,
    /// G.711 mu-law.
    MuLaw,
    /// G.711 A-law.
    ALaw,
}

impl SampleFormat {
    fn of(tag: u16, bits: u16) -> Result<Self, WavError> {
        match (tag, bits) {
            (1, 8) => Ok(Self::Pcm8),
            (1, 16) => Ok(Self::Pcm16),
            (1, 24) => Ok(Self::Pcm24),
            (1, 32) => Ok(Self::Pcm32),
            (3, 32) => Ok(Self::Float32),
            (6, 8) => Ok(Self::ALaw),
            (7, 8) => Ok(Self::MuLaw),
            _ => Err(WavError::UnknownFormat { tag, bits }),
        }
    }

    /// Octets a sample.
    #[must_use]
    pub fn octets(self) -> usize {
        match self {
            Self::Pcm8 | Self::MuLaw | Self::ALaw => 1,
            Self::Pcm16 => 2,
            Self::Pcm24 => 3,
            Self::Pcm32 | Self::Float32 => 4,
        }
    }

    /// A sample as a share of full scale, -1 to 1; silence where octets are missing.
    fn decode(self, octets: &[u8]) -> f64 {
        match (self, octets) {
            (Self::Pcm8, [a]) => (f64::from(*a) - 128.0) / 128.0,
            (Self::Pcm16, [a, b]) => f64::from(i16::from_le_bytes([*a, *b])) / 32_768.0,
            (Self::Pcm24, [a, b, c]) => {
                f64::from(i32::from_le_bytes([0, *a, *b, *c])) / 2_147_483_648.0
            }
            (Self::Pcm32, [a, b, c, d]) => {
                f64::from(i32::from_le_bytes([*a, *b, *c, *d])) / 2_147_483_648.0
            }
            (Self::Float32, [a, b, c, d]) => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
            (Self::MuLaw, [a]) => f64::from(decode_mu_law(*a)) / 32_768.0,
            (Self::ALaw, [a]) => f64::from(decode_a_law(*a)) / 32_768.0,
            _ => 0.0,
        }
    }
}

/// An opened WAVE file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wav<'a> {
    /// How samples are written.
    pub format: SampleFormat,
    /// Channels, interleaved.
    pub channels: u8,
    /// Samples a second and channel.
    pub sample_rate: u32,
    data: &'a [u8],
}

const EXTENSIBLE: u16 = 0xfffe;
/// The part of a sub-format's GUID after the format tag.
const SUB_FORMAT: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// Size of a data chunk whose writer could not seek back: it reaches to the end of the file.
const UNKNOWN_SIZE: u32 = u32::MAX;

impl<'a> Wav<'a> {
    /// Opens a file's octets.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, WavError> {
        let head = bytes
            .get(..12)
            .filter(|head| head.starts_with(b"RIFF") && head.ends_with(b"WAVE"));
        let mut rest = match head {
            Some(_) => &bytes[12..],
            None => return Err(WavError::NotWave(bytes.iter().take(12).copied().collect())),
        };
        let mut format = None;
        while let Some((name, body, after)) = next_chunk(rest)? {
            match &name {
                b"fmt " => format = Some(parse_format(body)?),
                b"data" => {
                    return format
                        .map(|format| Self {
                            data: body,
                            ..format
                        })
                        .ok_or(WavError::MissingChunk("fmt "));
                }
                _ => {}
            }
            rest = after;
        }
        Err(WavError::MissingChunk(if format.is_some() {
            "data"
        } else {
            "fmt "
        }))
    }

    /// Samples of one channel in the file.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.data.len() / (self.format.octets() * usize::from(self.channels))
    }

    /// Length, s.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a length in samples below 2^53")]
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate)
    }

    /// One channel's samples as shares of full scale, -1 to 1.
    pub fn samples(&self, channel: u8) -> impl Iterator<Item = f64> + '_ {
        let octets = self.format.octets();
        let from = usize::from(channel) * octets;
        let frames = self.data.chunks_exact(octets * usize::from(self.channels));
        frames.map(move |frame| {
            frame
                .get(from..from + octets)
                .map_or(0.0, |sample| self.format.decode(sample))
        })
    }
}

type Chunk<'a> = ([u8; 4], &'a [u8], &'a [u8]);

/// The next chunk: its name, its body, what comes after. None where fewer octets are left than a chunk's header has.
fn next_chunk(bytes: &[u8]) -> Result<Option<Chunk<'_>>, WavError> {
    let (Some(name), Some(size), Some(body)) = (array(bytes, 0), array(bytes, 4), bytes.get(8..))
    else {
        return Ok(None);
    };
    let size = u32::from_le_bytes(size);
    if name == *b"data" && size == UNKNOWN_SIZE {
        return Ok(Some((name, body, &[])));
    }
    let expected = usize::try_from(size).unwrap_or(usize::MAX);
    let Some((chunk, after)) = body.split_at_checked(expected) else {
        let chunk = String::from_utf8_lossy(&name).into_owned();
        return Err(WavError::Truncated {
            chunk,
            expected,
            found: body.len(),
        });
    };
    Ok(Some((
        name,
        chunk,
        after.get(expected % 2..).unwrap_or(&[]),
    ))) // chunks are padded to even length
}

/// Reads a format chunk; the data are still to be found.
fn parse_format(chunk: &[u8]) -> Result<Wav<'static>, WavError> {
    let short = |expected| WavError::ShortFormat {
        expected,
        found: chunk.len(),
    };
    let half = |at| {
        array(chunk, at)
            .map(u16::from_le_bytes)
            .ok_or_else(|| short(16))
    };
    let (mut tag, channels, block_align, bits) = (half(0)?, half(2)?, half(12)?, half(14)?);
    let sample_rate = array(chunk, 4)
        .map(u32::from_le_bytes)
        .ok_or_else(|| short(16))?;
    if tag == EXTENSIBLE {
        let guid = chunk.get(24..40).ok_or_else(|| short(40))?;
        if guid[2..] != SUB_FORMAT {
            return Err(WavError::UnknownFormat { tag, bits });
        }
        tag = u16::from_le_bytes([guid[0], guid[1]]);
    }
    let format = SampleFormat::of(tag, bits)?;
    let expected_align = format.octets() * usize::from(channels);
    match u8::try_from(channels) {
        Ok(channels @ 1..) if sample_rate > 0 && usize::from(block_align) == expected_align => {
            Ok(Wav {
                format,
                channels,
                sample_rate,
                data: &[],
            })
        }
        _ => Err(WavError::Inconsistent {
            channels,
            sample_rate,
            block_align,
            expected_align,
        }),
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file of one format chunk and one data chunk.
    pub(crate) fn file(tag: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let align = channels * bits / 8;
        let mut format = tag.to_le_bytes().to_vec();
        format.extend(channels.to_le_bytes());
        format.extend(rate.to_le_bytes());
        format.extend((rate * u32::from(align)).to_le_bytes());
        format.extend(align.to_le_bytes());
        format.extend(bits.to_le_bytes());
        riff(&[(b"fmt ", &format), (b"data", data)])
    }

    fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WAVE".to_vec();
        for (name, body) in chunks {
            bytes.extend(*name);
            bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
            bytes.extend(*body);
            bytes.extend(vec![0; body.len() % 2]);
        }
        bytes
    }

    #[track_caller]
    fn samples(tag: u16, bits: u16, data: &[u8]) -> Vec<f64> {
        let bytes = file(tag, 1, 8000, bits, data);
        Wav::parse(&bytes).unwrap().samples(0).collect()
    }

    #[test]
    fn every_format_gives_half_scale_down_and_zero() {
        assert_eq!(samples(1, 8, &[64, 128]), [-0.5, 0.0]);
        assert_eq!(samples(1, 16, &[0, 0xc0, 0, 0]), [-0.5, 0.0]);
        assert_eq!(samples(1, 24, &[0, 0, 0xc0, 0, 0, 0]), [-0.5, 0.0]);
        assert_eq!(samples(1, 32, &[0, 0, 0, 0xc0, 0, 0, 0, 0]), [-0.5, 0.0]);
        assert_eq!(samples(3, 32, &[0, 0, 0, 0xbf, 0, 0, 0, 0]), [-0.5, 0.0]);
        assert_eq!(samples(7, 8, &[0x80, 0xff]), [32124.0 / 32768.0, 0.0]);
        assert_eq!(
            samples(6, 8, &[0xaa, 0xd5]),
            [32256.0 / 32768.0, 8.0 / 32768.0]
        );
    }

    #[test]
    fn channels_are_told_apart_and_other_chunks_passed_over() {
        let plain = file(7, 2, 8000, 8, &[0x80, 0xff, 0x80, 0xff, 0x80]);
        let mut bytes = riff(&[(b"LIST", b"odd")]);
        bytes.extend(&plain[12..]);
        let wav = Wav::parse(&bytes).unwrap();
        assert_eq!(
            (wav.channels, wav.frames()),
            (2, 2),
            "half a frame at the end is none"
        );
        assert!(wav.samples(0).all(|x| x > 0.9) && wav.samples(1).all(|x| x == 0.0));
    }

    #[test]
    fn format_chunks_of_18_octets_and_extensible_ones_are_read() {
        let plain = file(7, 1, 8000, 8, &[]);
        let mut eighteen = plain[20..36].to_vec();
        eighteen.extend([0, 0]);
        let bytes = riff(&[(b"fmt ", &eighteen), (b"data", &[0x80])]);
        assert_eq!(Wav::parse(&bytes).unwrap().format, SampleFormat::MuLaw);
        let mut extensible = plain[20..36].to_vec();
        extensible[..2].copy_from_slice(&EXTENSIBLE.to_le_bytes());
        extensible.extend([22, 0, 8, 0, 4, 0, 0, 0, 6, 0]);
        extensible.extend(SUB_FORMAT);
        let bytes = riff(&[(b"fmt ", &extensible), (b"data", &[0xaa])]);
        assert_eq!(Wav::parse(&bytes).unwrap().format, SampleFormat::ALaw);
    }

    #[test]
    fn errors_say_what_was_expected() {
        let text = |bytes: &[u8]| Wav::parse(bytes).unwrap_err().to_string();
        assert!(text(b"ID3\x03").contains("expected it to begin with RIFF"));
        assert!(
            text(&file(7, 2, 8000, 8, &[1, 2])[..45])
                .contains("should hold 2 octets, the file has 1")
        );
        assert!(text(&file(0x31, 1, 8000, 8, &[])).contains("0x0031 with 8 bits"));
        assert!(text(&file(7, 0, 8000, 8, &[])).contains("expected 1 to 255 channels"));
        assert!(text(&riff(&[(b"data", &[1, 2])])).contains("no 'fmt '"));
        assert!(text(&file(7, 1, 8000, 8, &[])[..36]).contains("no 'data'"));
        assert!(text(&riff(&[(b"fmt ", &[7, 0])])).contains("expected at least 16"));
    }

    #[test]
    fn data_of_unknown_size_reach_to_the_end() {
        let mut bytes = file(7, 1, 8000, 8, &[0x80, 0x80, 0x80]);
        bytes[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
        bytes.pop(); // the pad octet
        assert_eq!(Wav::parse(&bytes).unwrap().frames(), 3);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Wav::parse(&bytes).map_or(0, |wav| wav.samples(0).count()) <= bytes.len());
        }

        #[test]
        fn no_spoiled_file_makes_it_panic(at in 0_usize..60, octet in any::<u8>(), cut in 0_usize..60) {
            let mut bytes = file(1, 2, 8000, 24, &[7; 16]);
            bytes[at.min(59)] = octet;
            bytes.truncate(bytes.len() - cut);
            prop_assert!(Wav::parse(&bytes).map_or(0, |wav| wav.samples(1).count()) <= 16);
        }
    }
}
