//! One party falls silent at the tester, at a known place, for a known time.

use super::assert_nothing_lost;
use crate::lab::{Capture, Lab, MILLIWATT, RunFolder, Side};

/// Party A of call 1 is silent for 300 ms, 3 s into the call.
const SCENARIO: &str = r#"
name = "known-silence"
title = "300 ms of silence of one party"
for = "6s"

[calls]
concurrent = 3
total = 3
arrivals = "10/s"
hold = "8s"

[[known_silence]]
call = 1
party = "A"
at = "3s"
for = "300ms"

[[threshold]]
metric = "recordings.with_silence"
max = 1
"#;

/// 300 ms are 15 packets of 20 ms.
const SILENT_PACKETS: usize = 15;

/// Three sources agree on the place: the scored recording, the recording's own samples, and the
/// audio that the guest sent to party B, read from a capture by tshark.
#[test]
fn a_known_silence_is_found_there_and_nowhere_else() {
    let Some(lab) = Lab::open(&["tshark"]) else {
        return;
    };
    let scenario = lab.write("known-silence.toml", SCENARIO);
    let agent = lab.start_agent(&[]);
    let capture = Capture::start(&lab, Side::Tester);
    let scenario = scenario.to_str().unwrap();
    let ended = lab
        .start_run(scenario, &agent, "run", &["--keep-recordings", "all"])
        .wait();
    let run = RunFolder::of(lab.path("run"), ended);
    let capture = capture.end();
    assert_nothing_lost(&run);
    assert_scored(&run);
    assert_in_samples(&run);
    assert_heard_by_party_b(&run, &capture.payloads(Side::Guest));
    assert_shown(&lab, &run);
}

/// The page shows the silence and lets it be heard; made again from the facts and the recordings it is the same.
fn assert_shown(lab: &Lab, run: &RunFolder) {
    let page = || std::fs::read_to_string(run.path.join("report.html")).unwrap();
    let once = page();
    let heading = "Call 1, party A (channel 0): 300 ms of silence, a known silence of the scenario";
    assert!(once.contains(&format!("<h3>{heading}")));
    assert_eq!(once.matches("src=\"data:audio/wav;base64,").count(), 1);
    let folder = run.path.to_str().unwrap();
    lab.start(Side::Tester, MILLIWATT, &["report", folder])
        .wait();
    assert!(page() == once, "the page is another one");
}

/// One event, in call 1, on party A's channel (left, 0), 300 ms long.
fn assert_scored(run: &RunFolder) {
    assert_eq!(
        (
            run.count("/recordings/with_silence"),
            run.count("/recordings/silence_events")
        ),
        (1, 1)
    );
    let events = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let silences: Vec<_> = events
        .iter()
        .filter(|event| event["kind"] == "silence")
        .collect();
    let [silence] = silences.as_slice() else {
        panic!("{silences:?}")
    };
    assert_eq!(
        (&silence["call"], &silence["channel"]),
        (&1.into(), &0.into()),
        "{silence}"
    );
    let said = silence["text"].as_str().unwrap();
    assert!(said.ends_with("a known silence of the scenario"), "{said}");
    assert_eq!(
        (&silence["origin"], &silence["file"]),
        (&"known".into(), &"call-00001.wav".into())
    );
    let start_s = silence["start_s"].as_f64().unwrap();
    assert!((start_s - 3.0).abs() <= 0.2, "{silence}");
    assert_eq!(run.count("/recordings/silence_events_unexplained"), 0);
    let length = silence["duration_ms"].as_f64().unwrap();
    assert!((length - 300.0).abs() <= 20.0, "{silence}");
    let row = &run.rows("recordings.csv")[1];
    assert_eq!(
        (row["call"].as_str(), row["silence_events"].as_str()),
        ("1", "1")
    );
}

