//! A guest that never comes back while the run waits for something else too: a command of the scenario, a mark.

use super::{assert_judged, assert_words, events, under_way};
use crate::lab::{Agent, Lab, Program, RunFolder, Side, wait_for};
use std::fs;
use std::path::Path;

/// Calls until a mark that nobody makes, and a command that would take ten minutes.
const SCENARIO: &str = r#"name = "waiting"
title = "a mark that does not come"

[calls]
concurrent = 10
arrivals = "20/s"
hold = "600s"

[[phase]]
name = "removal"
until = "removed"
max = "600s"

[[event]]
label = "moves"
at = "1s"
run = ["sh", "-c", "echo $$ > command.pid; exec sleep 600"]
timeout = "600s"

[[event]]
label = "removed"
"#;

/// Starts the run, waits until its command runs and for two seconds of calls. Gives the tester and the command's process.
fn start(lab: &Lab, agent: &Agent) -> (Program, String) {
    let file = lab.write("waiting.toml", SCENARIO);
    let flags = ["--guest-lost-after", "3s"];
    let tester = lab.start_run(file.to_str().unwrap(), agent, "run", &flags);
    let pid = lab.path("command.pid");
    let told = || fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'));
    wait_for("the scenario's command", 20, told);
    under_way(&lab.path("run"), 2500);
    (tester, fs::read_to_string(&pid).unwrap().trim().to_owned())
}

/// It failed for the lost guest, the command was ended and that is told, and what was recorded is there.
fn assert_ended(run: &RunFolder, command: &str) {
    assert_words(&run.ended.stderr, &["the guest is lost", "its command"]);
    assert_judged(run, "fail");
    assert_eq!(run.scorecard["partial"], true);
    for kind in ["guest-lost", "hook-cut"] {
        assert!(events(run).contains(&kind.to_owned()), "{:?}", events(run));
    }
    assert!(
        !Path::new("/proc").join(command).exists(),
        "the command still runs"
    );
    assert_eq!(
        run.scorecard["hooks"][0]["label"], "moves",
        "{:#}",
        run.scorecard["hooks"]
    );
    for leg in ["receive", "sent"] {
        let received = run.count(&format!("/legs/{leg}/packets_received"));
        assert!(received >= 2000, "{leg}: {received}");
    }
}

#[test]
fn a_guest_that_dies_while_a_command_and_a_mark_are_waited_for_ends_the_run() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let (tester, command) = start(&lab, &agent);
    agent.program.kill();
    let run = RunFolder::of(lab.path("run"), tester.wait_within(8));
    assert_ended(&run, &command);
}

/// As after a move to a host of another network: the machine lives on, and nothing reaches it where it was.
#[test]
fn a_guest_that_has_another_address_after_its_move_is_told_as_lost() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let (tester, command) = start(&lab, &agent);
    let address = format!("{}/24", Side::Guest.address());
    lab.execute(
        Side::Guest,
        "ip",
        &["address", "del", &address, "dev", "wire0"],
    );
    lab.execute(
        Side::Guest,
        "ip",
        &["address", "add", "10.77.0.9/24", "dev", "wire0"],
    );
    let run = RunFolder::of(lab.path("run"), tester.wait_within(8));
    assert_ended(&run, &command);
}

/// As after a move that makes the machine anew: its address stays, its network adapter is another one. Calls go on, and it is told.
#[test]
fn a_guest_whose_adapter_is_another_one_after_its_move_goes_on_and_it_is_told() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let tester = lab.start_run("smoke", &agent, "run", &[]);
    under_way(&lab.path("run"), 1500);
    let other = "02:00:00:77:00:09";
    lab.execute(
        Side::Guest,
        "ip",
        &["link", "set", "wire0", "address", other],
    );
    let run = RunFolder::of(lab.path("run"), tester.wait_within(30));
    assert_eq!(run.scorecard["partial"], false);
    let told = "nic_mac changed from";
    assert!(run.ended.stdout.contains(told), "{}", run.ended.stdout);
    assert!(run.ended.stdout.contains(other), "{}", run.ended.stdout);
    assert!(events(&run).contains(&"environment-changed".to_owned()));
}
