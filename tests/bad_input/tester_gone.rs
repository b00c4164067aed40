//! The tester is killed under load.

use super::{assert_complete, assert_judged, assert_said, report, under_way};
use crate::lab::{Lab, RunFolder, Side, pass_time};
use std::path::Path;

#[test]
fn an_agent_stops_media_15_s_after_its_tester_was_killed_and_serves_the_next() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&["--tester-lost-after", "8s"]);
    let long = lab.start_run(
        "smoke",
        &agent,
        "killed",
        &["--for", "60s", "--set", "calls.hold=90s"],
    );
    under_way(&lab.path("killed"), 2500);
    long.kill();
    let sent_in = |ms| {
        let before = lab.octets(Side::Guest).sent;
        pass_time(ms);
        lab.octets(Side::Guest).sent - before
    };
    // 20 streams of 50 packets a second with 214 octets each: 214 kB/s.
    assert!(
        sent_in(10_000) > 2_000_000,
        "media goes on while the tester may come back"
    );
    let busy = lab.start_run("smoke", &agent, "busy", &[]).wait_within(5);
    let words = [
        "is busy with run",
        "given up after 8 s (--tester-lost-after)",
    ];
    assert_said(&busy, 1, &words);
    // Its last clock exchange was up to a second before the kill; the agent waits one before it refuses.
    let (_, heard) = busy.stderr.split_once("last heard ").unwrap();
    let silent: u32 = heard.split(' ').next().unwrap().parse().unwrap();
    assert!((10..=13).contains(&silent), "{silent} s");
    pass_time(6_500);
    assert!(
        sent_in(1_000) < 10_000,
        "17 s after the last packet nothing is sent"
    );

    let said = agent.program.stderr();
    assert!(
        said.contains("was abandoned by its tester") && said.contains("ready for another"),
        "{said}"
    );
    let ended = lab
        .start_run("smoke", &agent, "next", &["--for", "1s"])
        .wait_within(15);
    let next = RunFolder::of(lab.path("next"), ended);
    assert_judged(&next, "pass");
    assert_complete(&next, 10);
    assert_only_identity_left(&lab.path("agent"));

    let killed = report(&lab, "killed");
    assert_eq!(killed.scorecard["partial"], true);
    assert_eq!(killed.verdict(), "invalid", "half a run proves nothing");
    assert!(
        killed.ended.stdout.contains("PARTIAL"),
        "{}",
        killed.ended.stdout
    );
    // Killed no sooner than 3.5 s into the run, of which at most the last second is lost.
    let rows = killed.rows("seconds.csv");
    let last = rows.iter().map(|row| row["second"].parse::<u32>().unwrap());
    assert!(last.max().unwrap() >= 2);
    assert!(killed.count("/legs/sent/packets_received") >= 2000);
    assert!(killed.path.join("report.html").exists());
}

/// What the abandoned session had on the guest's disk is gone.
fn assert_only_identity_left(dir: &Path) {
    let names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["identity.pem"]);
}

/// Nobody else would end it.
#[test]
fn an_agent_of_the_testers_own_ends_with_it() {
    let Some(lab) = Lab::open(&[]) else { return };
    let out = lab.path("run");
    let tester = lab.start(
        Side::Tester,
        crate::lab::MILLIWATT,
        &["run", "smoke", "--out", out.to_str().unwrap()],
    );
    under_way(&out, 0);
    let children = format!("/proc/{0}/task/{0}/children", tester.pid());
    let agent = std::fs::read_to_string(children).unwrap().trim().to_owned();
    let process = Path::new("/proc").join(&agent);
    assert!(!agent.is_empty() && process.exists(), "{agent}");
    tester.kill();
    crate::lab::wait_for("the agent's end", 5, || !process.exists());
}
