//! Capture files, pcap and pcapng: frames with their time and link type.

use pcap_parser::{Block, Linktype, PcapBlockOwned, PcapError, create_reader};
use std::fs::File;
use std::path::Path;

/// Room for the largest block of a capture: frames are below 256 KiB.
const BUFFER_OCTETS: usize = 4 << 20;

/// One frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f> {
    /// When it was captured, ns since 1970.
    pub at: i64,
    /// What its first octets are.
    pub link: Linktype,
    /// What was kept of it.
    pub octets: &'f [u8],
}

/// Why a capture could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It is something else.
    #[error("neither pcap nor pcapng")]
    NotACapture,
    /// It ends in the middle of a frame.
    #[error("cut off: read up to its frame {frames}")]
    CutOff {
        /// Frames before the end.
        frames: u64,
    },
    /// A block is not as it should be.
    #[error("damaged after its frame {frames}: read up to there")]
    Damaged {
        /// Frames before the damage.
        frames: u64,
    },
}

/// Hands every frame of a capture to `take`, in order. On an error what came before has been handed on.
pub fn read(path: &Path, mut take: impl FnMut(Frame<'_>)) -> Result<(), CaptureError> {
    let file = File::open(path)?;
    let mut reader = create_reader(BUFFER_OCTETS, file).map_err(|_| CaptureError::NotACapture)?;
    let mut clocks = Clocks::default();
    let mut frames = 0;
    loop {
        let used = match reader.next() {
            Ok((used, block)) => {
                if let Some(frame) = clocks.frame(&block) {
                    frames += 1;
                    take(frame);
                }
                used
            }
            Err(PcapError::Eof) => return Ok(()),
            Err(PcapError::Incomplete(_)) => {
                reader
                    .refill()
                    .map_err(|_| CaptureError::Damaged { frames })?;
                continue;
            }
            Err(PcapError::UnexpectedEof) => return Err(CaptureError::CutOff { frames }),
            Err(_) => return Err(CaptureError::Damaged { frames }),
        };
        reader.consume(used);
    }
}

/// How an interface tells time, and what its frames begin with.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Linktype,
    units_per_second: u64,
    offset_seconds: i64,
}

/// The interfaces of the section being read; a pcap file has one.
#[derive(Default)]
struct Clocks {
    interfaces: Vec<Interface>,
}

impl Clocks {
    /// Notes what a block says of interfaces, and gives the frame it holds, if it does.
    fn frame<'f>(&mut self, block: &'f PcapBlockOwned<'_>) -> Option<Frame<'f>> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                let units_per_second = if header.is_nanosecond_precision() {
                    1_000_000_000
                } else {
                    1_000_000
                };
                self.interfaces = vec![Interface {
                    link: header.network,
                    units_per_second,
                    offset_seconds: 0,
                }];
                None
            }
            PcapBlockOwned::Legacy(frame) => {
                let interface = self.interfaces.first()?;
                let units =
                    u64::from(frame.ts_sec) * interface.units_per_second + u64::from(frame.ts_usec);
                Some(Frame {
                    at: interface.time(units)?,
                    link: interface.link,
                    octets: frame.data,
                })
            }
            PcapBlockOwned::NG(block) => self.frame_of_section(block),
        }
    }

    fn frame_of_section<'f>(&mut self, block: &'f Block<'_>) -> Option<Frame<'f>> {
        match block {
            Block::SectionHeader(_) => self.interfaces.clear(),
            Block::InterfaceDescription(described) => self.interfaces.push(Interface {
                link: described.linktype,
                units_per_second: resolution(described.if_tsresol)?,
                offset_seconds: described.if_tsoffset,
            }),
            Block::EnhancedPacket(packet) => {
                let interface = self.interfaces.get(usize::try_from(packet.if_id).ok()?)?;
                let units = u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low);
                let octets = packet.data.get(..usize::try_from(packet.caplen).ok()?)?;
                return Some(Frame {
                    at: interface.time(units)?,
                    link: interface.link,
                    octets,
                });
            }
            _ => {}
        }
        None
    }
}

impl Interface {
    /// ns since 1970 of a count of its units.
    fn time(&self, units: u64) -> Option<i64> {
        let ns = u128::from(units) * 1_000_000_000 / u128::from(self.units_per_second);
        i64::try_from(ns)
            .ok()?
            .checked_add(self.offset_seconds.checked_mul(1_000_000_000)?)
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
            link: Linktype::ETHERNET,
            units_per_second: 1024,
            offset_seconds: 10,
        };
        assert_eq!(interface.time(1536), Some(11_500_000_000));
    }
}
