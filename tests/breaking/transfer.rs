//! Transfer and RTP on one way out: as TCP goes, and paced to what RTP leaves.

use crate::lab::{Lab, RunFolder, Side};

/// 140 calls of two legs: 24.0 Mbit/s, 60 % of the 40 Mbit/s that the guest's way out carries. Calls of 4 s end all the time;
/// recordings of ten times the usual weight, 12.5 Mbit/s in the mean, leave in batches.
fn run(lab: &Lab, time: &str, args: &[&str]) -> RunFolder {
    lab.shape(Side::Guest, "tbf rate 40mbit burst 16kb latency 300ms");
    let agent = lab.start_agent(&[]);
    let set = [
        "calls.concurrent=140",
        "calls.hold=4s",
        "recording.rate=85330 bit/s",
    ];
    let mut all = vec!["--for", time, "--no-abort"];
    all.extend(set.iter().flat_map(|key| ["--set", key]));
    all.extend(args);
    let ended = lab.start_run("250-calls", &agent, "run", &all).wait();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    run
}

fn notes(run: &RunFolder) -> String {
    run.scorecard["notes"].to_string()
}

/// Batches of 8 s as TCP goes fill the queue: the sent leg fails, and the report says by what.
#[test]
fn batches_as_tcp_goes_break_the_sent_leg_and_the_report_names_them() {
    let Some(lab) = Lab::open(&["tc"]) else {
        return;
    };
    let run = run(&lab, "24s", &["--set", "transfer.when=every 8s"]);
    assert_eq!(run.verdict(), "fail");
    let failed = |threshold: &&serde_json::Value| {
        threshold["outcome"] == "fail" && threshold["leg"] == "sent"
    };
    let thresholds = run.scorecard["thresholds"].as_array().unwrap();
    assert!(
        thresholds.iter().any(|threshold| failed(&threshold)),
        "{thresholds:#?}"
    );
    assert!(
        notes(&run).contains("follows recording transfer"),
        "{}",
        notes(&run)
    );
}

/// The same recordings, paced to the 30 % that are free: all of it passes, and no transfer is named.
#[test]
fn transfers_paced_to_what_rtp_leaves_harm_nothing() {
    let Some(lab) = Lab::open(&["tc"]) else {
        return;
    };
    let run = run(&lab, "16s", &["--set", "transfer.rate=13 Mbit/s"]);
    assert_eq!(run.verdict(), "pass", "{}", run.ended.stdout);
    assert_eq!(run.count("/legs/sent/packets_lost"), 0);
    assert!(
        !notes(&run).contains("follows recording transfer"),
        "{}",
        notes(&run)
    );
}
