//! What lies at the edge: streams without packets, seconds without any, what nobody told.

use super::counting::close;
use super::rich::{facts_of, measure, rich};
use super::truth::{Slot, TRANSIT, Truth, first};
use crate::measured::{LegMeasured, Outcome};
use crate::percentile::Percentile;
use crate::scorer::end::{lateness_of, lateness_us};
use milliwatt_wire::facts::{
    Fact, HostSecond, Ledger, PacingSecond, Scale, StreamEnd, StreamSecond,
};
use milliwatt_wire::id::{CallId, End, Leg, Party, StreamId};

/// The receive leg of a clean run with its first stream changed, and each stream's last word.
fn receive(slots: Slot, change: impl Fn(&mut StreamEnd)) -> LegMeasured {
    let mut truth = Truth::clean(4);
    truth.set(first(Leg::Receive), 0..200, slots);
    let mut facts = facts_of(&truth);
    for (_, fact) in &mut facts {
        match fact {
            Fact::StreamEnd(end) if end.stream.leg == Leg::Receive => change(end),
            _ => {}
        }
    }
    measure(&facts, None).legs.receive
}

#[test]
fn the_marking_that_arrived_is_told_when_all_streams_that_arrived_agree() {
    let arrives = Slot::Arrives(TRANSIT);
    let first_has = |dscp| {
        move |end: &mut StreamEnd| {
            if end.stream == first(Leg::Receive) {
                end.dscp = dscp;
            }
        }
    };
    assert_eq!(receive(arrives, |_| ()).dscp_arrived, Some(46));
    assert_eq!(receive(arrives, first_has(Some(0))).dscp_arrived, None);
    // A stream of less than a second may be over before its port is asked.
    assert_eq!(receive(arrives, first_has(None)).dscp_arrived, Some(46));
    // A stream of which nothing arrived says nothing of its marking.
    assert_eq!(receive(Slot::Lost, first_has(None)).dscp_arrived, Some(46));
}

#[test]
fn a_stream_none_of_whose_packets_was_sent_is_no_stream_expected() {
    let leg = receive(Slot::NotSent, |_| ());
    assert_eq!(
        (leg.streams, leg.packets_expected, leg.packets_not_sent),
        (3, 600, 200)
    );
    assert_eq!(
        (leg.dead_air.events, leg.dead_air.longest_ms),
        (1, Some(4000.0))
    );
    // 200 slots of silence are a part of the 800 that the calls lasted.
    close(leg.dead_air.per_1000_call_minutes, 3_000_000.0 / 800.0);
}

/// As of a call that ended before its first slot.
#[test]
fn a_stream_without_a_slot_is_no_row() {
    let id = StreamId {
        call: CallId(9),
        party: Party::A,
        leg: Leg::Sent,
    };
    let mut truth = Truth::clean(4);
    truth.guest.push(Fact::Ledger(Ledger {
        stream: id,
        sent: 0,
        not_sent: 0,
        refused: 0,
    }));
    let run = truth.measure();
    assert_eq!((run.streams.len(), run.legs.sent.streams), (8, 4));
    truth.set(first(Leg::Sent), 0..200, Slot::NotSent);
    assert_eq!(
        truth.measure().streams.len(),
        8,
        "slots not sent are told of"
    );
}

/// Seconds of dead air in the rich run: 4.9 to 5.2 s touches the tainted second 5, 4.94 to 5.0 s does not.
#[test]
fn dead_air_touches_the_seconds_it_lasts_in_and_no_other() {
    let run = measure(&rich(), None);
    let dead: Vec<(f64, bool)> = run
        .events
        .iter()
        .filter(|event| event.kind == "dead-air" && event.stream.unwrap().leg == Leg::Sent)
        .map(|event| (event.at_s, event.tainted))
        .collect();
    let at = [0.2, 2.0, 3.0, 3.4, 4.9, 4.94];
    assert_eq!(dead, at.map(|at_s| (at_s, (at_s - 4.9_f64).abs() < 1e-9)));
    let long = run
        .thresholds
        .iter()
        .find(|result| result.metric == "dead_air.events_200ms" && result.leg == Some(Leg::Sent))
        .unwrap();
    assert_eq!(
        (long.measured, long.outcome, long.outcome_without_tainted),
        (Some(2.0), Outcome::Fail, Outcome::Fail),
        "the 200 ms at 3.0 s are left"
    );
}

/// 16 s of full load with 200 slots each are 3200 packet times, 150 of them not sent: a minute is 3000.
#[test]
fn minutes_of_a_call_leg_count_the_slots_that_were_not_sent() {
    let mut truth = Truth::clean(18);
    truth.set(first(Leg::Sent), 100..250, Slot::NotSent);
    let run = truth.measure();
    let note = |leg| {
        let mut results = run.thresholds.iter();
        let result = results.find(|r| r.metric == "dead_air.events" && r.leg == Some(leg));
        result.unwrap().note.clone().unwrap()
    };
    assert_eq!(note(Leg::Sent), "1 per 1000 call-minutes begun, of 2");
    assert_eq!(note(Leg::Receive), "1 per 1000 call-minutes begun, of 2");
}

