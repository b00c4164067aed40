//! Where streams lie and what is counted of them when an end's word is missing; clocks; what a run without an opening
//! is judged by.

use super::counting::close;
use super::rich::{Facts, facts_of, measure};
use super::truth::{CALLS, ENDS, Slot, TRANSIT, Truth, first};
use crate::measured::StreamRow;
use crate::scorer::score;
use milliwatt_wire::facts::{DeadCause, Fact, HostSecond};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::convert::Infallible;

fn row(facts: &Facts, leg: Leg) -> Option<StreamRow> {
    let run = measure(facts, None);
    run.streams.into_iter().find(|row| row.stream == first(leg))
}

/// What a sender tells of the first stream of a leg.
fn is_sender_s(fact: &Fact, leg: Leg) -> bool {
    match fact {
        Fact::StreamStarted { stream, .. } => *stream == first(leg),
        Fact::Ledger(ledger) => ledger.stream == first(leg),
        _ => false,
    }
}

/// Its first 100 packets are lost, so it was first heard of in second 2: its slot 0 lies 100 slots before.
#[test]
fn a_stream_whose_sender_s_word_never_came_lies_where_it_was_heard() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 0..100, Slot::Lost);
    truth.set(first(Leg::Sent), 150..155, Slot::Lost);
    let mut facts = facts_of(&truth);
    facts.retain(|(_, fact)| !is_sender_s(fact, Leg::Sent));
    let run = measure(&facts, None);
    assert_eq!(run.legs.sent.expected_from, "sequence-numbers");
    let dead: Vec<_> = run
        .events
        .iter()
        .map(|event| (event.at_s, event.duration_ms))
        .collect();
    assert_eq!(dead, [(0.0, Some(2000.0)), (3.0, Some(100.0))]);
    let row = row(&facts, Leg::Sent).unwrap();
    assert_eq!((row.start_s, row.ssrc), (None, None));
    assert_eq!((row.expected, row.received, row.lost), (500, 395, 105));
}

/// It is first heard of in second 3, nothing before it was lost: so it began then.
#[test]
fn a_stream_that_was_heard_late_began_late() {
    let mut truth = Truth::clean(10);
    let slots = truth.slots.get_mut(&first(Leg::Sent)).unwrap();
    slots.fill(Slot::Arrives(TRANSIT + 3 * NS_PER_SECOND));
    slots[150..155].fill(Slot::Lost);
    let mut facts = facts_of(&truth);
    facts.retain(|(_, fact)| !is_sender_s(fact, Leg::Sent));
    assert_eq!(measure(&facts, None).events[0].at_s.to_string(), "6");
}

/// Its first 3 packets are lost and it is heard in second 0: it cannot have begun before the run.
#[test]
fn no_stream_begins_before_the_run() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 0..3, Slot::Lost);
    let mut facts = facts_of(&truth);
    facts.retain(|(_, fact)| !is_sender_s(fact, Leg::Sent));
    assert_eq!(measure(&facts, None).events[0].at_s.to_string(), "0");
}

/// The receiver's last word on the first stream of a leg is missing, and with `seconds` all that it told of it.
fn without_receiver_s_word(truth: &Truth, seconds: bool) -> Facts {
    let mut facts = facts_of(truth);
    facts.retain(|(_, fact)| match fact {
        Fact::StreamEnd(end) => end.stream != first(Leg::Receive),
        Fact::StreamSecond(second) => !seconds || second.stream != first(Leg::Receive),
        _ => true,
    });
    facts
}

#[test]
fn a_stream_that_a_receiver_to_its_end_never_mentions_did_not_arrive() {
    let facts = without_receiver_s_word(&Truth::clean(10), true);
    let lost = row(&facts, Leg::Receive).unwrap();
    assert_eq!((lost.expected, lost.received, lost.lost), (500, 0, 500));
    let killed = Truth {
        killed: Some(End::Guest),
        ..Truth::clean(10)
    };
    let facts = without_receiver_s_word(&killed, true);
    assert_eq!(row(&facts, Leg::Receive), None, "who knows");
}

