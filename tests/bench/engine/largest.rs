//! The largest load that can be paced, beside what one core can send at all.

use crate::Bench;
use crate::lab::Side;
use crate::one_way::{Pacer, pace};
use crate::ours::{PACING, Pacing, lateness_said};
use crate::pairs::{median, pass_or_fail};

/// Streams of the bare unpaced loop alone: as many sockets as the load that is compared most.
const UNPACED_STREAMS: u32 = 500;
/// The load rises in steps of the first, then from what held in steps of the second, streams.
const STEPS: [u32; 2] = [1000, 200];
/// Up to this: every stream has two ports of its own.
const MOST_STREAMS: u32 = 16_000;
/// A load holds when lateness p99.9 stays below this, us, and nothing is left out.
const LATENESS_US: f64 = 5000.0;
/// Required of our largest load, in packets/s, to the unpaced loop's rate.
const AT_LEAST: f64 = 0.8;

/// Prints what one core sends without pacing.
pub(crate) fn measure_unpaced(bench: &Bench) {
    unpaced(bench, UNPACED_STREAMS);
}

/// Median packets/s of the bare unpaced loop, in the scheduling class of the pacing that is held against it. What a packet
/// costs rises with the sockets at either end, which do not fit into the processor's caches any more.
fn unpaced(bench: &Bench, streams: u32) -> f64 {
    let run = || {
        let sink = format!("--streams {streams}");
        let sink = bench
            .bare
            .start_receiver(&bench.lab, Side::Guest, "sink", &sink);
        let options = format!(
            "--streams {streams} --seconds {} --fifo {}",
            bench.seconds, PACING.priority
        );
        let sender = bench
            .bare
            .start_sender(&bench.lab, Side::Tester, "send", &options);
        let sent = sender.end();
        let received = sink.end();
        println!(
            "  bare unpaced, {streams} streams: {} packets/s, {} us of CPU a packet; the far end read {} of {}",
            sent["packets_per_second"],
            sent["cpu_us_per_packet"],
            received["received"],
            sent["sent"]
        );
        sent["packets_per_second"].as_f64().unwrap()
    };
    let mut rates: Vec<f64> = (0..bench.pairs).map(|_| run()).collect();
    let median = median(&mut rates);
    println!(
        "  median of {}, {streams} streams: {median:.0} packets/s",
        bench.pairs
    );
    median
}

/// The largest load of either side's pacing, one way, and each beside the unpaced rate of as many streams.
pub(crate) fn compare(bench: &Bench) {
    measure_unpaced(bench);
    let pacing = &Pacing {
        slot_us: 500,
        ..*PACING
    };
    let sides = [("bare", Pacer::Bare), ("milliwatt", Pacer::Ours(1))];
    let [bare, ours] = sides.map(|(name, pacer)| {
        largest(bench, name, |streams| {
            let run = pace(bench, pacer, streams, pacing);
            let late = run["lateness_us"]["p999"].as_f64().unwrap();
            println!(
                "  {streams} streams, {name}: {}; {} not sent, {:.1} % CPU",
                lateness_said(&run["lateness_us"]),
                run["not_sent"],
                run["cpu_percent"].as_f64().unwrap()
            );
            late < LATENESS_US && run["not_sent"] == 0
        })
    });
    let share = |streams: u32| f64::from(streams * 50) / unpaced(bench, streams.max(1));
    let [bare, ours] = [bare, ours].map(share);
    println!(
        "  bare pace / bare send: {bare:.3}; milliwatt / bare send: {ours:.3}; required: at least {AT_LEAST:.3}: {}",
        pass_or_fail(ours >= AT_LEAST)
    );
}

/// The largest load that holds, 0 when not even the first does. A load is tried as often as there are pairs, until
/// it holds once: what is looked for is what the machine can do, not how often it is disturbed.
fn largest(bench: &Bench, side: &str, holds: impl Fn(u32) -> bool) -> u32 {
    let tried = |streams: &u32| (0..bench.pairs).any(|_| holds(*streams));
    let mut largest = 0;
    for step in STEPS {
        let loads = (1..).map(|n| largest + n * step);
        let held = loads.take_while(|streams| *streams <= MOST_STREAMS && tried(streams));
        largest = held.last().unwrap_or(largest);
    }
    println!("  {side}: {largest} streams, {} packets/s", largest * 50);
    largest
}