/// The guest sends the leg and never said what: 50 a second of each stream were seen or are known to be lost.
#[test]
fn without_the_sender_s_word_those_are_expected_that_are_known_of() {
    let mut truth = Truth::clean(4);
    truth.set(first(Leg::Sent), 105..115, Slot::Lost);
    let mut facts = facts_of(&truth);
    facts.retain(|(end, fact)| *end == End::Tester || !matches!(fact, Fact::Sent(_)));
    let run = measure(&facts, None);
    let row = |leg| {
        run.seconds
            .iter()
            .find(|row| (row.second, row.leg) == (2, leg))
    };
    let sent = row(Leg::Sent).unwrap();
    assert_eq!((sent.expected, sent.received, sent.lost), (200, 190, 10));
    assert_eq!((sent.mbps, run.legs.sent.mbps.mean), (None, None));
}

/// A second of nothing but copies has no transit: whatever is told of it moves no line and no reference.
#[test]
fn copies_alone_have_no_transit() {
    let mut truth = Truth::clean(120);
    truth.same_clock = false;
    truth.each_transit(Leg::Receive, |slot| {
        TRANSIT + i64::try_from(slot).unwrap() / 50 * 100_000
    });
    let mut copies = truth.facts(End::Guest);
    copies.retain(|fact| matches!(fact, Fact::StreamSecond(told) if told.second == 60));
    truth
        .guest
        .extend(copies.into_iter().take(1).map(|fact| match fact {
            Fact::StreamSecond(told) => Fact::StreamSecond(StreamSecond {
                packets: 0,
                duplicates: 3,
                transit_min: -900_000_000,
                transit_max: 900_000_000,
                interarrival_jitter_sum: 0,
                interarrival_jitter_count: 0,
                interarrival_jitter_max: 0,
                pdv: Vec::new(),
                ..told
            }),
            other => other,
        }));
    for same_clock in [false, true] {
        truth.same_clock = same_clock;
        let run = truth.measure();
        close(run.clock.skew_ppm, if same_clock { 0.0 } else { 100.0 });
        // On one clock the drift is delay: 0.1 ms a second for 118 s, to the last of full load.
        let most = if same_clock { 11.8 } else { 0.0 };
        close(run.legs.receive.pdv_ms.max, most);
        let row = run
            .seconds
            .iter()
            .find(|row| (row.second, row.leg) == (60, Leg::Receive));
        assert_eq!(
            row.map(|row| (row.received, row.duplicated)),
            Some((200, 3))
        );
    }
}

/// Of one packet there is no J: none is measured, rather than 0, and the other streams' mean is theirs.
#[test]
fn a_stream_of_one_packet_has_no_jitter() {
    let mut truth = Truth::clean(4);
    truth.set(first(Leg::Sent), 0..200, Slot::NotSent);
    truth.set(first(Leg::Sent), 120..121, Slot::Arrives(TRANSIT));
    let mut facts = facts_of(&truth);
    for (_, fact) in &mut facts {
        match fact {
            Fact::StreamSecond(told) if told.stream == first(Leg::Sent) => {
                told.interarrival_jitter_count = 0;
                told.interarrival_jitter_sum = 0;
                told.interarrival_jitter_max = 0;
            }
            _ => {}
        }
    }
    let run = measure(&facts, None);
    let row = run
        .streams
        .iter()
        .find(|row| row.stream == first(Leg::Sent))
        .unwrap();
    assert_eq!(
        (
            row.interarrival_jitter_mean_ms,
            row.interarrival_jitter_max_ms
        ),
        (None, None)
    );
    assert_eq!(row.received, 1);
    close(run.legs.sent.interarrival_jitter_ms.mean, 0.05);
}

fn told(counts: &[(i64, u32)], lateness_max: i64) -> PacingSecond {
    PacingSecond {
        lateness: counts
            .iter()
            .map(|(ns, count)| (Scale::LEG.bucket(*ns), *count))
            .collect(),
        lateness_max,
        ..PacingSecond::default()
    }
}

#[test]
fn lateness_of_a_second_is_what_was_told_and_nothing_where_nothing_was() {
    let nothing = lateness_of(&told(&[], 0));
    assert_eq!((nothing.total(), nothing.max()), (0, None));
    let unsent = lateness_of(&told(&[], 45_000_000));
    assert_eq!(
        (unsent.total(), unsent.max()),
        (0, Some(45_000_000)),
        "the slot that was not sent"
    );
    let punctual = lateness_of(&told(&[(0, 5)], 0));
    assert_eq!(
        (punctual.percentile(Percentile::P50), punctual.max()),
        (Some(0), Some(0)),
        "no value is larger than the largest"
    );
    // 98, 1 and 1: ranks 50, 99 and 100.
    let second = told(&[(100_000, 98), (1_000_000, 1), (3_000_000, 1)], 3_050_000);
    let us = lateness_us(&lateness_of(&second));
    close(us.p50, 100.0);
    close(us.p99, 1008.0);
    close(us.p999, 3008.0);
    close(us.max, 3050.0);
}

/// The counters begin at nothing; where nothing is told of a second nothing is known of it.
#[test]
fn counters_of_a_host_rise_from_the_second_told_before() {
    let mut end = crate::scorer::end::EndRecord::default();
    for (second, socket_drops) in [(2, 4), (5, 9), (6, 9), (7, 3)] {
        end.absorb(&Fact::Host(HostSecond {
            second,
            socket_drops,
            ..HostSecond::default()
        }));
    }
    let rise = |second| end.rise(second, |host| host.socket_drops);
    let rises = [2, 4, 5, 6, 7].map(rise);
    assert_eq!(rises, [Some(4), None, Some(5), Some(0), Some(0)]);
    assert_eq!((end.socket_drops(), end.reported()), (Some(9), Some(7)));
}
