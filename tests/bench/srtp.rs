//! What SRTP costs: CPU time of a packet of G.711 that is protected, checked (the tester's receiving end), and opened (the
//! guest's), for one stream and for 500 in turns; and of `webrtc-srtp` doing the same.
//!
//!     cargo bench --bench srtp

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is not as it should be"
)]
#![expect(clippy::print_stdout, reason = "its output is its result")]

use milliwatt_wire::clock::mono_now;
use milliwatt_wire::srtp::RTP_GROWTH;
use milliwatt_wire::srtp::key::MasterKey;
use milliwatt_wire::srtp::rtp::{RtpOpener, RtpProtector};
use std::hint::black_box;
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

/// Packets of each stream; of the rounds the fastest counts.
const PACKETS: u16 = 300;
/// Octets of a packet of G.711 with its tag.
const OCTETS: usize = 172 + RTP_GROWTH;

type Packet = [u8; OCTETS];

fn main() {
    for streams in [1, 500] {
        println!("{streams} streams, ns a packet:");
        for (what, ns) in ours(streams).into_iter().chain(theirs(streams)) {
            println!("  {what:<28}{ns:>8.0}");
        }
    }
}

/// A key that is each stream's own.
fn key(stream: usize) -> [u8; 30] {
    let mut octets = [0x5a; 30];
    octets[..8].copy_from_slice(&stream.to_be_bytes());
    octets
}

fn clear(seq: u16) -> Packet {
    let mut packet = [0x55; OCTETS];
    packet[..2].copy_from_slice(&[0x80, 0]);
    packet[2..4].copy_from_slice(&seq.to_be_bytes());
    packet
}

/// The least mean over all streams of what `each` does with a stream and a sequence number.
fn measure(streams: usize, mut each: impl FnMut(usize, u16)) -> f64 {
    let mut least = i64::MAX;
    for seq in 0..PACKETS {
        let began = mono_now();
        (0..streams).for_each(|stream| each(stream, seq));
        least = least.min(mono_now() - began);
    }
    #[expect(clippy::cast_precision_loss, reason = "some milliseconds in ns")]
    let mean = least as f64 / streams as f64;
    mean
}

fn ours(streams: usize) -> Vec<(&'static str, f64)> {
    let master = |stream| MasterKey::from_octets(&key(stream));
    let senders: Vec<_> = (0..streams)
        .map(|s| RtpProtector::new(&master(s)))
        .collect();
    let receivers = || -> Vec<_> {
        (0..streams)
            .map(|s| RtpOpener::new(&master(s), 0))
            .collect()
    };
    let (mut checking, mut opening) = (receivers(), receivers());
    let protected = |stream: usize, seq: u16| {
        let mut packet = clear(seq);
        senders[stream].protect(&mut packet, seq.into());
        packet
    };
    let nothing = measure(streams, |_, seq| {
        black_box(clear(seq));
    });
    let protect = measure(streams, |stream, seq| {
        black_box(protected(stream, seq));
    });
    let check = measure(streams, |stream, seq| {
        checking[stream].check(&protected(stream, seq)).unwrap();
    });
    let open = measure(streams, |stream, seq| {
        opening[stream].open(&mut protected(stream, seq)).unwrap();
    });
    vec![
        ("protect", protect - nothing),
        ("check", check - protect),
        ("open", open - protect),
    ]
}

fn theirs(streams: usize) -> Vec<(&'static str, f64)> {
    let context = |stream: usize| {
        let (key, profile) = (key(stream), ProtectionProfile::Aes128CmHmacSha1_80);
        Context::new(&key[..16], &key[16..], profile, None, None).unwrap()
    };
    let contexts = || -> Vec<_> { (0..streams).map(context).collect() };
    let (mut senders, mut again, mut receivers) = (contexts(), contexts(), contexts());
    let encrypt = measure(streams, |stream, seq| {
        let clear = clear(seq);
        black_box(senders[stream].encrypt_rtp(&clear[..172]).unwrap());
    });
    let both = measure(streams, |stream, seq| {
        let clear = clear(seq);
        let protected = again[stream].encrypt_rtp(&clear[..172]).unwrap();
        black_box(receivers[stream].decrypt_rtp(&protected).unwrap());
    });
    vec![
        ("webrtc-srtp: encrypt_rtp", encrypt),
        ("webrtc-srtp: decrypt_rtp", both - encrypt),
    ]
}
