//! The newer format.

use super::*;

/// Type, length, body padded to whole words, length.
pub(super) fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = u32::try_from(padded + 12).unwrap();
    let mut block = order.words(&[kind, length]);
    block.extend(body);
    block.resize(8 + padded, 0);
    block.extend(order.words(&[length]));
    block
}

pub(super) fn section(order: Order) -> Vec<u8> {
    let mut body = order.words(&[0x1a2b_3c4d]);
    body.extend([order.half(1), order.half(0)].as_flattened());
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// An option: code, length, value padded.
fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    let mut option = [order.half(code), order.half(length)]
        .as_flattened()
        .to_vec();
    option.extend(value);
    option.resize(4 + value.len().next_multiple_of(4), 0);
    option
}

fn interface(order: Order, link: u16, options: &[Vec<u8>]) -> Vec<u8> {
    let mut body = [order.half(link), order.half(0)].as_flattened().to_vec();
    body.extend(order.words(&[0]));
    body.extend(options.concat());
    block(order, 1, &body)
}

/// An enhanced packet block.
fn packet(order: Order, interface: u32, units: u64, octets: &[u8]) -> Vec<u8> {
    let length = u32::try_from(octets.len()).unwrap();
    let [high, low] = [units >> 32, units & 0xffff_ffff].map(|half| u32::try_from(half).unwrap());
    let mut body = order.words(&[interface, high, low, length, length + 100]);
    body.extend(octets);
    block(order, 6, &body)
}

/// A section and an interface that counts ns.
pub(super) fn begun() -> Vec<u8> {
    let ns = option(Order::Little, 9, &[9]);
    [section(Order::Little), interface(Order::Little, 1, &[ns])].concat()
}

/// Frames of four octets, ns after 1970.
pub(super) fn of_stamps(ns: &[u64]) -> Vec<u8> {
    let packets = ns
        .iter()
        .map(|ns| packet(Order::Little, 0, *ns, &[0xff; 4]));
    begun().into_iter().chain(packets.flatten()).collect()
}

/// One day into 1970 by four clocks: us (by default), 10^-9, 2^-10 and, from an offset of 86,000 s, 10^-3.
#[test]
fn every_interface_counts_time_in_its_own_units_from_its_own_offset() {
    for order in Order::BOTH {
        let offset = match order {
            Order::Little => 86_000_u64.to_le_bytes(),
            Order::Big => 86_000_u64.to_be_bytes(),
        };
        let mut capture = section(order);
        capture.extend(interface(order, 1, &[]));
        capture.extend(interface(order, 101, &[option(order, 9, &[9])]));
        capture.extend(interface(order, 113, &[option(order, 9, &[0x8a])]));
        let late = [option(order, 9, &[3]), option(order, 14, &offset)];
        capture.extend(interface(order, 276, &late));
        capture.extend(packet(order, 3, 400_250, b"d"));
        capture.extend(packet(order, 2, 86_400 * 1024 + 256, b"c"));
        capture.extend(packet(order, 1, 86_400_250_000_001, b"b"));
        capture.extend(packet(order, 0, 86_400_250_001, b"a"));
        let (frames, end) = frames_of(&capture);
        assert!(end.error.is_none(), "{end:?}");
        let at = 86_400_250_000_000;
        let found: Vec<_> = frames
            .iter()
            .map(|frame| (frame.interface, frame.link.0, frame.at, frame.octets[0]))
            .collect();
        let expected = [
            (3, 276, at, b'd'),
            (2, 113, at, b'c'),
            (1, 101, at + 1, b'b'),
            (0, 1, at + 1000, b'a'),
        ];
        assert_eq!(found, expected, "{order:?}");
        assert_eq!(frames[0].length, 101);
        assert_eq!(end.clock_steps_back, 0, "each interface has its own clock");
    }
}

#[test]
fn interfaces_are_told_with_their_names_and_numbered_on_over_sections_of_either_byte_order() {
    let mut capture = section(Order::Big);
    capture.extend(interface(Order::Big, 1, &[option(Order::Big, 2, b"eth0")]));
    capture.extend(packet(Order::Big, 0, 7, b"a"));
    capture.extend(section(Order::Little));
    let named = [
        option(Order::Little, 9, &[9]),
        option(Order::Little, 2, b"wlan0"),
    ];
    capture.extend(interface(Order::Little, 1, &[]));
    capture.extend(interface(Order::Little, 1, &named));
    capture.extend(packet(Order::Little, 1, 7, b"b"));
    let mut told = Vec::new();
    let end = read_octets(&capture, &mut |record| {
        told.push(match record {
            Record::Interface { index, name } => format!("{index} is {}", name.unwrap_or("-")),
            Record::Frame(frame) => format!("{} at {} ns", frame.interface, frame.at),
            Record::Custom(_) | Record::PacketNote(_) => panic!("there is none"),
        });
    });
    assert!(end.error.is_none());
    let expected = [
        "0 is eth0",
        "0 at 7000 ns",
        "1 is -",
        "2 is wlan0",
        "2 at 7 ns",
    ];
    assert_eq!(told, expected);
}

