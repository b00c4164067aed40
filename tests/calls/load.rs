//! The main job at its full size, and many calls one after the other.

use super::{LEGS, assert_nothing_lost, assert_pass_as_witnessed};
use crate::lab::{Lab, Octets, RunFolder, Side, Witness, long, pass_time};
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::load::PTIME_NS;

/// 250 recorded calls of two legs, 500 streams each way, for 60 s (short form: 15 s). Truths: the
/// document's traffic, 5.38 MB/s received and 5.64 MB/s sent, and the interface's own counters as
/// this test reads them during full load.
#[test]
fn full_load_of_250_calls() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (time, tolerance) = if long() { ("60s", 1.5) } else { ("15s", 3.0) };
    let agent = lab.start_agent(&[]);
    let witness = Witness::start();
    let args = ["--for", time, "--set", "validity.lateness=5ms"];
    let mut program = lab.start_run("250-calls", &agent, "run", &args);
    let mut readings = Vec::new();
    while program.runs() {
        readings.push((wall_now(), lab.octets(Side::Guest)));
        pass_time(250);
    }
    let run = RunFolder::of(lab.path("run"), program.wait());
    print_figures(&run);
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    assert_eq!(
        run.count("/legs/receive/streams"),
        run.count("/legs/sent/streams")
    );
    assert!(run.count("/legs/receive/streams") >= 500);
    let [receive, sent] = LEGS.map(|leg| run.number(&format!("/legs/{leg}/mbps/mean")));
    assert_near(
        "receive MB/s, by the document",
        receive / 8.0,
        5.38,
        tolerance,
    );
    assert_near("sent MB/s, by the document", sent / 8.0, 5.64, tolerance);
    let (counted_in, counted_out) = interface_mbps(&run, &readings);
    assert_near("receive Mbit/s, by the interface", receive, counted_in, 2.0);
    assert_near("sent Mbit/s, by the interface", sent, counted_out, 2.0);
}

/// What the guest's interface counted over full load, Mbit/s in and out.
#[expect(
    clippy::cast_precision_loss,
    reason = "octets and ns of a run of minutes are far below 2^53"
)]
fn interface_mbps(run: &RunFolder, readings: &[(i64, Octets)]) -> (f64, f64) {
    let [begin, end] = run.full_load();
    let mut at_full_load = readings.iter().filter(|(at, _)| (begin..end).contains(at));
    let ((from, first), (to, last)) = (
        at_full_load.next().unwrap(),
        at_full_load.next_back().unwrap(),
    );
    let us = (to - from) as f64 / 1e3;
    let mbps = |octets: u64| octets as f64 * 8.0 / us;
    (
        mbps(last.received - first.received),
        mbps(last.sent - first.sent),
    )
}

fn assert_near(what: &str, measured: f64, expected: f64, percent: f64) {
    println!(
        "{what}: {measured:.4}, expected {expected:.4} ({:+.2} %)",
        (measured / expected - 1.0) * 100.0
    );
    assert!(
        (measured / expected - 1.0).abs() * 100.0 <= percent,
        "{what}: {measured}, expected {expected} within {percent} %"
    );
}

fn print_figures(run: &RunFolder) {
    let keys = [
        "/validity/lateness_us",
        "/legs/receive/pdv_ms",
        "/legs/sent/pdv_ms",
        "/guest/tick_lateness_us",
        "/recordings",
    ];
    for key in keys {
        println!("{key}: {}", run.scorecard.pointer(key).unwrap());
    }
}

/// 5000 calls, 250 at a time, of 9 s each (short form: 300, 100 at a time, of 3 s). Each has one
/// recording, and each recording came back whole and was scored.
#[test]
fn every_call_of_many_is_recorded_and_scored() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (concurrent, total, hold) = if long() {
        (250, 5000, 9)
    } else {
        (100, 300, 3)
    };
    let set = [
        format!("calls.concurrent={concurrent}"),
        format!("calls.total={total}"),
        format!("calls.hold={hold}s"),
        "calls.steady_start=false".to_owned(),
    ];
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let witness = Witness::start();
    let run = lab.run("250-calls", &args);
    let stalls = witness.end();
    print_figures(&run);
    for count in [
        "/calls/started",
        "/calls/completed",
        "/recordings/expected",
        "/recordings/received",
        "/recordings/scored",
    ] {
        assert_eq!(run.count(count), total, "{count}");
    }
    assert_nothing_lost(&run);
    assert_pass_as_witnessed(&run, &stalls);
    // A machine that stands still for longer than the guest may tick late makes real silence.
    if stalls.iter().all(|stall| stall.length < PTIME_NS) {
        assert_eq!(run.count("/recordings/silence_events"), 0);
    }
    let rows = run.rows("recordings.csv");
    assert_eq!(rows.len() as u64, total);
    for (call, row) in rows.iter().enumerate() {
        assert_eq!(
            (&row["call"], &row["received"]),
            (&call.to_string(), &"true".to_owned())
        );
        let (length, expected) = (row["length_s"].parse::<f64>().unwrap(), f64::from(hold));
        assert!(
            (length - expected).abs() <= 0.1,
            "call {call} of {hold} s: a recording of {length} s"
        );
    }
    let left = std::fs::read_dir(lab.path("agent")).unwrap().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert_eq!(
        left,
        ["identity.pem"],
        "what was confirmed is deleted on the guest"
    );
}
