//! Two machines whose clocks have nothing in common.

use super::{assert_nothing_lost, assert_pass_as_witnessed};
use crate::lab::{Agent, Lab, MILLIWATT, RunFolder, Side, Witness};

/// The guest's monotonic clock is 5000 s ahead (a time namespace; the boot identity stays the same).
/// The run finds the offset by its exchanges: calls begin together, playout is as deep as it is
/// called, and the offset that remains is a part of the round trip.
#[test]
fn a_guest_with_another_clock_is_measured_all_the_same() {
    let Some(lab) = Lab::open(&["unshare"]) else {
        return;
    };
    let listen = format!("{}:7700", Side::Guest.address());
    let dir = lab.path("agent");
    let ahead = ["-T", "--monotonic", "5000", "--fork", "--kill-child"];
    let agent = [
        MILLIWATT,
        "agent",
        "--listen",
        &listen,
        "--dir",
        dir.to_str().unwrap(),
    ];
    let agent = lab.start(Side::Guest, "unshare", &[&ahead[..], &agent].concat());
    let agent = Agent::announced(agent);
    let witness = Witness::start();
    let ended = lab
        .start_run("smoke", &agent, "run", &["--for", "3s"])
        .wait();
    let run = RunFolder::of(lab.path("run"), ended);
    assert_eq!(run.scorecard["clock"]["same_clock"], false);
    assert_pass_as_witnessed(&run, &witness.end());
    assert_nothing_lost(&run);
    let (offset, round_trip) = (
        run.number("/clock/offset_ms"),
        run.number("/clock/round_trip_min_ms"),
    );
    assert!(
        offset.abs() <= round_trip,
        "{offset} ms remain at a round trip of {round_trip} ms"
    );
    for leg in ["receive", "sent"] {
        assert_eq!(run.count(&format!("/legs/{leg}/dead_air/events")), 0);
    }
    assert_eq!(run.count("/recordings/silence_events"), 0);
}
