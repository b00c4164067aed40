//! What happens to a virtual machine under calls, by the product's own hooks: a pause, a live migration, snapshots, a backup,
//! a host without time.

use super::image::make_disk;
use super::machine::{Build, Place, boot, start, tool};
use super::open;
use crate::lab::{Agent, Capture, Captured, Lab, RunFolder, Side, long, run_zero};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;

/// Runs ten calls for so long, s, in whose middle, s, a command runs.
fn run(lab: &Lab, agent: &Agent, (seconds, at): (u32, u32), command: &[String]) -> RunFolder {
    let command: Vec<String> = command
        .iter()
        .map(|word| serde_json::to_string(word).unwrap())
        .collect();
    let text = format!(
        "name = \"disrupted\"\ntitle = \"A virtual machine under calls\"\nfor = \"{seconds}s\"\n\n\
         [calls]\nconcurrent = 10\ntotal = 10\narrivals = \"10/s\"\nhold = \"60s\"\n\n[recording]\nshare = 0.0\n\n\
         [abort]\nwhen = \"loss_percent > 90 for 60s\"\n\n\
         [[event]]\nat = \"{at}s\"\nlabel = \"the host\"\nrun = [{}]\n",
        command.join(", ")
    );
    let file = lab.write("disrupted.toml", &text);
    let ended = lab
        .start_run(file.to_str().unwrap(), agent, "run", &["--no-abort"])
        .wait();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    run
}

/// The command that says these words to the monitor of the machine with the calls.
fn monitor(words: &[&str]) -> Vec<String> {
    let tool = tool().display().to_string();
    let words = words.iter().map(|&word| word.to_owned());
    [tool, Place::Source.socket().to_owned()]
        .into_iter()
        .chain(words)
        .collect()
}

fn disruptions(run: &RunFolder) -> &Vec<Value> {
    run.scorecard["disruptions"].as_array().unwrap()
}

/// The command of the run: when it began and when it ended, s. It was a success.
fn command(run: &RunFolder) -> (f64, f64) {
    let hook = &run.scorecard["hooks"][0];
    assert_eq!(hook["exit_code"], 0, "{hook:#}");
    let time = |name: &str| hook[name].as_f64().unwrap();
    (time("started"), time("ended"))
}

fn blackout(disruption: &Value) -> f64 {
    disruption["blackout_ms"].as_f64().unwrap_or(0.0)
}

/// The longest of the disruptions that begin in this time of the run, s.
fn longest_within(run: &RunFolder, from: f64, to: f64) -> Option<&Value> {
    disruptions(run)
        .iter()
        .filter(|one| (from..to).contains(&one["at"].as_f64().unwrap()))
        .max_by(|a, b| blackout(a).total_cmp(&blackout(b)))
}

/// What a host does to a guest, as words for its monitor, and what the calls see of it.
struct Deed {
    name: &'static str,
    words: &'static [&'static str],
    /// The longest blackout of the sent leg, which the capture sees too, that begins within it, ms; none: it may have no effect.
    blackout: Option<Range<f64>>,
}

/// The first two are the short form's.
const DEEDS: [Deed; 5] = [
    Deed {
        name: "a pause of 1000 ms",
        words: &["stop", "sleep 1000", "cont"],
        blackout: Some(1000.0..1060.0),
    },
    Deed {
        name: "a full backup of its disk",
        words: &[
            "drive-backup {\"device\": \"disk\", \"target\": \"backup.qcow2\", \"sync\": \"full\", \"format\": \"qcow2\"}",
            "until query-block-jobs \"return\": []",
        ],
        blackout: Some(40.0..2000.0),
    },
    Deed {
        name: "a snapshot with its memory",
        words: &["human-monitor-command {\"command-line\": \"savevm before\"}"],
        blackout: Some(40.0..2000.0),
    },
    Deed {
        name: "a snapshot of its disk",
        words: &[
            "blockdev-snapshot-sync {\"device\": \"disk\", \"snapshot-file\": \"further.qcow2\"}",
        ],
        blackout: None,
    },
    Deed {
        name: "a pause of 200 ms",
        words: &["stop", "sleep 200", "cont"],
        blackout: Some(200.0..260.0),
    },
];

/// Truth: what QEMU was told to do, and when; how long the streams were silent then in a capture of the tester's end. An
/// emulated machine stands still for some 50 ms at any time: what lasts longest within the command is the command's.
#[test]
fn what_a_host_does_is_found_where_calls_see_it_and_only_there() {
    let Some(lab) = open() else { return };
    make_disk(&lab);
    let build = Build {
        disk: true,
        ..Build::with("virtio-net-pci")
    };
    let agent = boot(&lab, build);
    for deed in &DEEDS[..if long() { DEEDS.len() } else { 2 }] {
        let capture = Capture::start(&lab, Side::Tester);
        let run = run(&lab, &agent, (10, 4), &monitor(deed.words));
        let capture = capture.end();
        let (from, to) = command(&run);
        let (from, to) = (from - 0.1, to + 0.1);
        let silent = silence(&capture, &run, from, to);
        let found = longest_within(&run, from, to);
        let effect = &run.scorecard["hooks"][0]["effect"];
        println!(
            "{}, {from} to {to} s: {effect}, by the capture {silent} ms: {found:#?}",
            deed.name
        );
        assert_agrees(found, silent);
        if let Some(length) = &deed.blackout {
            assert_disrupted(found.unwrap(), length);
        }
        std::fs::remove_dir_all(lab.path("run")).unwrap();
    }
    if long() {
        assert_contention_is_seen(&lab, &agent);
    }
}

