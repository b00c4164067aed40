//! milliwatt's engine beside bare loops in C (`tests/bench/bare.c`), SIPp and iperf3, in turns in one run, between
//! two network namespaces. `tests/README.md` says what each comparison means. Nothing is asserted: a machine that
//! is busy gives figures that prove nothing, on either side.
//!
//!     cargo bench --bench engine [-- NAME... --pairs N --seconds S]

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is not as it should be"
)]
#![expect(clippy::print_stdout, reason = "its output is its result")]

mod bare;
mod both_ways;
mod encrypted;
mod iperf3;
#[expect(
    dead_code,
    unused_imports,
    reason = "the tests' lab: a bench needs a part of it"
)]
#[path = "../../lab/mod.rs"]
mod lab;
mod largest;
mod one_way;
mod ours;
mod paced;
mod pairs;
mod wire;

use bare::Bare;
use clap::Parser;
use lab::Lab;

/// Runs both sides of something and prints what came out.
type Comparison = fn(&Bench);

/// Every comparison, by name.
const COMPARISONS: [(&str, Comparison); 10] = [
    ("wire", wire::compare),
    ("lateness", one_way::compare_lateness),
    ("run-lateness", both_ways::compare_lateness),
    ("receive", both_ways::compare_receiving),
    ("receive-beside", both_ways::compare_receiving_at_once),
    ("both-ways", both_ways::compare_full_duplex),
    ("unpaced", largest::measure_unpaced),
    ("largest", largest::compare),
    ("threads", one_way::compare_threads),
    ("srtp", encrypted::compare_cpu),
];

/// What is compared, and for how long.
#[derive(Parser)]
struct Args {
    /// Comparisons: wire, lateness, run-lateness, receive, receive-beside, both-ways, unpaced, largest, threads, srtp [default: all]
    names: Vec<String>,
    /// Pairs of runs, one of each side in turns
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Time at full load of each run, s; 3 at least
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// cargo bench says so to each benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What every comparison needs.
struct Bench {
    lab: Lab,
    bare: Bare,
    pairs: usize,
    seconds: u32,
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some(paced::WORD) {
        return paced::main();
    }
    let args = Args::parse();
    let known = |name: &&String| COMPARISONS.iter().any(|(known, _)| known == name);
    if let Some(unknown) = args.names.iter().find(|name| !known(name)) {
        println!("no comparison is called {unknown}: see --help");
        return;
    }
    let programs = ["cc", "sipp", "iperf3", "tshark", "ss"];
    let Some(lab) = Lab::open(&programs) else {
        return;
    };
    let bench = Bench {
        bare: Bare::compile(&lab),
        lab,
        pairs: args.pairs.max(1),
        seconds: args.seconds.max(3),
    };
    for (name, compare) in COMPARISONS {
        if args.names.is_empty() || args.names.iter().any(|asked| asked == name) {
            println!("== {name}");
            compare(&bench);
        }
    }
}
