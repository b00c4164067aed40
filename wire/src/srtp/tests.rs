//! Published vectors, an independent implementation on the other side, and what must hold of any packet.

use super::derivation::{Label, apply_key_stream, counter, derive};
use super::key::{MasterKey, MediaKeys};
use super::rtcp::{RtcpOpener, RtcpProtector};
use super::rtp::{Opened, RtpOpener, RtpProtector};
use super::{RTCP_GROWTH, RTP_GROWTH, Refused};
use crate::id::{CallId, Leg, Party, StreamId};
use aes::Aes128Enc;
use aes::cipher::KeyInit;
use proptest::prelude::*;
use webrtc_srtp::context::Context;
use webrtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use webrtc_srtp::protection_profile::ProtectionProfile;

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// The master key and salt of RFC 3711 B.3, and of libsrtp's own tests.
const MASTER: &str = "e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6";

fn master() -> MasterKey {
    MasterKey::from_octets(&octets(MASTER).try_into().unwrap())
}

/// RFC 3711 B.2: the key stream of one packet at its first blocks and where the counter's low octet wraps.
#[test]
fn the_key_stream_is_that_of_appendix_b_2() {
    let key: [u8; 16] = octets("2b7e151628aed2a6abf7158809cf4f3c")
        .try_into()
        .unwrap();
    let salt = octets("f0f1f2f3f4f5f6f7f8f9fafbfcfd").try_into().unwrap();
    let mut stream = vec![0; 1_044_512];
    let cipher = Aes128Enc::new(&key.into());
    apply_key_stream(&cipher, &counter(&salt, 0, 0), &mut stream);
    for (block, expected) in [
        (0, "e03ead0935c95e80e166b16dd92b4eb4"),
        (1, "d23513162b02d0f72a43a2fe4a5f97ab"),
        (2, "41e95b3bb0a2e8dd477901e4fca894c0"),
        (0xfeff, "ec8cdf7398607cb0f2d21675ea9ea1e4"),
        (0xff00, "362b7c3c6773516318a077d7fc5073ae"),
        (0xff01, "6a2cc3787889374fbeb4c81b17ba6c44"),
    ] {
        assert_eq!(stream[block * 16..][..16], octets(expected), "{block:x}");
    }
}

/// RFC 3711 B.3: session keys of a master key; the authentication key as long as it is printed there.
#[test]
fn session_keys_are_those_of_appendix_b_3() {
    let key: [u8; 16] = derive(&master(), Label::RtpEncryption);
    assert_eq!(key.to_vec(), octets("c61e7a93744f39ee10734afe3ff7a087"));
    let salt: [u8; 14] = derive(&master(), Label::RtpSalt);
    assert_eq!(salt.to_vec(), octets("30cbbc08863d8c85d49db34a9ae1"));
    let authentication: [u8; 94] = derive(&master(), Label::RtpAuthentication);
    let printed = "cebe321f6ff7716b6fd4ab49af256a15 6d38baa48f0a0acf3c34e2359e6cdbce \
                   e049646c43d9327ad175578ef7227098 6371c10c9a369ac2f94a8c5fbcdddc25 \
                   6d6e919a48b610ef17c2041e47403576 6b68642c59bbfc2f34db60dbdfb2";
    assert_eq!(authentication.to_vec(), octets(printed));
}

/// What libsrtp's `srtp_validate` expects of sequence number 0x1234 and 16 octets of 0xab, and of a report with index 1.
#[test]
fn a_packet_and_a_report_have_the_octets_of_libsrtp() {
    let mut packet = octets("800f1234decafbadcafebabe");
    packet.extend([0xab; 16]);
    let clear = packet.clone();
    packet.extend([0; RTP_GROWTH]);
    RtpProtector::new(&master()).protect(&mut packet, 0x1234);
    let expected = "800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb";
    assert_eq!(packet, octets(expected));
    let mut opener = RtpOpener::new(&master(), 0x1234);
    assert_eq!(opener.open(&mut packet).unwrap().packet, clear);

    let expected =
        "81c8000bcafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798";
    let mut report = octets("81c8000bcafebabe");
    report.extend([0xab; 16]);
    let clear = report.clone();
    let mut protector = RtcpProtector::new(master());
    protector.protect(&mut report.clone());
    protector.protect(&mut report);
    assert_eq!(report, octets(expected));
    let opened = RtcpOpener::new(master())
        .open(&mut report)
        .unwrap()
        .to_vec();
    assert_eq!(opened, clear);
}

