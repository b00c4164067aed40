//! The other codec and the other role.

use super::{assert_nothing_lost, assert_pass};
use crate::lab::Lab;

/// A-law from end to end: the recordings are A-law too (WAVE format tag 6).
#[test]
fn a_law_calls_run_clean() {
    let Some(lab) = Lab::open(&[]) else { return };
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
    assert_pass(&run);
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
    let run = lab.run("smoke", &["--for", "3s", "--set", "agent.role=echo"]);
    assert_pass(&run);
    assert_nothing_lost(&run);
    assert_eq!(
        run.count("/legs/sent/packets_received"),
        run.count("/legs/receive/packets_received")
    );
    assert_eq!(run.count("/recordings/expected"), 0);
}