/// An obsolete packet block has two halves, interface and drops, where the enhanced one has a word.
#[test]
fn obsolete_packets_are_read_and_what_has_no_time_or_is_not_known_is_passed_over() {
    for order in Order::BOTH {
        let mut obsolete = [order.half(0), order.half(9)].as_flattened().to_vec();
        obsolete.extend(order.words(&[0, 77, 3, 60]));
        obsolete.extend(b"abc");
        let mut capture = section(order);
        capture.extend(interface(order, 1, &[option(order, 9, &[9])]));
        capture.extend(block(order, 3, &[order.words(&[60]), vec![0; 60]].concat()));
        capture.extend(block(order, 4, b"names"));
        capture.extend(block(order, 2, &obsolete));
        capture.extend(block(order, 0x7fff_0001, &[1; 40]));
        capture.extend(packet(order, 0, 78, b"d"));
        let (frames, end) = frames_of(&capture);
        assert!(end.error.is_none(), "{end:?}");
        let found: Vec<_> = frames
            .iter()
            .map(|frame| (frame.at, frame.length, &*frame.octets))
            .collect();
        assert_eq!(found, [(77, 60, &b"abc"[..]), (78, 101, b"d")]);
    }
}

#[test]
fn custom_blocks_of_our_own_are_handed_on_and_others_are_not() {
    let custom = |kind: u32, enterprise: u32, data: &[u8]| {
        let mut body = Order::Little.words(&[enterprise]);
        body.extend(data);
        block(Order::Little, kind, &body)
    };
    let mut capture = begun();
    capture.extend(custom(0xbad, 32_473, b"milliwattplan"));
    capture.extend(custom(0x4000_0bad, 32_473, b"milliwattledg"));
    capture.extend(custom(0xbad, 32_473, b"somebody's"));
    capture.extend(custom(0xbad, 1, b"milliwattplan"));
    capture.extend(custom(0xbad, 32_473, b""));
    let mut found = Vec::new();
    let end = read_octets(&capture, &mut |record| {
        if let Record::Custom(data) = record {
            found.push(data.to_vec());
        }
    });
    assert!(end.error.is_none());
    assert_eq!(
        found,
        [b"plan\0\0\0", b"ledg\0\0\0"],
        "with the block's padding"
    );
}

#[test]
fn cut_anywhere_it_is_read_up_to_there_and_says_so() {
    // 28 octets of section, 28 of interface, 36 a packet.
    let capture = of_stamps(&[1, 2, 3]);
    assert_eq!((begun().len(), capture.len()), (56, 56 + 3 * 36));
    for length in 4..56 {
        let (frames, end) = frames_of(&capture[..length]);
        assert_eq!(frames, []);
        assert_eq!(
            end.error.is_none(),
            length == 28,
            "{length} octets: {end:?}"
        );
    }
    check_each_cut(&capture, 56, &[92, 128, 164]);
}

/// What stands after a good frame, none of which can be.
#[test]
fn a_damaged_block_ends_the_reading_after_what_came_before() {
    let order = Order::Little;
    let other_length = {
        let mut block = packet(order, 0, 2, b"abcd");
        let last = block.len() - 4;
        block[last] += 4;
        block
    };
    let odd_length = order.words(&[6, 33, 0, 0, 0, 0, 0, 0, 33]);
    let short_length = order.words(&[6, 8, 0, 0]);
    let long_length = order.words(&[6, (16 << 20) + 4, 0, 0]);
    let no_interface = packet(order, 1, 2, b"abcd");
    let more_than_it_holds = block(order, 6, &order.words(&[0, 0, 2, 5, 5, 0]));
    let no_such_resolution = interface(order, 1, &[option(order, 9, &[20])]);
    let time_out_of_range = packet(order, 0, u64::MAX, b"abcd");
    let short_packet = block(order, 6, &order.words(&[0, 0]));
    let no_byte_order = {
        let mut section = section(order);
        section[8] = 0;
        section
    };
    for (what, damage) in [
        ("another length at its end", other_length),
        ("no whole words", odd_length),
        ("shorter than its frame", short_length),
        ("longer than any", long_length),
        ("an interface that was not described", no_interface),
        ("more octets than the block", more_than_it_holds),
        ("10^20 units a second", no_such_resolution),
        ("after 2262", time_out_of_range),
        ("a packet without its length", short_packet),
        ("a section without byte order", no_byte_order),
    ] {
        let mut capture = of_stamps(&[1]);
        capture.extend(damage);
        capture.extend(packet(order, 0, 3, b"efgh"));
        let (frames, end) = frames_of(&capture);
        assert_eq!(frames.len(), 1, "{what}");
        let is_told = matches!(end.error, Some(CaptureError::Damaged { frames: 1 }));
        assert!(is_told, "{what}: {end:?}");
    }
}
