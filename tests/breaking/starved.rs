//! A guest that has too little processor time.

use crate::calls::assert_verdict_as_witnessed;
use crate::lab::{Lab, RunFolder, Starved, Witness};

/// 60 calls need more than a twentieth of a processor: the guest's media threads wait for their turn. It is no fault of the
/// tester's or the path's: the run is valid, and what failed is put down to the guest.
#[test]
fn a_guest_without_processor_time_fails_and_the_run_is_valid() {
    let Some(lab) = Lab::open(&["setpriv"]) else {
        return;
    };
    let starved = Starved::to(5);
    let agent = lab.start_agent_in(&starved);
    let args = [
        "--for",
        "10s",
        "--no-abort",
        "--set",
        "calls.concurrent=60",
        "--set",
        "recording.share=0",
    ];
    let witness = Witness::start();
    let ended = lab.start_run("250-calls", &agent, "run", &args).wait();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    assert_verdict_as_witnessed(&run, &witness.end(), "fail");
    let sent = &run.scorecard["attribution"]["sent"];
    let part = |name: &str| sent["worst"][name].as_f64().unwrap();
    assert!(
        part("guest_ms") > 5.0 * part("path_ms").max(part("tester_ms")),
        "{sent:#}"
    );
    drop(agent);
}
