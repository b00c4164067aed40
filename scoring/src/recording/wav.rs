//! WAVE files, read as a stream: PCM of 8, 16, 24 and 32 bits, float of 32 and 64, G.711 of both laws, IMA and MS ADPCM;
//! with format chunks of any length or `WAVE_FORMAT_EXTENSIBLE`, RIFF or RF64 (EBU Tech 3306).

use super::encoding::{Encoding, Format};
use super::reference::OtherRate;
use std::io::{Read, sink};
use thiserror::Error;

/// Octets of audio that are read at a time.
const READ_OCTETS: usize = 64 << 10;
/// A longer format chunk than this is none.
const FORMAT_OCTETS_MAX: u64 = 4096;
/// Rates that are believed, samples/s: memory is set aside by them.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 100..=768_000;
const EXTENSIBLE: u16 = 0xfffe;
/// The part of a sub-format's GUID after the format tag.
const SUB_FORMAT: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/// Size of a data chunk whose writer could not seek back: it reaches to the end of the file. In an RF64 file: its size
/// stands in the `ds64` chunk.
const UNKNOWN_SIZE: u32 = u32::MAX;

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
        expected: u64,
        /// Octets there are.
        found: u64,
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
    #[error("format {tag:#06x}{} with {bits} bits a sample; read here are PCM of 8 to 32 bits, float, G.711, IMA and MS ADPCM", named(*.tag))]
    UnknownFormat {
        /// WAVE format tag, of the sub-format where it is extensible.
        tag: u16,
        /// Bits a sample.
        bits: u16,
    },
    /// The audio that was sent has another sampling rate.
    #[error(transparent)]
    OtherRate(OtherRate),
    /// Numbers that do not fit each other.
    #[error(
        "{channels} channels at {sample_rate} samples/s in blocks of {block_align} octets; expected 1 to 255 channels, 100 to 768000 samples/s and blocks of {expected_align} octets"
    )]
    Inconsistent {
        /// Channels.
        channels: u16,
        /// Samples a second.
        sample_rate: u32,
        /// Octets a block, as written.
        block_align: u16,
        /// Octets a block, by channels and bits; for ADPCM the least a block can have.
        expected_align: usize,
    },
    /// There is no audio in it.
    #[error("no audio: its data chunk holds not one sample{}", if *.more { ", though octets follow it: was its writer stopped before it could tell the length?" } else { "" })]
    Empty {
        /// Something follows the data chunk.
        more: bool,
    },
    /// The system could not read it.
    #[error("{0}")]
    Read(String),
}

/// What a format tag is called, in brackets; nothing where it is not known.
fn named(tag: u16) -> &'static str {
    match tag {
        0x0022 => " (TrueSpeech)",
        0x0031 => " (GSM 6.10)",
        0x0050 | 0x0055 => " (MPEG audio)",
        0x0064 | 0x0014 | 0x0040 | 0x0045 => " (G.726)",
        0x0065 | 0x028f => " (G.722)",
        0x0083 => " (G.729)",
        0x00ff => " (AAC)",
        0x704f => " (Opus)",
        0xf1ac => " (FLAC)",
        _ => "",
    }
}

/// A WAVE file that is being read.
#[derive(Debug)]
pub struct WavReader<R> {
    source: R,
    format: Format,
    /// Octets of the data chunk by its header; none when it reaches to the end.
    size: Option<u64>,
    taken: u64,
    raw: Vec<u8>,
}

impl<R: Read> WavReader<R> {
    /// Reads up to the audio.
    pub fn open(mut source: R) -> Result<Self, WavError> {
        let is_64 = read_riff(&mut source)?;
        let (mut format, mut size_64) = (None, None);
        while let Some((name, size)) = next_chunk(&mut source)? {
            match &name {
                b"fmt " => {
                    let chunk = read_chunk(&mut source, name, size.into(), FORMAT_OCTETS_MAX)?;
                    format = Some(parse_format(&chunk)?);
                }
                b"ds64" if is_64 => {
                    let chunk = read_chunk(&mut source, name, size.into(), FORMAT_OCTETS_MAX)?;
                    size_64 = array(&chunk, 8).map(u64::from_le_bytes);
                }
                b"data" => {
                    let size = Some(u64::from(size)).filter(|_| size != UNKNOWN_SIZE);
                    return format
                        .map(|format| Self::new(source, format, size.or(size_64)))
                        .ok_or(WavError::MissingChunk("fmt "));
                }
                _ => skip_chunk(&mut source, name, size.into())?,
            }
        }
        let missing = if format.is_some() { "data" } else { "fmt " };
        Err(WavError::MissingChunk(missing))
    }

