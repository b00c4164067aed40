//! Capture files, pcap and pcapng, read once from front to back in bounded memory. What came before an error
//! has always been handed on.

mod pcap;
mod pcapng;
mod source;

use source::{Source, SourceError};
use std::fs::File;
use std::path::Path;

/// A block beyond this is damage: the largest frame that capture programs write is 256 KiB.
pub const BLOCK_OCTETS_MAX: usize = 16 << 20;

/// What a frame's first octets are: a number of the tcpdump.org link-layer registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link(pub u16);

impl Link {
    /// BSD loopback, address family in the host's byte order.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// An IP packet.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback, address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// An IPv4 packet.
    pub const IPV4: Self = Self(228);
    /// An IPv6 packet.
    pub const IPV6: Self = Self(229);
    /// Linux cooked, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f> {
    /// When it was captured, ns since 1970.
    pub at: i64,
    /// What its first octets are.
    pub link: Link,
    /// Its interface: numbers are not used again in later sections of a file.
    pub interface: u32,
    /// What was kept of it.
    pub octets: &'f [u8],
    /// How long it was.
    pub length: u32,
}

/// What a capture holds.
#[derive(Clone, Copy, Debug)]
pub enum Record<'f> {
    /// A frame.
    Frame(Frame<'f>),
    /// An interface is described; its frames follow.
    Interface {
        /// Its number.
        index: u32,
        /// Its name, when it has one.
        name: Option<&'f str>,
    },
    /// A block of our own: what follows the magic.
    Custom(&'f [u8]),
    /// What stands in an option of our own of the frame that comes next.
    PacketNote(&'f [u8]),
}

/// Why a capture could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It is something else.
    #[error("neither pcap nor pcapng: {0}")]
    NotACapture(&'static str),
    /// Nothing is in it.
    #[error(
        "the file is empty; a capture has a header even before its first packet: copy it again, or capture again"
    )]
    Empty,
    /// It ends in the middle of a frame.
    #[error(
        "cut off: read up to its frame {frames}; copy it whole, or let the capturing program end first"
    )]
    CutOff {
        /// Frames before the end.
        frames: u64,
    },
    /// A block is not as it should be.
    #[error(
        "damaged after its frame {frames}: read up to there; copy it again from where it was captured"
    )]
    Damaged {
        /// Frames before the damage.
        frames: u64,
    },
    /// It became longer while it was read.
    #[error(
        "still being written: read up to its frame {frames}, as it was at the start; run again when the capture has ended"
    )]
    Grew {
        /// Frames read.
        frames: u64,
    },
}

/// How reading ended.
#[derive(Debug, Default)]
pub struct CaptureEnd {
    /// Frames read.
    pub frames: u64,
    /// First frame, ns since 1970.
    pub first_ns: Option<i64>,
    /// Last frame, ns since 1970.
    pub last_ns: Option<i64>,
    /// Frames stamped before the one that stands before them on the same interface.
    pub clock_steps_back: u64,
    /// Why not to the end.
    pub error: Option<CaptureError>,
}

/// Hands all that a capture holds to `take`, in order.
pub fn read(path: &Path, take: &mut dyn FnMut(Record<'_>)) -> CaptureEnd {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => {
            return CaptureEnd {
                error: Some(error.into()),
                ..CaptureEnd::default()
            };
        }
    };
    let length = |file: &File| {
        file.metadata()
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|m| m.len())
    };
    let at_start = length(&file);
    let mut end = read_from(Source::new(&file, at_start), take);
    let grew = at_start < length(&file);
    if grew && matches!(end.error, None | Some(CaptureError::CutOff { .. })) {
        end.error = Some(CaptureError::Grew { frames: end.frames });
    }
    end
}

/// The same of octets in memory.
pub fn read_octets(octets: &[u8], take: &mut dyn FnMut(Record<'_>)) -> CaptureEnd {
    read_from(Source::new(octets, None), take)
}

fn read_from(
    mut source: Source<impl std::io::Read>,
    take: &mut dyn FnMut(Record<'_>),
) -> CaptureEnd {
    let mut watch = Watch::default();
    let outcome = read_all(&mut source, &mut |record| {
        watch.note(&record);
        take(record);
    });
    let frames = watch.end.frames;
    watch.end.error = outcome.err().map(|fault| fault.at(frames));
    watch.end
}

fn read_all(
    source: &mut Source<impl std::io::Read>,
    take: &mut dyn FnMut(Record<'_>),
) -> Result<(), Fault> {
    let Some(first) = source
        .need(4)?
        .and_then(|octets| octets.first_chunk().copied())
    else {
        return Err(if source.available().is_empty() {
            Fault::Empty
        } else {
            Fault::NotACapture("shorter than a capture's header")
        });
    };
    if first == pcapng::SECTION {
        return pcapng::read(source, take);
    }
    match pcap::Format::of(first) {
        Some(format) => pcap::read(source, format, take),
        None => Err(Fault::NotACapture(guess(first))),
    }
}

/// What a file that is no capture may be.
fn guess(first: [u8; 4]) -> &'static str {
    match first {
        [0x1f, 0x8b, ..] => "it is compressed with gzip: gunzip it first",
        [0x28, 0xb5, 0x2f, 0xfd] => "it is compressed with zstd: unpack it first",
        [b'P', b'K', ..] => "it is a zip archive: unpack it first",
        [b'R', b'I', b'F', b'F'] => {
            "it is a RIFF file, such as WAV: `milliwatt score` takes recordings"
        }
        _ if first
            .iter()
            .all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace()) =>
        {
            "it looks like text"
        }
        _ => "its first octets are no capture's",
    }
}

/// Why reading stopped.
#[derive(Debug)]
enum Fault {
    File(std::io::Error),
    NotACapture(&'static str),
    Empty,
    CutOff,
    Damaged,
}

impl Fault {
    fn at(self, frames: u64) -> CaptureError {
        match self {
            Self::File(error) => CaptureError::File(error),
            Self::NotACapture(guess) => CaptureError::NotACapture(guess),
            Self::Empty => CaptureError::Empty,
            Self::CutOff => CaptureError::CutOff { frames },
            Self::Damaged => CaptureError::Damaged { frames },
        }
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::File(error) => Self::File(error),
            SourceError::TooLong => Self::Damaged,
        }
    }
}

/// Counts frames and looks at their stamps.
#[derive(Default)]
struct Watch {
    end: CaptureEnd,
    /// Last stamp of each interface.
    last: Vec<i64>,
}

impl Watch {
    fn note(&mut self, record: &Record<'_>) {
        let Record::Frame(frame) = record else { return };
        self.end.frames += 1;
        self.end.first_ns.get_or_insert(frame.at);
        self.end.last_ns = Some(frame.at);
        let interface = usize::try_from(frame.interface).unwrap_or(0);
        match self.last.get_mut(interface) {
            Some(last) => {
                self.end.clock_steps_back += u64::from(frame.at < *last);
                *last = frame.at;
            }
            // Interfaces are numbered in order, so this grows by few.
            None if interface < 65_536 => self.last.resize(interface + 1, frame.at),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
