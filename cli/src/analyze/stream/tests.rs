use super::*;
use proptest::prelude::*;

/// Packets of 20 ms of PCMU: sequence number, arrival in us.
fn packet(seq: u16, at_us: i64) -> Packet {
    Packet {
        seq,
        timestamp: u32::from(seq) * 160,
        at: at_us * 1000,
        payload_type: 0,
        marker: false,
        content: Content::Media,
        nic_octets: 214,
        dscp: 46,
    }
}

fn stream(packets: impl IntoIterator<Item = Packet>) -> Stream {
    let mut stream = Stream::new(None);
    packets
        .into_iter()
        .for_each(|packet| stream.take(packet, &mut |_, _| ()));
    stream.end(&mut |_, _| ());
    stream
}

/// Packets with these sequence numbers, 20 ms apart: (expected, received, duplicated, reordered).
#[track_caller]
fn counts(seqs: &[u16]) -> (u64, u64, u64, u64) {
    let packets = seqs
        .iter()
        .zip((0..).step_by(20_000))
        .map(|(seq, us)| packet(*seq, us));
    let stream = stream(packets);
    let totals = stream.totals();
    (
        totals.expected,
        totals.received,
        totals.duplicated,
        totals.reordered,
    )
}

#[test]
fn a_clean_stream_of_n_packets_shows_n() {
    assert_eq!(counts(&[10, 11, 12, 13]), (4, 4, 0, 0));
    let clean: Vec<u16> = (0..1000).map(|n: u16| n.wrapping_add(65_000)).collect();
    assert_eq!(counts(&clean), (1000, 1000, 0, 0), "across the wrap");
}

#[test]
fn losses_copies_and_reordered_packets_are_told_apart() {
    assert_eq!(counts(&[10, 11, 13, 14]), (5, 4, 0, 0), "12 is lost");
    assert_eq!(counts(&[10, 11, 12, 12, 13]), (4, 4, 1, 0));
    assert_eq!(counts(&[10, 11, 13, 12, 14]), (5, 5, 0, 1));
    assert_eq!(
        counts(&[10, 11, 13, 12, 12, 14]),
        (5, 5, 1, 1),
        "a copy of the reordered one"
    );
    assert_eq!(
        counts(&[10, 11, 9, 12]),
        (4, 4, 0, 1),
        "9 comes before the first that was seen"
    );
}

/// Probation holds back what comes before two in a row; all of it is counted once they have come.
#[test]
fn what_probation_held_back_is_counted() {
    assert_eq!(counts(&[5, 7, 8, 9]), (5, 4, 0, 0), "6 is lost");
    assert_eq!(counts(&[5, 7, 9, 10]), (6, 4, 0, 0));
}

#[test]
fn a_restart_counts_both_stretches_whole() {
    assert_eq!(counts(&[100, 101, 102, 40000, 40001, 40002]), (6, 6, 0, 0));
    assert_eq!(
        counts(&[100, 101, 102, 40000, 40002, 40003]),
        (7, 6, 0, 0),
        "40001 is lost"
    );
    assert_eq!(
        counts(&[100, 101, 4000, 102, 103]),
        (4, 4, 0, 0),
        "4000 was wild"
    );
}

#[test]
fn what_is_no_stream_is_none() {
    let state = |packets: Vec<Packet>| stream(packets).state();
    assert_eq!(state(vec![packet(7, 0)]), State::Rejected, "one packet");
    let none_in_a_row = [packet(7, 0), packet(9, 20_000), packet(5, 40_000)];
    assert_eq!(state(none_in_a_row.to_vec()), State::Rejected);
    let counter = |n: u16| Packet {
        timestamp: 0x0102_0304,
        ..packet(n, i64::from(n) * 20_000)
    };
    assert_eq!(
        state((0..40).map(counter).collect()),
        State::Rejected,
        "constant octets"
    );
    let counters = |n: u16| Packet {
        timestamp: u32::from(n),
        ..packet(n, i64::from(n) * 20_000)
    };
    assert_eq!(
        state((0..40).map(counters).collect()),
        State::Rejected,
        "two counters"
    );
    let wild = |n: u16| Packet {
        timestamp: u32::from(n).wrapping_mul(0x9e37_79b9),
        ..packet(n, i64::from(n) * 20_000)
    };
    assert_eq!(
        state((0..40).map(wild).collect()),
        State::Rejected,
        "anything at all"
    );
}

