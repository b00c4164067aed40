//! What a step says: two calls of two parties, 200 packets a second each way; of a step of 6 s the last five are judged,
//! with 1000 packets.

use super::stepped::Stepped;
use super::truth::{Slot, TRANSIT, Truth, first};
use crate::breaking_point::Evidence;
use crate::measured::StepOutcome;
use milliwatt_wire::facts::{Fact, PacingSecond, SentSecond, TransferSecond};
use milliwatt_wire::id::{End, Leg};

use StepOutcome::{Bad, Good, GuestLimited, NotMeasured, Tainted};

const MS: i64 = 1_000_000;

/// What the sent leg of a step of 6 s says, with its metric and second.
fn sent(change: impl FnOnce(&mut Truth)) -> (StepOutcome, Option<String>, Option<f64>) {
    let mut truth = Truth::clean(6);
    change(&mut truth);
    let row = Stepped::one(truth).row();
    (row.sent.outcome, row.sent.metric, row.sent.at_s)
}

pub(super) fn bad(metric: &str, at_s: f64) -> (StepOutcome, Option<String>, Option<f64>) {
    (Bad, Some(metric.to_owned()), Some(at_s))
}

pub(super) const GOOD: (StepOutcome, Option<String>, Option<f64>) = (Good, None, None);

/// 200 packets of 214 octets are 0.3424 Mbit/s.
#[test]
fn a_step_with_nothing_amiss_is_good_and_its_rates_exact() {
    let row = Stepped::one(Truth::clean(6)).row();
    assert_eq!((row.calls, row.from_s, row.until_s), (2, 0.0, 6.0));
    assert_eq!((row.index, row.target_mbps), (0, 40.0));
    for leg in [row.receive, row.sent] {
        assert_eq!((leg.outcome, leg.metric), (Good, None));
        assert!((leg.offered_mbps.unwrap() - 0.3424).abs() < 1e-9);
        assert!((leg.carried_mbps.unwrap() - 0.3424).abs() < 1e-9);
        assert_eq!(
            (leg.loss_percent, leg.discarded_percent),
            (Some(0.0), Some(0.0))
        );
        assert_eq!(
            (leg.dead_air_events, leg.transfer_goodput_percent),
            (0, None)
        );
        assert_eq!(leg.pdv_p999_ms, Some(0.0));
    }
}

/// One packet of 1000 is the limit, two are past it; the first second of the step is left out.
#[test]
fn loss_is_taken_over_the_seconds_but_the_first() {
    let lost = |slots: std::ops::Range<usize>| {
        move |truth: &mut Truth| {
            truth.set(first(Leg::Sent), slots, Slot::Lost);
        }
    };
    assert_eq!(sent(lost(120..121)), GOOD);
    assert_eq!(sent(lost(120..122)), bad("loss_percent", 2.0));
    assert_eq!(sent(lost(0..50)), GOOD, "the first second");
    // The last packets of a stream are missed by both ends together only.
    assert_eq!(sent(lost(298..300)), bad("loss_percent", 5.0));
}

/// A leg that nothing arrives on.
#[test]
fn a_leg_that_is_dead_has_lost_everything() {
    let mut truth = Truth::clean(6);
    for slots in truth.slots.iter_mut().filter(|(id, _)| id.leg == Leg::Sent) {
        slots.1.fill(Slot::Lost);
    }
    let row = Stepped::one(truth).row();
    assert_eq!((row.sent.outcome, row.receive.outcome), (Bad, Good));
    assert_eq!(row.sent.loss_percent, Some(100.0));
    assert_eq!(row.sent.metric.as_deref(), Some("loss_percent"));
    assert_eq!(
        (row.sent.at_s, row.sent.carried_mbps),
        (Some(1.0), Some(0.0))
    );
}

