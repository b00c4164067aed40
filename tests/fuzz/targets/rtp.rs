//! Datagrams taken for RTP, whole or as a capture left them, and our own packets read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt_generator::calls::StreamHeaders;
use milliwatt_generator::packet::PacketTemplate;
use milliwatt_receiver::packet::RtpView;

fuzz_target!(|octets: &[u8]| {
    whole(octets);
    if let Some(([high, low], captured)) = octets.split_first_chunk() {
        captured_of(captured, usize::from(u16::from_be_bytes([*high, *low])));
    }
    if let Some(chunk) = octets.first_chunk() {
        sent(*chunk);
    }
});

fn whole(octets: &[u8]) {
    let Ok(view) = RtpView::parse(octets) else {
        return;
    };
    assert_eq!(octets[0] >> 6, 2);
    assert_eq!(view.payload().len(), view.payload_octets());
    let header = 12 + usize::from(octets[0] & 15) * 4;
    assert!(view.payload().len() + header <= octets.len());
}

/// What is not there changes nothing about what is.
fn captured_of(octets: &[u8], length: usize) {
    let Ok(view) = RtpView::parse_captured(octets, length) else {
        return;
    };
    assert!(view.payload().len() <= view.payload_octets());
    assert!(view.payload_octets() + 12 <= length.max(octets.len()));
    if let Ok(whole) = RtpView::parse(octets) {
        assert_eq!((whole.seq(), whole.ssrc()), (view.seq(), view.ssrc()));
    }
}

fn sent(fields: [u8; 12]) {
    let word = |place: usize| u32::from_be_bytes([0, 1, 2, 3].map(|n| fields[place + n]));
    let headers = StreamHeaders {
        ssrc: word(0),
        first_seq: 0,
        first_timestamp: 0,
    };
    let (seq, marker) = (
        u16::from_be_bytes([fields[8], fields[9]]),
        fields[10] & 1 == 1,
    );
    let mut packet = PacketTemplate::new(headers, fields[11] & 127);
    packet.patch(seq, word(4), marker);
    let view = RtpView::parse(packet.octets()).expect("our own packet");
    assert_eq!((view.ssrc(), view.seq()), (word(0), seq));
    assert_eq!((view.timestamp(), view.marker()), (word(4), marker));
    assert_eq!(view.payload_type(), fields[11] & 127);
    assert_eq!(view.payload().len(), 160);
}
