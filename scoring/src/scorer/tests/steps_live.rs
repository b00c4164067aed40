//! What is known of a step while it goes on, and when all of it is.

use super::stepped::Stepped;
use super::truth::{ENDS, Slot, TRANSIT, Truth, first};
use crate::breaking_point::Evidence;
use crate::measured::StepOutcome::{Bad, Good, NotMeasured};
use milliwatt_wire::facts::{Fact, SentSecond};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

const MS: i64 = 1_000_000;

/// Facts up to a second of both ends, those of the streams without their last word.
pub(super) fn until(stepped: &Stepped, second: u32) -> Evidence {
    let told = |fact: &&Fact| match fact {
        Fact::Pacing(of) => of.second < second,
        Fact::Sent(of) => of.second < second,
        Fact::Host(of) => of.second < second,
        Fact::StreamSecond(of) => of.second < second,
        Fact::StepStarted { .. } | Fact::StreamStarted { .. } => true,
        _ => false,
    };
    let mut evidence = Evidence::default();
    for end in ENDS {
        evidence.absorb(end, &stepped.opened(end));
        let facts = stepped.facts_of(0, end);
        facts
            .iter()
            .filter(told)
            .for_each(|fact| evidence.absorb(end, fact));
    }
    evidence
}

/// Every packet of a stream from 2 s on is 40 ms late. Seconds 2 and 3 are told of once both ends tell of 4.
#[test]
fn two_bad_seconds_in_a_row_are_enough() {
    let mut truth = Truth::clean(8);
    truth.set(first(Leg::Sent), 100..400, Slot::Arrives(TRANSIT + 40 * MS));
    let stepped = Stepped::one(truth);
    let verdict = |second, leg| until(&stepped, second).verdict_so_far(0, leg, &stepped.judgement);
    assert_eq!(verdict(4, Leg::Sent), None);
    assert_eq!(verdict(5, Leg::Sent), Some(Bad));
    assert_eq!(verdict(5, Leg::Receive), None);
}

/// Two packets late in each of two seconds are past the limit by themselves; of 6 seconds of 200 they are 4 of 1200, and
/// past it however the rest is. One in each is 2 of 1200, and that too; of a step of 16 s it is 2 of 3000, and open.
#[test]
fn what_the_rest_of_a_step_could_mend_is_open() {
    let verdict = |seconds: u32| {
        let mut truth = Truth::clean(seconds);
        let late = Slot::Arrives(TRANSIT + 40 * MS);
        truth.set(first(Leg::Sent), 110..111, late);
        truth.set(first(Leg::Sent), 160..161, late);
        let stepped = Stepped::one(truth);
        until(&stepped, 5).verdict_so_far(0, Leg::Sent, &stepped.judgement)
    };
    assert_eq!(verdict(7), Some(Bad));
    assert_eq!(verdict(16), None);
}

/// A step that ended before its time is judged as far as it went.
#[test]
fn a_step_that_was_ended_is_judged_to_its_end() {
    let mut truth = Truth::clean(8);
    truth.set(first(Leg::Sent), 110..120, Slot::Lost);
    truth.set(first(Leg::Sent), 260..290, Slot::Lost);
    let stepped = Stepped::one(truth);
    let mut evidence = stepped.evidence();
    let ended = Fact::StepEnded {
        index: 0,
        at: RunTime(4 * NS_PER_SECOND + 60 * MS),
    };
    evidence.absorb(End::Tester, &ended);
    let row = evidence.row(0, &stepped.judgement).unwrap();
    // 10 of the 600 packets of seconds 1, 2 and 3.
    assert!((row.sent.loss_percent.unwrap() - 100.0 / 60.0).abs() < 1e-9);
    assert_eq!((row.sent.outcome, row.until_s), (Bad, 4.06));
}

/// Complete once both ends have told of the second after the step and each stream's last words are there; without those
/// words two seconds later. Nothing is kept of the streams then.
#[test]
fn a_step_is_complete_once_both_ends_have_told_all() {
    let stepped = Stepped::one(Truth::clean(6));
    let sent = |second| {
        Fact::Sent(SentSecond {
            second,
            ..SentSecond::default()
        })
    };
    let mut whole = stepped.evidence();
    let mut partial = until(&stepped, 6);
    assert_eq!((whole.streams_held(), partial.streams_held()), (0, 8));
    for evidence in [&mut whole, &mut partial] {
        assert!(!evidence.is_complete(0));
        evidence.absorb(End::Guest, &sent(7));
        assert!(!evidence.is_complete(0), "the tester has not");
        evidence.absorb(End::Tester, &sent(7));
    }
    assert!(whole.is_complete(0) && !partial.is_complete(0));
    for end in ENDS {
        partial.absorb(end, &sent(9));
    }
    assert!(partial.is_complete(0) && !partial.is_complete(1));
}

/// A run that was cut off in a step: as far as it was told of, whatever the step's end was to be.
#[test]
fn a_step_that_was_cut_off_is_judged_as_far_as_it_was_told_of() {
    let mut truth = Truth::clean(8);
    truth.set(first(Leg::Sent), 100..150, Slot::Arrives(TRANSIT + 40 * MS));
    let stepped = Stepped::one(truth);
    let outcome = |second| until(&stepped, second).outcomes(0, &stepped.judgement);
    assert_eq!(outcome(0), Some([NotMeasured; 2]));
    assert_eq!(
        outcome(2),
        Some([NotMeasured; 2]),
        "one second is too little"
    );
    assert_eq!(outcome(4), Some([Good, Bad]));
    let mut endless = stepped.opened(End::Tester);
    let mut evidence = Evidence::default();
    evidence.absorb(End::Tester, &endless);
    endless = stepped.facts_of(0, End::Tester).swap_remove(0);
    if let Fact::StepStarted { step, .. } = &mut endless {
        step.until = RunTime(i64::MAX);
        step.calls = u32::MAX;
    }
    evidence.absorb(End::Tester, &endless);
    assert_eq!(
        evidence.outcomes(0, &stepped.judgement),
        Some([NotMeasured; 2])
    );
}
