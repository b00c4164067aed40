//! The older format: one header, then frames of one link type.

use super::source::Source;
use super::{BLOCK_OCTETS_MAX, Fault, Frame, Link, Record};
use std::io::Read;

const FILE_HEADER: usize = 24;
const FRAME_HEADER: usize = 16;

/// Byte order and resolution, by the magic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    big_endian: bool,
    ns_per_unit: i64,
    /// Octets that follow the 16 of each frame header: the kuznetzov variant has eight more.
    extra: usize,
}

impl Format {
    pub(super) fn of(magic: [u8; 4]) -> Option<Self> {
        let (little, big) = (u32::from_le_bytes(magic), u32::from_be_bytes(magic));
        let (big_endian, magic) = if little >> 16 == 0xa1b2 {
            (false, little)
        } else {
            (true, big)
        };
        let (ns_per_unit, extra) = match magic {
            0xa1b2_c3d4 => (1000, 0),
            0xa1b2_3c4d => (1, 0),
            0xa1b2_cd34 => (1000, 8),
            _ => return None,
        };
        Some(Self {
            big_endian,
            ns_per_unit,
            extra,
        })
    }

    fn word(self, octets: &[u8], place: usize) -> u32 {
        let word = octets.get(place..).and_then(<[u8]>::first_chunk).copied();
        let word = word.unwrap_or_default();
        if self.big_endian {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        }
    }
}

pub(super) fn read(
    source: &mut Source<impl Read>,
    format: Format,
    take: &mut dyn FnMut(Record<'_>),
) -> Result<(), Fault> {
    let header = source.need(FILE_HEADER)?.ok_or(Fault::CutOff)?;
    // The upper 16 bits tell of frame check sequences.
    let link = Link(u16::try_from(format.word(header, 20) & 0xffff).unwrap_or(0));
    source.pass(FILE_HEADER);
    take(Record::Interface {
        index: 0,
        name: None,
    });
    while let Some(header) = source.need(FRAME_HEADER + format.extra)? {
        let [seconds, units, kept, length] = [0, 4, 8, 12].map(|place| format.word(header, place));
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        if kept > BLOCK_OCTETS_MAX / 2 {
            return Err(Fault::Damaged);
        }
        let whole = FRAME_HEADER + format.extra + kept;
        let octets = source.need(whole)?.ok_or(Fault::CutOff)?;
        let at = i64::from(seconds) * 1_000_000_000 + i64::from(units) * format.ns_per_unit;
        take(Record::Frame(Frame {
            at,
            link,
            interface: 0,
            octets: &octets[FRAME_HEADER + format.extra..whole],
            length,
        }));
        source.pass(whole);
    }
    if source.available().is_empty() {
        Ok(())
    } else {
        Err(Fault::CutOff)
    }
}