/// Lost inside, late, copied and reordered: all as the seconds and runs told until then.
#[test]
fn a_stream_without_a_last_word_counts_what_its_seconds_told() {
    let mut truth = Truth::clean(10);
    truth
        .set(first(Leg::Receive), 100..103, Slot::Lost)
        .set(
            first(Leg::Receive),
            200..204,
            Slot::Arrives(TRANSIT + 80_000_000),
        )
        .set(first(Leg::Receive), 300..305, Slot::NotSent);
    let mut facts = without_receiver_s_word(&truth, false);
    facts.retain(|(_, fact)| !is_sender_s(fact, Leg::Receive));
    for (_, fact) in &mut facts {
        match fact {
            Fact::StreamSecond(told) if told.stream == first(Leg::Receive) => {
                told.duplicates = u32::from(told.second < 3);
                told.reordered = 2 * u32::from(told.second < 2);
            }
            _ => {}
        }
    }
    let row = row(&facts, Leg::Receive).unwrap();
    assert_eq!((row.expected, row.received, row.lost), (495, 492, 3));
    assert_eq!(
        (row.discarded, row.duplicated, row.reordered, row.not_sent),
        (4, 3, 4, 5)
    );
}

/// More arrived than the ledger says: the sender was cut off before it told of all.
#[test]
fn more_is_expected_than_the_ledger_says_when_more_was_seen() {
    let mut facts = facts_of(&Truth::clean(10));
    for (_, fact) in &mut facts {
        match fact {
            Fact::Ledger(ledger) if ledger.stream == first(Leg::Sent) => ledger.sent = 480,
            _ => {}
        }
    }
    let row = row(&facts, Leg::Sent).unwrap();
    assert_eq!((row.expected, row.received, row.lost), (500, 500, 0));
}

/// All of 500 lost or late counts as all, not as more.
#[test]
fn a_stream_can_lose_no_more_than_all() {
    let mut facts = facts_of(&Truth::clean(10));
    for (_, fact) in &mut facts {
        match fact {
            Fact::StreamEnd(end) if end.stream == first(Leg::Sent) => end.discarded = 900,
            _ => {}
        }
    }
    let mos = row(&facts, Leg::Sent).unwrap().mos_lq;
    close(mos, crate::emodel::mos_lq(100.0, 1.0));
}

/// Without an opening a buffer of 60 ms and dead air of 60 ms, 3 slots, hold: what every scenario has by itself.
#[test]
fn without_an_opening_the_buffer_and_dead_air_are_those_of_every_scenario() {
    let mut truth = Truth::clean(10);
    let late = |ms: i64| Slot::Arrives(TRANSIT + ms * 1_000_000);
    truth
        .set(first(Leg::Sent), 100..102, Slot::Lost)
        .set(first(Leg::Sent), 150..153, Slot::Lost)
        .set(first(Leg::Sent), 200..203, late(60))
        .set(first(Leg::Sent), 250..253, late(61));
    let mut facts = facts_of(&truth);
    facts.retain(|(_, fact)| !matches!(fact, Fact::Opened { .. }));
    let run = measure(&facts, None);
    let events: Vec<_> = run
        .events
        .iter()
        .map(|event| (event.at_s, event.cause))
        .collect();
    assert_eq!(
        events,
        [(3.0, Some(DeadCause::Lost)), (5.0, Some(DeadCause::Late))]
    );
    assert!(run.validity.reasons[0].contains("facts are missing"));
    assert!(!run.clock.same_clock);
    let untold = (run.recordings.weight_bits_per_second, run.host.real_time);
    assert_eq!(untold, (None, None));
}

