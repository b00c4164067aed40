//! `milliwatt analyze` on any octets: the capture reader, the headers before a datagram, what it is, and what its
//! streams measure.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt::analyze::capture::{Record, read_octets};
use milliwatt::analyze::datagram::{Content, Datagrams};
use milliwatt::analyze::scan::{Scanned, find};
use milliwatt::analyze::{Analyzer, text};

fuzz_target!(|octets: &[u8]| {
    let (mut analyzer, mut datagrams, mut frames) = (Analyzer::new(None), Datagrams::default(), 0);
    let end = read_octets(octets, &mut |record| {
        let Record::Frame(frame) = record else { return };
        frames += 1;
        let Content::Udp(datagram) = datagrams.take(&frame) else {
            return;
        };
        assert!(datagram.payload.len() <= datagram.length);
        if let (Some(finding), _) = find(&datagram, &frame) {
            analyzer.take(&finding);
        }
    });
    assert_eq!(end.frames, frames);
    assert!(datagrams.lost_fragments() <= frames);
    let (analysis, _) = analyzer.finish(&[], Scanned::default());
    let packets = |of: fn(&_) -> u64| analysis.streams.iter().map(of).sum::<u64>();
    let received = packets(|stream| stream.packets_received);
    assert!(received + packets(|stream| stream.packets_duplicated) <= frames);
    assert!(!text::text(&analysis).is_empty());
});
