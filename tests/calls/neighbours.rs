//! Load beside the calls: an agent that makes it, held against what the system counted of its thread.

use super::assert_nothing_lost;
use crate::lab::{Agent, Ended, Lab, MILLIWATT, RunFolder, Side, pass_time, run_zero};
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::time::NS_PER_SECOND;
use std::path::{Path, PathBuf};

/// One processor at 50 %, 2 s on and 2 s off by turns from the begin of full load, and a little of all else.
const NEIGHBOUR: &str = "neighbour=[{cores = 1, percent = 50, memory = \"64 MiB\", disk = \"1 MB/s\", \
                         network = \"8 Mbit/s\", busy = \"2s\", idle = \"2s\"}]";

/// An agent beside the guest's, in a folder and at a port of its own.
fn start_neighbour(lab: &Lab, args: &[&str]) -> Agent {
    let listen = format!("{}:7701", Side::Guest.address());
    let dir = lab.path("neighbour");
    let dir = dir.to_str().unwrap();
    let fixed = ["agent", "--listen", &listen, "--dir", dir];
    Agent::announced(lab.start(Side::Guest, MILLIWATT, &[&fixed[..], args].concat()))
}

/// CPU time, ns, of a process's thread of that name, as its scheduler counted it: the first field of
/// `/proc/PID/task/TID/schedstat`. 0 without such a thread.
fn cpu_of(pid: u32, name: &str) -> i64 {
    let read = |task: &Path, file: &str| std::fs::read_to_string(task.join(file));
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let is_named = |task: &PathBuf| read(task, "comm").is_ok_and(|comm| comm.trim() == name);
    let task = tasks.map(|task| task.unwrap().path()).find(is_named);
    let counted = task.and_then(|task| read(&task, "schedstat").ok());
    counted.map_or(0, |line| {
        line.split_whitespace().next().unwrap().parse().unwrap()
    })
}

/// What the thread used over the stretches, percent of their time: from the last look before each until the first 50 ms
/// after it.
fn percent_by_system(readings: &[(i64, i64)], stretches: &[[i64; 2]]) -> f64 {
    let (mut used, mut time) = (0, 0);
    for [from, until] in stretches {
        let before = readings.iter().rfind(|(at, _)| at <= from).unwrap();
        let after = until + NS_PER_SECOND / 20;
        let after = readings.iter().find(|(at, _)| *at >= after);
        used += after.unwrap().1 - before.1;
        time += until - from;
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds in ns")]
    let percent = 100.0 * used as f64 / time as f64;
    percent
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of a run")]
fn ns(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

/// 10 s of full load from second 1 on: on from 1 to 3, 5 to 7 and 9 to 11. Truth: what the system counted of the neighbour's
/// thread. How much that is, a machine that is short of time itself decides.
#[test]
fn a_neighbours_load_is_what_the_system_counts_and_alternates() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&[]);
    let neighbour = start_neighbour(&lab, &["--allow-neighbour"]);
    let args = ["--neighbour", &neighbour.join, "--set", NEIGHBOUR];
    let mut program = lab.start_run("smoke", &agent, "run", &args);
    let mut readings = Vec::new();
    while program.runs() {
        readings.push((wall_now(), cpu_of(neighbour.program.pid(), "load-0")));
        pass_time(20);
    }
    let run = RunFolder::of(lab.path("run"), program.wait());
    println!("{}", run.ended.stdout);
    assert_nothing_lost(&run);
    let zero = run_zero(&run.path).unwrap();
    let stretches = run.scorecard["neighbours"][0]["stretches"].as_array();
    let stretches = stretches.unwrap().iter();
    let stretches: Vec<[f64; 2]> = stretches
        .map(|stretch| ["from_s", "until_s"].map(|end| stretch[end].as_f64().unwrap()))
        .collect();
    let near = |a: f64, b: f64| (a - b).abs() < 0.05;
    let expected = [[1.0, 3.0], [5.0, 7.0], [9.0, 11.0]];
    assert_eq!(stretches.len(), expected.len(), "{stretches:?}");
    for (stretch, expected) in stretches.iter().zip(expected) {
        assert!(
            near(stretch[0], expected[0]) && near(stretch[1], expected[1]),
            "{stretches:?}"
        );
    }
    let made = |state: &str, what: &str| run.number(&format!("/neighbours/0/made/{state}/{what}"));
    let told = made("on", "cpu_percent");
    // The last stretch ends with the run.
    let at = |[from, until]: [f64; 2]| [zero + ns(from), zero + ns(until)];
    let seen: Vec<[i64; 2]> = stretches[..2].iter().copied().map(at).collect();
    let counted = percent_by_system(&readings, &seen);
    println!("CPU: told {told:.2} %, counted by the system {counted:.2} %");
    assert!((told - counted).abs() < 5.0, "{told} %, not {counted} %");
    // What was told late of a second on.
    assert!(made("off", "cpu_percent") < 10.0);
    assert!((made("on", "memory_octets") - f64::from(64 << 20)).abs() < f64::from(32 << 20));
    assert!(made("on", "network_mbps") > 4.0);
    assert!(made("on", "disk_octets_per_second") > 0.0);
    assert!(run.count("/contention/seconds/on") >= 5);
    let left = std::fs::read_dir(lab.path("neighbour")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["identity.pem"], "its file and its facts are gone");
    assert!(run.path.join("facts/neighbour-1.facts").exists());
}

/// Nothing has begun by then, and the guest is free for the next tester.
#[test]
fn a_neighbour_without_leave_and_the_guest_itself_are_refused() {
    let Some(lab) = Lab::open(&[]) else { return };
    let agent = lab.start_agent(&["--allow-neighbour"]);
    let unwilling = start_neighbour(&lab, &[]);
    let run = |out: &str, join: &str| -> Ended {
        let args = ["--neighbour", join, "--set", NEIGHBOUR];
        lab.start_run("smoke", &agent, out, &args).wait_within(30)
    };
    let refused = run("without", &unwilling.join);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for part in [
        "neighbour 1: the agent refuses",
        "`milliwatt agent --allow-neighbour`",
    ] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let same = run("same", &agent.join);
    assert_eq!(same.code, Some(2), "{}", same.stderr);
    assert!(
        same.stderr
            .contains("neighbour 1 is the agent of the guest"),
        "{}",
        same.stderr
    );
    assert!(!lab.path("same").join("facts").exists(), "nothing is left");
}
