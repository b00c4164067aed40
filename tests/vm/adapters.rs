//! Each kind of network adapter carries calls.

use super::machine::{Build, boot};
use super::open;
use crate::lab::{Agent, Capture, Captured, Lab, RunFolder, Side};

/// Twenty calls, two legs each, as a media server.
fn run(lab: &Lab, agent: &Agent, seconds: &str) -> RunFolder {
    let args = [
        "--for",
        seconds,
        "--set",
        "calls.concurrent=20",
        "--set",
        "calls.total=20",
    ];
    let ended = lab.start_run("smoke", agent, "run", &args).wait();
    let run = RunFolder::of(lab.path("run"), ended);
    println!("{}", run.ended.stdout);
    run
}

/// Truth: the tester's ledger and every packet in a capture of its end. An emulated machine that stands still may lose a packet
/// beyond it, up to what the document allows, and puts off many: tails of delay are QEMU's own here, medians are not.
fn assert_carries(adapter: &'static str) {
    let Some(lab) = open() else { return };
    let agent = boot(&lab, Build::with(adapter));
    let capture = Capture::start(&lab, Side::Tester);
    let run = run(&lab, &agent, "6s");
    let capture = capture.end();
    let count = |leg: &str, name: &str| run.count(&format!("/legs/{leg}/{name}"));
    for leg in ["receive", "sent"] {
        let (expected, lost) = (count(leg, "packets_expected"), count(leg, "packets_lost"));
        let median = run.number(&format!("/legs/{leg}/pdv_ms/p50"));
        println!("{adapter}, {leg} leg: {lost} of {expected} packets lost, PDV p50 {median} ms");
        assert!(expected > 40 * 50 * 6, "{leg}: {expected}");
        assert!(lost * 1000 <= expected, "{leg}: {lost} of {expected}");
        assert!(median < 10.0, "{leg}: {median} ms");
    }
    let [out, back] = [Side::Tester, Side::Guest].map(|side| captured(&capture, side));
    assert_eq!(count("receive", "packets_expected"), out);
    assert_eq!(count("sent", "packets_received"), back);
    assert_eq!(run.count("/recordings/scored"), 20);
}

/// RTP that a side sent and the capture saw.
fn captured(capture: &Captured, side: Side) -> u64 {
    let filter = format!("rtp and ip.src == {}", side.address());
    u64::try_from(capture.fields(&filter, &["rtp.ssrc"]).len()).unwrap()
}

#[test]
fn virtio_net_carries_calls() {
    assert_carries("virtio-net-pci");
}

#[test]
fn vmxnet3_carries_calls() {
    assert_carries("vmxnet3");
}

#[test]
fn e1000_carries_calls() {
    assert_carries("e1000");
}
