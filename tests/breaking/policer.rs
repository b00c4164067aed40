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
    let run = ramp(&lab, "from = 26\nto = 32\nstep = 2", "");
    let losses = ["loss_percent", "discarded_percent", "dead_air.events"];
    assert_broke(&run, "sent", 30.0, &losses);
    assert_held(&run, "receive", 32.0);
    assert_eq!(run.verdict(), "fail");
    assert!(lab.dropped_by_queue(Side::Guest) > 0);
}