fn other_implementation() -> Context {
    let master = octets(MASTER);
    Context::new(
        &master[..16],
        &master[16..],
        ProtectionProfile::Aes128CmHmacSha1_80,
        Some(srtp_replay_protection(64)),
        Some(srtcp_replay_protection(64)),
    )
    .unwrap()
}

/// A packet of G.711: what a run sends.
fn packet(seq: u16, fill: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend(seq.to_be_bytes());
    packet.extend([0, 0, 1, 0x40, 0xaa, 0xbb, 0xcc, 0xdd]);
    packet.extend([fill; 160]);
    packet
}

fn protected(protector: &RtpProtector, packet: &[u8], index: u64) -> Vec<u8> {
    let mut octets = [packet, &[0; RTP_GROWTH]].concat();
    protector.protect(&mut octets, index);
    octets
}

/// 140,000 packets, two wraps of the sequence number, each way between this and `webrtc-srtp`: every one in 25 is lost.
#[test]
fn packets_pass_between_this_and_webrtc_srtp_across_wraps() {
    let (mut theirs_out, mut theirs_in) = (other_implementation(), other_implementation());
    let protector = RtpProtector::new(&master());
    let mut opener = RtpOpener::new(&master(), 65_000);
    for index in 65_000_u64..205_000 {
        let clear = packet(
            u16::try_from(index & 0xffff).unwrap(),
            u8::try_from(index % 251).unwrap(),
        );
        let ours = protected(&protector, &clear, index);
        let mut theirs = theirs_out.encrypt_rtp(&clear).unwrap().to_vec();
        assert_eq!(ours, theirs, "{index}");
        if index % 25 != 7 {
            assert_eq!(theirs_in.decrypt_rtp(&ours).unwrap(), clear, "{index}");
            let opened = opener.open(&mut theirs).unwrap();
            assert_eq!((&*opened.packet, opened.replayed), (&clear[..], false));
        }
    }
}

#[test]
fn reports_pass_between_this_and_webrtc_srtp() {
    let (mut theirs_out, mut theirs_in) = (other_implementation(), other_implementation());
    let mut protector = RtcpProtector::new(master());
    let mut opener = RtcpOpener::new(master());
    for length in 2_u8..30 {
        let mut report = vec![0x80, 200, 0, length - 1, 0xca, 0xfe, 0xba, 0xbe];
        report.extend((8..length * 4).map(|n| n ^ length));
        let mut ours = report.clone();
        protector.protect(&mut ours);
        assert_eq!(ours.len(), report.len() + RTCP_GROWTH);
        assert_eq!(theirs_in.decrypt_rtcp(&ours).unwrap(), report);
        let mut theirs = theirs_out.encrypt_rtcp(&report).unwrap().to_vec();
        assert_eq!(opener.open(&mut theirs.clone()).unwrap(), report);
        assert_eq!(opener.open(&mut theirs), Err(Refused::Replayed));
    }
}

/// A stream begins at 65,534 and its first three packets are lost: the first to come has sequence number 1, and the
/// rollover counter is 1 already. An implementation that does not know where the stream began takes it for 0.
#[test]
fn a_stream_whose_first_packets_are_lost_around_a_wrap_is_opened() {
    let protector = RtpProtector::new(&master());
    let mut octets = protected(&protector, &packet(1, 7), 65_537);
    assert!(other_implementation().decrypt_rtp(&octets).is_err());
    let mut opener = RtpOpener::new(&master(), 65_534);
    assert_eq!(opener.open(&mut octets).unwrap().packet, packet(1, 7));
}

/// 60,000 packets lost in a row are 20 minutes: the next is opened, and so is one that was 4000 packets late.
#[test]
fn a_long_outage_is_bridged_and_late_packets_keep_their_place() {
    let protector = RtpProtector::new(&master());
    let mut opener = RtpOpener::new(&master(), 10);
    let mut open = |index: u64| {
        let clear = packet(u16::try_from(index & 0xffff).unwrap(), 9);
        let mut octets = protected(&protector, &clear, index);
        opener.open(&mut octets).map(|opened| opened.replayed)
    };
    assert_eq!(open(10), Ok(false));
    assert_eq!(open(60_010), Ok(false));
    assert_eq!(open(120_010), Ok(false));
    assert_eq!(open(120_009), Ok(false), "out of order");
    assert_eq!(open(120_010), Ok(true), "a copy");
    assert_eq!(open(116_010), Ok(true), "too old for the replay window");
    assert_eq!(open(120_011), Ok(false));
}

