//! What is not heard where the engine, or its machine, stood still: each slot that was there once, none that was played.
//!
//! A packet comes when it is due, and has its turn three packet times later: at step n packet n comes, and n - 3 is played.

use super::Bench;
use milliwatt_wire::facts::{DeadCause, Fact};
use milliwatt_wire::load::Fill;

/// The step at which it stands still: packet 49 has come, and 46 was played.
const STOOD: i64 = 50;

/// What a packet holds.
fn code(slot: i64) -> u8 {
    u8::try_from(slot % 251).unwrap()
}

impl Bench {
    fn come(&mut self, slots: std::ops::Range<i64>) {
        for slot in slots {
            self.arrive(0, u16::try_from(slot).unwrap(), code(slot));
        }
    }

    /// Slots of a call that were not played though they were there, in order.
    fn unplayed(&mut self, call: usize) -> Vec<i64> {
        let stream = self.plan(call).stream;
        let facts = &mut self.facts;
        self.line.close(&mut |fact| facts.push(fact));
        let mut unplayed = Vec::new();
        for fact in &self.facts {
            match fact {
                Fact::DeadSlots {
                    stream: of,
                    cause: DeadCause::GuestPlayout,
                    first_slot,
                    slots,
                } if *of == stream => {
                    unplayed.extend((*first_slot..first_slot + slots).map(i64::from));
                }
                _ => {}
            }
        }
        unplayed.sort_unstable();
        unplayed
    }
}

/// What the engine does first when it goes on.
#[derive(Clone, Copy, Debug)]
enum First {
    /// It goes through the ticks that it missed.
    Ticks,
    /// It reads what came meanwhile.
    Packets,
    /// It reads 40 packets at each tick.
    Both,
}

/// Stands still for so many packet times from step 50 on: of as many ticks the last runs, up to 20 ms late. The one before it
/// is the last to be missed.
fn stand(length: i64, first: First) -> Bench {
    let mut bench = Bench::of(Fill::Silence, 700);
    for step in 0..STOOD {
        bench.come(step..step + 1);
        bench.tick(0, step - 3);
    }
    let end = STOOD + length;
    let (mut read, missed) = (STOOD, STOOD..end - 1);
    if matches!(first, First::Packets) {
        bench.come(read..end);
        read = end;
    }
    for step in missed {
        bench.miss(0, step - 3);
        if matches!(first, First::Both) {
            let until = (read + 40).min(end);
            bench.come(read..until);
            read = until;
        }
    }
    bench.come(read..end);
    assert_eq!(bench.tick(0, end - 4), [code(end - 4); 160], "{first:?}");
    for step in end..end + 20 {
        bench.come(step..step + 1);
        assert_eq!(bench.tick(0, step - 3), [code(step - 3); 160], "{step}");
    }
    bench
}

/// 300, 700, 2000 and 10,000 ms: 14, 34, 99 and 499 ticks are missed, from that of slot 47 on, and all packets were there.
#[test]
fn a_stall_leaves_out_each_slot_whose_tick_was_missed_however_long_it_is() {
    for length in [15, 35, 100, 500] {
        for first in [First::Ticks, First::Packets, First::Both] {
            let unplayed = stand(length, first).unplayed(0);
            let missed: Vec<i64> = (47..47 + length - 1).collect();
            assert_eq!(unplayed, missed, "{length} {first:?}");
        }
    }
}

/// It stands from step 5 of a call of ten packets to step 9 of the next: 2 to 9 of the one were not played and 0 to 5 of the
/// other, though all were there. The next tick plays its 6.
#[test]
fn a_stall_from_one_call_to_the_next_leaves_out_slots_of_both() {
    let mut bench = Bench::of(Fill::Silence, 10);
    for step in 0..5 {
        bench.come(step..step + 1);
        bench.tick(0, step - 3);
    }
    (2..10).for_each(|slot| bench.miss(0, slot));
    (0..6).for_each(|slot| bench.miss(1, slot));
    bench.come(5..10);
    (0..9).for_each(|slot| bench.arrive(1, slot, 0x80 + u8::try_from(slot).unwrap()));
    assert_eq!(bench.tick(1, 6), [0x86; 160]);
    assert_eq!(bench.unplayed(0), (2..10).collect::<Vec<_>>());
    assert_eq!(bench.unplayed(1), (0..6).collect::<Vec<_>>());
}

/// The machine stands for 50 packet times, its clock with it. Packets 50 to 99 wait in its network card and come at its step 50;
/// from then on all come 50 packet times earlier by its clock. That of 99 tells by 49, so that it is 96's turn: 47 to 95 are
/// not heard. With packet 100 it is the turn of 98, and 97 was passed over for a faster packet, which is no stall.
#[test]
fn what_a_machine_that_stood_still_passes_over_is_not_played() {
    let mut bench = Bench::of(Fill::Silence, 700);
    for step in 0..STOOD {
        bench.come(step..step + 1);
        bench.tick(0, step - 3);
    }
    for slot in 50..100_u16 {
        let late = STOOD - i64::from(slot);
        bench.arrive_late(0, slot, code(slot.into()), late);
    }
    assert_eq!(bench.tick(0, 47), [code(96); 160]);
    bench.arrive_late(0, 100, code(100), -50);
    assert_eq!(bench.tick(0, 48), [code(98); 160]);
    assert_eq!(bench.unplayed(0), (47..96).collect::<Vec<_>>());
}

/// From slot 50 on packets come 50 packet times later for good, after a gap: 50 to 59 come too late, which is not the guest's
/// doing; with 59 playout is anchored anew, and it has its turn three packet times after it came.
#[test]
fn a_stream_that_comes_later_for_good_is_played_again() {
    let mut bench = Bench::of(Fill::Silence, 700);
    for step in 0..200_i64 {
        let slot = if step < STOOD { step } else { step - 50 };
        let late = if step < STOOD { 0 } else { 50 };
        if !(50..100).contains(&step) {
            bench.arrive_late(0, u16::try_from(slot).unwrap(), code(slot), late);
        }
        let frame = bench.tick(0, step - 3);
        match step {
            3..53 => assert_eq!(frame, [code(step - 3); 160], "{step}"),
            112.. => assert_eq!(frame, [code(step - 53); 160], "{step}"),
            _ => assert_eq!(frame, super::IDLE, "{step}"),
        }
    }
    assert_eq!(bench.unplayed(0), [0_i64; 0]);
}
