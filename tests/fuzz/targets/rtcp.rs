//! RTCP as the agent takes it from its peer, as captures are read, and our own reports read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt::analyze::reported::Reports;
use milliwatt_agent::engine::RtcpPort;
use milliwatt_generator::report::{Reception, SenderInfo, build_report};
use milliwatt_scoring::rtcp::{Report, read};
use milliwatt_wire::time::RunTime;

fuzz_target!(|octets: &[u8]| {
    let mut reports = 0;
    read(octets, &mut |_| reports += 1);
    // The smallest part, a reception block, has 24 octets.
    assert!(reports * 24 <= octets.len());
    let mut port = RtcpPort::new(1, RunTime::ZERO);
    let is_rtcp = port.take(octets, RunTime(1));
    assert!(!is_rtcp || octets.len() >= 4);
    let mut heard = Reports::default();
    heard.take(octets, [192, 0, 2, 1].into(), 0);
    heard.take(octets, [192, 0, 2, 1].into(), i64::MAX);
    if let Some(chunk) = octets.first_chunk() {
        sent(*chunk);
    }
});

fn sent(fields: [u8; 32]) {
    let word = |place: usize| u32::from_be_bytes([0, 1, 2, 3].map(|n| fields[place * 4 + n]));
    let sender = SenderInfo {
        ssrc: word(0),
        wall_ns: i64::from(word(1)) * 1_000_000_000,
        timestamp: word(2),
        packets: word(3),
    };
    let reception = Reception {
        ssrc: word(4),
        fraction_lost: fields[20],
        cumulative_lost: word(6).cast_signed(),
        extended_highest_seq: word(7),
        ..Reception::default()
    };
    let octets = build_report(sender, Some(reception), "milliwatt");
    let mut found = Vec::new();
    read(&octets, &mut |report| found.push(report));
    let [Report::Sender(told), Report::Reception(block)] = found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (told.ssrc, told.timestamp, told.packets),
        (word(0), word(2), word(3))
    );
    assert_eq!((block.ssrc, block.fraction_lost), (word(4), fields[20]));
    let lost = word(6).cast_signed().clamp(-0x80_0000, 0x7f_ffff);
    assert_eq!((block.cumulative_lost, block.extended_max), (lost, word(7)));
}
