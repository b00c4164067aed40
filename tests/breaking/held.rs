//! A path that carries all of it.

use crate::calls::{assert_nothing_lost, assert_valid_as_witnessed};
use crate::lab::{Lab, RunFolder, Witness, long};

/// RTP of 664 calls and 6 Mbit/s of transfer: 120 Mbit/s on the sent leg, 115 on the other, of which nothing is lost. The guest
/// sends back at once: as a media server it would need more than is left of two processors that both ends share.
#[test]
fn a_hundred_and_twenty_mbps_are_held_on_both_legs_and_nothing_is_lost() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let time = if long() { "60s" } else { "15s" };
    let witness = Witness::start();
    let set = [
        "calls.concurrent=664",
        "calls.arrivals=1000/s",
        "agent.role=echo",
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
    let mbps = run.number("/legs/sent/mbps/mean");
    assert!((117.0..121.5).contains(&mbps), "{mbps}");
    assert_valid_as_witnessed(&run, &stalls);
}
