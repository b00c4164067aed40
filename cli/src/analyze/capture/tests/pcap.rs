//! The older format.

use super::*;

/// Of the file's header, and of each frame's.
pub(super) const HEADER_OCTETS: usize = 24;
pub(super) const RECORD_OCTETS: usize = 16;

pub(super) fn header(order: Order, magic: u32, link: u32) -> Vec<u8> {
    let mut octets = order.words(&[magic]);
    octets.extend([order.half(2), order.half(4)].as_flattened());
    octets.extend(order.words(&[0, 0, 262_144, link]));
    octets
}

/// A frame that was `length` octets long, captured at 1,600,000,000 s and `units`.
pub(super) fn frame(order: Order, units: u32, octets: &[u8], length: u32) -> Vec<u8> {
    let kept = u32::try_from(octets.len()).unwrap();
    let mut frame = order.words(&[1_600_000_000, units, kept, length]);
    frame.extend(octets);
    frame
}

/// Frames of four octets, ns after 1970.
pub(super) fn of_stamps(ns: &[u32]) -> Vec<u8> {
    let mut capture = header(Order::Little, 0xa1b2_3c4d, 1);
    for ns in ns {
        capture.extend(Order::Little.words(&[0, *ns, 4, 4, 0xffff_ffff]));
    }
    capture
}

#[test]
fn the_magic_tells_byte_order_and_unit() {
    let us = 1_600_000_000_123_456_000;
    let ns = 1_600_000_000_000_123_456;
    for order in Order::BOTH {
        for (magic, at) in [(0xa1b2_c3d4, us), (0xa1b2_3c4d, ns)] {
            let mut capture = header(order, magic, 1);
            capture.extend(frame(order, 123_456, b"abcdef", 1514));
            let expected = Kept {
                at,
                link: Link::ETHERNET,
                interface: 0,
                octets: b"abcdef".to_vec(),
                length: 1514,
            };
            let (frames, end) = frames_of(&capture);
            assert_eq!(frames, [expected], "{order:?} {magic:x}");
            assert!(end.error.is_none());
        }
    }
}

/// Its frame headers have eight octets more: interface, protocol, kind.
#[test]
fn the_kuznetzov_variant_has_longer_frame_headers() {
    for order in Order::BOTH {
        let mut capture = header(order, 0xa1b2_cd34, 113);
        for octets in [b"abc", b"def"] {
            let mut frame = frame(order, 5, octets, 3);
            frame.splice(16..16, [0, 0, 0, 2, 8, 0, 4, 0]);
            capture.extend(frame);
        }
        let (frames, end) = frames_of(&capture);
        let octets: Vec<&[u8]> = frames.iter().map(|frame| &*frame.octets).collect();
        assert_eq!(octets, [b"abc", b"def"]);
        assert_eq!(frames[1].at, 1_600_000_000_000_005_000);
        assert_eq!(frames[1].link, Link::LINUX_SLL);
        assert!(end.error.is_none());
    }
}

#[test]
fn the_upper_half_of_the_link_type_tells_of_check_sequences() {
    let mut capture = header(Order::Big, 0xa1b2_c3d4, 0x2400_0114);
    capture.extend(frame(Order::Big, 0, &[], 60));
    let (frames, _) = frames_of(&capture);
    assert_eq!(frames[0].link, Link::LINUX_SLL2, "276 is 0x114");
    assert_eq!((frames[0].octets.len(), frames[0].length), (0, 60));
}

#[test]
fn no_packets_are_no_error() {
    let (frames, end) = frames_of(&of_stamps(&[]));
    assert_eq!(frames, []);
    assert!(end.error.is_none());
    assert_eq!((end.first_ns, end.last_ns), (None, None));
}

#[test]
fn cut_anywhere_it_is_read_up_to_there_and_says_so() {
    // 24 octets of header, 20 a frame.
    check_each_cut(&of_stamps(&[1, 2, 3]), 24, &[44, 64, 84]);
    for length in 1..24 {
        let said = refusal(&of_stamps(&[1])[..length]);
        let expected = if length < 4 {
            "shorter than a capture's header"
        } else {
            "cut off"
        };
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_frame_longer_than_any_is_damage() {
    let mut capture = of_stamps(&[1, 2]);
    capture.extend(Order::Little.words(&[0, 3, 8 << 20 | 1, 60]));
    let (frames, end) = frames_of(&capture);
    assert_eq!(frames.len(), 2);
    let said = end.error.map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("damaged after its frame 2"), "{said}");
}

#[test]
fn a_clock_that_goes_back_is_counted_and_read_on() {
    let (frames, end) = frames_of(&of_stamps(&[500, 700, 600, 600, 100, 900]));
    assert_eq!(frames.len(), 6);
    assert_eq!(end.clock_steps_back, 2, "700 to 600, 600 to 100");
    assert_eq!((end.first_ns, end.last_ns), (Some(500), Some(900)));
    assert!(end.error.is_none());
}
