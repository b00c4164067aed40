use super::*;
use milliwatt_wire::id::{CallId, Leg, Party};
use proptest::prelude::*;

const STREAM: StreamId = StreamId {
    call: CallId(3),
    party: Party::A,
    leg: Leg::Receive,
};

fn plan() -> StreamPlan {
    StreamPlan {
        stream: STREAM,
        ssrc: 1,
        first_seq: 65_500,
        first_timestamp: u32::MAX - 1000,
        due: RunTime(0),
        slots: 3000,
        playout_buffer: 60_000_000,
    }
}

/// Feeds (index, slot, transit ns) in order of arrival.
fn feed(packets: &[(u32, u32, i64)]) -> (Vec<Placed>, Vec<Fact>) {
    let mut receiver = StreamReceiver::new(plan());
    let mut facts = Vec::new();
    let placed = packets
        .iter()
        .map(|(index, slot, transit)| {
            let seq = plan()
                .first_seq
                .wrapping_add(u16::try_from(*index).unwrap());
            let timestamp = plan().first_timestamp.wrapping_add(slot * 160);
            let arrived = RunTime(i64::from(*slot) * PTIME_NS + transit);
            receiver.take(seq, timestamp, arrived, 0, &mut |f| facts.push(f))
        })
        .collect();
    receiver.close(&mut |f| facts.push(f));
    (placed, facts)
}

fn end_of(facts: &[Fact]) -> StreamEnd {
    facts
        .iter()
        .find_map(|f| {
            if let Fact::StreamEnd(e) = f {
                Some(*e)
            } else {
                None
            }
        })
        .unwrap()
}

fn dead_of(facts: &[Fact]) -> Vec<(DeadCause, u32, u32)> {
    let dead = |f: &Fact| match f {
        Fact::DeadSlots {
            cause,
            first_slot,
            slots,
            ..
        } => Some((*cause, *first_slot, *slots)),
        _ => None,
    };
    facts.iter().filter_map(dead).collect()
}

#[test]
fn loss_across_the_wrap_is_told_from_slots_never_sent() {
    // Indices 40 to 42 are missing in sequence; slots 50 and 51 were skipped by the sender.
    let mut packets: Vec<(u32, u32, i64)> = (0..40).map(|i| (i, i, 1000)).collect();
    packets.extend((43..50).map(|i| (i, i, 1000)));
    packets.extend((50..60).map(|i| (i, i + 2, 1000)));
    let (_, facts) = feed(&packets);
    assert_eq!(
        dead_of(&facts),
        [(DeadCause::Lost, 40, 3), (DeadCause::NotSent, 50, 2)]
    );
    let end = end_of(&facts);
    assert_eq!((end.received, end.lost_inside), (57, 3));
    assert_eq!(
        (end.first_index, end.last_index, end.last_slot),
        (Some(0), Some(59), Some(61))
    );
}

#[test]
fn a_missing_head_shows_in_the_first_index() {
    let packets: Vec<(u32, u32, i64)> = (5..20).map(|i| (i, i, 1000)).collect();
    let end = end_of(&feed(&packets).1);
    assert_eq!(
        (
            end.received,
            end.first_index,
            end.first_slot,
            end.lost_inside
        ),
        (15, Some(5), Some(5), 0)
    );
}

#[test]
fn reordered_and_doubled_packets_are_neither_lost_nor_counted_twice() {
    let (placed, facts) = feed(&[
        (0, 0, 0),
        (2, 2, 0),
        (1, 1, 30_000_000),
        (2, 2, 0),
        (3, 3, 0),
    ]);
    assert_eq!(placed[3], Placed::Duplicate);
    let end = end_of(&facts);
    assert_eq!(
        (end.received, end.duplicates, end.reordered, end.lost_inside),
        (4, 1, 1, 0)
    );
    assert!(dead_of(&facts).is_empty());
}

fn first_copy(slot: u32, above: i64, ipdv: [Option<i64>; 2]) -> Placed {
    Placed::New(FirstCopy {
        slot,
        due: RunTime(i64::from(slot) * PTIME_NS),
        above,
        is_anchored_anew: false,
        ipdv,
    })
}

#[test]
fn ipdv_is_taken_between_neighbours_in_sequence_however_they_arrive() {
    let (placed, _) = feed(&[
        (0, 0, 20_000_000),
        (2, 2, 19_500_000),
        (1, 1, 22_500_000),
        (4, 4, 1),
    ]);
    assert_eq!(placed[0], first_copy(0, 0, [None, None]));
    assert_eq!(placed[1], first_copy(2, 0, [None, None]));
    assert_eq!(
        placed[2],
        first_copy(1, 3_000_000, [Some(2_500_000), Some(-3_000_000)])
    );
    assert_eq!(placed[3], first_copy(4, 0, [None, None]));
}

