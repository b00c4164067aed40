//! SIPp's calls: the capture that it brings with it, with DTMF after the speech, and its own RTP stream of
//! a file; the far end echoes both.

use super::agreement::{assert_agreement, assert_counts, assert_interarrival_jitter};
use crate::lab::sipp::{call, exec, scenario};
use crate::lab::{Capture, Lab, Side, analyze};
use std::os::unix::fs::symlink;

/// Three calls of SIPp's `g711a.pcap` (packets of 30 ms) and one DTMF digit of `dtmf_2833_1.pcap`, echoed:
/// twelve streams. All are as tshark counts them; the speech has its interarrival jitter too. The digit has
/// none: all packets of a telephone-event carry the timestamp of its start (RFC 4733 2.3.5), so no transit
/// can be told.
#[test]
fn sipp_playing_its_own_capture() {
    let Some(lab) = Lab::open(&["sipp", "tshark", "ss"]) else {
        return;
    };
    symlink("/usr/share/sip-tester", lab.path("pcap")).unwrap();
    let media = "m=audio [auto_media_port] RTP/AVP 8 101\na=rtpmap:8 PCMA/8000\n\
                 a=rtpmap:101 telephone-event/8000\n";
    let up = exec("play_pcap_audio=\"pcap/g711a.pcap\"", 8000)
        + &exec("play_pcap_audio=\"pcap/dtmf_2833_1.pcap\"", 500);
    lab.write("call.xml", &scenario(media, &up));
    let capture = Capture::of(&lab, Side::Guest, "udp");
    call(&lab, "call.xml", (3, 3), &["-rtp_echo"]);
    let captured = capture.end();
    let analysis = analyze(captured.file());
    let theirs = captured.streams();
    assert_eq!(
        (analysis["streams"].as_array().unwrap().len(), theirs.len()),
        (12, 12),
        "{theirs:#?}"
    );
    for theirs in &theirs {
        let ours = super::agreement::stream(&analysis, theirs);
        assert_counts(ours, theirs);
        if ours["payload_types"] == serde_json::json!([8]) {
            assert_eq!(ours["ptime_ms"], 30.0);
            assert_interarrival_jitter(ours, theirs);
        } else {
            assert_eq!(ours["packets_duplicated"], 2, "the end is sent three times");
            assert_eq!(
                ours["interarrival_jitter_ms"]["max"],
                serde_json::Value::Null
            );
        }
    }
}

/// Six calls whose audio SIPp sends itself, all from one port and each echoed: its streams share two
/// addresses and differ in their SSRC only.
#[test]
fn sipp_streaming_a_file() {
    let Some(lab) = Lab::open(&["sipp", "tshark", "ss"]) else {
        return;
    };
    std::fs::write(lab.path("voice.ulaw"), vec![0xd5; 24_000]).unwrap();
    let up = exec("rtp_stream=\"voice.ulaw,1,0\"", 3500);
    let media = "m=audio [rtpstream_audio_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\n";
    lab.write("call.xml", &scenario(media, &up));
    let capture = Capture::of(&lab, Side::Guest, "udp");
    call(&lab, "call.xml", (6, 6), &["-rtp_echo"]);
    assert_agreement(&capture.end(), 12);
}
