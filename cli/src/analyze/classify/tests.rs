use super::*;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn between(ports: (u16, u16), payload: &[u8]) -> Datagram<'_> {
    Datagram {
        source: ([192, 0, 2, 1], ports.0).into(),
        destination: ([192, 0, 2, 2], ports.1).into(),
        payload,
        length: payload.len(),
        nic_octets: 0,
        dscp: 0,
    }
}

/// What a datagram between two ports of no meaning looks like.
fn name(payload: &[u8]) -> String {
    named((16_384, 16_400), payload)
}

fn named(ports: (u16, u16), payload: &[u8]) -> String {
    match classify(&between(ports, payload)) {
        Kind::Rtp(rtp) => format!("RTP {}", rtp.payload_type()),
        Kind::Rtcp(_) => "RTCP".to_owned(),
        Kind::Sip(_) => "SIP".to_owned(),
        Kind::Other(name) => name.to_owned(),
    }
}

/// A header of RTP with this second octet, and 20 octets of payload.
fn rtp(second: u8) -> Vec<u8> {
    let mut octets = vec![0x80, second, 0, 9, 0, 0, 0, 160, 1, 2, 3, 4];
    octets.extend([0xff; 20]);
    octets
}

#[test]
fn every_payload_type_is_rtp_but_those_that_rtcp_looks_like() {
    for payload_type in 0..128_u8 {
        for marker in [0, 0x80] {
            let found = name(&rtp(marker | payload_type));
            let rtp = format!("RTP {payload_type}");
            // RFC 5761 4: 64 to 95 with the marker are RTCP's 192 to 223, whose length would be 9 words here: too many.
            let expected = if (64..=95).contains(&payload_type) {
                UNKNOWN
            } else {
                &rtp
            };
            assert_eq!(found, expected, "marker {marker:#x}");
        }
    }
}

/// RFC 3550 6.4.1, RFC 3611, RFC 4585: on a port of its own or that of its media, the packet type tells.
#[test]
fn rtcp_is_told_from_rtp_on_the_same_port() {
    for (packet_type, words) in [
        (200, 6),
        (201, 7),
        (202, 2),
        (203, 1),
        (204, 2),
        (205, 3),
        (206, 2),
        (207, 10),
    ] {
        let mut octets = vec![0x81, packet_type, 0, words];
        octets.resize((usize::from(words) + 1) * 4, 0x55);
        assert_eq!(name(&octets), "RTCP", "type {packet_type}");
        let compound = [octets.as_slice(), &octets].concat();
        assert_eq!(name(&compound), "RTCP", "two of type {packet_type}");
    }
    let cut = Datagram {
        length: 28,
        ..between((16_385, 16_401), &[0x80, 200, 0, 6, 1, 2, 3, 4])
    };
    assert!(
        matches!(classify(&cut), Kind::Rtcp(_)),
        "cut by its capture"
    );
}

/// A binding request (RFC 8489 5) and its answer; with the marker of RTP's version it would be another message.
#[test]
fn stun_is_told_by_its_cookie() {
    let message = |kind: [u8; 2]| {
        let mut octets = [&kind[..], &[0, 0, 0x21, 0x12, 0xa4, 0x42]].concat();
        octets.extend(1..=12);
        octets
    };
    assert_eq!(name(&message([0, 1])), "STUN");
    assert_eq!(name(&message([1, 1])), "STUN");
    assert_eq!(name(&message([0x40, 1])), UNKNOWN, "a TURN channel");
}

/// A client hello of version 1.2 (RFC 9147: 0xfefd) is a handshake, 22; 20 to 23 and 25 are the others.
#[test]
fn dtls_is_told_by_its_content_type_and_version() {
    for content_type in [20, 21, 22, 23, 25] {
        let record = [
            content_type,
            0xfe,
            0xfd,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            50,
            1,
            0,
        ];
        assert_eq!(name(&record), "DTLS");
    }
    assert_eq!(
        name(&[22, 3, 3, 0, 50, 1, 0]),
        UNKNOWN,
        "TLS has other versions"
    );
}

/// Whatever the identification: RTP's version may stand in its first octet.
#[test]
fn dns_is_told_by_its_port() {
    let mut query = vec![0x80, 0x08, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend(b"\x07example\x03com\0\0\x01\0\x01");
    assert_eq!(named((40_000, 53), &query), "DNS");
    assert_eq!(named((53, 40_000), &query), "DNS");
    assert_eq!(named((5353, 5353), &query), "mDNS");
    assert_eq!(named((123, 123), &rtp(0)), "NTP");
}

/// RFC 9000 17: the first octet of a long header is 0xc0 and above, that of a short one 0x40 to 0x7f.
#[test]
fn quic_is_no_rtp() {
    for first in [0xc0, 0xcf, 0xd3, 0xe0, 0xff, 0x40, 0x5a, 0x7f] {
        let mut octets = rtp(0);
        octets[0] = first;
        assert_eq!(named((40_000, 443), &octets), "QUIC", "{first:#x}");
        assert_eq!(name(&octets), UNKNOWN, "{first:#x} on another port");
    }
}

#[test]
fn sip_is_told_by_its_first_line() {
    for message in [
        "INVITE sip:1@192.0.2.2 SIP/2.0\r\nVia: x",
        "SIP/2.0 200 OK\r\nVia: x",
        "OPTIONS sip:192.0.2.2 SIP/2.0\nVia: x",
    ] {
        assert_eq!(name(message.as_bytes()), "SIP", "{message}");
    }
    assert_eq!(name(b"NOTIFY * HTTP/1.1\r\n"), UNKNOWN);
    assert_eq!(named((1900, 1900), b"NOTIFY * HTTP/1.1\r\n"), "SSDP");
}

/// Of random datagrams a quarter have RTP's version, of those three quarters a payload type that RTCP does not look
/// like; an extension fits hardly ever, sources and padding mostly: one in twenty is left. What follows must tell.
#[test]
fn random_datagrams_without_the_version_are_never_rtp() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut like_rtp = 0;
    for _ in 0..100_000 {
        let octets: Vec<u8> = (0..random.random_range(0..200))
            .map(|_| random.random())
            .collect();
        if let Kind::Rtp(_) = classify(&between((16_384, 16_400), &octets)) {
            assert_eq!(octets[0] >> 6, 2);
            like_rtp += 1;
        }
    }
    assert!((3_000..=8_000).contains(&like_rtp), "{like_rtp} of 100,000");
}

proptest! {
    #[test]
    fn any_datagram_is_something(payload in prop::collection::vec(any::<u8>(), 0..100), missing in 0_usize..2000, ports: (u16, u16)) {
        let datagram = Datagram { length: payload.len() + missing, ..between(ports, &payload) };
        if let Kind::Rtp(rtp) = classify(&datagram) {
            prop_assert!(payload.len() >= 12 && rtp.payload().len() <= payload.len());
        }
    }
}
