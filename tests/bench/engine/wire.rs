//! How regular a sender's packets are on the wire: captured at the far end of the cable with the kernel's stamps.

use crate::lab::{Capture, Captured, Side, analyze, sipp};
use crate::ours::{self, CALLS, HYBRID, PACING, Pacing};
use crate::pairs::{Measured, Required, compare as compare_sides};
use crate::{Bench, iperf3};

/// A UDP datagram of 172 octets from the tester: a packet of G.711, or as long as one.
const FROM_TESTER: &str = "udp[4:2] = 180 and src host 10.77.0.1";
/// SIPp's calls a second while the load rises.
const SIPP_RATE: u32 = 50;

/// 500 streams of ours beside 250 of SIPp's, in the two pacings that sleep; then beside 128 of iperf3's.
pub(crate) fn compare(bench: &Bench) {
    let sipp = || measure_sipp(bench);
    let iperf3 = || measure_iperf3(bench);
    for pacing in [PACING, HYBRID] {
        println!(
            "  mean interarrival jitter at the far end; milliwatt: {} streams, {}; {} s",
            CALLS * 2,
            pacing.said(),
            bench.seconds
        );
        let ours = || measure_ours(bench, pacing);
        let ours = ("milliwatt", &ours as &dyn Fn() -> Measured);
        compare_sides(bench.pairs, ours, ("SIPp", &sipp), Required::AtMost(0.02));
    }
    let ours = || measure_ours(bench, PACING);
    let ours = ("milliwatt", &ours as &dyn Fn() -> Measured);
    compare_sides(bench.pairs, ours, ("iperf3", &iperf3), Required::Nothing);
}

fn measure_ours(bench: &Bench, pacing: &Pacing) -> Measured {
    let capture = Capture::of(&bench.lab, Side::Guest, FROM_TESTER);
    let run = ours::run(bench, CALLS, pacing);
    let measured = measure(&capture.end());
    Measured {
        said: format!("{}; {}", measured.said, run.said()),
        ..measured
    }
}

/// A call a stream, each its own RTP stream of a file, all from one port, to a port that nobody reads: what
/// cannot be queued there is dropped, as cheap as reading it.
fn measure_sipp(bench: &Bench) -> Measured {
    let lab = &bench.lab;
    let octets = usize::try_from(bench.seconds).unwrap() * 8000;
    std::fs::write(lab.path("voice.ulaw"), vec![0xd5; octets]).unwrap();
    let up = sipp::exec("rtp_stream=\"voice.ulaw,1,0\"", bench.seconds * 1000);
    let media = "m=audio [rtpstream_audio_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\n";
    lab.write("call.xml", &sipp::scenario(media, &up));
    let capture = Capture::of(lab, Side::Guest, FROM_TESTER);
    sipp::call(lab, "call.xml", (CALLS, SIPP_RATE), &[]);
    measure(&capture.end())
}

fn measure_iperf3(bench: &Bench) -> Measured {
    let capture = Capture::of(&bench.lab, Side::Guest, FROM_TESTER);
    iperf3::send(&bench.lab, bench.seconds);
    let jitters = iperf3::interarrival_jitters_ms(&capture.end());
    Measured {
        figure: mean(&jitters),
        said: format!(
            "{} streams, mean {:.4} ms, by arrival spacing",
            jitters.len(),
            mean(&jitters)
        ),
    }
}

/// The mean of the streams' means by `milliwatt analyze`, which is compared, and by tshark.
fn measure(captured: &Captured) -> Measured {
    let analysis = analyze(captured.file());
    let streams = analysis["streams"].as_array().unwrap().iter();
    let ours: Vec<f64> = streams
        .filter_map(|stream| stream["interarrival_jitter_ms"]["mean"].as_f64())
        .collect();
    let theirs = captured.streams();
    let theirs: Vec<f64> = theirs
        .iter()
        .map(|stream| stream.interarrival_jitter_ms.0)
        .collect();
    Measured {
        figure: mean(&ours),
        said: format!(
            "{} streams, mean {:.4} ms (tshark: {}, {:.4} ms)",
            ours.len(),
            mean(&ours),
            theirs.len(),
            mean(&theirs)
        ),
    }
}

#[expect(clippy::cast_precision_loss, reason = "hundreds of streams")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
