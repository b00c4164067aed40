//! SIPp's calls: the capture that it brings with it, with DTMF after the speech, and its own RTP stream of
//! a file; the far end echoes both.

use super::agreement::{analyze, assert_agreement, assert_counts, assert_interarrival_jitter};
use crate::lab::{Capture, Lab, Side, wait_for};
use std::fmt::Write;
use std::os::unix::fs::symlink;

/// Calls `calls` times from the tester with a scenario file; the guest answers and echoes what it hears.
fn call(lab: &Lab, scenario: &str, calls: &str) {
    let guest = Side::Guest.address();
    let flags = ["-i", guest, "-p", "5060", "-mp", "20000"];
    let answering = ["-sn", "uas", "-rtp_echo", "-nostdin"];
    let answering = lab.start(Side::Guest, "sipp", &[&flags[..], &answering].concat());
    let listening = || lab.execute(Side::Guest, "ss", &["-lunH", "sport = :5060"]);
    wait_for("SIPp to answer", 10, || !listening().is_empty());
    let to = format!("{guest}:5060");
    let tester = Side::Tester.address();
    let flags = ["-i", tester, "-p", "5060", "-mp", "30000", "-nostdin"];
    let many = ["-m", calls, "-r", calls];
    let calling = [&["-sf", scenario, &to], &flags[..], &many].concat();
    let ended = lab.start(Side::Tester, "sipp", &calling).wait_within(60);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    drop(answering);
}

/// A call in SIPp's own words: INVITE with this media description, what is done while it is up, BYE.
fn scenario(media: &str, up: &str) -> String {
    let request = |method: &str, tag: &str, body: &str| {
        let kind = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\n"
        };
        let number = if method == "BYE" { 2 } else { 1 };
        format!(
            "<send retrans=\"500\"><![CDATA[\n\n\
             {method} sip:+15551234567@[remote_ip]:[remote_port] SIP/2.0\n\
             Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: <sip:+15557654321@[local_ip]:[local_port]>;tag=[pid]T[call_number]\n\
             To: <sip:+15551234567@[remote_ip]:[remote_port]>{tag}\n\
             Call-ID: [call_id]\nCSeq: {number} {method}\n\
             Contact: sip:sipp@[local_ip]:[local_port]\nMax-Forwards: 70\n\
             {kind}Content-Length: [len]\n\n{body}\n]]></send>\n"
        )
    };
    let body = format!(
        "v=0\no=user1 1 1 IN IP[local_ip_type] [local_ip]\ns=-\nc=IN IP[local_ip_type] [local_ip]\nt=0 0\n{media}"
    );
    let mut text = String::from("<?xml version=\"1.0\"?>\n<scenario name=\"media\">\n");
    text += &request("INVITE", "", &body);
    text +=
        "<recv response=\"100\" optional=\"true\"/><recv response=\"180\" optional=\"true\"/>\n";
    text += "<recv response=\"200\"/>\n";
    text += &request("ACK", "[peer_tag_param]", "").replace(" retrans=\"500\"", "");
    text += up;
    text += &request("BYE", "[peer_tag_param]", "");
    text += "<recv response=\"200\"/>\n</scenario>\n";
    text
}

fn exec(action: &str, ms: u32) -> String {
    format!("<nop><action><exec {action}/></action></nop><pause milliseconds=\"{ms}\"/>\n")
}

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
    call(&lab, "call.xml", "3");
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
    let mut up = String::new();
    write!(up, "{}", exec("rtp_stream=\"voice.ulaw,1,0\"", 3500)).unwrap();
    let media = "m=audio [rtpstream_audio_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\n";
    lab.write("call.xml", &scenario(media, &up));
    let capture = Capture::of(&lab, Side::Guest, "udp");
    call(&lab, "call.xml", "6");
    assert_agreement(&capture.end(), 12);
}
