//! The guest goes away under load, or its control connection does.

use super::{assert_complete, assert_judged, assert_said, assert_words, events, under_way};
use crate::lab::{Frozen, Lab, RunFolder, Side, pass_time};

/// A lost guest fails the run, with the reason; all that was recorded until then is there.
fn assert_lost(run: &RunFolder, why: &str) {
    assert_words(
        &run.ended.stderr,
        &[
            "control connection lost, dialling again",
            "the guest is lost",
            why,
        ],
    );
    assert_judged(run, "fail");
    assert_eq!(run.scorecard["partial"], true);
    assert!(run.ended.stdout.contains("PARTIAL"), "{}", run.ended.stdout);
    let lost = |result: &&serde_json::Value| {
        result["metric"] == "guest.lost" && result["outcome"] == "fail"
    };
    assert!(
        run.scorecard["thresholds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|r| lost(&r))
    );
    assert!(
        events(run).contains(&"guest-lost".to_owned()),
        "{:?}",
        events(run)
    );
    // 20 streams, 50 packets a second each, and at least two whole seconds at both ends.
    for leg in ["receive", "sent"] {
        let count = |name: &str| run.count(&format!("/legs/{leg}/{name}"));
        assert!(
            count("packets_received") >= 2000,
            "{leg}: {}",
            run.ended.stdout
        );
    }
    let pdv = run.scorecard.pointer("/legs/receive/pdv_ms/p50").unwrap();
    assert!(pdv.is_number(), "what could be judged is judged: {pdv}");
}

#[test]
fn a_killed_agent_fails_the_run_after_the_time_given() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &["--guest-lost-after", "3s"]);
    under_way(&lab.path("run"), 2500);
    agent.program.kill();
    let run = RunFolder::of(lab.path("run"), tester.wait_within(7));
    assert_lost(&run, "not a word for 3 s");
}

#[test]
fn an_agent_that_was_started_anew_does_not_know_the_run() {
    let Some(lab) = Lab::open(&[]) else { return };
    let token = lab.write("token", "always-the-same\n");
    let flags = ["--token-file", token.to_str().unwrap()];
    let agent = lab.start_agent(&flags);
    let tester = lab.start_run("smoke", &agent, "run", &[]);
    under_way(&lab.path("run"), 2500);
    agent.program.kill();
    let again = lab.start_agent(&flags);
    let run = RunFolder::of(lab.path("run"), tester.wait_within(6));
    assert_lost(&run, "started anew and knows nothing of this run");
    let ended = lab
        .start_run("smoke", &again, "next", &["--for", "1s"])
        .wait_within(15);
    assert_said(&ended, 0, &[]);
}

#[test]
fn a_guest_frozen_for_good_is_noticed_though_its_connection_stands() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &["--guest-lost-after", "4s"]);
    under_way(&lab.path("run"), 2500);
    let frozen = Frozen::now(&agent.program);
    let run = RunFolder::of(lab.path("run"), tester.wait_within(8));
    assert_lost(&run, "not a word for 4 s");
    drop(frozen);
}

/// Drops the control connection's packets both ways; media goes on.
fn cut_control(lab: &Lab) {
    lab.drop_arriving(Side::Guest, "tcp dport 7700");
    lab.drop_arriving(Side::Tester, "tcp sport 7700");
}

fn mend_control(lab: &Lab) {
    lab.stop_dropping(Side::Guest);
    lab.stop_dropping(Side::Tester);
}

#[test]
fn a_control_connection_cut_for_good_is_a_lost_guest() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &["--guest-lost-after", "4s"]);
    under_way(&lab.path("run"), 2500);
    cut_control(&lab);
    let run = RunFolder::of(lab.path("run"), tester.wait_within(8));
    assert_lost(&run, "not a word for 4 s");
}

/// What happened to the control connection. A stall of this machine is told too, and is no matter of these tests.
fn control_events(run: &RunFolder) -> Vec<String> {
    let mut events = events(run);
    events.retain(|kind| kind.starts_with("control-"));
    events
}

#[test]
fn a_cut_of_2_s_and_a_reset_lose_nothing_and_media_never_stops() {
    let Some(lab) = Lab::open(&["ss"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &[]);
    under_way(&lab.path("run"), 1000);
    cut_control(&lab);
    pass_time(2000);
    mend_control(&lab);
    pass_time(2000);
    lab.execute(
        Side::Guest,
        "ss",
        &["--kill", "state", "established", "sport = :7700"],
    );
    let run = RunFolder::of(lab.path("run"), tester.wait_within(25));
    assert_judged(&run, "pass");
    assert_complete(&run, 10);
    assert_eq!(control_events(&run), ["control-lost", "control-resumed"]);
    assert_eq!(run.count("/legs/sent/dead_air/events"), 0);
    // Every tick of the plan had its packet; where this machine stood still for one, that is told.
    let [sent, left_out] =
        ["expected", "not_sent"].map(|of| run.count(&format!("/legs/sent/packets_{of}")));
    assert_eq!(run.count("/guest/ticks_planned"), sent + left_out);
}

/// Longer than the tester waits before it dials anew.
#[test]
fn a_cut_of_8_s_is_dialled_over_and_loses_nothing() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &[]);
    under_way(&lab.path("run"), 500);
    cut_control(&lab);
    pass_time(8000);
    mend_control(&lab);
    let run = RunFolder::of(lab.path("run"), tester.wait_within(30));
    assert_judged(&run, "pass");
    assert_complete(&run, 10);
    assert_eq!(control_events(&run), ["control-lost", "control-resumed"]);
}
