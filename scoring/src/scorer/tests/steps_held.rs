//! A load that is held for long, judged in windows.

use super::stepped::Stepped;
use super::steps::{GOOD, bad};
use super::steps_live::until;
use super::truth::{Slot, TRANSIT, Truth, first};
use crate::measured::StepOutcome::{Bad, Good, GuestLimited, Tainted};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::step::StepKind;

const MS: i64 = 1_000_000;

/// Windows of 6 s from second 1 on: 1, 7, 13 and 19. Two bad ones in a row break the leg, where the first began to.
#[test]
fn a_load_held_for_long_breaks_when_two_windows_in_a_row_are_bad() {
    let held = |seconds: &[usize]| {
        let mut truth = Truth::clean(25);
        for second in seconds {
            let slots = 50 * second..50 * second + 10;
            truth.set(first(Leg::Sent), slots, Slot::Lost);
        }
        let mut stepped = Stepped::one(truth);
        stepped.steps[0].1 = StepKind::Confirm;
        let sent = stepped.row().sent;
        (sent.outcome, sent.metric, sent.at_s)
    };
    assert_eq!(held(&[3, 15]), GOOD, "a window between them is good");
    assert_eq!(held(&[9, 15]), bad("loss_percent", 9.0));
    assert_eq!(held(&[3]), GOOD);
}

/// Where both legs break late by what a guest out of time does, each of them did.
#[test]
fn a_load_held_for_long_breaks_on_either_leg() {
    let mut truth = Truth::clean(25);
    truth.miss_playout(&[360, 420, 660, 720]);
    for second in [9, 15] {
        truth.set(first(Leg::Sent), 50 * second..50 * second + 10, Slot::Lost);
    }
    let mut stepped = Stepped::one(truth);
    stepped.steps[0].1 = StepKind::Confirm;
    let row = stepped.row();
    assert_eq!((row.receive.outcome, row.sent.outcome), (Bad, Bad));
    stepped.steps[0].1 = StepKind::Search;
    assert_eq!(stepped.row().receive.outcome, GuestLimited);
}

/// All packets of a stream are 40 ms late from 7 s on: the windows from 7 and 13 are told of once both ends tell of 19.
#[test]
fn a_load_held_for_long_is_surely_bad_after_two_windows() {
    let mut truth = Truth::clean(40);
    truth.set(
        first(Leg::Sent),
        350..2000,
        Slot::Arrives(TRANSIT + 40 * MS),
    );
    let mut stepped = Stepped::one(truth);
    stepped.steps[0].1 = StepKind::Confirm;
    let verdict = |second| until(&stepped, second).verdict_so_far(0, Leg::Sent, &stepped.judgement);
    assert_eq!((verdict(19), verdict(20)), (None, Some(Bad)));
}

/// Three of four windows spoilt say nothing.
#[test]
fn a_load_held_for_long_is_tainted_when_most_windows_are() {
    let mut truth = Truth::clean(25);
    for second in (1..6).chain(7..12).chain(13..18) {
        truth.stall(End::Tester, second);
    }
    let mut stepped = Stepped::one(truth);
    stepped.steps[0].1 = StepKind::Confirm;
    assert_eq!(stepped.row().sent.outcome, Tainted);
}

/// Clocks that part by 100 ppm add 15 ms in 150 s and 6 ms in the 60 s that a least transit counts at most; a queue
/// that grows by 1000 ppm adds 30 ms in 30 s.
#[test]
fn clocks_that_run_apart_are_no_delay_variation() {
    let held = |ppm: i64, same_clock: bool| {
        let mut truth = Truth::clean(400);
        truth.same_clock = same_clock;
        truth.each_transit(Leg::Sent, |slot| {
            TRANSIT + 20 * ppm * i64::try_from(slot).unwrap()
        });
        let mut stepped = Stepped::one(truth);
        stepped.steps[0].1 = StepKind::Confirm;
        stepped.row().sent.outcome
    };
    assert_eq!(held(100, false), Good);
    assert_eq!(held(1000, false), Bad);
    assert_eq!(held(100, true), Bad, "40 ms in 400 s are no clock's");
}