/// A telephone-event: nine packets of one timestamp, the last three with one sequence number apart.
#[test]
fn a_telephone_event_is_a_stream_without_times() {
    let event = |n: u16| Packet {
        timestamp: 5000,
        payload_type: 101,
        content: Content::Event,
        ..packet(n, i64::from(n) * 20_000)
    };
    let stream = stream((0..9).map(event));
    assert_eq!(
        (stream.state(), stream.totals().received),
        (State::Confirmed, 9)
    );
    assert_eq!(stream.totals().interarrival_jitter.1, 0);
    assert_eq!(
        (
            stream.sums.events,
            stream.totals().dead[DEFAULT_DEPTH].events
        ),
        (9, 0)
    );
}

/// Transits against the first: 0, 2.5, -0.5, 15, 0.5 ms. |IPDV| 2.5, 3, 15.5, 14.5 ms; PDV above -0.5.
#[test]
fn ipdv_and_pdv_follow_rfc_5481() {
    let arrivals = [0, 22_500, 39_500, 75_000, 80_500];
    let stream = stream((0..).zip(arrivals).map(|(seq, us)| packet(seq, us)));
    let totals = stream.totals();
    assert_eq!(totals.ipdv.total(), 4);
    assert_eq!(totals.ipdv.max(), Some(15_500_000));
    assert_eq!(
        (totals.pdv.total(), totals.pdv.max()),
        (5, Some(15_500_000))
    );
}

#[test]
fn ipdv_needs_both_neighbours_whatever_their_order() {
    let of = |packets: &[(u16, i64)]| {
        let stream = stream(packets.iter().map(|(seq, ms)| packet(*seq, ms * 1000)));
        (stream.totals().ipdv.total(), stream.totals().ipdv.max())
    };
    assert_eq!(
        of(&[(0, 0), (1, 20), (3, 60), (4, 81)]),
        (2, Some(1_000_000)),
        "none across the lost packet"
    );
    assert_eq!(
        of(&[(0, 0), (1, 20), (3, 60), (2, 61)]),
        (3, Some(21_000_000)),
        "2 against 1 and 3"
    );
}

#[test]
fn times_that_make_no_sense_saturate() {
    let times = [i64::MIN, i64::MAX, i64::MIN, 0, i64::MAX];
    let packets = (0..).zip(times).map(|(seq, at)| Packet {
        at,
        ..packet(seq, 0)
    });
    assert_eq!(stream(packets).totals().received, 5);
    let leaps = (0..200).map(|n: u16| Packet {
        timestamp: u32::from(n) * 0x7fff_ffff,
        ..packet(n, 0)
    });
    drop(stream(leaps));
}

/// 400 slots; 100 to 104 lost, 200 comes 65 ms late and 201 45 ms, 300 to 309 were never sent (the timestamp moves
/// on, the sequence number does not).
#[test]
fn dead_slots_by_cause_and_depth() {
    let slot = |slot: i64| {
        let late = match slot {
            200 => 65_000,
            201 => 45_000,
            _ => 0,
        };
        let skipped = if slot >= 310 { 10 } else { 0 };
        Packet {
            seq: u16::try_from(slot - skipped).unwrap(),
            timestamp: u32::try_from(slot * 160).unwrap(),
            ..packet(0, slot * 20_000 + late)
        }
    };
    let gone = |n: &i64| !(100..105).contains(n) && !(300..310).contains(n);
    let mut packets: Vec<Packet> = (0..400).filter(gone).map(slot).collect();
    packets.sort_by_key(|packet| packet.at);
    let stream = stream(packets);
    let totals = stream.totals();
    assert_eq!(
        (totals.expected, totals.received, totals.not_sent),
        (390, 385, 10)
    );
    assert_eq!(totals.discarded, [2, 2, 1, 0, 0], "20, 40, 60, 100, 200 ms");
    let events = totals.dead.map(|dead| dead.events);
    assert_eq!(
        events, [2; 5],
        "lost 100 ms, not sent 200 ms; late ones make 40 ms at most"
    );
    let dead = &totals.dead[DEFAULT_DEPTH];
    assert_eq!((dead.longest, dead.total), (200_000_000, 300_000_000));
    assert_eq!(dead.classes, [2, 2, 2, 1, 0, 0]);
    assert_eq!(
        totals.dead[0].classes[0], 3,
        "with 20 ms the two late ones are 40 ms of it"
    );
    assert_eq!((totals.lost.lost(), totals.lost.runs()), (5, 1));
    let concealed = totals.concealment.figures();
    assert!(
        (concealed.concealed_ms - 320.0).abs() < 1e-9,
        "5 + 1 + 10 slots"
    );
}

