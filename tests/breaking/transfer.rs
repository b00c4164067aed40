//! Transfer and RTP on one way out: as TCP goes, and paced to what RTP leaves.

use crate::calls::{assert_verdict_as_witnessed, fails};
use crate::lab::{Lab, RunFolder, Side, Stall, Witness};

/// 140 calls of two legs: 24.0 Mbit/s, 60 % of the 40 Mbit/s that the guest's way out carries. Calls of 4 s end all the time;
/// recordings of ten times the usual weight, 12.5 Mbit/s in the mean, leave in batches.
fn run(lab: &Lab, time: &str, args: &[&str]) -> (RunFolder, Vec<Stall>) {
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
    let witness = Witness::start();
    let ended = lab.start_run("250-calls", &agent, "run", &all).wait();
    let stalls = witness.end();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    (run, stalls)
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
    let (run, stalls) = run(&lab, "24s", &["--set", "transfer.when=every 8s"]);
    assert_verdict_as_witnessed(&run, &stalls, "fail");
    let thresholds = run.scorecard["thresholds"].as_array().unwrap();
    let of_the_sent_leg = |judged: &&serde_json::Value| fails(judged) && judged["leg"] == "sent";
    assert!(
        thresholds.iter().any(|judged| of_the_sent_leg(&judged)),
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
    let (run, stalls) = run(&lab, "16s", &["--set", "transfer.rate=13 Mbit/s"]);
    assert_verdict_as_witnessed(&run, &stalls, "pass");
    assert_eq!(run.count("/legs/sent/packets_lost"), 0);
    assert!(
        !notes(&run).contains("follows recording transfer"),
        "{}",
        notes(&run)
    );
}
