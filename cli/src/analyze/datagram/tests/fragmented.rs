//! Datagrams that came in parts.

use super::*;

/// 172 octets of payload: 180 of UDP, in parts of 64, 64 and 52.
fn payload() -> Vec<u8> {
    (0..172).collect()
}

/// A part of `udp`, as a frame.
fn part(of: &Version, udp: &[u8], from: usize, to: usize) -> Vec<u8> {
    let more = to < udp.len();
    let (eighths, octets) = (u16::try_from(from / 8).unwrap(), &udp[from..to]);
    match of {
        Version::Four(id) => ipv4_of(*id, u16::from(more) << 13 | eighths, &[], octets),
        Version::Six(id) => {
            let place = eighths << 3 | u16::from(more);
            let mut header = vec![17, 0];
            header.extend(place.to_be_bytes());
            header.extend(u32::from(*id).to_be_bytes());
            ipv6_of(44, &[&header, octets].concat())
        }
    }
}

/// Version of IP, and identification.
enum Version {
    Four(u16),
    Six(u16),
}

fn thirds(of: &Version) -> [Vec<u8>; 3] {
    let udp = udp_of(&payload());
    [(0, 64), (64, 128), (128, 180)].map(|(from, to)| part(of, &udp, from, to))
}

/// What came of each frame in turn: the payload's length where a datagram became whole.
fn taken(datagrams: &mut Datagrams, frames: &[&[u8]]) -> Vec<Option<(usize, u32)>> {
    let take = |octets: &&[u8]| match datagrams.take(&whole(Link::RAW, octets)) {
        Content::Udp(datagram) => {
            assert_eq!(datagram.payload, payload());
            Some((datagram.length, datagram.nic_octets))
        }
        Content::Fragment => None,
        Content::Other(name) => panic!("{name}"),
    };
    frames.iter().map(take).collect()
}

/// A NIC counts each part with its own header: 180 octets and 3 x (20 + 14), with IPv6 3 x (40 + 8 + 14).
#[test]
fn parts_in_any_order_make_the_datagram_with_the_last_that_comes() {
    for (version, nic_octets) in [(Version::Four(7), 282), (Version::Six(7), 366)] {
        let parts = thirds(&version);
        for order in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            let mut datagrams = Datagrams::default();
            let frames = order.map(|place| &*parts[place]);
            let expected = [None, None, Some((172, nic_octets))];
            assert_eq!(taken(&mut datagrams, &frames), expected, "{order:?}");
            assert_eq!(datagrams.lost_fragments(), 0);
        }
    }
}

#[test]
fn parts_of_several_datagrams_may_come_mixed() {
    let (first, second, third) = (
        thirds(&Version::Four(1)),
        thirds(&Version::Four(2)),
        thirds(&Version::Six(1)),
    );
    let mut datagrams = Datagrams::default();
    let frames = [
        &first[0], &second[0], &third[2], &second[1], &first[1], &third[0], &first[2], &second[2],
        &third[1],
    ];
    let whole = taken(&mut datagrams, &frames.map(|frame| &**frame));
    let at: Vec<_> = (0..9).filter(|place| whole[*place].is_some()).collect();
    assert_eq!(at, [6, 7, 8]);
    assert_eq!(datagrams.lost_fragments(), 0);
}

#[test]
fn a_datagram_without_all_its_parts_is_none_and_its_parts_are_counted() {
    for missing in 0..3 {
        let parts = thirds(&Version::Six(7));
        let there: Vec<&[u8]> = (0..3)
            .filter(|place| *place != missing)
            .map(|place| &*parts[place])
            .collect();
        let mut datagrams = Datagrams::default();
        assert_eq!(taken(&mut datagrams, &there), [None, None]);
        assert_eq!(datagrams.lost_fragments(), 2, "without part {missing}");
    }
}

/// RFC 5722: nobody can hide a packet behind another.
#[test]
fn parts_that_overlap_are_refused_with_all_of_their_datagram() {
    let udp = udp_of(&payload());
    for (from, to) in [(56, 120), (0, 64), (64, 180), (120, 180)] {
        let version = Version::Four(7);
        let frames = [
            part(&version, &udp, 0, 64),
            part(&version, &udp, 64, 128),
            part(&version, &udp, from, to),
        ];
        let mut datagrams = Datagrams::default();
        let frames: Vec<&[u8]> = frames.iter().map(|frame| &**frame).collect();
        assert_eq!(taken(&mut datagrams, &frames), [None; 3], "{from} to {to}");
        assert_eq!(datagrams.lost_fragments(), 3);
    }
}

/// Each is a part that cannot be one: of no octets, no whole eighths before others, beyond 65,535 octets, or itself
/// cut by the capture.
#[test]
fn parts_that_cannot_be_are_refused() {
    let cut = {
        let mut octets = ipv4_of(7, 0x2000, &[], &[0; 64]);
        octets.truncate(50);
        octets
    };
    for octets in [
        ipv4_of(7, 0x2000, &[], &[]),
        ipv4_of(7, 0x2000, &[], &[0; 60]),
        ipv4_of(7, 0x1fff, &[], &[0; 64]),
        cut,
    ] {
        let frame = Frame {
            length: 200,
            ..whole(Link::RAW, &octets)
        };
        let mut datagrams = Datagrams::default();
        for _ in 0..1000 {
            assert_eq!(datagrams.take(&frame), Content::Fragment);
        }
        assert_eq!(datagrams.lost_fragments(), 1000);
        assert_eq!(datagrams.waiting_octets(), 0);
    }
}

/// What stands at the front of a later part is payload, even where it looks like a header.
#[test]
fn a_later_part_holds_no_extension_headers() {
    let looks_like_options_before_udp = [17, 0, 1, 4, 0, 0, 0, 0, 1, 2, 3, 4];
    let later = [
        &[60, 0, 0, 16, 0, 0, 0, 9][..],
        &looks_like_options_before_udp,
    ]
    .concat();
    assert_eq!(
        content(&whole(Link::RAW, &ipv6_of(44, &later))),
        Err("other IP")
    );
}

/// 100,000 datagrams of which only the first part comes: no more wait than may, and the latest are among them.
#[test]
fn datagrams_that_never_become_whole_take_bounded_memory() {
    let mut datagrams = Datagrams::default();
    for id in 0..50_000_u16 {
        for version in [Version::Four(id), Version::Six(id)] {
            let frame = &thirds(&version)[0];
            assert_eq!(datagrams.take(&whole(Link::RAW, frame)), Content::Fragment);
            assert!(datagrams.waiting_octets() <= OPEN_MAX * 64);
        }
    }
    assert_eq!(datagrams.lost_fragments(), 100_000);
    let [_, second, third] = thirds(&Version::Four(49_999));
    let last = taken(&mut datagrams, &[&second, &third]);
    assert_eq!(last, [None, Some((172, 282))]);
    assert_eq!(datagrams.lost_fragments(), 99_999);
}
