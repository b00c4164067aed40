//! Packets of encrypted streams that did not authenticate.

use super::truth::{CALLS, Slot, Truth, first, stream};
use crate::judgement::{Basis, Bound, Threshold, Window};
use crate::measured::{Measured, Outcome, ThresholdResult, Verdict};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Leg, Party};

/// Of so many streams of the receive leg, which 4 s of 200 packets each have, none was authentic; `changed` packets and a
/// report more of the second stream.
fn measure(without_key: u32, packets: u32) -> Measured {
    changed(without_key, packets).measure()
}

fn changed(without_key: u32, changed: u32) -> Truth {
    let mut truth = Truth::clean(4);
    for call in 0..without_key {
        let id = stream(call, Party::A, Leg::Receive);
        truth.set(id, 0..200, Slot::Lost);
        truth.guest.extend((0..4).map(|second| Fact::Unauthentic {
            stream: id,
            second,
            packets: 50,
            reports: u32::from(second == 3),
        }));
    }
    if changed > 0 {
        let id = stream(0, Party::B, Leg::Receive);
        truth.set(id, 10..10 + changed as usize, Slot::Lost);
        truth.guest.push(Fact::Unauthentic {
            stream: id,
            second: 1,
            packets: changed,
            reports: 1,
        });
    }
    truth
}

/// Both streams of party A, 400 packets: nobody heard them, and that is no finding about the guest.
#[test]
fn a_stream_none_of_whose_packets_was_authentic_has_another_key_and_makes_the_run_invalid() {
    let run = measure(CALLS, 0);
    let leg = &run.legs.receive;
    assert_eq!(
        (
            leg.packets_unauthentic,
            leg.packets_received,
            leg.packets_lost
        ),
        (400, 400, 400)
    );
    assert_eq!(run.legs.sent.packets_unauthentic, 0);
    assert_eq!(run.verdict, Verdict::Invalid);
    let [reason] = run.validity.reasons.as_slice() else {
        panic!("{:?}", run.validity.reasons)
    };
    let said = "400 packets came on the receive leg (tester -> guest) that did not authenticate: keys differ (2 of 4 streams had not one authentic packet).";
    assert!(reason.starts_with(said), "{reason}");
    assert!(!run.notes.iter().any(|note| note.contains("authenticate")));
}

/// Three packets of 200: they were changed on the way, and are losses like any other.
#[test]
fn packets_changed_on_the_way_are_lost_and_told() {
    let run = measure(0, 3);
    let leg = &run.legs.receive;
    assert_eq!((leg.packets_unauthentic, leg.packets_lost), (3, 3));
    assert!(run.validity.valid, "{:?}", run.validity.reasons);
    let said = "3 packets and 1 reports came on the receive leg (tester -> guest) that did not authenticate, of streams whose keys are right";
    assert!(
        run.notes.iter().any(|note| note.starts_with(said)),
        "{:?}",
        run.notes
    );
}

/// The same three, past a limit of 2 and within one of 3, over the whole run and on one leg only.
#[test]
fn a_threshold_on_them_is_judged_over_the_whole_run() {
    let run = |limit: f64| {
        let mut truth = changed(0, 3);
        truth.judgement.thresholds = vec![Threshold {
            metric: "packets_unauthentic".to_owned(),
            leg: None,
            bound: Bound::Max,
            limit,
            per: None,
            window: Window::Run,
            unit: "count".to_owned(),
            basis: Basis::Own,
            source: String::new(),
            warns_only: false,
        }];
        let of = |result: &ThresholdResult| (result.leg, result.measured, result.outcome);
        truth
            .measure()
            .thresholds
            .iter()
            .map(of)
            .collect::<Vec<_>>()
    };
    let sent = (Some(Leg::Sent), Some(0.0), Outcome::Pass);
    let receive = |outcome| (Some(Leg::Receive), Some(3.0), outcome);
    assert_eq!(run(2.0), [receive(Outcome::Fail), sent]);
    assert_eq!(run(3.0), [receive(Outcome::Pass), sent]);
}

/// A clean run tells of neither; nor does one whose packets were lost.
#[test]
fn a_silence_is_no_other_key() {
    let mut truth = Truth::clean(4);
    truth.set(first(Leg::Receive), 0..200, Slot::Lost);
    let run = truth.measure();
    assert!(run.validity.valid, "{:?}", run.validity.reasons);
    assert_eq!(run.legs.receive.packets_unauthentic, 0);
    assert!(!run.notes.iter().any(|note| note.contains("authenticate")));
}
