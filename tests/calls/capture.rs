//! The streams of a run as another program measures them.

use super::LEGS;
use crate::lab::{Capture, Captured, CapturedStream, Lab, RunFolder, Side};

/// 10 calls; each leg is captured where it arrives. tshark's packets and losses of each stream are
/// ours. Its jitter, of full load as ours is, comes from the capture's stamps, taken some
/// microseconds from the socket's own, and starts anew with full load: 0.3 ms covers both.
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
    let [from, to] = run.full_load();
    for ((leg, capture), sender) in LEGS.iter().zip(captures).zip([Side::Tester, Side::Guest]) {
        let capture = capture.end();
        let largest = compare(
            &run,
            leg,
            &of(sender, &capture),
            &of(sender, &capture.cut(from, to)),
        );
        println!("{leg}: interarrival jitter differs by {largest:.4} ms at most");
    }
}

fn of(sender: Side, capture: &Captured) -> Vec<CapturedStream> {
    capture
        .streams()
        .into_iter()
        .filter(|stream| stream.source == sender.address())
        .collect()
}

/// Compares each stream of a leg; gives the largest difference in interarrival jitter, ms.
fn compare(
    run: &RunFolder,
    leg: &str,
    whole: &[CapturedStream],
    at_full_load: &[CapturedStream],
) -> f64 {
    let rows = run.rows("streams.csv");
    let ours: Vec<_> = rows.iter().filter(|row| row["leg"] == leg).collect();
    assert_eq!(
        (whole.len(), at_full_load.len(), ours.len()),
        (20, 20, 20),
        "{leg}"
    );
    let mut largest = 0.0_f64;
    for row in ours {
        let find = |streams: &[CapturedStream]| {
            streams
                .iter()
                .find(|stream| stream.ssrc == row["ssrc"])
                .unwrap()
                .clone()
        };
        let count = |column: &str| row[column].parse::<u64>().unwrap();
        let theirs = find(whole);
        assert_eq!(
            (count("packets_received"), count("packets_lost")),
            (theirs.packets, theirs.lost.cast_unsigned()),
            "{row:?}"
        );
        let ms = |column: &str| row[column].parse::<f64>().unwrap();
        // Ours goes on from what came before full load, tshark's begins with it anew: the largest lies between that of
        // full load alone and that of the whole stream.
        let (mean, max) = find(at_full_load).interarrival_jitter_ms;
        let max =
            ms("interarrival_jitter_max_ms").clamp(max, theirs.interarrival_jitter_ms.1.max(max));
        for (column, theirs) in [
            ("interarrival_jitter_mean_ms", mean),
            ("interarrival_jitter_max_ms", max),
        ] {
            let difference = (ms(column) - theirs).abs();
            assert!(difference <= 0.3, "{theirs} ms by tshark: {row:?}");
            largest = largest.max(difference);
        }
    }
    largest
}