    fn new(source: R, format: Format, size: Option<u64>) -> Self {
        Self {
            source,
            format,
            size,
            taken: 0,
            raw: Vec::new(),
        }
    }

    /// How samples are written.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Appends the next samples, all channels interleaved; false at the end.
    ///
    /// # Errors
    /// The file is shorter than its header says, or cannot be read; it holds no audio at all.
    pub fn read(&mut self, samples: &mut Vec<i16>) -> Result<bool, WavError> {
        let block = self.format.block_octets();
        let most = (READ_OCTETS / block).max(1) * block;
        let left = self.size.map_or(u64::MAX, |size| size - self.taken);
        let wanted = left.min(most as u64);
        self.raw.clear();
        let found = read_up_to(&mut self.source, wanted, &mut self.raw)?;
        self.taken += found;
        if let (Some(expected), true) = (self.size, found < wanted) {
            return Err(WavError::Truncated {
                chunk: "data".to_owned(),
                expected,
                found: self.taken,
            });
        }
        let before = samples.len();
        self.format.decode(&self.raw, samples);
        if self.taken == found && samples.len() == before && found < most as u64 {
            let mut next = [0];
            let more = self.source.read(&mut next).is_ok_and(|octets| octets > 0);
            return Err(WavError::Empty { more });
        }
        Ok(samples.len() > before)
    }
}

/// Whether the file is an RF64 one; an error when it is no WAVE file.
fn read_riff(source: &mut impl Read) -> Result<bool, WavError> {
    let mut head = Vec::with_capacity(12);
    read_up_to(source, 12, &mut head)?;
    let is_64 = head.starts_with(b"RF64");
    if head.len() < 12 || !(is_64 || head.starts_with(b"RIFF")) || !head.ends_with(b"WAVE") {
        return Err(WavError::NotWave(head));
    }
    Ok(is_64)
}

/// The next chunk's name and size; none where fewer octets are left than a chunk's header has.
fn next_chunk(source: &mut impl Read) -> Result<Option<([u8; 4], u32)>, WavError> {
    let mut head = Vec::with_capacity(8);
    read_up_to(source, 8, &mut head)?;
    Ok(array(&head, 0).zip(array(&head, 4).map(u32::from_le_bytes)))
}

/// A chunk's body. Chunks are padded to even length.
fn read_chunk(
    source: &mut impl Read,
    name: [u8; 4],
    size: u64,
    most: u64,
) -> Result<Vec<u8>, WavError> {
    let mut body = Vec::new();
    let found = read_up_to(source, size.min(most), &mut body)?;
    let passed = skip(source, size - found + size % 2)?;
    if found + passed < size {
        return Err(truncated(name, size, found + passed));
    }
    Ok(body)
}

/// Passes over a chunk that is not needed.
fn skip_chunk(source: &mut impl Read, name: [u8; 4], size: u64) -> Result<(), WavError> {
    let found = skip(source, size + size % 2)?;
    if found < size {
        return Err(truncated(name, size, found));
    }
    Ok(())
}

fn skip(source: &mut impl Read, octets: u64) -> Result<u64, WavError> {
    std::io::copy(&mut source.take(octets), &mut sink())
        .map_err(|error| WavError::Read(error.to_string()))
}

fn truncated(name: [u8; 4], expected: u64, found: u64) -> WavError {
    WavError::Truncated {
        chunk: String::from_utf8_lossy(&name).into_owned(),
        expected,
        found,
    }
}

/// Appends so many octets, or as many as there are; how many there were.
fn read_up_to(source: &mut impl Read, octets: u64, into: &mut Vec<u8>) -> Result<u64, WavError> {
    let found = source.take(octets).read_to_end(into);
    found
        .map(|octets| octets as u64)
        .map_err(|error| WavError::Read(error.to_string()))
}

/// Reads a format chunk.
fn parse_format(chunk: &[u8]) -> Result<Format, WavError> {
    let short = |expected| WavError::ShortFormat {
        expected,
        found: chunk.len(),
    };
    let half = |at| {
        let octets = array(chunk, at).ok_or_else(|| short(16))?;
        Ok(u16::from_le_bytes(octets))
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
    let encoding = Encoding::of(tag, bits, chunk.get(18..).unwrap_or(&[]))
        .ok_or(WavError::UnknownFormat { tag, bits })?;
    let expected_align = encoding.least_block(channels.into());
    let fits = if encoding.is_adpcm() {
        usize::from(block_align) >= expected_align
    } else {
        usize::from(block_align) == expected_align
    };
    match u8::try_from(channels) {
        Ok(channels @ 1..) if fits && SAMPLE_RATES.contains(&sample_rate) => Ok(Format::new(
            encoding,
            channels,
            sample_rate,
            block_align.into(),
        )),
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
