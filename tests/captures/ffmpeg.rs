//! ffmpeg's RTP muxer, which sends in bunches of about 128 ms: variation of delay that nobody has to make up.

use super::agreement::{assert_agreement, assert_counts};
use super::written::interarrival_jitter_of;
use crate::lab::{Capture, Captured, Lab, Side, analyze};

/// Lets ffmpeg send `seconds` of a tone from the tester to the guest, and captures it where it arrives.
fn send(lab: &Lab, codec: &str, rate: &str, packet: u16) -> Captured {
    let capture = Capture::of(lab, Side::Guest, "udp");
    let tone = format!("sine=f=440:r={rate}:d=3");
    let to = format!(
        "rtp://{}:20000?pkt_size={packet}&localport=30000",
        Side::Guest.address()
    );
    let args = [
        "-re", "-f", "lavfi", "-i", &tone, "-ac", "1", "-c:a", codec, "-f", "rtp", &to,
    ];
    let ended = lab.start(Side::Tester, "ffmpeg", &args).wait_within(30);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    capture.end()
}

#[test]
fn g711_is_as_tshark_has_it() {
    let Some(lab) = Lab::open(&["ffmpeg", "tshark"]) else {
        return;
    };
    let analysis = assert_agreement(&send(&lab, "pcm_mulaw", "8000", 172), 1);
    assert_eq!(analysis["streams"][0]["codec"], "PCMU");
}

/// G.722 samples at 16 kHz and has an RTP clock of 8 kHz, by a mistake that RFC 3551 4.5.2 keeps.
#[test]
fn g722_has_the_clock_of_rfc_3551() {
    let Some(lab) = Lab::open(&["ffmpeg", "tshark"]) else {
        return;
    };
    let analysis = assert_agreement(&send(&lab, "g722", "16000", 172), 1);
    assert_eq!(analysis["streams"][0]["clock_rate"], 8000);
    assert_eq!(analysis["streams"][0]["ptime_ms"], 20.0);
}

/// Opus has a dynamic payload type, and ffmpeg says by SDP on its own standard output only what it means: a
/// capture without it. tshark then knows no clock and gives no jitter. Here the clock follows from timestamps
/// against arrivals (48 kHz, RFC 7587), and J by RFC 3550 A.8 is worked out in this test from the arrivals and
/// timestamps that tshark lists.
#[test]
fn opus_without_sdp_has_its_clock_inferred() {
    let Some(lab) = Lab::open(&["ffmpeg", "tshark"]) else {
        return;
    };
    let captured = send(&lab, "libopus", "48000", 1200);
    let (analysis, theirs) = (analyze(captured.file()), captured.streams());
    let ours = &analysis["streams"][0];
    assert_counts(ours, &theirs[0]);
    assert_eq!(theirs[0].interarrival_jitter_ms, (0.0, 0.0));
    assert_eq!(
        (&ours["clock_rate"], &ours["clock_rate_from"]),
        (&48_000.into(), &"inferred".into())
    );
    let (mean, max) = interarrival_jitter_of(&captured, 48_000);
    for (figure, expected) in [("mean", mean), ("max", max)] {
        let ms = ours["interarrival_jitter_ms"][figure].as_f64().unwrap();
        assert!(
            (ms - expected).abs() < 1e-6,
            "{figure}: {ms} is not {expected}"
        );
    }
}
