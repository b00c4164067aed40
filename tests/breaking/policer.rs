//! A policer instead of a queue: loss without delay.

use super::{assert_broke, assert_held, ramp};
use crate::lab::{Lab, Side};

/// What leaves the guest beyond 30 Mbit/s is dropped at once: the metric that broke first is no delay.
#[test]
fn a_policer_shows_as_loss_and_not_as_delay() {
    let Some(lab) = Lab::open(&["tc"]) else {
        return;
    };
    lab.police(Side::Guest, 30);
    // A step lies between what the policer passes and 8 % above it, by more than a guest that stood still catches up in one.
    let run = ramp(&lab, "from = 27\nto = 31.5\nstep = 1.5", "");
    let losses = ["loss_percent", "discarded_percent", "dead_air.events"];
    assert_broke(&run, "sent", 30.0, &losses);
    assert_held(&run, "receive", 31.5);
    assert_eq!(run.verdict(), "fail");
    assert!(lab.dropped_by_queue(Side::Guest) > 0);
}
