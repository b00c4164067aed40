//! Streams whose packets are due each 20 ms, through a buffer of 60 ms: which come too late, and where they are anchored
//! anew.

use super::{Anchor, PTIME_NS};
use proptest::prelude::*;

const MS: i64 = 1_000_000;

/// Slots that came too late, and (slot, by how much the reference rose), of packets (slot, transit in ms) in order of
/// arrival.
fn judge(packets: impl IntoIterator<Item = (i64, i64)>) -> (Vec<i64>, Vec<(i64, i64)>) {
    let mut anchor = Anchor::NEW;
    let (mut late, mut anew, mut last) = (Vec::new(), Vec::new(), None);
    for (slot, transit) in packets {
        let at = slot * PTIME_NS + transit * MS;
        let gap = last.replace(at).map_or(0, |last| at - last);
        let judged = anchor.judge(transit * MS, gap, 60 * MS);
        if judged.above > 60 * MS {
            late.push(slot);
        }
        anew.extend(judged.rose.map(|rose| (slot, rose / MS)));
    }
    (late, anew)
}

fn slots(from: i64, to: i64, transit: impl Fn(i64) -> i64) -> impl Iterator<Item = (i64, i64)> {
    (from..to).map(move |slot| (slot, transit(slot)))
}

/// The sender's machine stands for 1000 ms, its clock with it: each later packet comes 1000 ms later for good. Ten are late.
#[test]
fn a_pause_of_the_sender_s_clock_anchors_playout_anew_after_ten_packets() {
    let paused = slots(0, 500, |slot| if slot < 50 { 1 } else { 1001 });
    let (late, anew) = judge(paused);
    assert_eq!(late, (50..60).collect::<Vec<_>>());
    assert_eq!(anew, [(59, 1000)]);
}

/// What is late after that is late by the new reference.
#[test]
fn packets_are_late_by_the_new_reference_from_then_on() {
    let transit = |slot| match slot {
        0..50 => 1,
        200 | 201 => 1081,
        _ => 1001,
    };
    assert_eq!(judge(slots(0, 500, transit)).0[10..], [200, 201]);
}

/// The receiver's machine stands for 1000 ms, its clock with it: what comes then comes 1000 ms earlier.
#[test]
fn a_pause_of_the_receiver_s_clock_makes_nothing_late() {
    let paused = slots(0, 500, |slot| if slot < 50 { 1 } else { -999 });
    assert_eq!(judge(paused), (vec![], vec![]));
}

/// A receiver that stood still, and whose kernel did not, has its packets stamped when they came.
#[test]
fn a_backlog_that_was_stamped_in_time_is_no_new_level() {
    assert_eq!(judge(slots(0, 500, |_| 1)), (vec![], vec![]));
}

#[test]
fn loss_is_no_new_level() {
    let cut = slots(0, 500, |_| 1).filter(|(slot, _)| !(50..100).contains(slot));
    assert_eq!(judge(cut), (vec![], vec![]));
}

/// A path holds slots 50 to 99 until 2001 ms: 50 comes 1001 - 1 = 1000 ms late, each later one 20 ms less; 96 is 80 ms late
/// and 97 is 60.
#[test]
fn a_clump_is_late_and_no_new_level() {
    let held = slots(0, 500, |slot| match slot {
        50..100 => 2001 - slot * 20,
        _ => 1,
    });
    assert_eq!(judge(held), ((50..97).collect(), vec![]));
}

/// A queue grows by 3 ms a packet from slot 50 on to 150 ms at slot 100, stays so for 10 s, and empties as slowly: 71 is 63 ms
/// late, 629 is 150 - 29 x 3 = 63.
#[test]
fn a_queue_that_grows_and_shrinks_is_no_new_level() {
    let queue = |slot: i64| match slot {
        50..100 => 1 + (slot - 50) * 3,
        100..600 => 151,
        600..650 => 151 - (slot - 600) * 3,
        _ => 1,
    };
    assert_eq!(judge(slots(0, 800, queue)), ((71..630).collect(), vec![]));
}

/// The same queue loses three packets in a row while it is full: the gap is theirs.
#[test]
fn a_full_queue_that_loses_packets_is_no_new_level() {
    let queue = |slot: i64| {
        if slot < 50 {
            1
        } else {
            (1 + (slot - 50) * 3).min(151)
        }
    };
    let lost = slots(0, 400, queue).filter(|(slot, _)| !(200..203).contains(slot));
    let (late, anew) = judge(lost);
    assert_eq!((late.len(), anew), (400 - 71 - 3, vec![]));
}

/// After 1000 ms in which nothing came the queue empties by 1 ms a packet, at 105 % of the rate: 940 packets are late.
#[test]
fn a_queue_that_empties_slowly_after_a_gap_is_no_new_level() {
    let queue = |slot: i64| match slot {
        0..50 => 1,
        _ => (1051 - slot).max(1),
    };
    assert_eq!(judge(slots(0, 1500, queue)), ((50..990).collect(), vec![]));
}

/// A pause of 50 ms is less than the buffer holds: nothing is late, and playout stays as it is.
#[test]
fn what_the_buffer_holds_is_no_new_level() {
    let paused = slots(0, 500, |slot| if slot < 50 { 1 } else { 51 });
    assert_eq!(judge(paused), (vec![], vec![]));
}

/// A second pause, of 500 ms, comes five packets after the first: ten more packets are late, and playout is anchored once.
#[test]
fn a_second_pause_before_it_is_certain_begins_the_trial_anew() {
    let paused = slots(0, 500, |slot| match slot {
        0..50 => 1,
        50..55 => 1001,
        _ => 1501,
    });
    assert_eq!(judge(paused), ((50..65).collect(), vec![(64, 1500)]));
}

/// Levels that part by 5 ms from block to block for 100 packets, and settle then.
#[test]
fn what_settles_two_seconds_after_the_gap_is_a_queue() {
    let unsettled = |slot: i64| match slot {
        0..50 => 1,
        50..150 => 1001 + (slot - 50) / 5 % 2 * 5,
        _ => 1001,
    };
    let (late, anew) = judge(slots(0, 500, unsettled));
    assert_eq!((late.len(), anew), (450, vec![]));
}

proptest! {
    /// Whatever a path does to packets that come without a gap, playout stays anchored to the fastest.
    #[test]
    fn without_a_gap_nothing_is_anchored_anew(steps in prop::collection::vec(-20_i64..20, 1..800)) {
        let mut transit = 100;
        let packets = (0..).zip(steps).map(|(slot, step)| {
            transit = (transit + step).max(1);
            (slot, transit)
        });
        prop_assert_eq!(judge(packets.collect::<Vec<_>>()).1, vec![]);
    }
}
