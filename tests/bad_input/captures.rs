//! Captured runs that do not come to their end.

use super::{events, under_way};
use crate::lab::analyze;
use crate::lab::{Captured, Lab, RunFolder};
use serde_json::Value;

fn assert_note(analysis: &Value, words: &str) {
    assert_eq!(analysis["run"], Value::Null);
    let notes = analysis["notes"].to_string();
    assert!(notes.contains(words), "{notes}");
}

#[test]
fn a_guest_lost_in_mid_run_leaves_the_testers_half_and_it_is_said() {
    let Some(lab) = Lab::open(&["tshark"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let flags = ["--guest-lost-after", "3s", "--capture"];
    let tester = lab.start_run("smoke", &agent, "run", &flags);
    under_way(&lab.path("run"), 2500);
    agent.program.kill();
    let run = RunFolder::of(lab.path("run"), tester.wait_within(10));
    let said = "the guest's half of the capture did not come";
    assert!(run.ended.stderr.contains(said), "{}", run.ended.stderr);
    assert!(events(&run).contains(&"capture-incomplete".to_owned()));
    let captured = Captured::written(run.path.join("capture.pcapng"));
    let analysis = analyze(captured.file());
    assert_note(&analysis, "the guest's half is not there");
    assert_eq!(analysis["partial"], false);
    let left = captured.fields("frame.interface_id == 0 and rtp", &["rtp.seq"]);
    let arrived = captured.fields("frame.interface_id == 3 and rtp", &["rtp.seq"]);
    // 20 streams, 50 packets a second, for more than 2 s.
    assert!(left.len() > 2000 && arrived.len() > 2000);
}

#[test]
fn a_killed_tester_leaves_what_it_had() {
    let Some(lab) = Lab::open(&["tshark"]) else {
        return;
    };
    let agent = lab.start_agent(&["--tester-lost-after", "8s"]);
    let tester = lab.start_run("smoke", &agent, "run", &["--capture"]);
    under_way(&lab.path("run"), 2500);
    tester.kill();
    let captured = Captured::written(lab.path("run").join("capture.pcapng"));
    assert_note(&analyze(captured.file()), "one end's half of a run's");
    let left = captured.fields("frame.interface_id == 0 and rtp", &["rtp.seq"]);
    assert!(left.len() > 1500, "{}", left.len());
}
