//! A machine that stands still for 700 ms, at the guest and at the tester: who gets the blame?

use super::{LEGS, assert_verdict_as_witnessed, wait_for_run_time};
use crate::lab::{Frozen, Lab, RunFolder, Side, Witness, long};
use serde_json::Value;

/// The run time at which it stands still, ms: the scenario's 10 calls are up within 1 s.
const AT_MS: i64 = 4_300;

fn events(run: &RunFolder, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    let all = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|event| event["kind"] == kind).collect()
}

/// The guest's process stands, its kernel goes on: what is lost is what the kernel dropped (one in
/// 1000, by a rule), and yet every party hears dead air. That is a finding about the guest, and the
/// run is valid. 10 calls; the long form has 250, of which some end and begin just then.
#[test]
fn a_frozen_guest_is_dead_air_and_no_loss() {
    let Some(lab) = Lab::open(&[]) else { return };
    for side in [Side::Tester, Side::Guest] {
        lab.drop_arriving(
            side,
            "udp length 180 @th,64,2 2 numgen random mod 1000 == 0",
        );
    }
    let agent = lab.start_agent(&[]);
    let (scenario, time, parties) = if long() {
        ("250-calls", "20s", 490..=510)
    } else {
        ("smoke", "8s", 20..=20)
    };
    let at_ms = if long() { AT_MS + 8_000 } else { AT_MS };
    let witness = Witness::start();
    let program = lab.start_run(scenario, &agent, "run", &["--for", time]);
    wait_for_run_time(&lab.path("run"), at_ms);
    let stood = Frozen::for_ms(&agent.program, 700);
    let run = RunFolder::of(lab.path("run"), program.wait());
    println!("the guest stood for {stood:.0} ms");
    assert_verdict_as_witnessed(&run, &witness.end(), "fail");
    for (leg, arrives_at) in LEGS.into_iter().zip([Side::Guest, Side::Tester]) {
        let at = |what: &str| format!("/legs/{leg}/{what}");
        assert_eq!(
            run.count(&at("packets_lost")),
            lab.dropped(arrives_at),
            "{leg}"
        );
        let affected = run.count(&at("dead_air/streams_affected"));
        assert!(parties.contains(&affected), "{leg}: {affected} streams");
        let longest = run.number(&at("dead_air/longest_ms"));
        // The buffer holds 60 ms, the clock ticks each 20 ms, and what is left of the backlog is late.
        println!(
            "{leg}: {} dead-air events, longest {longest} ms",
            run.count(&at("dead_air/events"))
        );
        assert!(
            (stood - 100.0..stood + 100.0).contains(&longest),
            "{leg}: {longest} ms of {stood} ms"
        );
    }
    assert!(run.count("/recordings/silence_events") >= *parties.start());
    assert_eq!(
        run.count("/recordings/silence_events_unexplained"),
        0,
        "every silence is the dead air's"
    );
    assert_worst_is_the_guests(&run, stood);
    let judged = run.scorecard["thresholds"].as_array().unwrap();
    let of_200_ms = judged
        .iter()
        .filter(|judged| judged["metric"] == "dead_air.events_200ms");
    assert_eq!(
        of_200_ms
            .filter(|judged| judged["outcome"] == "fail")
            .count(),
        2,
        "{judged:?}"
    );
    let dead_air = events(&run, "dead-air");
    assert!(!dead_air.is_empty());
    for event in dead_air {
        #[expect(clippy::cast_possible_truncation, reason = "a run of seconds")]
        let since_ms = (event["at_s"].as_f64().unwrap() * 1000.0) as i64 - at_ms;
        assert!((-300..1200).contains(&since_ms), "at another time: {event}");
        assert_ne!(event["cause"], "lost", "{event}");
    }
}

/// What arrived while the guest stood was in its sockets all the time: the guest read it late, and nothing of that is
/// laid on the path.
fn assert_worst_is_the_guests(run: &RunFolder, stood: f64) {
    let worst = &run.scorecard["attribution"]["receive"]["worst"];
    println!(
        "receive: {worst}\nsent: {}",
        run.scorecard["attribution"]["sent"]["worst"]
    );
    assert_eq!(worst["origin"], "guest", "{worst}");
    let ms = |part: &str| worst[part].as_f64().unwrap();
    assert!(
        (stood - 100.0..stood + 100.0).contains(&ms("guest_ms")),
        "{worst} of {stood} ms"
    );
    assert!(ms("path_ms") < stood / 10.0, "{worst} of {stood} ms");
    let read_late = run.scorecard["attribution"]["receive"]["guest_percent"].as_f64();
    assert!(
        read_late.unwrap() > 50.0,
        "{}",
        run.scorecard["attribution"]
    );
    assert!(run.path.join("plots/attribution.svg").exists());
}

/// The tester's process stands: nothing can be said about the guest, and nothing is.
#[test]
fn a_frozen_tester_is_no_finding_about_the_guest() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let program = lab.start_run("smoke", &agent, "run", &["--for", "8s"]);
    wait_for_run_time(&lab.path("run"), AT_MS);
    let stood = Frozen::for_ms(&program, 700);
    let run = RunFolder::of(lab.path("run"), program.wait());
    println!("the tester stood for {stood:.0} ms");
    // One tainted second of 8 is over the 1 % that a valid run may have.
    assert_eq!(run.verdict(), "invalid", "{}", run.ended.stdout);
    assert!(run.count("/validity/departures_not_sent") > 0);
    let tainted: Vec<i64> = run.scorecard["validity"]["tainted"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_i64)
        .collect();
    assert!(tainted.contains(&4) || tainted.contains(&5), "{tainted:?}");
    for leg in LEGS {
        assert_eq!(
            run.count(&format!("/legs/{leg}/packets_lost")),
            0,
            "{leg}: what was not sent is not lost"
        );
    }
    for event in events(&run, "dead-air") {
        assert_eq!(
            event["tainted"], true,
            "dead air held against the guest: {event}"
        );
    }
}