/// Every packet from 1 s on waits 10 ms longer than the last, up to 2.5 s: they arrive in later seconds, none is lost.
#[test]
fn a_queue_that_grows_is_delay_variation_first_and_no_loss() {
    let mut truth = Truth::clean(6);
    truth.each_transit(Leg::Sent, |slot| {
        TRANSIT + 10 * MS * i64::try_from(slot.saturating_sub(60)).unwrap()
    });
    let row = Stepped::one(truth).row();
    assert_eq!((row.sent.outcome, row.sent.loss_percent), (Bad, Some(0.0)));
    assert_eq!(row.sent.metric.as_deref(), Some("pdv_ms.p999"));
    assert_eq!(row.sent.at_s, Some(1.0));
    assert!(row.sent.discarded_percent.unwrap() > 50.0);
}

/// Rank 999 of 1000: one packet 40 ms late leaves it at 0, two put it past 30 ms.
#[test]
fn the_999th_of_a_thousand_packets_decides_delay_variation() {
    let late = |slots: std::ops::Range<usize>, ms: i64| {
        move |truth: &mut Truth| {
            truth.set(first(Leg::Sent), slots, Slot::Arrives(TRANSIT + ms * MS));
        }
    };
    assert_eq!(sent(late(170..171, 40)), GOOD);
    assert_eq!(sent(late(170..172, 40)), bad("pdv_ms.p999", 3.0));
    assert_eq!(sent(late(170..172, 28)), GOOD);
}

/// Lost at 4 s and late at 4 s is delay variation; lost at 3 s already is loss: a policer.
#[test]
fn of_what_began_in_one_second_delay_variation_is_named() {
    let both = |lost: usize| {
        move |truth: &mut Truth| {
            truth.set(first(Leg::Sent), lost..lost + 2, Slot::Lost);
            truth.set(first(Leg::Sent), 210..212, Slot::Arrives(TRANSIT + 40 * MS));
        }
    };
    assert_eq!(sent(both(220)), bad("pdv_ms.p999", 4.0));
    assert_eq!(sent(both(160)), bad("loss_percent", 3.0));
}

/// Two packets of 1000 past the buffer of 60 ms, where delay variation may be as it likes.
#[test]
fn packets_late_at_playout_count_by_themselves() {
    let late = |count: usize| {
        move |truth: &mut Truth| {
            truth.judgement.steps.pdv_p999_ms = 1000.0;
            let late = Slot::Arrives(TRANSIT + 61 * MS);
            truth.set(first(Leg::Sent), 110..110 + count, late);
        }
    };
    assert_eq!(sent(late(1)), GOOD);
    assert_eq!(sent(late(2)), bad("discarded_percent", 2.0));
}

/// Late by more than the buffer in three slots in a row is dead air, once however long; it may begin in one second and
/// go on in the next.
#[test]
fn late_slots_in_a_row_are_one_dead_air_event() {
    let mut truth = Truth::clean(6);
    let late = Slot::Arrives(TRANSIT + 61 * MS);
    truth.set(first(Leg::Sent), 144..148, late);
    truth.set(first(Leg::Sent), 200..202, late);
    assert_eq!(Stepped::one(truth).row().sent.dead_air_events, 1);
}

/// The guest's playout missed three slots: once is allowed in a short step, twice is too often.
#[test]
fn dead_air_is_allowed_once_in_a_short_step() {
    let missed = |slots: &[u32]| {
        let mut truth = Truth::clean(6);
        truth.miss_playout(slots);
        let receive = Stepped::one(truth).row().receive;
        (receive.outcome, receive.metric, receive.at_s)
    };
    assert_eq!(missed(&[100]), GOOD);
    assert_eq!(missed(&[110, 120]), bad("dead_air.events", 2.0));
    assert_eq!(
        missed(&[110, 160]),
        bad("dead_air.events", 5.0),
        "too often in no second by itself: the last"
    );
    assert_eq!(missed(&[10, 110]), GOOD, "the first second is left out");
}

