//! Every figure of the rich run's scorecard, derived by hand.

use super::rich::{measure, rich};
use crate::emodel::mos_lq;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every leaf of a value, by its path.
fn leaves(value: &Value) -> BTreeMap<String, Value> {
    fn walk(path: String, value: &Value, leaves: &mut BTreeMap<String, Value>) {
        let join = |key: &str| format!("{path}{}{key}", if path.is_empty() { "" } else { "." });
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(key, value)| walk(join(key), value, leaves)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(n, value)| walk(join(&n.to_string()), value, leaves)),
            _ => {
                leaves.insert(path, value.clone());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(String::new(), value, &mut found);
    found
}

fn same(measured: &Value, expected: &Value) -> bool {
    match (measured.as_f64(), expected.as_f64()) {
        (Some(measured), Some(expected)) => (measured - expected).abs() < 1e-6,
        _ => measured == expected,
    }
}

/// Neither a figure missing nor one that is not derived.
#[track_caller]
pub(super) fn assert_figures(measured: &impl serde::Serialize, expected: &Value) {
    let measured = leaves(&serde_json::to_value(measured).unwrap());
    let expected = leaves(expected);
    let wrong: Vec<_> = measured
        .iter()
        .filter(|(path, value)| {
            !expected
                .get(*path)
                .is_some_and(|by_hand| same(value, by_hand))
        })
        .map(|(path, value)| (path, value, expected.get(path)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(measured.len(), expected.len());
}

/// A playout buffer by its depth, discards, events, longest and total.
fn buffer(depth_ms: f64, of: [f64; 4]) -> Value {
    let [
        packets_discarded,
        dead_air_events,
        dead_air_longest_ms,
        dead_air_total_ms,
    ] = of;
    json!({
        "depth_ms": depth_ms, "packets_discarded": packets_discarded, "dead_air_events": dead_air_events,
        "dead_air_longest_ms": dead_air_longest_ms, "dead_air_total_ms": dead_air_total_ms,
    })
}

#[test]
fn every_figure_of_the_sent_leg() {
    let leg = measure(&rich(), None).legs.sent;
    // By stream, of 400 slots each. A0: 18 lost in runs of 3 and 15. B0: 390 sent, 3 lost in one run. A1: 4 lost and 4
    // discarded, a run each. B1: 3 lost in runs of 2 and 1. Burst ratio: mean run times the share that came.
    let a0 = mos_lq(4.5, 9.0 * (1.0 - 0.045));
    let a1 = mos_lq(2.0, 4.0 * (1.0 - 0.02));
    assert_figures(
        &leg,
        &json!({
            "streams": 4,
            "expected_from": "ledger",
            "packets_expected": 1590, // 1600 slots less 10 not sent
            "packets_received": 1562,
            "packets_lost": 28, // 18 + 3 + 4 + 3
            "packets_duplicated": 6,
            "packets_reordered": 5,
            "packets_discarded": 4,
            "packets_not_sent": 10,
            "packets_unauthentic": 0,
            "playout_anchored_anew": 0,
            "loss_percent": 2800.0 / 1590.0,
            // Over full load A0 has 50 + 47 + 50 + 45 + 40 + 50 = 282 packets: 232 of 50 us and 50 of 250 us; the other
            // three streams have 50 us.
            "interarrival_jitter_ms": { "mean": (24.1 / 282.0 + 0.15) / 4.0, "max": 0.9 },
            // 190 of 0.1 ms, 10 of 1.008, 1 of 3.008: ranks 101, 199 and 201.
            "ipdv_ms": { "p50": 0.1, "p99": 1.008, "p999": 3.008, "max": 3.1 },
            // 1168 came in full load: 1094 in the first bucket of 32 us, 60 in that of 4.864 to 5.12 ms, 10 in that of
            // 29.696 to 30.72, 4 in that of 77.824 to 81.92: ranks 584, 1110, 1157 and 1167.
            "pdv_ms": { "p50": 0.016, "p95": 4.992, "p99": 30.208, "p999": 79.872, "max": 80.0 },
            "mos_lq": { "min": a0, "p5": a0, "median": a1 },
            // 60 and 300 ms of A0, 200 and 60 of B0, 80 and 80 of A1, in 1600 slots of 20 ms.
            "dead_air": {
                "events": 6, "events_200ms": 2, "longest_ms": 300.0, "total_ms": 780.0, "streams_affected": 3,
                "per_1000_call_minutes": 6.0 * 1000.0 * 3000.0 / 1600.0,
            },
            // Those and 40 ms of B1.
            "dead_air_at_least": { "ms_40": 7, "ms_60": 6, "ms_100": 2, "ms_200": 2, "ms_400": 0, "ms_1000": 0 },
            "impairment_events": 8, // two a stream, far apart
            // In 20 ms the 10 that are 30 ms late are dead too; in 100 ms the 4 that are 80 ms late are alive.
            "playout_buffers": [
                buffer(20.0, [14.0, 7.0, 300.0, 980.0]),
                buffer(40.0, [4.0, 6.0, 300.0, 780.0]),
                buffer(60.0, [4.0, 6.0, 300.0, 780.0]),
                buffer(100.0, [0.0, 5.0, 300.0, 700.0]),
                buffer(200.0, [0.0, 5.0, 300.0, 700.0]),
            ],
            // Bursts of 3, 15; 3; 4, 4; 2 packets, all impaired; B1's 1 stands alone among the other 1559. Gaps: three of
            // A0, two of B0 (its losses lie at packets 237 to 239), three of A1, one of B1.
            "burst_gap": {
                "bursts": 6, "burst_density_percent": 100.0, "burst_duration_ms": 20.0 * 31.0 / 6.0,
                "gap_density_percent": 100.0 / 1559.0, "gap_duration_ms": 20.0 * 1559.0 / 9.0,
            },
            "loss_runs": { "runs": 6, "mean_packets": 28.0 / 6.0, "max_packets": 15 },
            "reordering": { "ratio_percent": 500.0 / 1562.0, "extent_max": null },
            // 42 slots in 8 interruptions; 32 stream seconds. Over 50 ms: A0's 2, 4 and 5, B0's 3 and 4, A1's 0 and 3;
            // less: B1's 0 and 4.
            "concealment": {
                "concealed_ms": 840.0, "unimpaired_seconds": 23, "concealed_seconds": 9,
                "severely_concealed_seconds": 7, "mean_interrupt_ms": 105.0,
            },
            // RTP of seconds 1 to 6: 200 packets of 214 octets, in second 3 190: 254,660. RTCP 5340, transfer 200,000,
            // control 10,000: 470,000. Second 3: 40,660 + 2340 + 100,000 + 7000 = 150,000.
            "mbps": { "mean": 470_000.0 * 8e-6 / 6.0, "max": 1.2 },
            "rtp_mbps": 260_000.0 * 8e-6 / 6.0,
            "transfer_mbps": 200_000.0 * 8e-6 / 6.0,
            // Not known in second 5.
            "nic_mbps": (45_000.0 + 101_300.0 + 162_000.0 + 63_600.0 + 46_500.0) * 8e-6 / 5.0,
            "dscp_arrived": 46,
        }),
    );
}

#[test]
fn every_figure_of_the_receive_leg() {
    let leg = measure(&rich(), None).legs.receive;
    // A0 lost 4 of 400 in one run; of four streams ranks 1, 1 and 2.
    let least = mos_lq(1.0, 4.0 * (1.0 - 0.01));
    // 80 ms lost and 200 ms of the guest's playout, whatever the buffer.
    let depth = |ms| buffer(ms, [0.0, 2.0, 200.0, 280.0]);
    assert_figures(
        &leg,
        &json!({
            "streams": 4,
            "expected_from": "ledger",
            "packets_expected": 1600,
            "packets_received": 1596,
            "packets_lost": 4,
            "packets_duplicated": 7,
            "packets_reordered": 0,
            "packets_discarded": 0,
            "packets_not_sent": 0,
            "packets_unauthentic": 0,
            "playout_anchored_anew": 0,
            "loss_percent": 0.25,
            "interarrival_jitter_ms": { "mean": 0.05, "max": 0.08 },
            "ipdv_ms": { "p50": 1.008, "p99": 1.008, "p999": 1.008, "max": 1.02 },
            "pdv_ms": { "p50": 0.0, "p95": 0.0, "p99": 0.0, "p999": 0.0, "max": 0.0 },
            "mos_lq": { "min": least, "p5": least, "median": mos_lq(0.0, 1.0) },
            "dead_air": {
                "events": 2, "events_200ms": 1, "longest_ms": 200.0, "total_ms": 280.0, "streams_affected": 2,
                "per_1000_call_minutes": 2.0 * 1000.0 * 3000.0 / 1600.0,
            },
            "dead_air_at_least": { "ms_40": 2, "ms_60": 2, "ms_100": 1, "ms_200": 1, "ms_400": 0, "ms_1000": 0 },
            "impairment_events": 2,
            "playout_buffers": [depth(20.0), depth(40.0), depth(60.0), depth(100.0), depth(200.0)],
            // One burst; gaps of 60 and 336 packets beside it, three streams of 400.
            "burst_gap": {
                "bursts": 1, "burst_density_percent": 100.0, "burst_duration_ms": 80.0,
                "gap_density_percent": 0.0, "gap_duration_ms": 20.0 * 1596.0 / 5.0,
            },
            "loss_runs": { "runs": 1, "mean_packets": 4.0, "max_packets": 4 },
            "reordering": { "ratio_percent": 0.0, "extent_max": null },
            "concealment": {
                "concealed_ms": 80.0, "unimpaired_seconds": 31, "concealed_seconds": 1,
                "severely_concealed_seconds": 1, "mean_interrupt_ms": 80.0,
            },
            // Each second 42,800 octets of RTP, 200 of RTCP, 1000 of transfer, 2000 of control.
            "mbps": { "mean": 0.368, "max": 0.368 },
            "rtp_mbps": 0.344,
            "transfer_mbps": 0.008,
            "nic_mbps": 0.3424,
            "dscp_arrived": 46,
        }),
    );
}

fn lateness([p50, p99, p999, max]: [f64; 4]) -> Value {
    json!({ "p50": p50, "p99": p99, "p999": p999, "max": max })
}

#[test]
fn every_figure_of_the_ends() {
    let run = measure(&rich(), None);
    let granted = json!([{ "name": "SCHED_FIFO", "granted": true, "refused": null }]);
    let mut validity = serde_json::to_value(&run.validity).unwrap();
    validity.as_object_mut().unwrap().remove("reasons");
    assert_figures(
        &validity,
        &json!({
            "valid": false, // one of six seconds
            "tainted_seconds": 1,
            "tainted": [5], // its socket's drop
            "departures_planned": 1604,
            "departures_sent": 1603,
            "departures_not_sent": 0,
            "socket_drops": 1,
            // 1200 of 100 us and 4 of 1008: ranks 602, 1192 and 1203.
            "lateness_us": lateness([100.0, 100.0, 1008.0, 1200.0]),
        }),
    );
    assert_figures(
        &run.guest,
        &json!({
            "ticks_planned": 1616,
            "ticks_missed": 3, // one of them before full load
            // 1200 of 100 us, 8 of 1008, 5 of 3008: ranks 607, 1201 and 1212.
            "tick_lateness_us": lateness([100.0, 1008.0, 3008.0, 45_000.0]),
            "cpu_percent": 30.0, // (20 + 40 + 30 + 30 + 30) / 5
            "steal_percent": 2.0, // (1 + 3 + 2) / 3
            "socket_drops": 20,
            "recorder_drops": 9,
            "clock_step_ms": 40.0,
            "real_time": "granted",
        }),
    );
    assert_figures(
        &run.host,
        &json!({
            "cpu_percent": 15.0, // (11 + 12 + 13 + 14 + 15 + 25) / 6
            "clock_step_ms": 9.0,
            "real_time": "granted",
        }),
    );
    assert_figures(
        &run.timers,
        &json!({
            "tester": {
                "mode": "sleep", "threads": 1, "slot_us": 500.0, "rights": granted,
                "running_percent": 60.0, "runnable_percent": 12.5,
                // 3 of 100 us and 1 of 1008.
                "departures_stamped": 4, "departure_stamp_us": lateness([100.0, 1008.0, 1008.0, 1100.0]),
            },
            "guest": {
                "mode": "sleep", "threads": 1, "slot_us": 500.0, "rights": granted,
                "running_percent": null, "runnable_percent": null, "departures_stamped": 0,
                "departure_stamp_us": { "p50": null, "p99": null, "p999": null, "max": null },
            },
        }),
    );
}

#[test]
fn every_other_figure_of_the_run() {
    let run = measure(&rich(), None);
    assert_figures(
        &run.clock,
        &json!({
            "same_clock": true,
            "round_trip_min_ms": 1.0,
            "offset_ms": 1.5,
            "skew_ppm": 0.0,
            "skew_change": null,
        }),
    );
    assert_figures(
        &run.recordings,
        &json!({
            "expected": 4,
            "received": 3,
            "scored": 2,
            "with_silence": 1,
            "silence_events": 2,
            "silence_events_unexplained": 2,
            "dropout_events": 0,
            "splice_events": 0,
            "clipping_events": 0,
            "one_way_channels": 0,
            "crossed_channels": 0,
            // One of two: the share p at which no more than one of two is silent once in twenty times, 1 - p^2 = 0.05.
            "upper_bound_95_percent": 0.95_f64.sqrt(),
            "weight_bits_per_second": (1200.0 + 1200.0 + 1000.0) / 3000.0 * 8533.0,
            "heavier_than_asked": 2,
        }),
    );
    assert_figures(
        &run.calls,
        &json!({ "started": 2, "completed": 0, "cut": 2 }),
    );
    assert_eq!(run.full_load, Some((1, 7)));
    // The tester's 2000 octets a second and the guest's 10,000 in six.
    super::counting::close(run.control_mbps, (2000.0 + 10_000.0 / 6.0) * 8e-6);
}
