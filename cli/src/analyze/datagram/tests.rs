//! Frames that the tests write octet by octet.

mod fragmented;

use super::super::capture::Link;
use super::*;
use proptest::prelude::*;

/// A UDP datagram from port 16384 to 16400, without a checksum.
fn udp_of(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 8).unwrap();
    let mut octets = vec![0x40, 0, 0x40, 0x10];
    octets.extend(length.to_be_bytes());
    octets.extend([0, 0]);
    octets.extend(payload);
    octets
}

/// An IPv4 packet of UDP from 192.0.2.1 to 192.0.2.2, marked EF. `fragment` is the half with flags and offset.
fn ipv4_of(id: u16, fragment: u16, options: &[u8], payload: &[u8]) -> Vec<u8> {
    let words = u8::try_from(5 + options.len() / 4).unwrap();
    let total = u16::try_from(20 + options.len() + payload.len()).unwrap();
    let mut octets = vec![0x40 | words, 46 << 2];
    octets.extend([total, id, fragment].map(u16::to_be_bytes).as_flattened());
    octets.extend([64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
    octets.extend(options);
    octets.extend(payload);
    octets
}

/// An IPv6 packet from `2001:db8::1` to `2001:db8::2`, marked EF; `next` is the first header's number.
fn ipv6_of(next: u8, payload: &[u8]) -> Vec<u8> {
    let address = |last| [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last];
    // Version 6, traffic class 46 << 2, no flow label.
    let mut octets = vec![0x6b, 0x80, 0, 0];
    octets.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
    octets.extend([next, 64]);
    octets.extend([address(1), address(2)].as_flattened());
    octets.extend(payload);
    octets
}

fn whole(link: Link, octets: &[u8]) -> Frame<'_> {
    Frame {
        at: 0,
        link,
        interface: 0,
        octets,
        length: u32::try_from(octets.len()).unwrap(),
    }
}

/// What a frame holds: payload, its length on the wire, what a NIC counts; else the name.
fn content(frame: &Frame<'_>) -> Result<(Vec<u8>, usize, u32), &'static str> {
    match Datagrams::default().take(frame) {
        Content::Udp(datagram) => Ok((
            datagram.payload.to_vec(),
            datagram.length,
            datagram.nic_octets,
        )),
        Content::Fragment => Err("fragment"),
        Content::Other(name) => Err(name),
    }
}

#[track_caller]
fn check_found(link: Link, before: &[u8], packet: &[u8], payload: &[u8]) {
    let octets = [before, packet].concat();
    let nic_octets = u32::try_from(packet.len() + 14).unwrap();
    assert_eq!(
        content(&whole(link, &octets)),
        Ok((payload.to_vec(), payload.len(), nic_octets)),
        "{link:?} {before:?}"
    );
}

#[test]
fn a_datagram_has_its_addresses_its_marking_and_its_lengths() {
    let octets = ipv4_of(1, 0, &[], &udp_of(b"abc"));
    let mut datagrams = Datagrams::default();
    let expected = Datagram {
        source: "192.0.2.1:16384".parse().unwrap(),
        destination: "192.0.2.2:16400".parse().unwrap(),
        payload: b"abc",
        length: 3,
        // 20 + 8 + 3, and 14.
        nic_octets: 45,
        dscp: 46,
    };
    assert_eq!(
        datagrams.take(&whole(Link::RAW, &octets)),
        Content::Udp(expected)
    );
    let octets = ipv6_of(17, &udp_of(b"abc"));
    let expected = Datagram {
        source: "[2001:db8::1]:16384".parse().unwrap(),
        destination: "[2001:db8::2]:16400".parse().unwrap(),
        nic_octets: 65,
        ..expected
    };
    assert_eq!(
        datagrams.take(&whole(Link::RAW, &octets)),
        Content::Udp(expected)
    );
}

/// Headers before an IP packet by link type: those of Ethernet end with the type, tags stand before it; cooked ones
/// have it last (version 1) or first (version 2); loopback ones hold the address family, 2 for IPv4 and 24, 28 or 30
/// for IPv6, in the order of the machine that captured.
#[test]
fn it_is_found_behind_every_link_header() {
    let tag = |kind: [u8; 2]| [&kind[..], &[0, 5]].concat();
    let [customer, service, older] = [[0x81, 0], [0x88, 0xa8], [0x91, 0]].map(tag);
    let ethernet = |tags: &[u8], kind: [u8; 2]| [&[2; 12][..], tags, &kind].concat();
    let (v4, v6) = (
        ipv4_of(1, 0, &[], &udp_of(b"abc")),
        ipv6_of(17, &udp_of(b"abc")),
    );
    for (packet, kind, families) in [(&v4, [8, 0], &[2][..]), (&v6, [0x86, 0xdd], &[24, 28, 30])] {
        let found = |link, before: &[u8]| check_found(link, before, packet, b"abc");
        found(Link::ETHERNET, &ethernet(&[], kind));
        found(Link::ETHERNET, &ethernet(&customer, kind));
        found(Link::ETHERNET, &ethernet(&older, kind));
        let stacked = [&service[..], &customer].concat();
        found(Link::ETHERNET, &ethernet(&stacked, kind));
        found(Link::LINUX_SLL, &[&[0; 14][..], &kind].concat());
        found(Link::LINUX_SLL2, &[&kind[..], &[0; 18]].concat());
        for raw in [Link::RAW, Link(12), Link(14)] {
            found(raw, &[]);
        }
        for family in families {
            found(Link::NULL, &[*family, 0, 0, 0]);
            found(Link::NULL, &[0, 0, 0, *family]);
            found(Link::LOOP, &[0, 0, 0, *family]);
        }
    }
    check_found(Link::IPV4, &[], &v4, b"abc");
    check_found(Link::IPV6, &[], &v6, b"abc");
}

#[test]
fn options_of_ipv4_are_no_payload() {
    let router_alert = [0x94, 4, 0, 0, 1, 1, 1, 0];
    let packet = ipv4_of(1, 0, &router_alert, &udp_of(b"abc"));
    assert_eq!(packet[0], 0x47, "seven words");
    check_found(Link::RAW, &[], &packet, b"abc");
    let most = ipv4_of(1, 0, &[1; 40], &udp_of(b"abc"));
    check_found(Link::RAW, &[], &most, b"abc");
}

/// Hop by hop (0), routing (43) and destination options (60) count in 8 octets beyond the first 8, authentication (51)
/// in 4 beyond the first 8.
#[test]
fn extension_headers_of_ipv6_are_no_payload() {
    let udp = udp_of(b"abc");
    let chain = |headers: &[&[u8]]| [headers, &[&udp]].concat().concat();
    let hop_by_hop = |next| [next, 0, 1, 4, 0, 0, 0, 0];
    let routing = |next| [&[next, 2, 0, 0][..], &[0; 20]].concat();
    let options = |next| [&[next, 1, 1, 12][..], &[0; 12]].concat();
    let authentication = |next| [&[next, 4, 0, 0][..], &[0; 20]].concat();
    // Not more, at offset 0: a packet that was not fragmented (RFC 6946).
    let fragment = |next| [next, 0, 0, 0, 0, 0, 0, 9];
    let found = |first, headers: &[&[u8]]| {
        check_found(Link::RAW, &[], &ipv6_of(first, &chain(headers)), b"abc");
    };
    found(0, &[&hop_by_hop(17)]);
    found(43, &[&routing(17)]);
    found(60, &[&options(17)]);
    found(51, &[&authentication(17)]);
    found(44, &[&fragment(17)]);
    found(
        0,
        &[
            &hop_by_hop(60),
            &options(43),
            &routing(44),
            &fragment(51),
            &authentication(17),
        ],
    );
    let endless = chain(&[&hop_by_hop(0).repeat(9)]);
    assert_eq!(
        content(&whole(Link::RAW, &ipv6_of(0, &endless))),
        Err("damaged IPv6")
    );
}

/// A frame of at least 60 octets: what Ethernet adds to a short packet is not its payload.
#[test]
fn padding_of_ethernet_is_no_payload() {
    let mut octets = [&[2; 12][..], &[8, 0], &ipv4_of(1, 0, &[], &udp_of(b"ab"))].concat();
    octets.resize(60, 0xee);
    // 20 + 8 + 2 and 14, whatever the frame had.
    assert_eq!(
        content(&whole(Link::ETHERNET, &octets)),
        Ok((b"ab".to_vec(), 2, 44))
    );
}

/// Left to the network card: lengths of 0 in both headers, as the frame has them.
#[test]
fn a_length_of_0_is_as_long_as_the_frame() {
    let mut packet = ipv4_of(1, 0, &[], &udp_of(b"abcd"));
    packet[2..4].fill(0);
    packet[24..26].fill(0);
    check_found(Link::RAW, &[], &packet, b"abcd");
}

/// 172 octets of payload: Ethernet's header ends at 14, that of IP at 34, that of UDP at 42.
#[test]
fn a_frame_cut_by_the_capture_keeps_what_there_is_and_knows_what_there_was() {
    let payload: Vec<u8> = (0..172).collect();
    let octets = [
        &[2; 12][..],
        &[8, 0],
        &ipv4_of(1, 0, &[], &udp_of(&payload)),
    ]
    .concat();
    for kept in 0..octets.len() {
        let frame = Frame {
            octets: &octets[..kept],
            ..whole(Link::ETHERNET, &octets)
        };
        let expected = match kept {
            0..14 => Err("cut short before its IP header"),
            14..34 => Err("damaged IPv4"),
            34..42 => Err("damaged UDP"),
            _ => Ok((payload[..kept - 42].to_vec(), 172, 214)),
        };
        assert_eq!(content(&frame), expected, "{kept} octets");
    }
}

#[test]
fn what_is_no_datagram_is_named() {
    let ethernet = |kind: [u8; 2]| [&[2; 12][..], &kind, &[0; 46]].concat();
    let protocol = |number: u8| {
        let mut packet = ipv4_of(1, 0, &[], &[0; 20]);
        packet[9] = number;
        [&[2; 12][..], &[8, 0], &packet].concat()
    };
    for (octets, name) in [
        (ethernet([0x08, 0x06]), "ARP"),
        (ethernet([0x88, 0xcc]), "LLDP"),
        (ethernet([0x00, 0x26]), "LLC, such as spanning tree"),
        (ethernet([0x12, 0x34]), "other Ethernet"),
        // Nothing but zeros: header 0 after header 0.
        (ethernet([0x86, 0xdd]), "damaged IPv6"),
        (protocol(6), "TCP"),
        (protocol(1), "ICMP"),
        (protocol(132), "SCTP"),
        (protocol(200), "other IP"),
    ] {
        assert_eq!(content(&whole(Link::ETHERNET, &octets)), Err(name));
    }
    assert_eq!(
        content(&whole(Link(147), &[0; 60])),
        Err("a link type that is not read")
    );
    assert_eq!(content(&whole(Link::RAW, &[0; 60])), Err("no IP"));
}

proptest! {
    #[test]
    fn any_octets_are_looked_into_without_panic(
        link in prop::sample::select(vec![0_u16, 1, 12, 14, 101, 108, 113, 228, 229, 276, 999]),
        frames in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..120), any::<u32>()), 1..8),
        version in prop::sample::select(vec![None, Some(0x45_u8), Some(0x60)]),
    ) {
        let mut datagrams = Datagrams::default();
        for (mut octets, length) in frames {
            if let (Some(version), Some(first)) = (version, octets.first_mut()) {
                *first = version;
            }
            let frame = Frame { length, ..whole(Link(link), &octets) };
            if let Content::Udp(datagram) = datagrams.take(&frame) {
                prop_assert!(datagram.payload.len() <= datagram.length);
            }
        }
    }
}
