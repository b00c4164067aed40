//! The same traffic from both sides: `milliwatt run` against an agent that sends everything back, and bare loops
//! that pace and receive as many streams at either end.

use crate::Bench;
use crate::bare::{self, Loop};
use crate::lab::Side;
use crate::ours::{self, CALLS, GUEST_PRIORITY, PACING, PACINGS, Pacing, lateness_said};
use crate::pairs::{Measured, Required, compare, compare_at_once, pass_or_fail};
use serde_json::Value;

/// 120 Mbit/s each way: 1400 streams of 50 packets of 214 octets a second.
const FULL_DUPLEX_CALLS: u32 = 700;
/// Lateness p99.9 at 120 Mbit/s both ways, us: below.
const FULL_DUPLEX_LATENESS_US: f64 = 5000.0;

/// What a run of ours takes beside its full load, s: loops beside it run at least as long.
const AROUND_A_RUN: u32 = 10;

/// What the bare loops measured.
struct BareRun {
    /// The tester's pacing.
    pacing: Value,
    /// The tester's receiving.
    receiving: Value,
    /// Packets lost from the tester to the guest, and back.
    lost: [i64; 2],
}

/// Those loops while they run.
struct BareLoops {
    /// The tester's.
    pacing: Loop,
    receiving: Loop,
    /// The guest's.
    heard: Vec<Loop>,
    back: Vec<Loop>,
}

/// Has `streams` streams paced and received at either end for so many seconds. The tester's loops are those of its threads:
/// pacing, and receiving each 100 ms in the ordinary class. The guest's wake each slot, under `SCHED_FIFO`, one on each processor
/// as the agent's media threads: from how many processors packets come decides what it costs to receive them.
fn start_bare(bench: &Bench, streams: u32, pacing: &Pacing, seconds: u32) -> BareLoops {
    let (bare, lab) = (&bench.bare, &bench.lab);
    let tester = format!("--streams {streams}");
    let time = format!("--seconds {seconds}");
    let guests = |sender: Side, options: String| {
        let options = move |part: String| format!("{part} --fifo {GUEST_PRIORITY} {options}");
        parts(streams, sender).map(options)
    };
    let poll = format!("--poll {}", pacing.slot_us);
    let heard = guests(Side::Tester, poll)
        .map(|options| bare.start_receiver(lab, Side::Guest, "receive", &options));
    let heard = heard.collect();
    let polled = format!("{tester} --poll 100000");
    let receiving = bare.start_receiver(lab, Side::Tester, "receive", &polled);
    let back = guests(Side::Guest, format!("{time} --slot {}", pacing.slot_us))
        .map(|options| bare.start_sender(lab, Side::Guest, "pace", &options));
    let back = back.collect();
    let pacing = format!("{tester} {time} {}", pacing.bare_options());
    BareLoops {
        pacing: bare.start_sender(lab, Side::Tester, "pace", &pacing),
        receiving,
        heard,
        back,
    }
}

impl BareLoops {
    /// Waits for their end.
    fn end(self) -> BareRun {
        let pacing = self.pacing.end();
        let back = sum(self.back, "sent");
        let (heard, receiving) = (sum(self.heard, "received"), self.receiving.end());
        BareRun {
            lost: [
                count(&pacing, "sent") - heard,
                back - count(&receiving, "received"),
            ],
            pacing,
            receiving,
        }
    }
}

/// Paces and receives `streams` streams at either end.
fn run_bare(bench: &Bench, streams: u32, pacing: &Pacing) -> BareRun {
    start_bare(bench, streams, pacing, bench.seconds).end()
}

/// The streams of `sender` in as many parts as there are processors, as options of a loop.
fn parts(streams: u32, sender: Side) -> impl Iterator<Item = String> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let parts = u32::try_from(processors).unwrap().min(streams);
    let first = move |part: u32| streams * part / parts;
    (0..parts).map(move |part| {
        let port = bare::first_port(sender) + 2 * first(part);
        format!("--streams {} --port {port}", first(part + 1) - first(part))
    })
}

/// What all these loops counted.
fn sum(loops: Vec<Loop>, what: &str) -> i64 {
    loops.into_iter().map(|one| count(&one.end(), what)).sum()
}

