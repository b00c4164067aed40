//! From datagrams to streams: what is no RTP becomes none.

use super::datagram::Datagram;
use super::*;
use capture::{Frame, Link};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What was found of datagrams that came a millisecond apart.
fn analysis_of(datagrams: impl Iterator<Item = (u16, Vec<u8>)>) -> Analysis {
    let mut analyzer = Analyzer::new(None);
    let mut other = BTreeMap::new();
    for (at, (port, payload)) in (0..).step_by(1_000_000).zip(datagrams) {
        let datagram = Datagram {
            source: ([192, 0, 2, 1], port).into(),
            destination: ([192, 0, 2, 2], port).into(),
            payload: &payload,
            length: payload.len(),
            nic_octets: 0,
            dscp: 0,
        };
        let frame = Frame {
            at,
            link: Link::RAW,
            interface: 0,
            octets: &[],
            length: 0,
        };
        let (finding, name) = scan::find(&datagram, &frame);
        if !name.is_empty() {
            *other.entry(name).or_default() += 1;
        }
        if let Some(finding) = finding {
            analyzer.take(&finding);
        }
    }
    let scanned = Scanned {
        other,
        ..Scanned::default()
    };
    analyzer.finish(&[], scanned).0
}

/// All 200,000 are told of as what they are instead.
#[track_caller]
fn check_none(analysis: &Analysis) {
    assert_eq!(analysis.streams.len(), 0);
    let other: u64 = analysis.other_traffic.iter().map(|(_, n)| n).sum();
    assert_eq!(other, 200_000, "{:?}", analysis.other_traffic);
}

fn random_octets(random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut octets: Vec<u8> = (0..random.random_range(12..200))
        .map(|_| random.random())
        .collect();
    octets[0] = 0x80;
    octets
}

#[test]
fn random_datagrams_with_the_version_of_rtp_become_no_stream() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    check_none(&analysis_of((0..200_000).map(|_| {
        (
            16_384 + random.random_range(0..100) * 2,
            random_octets(&mut random),
        )
    })));
}

/// Between 200 pairs of ports, each with four octets of its own where RTP has the source's identifier.
#[test]
fn random_datagrams_with_constant_octets_in_the_place_of_the_ssrc_become_no_stream() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    check_none(&analysis_of((0..200_000_u32).map(|n| {
        let mut octets = random_octets(&mut random);
        let flow = u16::try_from(n % 200).unwrap();
        octets[8..12].copy_from_slice(&[0xaa; 4]);
        (16_384 + flow * 2, octets)
    })));
}

/// A tunnel that counts its datagrams in the place of the sequence number and has random octets behind.
#[test]
fn numbered_datagrams_of_random_octets_become_no_stream() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    check_none(&analysis_of((0..200_000_u32).map(|n| {
        let mut octets = random_octets(&mut random);
        let flow = u16::try_from(n % 200).unwrap();
        octets[1] = 0x08;
        octets[2..4].copy_from_slice(&u16::try_from(n / 200).unwrap().to_be_bytes());
        octets[8..12].copy_from_slice(&[0xaa; 4]);
        (16_384 + flow * 2, octets)
    })));
}