#[test]
fn a_stall_of_100_ms_discards_what_came_over_60_ms_late() {
    let mut packets: Vec<(u32, u32, i64)> = (0..50).map(|i| (i, i, 1_000_000)).collect();
    // Slots 50 to 54 all arrive at 101 ms after slot 50's due time: 100, 80, 60, 40, 20 ms above.
    packets.extend((0..5).map(|k| (50 + k, 50 + k, 101_000_000 - i64::from(k) * 20_000_000)));
    packets.extend((55..60).map(|i| (i, i, 1_000_000)));
    let (_, facts) = feed(&packets);
    assert_eq!(end_of(&facts).discarded, 2);
    let late: Vec<LatePacket> = facts
        .iter()
        .filter_map(|f| {
            if let Fact::LatePackets { packets, .. } = f {
                Some(packets.clone())
            } else {
                None
            }
        })
        .flatten()
        .collect();
    let want = [(50, 100_000), (51, 80_000), (52, 60_000), (53, 40_000)]
        .map(|(slot, above_us)| LatePacket { slot, above_us });
    assert_eq!(late, want);
    assert!(facts.contains(&Fact::ArrivalGap {
        stream: STREAM,
        slot: 50,
        gap_us: 120_000,
        missing: 0
    }));
}

#[test]
fn a_drift_of_100_ppm_is_no_lateness_once_it_is_known() {
    let mut receiver = StreamReceiver::new(plan());
    let mut facts = Vec::new();
    for slot in 0..3000_u32 {
        let at = i64::from(slot) * PTIME_NS;
        let seq = plan().first_seq.wrapping_add(u16::try_from(slot).unwrap());
        let timestamp = plan().first_timestamp.wrapping_add(slot * 160);
        // The receiver's clock is 0.1 % fast: 60 ms in this minute.
        let drift = at / 1000;
        receiver.take(
            seq,
            timestamp,
            RunTime(at + drift + 1_000_000),
            drift,
            &mut |f| facts.push(f),
        );
    }
    receiver.close(&mut |f| facts.push(f));
    assert_eq!(end_of(&facts).discarded, 0);
    assert!(!facts.iter().any(|f| matches!(f, Fact::LatePackets { .. })));
}

proptest! {
    #[test]
    fn received_and_lost_make_up_what_was_sent(lost in prop::collection::hash_set(0_u32..600, 0..200)) {
        let packets: Vec<(u32, u32, i64)> = (0..600).filter(|i| !lost.contains(i)).map(|i| (i, i, 0)).collect();
        let (_, facts) = feed(&packets);
        let end = end_of(&facts);
        prop_assert_eq!(end.received as usize + lost.len(), 600);
        let head = end.first_index.unwrap();
        let tail = 599 - end.last_index.unwrap();
        prop_assert_eq!(end.lost_inside + head + tail, u32::try_from(lost.len()).unwrap());
        let dead: u32 = dead_of(&facts).iter().map(|(_, _, slots)| slots).sum();
        prop_assert_eq!(dead, end.lost_inside);
        for (cause, first, slots) in dead_of(&facts) {
            prop_assert_eq!(cause, DeadCause::Lost);
            prop_assert!((first..first + slots).all(|s| lost.contains(&s)));
        }
    }

    /// In whatever order they come, each two neighbours that came give one IPDV, and what is missing between is told once.
    #[test]
    fn each_pair_of_neighbours_gives_one_ipdv_in_whatever_order_they_come(
        fates in prop::collection::vec((prop::bool::weighted(0.9), 0_u32..40, -5_000_000..5_000_000_i64), 2..300),
    ) {
        let index = |i: usize| u32::try_from(i).unwrap();
        let came: Vec<_> = fates.iter().enumerate().filter(|(_, (came, ..))| *came).collect();
        let mut packets: Vec<_> = came.iter().map(|(i, (_, back, transit))| (index(*i) + back, (index(*i), index(*i), *transit))).collect();
        packets.sort_by_key(|(place, _)| *place);
        let packets: Vec<_> = packets.into_iter().map(|(_, packet)| packet).collect();
        let (placed, facts) = feed(&packets);
        let mut ipdv: Vec<i64> = placed.iter().flat_map(|placed| match placed {
            Placed::New(packet) => packet.ipdv.into_iter().flatten().collect(),
            _ => Vec::new(),
        }).collect();
        let mut pairs: Vec<i64> = fates.windows(2).filter(|pair| pair[0].0 && pair[1].0).map(|pair| pair[1].2 - pair[0].2).collect();
        ipdv.sort_unstable();
        pairs.sort_unstable();
        prop_assert_eq!(ipdv, pairs);
        let dead = dead_of(&facts).into_iter().flat_map(|(_, first, slots)| first..first + slots);
        let [first, last] = [came.first(), came.last()].map(|came| came.map_or(0, |(i, _)| *i));
        let missing = (first..last).filter(|i| !fates[*i].0).map(index);
        prop_assert_eq!(dead.collect::<Vec<_>>(), missing.collect::<Vec<_>>());
    }
}
