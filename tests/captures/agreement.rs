//! Two programs, one capture: where their definitions are the same, so are their numbers.

use crate::lab::{Captured, CapturedStream, analyze};
use serde_json::Value;

/// tshark prints three decimals: half of the last one is its rounding, the other half is ours.
const TOLERANCE_MS: f64 = 0.001;

/// The stream of an analysis with these ends and this source.
pub(super) fn stream<'a>(analysis: &'a Value, theirs: &CapturedStream) -> &'a Value {
    let streams = analysis["streams"].as_array().unwrap();
    let is_it = |ours: &&Value| {
        [&ours["source"], &ours["destination"], &ours["ssrc"]]
            == [&theirs.ends[0], &theirs.ends[1], &theirs.ssrc]
    };
    streams
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("no {theirs:?} in {analysis:#}"))
}

/// Asserts that packets and losses are the same, for a stream of any kind. tshark counts copies as packets
/// and takes them off what is lost; here they are apart, so that a copy cannot hide a loss.
pub(super) fn assert_counts(ours: &Value, theirs: &CapturedStream) {
    let count = |key: &str| ours[key].as_i64().unwrap();
    let copies = count("packets_duplicated");
    assert_eq!(
        (
            count("packets_received") + copies,
            count("packets_lost") - copies
        ),
        (theirs.packets.cast_signed(), theirs.lost),
        "{theirs:?}\n{ours:#}"
    );
}

/// Asserts that interarrival jitter (RFC 3550 A.8), mean and maximum, is the same.
pub(super) fn assert_interarrival_jitter(ours: &Value, theirs: &CapturedStream) {
    let (mean, max) = theirs.interarrival_jitter_ms;
    for (figure, theirs_ms) in [("mean", mean), ("max", max)] {
        let ours_ms = ours["interarrival_jitter_ms"][figure].as_f64().unwrap();
        assert!(
            (ours_ms - theirs_ms).abs() <= TOLERANCE_MS,
            "{figure}: {ours_ms} ms, {theirs_ms} ms by tshark: {theirs:?}"
        );
    }
}

/// Compares all streams of a capture in everything; there must be as many as expected, on both sides.
pub(super) fn assert_agreement(captured: &Captured, streams: usize) -> Value {
    let analysis = analyze(captured.file());
    let theirs = captured.streams();
    let ours = analysis["streams"].as_array().unwrap().len();
    assert_eq!(
        (ours, theirs.len()),
        (streams, streams),
        "{theirs:#?}\n{analysis:#}"
    );
    for theirs in &theirs {
        let ours = stream(&analysis, theirs);
        assert_counts(ours, theirs);
        assert_interarrival_jitter(ours, theirs);
    }
    let packets: u64 = theirs.iter().map(|stream| stream.packets).sum();
    println!("{streams} streams of {packets} packets: as tshark has them");
    analysis
}
