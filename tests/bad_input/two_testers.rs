//! Two testers at one agent.

use super::{assert_complete, assert_judged, assert_said, under_way};
use crate::lab::{Lab, RunFolder};

#[test]
fn the_second_tester_is_refused_and_the_first_is_not_disturbed() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let first = lab.start_run("smoke", &agent, "first", &["--for", "4s"]);
    under_way(&lab.path("first"), 1000);
    let second = lab.start_run("smoke", &agent, "second", &[]).wait_within(5);
    let words = [
        "the agent refuses: this agent is busy with run",
        "last heard",
        "wait for that run to end",
        "--tester-lost-after",
    ];
    assert_said(&second, 1, &words);
    assert!(!lab.path("second").exists());
    let run = RunFolder::of(lab.path("first"), first.wait_within(20));
    assert_judged(&run, "pass");
    assert_complete(&run, 10);
}
