//! What the ends tell of their transfers: 8 seconds, full load from 1 to 7.

use super::truth::Truth;
use crate::measured::{LegTransfers, MeanMax, Measured};
use milliwatt_wire::facts::{Fact, TransferSecond};
use milliwatt_wire::id::Leg;

/// A second, octets acknowledged; files completed, transfers broken off, segments sent again, ms without an
/// acknowledgement; us of round trip.
type Told = (u32, u64, [u32; 4], Option<u32>);

fn fact((second, acknowledged_octets, counts, round_trip_us): Told) -> Fact {
    let [completed, broken, retransmissions, stalled_ms] = counts;
    Fact::Transfers(TransferSecond {
        second,
        under_way: 1,
        completed,
        broken,
        acknowledged_octets,
        retransmissions,
        stalled_ms,
        round_trip_us,
        ..TransferSecond::default()
    })
}

fn measure(tester: &[Told], guest: &[Told]) -> Measured {
    let mut truth = Truth::clean(8);
    truth.tester.extend(tester.iter().copied().map(fact));
    truth.guest.extend(guest.iter().copied().map(fact));
    truth.measure()
}

/// Of the guest's five seconds 2, 3 and 5 are of full load, with 2, 0 and 4 Mbit/s; the ramp has more and the drain the rest.
const GUEST: [Told; 5] = [
    (0, 1_000_000, [3, 0, 0, 15], Some(700)),
    (2, 250_000, [1, 0, 2, 40], Some(1_250)),
    (3, 0, [0, 2, 5, 1_000], None),
    (5, 500_000, [2, 0, 1, 30], Some(2_500)),
    (7, 125_000, [1, 0, 0, 1_200], Some(900)),
];

#[test]
fn what_each_end_transferred_is_its_legs() {
    let run = measure(&[(4, 1_250_000, [1, 0, 0, 5], Some(300))], &GUEST);
    let sent = LegTransfers {
        completed: 7,
        broken: 2,
        acknowledged_octets: 1_875_000,
        goodput_mbps: MeanMax {
            mean: Some(2.0),
            max: Some(4.0),
        },
        retransmissions: 8,
        stalled_ms: 1_200.0,
        round_trip_ms: Some(2.5),
    };
    assert_eq!(run.transfers.sent, Some(sent));
    let receive = run.transfers.receive.unwrap();
    assert_eq!(
        (receive.completed, receive.goodput_mbps.mean),
        (1, Some(10.0))
    );
    assert_eq!(receive.round_trip_ms, Some(0.3));
}

/// Each leg's rows have its sender's words, in the ramp and the drain too, and nothing where it said nothing.
#[test]
fn seconds_have_what_their_sender_told_and_no_others() {
    let run = measure(&[], &GUEST);
    let of = |leg| {
        let rows = run.seconds.iter().filter(move |row| row.leg == leg);
        rows.map(|row| {
            let (goodput, stalled) = (row.transfer_goodput_mbps, row.transfer_stalled_ms);
            Some((goodput?, stalled?, row.transfer_retransmissions?))
        })
        .collect::<Vec<_>>()
    };
    let sent = [
        Some((8.0, 15.0, 0)),
        None,
        Some((2.0, 40.0, 2)),
        Some((0.0, 1_000.0, 5)),
        None,
        Some((4.0, 30.0, 1)),
        None,
        Some((1.0, 1_200.0, 0)),
    ];
    assert_eq!(of(Leg::Sent), sent);
    assert_eq!(of(Leg::Receive), [None; 8]);
}

#[test]
fn transfers_beside_full_load_have_no_goodput() {
    let run = measure(&[], &[(0, 0, [0, 1, 0, 0], None)]);
    let sent = run.transfers.sent.unwrap();
    assert_eq!(sent.goodput_mbps, MeanMax::default());
    assert_eq!((sent.broken, sent.round_trip_ms), (1, None));
    assert_eq!(run.transfers.receive, None, "the tester told of none");
}