/// In the stereo WAV, mu-law: the left channel holds one stretch of idle code of 60 ms and more
/// outside the ends, the right none; in the other recordings there is none at all.
fn assert_in_samples(run: &RunFolder) {
    for call in 0..3 {
        for channel in 0..2 {
            let samples = recorded(run, call, channel);
            let inner = 4000..samples.len() - 4000;
            let stretches = idle_stretches(&samples[inner], 480);
            if (call, channel) == (1, 0) {
                let [(from, length)] = stretches[..] else {
                    panic!("{stretches:?}")
                };
                let (from_s, ms) = (f64::from(from) / 8000.0 + 0.5, f64::from(length) / 8.0);
                println!("recording: silent from {from_s:.3} s for {ms:.2} ms");
                assert!(
                    (ms - 300.0).abs() <= 20.0 && (from_s - 3.0).abs() <= 0.2,
                    "{from_s} s, {ms} ms"
                );
            } else {
                assert!(
                    stretches.is_empty(),
                    "call {call} channel {channel}: {stretches:?}"
                );
            }
        }
    }
}

/// The code words of a channel of a call's recording, which is stereo.
pub(super) fn recorded(run: &RunFolder, call: u32, channel: usize) -> Vec<u8> {
    let file = std::fs::read(run.path.join(format!("recordings/call-{call:05}.wav"))).unwrap();
    let data = file.windows(4).position(|chunk| chunk == b"data").unwrap() + 8;
    let samples = file[data..].iter().copied();
    samples.skip(channel).step_by(2).collect()
}

/// Start and length of stretches of mu-law idle code (either zero) of `least` samples and more, in samples.
pub(super) fn idle_stretches(samples: &[u8], least: u32) -> Vec<(u32, u32)> {
    let mut stretches: Vec<(u32, u32)> = Vec::new();
    for (index, sample) in (0_u32..).zip(samples) {
        match stretches.last_mut() {
            _ if !matches!(sample, 0x7f | 0xff) => {}
            Some((from, length)) if *from + *length == index => *length += 1,
            _ => stretches.push((index, 1)),
        }
    }
    stretches.retain(|(_, length)| *length >= least);
    stretches
}

/// On the sent leg, the stream to party B carries party A's audio: there it is idle for 15 packets, 3 s after the stream's
/// first sound. In every other stream no 3 packets in a row, a silence of 60 ms, are idle; where a packet came too late for
/// its turn there may be one.
fn assert_heard_by_party_b(
    run: &RunFolder,
    streams: &std::collections::BTreeMap<String, Vec<Vec<u8>>>,
) {
    let rows = run.rows("streams.csv");
    let to_b = rows.iter().find(|row| {
        (
            row["leg"].as_str(),
            row["call"].as_str(),
            row["party"].as_str(),
        ) == ("sent", "1", "B")
    });
    let to_b = &to_b.unwrap()["ssrc"];
    assert_eq!(streams.len(), 6, "3 calls of 2 legs");
    for (ssrc, payloads) in streams {
        let stretches = idle_packets(payloads);
        if ssrc == to_b {
            println!("capture: idle packets (from, how many) {stretches:?} after the first sound");
            let [(from, length)] = stretches[..] else {
                panic!("{stretches:?}")
            };
            assert!(
                from.abs_diff(150) <= 2 && length.abs_diff(SILENT_PACKETS) <= 1,
                "3 s are 150 packets, 300 ms are 15: {from}, {length}"
            );
        } else {
            assert!(stretches.is_empty(), "{ssrc}: {stretches:?}");
        }
    }
}

/// Stretches of 3 idle packets and more after the first sound: the first, and how many.
fn idle_packets(payloads: &[Vec<u8>]) -> Vec<(usize, usize)> {
    let is_idle = |payload: &&Vec<u8>| payload.iter().all(|code| matches!(code, 0x7f | 0xff));
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    let heard = payloads.iter().skip_while(is_idle).enumerate();
    for (index, _) in heard.filter(|(_, payload)| is_idle(payload)) {
        match stretches.last_mut() {
            Some((from, length)) if *from + *length == index => *length += 1,
            _ => stretches.push((index, 1)),
        }
    }
    stretches.retain(|(_, length)| *length >= 3);
    stretches
}