/// (Round trip, offset) of the nearest of exchanges, each (t1, t2, t3, t4) in us.
fn nearest(exchanges: &[[i64; 4]]) -> (Option<f64>, Option<f64>) {
    let mut truth = Truth::clean(4);
    truth.tester = exchanges
        .iter()
        .map(|exchange| {
            let [t1, t2, t3, t4] = exchange.map(|us| RunTime(us * 1000));
            Fact::Clock { t1, t2, t3, t4 }
        })
        .collect();
    let clock = truth.measure().clock;
    (clock.round_trip_min_ms, clock.offset_ms)
}

#[test]
fn the_first_exchange_with_the_least_round_trip_that_can_be_tells_the_offset() {
    assert_eq!(nearest(&[]), (None, None));
    let (far, near) = ([0, 9000, 9000, 8000], [0, 3000, 3000, 2000]);
    // Offsets: (9 + 1) / 2, (3 + 1) / 2.
    assert_eq!(nearest(&[far, near]), (Some(2.0), Some(2.0)));
    assert_eq!(nearest(&[near, far]), (Some(2.0), Some(2.0)));
    assert_eq!(
        nearest(&[near, [0, 7000, 7000, 2000]]),
        (Some(2.0), Some(2.0)),
        "of equals the first"
    );
    assert_eq!(
        nearest(&[[0, 7000, 9500, 2000], near]),
        (Some(2.0), Some(2.0)),
        "the guest cannot hold it for longer than it was away"
    );
    assert_eq!(nearest(&[near, [0, 5000, 5000, 0]]), (Some(0.0), Some(5.0)));
}

/// Rows end with the last second that either end told of or that a packet came in, and at 48 h.
#[test]
fn rows_end_where_facts_end_and_at_48_h() {
    let rows = |second| {
        let mut truth = Truth::clean(4);
        truth.guest.push(Fact::Host(HostSecond {
            second,
            ..HostSecond::default()
        }));
        truth.measure().seconds.len()
    };
    assert_eq!((rows(2), rows(6)), (2 * 4, 2 * 7));
    assert_eq!(rows(4_000_000_000), 2 * 172_801);
    let mut late = Truth::clean(4);
    late.each_transit(Leg::Sent, |_| 5_500_000_000);
    // Slot 199 is due at 3.98 s and comes at 9.48.
    assert_eq!(late.measure().seconds.len(), 2 * 10);
}

/// The tester's clock is ahead more by 100 us each second: the least transit of all is the last.
#[test]
fn a_skew_that_shortens_transit_is_no_delay_variation() {
    let mut truth = Truth::clean(120);
    truth.same_clock = false;
    truth.each_transit(Leg::Receive, |slot| {
        TRANSIT + 12_000_000 - i64::try_from(slot).unwrap() / 50 * 100_000
    });
    let run = truth.measure();
    close(run.clock.skew_ppm, -100.0);
    close(run.legs.receive.pdv_ms.max, 0.0);
}

/// Two times where nothing is to be taken off transits, three where clocks run apart.
#[test]
fn facts_are_read_no_more_often_than_needed() {
    let readings = |truth: &Truth| {
        let mut readings = 0;
        let Ok(_) = score(None, |take| {
            readings += 1;
            truth.tell(ENDS, take);
            Ok::<_, Infallible>(())
        });
        readings
    };
    let mut truth = Truth::clean(90);
    assert_eq!(readings(&truth), 2);
    truth.same_clock = false;
    truth.each_transit(Leg::Sent, |slot| {
        TRANSIT + i64::try_from(slot).unwrap() / 50 * 100_000
    });
    assert_eq!(readings(&truth), 3);
}

#[test]
fn calls_and_phases_of_a_run_without_full_load() {
    use milliwatt_wire::facts::Phase;
    let run = Truth::clean(2).measure();
    let phases: Vec<Phase> = run.seconds.iter().map(|row| row.phase).collect();
    assert_eq!(
        phases,
        [Phase::Ramp, Phase::Ramp, Phase::Drain, Phase::Drain]
    );
    assert_eq!(run.calls.started, u64::from(CALLS));
    assert!(run.histograms.is_empty() && run.pdv_curves.iter().all(Vec::is_empty));
}
