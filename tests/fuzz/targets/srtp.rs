//! Datagrams taken for encrypted RTP and RTCP, and our own protected ones opened again, as they were and changed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt_wire::srtp::key::MasterKey;
use milliwatt_wire::srtp::rtcp::{RtcpOpener, RtcpProtector};
use milliwatt_wire::srtp::rtp::{RtpOpener, RtpProtector};
use milliwatt_wire::srtp::{RTCP_GROWTH, RTP_GROWTH};

fuzz_target!(|octets: &[u8]| {
    let key = MasterKey::from_octets(&[7; 30]);
    refuse(&key, octets);
    if let Some((place, octets)) = octets.split_first() {
        packet(&key, octets, usize::from(*place));
        report(&key, octets, usize::from(*place));
    }
});

/// Nobody makes a tag by chance; what is refused stays as it came.
fn refuse(key: &MasterKey, octets: &[u8]) {
    let mut changed = octets.to_vec();
    assert!(RtpOpener::new(key, 0).open(&mut changed).is_err());
    assert!(RtcpOpener::new(key.clone()).open(&mut changed).is_err());
    assert_eq!(changed, octets);
}

fn packet(key: &MasterKey, clear: &[u8], place: usize) {
    let mut octets = [clear, &[0; RTP_GROWTH]].concat();
    let seq = clear.get(2..4).map_or(0, |seq| u16::from_be_bytes([seq[0], seq[1]]));
    RtpProtector::new(key).protect(&mut octets, seq.into());
    let mut changed = octets.clone();
    let place = place % changed.len();
    changed[place] ^= 1;
    assert!(RtpOpener::new(key, seq).open(&mut changed).is_err());
    if let Ok(opened) = RtpOpener::new(key, seq).open(&mut octets) {
        assert_eq!(opened.packet, clear);
    }
}

fn report(key: &MasterKey, clear: &[u8], place: usize) {
    let mut octets = clear.to_vec();
    RtcpProtector::new(key.clone()).protect(&mut octets);
    if octets.len() < clear.len() + RTCP_GROWTH {
        assert!(clear.len() < 8);
        return;
    }
    let mut changed = octets.clone();
    let place = place % changed.len();
    changed[place] ^= 1;
    assert!(RtcpOpener::new(key.clone()).open(&mut changed).is_err());
    let mut opener = RtcpOpener::new(key.clone());
    assert_eq!(opener.open(&mut octets.clone()).expect("our own report"), clear);
    assert!(opener.open(&mut octets).is_err(), "it came before");
}
