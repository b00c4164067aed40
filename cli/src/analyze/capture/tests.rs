//! Captures that the tests write octet by octet.

mod pcap;
mod pcapng;

use super::*;
use proptest::prelude::*;
use std::cell::Cell;
use std::io::Write;

/// Byte order of a file, or of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    const BOTH: [Self; 2] = [Self::Little, Self::Big];

    fn half(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    fn words(self, values: &[u32]) -> Vec<u8> {
        let octets = |value: &u32| match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        };
        values.iter().flat_map(octets).collect()
    }
}

/// A frame as it was handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    at: i64,
    link: Link,
    interface: u32,
    octets: Vec<u8>,
    length: u32,
}

/// All frames of a capture, and how it ended.
fn frames_of(capture: &[u8]) -> (Vec<Kept>, CaptureEnd) {
    let mut frames = Vec::new();
    let end = read_octets(capture, &mut |record| {
        if let Record::Frame(frame) = record {
            frames.push(Kept {
                at: frame.at,
                link: frame.link,
                interface: frame.interface,
                octets: frame.octets.to_vec(),
                length: frame.length,
            });
        }
    });
    assert_eq!(end.frames, frames.len() as u64);
    (frames, end)
}

fn stamps(capture: &[u8]) -> Vec<i64> {
    frames_of(capture)
        .0
        .into_iter()
        .map(|frame| frame.at)
        .collect()
}

/// A capture that ends after each octet from its header on: `whole_at` are the lengths at which one frame more is
/// whole. Frames before the cut are handed on, and the cut is told.
#[track_caller]
fn check_each_cut(capture: &[u8], header: usize, whole_at: &[usize]) {
    for length in header..=capture.len() {
        let (frames, end) = frames_of(&capture[..length]);
        let whole = whole_at.iter().filter(|at| **at <= length).count();
        assert_eq!(frames.len(), whole, "of {length} octets");
        let is_whole = length == header || whole_at.contains(&length);
        match end.error {
            None => assert!(is_whole, "{length} octets are no whole file"),
            Some(CaptureError::CutOff { frames }) => {
                assert!(!is_whole, "{length} octets are a whole file");
                assert_eq!(frames, whole as u64);
            }
            Some(error) => panic!("{length} octets: {error}"),
        }
    }
}

#[track_caller]
fn refusal(octets: &[u8]) -> String {
    let (frames, end) = frames_of(octets);
    assert_eq!(frames, []);
    end.error.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_is_no_capture_is_told_with_what_it_may_be() {
    let told = [
        (&b""[..], "the file is empty"),
        (b"\xd4\xc3", "shorter than a capture's header"),
        (b"\x1f\x8b\x08\x00\x00", "gunzip it first"),
        (b"\x28\xb5\x2f\xfd\x04", "compressed with zstd"),
        (b"PK\x03\x04....", "a zip archive"),
        (
            b"RIFF\x24\0\0\0WAVEfmt ",
            "`milliwatt score` takes recordings",
        ),
        (b"no capture at all", "it looks like text"),
        (b"\x7fELF\x02\x01\x01", "its first octets are no capture's"),
    ];
    for (octets, words) in told {
        let said = refusal(octets);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_capture_that_grows_is_read_as_far_as_it_went_at_the_start() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&pcap::of_stamps(&[1, 2, 3])).unwrap();
    let more = pcap::frame(Order::Little, 9, &[0; 4], 4);
    let frames = Cell::new(0);
    let mut writer = file.reopen().unwrap();
    std::io::Seek::seek(&mut writer, std::io::SeekFrom::End(0)).unwrap();
    let end = read(file.path(), &mut |record| {
        if let Record::Frame(_) = record {
            frames.set(frames.get() + 1);
            writer.write_all(&more).unwrap();
        }
    });
    assert_eq!(frames.get(), 3, "what was added is not read");
    let said = end.error.map(|error| error.to_string()).unwrap_or_default();
    assert!(
        said.contains("still being written: read up to its frame 3"),
        "{said}"
    );
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("missing"), folder.path().to_path_buf()] {
        let end = read(&path, &mut |_| panic!("nothing is in it"));
        assert!(matches!(end.error, Some(CaptureError::File(_))), "{end:?}");
    }
}

/// Octets without end of which every length is the largest that there can be.
struct Endless {
    octets: u64,
}

impl std::io::Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        into.fill(0x7f);
        self.octets += into.len() as u64;
        Ok(into.len())
    }
}

/// Neither format is made to hold more than a block may have, whatever a length says.
#[test]
fn a_length_alone_takes_no_memory() {
    for begin in [pcap::header(Order::Little, 0xa1b2_c3d4, 1), pcapng::begun()] {
        let mut rest = Endless { octets: 0 };
        let end = read_from(
            Source::new(std::io::Read::chain(begin.as_slice(), &mut rest), None),
            &mut |_| (),
        );
        assert!(matches!(
            end.error,
            Some(CaptureError::Damaged { frames: 0 })
        ));
        assert!(
            rest.octets <= BLOCK_OCTETS_MAX as u64,
            "{} read",
            rest.octets
        );
    }
}

/// A reader that gives an octet at a time.
struct Trickle<'o>(&'o [u8]);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let one = into.len().min(1);
        std::io::Read::read(&mut self.0, &mut into[..one])
    }
}

#[test]
fn octets_that_come_one_by_one_are_read_as_those_that_come_at_once() {
    for capture in [pcap::of_stamps(&[1, 2, 3]), pcapng::of_stamps(&[1, 2, 3])] {
        let mut trickled = Vec::new();
        let end = read_from(Source::new(Trickle(&capture), None), &mut |record| {
            if let Record::Frame(frame) = record {
                trickled.push(frame.at);
            }
        });
        assert!(end.error.is_none());
        assert_eq!(trickled, stamps(&capture));
        assert_eq!(trickled, [1, 2, 3]);
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_without_panic(begin in 0_usize..6, octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let begins = [
            Vec::new(),
            pcap::header(Order::Little, 0xa1b2_c3d4, 1),
            pcap::header(Order::Big, 0xa1b2_cd34, 113),
            pcapng::begun(),
            pcapng::of_stamps(&[1]),
            pcapng::section(Order::Big),
        ];
        let capture = [&begins[begin], octets.as_slice()].concat();
        let (frames, _) = frames_of(&capture);
        let kept: usize = frames.iter().map(|frame| frame.octets.len()).sum();
        prop_assert!(kept <= capture.len());
    }

    /// A capture in which one octet is another: nothing worse than an end before its end. A length that fits by chance makes one
    /// frame of several, in which every octet of them still is.
    #[test]
    fn a_damaged_octet_makes_no_panic(place in 0_usize..300, octet: u8, pcapng: bool) {
        let mut capture = if pcapng { pcapng::of_stamps(&[1, 2, 3]) } else { pcap::of_stamps(&[1, 2, 3]) };
        let place = place % capture.len();
        capture[place] = octet;
        let (frames, end) = frames_of(&capture);
        prop_assert!(frames.len() <= 3);
        let read: usize = frames.iter().map(|frame| pcap::RECORD_OCTETS + frame.octets.len()).sum();
        let whole = pcap::HEADER_OCTETS + read == capture.len();
        prop_assert!(whole || end.error.is_some() || pcapng);
    }
}