fn count(measured: &Value, what: &str) -> i64 {
    measured[what].as_i64().unwrap()
}

impl BareRun {
    fn lateness_p999_us(&self) -> f64 {
        self.pacing["lateness_us"]["p999"].as_f64().unwrap()
    }

    fn said(&self) -> String {
        format!(
            "{}; {} not sent, {} and {} lost, {} % CPU",
            lateness_said(&self.pacing["lateness_us"]),
            self.pacing["not_sent"],
            self.lost[0],
            self.lost[1],
            self.pacing["cpu_percent"]
        )
    }
}

/// Both sides' lateness p99.9 of `calls` calls. Where a run of ours has to `hold` by itself, its line says whether
/// it did.
fn compare_pacing(
    bench: &Bench,
    calls: u32,
    pacing: &Pacing,
    (required, hold): (Required, Option<f64>),
) {
    println!(
        "  {} streams each way, {}, {} s; ratio of lateness p99.9",
        calls * 2,
        pacing.said(),
        bench.seconds
    );
    let ours = || {
        let run = ours::run(bench, calls, pacing);
        let held = hold.map(|limit| format!(": {}", pass_or_fail(run.holds(limit))));
        Measured {
            figure: run.number("/validity/lateness_us/p999"),
            said: run.said() + &held.unwrap_or_default(),
        }
    };
    let bare = || {
        let run = run_bare(bench, calls * 2, pacing);
        Measured {
            figure: run.lateness_p999_us(),
            said: run.said(),
        }
    };
    compare(bench.pairs, ("milliwatt", &ours), ("bare", &bare), required);
}

/// Lateness p99.9 at 500 streams each way, in every pacing.
pub(crate) fn compare_lateness(bench: &Bench) {
    for pacing in PACINGS {
        let required = Required::AtMost(pacing.at_most);
        compare_pacing(bench, CALLS, pacing, (required, None));
    }
}

/// 120 Mbit/s both ways at once: something is required of each run of ours, and the bare loops show what the
/// machine can do.
pub(crate) fn compare_full_duplex(bench: &Bench) {
    let pacing = &Pacing {
        slot_us: 500,
        ..*PACING
    };
    println!(
        "  required of each run of milliwatt: valid, nothing lost, nothing not sent, lateness p99.9 below {FULL_DUPLEX_LATENESS_US} us"
    );
    let judged = (Required::Nothing, Some(FULL_DUPLEX_LATENESS_US));
    compare_pacing(bench, FULL_DUPLEX_CALLS, pacing, judged);
}

/// Required of the receiving thread's CPU time a packet, ours to the bare loop's: at most.
const RECEIVING_AT_MOST: f64 = 1.3;

fn receiving_said(us: f64) -> Measured {
    Measured {
        figure: us,
        said: format!("{us:.3} us a packet"),
    }
}

/// CPU of the receiving thread for each packet, at 500 streams.
pub(crate) fn compare_receiving(bench: &Bench) {
    println!(
        "  500 streams, kernel stamps, each 100 ms; CPU time of the receiving thread for each packet"
    );
    let ours = || receiving_said(ours::run(bench, CALLS, PACING).receiving_us_per_packet());
    let bare = || {
        let receiving = run_bare(bench, CALLS * 2, PACING).receiving;
        receiving_said(receiving["cpu_us_per_packet"].as_f64().unwrap())
    };
    let required = Required::AtMost(RECEIVING_AT_MOST);
    compare(bench.pairs, ("milliwatt", &ours), ("bare", &bare), required);
}

/// The same of both at once, 500 streams each, in the same seconds.
pub(crate) fn compare_receiving_at_once(bench: &Bench) {
    println!("  as above, both at once, 500 streams each");
    let both = || {
        let bare = start_bare(bench, CALLS * 2, PACING, bench.seconds + AROUND_A_RUN);
        let beside = bare.receiving.pid();
        let run = ours::run_beside(bench, CALLS, PACING, Some(beside));
        bare.end();
        run.both_us_per_packet().map(receiving_said)
    };
    let required = Required::AtMost(RECEIVING_AT_MOST);
    compare_at_once(bench.pairs, ["milliwatt", "bare"], &both, required);
}
