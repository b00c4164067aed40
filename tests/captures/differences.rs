//! Where tshark and milliwatt define a number differently. Each test names the clause and derives what is
//! expected by hand.

use super::agreement::{assert_counts, stream};
use super::written::{Written, interarrival_jitter, slot, write};
use crate::lab::{Captured, CapturedStream, analyze, requirement};
use serde_json::Value;

/// What both programs make of one stream.
fn both(packets: &[Written]) -> Option<(Value, CapturedStream)> {
    if requirement::missing(&["tshark"]) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("written.pcap");
    write(&file, packets);
    let captured = Captured::written(file);
    let theirs = captured.streams().remove(0);
    let ours = stream(&analyze(captured.file()), &theirs).clone();
    Some((ours, theirs))
}

fn jitter(ours: &Value) -> (f64, f64) {
    let figure = |key: &str| ours["interarrival_jitter_ms"][key].as_f64().unwrap();
    (figure("mean"), figure("max"))
}

#[track_caller]
fn assert_ms(ours: (f64, f64), expected: (f64, f64)) {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
    assert!(
        close(ours.0, expected.0) && close(ours.1, expected.1),
        "{ours:?} is not {expected:?}"
    );
}

/// 50 slots, every other 2 ms late; then one that begins a talkspurt (marker) after a pause of 1 s.
fn talkspurts() -> Vec<Written> {
    let late = |n: u16| u64::from(n % 2) * 2000;
    let first = (0..50).map(|n| slot(n, late(n)));
    let second = (100..150).map(|n| {
        let mut packet = slot(n, late(n));
        packet.seq -= 50;
        packet.marker = n == 100;
        packet
    });
    first.chain(second).collect()
}

/// RFC 3550 6.4.1: D is taken over all packets of the source, "not necessarily in sequence"; a marker is no
/// exception. The transits are 0 and 2 ms in turn all the way, so every difference but the one between slots 49
/// (2 ms) and 100 (0 ms) and all others alike are 2 ms. tshark leaves the marked packet out.
#[test]
fn a_marker_is_a_packet_like_others_for_interarrival_jitter() {
    let Some((ours, theirs)) = both(&talkspurts()) else {
        return;
    };
    assert_counts(&ours, &theirs);
    let transit: Vec<i64> = (0..100).map(|n| n % 2 * 2_000_000).collect();
    assert_ms(jitter(&ours), interarrival_jitter(&transit));
    assert_eq!(
        (&ours["packets_not_sent"], &ours["dead_air"]["events"]),
        (&0.into(), &0.into()),
        "a talkspurt after a pause is no dead air"
    );
}

/// Comfort noise (RFC 3389, payload type 13) has no part in variation of delay: one packet of it, 7 ms late, in
/// the place of slot 25. Transits of the others are 0 throughout.
#[test]
fn comfort_noise_has_no_part_in_interarrival_jitter() {
    let mut packets: Vec<Written> = (0..50).map(|n| slot(n, 0)).collect();
    packets[25] = Written {
        payload_type: 13,
        payload: 1,
        ..slot(25, 7000)
    };
    let Some((ours, theirs)) = both(&packets) else {
        return;
    };
    assert_counts(&ours, &theirs);
    assert_ms(jitter(&ours), (0.0, 0.0));
    assert_eq!(ours["comfort_noise_packets"], 1);
    assert_eq!(ours["payload_types"], serde_json::json!([0, 13]));
}

/// RFC 3550 A.8 works in order of arrival: slots 20 and 21 swapped, 21 in its time and 20 five ms after it, a
/// transit of 25 ms. |D| is 25 ms twice: to the reordered packet and from it.
#[test]
fn a_reordered_packet_counts_by_its_arrival() {
    let mut packets: Vec<Written> = (0..50).map(|n| slot(n, 0)).collect();
    packets[20] = slot(20, 25_000);
    packets.swap(20, 21);
    let Some((ours, theirs)) = both(&packets) else {
        return;
    };
    let count = |key: &str| ours[key].as_u64().unwrap();
    assert_eq!(
        ["packets_received", "packets_lost", "packets_reordered"].map(count),
        [50, 0, 1]
    );
    assert_eq!(theirs.packets, 50);
    let mut transit = [0; 50];
    transit[21] = 25_000_000;
    assert_ms(jitter(&ours), interarrival_jitter(&transit));
}

/// A.1: a sender that begins again at another sequence number is a new stretch: nothing of the jump is lost,
/// and J starts again. tshark counts the jump of 29,000 as lost.
#[test]
fn a_restart_loses_nothing() {
    let packets: Vec<Written> = (0..100)
        .map(|n| {
            let mut packet = slot(n, u64::from(n % 2) * 1000);
            if n >= 50 {
                packet.seq += 29_000;
                packet.timestamp = packet.timestamp.wrapping_add(0x4000_0000);
            }
            packet
        })
        .collect();
    let Some((ours, theirs)) = both(&packets) else {
        return;
    };
    let count = |key: &str| ours[key].as_u64().unwrap();
    assert_eq!(
        ["packets_received", "packets_expected", "restarts"].map(count),
        [100, 100, 1]
    );
    assert_ne!(theirs.lost, 0, "the clause is worth its test");
    let stretch: Vec<i64> = (0..50).map(|n| n % 2 * 1_000_000).collect();
    assert_ms(jitter(&ours), interarrival_jitter(&stretch));
}

/// A copy is no packet of its own: its arrival has no part in J, and it hides no loss. Slot 30 is lost, slot 40
/// comes twice, the second time 3 ms later.
#[test]
fn a_copy_hides_no_loss() {
    let mut packets: Vec<Written> = (0..50).filter(|n| *n != 30).map(|n| slot(n, 0)).collect();
    packets.insert(40, slot(40, 3000));
    let Some((ours, theirs)) = both(&packets) else {
        return;
    };
    let count = |key: &str| ours[key].as_u64().unwrap();
    assert_eq!(
        ["packets_received", "packets_lost", "packets_duplicated"].map(count),
        [49, 1, 1]
    );
    assert_eq!(theirs.lost, 0, "tshark's expected minus packets");
    assert_ms(jitter(&ours), (0.0, 0.0));
}
