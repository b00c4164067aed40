//! Files that load the path beside the calls, held against the interface's own counters.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod cut;

use crate::calls::assert_pass_as_witnessed;
use crate::lab::{Lab, Octets, RunFolder, Side, WIRE, Witness, pass_time};
use milliwatt_wire::block::BlockReader;
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::facts::{Fact, TransferSecond};
use std::fs::File;
use std::io::BufReader;

/// 20 streams of 50 packets of 214 octets a second, each way.
const RTP_MBPS: f64 = 20.0 * 50.0 * 214.0 * 8.0 / 1e6;

/// A run of `smoke`.
struct Measured {
    run: RunFolder,
    /// What the guest's interface counted over full load, Mbit/s.
    received: f64,
    sent: f64,
    /// For how much of full load the machine itself stood still, percent: what was not sent then is not made up for.
    stood: f64,
}

/// A valid run, which is done when everything is transferred.
fn measured(lab: &Lab, set: &[&str]) -> Measured {
    for side in [Side::Tester, Side::Guest] {
        // Else the interface counts the headers of many segments once.
        lab.execute(side, "ethtool", &["-K", WIRE, "tso", "off", "gso", "off"]);
    }
    let agent = lab.start_agent(&[]);
    let args: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let witness = Witness::start();
    let mut program = lab.start_run("smoke", &agent, "run", &args);
    let mut readings: Vec<(i64, Octets)> = Vec::new();
    while program.runs() {
        readings.push((wall_now(), lab.octets(Side::Guest)));
        pass_time(100);
    }
    let run = RunFolder::of(lab.path("run"), program.wait());
    let stalls = witness.end();
    assert_pass_as_witnessed(&run, &stalls);
    assert_eq!(run.count("/recordings/scored"), 10);
    let [begin, end] = run.full_load();
    let within = stalls
        .iter()
        .filter(|stall| (begin..end).contains(&stall.at));
    let stood: i64 = within.map(|stall| stall.length).sum();
    readings.retain(|(at, _)| (begin..end).contains(at));
    let [(from, first), .., (to, last)] = readings[..] else {
        panic!("full load was over before it was looked")
    };
    let mbps = |octets: u64| per_us(octets * 8, to - from);
    let (received, sent) = (
        mbps(last.received - first.received),
        mbps(last.sent - first.sent),
    );
    let stood = per_us(u64::try_from(stood).unwrap(), end - begin) / 10.0;
    println!(
        "by the interface: {received:.3} Mbit/s in, {sent:.3} Mbit/s out; stood still {stood:.2} %"
    );
    Measured {
        run,
        received,
        sent,
        stood,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "octets and ns of a run of seconds are far below 2^53"
)]
fn per_us(number: u64, ns: i64) -> f64 {
    number as f64 * 1e3 / ns as f64
}

/// What an end told of its transfers.
fn transfers(run: &RunFolder, end: &str) -> Vec<TransferSecond> {
    let file = File::open(run.path.join(format!("facts/{end}.facts"))).unwrap();
    let blocks = BlockReader::new(BufReader::new(file)).map(Result::unwrap);
    let facts = blocks.flat_map(|block| block.facts);
    let told = facts.filter_map(|fact| match fact {
        Fact::Transfers(second) => Some(second),
        _ => None,
    });
    told.collect()
}

/// A count over all seconds.
fn sum(seconds: &[TransferSecond], of: fn(&TransferSecond) -> u32) -> u64 {
    seconds.iter().map(|second| u64::from(of(second))).sum()
}

/// Asserts a figure to so many percent, and as much less as the machine stood still.
fn assert_near(what: &str, measured: f64, expected: f64, (percent, stood): (f64, f64)) {
    let off = (measured / expected - 1.0) * 100.0;
    println!("{what}: {measured:.4}, expected {expected:.4} ({off:+.2} %)");
    assert!(
        (-percent - stood..=percent).contains(&off),
        "{what}: {measured}, {expected} expected; the machine stood still for {stood:.2} %"
    );
}

/// The ten seconds of full load: paced at 20 Mbit/s, files completed and none broken, and as much acknowledged as a
/// connection carries of that (a full segment of 1514 octets has 1448 of data, and one in twelve is a third full).
fn assert_told(seconds: &[TransferSecond], stood: f64) {
    println!("{seconds:?}");
    assert!(sum(seconds, |s| s.completed) > 100);
    assert_eq!(sum(seconds, |s| s.broken), 0);
    let allowed = seconds.iter().map(|s| s.allowed_octets.unwrap_or(0)).sum();
    assert_near("allowed octets", per_us(allowed, 1000), 25e6, (1.0, stood));
    let acknowledged = seconds.iter().map(|s| s.acknowledged_octets).sum();
    assert_near(
        "acknowledged",
        per_us(acknowledged, 1000),
        23.85e6,
        (3.0, stood),
    );
    assert!(seconds.iter().all(|s| s.stalled_ms < 1000));
    assert!(seconds.iter().any(|s| s.round_trip_us.is_some()));
    assert_eq!(seconds.last().map(|s| s.under_way), Some(0));
}

const BACKLOG: [&str; 3] = [
    "transfer.when=backlog",
    "transfer.rate=20 Mbit/s",
    "transfer.size=50 kB..150 kB",
];

/// 20 Mbit/s of made-up files from the guest. Truth: what its interface sent over full load, less 1.712 Mbit/s of RTP.
#[test]
fn a_backlog_at_a_rate_is_what_the_guests_interface_sends() {
    let Some(lab) = Lab::open(&["ethtool"]) else {
        return;
    };
    let Measured {
        run, sent, stood, ..
    } = measured(&lab, &BACKLOG);
    assert_near("transfer Mbit/s", sent - RTP_MBPS, 20.0, (3.0, stood));
    let told = run.number("/legs/sent/mbps/mean");
    assert_near("sent Mbit/s, by the run", told, sent, (1.0, stood));
    assert_told(&transfers(&run, "guest"), stood);
}

/// The same from the tester to the guest. Truth: what the guest's interface received.
#[test]
fn a_backlog_to_the_guest_at_a_rate_is_what_its_interface_receives() {
    let Some(lab) = Lab::open(&["ethtool"]) else {
        return;
    };
    let set = [&BACKLOG[..], &["transfer.direction=to-guest"]].concat();
    let Measured {
        run,
        received,
        stood,
        ..
    } = measured(&lab, &set);
    assert_near("transfer Mbit/s", received - RTP_MBPS, 20.0, (3.0, stood));
    let told = run.number("/legs/receive/mbps/mean");
    assert_near("received Mbit/s, by the run", told, received, (1.0, stood));
    assert_told(&transfers(&run, "tester"), stood);
}
