//! One way, from the tester to a bare sink: our pacing thread beside the bare loop of the same slots, class, mode,
//! streams, time and receivers, both reading the clock once a packet.

use crate::Bench;
use crate::bare::Bare;
use crate::lab::Side;
use crate::ours::{CALLS, PACINGS, Pacing, lateness_said};
use crate::pairs::{Measured, Required, compare};
use serde_json::Value;

/// Whose pacing.
#[derive(Clone, Copy)]
pub(crate) enum Pacer {
    /// `bare pace`.
    Bare,
    /// Ours, on so many threads.
    Ours(u32),
    /// Ours on one thread, of encrypted streams.
    Encrypted,
}

/// Paces `streams` streams to a sink; what was measured.
pub(crate) fn pace(bench: &Bench, pacer: Pacer, streams: u32, pacing: &Pacing) -> Value {
    let sink = format!("--streams {streams}");
    let sink = bench
        .bare
        .start_receiver(&bench.lab, Side::Guest, "sink", &sink);
    let paced = send(bench, pacer, streams, pacing);
    sink.end();
    paced
}

/// Paces `streams` streams to whatever is there; what was measured.
fn send(bench: &Bench, pacer: Pacer, streams: u32, pacing: &Pacing) -> Value {
    let options = format!(
        "--streams {streams} --seconds {} {}",
        bench.seconds,
        pacing.bare_options()
    );
    let ours = |option: &str| Bare::start_paced(&bench.lab, &format!("{options} {option}"));
    let sender = match pacer {
        Pacer::Bare => {
            let options = format!("{options} --clock packet");
            bench
                .bare
                .start_sender(&bench.lab, Side::Tester, "pace", &options)
        }
        Pacer::Ours(threads) => ours(&format!("--threads {threads}")),
        Pacer::Encrypted => ours("--srtp"),
    };
    sender.end()
}

fn said(run: &Value) -> String {
    format!(
        "{}; {} not sent, {} packets/s, {:.1} % CPU",
        lateness_said(&run["lateness_us"]),
        run["not_sent"],
        run["packets_per_second"],
        run["cpu_percent"].as_f64().unwrap()
    )
}

/// Lateness p99.9 at 500 streams, in every pacing.
pub(crate) fn compare_lateness(bench: &Bench) {
    for pacing in PACINGS {
        let streams = CALLS * 2;
        println!(
            "  {streams} streams one way, {}, {} s; ratio of lateness p99.9",
            pacing.said(),
            bench.seconds
        );
        let measure = |pacer| {
            let run = pace(bench, pacer, streams, pacing);
            Measured {
                figure: run["lateness_us"]["p999"].as_f64().unwrap(),
                said: said(&run),
            }
        };
        let (ours, bare) = (|| measure(Pacer::Ours(1)), || measure(Pacer::Bare));
        let required = Required::AtMost(pacing.at_most);
        compare(bench.pairs, ("milliwatt", &ours), ("bare", &bare), required);
    }
}

/// A load beyond two threads: packets/s of two pacing threads to those of one. The far machine's firewall drops what
/// arrives: a receiver would take from the second thread the processor that it is to show the use of.
pub(crate) fn compare_threads(bench: &Bench) {
    const STREAMS: u32 = 19_800;
    println!(
        "  {STREAMS} streams, more than two threads can send, dropped on arrival: packets/s of two threads to one's; {} processors",
        std::thread::available_parallelism().unwrap()
    );
    bench.lab.drop_arriving(Side::Guest, "meta l4proto udp");
    let measure = |threads| {
        let run = send(bench, Pacer::Ours(threads), STREAMS, &PACINGS[0]);
        Measured {
            figure: run["packets_per_second"].as_f64().unwrap(),
            said: said(&run),
        }
    };
    let (two, one) = (|| measure(2), || measure(1));
    compare(
        bench.pairs,
        ("two threads", &two),
        ("one thread", &one),
        Required::AtLeast(1.7),
    );
    bench.lab.stop_dropping(Side::Guest);
}
