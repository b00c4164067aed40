//! `milliwatt compare` on a real change: a virtual machine with a paravirtualised network adapter (virtio-net) and the same
//! with an emulated one (e1000), each run on a machine of its own that was just booted, in turns. Each run of the first beside
//! each later one is a comparison of a machine with itself. Nothing is asserted.
//!
//!     tests/vm/fetch && cargo bench --bench machines [-- --runs N --calls N --seconds S]

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is not as it should be"
)]
#![expect(clippy::print_stdout, reason = "its output is its result")]

#[expect(
    dead_code,
    unused_imports,
    reason = "the tests' lab: a bench needs a part of it"
)]
#[path = "../lab/mod.rs"]
mod lab;
#[expect(
    dead_code,
    unused_imports,
    reason = "the tests' machines: a bench needs a part of it"
)]
#[path = "../vm/mod.rs"]
mod vm;

use clap::Parser;
use lab::{Lab, MILLIWATT};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use vm::machine::{Build, boot};

/// What is run.
#[derive(Parser)]
struct Args {
    /// The adapter before the change, in QEMU's words
    #[arg(long, default_value = "virtio-net-pci")]
    before: String,
    /// The adapter after it
    #[arg(long, default_value = "e1000")]
    after: String,
    /// Runs of each adapter
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Calls, of two streams each way: as many as an emulated machine has just no time for
    #[arg(long, default_value_t = 70)]
    calls: u32,
    /// Time at full load of each run, s
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Further settings of the scenario, such as `agent.role=echo`
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// What cargo passes on
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let Some(lab) = vm::open() else { return };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for number in 0..args.runs {
        before.push(run(&lab, &args, &args.before, number));
        after.push(run(&lab, &args, &args.after, number));
    }
    for (adapter, runs) in [(&args.before, &before), (&args.after, &after)] {
        println!("{adapter} beside itself: {:?}", with_itself(&lab, runs));
    }
    let pairs = before.iter().zip(&after);
    let verdicts = pairs.map(|(before, after)| {
        let [before, after] = [before, after].map(std::slice::from_ref);
        compare(&lab, before, after)
    });
    let change = format!("{} after {}", args.after, args.before);
    println!("{change}, one run a side: {:?}", count(verdicts));
    println!("{change}, all runs: {}", compare(&lab, &before, &after));
}

/// Boots one with this adapter, runs, and prints what both legs had. Gives the run's folder.
fn run(lab: &Lab, args: &Args, adapter: &str, number: usize) -> String {
    let agent = boot(lab, Build::with(adapter));
    let (seconds, out) = (format!("{}s", args.seconds), format!("{adapter}-{number}"));
    let calls = ["concurrent", "total"].map(|key| format!("calls.{key}={}", args.calls));
    let mut words = vec!["--for", &seconds, "--no-abort"];
    let settings = calls.iter().chain(&args.set);
    words.extend(settings.flat_map(|setting| ["--set", setting.as_str()]));
    let ended = lab.start_run("smoke", &agent, &out, &words).wait();
    let run = lab::RunFolder::of(lab.path(&out), ended);
    for leg in ["receive", "sent"] {
        let figure = |name: &str| run.number(&format!("/legs/{leg}/{name}"));
        println!(
            "{out}, {leg} leg: {} of {} packets lost, PDV p50 {} p99 {} ms ({})",
            figure("packets_lost"),
            figure("packets_expected"),
            figure("pdv_ms/p50"),
            figure("pdv_ms/p99"),
            run.scorecard["verdict"]
        );
    }
    for end in ["guest/cpu_percent", "transfers/receive/goodput_mbps/mean"] {
        let figure = run.scorecard.pointer(&format!("/{end}"));
        println!(
            "{out}: {end} {}",
            figure.unwrap_or(&serde_json::Value::Null)
        );
    }
    out
}

/// Verdicts of every run beside every later one.
fn with_itself(lab: &Lab, runs: &[String]) -> BTreeMap<String, usize> {
    let pairs = (0..runs.len())
        .flat_map(|first| (first + 1..runs.len()).map(move |second| [first, second]));
    count(pairs.map(|pair| {
        let [before, after] = pair.map(|number| std::slice::from_ref(&runs[number]));
        compare(lab, before, after)
    }))
}

fn count(verdicts: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        *counts.entry(verdict).or_default() += 1;
    }
    counts
}

/// What `milliwatt compare` says of these runs, by their folders.
fn compare(lab: &Lab, before: &[String], after: &[String]) -> String {
    let path = |name: &String| lab.path(name).display().to_string();
    let mut words = vec!["compare".to_owned(), "--json".to_owned(), path(&before[0])];
    words.extend(after.iter().map(path));
    for further in &before[1..] {
        words.extend(["--baseline".to_owned(), path(further)]);
    }
    let output = Command::new(Path::new(MILLIWATT))
        .args(&words)
        .output()
        .unwrap();
    let said: Result<serde_json::Value, _> = serde_json::from_slice(&output.stdout);
    let failed = |_| panic!("{}", String::from_utf8_lossy(&output.stderr));
    let comparison = said.unwrap_or_else(failed);
    comparison["verdict"].as_str().unwrap().to_owned()
}
