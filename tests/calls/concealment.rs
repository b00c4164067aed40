//! A guest that conceals what is lost, as G.711 Appendix I does.

use super::silence::{idle_stretches, recorded};
use crate::lab::{Capture, Lab, RunFolder, Side};
use milliwatt_generator::calls::stream_headers;
use milliwatt_wire::id::{CallId, Leg, Party, StreamId};

const SCENARIO: &str = r#"
name = "concealed"
title = "Lost packets that the guest conceals"
for = "6s"
seed = 1

[calls]
concurrent = 3
total = 3
arrivals = "10/s"
hold = "8s"

[playout]
fill = "g711-appendix-i"
"#;

/// The stream that loses packets: what party A of call 1 says.
const STREAM: StreamId = StreamId {
    call: CallId(1),
    party: Party::A,
    leg: Leg::Receive,
};
/// Packets of it that are lost: one, 2 s after its start, and 200 ms, 4 s after.
const LOST: [std::ops::Range<u16>; 2] = [100..101, 200..210];
/// 60 ms after the first packet that is lost the last of what was made up has faded.
const FADED_MS: f64 = 60.0;

/// The kernel drops 11 known packets. In the recording the single one leaves no 10 ms of silence; the 200 ms leave one
/// silence, shorter by the fade, which is put down to the dead air of 200 ms that the packets say. What the guest sent
/// to party B, read from a capture by tshark, is what it recorded, code for code.
#[test]
fn lost_packets_are_concealed_in_the_recording_and_on_the_sent_leg() {
    let Some(lab) = Lab::open(&["tshark"]) else {
        return;
    };
    let headers = stream_headers(1, STREAM);
    for packets in LOST {
        let [first, last] =
            [packets.start, packets.end - 1].map(|n| headers.first_seq.wrapping_add(n));
        let rule = format!(
            "udp length 180 @th,128,32 {} @th,80,16 {first}-{last}",
            headers.ssrc
        );
        lab.drop_arriving(Side::Guest, &rule);
    }
    let scenario = lab.write("concealed.toml", SCENARIO);
    let agent = lab.start_agent(&[]);
    let capture = Capture::start(&lab, Side::Tester);
    let arguments = ["--keep-recordings", "all", "--no-abort"];
    let scenario = scenario.to_str().unwrap();
    let ended = lab.start_run(scenario, &agent, "run", &arguments).wait();
    let run = RunFolder::of(lab.path("run"), ended);
    let streams = capture.end().payloads(Side::Guest);
    assert_eq!(lab.dropped(Side::Guest), 11);
    assert_eq!(run.count("/legs/receive/packets_lost"), 11);
    let silent_ms = assert_in_samples(&run);
    assert_scored(&run, silent_ms);
    assert_played_as_recorded(&run, &streams);
}

/// One stretch of 10 ms of idle code and more, in the channel of party A of call 1. Gives its length, ms.
fn assert_in_samples(run: &RunFolder) -> f64 {
    let mut found = Vec::new();
    for (call, channel) in (0..3).flat_map(|call| [(call, 0), (call, 1)]) {
        let samples = recorded(run, call, channel);
        let stretches = idle_stretches(&samples[4000..samples.len() - 4000], 80);
        found.extend(
            stretches
                .into_iter()
                .map(|(_, length)| (call, channel, length)),
        );
    }
    let [(1, 0, length)] = found[..] else {
        panic!("{found:?}")
    };
    let ms = f64::from(length) / 8.0;
    println!("of 200 ms of lost packets {ms:.2} ms are idle code");
    // Idle code is all that rounds to nothing: of the fade's last 10 ms, and of the tone's return, some samples more.
    let expected = 200.0 - FADED_MS;
    assert!((expected..expected + 2.0).contains(&ms), "{ms}");
    ms
}

/// One dead-air event of 200 ms at the guest, and one silence, tied to it.
fn assert_scored(run: &RunFolder, silent_ms: f64) {
    let events = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    let of = |kind: &str| -> Vec<serde_json::Value> {
        let all = events.lines().map(|l| serde_json::from_str(l).unwrap());
        all.filter(|event: &serde_json::Value| event["kind"] == kind)
            .collect()
    };
    let dead: Vec<_> = of("dead-air")
        .into_iter()
        .filter(|event| event["stream"]["leg"] == "receive")
        .collect();
    let ([dead], [silence]) = (&dead[..], &of("silence")[..]) else {
        panic!("{dead:?} {:?}", of("silence"))
    };
    println!("{dead}\n{silence}");
    assert_eq!(
        (&dead["cause"], &dead["duration_ms"]),
        (&"lost".into(), &200.0.into())
    );
    assert_eq!(
        (&silence["call"], &silence["channel"]),
        (&1.into(), &0.into())
    );
    let said = silence["text"].as_str().unwrap();
    assert!(said.ends_with("dead air of lost packets"), "{said}");
    assert_eq!(silence["cause"], "lost");
    assert_eq!(run.count("/recordings/silence_events_unexplained"), 0);
    let length = silence["duration_ms"].as_f64().unwrap();
    assert!((length - silent_ms).abs() <= 3.0, "{length}, {silent_ms}");
}

/// Every packet of the stream to party B of call 1 is a frame of party A's channel.
fn assert_played_as_recorded(
    run: &RunFolder,
    streams: &std::collections::BTreeMap<String, Vec<Vec<u8>>>,
) {
    let rows = run.rows("streams.csv");
    let wanted = ["sent", "1", "B"].map(Some);
    let to_b = rows.iter().find(|row| {
        ["leg", "call", "party"].map(|column| row.get(column).map(String::as_str)) == wanted
    });
    let payloads = &streams[&to_b.unwrap()["ssrc"]];
    let samples = recorded(run, 1, 0);
    let frames: Vec<&[u8]> = samples.chunks_exact(160).collect();
    let mut matched = 0;
    let mut frames = frames.into_iter();
    for payload in payloads {
        // A frame that was not sent in time stands in neither.
        let same = frames.by_ref().any(|frame| frame == &payload[..]);
        assert!(
            same,
            "packet {matched} is in no frame after the one before it"
        );
        matched += 1;
    }
    assert!(matched > 250, "{matched}");
    println!("{matched} packets to party B are frames of the recording");
}
