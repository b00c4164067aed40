//! Counts, dead air, delay variation: exact numbers from slots laid down by hand.

use super::truth::{ENDS, Slot, TRANSIT, Truth, first, judge, stream};
use crate::emodel;
use crate::measured::{DeadAir, Verdict};
use milliwatt_wire::facts::{DeadCause, Fact};
use milliwatt_wire::id::{End, Leg, Party};
use milliwatt_wire::load::{Codec, Fill};

/// Streams a leg times packets a stream in ten seconds.
const PACKETS: u64 = 4 * 500;

#[track_caller]
pub(super) fn close(measured: Option<f64>, expected: f64) {
    let measured = measured.expect("measured");
    assert!(
        (measured - expected).abs() < 1e-6,
        "{measured} is not {expected}"
    );
}

#[test]
fn a_clean_run_passes_with_exact_rates() {
    let run = Truth::clean(10).measure();
    assert_eq!(
        run.verdict,
        Verdict::Pass,
        "{:?} {:?}",
        run.validity.reasons,
        run.thresholds
    );
    assert!(!run.partial);
    assert_eq!(run.full_load, Some((1, 9)));
    for leg in Leg::BOTH.map(|leg| run.legs.get(leg)) {
        assert_eq!(
            (leg.packets_expected, leg.packets_received, leg.packets_lost),
            (PACKETS, PACKETS, 0)
        );
        assert_eq!(
            (leg.streams, leg.expected_from.as_str(), leg.dscp_arrived),
            (4, "ledger", Some(46))
        );
        close(leg.mbps.mean, 4.0 * 50.0 * 214.0 * 8.0 / 1e6);
        close(leg.mbps.max, 0.3424);
        close(leg.transfer_mbps, 0.0);
        close(leg.interarrival_jitter_ms.mean, 0.05);
        close(leg.interarrival_jitter_ms.max, 0.08);
        close(leg.pdv_ms.p999, 0.0);
        close(leg.mos_lq.min, emodel::mos_lq(0.0, 1.0));
        assert_eq!(
            leg.dead_air,
            DeadAir {
                per_1000_call_minutes: Some(0.0),
                ..DeadAir::default()
            }
        );
    }
    assert_eq!(run.seconds.len(), 20);
    assert_eq!(run.seconds[2].calls, 2);
    close(run.document[0].measured, 4.0 * 50.0 * 214.0 / 1e6);
    close(run.document[3].measured, 25.0);
    assert_eq!(run.document[2].measured, None, "no recording was scored");
}

#[test]
fn losses_inside_at_the_head_and_at_the_tail_are_all_counted_and_placed() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 0..2, Slot::Lost);
    truth.set(first(Leg::Sent), 120..123, Slot::Lost);
    truth.set(first(Leg::Sent), 496..500, Slot::Lost);
    let run = truth.measure();
    let leg = &run.legs.sent;
    assert_eq!(
        (leg.packets_expected, leg.packets_received, leg.packets_lost),
        (PACKETS, PACKETS - 9, 9)
    );
    close(leg.loss_percent, 100.0 * 9.0 / 2000.0);
    let placed: Vec<(u32, u64)> = run
        .seconds
        .iter()
        .filter(|row| row.leg == Leg::Sent && row.lost > 0)
        .map(|row| (row.second, row.lost))
        .collect();
    assert_eq!(placed, [(0, 2), (2, 3), (9, 4)]);
    let dead: Vec<(f64, f64, DeadCause)> = run
        .events
        .iter()
        .filter(|event| event.kind == "dead-air")
        .map(|event| (event.at_s, event.duration_ms.unwrap(), event.cause.unwrap()))
        .collect();
    assert_eq!(
        dead,
        [(2.4, 60.0, DeadCause::Lost), (9.92, 80.0, DeadCause::Lost)],
        "40 ms at the head is no event"
    );
    assert_eq!(run.legs.receive.packets_lost, 0);
    let row = run
        .streams
        .iter()
        .find(|row| row.stream == first(Leg::Sent))
        .unwrap();
    // 9 lost in runs of 2, 3 and 4: mean 3 times (1 - 9/500).
    close(row.mos_lq, emodel::mos_lq(1.8, 3.0 * (1.0 - 0.018)));
}

