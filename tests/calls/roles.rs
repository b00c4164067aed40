//! The other codec and the other role.

use super::{assert_nothing_lost, assert_pass_as_witnessed};
use crate::lab::{Agent, Lab, MILLIWATT, RunFolder, Side, Witness};

/// A-law from end to end: the recordings are A-law too (WAVE format tag 6).
#[test]
fn a_law_calls_run_clean() {
    let Some(lab) = Lab::open(&[]) else { return };
    let witness = Witness::start();
    let run = lab.run(
        "smoke",
        &[
            "--for",
            "3s",
            "--set",
            "media.codec=PCMA",
            "--keep-recordings",
            "all",
        ],
    );
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    assert_eq!(
        (
            run.count("/recordings/scored"),
            run.count("/recordings/with_silence")
        ),
        (10, 0)
    );
    let wav = std::fs::read(run.path.join("recordings/call-00000.wav")).unwrap();
    assert_eq!(
        (&wav[..4], &wav[20..22]),
        (&b"RIFF"[..], &6_u16.to_le_bytes()[..])
    );
}

/// The echo role sends back what came, packet by packet: no playout, no recordings.
#[test]
fn the_echo_role_runs_clean() {
    let Some(lab) = Lab::open(&[]) else { return };
    let witness = Witness::start();
    let run = lab.run("smoke", &["--for", "3s", "--set", "agent.role=echo"]);
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    assert_eq!(
        run.count("/legs/sent/packets_received"),
        run.count("/legs/receive/packets_received")
    );
    assert_eq!(run.count("/recordings/expected"), 0);
    let events = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    assert!(!events.contains("guest-playout"), "{events}");
}

/// Control, media and transfer over IPv6, both ends on one machine of the lab.
#[test]
fn calls_over_ipv6_run_clean() {
    let Some(lab) = Lab::open(&[]) else { return };
    let (dir, out) = (lab.path("agent"), lab.path("run"));
    let (dir, out) = (dir.to_str().unwrap(), out.to_str().unwrap());
    let listen = ["agent", "--listen", "[::1]:0", "--dir", dir];
    let agent = Agent::announced(lab.start(Side::Tester, MILLIWATT, &listen));
    let run = ["run", "smoke", "--for", "2s", "--guest", &agent.join];
    let rest = ["--out", out, "--set", "validity.lateness=20ms"];
    let witness = Witness::start();
    let ended = lab
        .start(Side::Tester, MILLIWATT, &[&run[..], &rest].concat())
        .wait();
    let run = RunFolder::of(lab.path("run"), ended);
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    // 172 octets of RTP, 8 of UDP, 40 of IPv6, 14 of Ethernet, 20 streams of 50 packets/s: 1.872 Mbit/s.
    let rtp = run.number("/legs/receive/rtp_mbps");
    assert!((1.85..1.90).contains(&rtp), "{rtp} Mbit/s");
}
