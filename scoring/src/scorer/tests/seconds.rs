//! Rows of the rich run's seconds, by hand: what the fixture lays down is derived there, by stream and slot.

use super::figures::assert_figures;
use super::rich::{measure, rich};
use milliwatt_wire::id::Leg;
use serde_json::{Value, json};

#[track_caller]
fn assert_row(leg: Leg, second: u32, expected: &Value) {
    let run = measure(&rich(), None);
    let mut rows = run.seconds.iter();
    let row = rows.find(|row| (row.leg, row.second) == (leg, second));
    assert_figures(row.unwrap(), expected);
}

/// Before full load: 4 slots of A1 and 2 of B1 lost; 50 packets with 10 ms of J and 144 with 50 us; a transfer.
#[test]
fn a_second_of_the_ramp() {
    assert_row(
        Leg::Sent,
        0,
        &json!({
            "second": 0, "leg": "sent", "phase": "ramp", "tainted": false, "calls": 2,
            "expected": 200, "received": 194, "lost": 6, "discarded": 0, "not_sent": 0, "duplicated": 1, "reordered": 0,
            "interarrival_jitter_mean_ms": (500.0 + 144.0 * 0.05) / 194.0, "interarrival_jitter_max_ms": 5.0,
            "pdv_p50_ms": 0.0, "pdv_p99_ms": 0.0, "pdv_p999_ms": 0.0, "pdv_max_ms": 0.0,
            "dead_air_ms": 80.0, "dead_air_events": 1,
            "mbps": 1_092_800.0 * 8e-6, "rtp_mbps": 0.3424, "transfer_mbps": 8.0, "nic_mbps": 0.3424,
            "sender_lateness_p999_us": 100.0, "delay": null,
            "transfer_goodput_mbps": null, "transfer_stalled_ms": null, "transfer_retransmissions": null,
        }),
    );
}

/// 10 slots of B0 not sent, 4 of A1 80 ms late: of 190, rank 189 is late. J: 50 of 250 us, 140 of 50 us.
#[test]
fn a_second_with_slots_not_sent_and_packets_late() {
    assert_row(
        Leg::Sent,
        3,
        &json!({
            "second": 3, "leg": "sent", "phase": "full", "tainted": false, "calls": 2,
            "expected": 190, "received": 190, "lost": 0, "discarded": 4, "not_sent": 10, "duplicated": 0, "reordered": 4,
            "interarrival_jitter_mean_ms": 19.5 / 190.0, "interarrival_jitter_max_ms": 0.9,
            "pdv_p50_ms": 0.016, "pdv_p99_ms": 79.872, "pdv_p999_ms": 79.872, "pdv_max_ms": 80.0,
            "dead_air_ms": 280.0, "dead_air_events": 2,
            "mbps": 1.2, "rtp_mbps": 0.344, "transfer_mbps": 0.8, "nic_mbps": 1.296,
            "sender_lateness_p999_us": 100.0, "delay": null,
            "transfer_goodput_mbps": null, "transfer_stalled_ms": null, "transfer_retransmissions": null,
        }),
    );
}

/// A0's 300 ms began in the second before; 10 of B1's packets are 30 ms late, and no value is larger than that.
#[test]
fn a_second_into_which_dead_air_lasts() {
    assert_row(
        Leg::Sent,
        5,
        &json!({
            "second": 5, "leg": "sent", "phase": "full", "tainted": true, "calls": 2,
            "expected": 200, "received": 190, "lost": 10, "discarded": 0, "not_sent": 0, "duplicated": 3, "reordered": 1,
            "interarrival_jitter_mean_ms": 0.05, "interarrival_jitter_max_ms": 0.08,
            "pdv_p50_ms": 0.016, "pdv_p99_ms": 30.0, "pdv_p999_ms": 30.0, "pdv_max_ms": 30.0,
            "dead_air_ms": 200.0, "dead_air_events": 0,
            "mbps": 63_600.0 * 8e-6, "rtp_mbps": 43_200.0 * 8e-6, "transfer_mbps": 0.16, "nic_mbps": null,
            "sender_lateness_p999_us": 100.0, "delay": null,
            "transfer_goodput_mbps": null, "transfer_stalled_ms": null, "transfer_retransmissions": null,
        }),
    );
}