/// 5 single losses of 500 packets are 1 %, and a burst ratio of 1: `Ie,eff` = 95 / (1 + Bpl), R = 93.3553 - `Ie,eff`. With concealment
/// (Bpl 25.1) that is 89.7155 and a MOS of 4.3320, without (Bpl 4.3) 75.4308 and 3.8403. Of G.722 nothing is said.
#[test]
fn a_phone_without_concealment_is_rated_as_one() {
    for (codec, rated_fill, expected) in [
        (Codec::Pcmu, Fill::G711AppendixI, Some(4.3320)),
        (Codec::Pcmu, Fill::Silence, Some(3.8403)),
        (Codec::G722, Fill::G711AppendixI, None),
    ] {
        let mut truth = Truth::clean(10);
        for slot in [50, 150, 250, 350, 450] {
            truth.set(first(Leg::Receive), slot..slot + 1, Slot::Lost);
        }
        let run = judge(None, |take| {
            truth.tell(ENDS, &mut |end, fact| {
                let mut fact = fact.clone();
                if let Fact::Opened { load, .. } = &mut fact {
                    (load.codec, load.rated_fill) = (codec, rated_fill);
                }
                take(end, &fact);
            });
        });
        let mos = run.legs.receive.mos_lq.min;
        let apart = mos
            .zip(expected)
            .map_or(0.0, |(mos, expected)| mos - expected);
        assert_eq!(mos.is_some(), expected.is_some(), "{codec:?}");
        assert!(apart.abs() < 6e-5, "{codec:?}, {rated_fill:?}: {mos:?}");
    }
}

#[test]
fn a_stream_that_never_arrived_is_lost_whole() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Receive), 0..500, Slot::Lost);
    let leg = truth.measure().legs.receive;
    assert_eq!((leg.packets_expected, leg.packets_lost), (PACKETS, 500));
    assert_eq!(
        (leg.dead_air.events, leg.dead_air.longest_ms),
        (1, Some(10_000.0))
    );
}

#[test]
fn late_packets_are_discarded_not_lost() {
    let mut truth = Truth::clean(10);
    truth.set(
        first(Leg::Sent),
        200..205,
        Slot::Arrives(TRANSIT + 80_000_000),
    );
    let leg = truth.measure().legs.sent;
    assert_eq!((leg.packets_lost, leg.packets_discarded), (0, 5));
    assert_eq!(
        (leg.dead_air.events, leg.dead_air.longest_ms),
        (1, Some(100.0))
    );
    close(leg.pdv_ms.max, 80.0);
}

#[test]
fn lateness_within_the_buffer_is_no_dead_air() {
    let mut truth = Truth::clean(10);
    truth.set(
        first(Leg::Sent),
        200..205,
        Slot::Arrives(TRANSIT + 60_000_000),
    );
    let leg = truth.measure().legs.sent;
    assert_eq!((leg.packets_discarded, leg.dead_air.events), (0, 0));
}

#[test]
fn slots_not_sent_count_once_though_both_ends_tell_of_them() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 200..204, Slot::NotSent);
    let run = truth.measure();
    let leg = &run.legs.sent;
    assert_eq!(
        (leg.packets_expected, leg.packets_lost, leg.packets_not_sent),
        (PACKETS - 4, 0, 4)
    );
    assert_eq!(
        (
            leg.dead_air.events,
            leg.dead_air.total_ms.to_string().as_str()
        ),
        (1, "80")
    );
    assert_eq!(run.events[0].cause, Some(DeadCause::NotSent));
}

#[test]
fn tail_lost_after_slots_not_sent_lies_where_packets_were_sent() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 490..495, Slot::NotSent);
    truth.set(first(Leg::Sent), 495..500, Slot::Lost);
    let run = truth.measure();
    assert_eq!(
        (run.legs.sent.packets_lost, run.legs.sent.packets_not_sent),
        (5, 5)
    );
    assert_eq!(run.events.len(), 1, "one unbroken run");
    close(run.events[0].duration_ms, 200.0);
}

