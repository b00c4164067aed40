//! The streams of a run as another program measures them.

use super::LEGS;
use crate::lab::{Capture, CapturedStream, Lab, RunFolder, Side};

/// 10 calls; each leg is captured where it arrives. tshark's packets and losses of each stream are
/// ours. Its jitter is that of the capture's stamps, taken some microseconds from the socket's own,
/// and it averages from the first packet on where we do from the second: 0.3 ms covers both.
#[test]
fn every_stream_is_as_tshark_measures_it() {
    let Some(lab) = Lab::open(&["tshark"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let captures = [Side::Guest, Side::Tester].map(|side| Capture::start(&lab, side));
    let ended = lab
        .start_run("smoke", &agent, "run", &["--for", "4s"])
        .wait();
    let run = RunFolder::of(lab.path("run"), ended);
    let captures = captures.map(Capture::end);
    let rows = run.rows("streams.csv");
    for ((leg, capture), sender) in LEGS.iter().zip(&captures).zip([Side::Tester, Side::Guest]) {
        let streams: Vec<CapturedStream> = capture
            .streams()
            .into_iter()
            .filter(|s| s.source == sender.address())
            .collect();
        let ours: Vec<_> = rows.iter().filter(|row| row["leg"] == **leg).collect();
        assert_eq!((streams.len(), ours.len()), (20, 20), "{leg}");
        let mut largest = 0.0_f64;
        for row in ours {
            let theirs = streams
                .iter()
                .find(|stream| stream.ssrc == row["ssrc"])
                .unwrap();
            let count = |column: &str| row[column].parse::<u64>().unwrap();
            assert_eq!(
                (count("packets_received"), count("packets_lost")),
                (theirs.packets, theirs.lost),
                "{row:?}"
            );
            let ms = |column: &str| row[column].parse::<f64>().unwrap();
            let (mean, max) = theirs.interarrival_jitter_ms;
            for (ours, theirs) in [
                (ms("interarrival_jitter_mean_ms"), mean),
                (ms("interarrival_jitter_max_ms"), max),
            ] {
                assert!(
                    (ours - theirs).abs() <= 0.3,
                    "{theirs} ms by tshark: {row:?}"
                );
                largest = largest.max((ours - theirs).abs());
            }
        }
        println!("{leg}: interarrival jitter differs by {largest:.4} ms at most");
    }
}