/// Packets two ticks apart but for every third, which claims 2^31 - 1 and comes as much later: 2^30 - 1 slots between,
/// a hundred times. A walk over them would take minutes.
#[test]
fn slots_never_sent_are_counted_in_one_step() {
    let ticks = |n: i64| n / 3 * 0x7fff_ffff + (n - n / 3) * 2;
    let stream = stream((0..301).map(|n| Packet {
        timestamp: u32::try_from(ticks(n) & 0xffff_ffff).unwrap(),
        at: ticks(n) * 125_000,
        ..packet(u16::try_from(n).unwrap(), 0)
    }));
    let totals = stream.totals();
    let slots = (1 << 30) - 1;
    assert_eq!((totals.received, totals.not_sent), (301, 100 * slots));
    let dead = &totals.dead[DEFAULT_DEPTH];
    // A slot of two ticks is 250 us.
    let longest = i64::try_from(slots).unwrap() * 250_000;
    assert_eq!(
        (dead.events, dead.longest, dead.total),
        (100, longest, 100 * longest)
    );
}

/// A pause of a second between two talkspurts: the timestamp moves on, a marker says why.
#[test]
fn a_pause_before_a_marker_is_no_dead_air() {
    let spurts = |marker: bool| {
        let slots = (0..50).chain(100..150_u16);
        stream(slots.map(|slot| Packet {
            seq: if slot < 100 { slot } else { slot - 50 },
            timestamp: u32::from(slot) * 160,
            marker: marker && slot == 100,
            ..packet(0, i64::from(slot) * 20_000)
        }))
    };
    assert_eq!(spurts(true).totals().not_sent, 0);
    assert_eq!(spurts(true).totals().dead[DEFAULT_DEPTH].events, 0);
    assert_eq!(spurts(false).totals().not_sent, 50);
    assert_eq!(
        spurts(false).totals().dead[DEFAULT_DEPTH].longest,
        1_000_000_000
    );
}

#[test]
fn what_is_counted_is_told_with_its_time() {
    let mut packets = 0;
    let mut lost = 0;
    let mut stream = Stream::new(None);
    for n in (0..300).filter(|n| *n != 77) {
        stream.take(
            packet(n, i64::from(n) * 20_000),
            &mut |_, seen| match seen {
                Seen::Packet { .. } => packets += 1,
                Seen::Lost => lost += 1,
                _ => {}
            },
        );
    }
    stream.end(&mut |_, seen| packets += u64::from(matches!(seen, Seen::Packet { .. })));
    assert_eq!((packets, lost), (299, 1));
}

proptest! {
    /// Sequence numbers, timestamps and the clock may begin anywhere, before their wraps too: lost, doubled and late
    /// packets are told the same way, and every time is the same.
    #[test]
    fn no_figure_depends_on_where_numbers_and_clocks_begin(
        fates in prop::collection::vec((0_u8..12, 0_i64..70_000), 40..300),
        seq in any::<u16>(),
        timestamp in any::<u32>(),
        at in 0_i64..1_000_000_000_000_000_000,
    ) {
        let mut packets: Vec<Packet> = Vec::new();
        for (n, (fate, late_us)) in (0_u16..).zip(&fates) {
            // The first ten come as sent, so that it is a stream at all.
            let (copies, late_us) = match fate {
                _ if n < 10 => (1, 0),
                0 => (0, 0),
                1 => (2, 0),
                2 => (1, *late_us),
                _ => (1, late_us / 4),
            };
            packets.extend(std::iter::repeat_n(packet(n, i64::from(n) * 20_000 + late_us), copies));
        }
        packets.sort_by_key(|packet| packet.at);
        let moved = packets.iter().map(|packet| Packet {
            seq: packet.seq.wrapping_add(seq),
            timestamp: packet.timestamp.wrapping_add(timestamp),
            at: packet.at + at,
            ..*packet
        });
        let (here, there) = (stream(packets.clone()), stream(moved));
        prop_assert_eq!(here.state(), State::Confirmed);
        prop_assert_eq!(format!("{:?}", here.totals()), format!("{:?}", there.totals()));
        prop_assert_eq!((here.restarts(), here.usual_step()), (there.restarts(), there.usual_step()));
        prop_assert_eq!(here.totals().received + here.totals().duplicated, packets.len() as u64);
    }
}
