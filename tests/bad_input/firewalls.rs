//! Control passes, media does not: in which direction, on which ports, within 10 s.

use super::assert_said;
use crate::lab::{Ended, Lab, Side};

/// What `milliwatt run` says while `rule` drops what arrives at `side`.
fn run_behind(side: Side, rule: &str) -> Option<Ended> {
    let lab = Lab::open(&[])?;
    let agent = lab.start_agent(&[]);
    lab.drop_arriving(side, rule);
    let ended = lab.start_run("smoke", &agent, "run", &[]).wait_within(10);
    assert!(!lab.path("run").exists(), "nothing was begun");
    Some(ended)
}

const EVERY_PORT: &str = "udp dport 16384-32767";

#[test]
fn udp_blocked_on_its_way_to_the_guest_is_told_with_direction_and_ports() {
    let Some(ended) = run_behind(Side::Guest, EVERY_PORT) else {
        return;
    };
    let words = [
        "control passes, media does not",
        "tester -> guest: not one of 40 ports",
        "allow UDP from 10.77.0.1 ports 16384-16423 to 10.77.0.2 ports 16384-16423",
    ];
    assert_said(&ended, 1, &words);
}

#[test]
fn udp_blocked_on_its_way_back_is_told_with_direction_and_ports() {
    let Some(ended) = run_behind(Side::Tester, EVERY_PORT) else {
        return;
    };
    let words = [
        "control passes, media does not",
        "guest -> tester",
        "allow UDP from 10.77.0.2 ports 16384-16423 to 10.77.0.1 ports 16384-16423",
    ];
    assert_said(&ended, 1, &words);
}

#[test]
fn a_range_that_is_open_in_part_only_is_told() {
    let Some(ended) = run_behind(Side::Guest, "udp dport 16400-32767") else {
        return;
    };
    assert_said(
        &ended,
        1,
        &["control passes, media does not", "16 of 40 ports proven"],
    );
}
