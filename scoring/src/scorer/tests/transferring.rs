//! Whether delay variation or loss follows recording transfer: 30 seconds of full load, from 1 to 31.

use super::truth::{Slot, TRANSIT, Truth, first};
use milliwatt_wire::facts::{Fact, SentSecond};
use milliwatt_wire::id::{End, Leg};

const MS: i64 = 1_000_000;

/// The note about transfer, where the guest sends so many Mbit/s of it in each second.
fn note(mbps: impl Fn(u32) -> u64, change: impl FnOnce(&mut Truth)) -> Option<String> {
    let mut truth = Truth::clean(32);
    for second in 0..32 {
        let sent = SentSecond {
            second,
            transfer_octets: mbps(second) * 125_000,
            ..SentSecond::default()
        };
        truth.guest.push(Fact::Sent(sent));
    }
    change(&mut truth);
    let notes = truth.measure().notes;
    notes.into_iter().find(|note| note.contains("transfer"))
}

/// 31 Mbit/s in seconds 10 to 21.
fn batch(second: u32) -> u64 {
    if (10..22).contains(&second) { 31 } else { 0 }
}

/// A stream of four is so late in these slots.
fn late(slots: std::ops::Range<usize>, ms: i64) -> impl FnOnce(&mut Truth) {
    move |truth| {
        truth.set(first(Leg::Sent), slots, Slot::Arrives(TRANSIT + ms * MS));
    }
}

/// The last of its packets arrive in second 22, which is neither; 17 seconds are without.
#[test]
fn delay_variation_in_the_seconds_with_transfer_follows_it() {
    let note = note(batch, late(500..1100, 84)).unwrap();
    let expected = "sent leg (guest -> tester): delay variation follows recording transfer: PDV p99.9 is 84 ms in the 12 s with transfer \
                    (31 Mbit/s in the mean) and 0.0 ms in the 17 s without: the transfer shares the send path with RTP; \
                    pace it (transfer.rate) or give it less";
    assert_eq!(note, expected);
}

/// 10 packets lost in each second of 200 with transfer: 5 %.
#[test]
fn loss_in_the_seconds_with_transfer_follows_it() {
    let lossy = |truth: &mut Truth| {
        for second in 10..22 {
            truth.set(first(Leg::Sent), 50 * second..50 * second + 10, Slot::Lost);
        }
    };
    let note = note(batch, lossy).unwrap();
    assert!(
        note.contains("loss follows recording transfer: 5.0 % is lost in the 12 s with transfer (31 Mbit/s in the mean) and 0.0 % in the 17 s"),
        "{note}"
    );
}

/// Late from 15 to 27 s: seven of thirteen bad seconds have transfer.
#[test]
fn delay_variation_beside_the_transfer_does_not_follow_it() {
    let note = note(batch, late(750..1350, 84)).unwrap();
    assert!(
        note.contains("does not follow recording transfer"),
        "{note}"
    );
    assert!(note.contains("PDV p99.9 is 84 ms in the 12 s"), "{note}");
    // Late all the time, with transfer or without.
    let mixed = |truth: &mut Truth| {
        truth.each_transit(Leg::Sent, |slot| {
            TRANSIT + if slot % 10 == 0 { 50 * MS } else { 0 }
        });
    };
    let note = super::transferring::note(batch, mixed).unwrap();
    assert!(note.contains("does not follow"), "{note}");
}

/// Transfer that rises by 1 Mbit/s a second and never pauses, and lateness that rises with it, or stands alone.
#[test]
fn where_transfer_never_pauses_delay_variation_must_rise_with_it() {
    let rising = |second: u32| 40 + u64::from(second);
    let with_it = |truth: &mut Truth| {
        truth.each_transit(Leg::Sent, |slot| {
            let second = i64::try_from(slot / 50).unwrap();
            TRANSIT + if slot % 10 == 0 { 4 * second * MS } else { 0 }
        });
    };
    let found = note(rising, with_it).unwrap();
    assert!(
        found.contains("over 30 s it rises and falls with it (rank correlation "),
        "{found}"
    );
    let alone = late(500..1100, 84);
    assert_eq!(note(rising, alone), None);
    assert_eq!(note(|_| 40, late(500..1100, 84)), None, "always as much");
}

/// Nothing is past a limit, nothing is transferred, or the tester spoilt the seconds that are.
#[test]
fn where_it_cannot_be_told_nothing_is_said() {
    assert_eq!(
        note(batch, late(500..1100, 20)),
        None,
        "20 ms are within the limit"
    );
    assert_eq!(note(|_| 0, late(500..1100, 84)), None, "no transfer");
    let spoilt = |truth: &mut Truth| {
        truth.set(
            first(Leg::Sent),
            500..1090,
            Slot::Arrives(TRANSIT + 84 * MS),
        );
        (10..22).for_each(|second| {
            truth.stall(End::Tester, second);
        });
    };
    assert_eq!(note(batch, spoilt), None);
    assert_eq!(note(batch, late(500..590, 84)), None, "two bad seconds");
    // Transfer in 24 of 29 seconds: three bad ones anywhere are all among them by a chance of 0.57; nine by one of 0.18.
    let mostly = |second: u32| if (2..26).contains(&second) { 31 } else { 0 };
    assert_eq!(note(mostly, late(500..640, 84)), None);
    assert_eq!(note(mostly, late(500..940, 84)), None);
    // Sixteen by one of 0.048.
    let note = note(mostly, late(500..1290, 84)).unwrap();
    assert!(note.contains("follows recording transfer"), "{note}");
}
