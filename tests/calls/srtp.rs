//! Encrypted media (`media.srtp = true`): nothing is lost by it, nothing is heard on the way, and another key is told.

mod relay;

use super::{LEGS, assert_nothing_lost, assert_pass_as_witnessed};
use crate::lab::{Agent, Capture, Captured, Lab, MILLIWATT, RunFolder, Side, Witness, analyze};
use milliwatt_generator::voice::Voice;
use milliwatt_wire::id::Leg;
use milliwatt_wire::load::{Codec, TONE_A_HZ, TONE_B_HZ};
use relay::Relay;
use std::collections::BTreeSet;

const SRTP: [&str; 4] = ["--for", "3s", "--set", "media.srtp=true"];

/// Encrypted RTP of G.711: 190 octets of UDP, RTP version 2.
const ON_THE_CABLE: &str = "udp[4:2] = 190 and udp[8] & 0xc0 = 0x80";
/// Octets of a protected packet above UDP: 12 of header, 160 of audio, 10 of tag.
const PACKET: usize = 182;

/// 10 calls are recorded as plain ones are: what is in the recordings is the two tones, sample by sample. What passed the
/// cable was none of it, by tshark's reading; and the run's own capture, of headers, makes its figures again.
#[test]
fn encrypted_calls_are_recorded_and_nothing_of_them_is_heard_on_the_way() {
    let Some(lab) = Lab::open(&["tshark"]) else {
        return;
    };
    let agent = lab.start_agent(&[]);
    let on_the_cable = Capture::of(&lab, Side::Tester, ON_THE_CABLE);
    let args = [&SRTP[..], &["--keep-recordings", "all", "--capture"]].concat();
    let witness = Witness::start();
    let ended = lab.start_run("smoke", &agent, "run", &args).wait();
    let run = RunFolder::of(lab.path("run"), ended);
    let on_the_cable = on_the_cable.end();
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    for count in ["expected", "received", "scored"] {
        assert_eq!(run.count(&format!("/recordings/{count}")), 10, "{count}");
    }
    for count in [
        "with_silence",
        "splice_events",
        "dropout_events",
        "crossed_channels",
    ] {
        assert_eq!(run.count(&format!("/recordings/{count}")), 0, "{count}");
    }
    assert!(run.ended.stderr.contains("media      encrypted: SRTP"));
    assert_recorded(&run);
    assert_weighed(&run);
    for side in [Side::Tester, Side::Guest] {
        assert_not_heard(
            &on_the_cable
                .payloads(side)
                .into_values()
                .flatten()
                .collect::<Vec<_>>(),
        );
    }
    assert_made_again(&run);
}

/// In each channel lies its party's tone, and the code word of silence before and after it.
fn assert_recorded(run: &RunFolder) {
    for call in 0..10 {
        for (channel, hertz) in [TONE_A_HZ, TONE_B_HZ].into_iter().enumerate() {
            let tone = Voice::tone(hertz, Codec::Pcmu);
            let mut codes: BTreeSet<u8> = (0..tone.packets())
                .flat_map(|packet| tone.packet(packet).iter().copied())
                .collect();
            codes.insert(Codec::Pcmu.idle_code());
            assert!(codes.len() < 200, "noise has all 256: {}", codes.len());
            let recorded = super::silence::recorded(run, call, channel);
            assert!(recorded.len() > 16_000);
            let other = recorded.iter().find(|code| !codes.contains(code));
            assert_eq!(other, None, "call {call}, channel {channel}");
        }
    }
}

/// 20 streams of 50 packets of 224 octets are 1.792 Mbit/s, and some reports.
fn assert_weighed(run: &RunFolder) {
    for leg in LEGS {
        let rtp = run.number(&format!("/legs/{leg}/rtp_mbps"));
        assert!((1.79..1.83).contains(&rtp), "{leg}: {rtp} Mbit/s");
        assert_eq!(run.count(&format!("/legs/{leg}/packets_unauthentic")), 0);
    }
}