/// Half of the guest's streams were silent for at least so long, ms, from a moment between these of the run, s.
fn silence(capture: &Captured, run: &RunFolder, from: f64, to: f64) -> f64 {
    let guest = format!("rtp and ip.src == {}", Side::Guest.address());
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    let mut longest: BTreeMap<String, f64> = BTreeMap::new();
    #[expect(clippy::cast_precision_loss, reason = "s since 1970, to some 100 ns")]
    let zero = run_zero(&run.path).unwrap() as f64 / 1e9;
    for packet in capture.fields(&guest, &["frame.time_epoch", "rtp.ssrc"]) {
        let at = packet[0].parse::<f64>().unwrap() - zero;
        let before = last.insert(packet[1].clone(), at).unwrap_or(at);
        if (from..to).contains(&before) {
            let longest = longest.entry(packet[1].clone()).or_default();
            *longest = longest.max((at - before) * 1e3);
        }
    }
    let mut longest: Vec<f64> = longest.into_values().collect();
    longest.sort_by(f64::total_cmp);
    longest[longest.len() / 2]
}

/// Within one packet interval of 20 ms, and nothing where nothing of 40 ms was seen. Between two packets of a stream there is
/// up to an interval more than all were silent for, half of one as a rule.
fn assert_agrees(found: Option<&Value>, silent: f64) {
    match found {
        None => assert!(silent < 60.0, "{silent} ms without a disruption"),
        Some(found) => {
            let sent = found["by_leg"]["sent"]["blackout_ms"].as_f64();
            let sent = sent.unwrap_or(silent);
            assert!(
                (sent - (silent - 10.0)).abs() <= 20.0,
                "{silent} ms: {found:#}"
            );
        }
    }
}

fn assert_disrupted(found: &Value, length: &Range<f64>) {
    let sent = found["by_leg"]["sent"]["blackout_ms"].as_f64().unwrap();
    assert!(length.contains(&sent), "{length:?}: {found:#}");
    assert!(blackout(found) >= sent, "{found:#}");
    assert_eq!(found["streams_affected"], found["streams"], "{found:#}");
    assert_eq!(found["mark"], "the host", "{found:#}");
    assert!(found["recovered_ms"].is_number(), "{found:#}");
}

/// Truth: packets of all streams stop while QEMU moves the guest to another, and the other one answers.
#[test]
fn a_live_migration_is_found_in_its_window_and_the_destination_answers() {
    let Some(lab) = open() else { return };
    let build = Build {
        kernel: "dirty",
        ..Build::with("virtio-net-pci")
    };
    for number in 0..if long() { 5 } else { 1 } {
        let agent = boot(&lab, build);
        let destination = start(&lab, build, Place::Destination, &["-incoming", "unix:move"]);
        let words = [
            "migrate-set-parameters {\"downtime-limit\": 300, \"max-bandwidth\": 200000000}",
            "migrate {\"uri\": \"unix:move\"}",
            "until query-migrate \"status\": \"completed\"",
        ];
        let run = run(&lab, &agent, (25, 5), &monitor(&words));
        let (from, to) = command(&run);
        let moved: Vec<&Value> = disruptions(&run)
            .iter()
            .filter(|one| (from..to + 1.0).contains(&one["at"].as_f64().unwrap()))
            .collect();
        println!("migration {number}: {from} to {to} s: {moved:#?}");
        assert!(!moved.is_empty(), "{:#}", run.scorecard["disruptions"]);
        assert!(moved.iter().all(|one| one["recovered_ms"].is_number()));
        assert!(moved.iter().all(|one| one["calls_lost"] == 0));
        for leg in ["receive", "sent"] {
            let received = run.count(&format!("/legs/{leg}/packets_received"));
            let expected = run.count(&format!("/legs/{leg}/packets_expected"));
            assert!(
                received * 100 > expected * 95,
                "{leg}: {received} of {expected}"
            );
        }
        drop((agent, destination));
        std::fs::remove_dir_all(lab.path("run")).unwrap();
    }
}

/// Truth: for four seconds six programs without end share the processor on which the machine runs. The guest's packets vary in
/// delay then, and the report says so second by second.
fn assert_contention_is_seen(lab: &Lab, agent: &Agent) {
    let machine = agent.program.pid().to_string();
    lab.execute(Side::Guest, "taskset", &["-a", "-p", "-c", "1", &machine]);
    let hogs = "for hog in 1 2 3 4 5 6; do timeout 4 taskset -c 1 sh -c 'while :; do :; done' & done; wait";
    let shell = ["sh", "-c", hogs].map(str::to_owned);
    let run = run(lab, agent, (14, 5), &shell);
    let (from, to) = command(&run);
    let worst = |(from, to): (f64, f64)| pdv_within(&run, from, to);
    let (before, during) = (worst((1.0, from - 1.0)), worst((from, to)));
    println!(
        "sent leg, PDV p99 of the seconds, median: {before} ms before, {during} ms with six hogs"
    );
    assert!(during > 2.0 * before, "{before} ms, {during} ms");
}

/// The median of the sent leg's PDV p99 of these seconds of full load, ms.
fn pdv_within(run: &RunFolder, from: f64, to: f64) -> f64 {
    let mut found: Vec<f64> = run
        .rows("seconds.csv")
        .iter()
        .filter(|row| row["leg"] == "sent")
        .filter(|row| (from + 1.0..to).contains(&(row["second"].parse::<f64>().unwrap())))
        .filter_map(|row| row["pdv_p99_ms"].parse().ok())
        .collect();
    found.sort_by(f64::total_cmp);
    found[found.len() / 2]
}
