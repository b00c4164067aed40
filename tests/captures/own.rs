//! milliwatt's own calls through a damaged path, captured by another program where they arrive.

use super::agreement::assert_agreement;
use crate::lab::{Capture, Lab, Side};

/// Each side's packets pass a queue of 2 Mbit/s (10 calls are 1.7), so that they wait for each other, and one
/// in 50 is lost at random on its way out, behind the sender's back. What passed either end of the cable is
/// analysed by both programs, stream by stream: 20 of each leg.
#[test]
fn calls_through_loss_and_a_queue() {
    let Some(lab) = Lab::open(&["tshark", "tc"]) else {
        return;
    };
    for side in [Side::Tester, Side::Guest] {
        lab.shape(side, "tbf rate 2mbit burst 4kb latency 300ms");
        lab.drop_leaving(side, "udp length 180 @th,64,2 2 numgen random mod 50 == 0");
    }
    let agent = lab.start_agent(&[]);
    let captures = [Side::Guest, Side::Tester].map(|side| Capture::start(&lab, side));
    let args = ["--for", "4s", "--no-abort"];
    lab.start_run("smoke", &agent, "run", &args).wait();
    for capture in captures {
        let analysis = assert_agreement(&capture.end(), 40);
        let lost = |stream: &serde_json::Value| stream["packets_lost"].as_u64().unwrap();
        assert!(
            analysis["streams"]
                .as_array()
                .unwrap()
                .iter()
                .map(lost)
                .sum::<u64>()
                > 0
        );
    }
    for side in [Side::Tester, Side::Guest] {
        assert!(lab.dropped(side) > 0);
    }
}