/// What lies behind the headers is as good as noise: 256 values, each about as often as any other.
fn assert_not_heard(payloads: &[Vec<u8>]) {
    assert!(payloads.len() > 3000, "{}", payloads.len());
    let mut counts = [0_u32; 256];
    for payload in payloads {
        assert_eq!(payload.len(), PACKET - 12);
        for octet in payload {
            counts[usize::from(*octet)] += 1;
        }
    }
    let mean = u32::try_from(payloads.len() * (PACKET - 12) / 256).unwrap();
    let near = mean / 5 * 4..mean / 5 * 6;
    assert!(
        counts.iter().all(|count| near.contains(count)),
        "{counts:?}"
    );
}

/// The capture holds clear headers and nothing else, and what the run counted.
fn assert_made_again(run: &RunFolder) {
    let captured = Captured::written(run.path.join("capture.pcapng"));
    let analysis = analyze(captured.file());
    for leg in LEGS {
        for figure in ["packets_expected", "packets_received", "ipdv_ms", "pdv_ms"] {
            let (ours, again) = (&run.scorecard["legs"][leg], &analysis["run"]["legs"][leg]);
            assert_eq!(ours[figure], again[figure], "{leg} {figure}");
        }
    }
    for row in captured.fields("udp", &["frame.cap_len", "frame.len"]) {
        let (kept, whole): (usize, usize) = (row[0].parse().unwrap(), row[1].parse().unwrap());
        // 20 of IP and 8 of UDP; of RTP 12 more, of a report 8.
        let is_rtp = (kept, whole) == (40, 28 + PACKET);
        assert!(is_rtp || kept == 36 && whole < 28 + PACKET, "{row:?}");
    }
}

/// The guest opens each packet, and sends its audio back encrypted anew.
#[test]
fn an_encrypted_echo_runs_clean() {
    let Some(lab) = Lab::open(&[]) else { return };
    let args = [&SRTP[..], &["--set", "agent.role=echo"]].concat();
    let witness = Witness::start();
    let run = lab.run("smoke", &args);
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    assert_eq!(
        run.count("/legs/sent/packets_received"),
        run.count("/legs/receive/packets_received")
    );
}

/// On its way the guest's copy of one leg's secret is changed: every packet of that leg comes and not one authenticates.
/// That is no silence of the path and no finding about the guest; the other leg is as it should be.
#[test]
fn another_key_at_one_end_is_told_as_such() {
    for (leg, other) in [(Leg::Receive, Leg::Sent), (Leg::Sent, Leg::Receive)] {
        let Some(lab) = Lab::open(&[]) else { return };
        let dir = lab.path("agent");
        let listen = ["agent", "--listen", "127.0.0.1:0", "--dir"];
        let args = [&listen[..], &[dir.to_str().unwrap()]].concat();
        let agent = Agent::announced(lab.start_here(MILLIWATT, &args));
        let relay = Relay::start(&agent.join, leg);
        let out = lab.path("run");
        let run = [
            "run",
            "smoke",
            "--guest",
            &relay.join,
            "--no-abort",
            "--out",
        ];
        let args = [&run[..], &[out.to_str().unwrap()], &SRTP[..]].concat();
        let ended = lab.start_here(MILLIWATT, &args).wait();
        assert_eq!(ended.code, Some(4), "{}\n{}", ended.stdout, ended.stderr);
        let run = RunFolder::of(out, ended);
        let count = |leg: Leg, what: &str| run.count(&format!("/legs/{}/{what}", leg.key()));
        assert!(count(leg, "packets_unauthentic") > 3000);
        assert_eq!(count(leg, "packets_received"), 0);
        assert_eq!(count(other, "packets_unauthentic"), 0);
        assert_eq!(count(other, "packets_lost"), 0);
        let reasons = run.scorecard["validity"]["reasons"].to_string();
        let said = format!(
            "packets came on the {} that did not authenticate: keys differ",
            leg.title()
        );
        assert!(reasons.contains(&said), "{reasons}");
        assert!(
            run.ended.stdout.contains("keys differ"),
            "{}",
            run.ended.stdout
        );
    }
}
