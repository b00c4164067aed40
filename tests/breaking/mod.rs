//! Where a leg breaks, held against what the path was made to carry.
//!
//! `tbf` and nftables count a frame as milliwatt does: the IP packet and 14 octets of Ethernet. So a rate of R Mbit/s
//! carries exactly R. The short form has one rate and a narrow range; `MILLIWATT_LONG=1` has what the table in
//! tests/README.md says.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod backlog;
mod held;
mod policer;
mod queue;
mod starved;
mod transfer;

use crate::lab::{Lab, RunFolder, long};
use serde_json::Value;

/// The range of a search.
#[derive(Clone, Copy)]
struct Range {
    from: f64,
    to: f64,
}

/// Searches the breaking points, without a confirmation; the guest and the path are as they are.
fn search(lab: &Lab, range: Range, args: &[&str]) -> RunFolder {
    let agent = lab.start_agent(&[]);
    let range = [
        format!("ramp.from={}", range.from),
        format!("ramp.to={}", range.to),
    ];
    let mut all = vec!["--for", "60s", "--set", &range[0], "--set", &range[1]];
    if !long() {
        all.extend([
            "--set",
            "search.precision=6",
            "--set",
            "search.bursts=false",
        ]);
    }
    all.extend(args);
    let ended = lab.start_run("120-mbps", &agent, "run", &all).wait();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    run
}

/// Raises the load step by step, 4 s each. `ramp` says how, and `more` what else there is.
fn ramp(lab: &Lab, ramp: &str, more: &str) -> RunFolder {
    let text = format!(
        "name = \"ramp\"\ntitle = \"Step by step\"\n\n[calls]\nconcurrent = 256\nhold = \"2m..5m\"\n\n[recording]\nshare = 0.0\n\n\
         [ramp]\nquantity = \"mbps\"\nhold = \"4s\"\n{ramp}\n\n{more}\n\n\
         [[threshold]]\nmetric = \"breaking_point.last_good_mbps\"\nleg = \"sent\"\nmin = 100\n"
    );
    let file = lab.write("ramp.toml", &text);
    let agent = lab.start_agent(&[]);
    let ended = lab
        .start_run(file.to_str().unwrap(), &agent, "run", &[])
        .wait();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    run
}

/// What the run says of a leg.
fn point<'r>(run: &'r RunFolder, leg: &str) -> &'r Value {
    &run.scorecard["breaking_point"][leg]
}

/// Asserts that the leg broke, first at a load within 8 % of what the path carries, by one of `metrics`.
fn assert_broke(run: &RunFolder, leg: &str, carries: f64, metrics: &[&str]) {
    let point = point(run, leg);
    assert_eq!(point["reached"], "broke", "{leg}: {point:#}");
    let bad = point["first_bad_mbps"].as_f64().unwrap();
    assert!(
        (bad / carries - 1.0).abs() <= 0.08,
        "{leg}: {bad} of {carries}: {point:#}"
    );
    let good = point["last_good_mbps"].as_f64().unwrap();
    assert!(good < bad && good > carries * 0.85, "{leg}: {point:#}");
    let metric = point["metric"].as_str().unwrap();
    assert!(metrics.contains(&metric), "{leg}: {metric}: {point:#}");
}

/// Asserts that the leg held all that was offered: the receive leg is offered the load without its transfer, a twentieth less.
fn assert_held(run: &RunFolder, leg: &str, to: f64) {
    let point = point(run, leg);
    assert_eq!(point["reached"], "not-reached", "{leg}: {point:#}");
    assert_eq!(point["first_bad_mbps"], Value::Null, "{leg}: {point:#}");
    let held = point["last_good_mbps"].as_f64().unwrap();
    assert!(held > to * 0.94, "{leg}: {held} of {to}");
}