#[test]
fn a_guest_that_stood_still_is_dead_air_on_the_receive_leg() {
    let mut truth = Truth::clean(10);
    let stalled = stream(1, Party::B, Leg::Receive);
    truth.guest.push(Fact::DeadSlots {
        stream: stalled,
        cause: DeadCause::GuestPlayout,
        first_slot: 100,
        slots: 35,
    });
    let run = truth.measure();
    let dead_air = run.legs.receive.dead_air;
    assert_eq!(
        (dead_air.events, dead_air.events_200ms, dead_air.longest_ms),
        (1, 1, Some(700.0))
    );
    assert_eq!(
        (dead_air.streams_affected, run.legs.receive.packets_lost),
        (1, 0)
    );
    assert_eq!(run.events[0].cause, Some(DeadCause::GuestPlayout));
    // One event in 4 streams of 10 s: 40 s of call leg.
    close(dead_air.per_1000_call_minutes, 1000.0 / (40.0 / 60.0));
    assert_eq!(
        (run.verdict, run.legs.sent.dead_air.events),
        (Verdict::Fail, 0)
    );
}

#[test]
fn dead_air_is_spread_over_the_seconds_it_covers() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 145..155, Slot::Lost);
    let run = truth.measure();
    let rows = run
        .seconds
        .iter()
        .filter(|row| row.leg == Leg::Sent && row.dead_air_ms > 0.0);
    let placed: Vec<(u32, f64, u64)> = rows
        .map(|row| (row.second, row.dead_air_ms, row.dead_air_events))
        .collect();
    assert_eq!(placed, [(2, 100.0, 1), (3, 100.0, 0)]);
}

#[test]
fn a_skew_of_100_ppm_is_no_delay_variation() {
    let mut truth = Truth::clean(120);
    truth.same_clock = false;
    truth.each_transit(Leg::Receive, |slot| {
        TRANSIT + i64::try_from(slot).unwrap() / 50 * 100_000
    });
    let run = truth.measure();
    close(run.clock.skew_ppm, 100.0);
    close(run.legs.receive.pdv_ms.max, 0.0);
    let unaided = Truth {
        same_clock: true,
        ..truth
    }
    .measure();
    close(unaided.legs.receive.pdv_ms.max, 118.0 * 0.1);
}

/// 100 ppm for two minutes, then -50 ppm for two: 12 ms up, 6 ms down, and no variation of delay.
#[test]
fn a_skew_that_changes_is_no_delay_variation_and_is_told() {
    let mut truth = Truth::clean(240);
    truth.same_clock = false;
    truth.each_transit(Leg::Receive, |slot| {
        let second = i64::try_from(slot).unwrap() / 50;
        TRANSIT + second.min(120) * 100_000 - (second - 120).max(0) * 50_000
    });
    let run = truth.measure();
    close(run.legs.receive.pdv_ms.max, 0.0);
    close(run.clock.skew_ppm, 100.0);
    let change = run.clock.skew_change.unwrap();
    close(Some(change.at_s), 120.0);
    close(Some(change.ppm), -50.0);
    close(Some(change.step_ms), 0.0);
    let told = run
        .notes
        .iter()
        .any(|note| note.contains("+100.0 ppm until second 120 and by -50.0 ppm"));
    assert!(told, "{:?}", run.notes);
    assert!(!run.notes.iter().any(|note| note.contains("stepped")));
}

/// 20 ppm all the time; from second 150 on 10 ms more, as after a step of a clock or with a queue that stays.
#[test]
fn a_step_of_transit_is_told_and_stays_in_pdv() {
    let mut truth = Truth::clean(240);
    truth.same_clock = false;
    truth.each_transit(Leg::Receive, |slot| {
        let second = i64::try_from(slot).unwrap() / 50;
        TRANSIT + second * 20_000 + if second < 150 { 0 } else { 10_000_000 }
    });
    let run = truth.measure();
    close(run.legs.receive.pdv_ms.max, 10.0);
    let change = run.clock.skew_change.unwrap();
    close(Some(change.at_s), 150.0);
    close(Some(change.ppm), 20.0);
    close(Some(change.step_ms), 10.0);
    let told = run
        .notes
        .iter()
        .any(|note| note.contains("transit stepped by +10.000 ms"));
    assert!(told, "{:?}", run.notes);
}