/// The guest's playout missed three slots twice: with a sent leg that held, the receive leg is bad; with one that lost packets,
/// that says nothing of it, unless something else was amiss as well.
#[test]
fn what_an_overtaxed_guest_did_not_play_says_nothing_of_the_way_to_it() {
    let receive = |sent_lost: usize, lost: usize| {
        let mut truth = Truth::clean(6);
        truth.miss_playout(&[110, 120]);
        truth.set(first(Leg::Sent), 140..140 + sent_lost, Slot::Lost);
        truth.set(first(Leg::Receive), 200..200 + lost, Slot::Lost);
        let receive = Stepped::one(truth).row().receive;
        assert_eq!(receive.dead_air_events, 2 + u64::from(lost > 2));
        (receive.outcome, receive.metric, receive.at_s)
    };
    assert_eq!(receive(0, 0), bad("dead_air.events", 2.0));
    assert_eq!(receive(2, 0), (GuestLimited, None, None));
    assert_eq!(receive(2, 1), (GuestLimited, None, None));
    assert_eq!(receive(2, 3), bad("dead_air.events", 2.0));
}

/// Allowed 1514 octets a segment and acknowledged 1448 of each: 90 of 100 segments are the least.
#[test]
fn transfer_must_keep_nine_tenths_of_its_pace() {
    let paced = |segments: u64| {
        let mut truth = Truth::clean(6);
        truth.guest.extend((0..6).flat_map(|second| {
            let transferred = TransferSecond {
                second,
                allowed_octets: Some(151_400),
                acknowledged_octets: 1448 * if second == 4 { segments - 50 } else { segments },
                ..TransferSecond::default()
            };
            let sent = SentSecond {
                second,
                transfer_octets: 151_400,
                ..SentSecond::default()
            };
            [Fact::Transfers(transferred), Fact::Sent(sent)]
        }));
        Stepped::one(truth).row()
    };
    let row = paced(100);
    assert_eq!(row.sent.outcome, Good);
    // 4 x 100 and 50 of 500; 151,400 octets are 1.2112 Mbit/s.
    assert!((row.sent.transfer_goodput_percent.unwrap() - 90.0).abs() < 1e-9);
    assert!((row.sent.transfer_mbps.unwrap() - 1.2112).abs() < 1e-9);
    assert!((row.sent.offered_mbps.unwrap() - 1.5536).abs() < 1e-9);
    assert!((row.sent.carried_mbps.unwrap() - (0.3424 + 0.9 * 1.2112)).abs() < 1e-9);
    assert_eq!(row.receive.transfer_goodput_percent, None);
    let row = paced(99);
    assert_eq!((row.sent.outcome, row.receive.outcome), (Bad, Good));
    let metric = row.sent.metric.as_deref();
    assert_eq!(
        (metric, row.sent.at_s),
        (Some("transfer.goodput_percent"), Some(4.0))
    );
}

/// 50 ticks a second that came too late, of 214 octets each: 0.0856 Mbit/s beside the 0.3424 that were sent.
#[test]
fn what_an_overloaded_guest_left_out_was_offered() {
    let mut truth = Truth::clean(6);
    truth.guest.extend((0..6).map(|second| {
        Fact::Pacing(PacingSecond {
            second,
            planned: 50,
            not_sent: 50,
            ..PacingSecond::default()
        })
    }));
    let row = Stepped::one(truth).row();
    assert!((row.sent.offered_mbps.unwrap() - 0.428).abs() < 1e-9);
    assert!((row.sent.carried_mbps.unwrap() - 0.3424).abs() < 1e-9);
    assert!((row.receive.offered_mbps.unwrap() - 0.3424).abs() < 1e-9);
}

