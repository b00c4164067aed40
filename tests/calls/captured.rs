//! `run --capture`: the run's own capture, read by other programs, and the run's figures made of it again.

use super::LEGS;
use crate::lab::analyze;
use crate::lab::{Captured, CapturedStream, Lab, RunFolder, Side};
use serde_json::Value;
use std::process::Command;

const RTP: &str = "udp length 180 @th,64,2 2";

/// A leg's interfaces, sender's and receiver's, and where its packets are dropped.
fn interfaces(leg: &str) -> ([&'static str; 2], Side) {
    match leg {
        "receive" => (
            [
                "receive-leg-departures (tester)",
                "receive-leg-arrivals (guest)",
            ],
            Side::Guest,
        ),
        _ => (
            ["sent-leg-departures (guest)", "sent-leg-arrivals (tester)"],
            Side::Tester,
        ),
    }
}

/// 10 calls through a queue of 4 Mbit/s each way and a loss of one in 50 at random where packets arrive, heads
/// and tails of streams among them.
#[test]
fn a_captured_run_is_made_again_and_other_programs_read_it() {
    let Some(lab) = Lab::open(&["tshark", "capinfos", "tc"]) else {
        return;
    };
    for side in [Side::Tester, Side::Guest] {
        lab.shape(side, "tbf rate 4mbit burst 4kb latency 300ms");
        lab.drop_arriving(side, &format!("{RTP} numgen random mod 50 == 0"));
    }
    let run = lab.run("smoke", &["--for", "4s", "--no-abort", "--capture"]);
    let captured = Captured::written(run.path.join("capture.pcapng"));
    assert!(!run.path.join("capture.guest").exists());
    assert_made_again(&run, &captured);
    assert_headers_only(&captured);
    for leg in LEGS {
        assert_as_tshark_counts(&lab, &run, leg, &captured);
    }
}

/// Every figure of both legs, equal to the last digit. The guest's own playout is in no packet.
fn assert_made_again(run: &RunFolder, captured: &Captured) {
    let analysis = analyze(captured.file());
    assert_eq!(
        analysis["run"]["scenario"], "smoke",
        "{}",
        analysis["notes"]
    );
    let events = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    let playout_stood_still = events.contains("guest-playout");
    let mut equal = 0;
    for leg in LEGS {
        let (ours, again) = (&run.scorecard["legs"][leg], &analysis["run"]["legs"][leg]);
        for (figure, value) in ours.as_object().unwrap() {
            let of_dead_air = figure.starts_with("dead_air")
                || ["impairment_events", "playout_buffers"].contains(&figure.as_str());
            if of_dead_air && playout_stood_still && leg == "receive" {
                continue;
            }
            assert_eq!(value, &again[figure], "{leg} {figure}");
            equal += 1;
        }
        for figure in ["/packets_lost", "/ipdv_ms/p999", "/pdv_ms/p999"] {
            assert!(ours.pointer(figure).unwrap().as_f64().unwrap() > 0.0);
        }
    }
    println!("{equal} figures of both legs are equal");
}

fn assert_headers_only(captured: &Captured) {
    let lengths = captured.fields("udp", &["frame.cap_len", "frame.len", "rtcp.pt"]);
    assert!(lengths.len() > 4 * 4000, "{}", lengths.len());
    for row in lengths {
        let (kept, whole): (u32, u32) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        let is_rtcp = row.get(2).is_some_and(|kind| !kind.is_empty());
        // 20 of IP, 8 of UDP, 12 of RTP, and none of 160 of audio; RTCP whole.
        assert!(
            (kept, whole) == (40, 200) || is_rtcp && kept == whole && whole < 130,
            "{row:?}"
        );
    }
    let damaged = captured.fields(
        "_ws.malformed or ip.checksum.status == 0",
        &["frame.number"],
    );
    assert!(damaged.is_empty(), "{damaged:?}");
    let capinfos = Command::new("capinfos")
        .arg(captured.file())
        .output()
        .unwrap();
    let told = String::from_utf8(capinfos.stdout).unwrap();
    assert!(capinfos.status.success(), "{told}");
    assert!(told.contains("Number of interfaces in file: 4"), "{told}");
    assert!(told.contains("nanoseconds (9)"), "{told}");
}

/// Packets a stream: those that left are the ledger's, those that arrived the receiver's; those between are what
/// the kernel dropped. What tshark misses by sequence numbers is what `analyze` misses.
fn assert_as_tshark_counts(lab: &Lab, run: &RunFolder, leg: &str, captured: &Captured) {
    let (names, receiver) = interfaces(leg);
    let [left, arrived] = names.map(|name| {
        let filter = format!("rtp and frame.interface_name == \"{name}\"");
        captured.only(&name.replace(' ', ""), &filter).streams()
    });
    let rows = run.rows("streams.csv");
    let rows: Vec<_> = rows.iter().filter(|row| row["leg"] == leg).collect();
    assert_eq!((left.len(), arrived.len(), rows.len()), (20, 20, 20));
    let analysis = analyze(captured.file());
    for row in rows {
        let find = |streams: &[CapturedStream]| {
            let same = |stream: &&CapturedStream| stream.ssrc == row["ssrc"];
            streams.iter().find(same).unwrap().clone()
        };
        let count = |column: &str| row[column].parse::<u64>().unwrap();
        assert_eq!(find(&left).packets, count("packets_expected"), "{row:?}");
        assert_eq!(find(&left).lost, 0, "{row:?}");
        let theirs = find(&arrived);
        assert_eq!(theirs.packets, count("packets_received"), "{row:?}");
        let same = |stream: &&Value| stream["ssrc"] == row["ssrc"].as_str();
        let ours = analysis["streams"].as_array().unwrap().iter().find(same);
        assert_eq!(ours.unwrap()["packets_lost"].as_i64(), Some(theirs.lost));
    }
    let packets = |streams: &[CapturedStream]| streams.iter().map(|s| s.packets).sum::<u64>();
    let (left, arrived) = (packets(&left), packets(&arrived));
    assert_eq!(left, run.count(&format!("/legs/{leg}/packets_expected")));
    assert_eq!(arrived, run.count(&format!("/legs/{leg}/packets_received")));
    let dropped = lab.dropped(receiver);
    println!("{leg}: {left} left, {arrived} arrived, the kernel dropped {dropped}");
    assert_eq!(left - arrived, dropped);
}