#[test]
fn a_standing_queue_stays_in_pdv() {
    let mut truth = Truth::clean(120);
    truth.same_clock = false;
    truth.each_transit(Leg::Sent, |slot| {
        if slot < 3000 {
            TRANSIT
        } else {
            TRANSIT + 40_000_000
        }
    });
    let leg = truth.measure().legs.sent;
    close(leg.pdv_ms.max, 40.0);
    close(leg.pdv_ms.p50, 0.016); // the middle of the bucket that holds 0
}

#[test]
fn a_constant_added_to_every_transit_changes_nothing() {
    let run = |offset: i64| {
        let mut truth = Truth::clean(90);
        truth.same_clock = false;
        truth.each_transit(Leg::Sent, |slot| {
            offset + i64::try_from(slot * 7919 % 1000).unwrap() * 1000
        });
        truth.measure().legs.sent
    };
    assert_eq!(run(0).pdv_ms, run(17_000_000).pdv_ms);
}

#[test]
fn percentiles_are_of_nearest_rank_and_within_a_bucket() {
    let mut truth = Truth::clean(12);
    // Each second's 50 packets: 0, 1, .. 49 ms above the least.
    truth.each_transit(Leg::Sent, |slot| {
        i64::try_from(slot % 50).unwrap() * 1_000_000
    });
    let pdv = truth.measure().legs.sent.pdv_ms;
    for (measured, exact) in [(pdv.p50, 24.0), (pdv.p95, 47.0), (pdv.p99, 49.0)] {
        let measured = measured.unwrap();
        assert!(
            (measured / exact - 1.0).abs() < 0.033,
            "{measured} is not {exact}"
        );
    }
    close(pdv.max, 49.0);
}

#[test]
fn a_killed_guest_leaves_counts_from_what_it_told() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Receive), 100..103, Slot::Lost);
    truth.killed = Some(End::Guest);
    let run = truth.measure();
    assert!(run.partial);
    let leg = &run.legs.receive;
    assert_eq!(leg.expected_from, "sequence-numbers");
    assert_eq!(
        (leg.packets_expected, leg.packets_received, leg.packets_lost),
        (PACKETS, PACKETS - 3, 3)
    );
    assert_eq!(run.legs.sent.expected_from, "ledger");
}

#[test]
fn it_does_not_matter_which_end_is_absorbed_first() {
    let mut truth = Truth::clean(10);
    truth.set(first(Leg::Sent), 200..204, Slot::NotSent);
    truth.set(first(Leg::Receive), 200..204, Slot::Lost);
    let other = judge(None, |take| truth.tell([End::Guest, End::Tester], take));
    assert_eq!(other, truth.measure());
}

#[test]
fn a_burst_of_more_packets_than_an_octet_counts_is_kept_whole() {
    let mut truth = Truth::clean(12);
    // 300 packets of one stream arrive together, each as much later as its slot was earlier.
    let id = first(Leg::Sent);
    let slots = truth.slots.get_mut(&id).unwrap();
    for (slot, sent) in slots.iter_mut().enumerate().take(400).skip(100) {
        *sent = Slot::Arrives(TRANSIT + i64::try_from(400 - slot).unwrap() * 20_000_000);
    }
    let run = truth.measure();
    let histogram = run
        .histograms
        .iter()
        .find(|h| h.name == "sent-pdv" && h.second == 8)
        .unwrap();
    let arrived: u64 = histogram.counts.iter().map(|(_, count)| count).sum();
    assert_eq!(arrived, 3 * 50 + 50 + 300);
    close(run.legs.sent.pdv_ms.max, 6000.0);
}
