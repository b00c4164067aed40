//! The newer format: sections of blocks, several interfaces each (draft-ietf-opsawg-pcapng). Simple packet
//! blocks hold no time, so nothing about them can be measured: they are passed over.

use super::source::Source;
use super::{BLOCK_OCTETS_MAX, Fault, Frame, Link, Record};
use milliwatt_agent::capture::pcapng::{ENTERPRISE, OPTION_CUSTOM};
use milliwatt_wire::capture::note::MAGIC;
use std::io::Read;

/// A section header's type, the same in either byte order.
pub(super) const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// Type, length, and the length again at the end.
const AROUND_BODY: usize = 12;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const ENHANCED_PACKET: u32 = 6;
/// Custom blocks, to be copied by programs that change a file and not to be.
const CUSTOM: [u32; 2] = [0x0bad, 0x4000_0bad];
const OPTION_NAME: u16 = 2;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;

/// How an interface tells time, and what its frames begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interface {
    link: Link,
    units_per_second: u64,
    offset_seconds: i64,
}

/// The section being read.
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before.
    before: u32,
}

pub(super) fn read(
    source: &mut Source<impl Read>,
    take: &mut dyn FnMut(Record<'_>),
) -> Result<(), Fault> {
    let mut section = Section {
        big_endian: false,
        interfaces: Vec::new(),
        before: 0,
    };
    while let Some(header) = source.need(AROUND_BODY)? {
        if header.starts_with(&SECTION) {
            section.begin(header)?;
        }
        let kind = section.word(header, 0);
        let length = usize::try_from(section.word(header, 4)).unwrap_or(usize::MAX);
        if !(AROUND_BODY..=BLOCK_OCTETS_MAX).contains(&length) || length % 4 != 0 {
            return Err(Fault::Damaged);
        }
        let block = source.need(length)?.ok_or(Fault::CutOff)?;
        if section.word(block, length - 4) != section.word(block, 4) {
            return Err(Fault::Damaged);
        }
        section
            .take(kind, &block[8..length - 4], take)
            .ok_or(Fault::Damaged)?;
        source.pass(length);
    }
    if source.available().is_empty() {
        Ok(())
    } else {
        Err(Fault::CutOff)
    }
}

impl Section {
    /// A section header: everything before it is over, and its byte order counts from here.
    fn begin(&mut self, header: &[u8]) -> Result<(), Fault> {
        self.before += u32::try_from(self.interfaces.len()).unwrap_or(0);
        self.interfaces.clear();
        self.big_endian = match header.get(8..12) {
            Some([0x1a, 0x2b, 0x3c, 0x4d]) => true,
            Some([0x4d, 0x3c, 0x2b, 0x1a]) => false,
            _ => return Err(Fault::Damaged),
        };
        Ok(())
    }

    fn word(&self, octets: &[u8], place: usize) -> u32 {
        let word = octets.get(place..).and_then(<[u8]>::first_chunk).copied();
        let word = word.unwrap_or_default();
        if self.big_endian {
            u32::from_be_bytes(word)
        } else {
            u32::from_le_bytes(word)
        }
    }

    fn half(&self, octets: &[u8], place: usize) -> u16 {
        let half = octets.get(place..).and_then(<[u8]>::first_chunk).copied();
        let half = half.unwrap_or_default();
        if self.big_endian {
            u16::from_be_bytes(half)
        } else {
            u16::from_le_bytes(half)
        }
    }

    /// Takes a block's body; none when it is not as it should be.
    fn take(&mut self, kind: u32, body: &[u8], take: &mut dyn FnMut(Record<'_>)) -> Option<()> {
        match kind {
            ENHANCED_PACKET => {
                let frame = self.enhanced(body)?;
                let options = 20 + frame.octets.len().next_multiple_of(4);
                if let Some(note) = body.get(options..).and_then(|options| self.note(options)) {
                    take(Record::PacketNote(note));
                }
                take(Record::Frame(frame));
            }
            INTERFACE => self.describe(body, take)?,
            OBSOLETE_PACKET => take(Record::Frame(self.obsolete(body)?)),
            _ if CUSTOM.contains(&kind) && self.word(body, 0) == ENTERPRISE => {
                if let Some(data) = body.get(4..).and_then(|data| data.strip_prefix(MAGIC)) {
                    take(Record::Custom(data));
                }
            }
            _ => {}
        }
        Some(())
    }

    fn enhanced<'f>(&self, body: &'f [u8]) -> Option<Frame<'f>> {
        let interface = self.word(body, 0);
        self.frame(interface, body, self.word(body, 12))
    }

    /// The option of our own among those of a packet.
    #[inline]
    fn note<'f>(&self, mut options: &'f [u8]) -> Option<&'f [u8]> {
        while options.len() >= 4 {
            let (code, length) = (self.half(options, 0), usize::from(self.half(options, 2)));
            let value = options.get(4..4 + length)?;
            if code == OPTION_CUSTOM && self.word(value, 0) == ENTERPRISE {
                return value.get(4..);
            }
            options = options.get(4 + length.next_multiple_of(4)..)?;
        }
        None
    }

    fn obsolete<'f>(&self, body: &'f [u8]) -> Option<Frame<'f>> {
        let interface = u32::from(self.half(body, 0));
        self.frame(interface, body, self.word(body, 12))
    }

    /// A frame whose stamp stands at 4, whose length kept at 12, whose length at 16, whose octets from 20 on.
    fn frame<'f>(&self, interface: u32, body: &'f [u8], kept: u32) -> Option<Frame<'f>> {
        let described = self.interfaces.get(usize::try_from(interface).ok()?)?;
        let units = u64::from(self.word(body, 4)) << 32 | u64::from(self.word(body, 8));
        Some(Frame {
            at: described.time(units)?,
            link: described.link,
            interface: self.before + interface,
            octets: body.get(20..)?.get(..usize::try_from(kept).ok()?)?,
            length: self.word(body, 16),
        })
    }

    fn describe(&mut self, body: &[u8], take: &mut dyn FnMut(Record<'_>)) -> Option<()> {
        let mut interface = Interface {
            link: Link(self.half(body, 0)),
            units_per_second: 1_000_000,
            offset_seconds: 0,
        };
        let mut name = None;
        let mut options = body.get(8..)?;
        while options.len() >= 4 {
            let (code, length) = (self.half(options, 0), usize::from(self.half(options, 2)));
            let value = options.get(4..4 + length)?;
            match (code, value) {
                (0, _) => break,
                (OPTION_NAME, _) => name = std::str::from_utf8(value).ok(),
                (OPTION_RESOLUTION, [written]) => {
                    interface.units_per_second = resolution(*written)?;
                }
                (OPTION_OFFSET, _) => interface.offset_seconds = self.long(value),
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        }
        let index = self.before + u32::try_from(self.interfaces.len()).ok()?;
        self.interfaces.push(interface);
        take(Record::Interface { index, name });
        Some(())
    }

    fn long(&self, octets: &[u8]) -> i64 {
        let octets = octets.first_chunk().copied().unwrap_or_default();
        if self.big_endian {
            i64::from_be_bytes(octets)
        } else {
            i64::from_le_bytes(octets)
        }
    }
}

impl Interface {
    /// ns since 1970 of a count of its units.
    #[inline]
    fn time(&self, units: u64) -> Option<i64> {
        let ns = match self.units_per_second {
            1_000_000_000 => i64::try_from(units).ok()?,
            1_000_000 => i64::try_from(units.checked_mul(1000)?).ok()?,
            rate => i64::try_from(u128::from(units) * 1_000_000_000 / u128::from(rate)).ok()?,
        };
        ns.checked_add(self.offset_seconds.checked_mul(1_000_000_000)?)
    }
}

/// Units a second by `if_tsresol`: a power of 10, or of 2 when the highest bit is set.
fn resolution(written: u8) -> Option<u64> {
    let power = u32::from(written & 0x7f);
    if written & 0x80 == 0 {
        10_u64.checked_pow(power)
    } else {
        2_u64.checked_pow(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_powers_of_10_or_of_2() {
        assert_eq!(resolution(6), Some(1_000_000));
        assert_eq!(resolution(9), Some(1_000_000_000));
        assert_eq!(resolution(0x8a), Some(1024));
        assert_eq!(resolution(20), None, "10^20 units do not fit");
    }

    #[test]
    fn time_is_counted_in_the_interface_s_units_from_its_offset() {
        let interface = Interface {
            link: Link::ETHERNET,
            units_per_second: 1024,
            offset_seconds: 10,
        };
        assert_eq!(interface.time(1536), Some(11_500_000_000));
    }
}