/// Losses in a second that the tester spoilt are left out; with three of five seconds spoilt nothing is said.
#[test]
fn seconds_that_the_tester_spoilt_are_left_out() {
    let spoilt = |seconds: std::ops::Range<u32>| {
        move |truth: &mut Truth| {
            truth.set(first(Leg::Sent), 110..130, Slot::Lost);
            seconds.for_each(|second| {
                truth.stall(End::Tester, second);
            });
        }
    };
    assert_eq!(sent(spoilt(4..5)), bad("loss_percent", 2.0));
    assert_eq!(sent(spoilt(2..3)), GOOD);
    assert_eq!(sent(spoilt(2..5)), (Tainted, None, None));
    assert_eq!(sent(spoilt(0..1)).0, Bad, "a first second spoils nothing");
    let guest = |named: bool| {
        move |truth: &mut Truth| {
            truth.guest_named = named;
            (2..5).for_each(|second| {
                truth.stall(End::Guest, second);
            });
        }
    };
    assert_eq!(sent(guest(true)), GOOD);
    assert_eq!(sent(guest(false)), (Tainted, None, None));
}

/// The guest's word on the receive leg does not come; the tester hears the sent leg itself.
#[test]
fn a_leg_of_which_its_receiver_told_nothing_is_not_measured() {
    let stepped = Stepped::one(Truth::clean(6));
    let mut evidence = Evidence::default();
    evidence.absorb(End::Tester, &stepped.opened(End::Tester));
    for fact in stepped.facts_of(0, End::Tester) {
        evidence.absorb(End::Tester, &fact);
    }
    let outcomes = evidence.outcomes(0, &stepped.judgement);
    assert_eq!(outcomes, Some([NotMeasured, Good]));
    assert!(!evidence.is_complete(0));
    let row = evidence.row(0, &stepped.judgement).unwrap();
    assert_eq!(
        (row.receive.carried_mbps, row.receive.loss_percent),
        (None, None)
    );
    assert!((row.receive.offered_mbps.unwrap() - 0.3424).abs() < 1e-9);
    assert_eq!(row.sent.offered_mbps, None, "by the guest's word only");
    assert_eq!(evidence.outcomes(1, &stepped.judgement), None);
}

/// The guest's word is cut off: what its leg lost between packets that came is known to the tester alone. That nothing came
/// says nothing, where nobody said that anything was sent.
#[test]
fn a_sender_that_is_silent_hides_no_loss() {
    let outcome = |slots: std::ops::Range<usize>| {
        let mut truth = Truth::clean(6);
        for (_, sent) in truth.slots.iter_mut().filter(|(id, _)| id.leg == Leg::Sent) {
            sent[slots.clone()].fill(Slot::Lost);
        }
        let mut stepped = Stepped::one(truth);
        stepped.silent = vec![0];
        let row = stepped.row();
        (row.sent.outcome, row.sent.metric, row.sent.at_s)
    };
    assert_eq!(outcome(120..122), bad("loss_percent", 2.0));
    assert_eq!(outcome(0..300), (NotMeasured, None, None));
}

/// Live, step by step, and from the logs, one end after the other.
#[test]
fn the_logs_say_what_the_run_said() {
    let mut queue = Truth::clean(6);
    queue.each_transit(Leg::Sent, |slot| {
        TRANSIT + 2 * MS * i64::try_from(slot).unwrap()
    });
    let mut lossy = Truth::clean(6);
    lossy.set(first(Leg::Receive), 45..52, Slot::Lost);
    lossy.set(first(Leg::Sent), 0..52, Slot::Lost);
    lossy.set(first(Leg::Sent), 290..300, Slot::Lost);
    let loads = [(40_000, Truth::clean(6)), (50_000, lossy), (60_000, queue)];
    let stepped = Stepped::search(&loads);
    let measured = stepped.measure();
    assert_eq!(measured.steps.len(), 3);
    assert_eq!(measured.steps, stepped.evidence().rows(&stepped.judgement));
    let outcomes: Vec<_> = measured
        .steps
        .iter()
        .map(|step| (step.receive.outcome, step.sent.outcome))
        .collect();
    assert_eq!(outcomes, [(Good, Good), (Bad, Bad), (Good, Bad)]);
}