/// The guest's playout stood still for 200 ms; no J was taken. The tester's lateness is its own.
#[test]
fn a_second_of_the_receive_leg() {
    assert_row(
        Leg::Receive,
        6,
        &json!({
            "second": 6, "leg": "receive", "phase": "full", "tainted": false, "calls": 2,
            "expected": 200, "received": 200, "lost": 0, "discarded": 0, "not_sent": 0, "duplicated": 0, "reordered": 0,
            "interarrival_jitter_mean_ms": null, "interarrival_jitter_max_ms": null,
            "pdv_p50_ms": 0.0, "pdv_p99_ms": 0.0, "pdv_p999_ms": 0.0, "pdv_max_ms": 0.0,
            "dead_air_ms": 200.0, "dead_air_events": 1,
            "mbps": 0.368, "rtp_mbps": 0.344, "transfer_mbps": 0.008, "nic_mbps": 0.3424,
            "sender_lateness_p999_us": 100.0, "delay": null,
            "transfer_goodput_mbps": null, "transfer_stalled_ms": null, "transfer_retransmissions": null,
        }),
    );
}

/// 200 of 100 us and 4 of 1008 at the tester, 8 of 1008 at the guest: the last rank of each. Calls ended with second 6.
#[test]
fn lateness_of_the_sender_and_calls_up_by_second() {
    let run = measure(&rich(), None);
    let row = |leg, second| {
        let mut rows = run.seconds.iter();
        rows.find(|row| (row.leg, row.second) == (leg, second))
            .unwrap()
    };
    let late = |leg, second| row(leg, second).sender_lateness_p999_us;
    assert_eq!(
        [1, 2].map(|second| late(Leg::Receive, second)),
        [Some(1008.0), Some(100.0)]
    );
    assert_eq!(
        [1, 2].map(|second| late(Leg::Sent, second)),
        [Some(100.0), Some(1008.0)]
    );
    assert_eq!([6, 7].map(|second| row(Leg::Sent, second).calls), [2, 0]);
    assert_eq!(run.seconds.len(), 2 * 8);
}

/// What is told of each stream stands in its row.
#[test]
fn a_row_of_a_stream() {
    use crate::emodel::mos_lq;
    let run = measure(&rich(), None);
    assert_figures(
        &run.streams[4],
        &json!({
            "stream": { "call": 0, "party": "A", "leg": "sent" }, "ssrc": 7, "start_s": 0.0,
            "expected": 400, "received": 382, "lost": 18, "discarded": 0, "not_sent": 0, "duplicated": 6, "reordered": 0,
            "interarrival_jitter_mean_ms": 24.1 / 282.0, "interarrival_jitter_max_ms": 0.9, "pdv_max_ms": 0.0,
            "dead_air_events": 2, "dead_air_longest_ms": 300.0, "mos_lq": mos_lq(4.5, 9.0 * (1.0 - 0.045)),
        }),
    );
    assert_figures(
        &run.streams[6],
        &json!({
            "stream": { "call": 1, "party": "A", "leg": "sent" }, "ssrc": 7, "start_s": 0.0,
            "expected": 400, "received": 396, "lost": 4, "discarded": 4, "not_sent": 0, "duplicated": 0, "reordered": 5,
            "interarrival_jitter_mean_ms": 0.05, "interarrival_jitter_max_ms": 0.08, "pdv_max_ms": 80.0,
            "dead_air_events": 2, "dead_air_longest_ms": 80.0, "mos_lq": mos_lq(2.0, 4.0 * (1.0 - 0.02)),
        }),
    );
}
