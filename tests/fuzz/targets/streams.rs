//! What `milliwatt analyze` measures, whatever packets claim: any sequence numbers, timestamps, payload types and
//! arrivals of a few streams. Sixteen octets a packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt::analyze::Analyzer;
use milliwatt::analyze::packet::{Content, Packet};
use milliwatt::analyze::scan::{Finding, Scanned};
use milliwatt::analyze::table::Key;

fuzz_target!(|octets: &[u8]| {
    let mut analyzer = Analyzer::new(None);
    let (mut at, mut taken) = (0_i64, 0_u64);
    for fields in octets.chunks_exact(16) {
        let step = i64::from_be_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|n| fields[8 + n]));
        // Steps of up to a second, back too; the last octet makes one of any size.
        at = at.wrapping_add(if step & 0xff == 0xff {
            step
        } else {
            step >> 33
        });
        analyzer.take(&Finding::Rtp(key(fields[0]), packet(fields, at), 0));
        taken += 1;
    }
    let (analysis, _) = analyzer.finish(&[], Scanned::default());
    let mut counted = 0;
    for stream in &analysis.streams {
        counted += stream.packets_received + stream.packets_duplicated;
        assert!(stream.packets_received + stream.packets_lost >= stream.packets_expected);
        assert!(stream.packets_discarded <= stream.packets_received);
        let pdv = &stream.pdv_ms;
        assert!(pdv.p50 <= pdv.p95 && pdv.p95 <= pdv.p99 && pdv.p99 <= pdv.p999);
        assert!(stream.interarrival_jitter_ms.mean <= stream.interarrival_jitter_ms.max);
    }
    assert!(counted <= taken);
});

fn key(field: u8) -> Key {
    let (source, destination) = if field & 1 == 0 { (1, 2) } else { (2, 1) };
    Key {
        source: ([192, 0, 2, source], 5004).into(),
        destination: ([192, 0, 2, destination], 5004).into(),
        ssrc: u32::from(field >> 1 & 3),
    }
}

fn packet(fields: &[u8], at: i64) -> Packet {
    Packet {
        seq: u16::from_be_bytes([fields[2], fields[3]]),
        timestamp: u32::from_be_bytes([4, 5, 6, 7].map(|n| fields[n])),
        at,
        payload_type: fields[1] & 127,
        marker: fields[1] >> 7 == 1,
        content: match fields[0] >> 4 {
            0 => Content::Noise,
            1 => Content::Event,
            _ => Content::Media,
        },
        nic_octets: 214,
        dscp: fields[0] >> 3,
    }
}
