//! A path that carries all of it.

use crate::calls::{assert_nothing_lost, assert_valid_as_witnessed};
use crate::lab::{Lab, RunFolder, Witness, long};

/// RTP of calls and a twentieth of transfer, of which nothing is lost: for a minute 120 Mbit/s on the sent leg and 115 on the
/// other; the short form offers 250 calls, which a machine with a third of its time taken away can carry too. Calls that last as
/// long as the test say nothing about recordings: what these would weigh travels as made-up files.
#[test]
fn a_hundred_and_twenty_mbps_are_held_on_both_legs_and_nothing_is_lost() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let (calls, time, sent) = if long() {
        ("calls.concurrent=664", "60s", 117.0..121.5)
    } else {
        ("calls.concurrent=250", "15s", 43.5..46.0)
    };
    let witness = Witness::start();
    let set = [
        calls,
        "calls.arrivals=1000/s",
        "recording.share=0",
        "transfer.when=continuous",
        "threshold.1.max=130",
    ];
    let mut args = vec!["--for", time, "--no-abort"];
    args.extend(set.iter().flat_map(|key| ["--set", key]));
    let ended = lab.start_run("250-calls", &agent, "run", &args).wait();
    let stalls = witness.end();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    assert_nothing_lost(&run);
    assert_valid_as_witnessed(&run, &stalls);
    if run.scorecard["validity"]["valid"] == true {
        let mbps = run.number("/legs/sent/mbps/mean");
        assert!(sent.contains(&mbps), "{mbps}");
    }
}
