//! A guest that stands still under 500 streams: what is said of it, against the time for which it stood.

use super::{LEGS, assert_valid_as_witnessed, wait_for_run_time};
use crate::lab::{Frozen, Lab, RunFolder, Stall, Witness, run_zero};
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};
use serde_json::Value;
use std::ops::Range;

/// When the guest is stopped, ms of run time, and for how long.
const FREEZES: [(i64, i64); 3] = [(4_000, 300), (8_000, 700), (13_000, 2_000)];
/// A packet time, ms: streams fall silent, and are heard again, within one.
const PACKET_MS: f64 = 20.0;
/// A call that ends within two packet times of the begin is up then and has no silence: 1.2 calls of two streams end a second.
const ENDING_STREAMS: u64 = 4;
/// After the guest goes on what waited in its sockets is read before all streams are heard again: so long at most, ms, and for
/// each ms that it stood such a part of one besides, since more waits then.
const CATCHING_UP_MS: f64 = 100.0;
const CATCHING_UP_PART: f64 = 0.15;

/// Stopped and continued three times, found without being told of: a pause of all streams on both legs, as long as it was to
/// one packet time; what came meanwhile was late and not lost; each stream recovered; the guest is blamed, so the run is valid.
#[test]
fn a_frozen_guest_is_a_pause_as_long_as_it_stood_on_both_legs() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let args = [
        "--for",
        "18s",
        "--no-abort",
        "--set",
        "calls.arrivals=1000/s",
        "--set",
        "validity.lateness=20ms",
    ];
    let witness = Witness::start();
    let program = lab.start_run("250-calls", &agent, "run", &args);
    let stood = FREEZES.map(|(at_ms, ms)| {
        wait_for_run_time(&lab.path("run"), at_ms);
        Frozen::for_ms(&agent.program, ms)
    });
    let run = RunFolder::of(lab.path("run"), program.wait());
    let stalls = witness.end();
    assert_valid_as_witnessed(&run, &stalls);
    assert_eq!(
        run.count("/legs/receive/packets_lost") + run.count("/legs/sent/packets_lost"),
        0,
        "{}",
        run.ended.stdout
    );
    for ((at_ms, least), most) in FREEZES.into_iter().zip(stood) {
        let found = found_at(&run, at_ms);
        println!("stood for {least} to {most:.1} ms: {found:#}");
        #[expect(clippy::cast_precision_loss, reason = "some ms")]
        let stood = least as f64..most + stood_besides(&run, &stalls, at_ms);
        assert_is_pause(&found, &stood);
    }
}

/// The disruption that began within half a second of `at_ms`.
fn found_at(run: &RunFolder, at_ms: i64) -> Value {
    let all = run.scorecard["disruptions"].as_array().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a run of seconds")]
    let at_s = at_ms as f64 / 1e3;
    let near = |found: &&Value| (found["at"].as_f64().unwrap() - at_s).abs() < 0.5;
    let found = all.iter().find(near);
    found
        .unwrap_or_else(|| panic!("none at {at_s} s: {all:#?}"))
        .clone()
}

/// For how long the machine itself stood still around then, as the witness saw it, ms.
fn stood_besides(run: &RunFolder, stalls: &[Stall], at_ms: i64) -> f64 {
    let from = run_zero(&run.path).unwrap() + at_ms * NS_PER_MS - NS_PER_SECOND;
    let around = from..from + 4 * NS_PER_SECOND;
    let such = stalls.iter().filter(|stall| around.contains(&stall.at));
    #[expect(clippy::cast_precision_loss, reason = "some ms in ns")]
    let ms = such.map(|stall| stall.length as f64 / 1e6).sum();
    ms
}

/// `stood`: from when each thread stood until one went on, and from the first signal until the last was taken, ms.
fn assert_is_pause(found: &Value, stood: &Range<f64>) {
    let ms = |value: &Value| value.as_f64().unwrap();
    let count = |name: &str| found[name].as_u64().unwrap();
    assert_eq!(found["kind"], "pause", "{found:#}");
    let unaffected = count("streams") - count("streams_affected");
    assert!(unaffected <= ENDING_STREAMS, "{found:#}");
    assert!(count("streams") >= 490, "{found:#}");
    assert_eq!(count("packets_lost"), 0, "{found:#}");
    assert!(count("packets_late") > 0, "{found:#}");
    let blackout = stood.start - PACKET_MS..stood.end + PACKET_MS;
    for leg in LEGS {
        let found = ms(&found["by_leg"][leg]["blackout_ms"]);
        assert!(blackout.contains(&found), "{leg}: {found} of {blackout:?}");
    }
    let latest = stood.end * (1.0 + CATCHING_UP_PART) + CATCHING_UP_MS;
    let recovered = stood.start - PACKET_MS..latest;
    let found = ms(&found["recovered_ms"]);
    assert!(recovered.contains(&found), "{found} of {recovered:?}");
}