/// Another SSRC, another call, another leg: another key. Another end's copy of the secret: the same.
#[test]
fn every_stream_has_a_master_key_of_its_own() {
    let keys = MediaKeys::draw().unwrap();
    let copy: MediaKeys = postcard::from_bytes(&postcard::to_allocvec(&keys).unwrap()).unwrap();
    let mut all = Vec::new();
    for call in [0, 1, 256, u32::MAX] {
        for party in Party::BOTH {
            for leg in Leg::BOTH {
                let stream = StreamId {
                    call: CallId(call),
                    party,
                    leg,
                };
                assert_eq!(keys.stream(stream), copy.stream(stream));
                all.push(keys.stream(stream));
            }
        }
    }
    for (n, key) in all.iter().enumerate() {
        assert!(!all[..n].contains(key), "{n}");
    }
    assert_ne!(keys, MediaKeys::draw().unwrap());
    let other = keys.clone().altered(Leg::Sent);
    assert_eq!(keys.leg(Leg::Receive), other.leg(Leg::Receive));
    assert_ne!(keys.leg(Leg::Sent), other.leg(Leg::Sent));
}

#[test]
fn no_key_is_seen_in_what_is_printed() {
    let keys = MediaKeys::draw().unwrap();
    let printed = format!("{keys:?} {:?} {:?}", master(), RtcpProtector::new(master()));
    assert_eq!(
        printed,
        "MediaKeys { receive: LegSecret(hidden), sent: LegSecret(hidden) } MasterKey(hidden) \
         RtcpProtector { master: MasterKey(hidden), next: 0 }"
    );
}

proptest! {
    /// Any packet, with contributing sources, extension and padding: what was protected is opened again, header clear.
    #[test]
    fn what_was_protected_is_what_is_opened(
        sources in 0_u8..16,
        words in prop::option::of(0_u16..20),
        payload in prop::collection::vec(any::<u8>(), 0..300),
        seq: u16,
        rollovers in 0_u64..1 << 32,
    ) {
        let mut clear = packet(seq, 0);
        clear.truncate(12);
        clear[0] |= sources | u8::from(words.is_some()) << 4;
        clear.extend(vec![0x11; usize::from(sources) * 4]);
        if let Some(words) = words {
            clear.extend([0xbe, 0xde]);
            clear.extend(words.to_be_bytes());
            clear.extend(vec![0x22; usize::from(words) * 4]);
        }
        let header = clear.len();
        clear.extend(&payload);
        let index = rollovers << 16 | u64::from(seq);
        let mut octets = protected(&RtpProtector::new(&master()), &clear, index);
        prop_assert_eq!(&octets[..header], &clear[..header]);
        let mut opener = RtpOpener::new(&master(), seq);
        if rollovers == 0 {
            let opened = opener.open(&mut octets);
            prop_assert_eq!(opened, Ok(Opened { packet: &mut clear, replayed: false }));
        } else {
            prop_assert_eq!(opener.open(&mut octets), Err(Refused::Unauthentic));
        }
    }

    /// One bit that is not as it was sent, wherever it lies, and the packet is refused, unchanged, and the stream goes on.
    #[test]
    fn a_packet_with_a_flipped_bit_is_refused(seq: u16, bit in 0_usize..182 * 8, report in 0_usize..86 * 8) {
        let mut octets = protected(&RtpProtector::new(&master()), &packet(seq, 3), seq.into());
        let mut opener = RtpOpener::new(&master(), seq);
        octets[bit / 8] ^= 1 << (bit % 8);
        let changed = octets.clone();
        // A header said to be longer than the packet is too short for it.
        prop_assert!(opener.open(&mut octets).is_err());
        prop_assert_eq!(&octets, &changed);
        octets[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(opener.open(&mut octets).unwrap().packet, packet(seq, 3));

        let mut octets = vec![0x5a; 72];
        RtcpProtector::new(master()).protect(&mut octets);
        let mut opener = RtcpOpener::new(master());
        octets[report / 8] ^= 1 << (report % 8);
        prop_assert_eq!(opener.open(&mut octets), Err(Refused::Unauthentic));
        octets[report / 8] ^= 1 << (report % 8);
        prop_assert_eq!(opener.open(&mut octets).unwrap(), [0x5a; 72]);
    }

    #[test]
    fn any_octets_are_refused_without_panic(mut octets in prop::collection::vec(any::<u8>(), 0..120), length in 0_usize..40) {
        prop_assert!(RtpOpener::new(&master(), 0).open(&mut octets).is_err());
        prop_assert!(RtcpOpener::new(master()).open(&mut octets).is_err());
        octets.truncate(length);
        RtpProtector::new(&master()).protect(&mut octets, 0);
        RtcpProtector::new(master()).protect(&mut octets);
    }
}
