//! How the ends say that they kept time: rights asked for, the kernel's own stamps, processors taken away.

use super::{LEGS, assert_nothing_lost, wait_for_run_time};
use crate::lab::{Lab, MILLIWATT, RunFolder, Side};
use milliwatt_wire::socket::allowed_processors;
use serde_json::Value;

/// A right of an end, by its name.
fn right<'r>(run: &'r RunFolder, end: &str, name: &str) -> &'r Value {
    let rights = run.scorecard["timers"][end]["rights"].as_array().unwrap();
    let found = rights.iter().find(|right| right["name"] == name);
    found.unwrap_or_else(|| panic!("{end} did not ask for {name}: {rights:?}"))
}

/// As root everything is granted, in every way to wait, on one pacing thread and on two. The kernel stamps each
/// packet of one port in 64, here of the first of 20; it does so after the pacing thread read its clock.
#[test]
fn rights_and_the_kernels_departure_stamps_are_told() {
    let Some(lab) = Lab::open(&[]) else { return };
    for (mode, threads) in [("sleep", "1"), ("hybrid", "2")] {
        let args = [
            "--for",
            "2s",
            "--pacing",
            mode,
            "--pacing-threads",
            threads,
            "--slot",
            "500us",
        ];
        let agent = lab.start_agent(&[]);
        let ended = lab.start_run("smoke", &agent, mode, &args).wait();
        let run = RunFolder::of(lab.path(mode), ended);
        drop(agent);
        assert_nothing_lost(&run);
        for end in ["tester", "guest"] {
            for name in ["SCHED_FIFO", "timer slack of 1 ns", "locked memory"] {
                assert_eq!(right(&run, end, name)["granted"], true, "{end}: {name}");
            }
        }
        let tester = &run.scorecard["timers"]["tester"];
        assert_eq!(tester["mode"], mode);
        assert_eq!(tester["threads"].to_string(), threads);
        assert_eq!(tester["slot_us"], 500.0);
        assert_eq!(
            right(&run, "tester", "kernel departure stamps")["granted"],
            true
        );
        let sampled = run.rows("streams.csv").into_iter();
        let sampled = sampled.filter(|row| row["leg"] == "receive" && row["party"] == "A");
        let sampled: Vec<u64> = sampled
            .filter(|row| row["call"] == "0")
            .map(|row| row["packets_expected"].parse().unwrap())
            .collect();
        let stamped = run.count("/timers/tester/departures_stamped");
        assert_eq!(
            stamped,
            sampled.iter().sum::<u64>(),
            "every packet of the first port"
        );
        let us = |key: &str| run.number(&format!("/timers/tester/departure_stamp_us/{key}"));
        assert!(0.0 < us("p50") && us("p50") <= us("max"), "{tester}");
        println!(
            "{mode}: {stamped} stamps, p50 {} us, max {} us",
            us("p50"),
            us("max")
        );
    }
}

/// A tester without `CAP_SYS_NICE` and `CAP_IPC_LOCK` runs, and says which rights it lacks and how to permit them.
#[test]
fn a_tester_without_rights_says_which_and_how_to_permit_them() {
    let Some(lab) = Lab::open(&["setpriv"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let out = lab.path("run");
    let capabilities = "--bounding-set=-sys_nice,-ipc_lock";
    let limits = [
        "--inh-caps=-sys_nice,-ipc_lock",
        capabilities,
        "prlimit",
        "--rtprio=0",
        "--memlock=65536",
    ];
    let words = [
        MILLIWATT,
        "run",
        "smoke",
        "--guest",
        &agent.join,
        "--for",
        "2s",
        "--no-abort",
    ];
    let words = [&limits[..], &words, &["--out", out.to_str().unwrap()]].concat();
    let ended = lab.start(Side::Tester, "setpriv", &words).wait();
    let run = RunFolder::of(out, ended);
    assert_nothing_lost(&run);
    for (name, remedy) in [
        ("SCHED_FIFO", "CAP_SYS_NICE"),
        ("locked memory", "CAP_IPC_LOCK"),
    ] {
        let right = right(&run, "tester", name);
        assert_eq!(right["granted"], false, "{right}");
        let why = right["refused"].as_str().unwrap();
        assert!(why.contains(remedy), "{why}");
        let notes = run.scorecard["notes"].to_string();
        assert!(
            notes.contains(&format!("tester: {name} was refused")),
            "{notes}"
        );
    }
    assert_eq!(right(&run, "guest", "SCHED_FIFO")["granted"], true);
}

/// For half a second something of higher priority has every processor. Nothing is lost on the way, and nothing is
/// said of the way: what was not heard was not sent, or not played, in seconds that are tainted or by the guest.
#[test]
fn processors_taken_away_are_no_finding_about_the_network() {
    // It ends by itself: what would end it has no processor meanwhile.
    const BUSY: &str =
        "end=$(($(date +%s%N) + 500000000)); while [ $(date +%s%N) -lt $end ]; do :; done";
    let Some(lab) = Lab::open(&["chrt", "taskset"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let program = lab.start_run("smoke", &agent, "run", &["--for", "6s", "--no-abort"]);
    wait_for_run_time(&lab.path("run"), 3_200);
    let busy: Vec<_> = allowed_processors()
        .into_iter()
        .map(|cpu| {
            let cpu = cpu.to_string();
            let words = ["-c", &cpu, "chrt", "-f", "90", "sh", "-c", BUSY];
            lab.start(Side::Tester, "taskset", &words)
        })
        .collect();
    let run = RunFolder::of(lab.path("run"), program.wait());
    for program in busy {
        program.wait();
    }
    for leg in LEGS {
        assert_eq!(run.count(&format!("/legs/{leg}/packets_lost")), 0, "{leg}");
    }
    assert_eq!(run.verdict(), "invalid", "{}", run.ended.stdout);
    let text = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    for event in text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
    {
        let is_own = event["tainted"] == true
            || event["cause"] == "guest-playout"
            || event["cause"] == "not-sent";
        assert!(
            event["kind"] != "dead-air" || is_own,
            "held against the network: {event}"
        );
    }
    let waited = run.number("/timers/tester/runnable_percent");
    println!("the pacing thread was ready and did not run for up to {waited:.0} % of a second");
    assert!(waited > 10.0, "{}", run.scorecard["timers"]);
    let notes = run.scorecard["notes"].to_string();
    assert!(
        notes.contains("something else had its processor"),
        "{notes}"
    );
}
