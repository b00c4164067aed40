//! Dead slots of one stream and the dead-air events they make.
//!
//! A slot has one cause. What happened earlier on the packet's way comes first: a packet that was lost
//! cannot also be late.

use milliwatt_wire::facts::DeadCause;
use milliwatt_wire::load::PTIME_NS;
use std::collections::BTreeMap;

/// Slots of the longest run an agent allows, 12 h: what lies beyond is no slot of ours.
const SLOTS_MAX: u32 = 12 * 3600 * 50;

const CAUSES: [DeadCause; 4] = [
    DeadCause::Lost,
    DeadCause::NotSent,
    DeadCause::Late,
    DeadCause::GuestPlayout,
];

fn precedence(cause: DeadCause) -> u8 {
    match cause {
        DeadCause::Lost => 0,
        DeadCause::NotSent => 1,
        DeadCause::Late => 2,
        DeadCause::GuestPlayout => 3,
    }
}

/// The dead slots of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct DeadSlots {
    slots: BTreeMap<u32, DeadCause>,
}

/// A maximal run of dead slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeadRun {
    pub first_slot: u32,
    pub slots: u32,
    /// The most frequent; of equals, the one earlier on the packet's way.
    pub cause: DeadCause,
}

impl DeadRun {
    /// Length, ns.
    pub(super) fn length(&self) -> i64 {
        i64::from(self.slots) * PTIME_NS
    }
}

impl DeadSlots {
    /// Marks a run of slots.
    pub(super) fn mark(&mut self, first_slot: u32, slots: u32, cause: DeadCause) {
        for slot in first_slot..first_slot.saturating_add(slots).min(SLOTS_MAX) {
            let held = self.slots.entry(slot).or_insert(cause);
            if precedence(cause) < precedence(*held) {
                *held = cause;
            }
        }
    }

    /// Marks `packets` lost packets from a slot on; slots that were never sent held none of them.
    pub(super) fn mark_lost_packets(&mut self, first_slot: u32, packets: u32) {
        let mut left = packets;
        for slot in first_slot..SLOTS_MAX {
            if left == 0 {
                break;
            }
            if self.slots.get(&slot) != Some(&DeadCause::NotSent) {
                self.slots.insert(slot, DeadCause::Lost);
                left -= 1;
            }
        }
    }

    /// Every dead slot, ascending.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, DeadCause)> + '_ {
        self.slots.iter().map(|(slot, cause)| (*slot, *cause))
    }

    /// Slots of one cause.
    pub(super) fn of(&self, cause: DeadCause) -> impl Iterator<Item = u32> + '_ {
        self.slots
            .iter()
            .filter(move |(_, held)| **held == cause)
            .map(|(slot, _)| *slot)
    }

    /// Maximal runs of slots whose cause is among those given.
    pub(super) fn runs(&self, causes: &[DeadCause]) -> Vec<DeadRun> {
        let mut runs = Vec::new();
        let mut open: Vec<(u32, DeadCause)> = Vec::new();
        for (slot, cause) in self
            .slots
            .iter()
            .filter(|(_, cause)| causes.contains(cause))
        {
            if open.last().is_some_and(|(last, _)| last + 1 != *slot) {
                runs.extend(close(&open));
                open.clear();
            }
            open.push((*slot, *cause));
        }
        runs.extend(close(&open));
        runs
    }

    /// Runs of any cause.
    pub(super) fn all_runs(&self) -> Vec<DeadRun> {
        self.runs(&CAUSES)
    }
}

fn close(open: &[(u32, DeadCause)]) -> Option<DeadRun> {
    let count = |cause| open.iter().filter(|(_, held)| *held == cause).count();
    let cause = CAUSES
        .into_iter()
        .max_by_key(|cause| (count(*cause), 3 - precedence(*cause)))?;
    Some(DeadRun {
        first_slot: open.first()?.0,
        slots: u32::try_from(open.len()).ok()?,
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::facts::DeadCause::{GuestPlayout, Late, Lost, NotSent};

    fn long_enough(slots: &DeadSlots, ms: i64) -> Vec<(u32, i64)> {
        let runs = slots
            .all_runs()
            .into_iter()
            .filter(|run| run.length() >= ms * 1_000_000);
        runs.map(|run| (run.first_slot, run.length() / 1_000_000))
            .collect()
    }

    #[test]
    fn events_of_the_hand_made_pattern() {
        // 1^10 000 1^5 X0 1^5 0^13 11
        let mut slots = DeadSlots::default();
        slots.mark(10, 3, Lost);
        slots.mark(18, 1, Late);
        slots.mark(19, 1, Lost);
        slots.mark(25, 13, Lost);
        assert_eq!(long_enough(&slots, 40), [(10, 60), (18, 40), (25, 260)]);
        assert_eq!(long_enough(&slots, 60), [(10, 60), (25, 260)]);
        assert_eq!(long_enough(&slots, 100), [(25, 260)]);
        assert_eq!(long_enough(&slots, 200), [(25, 260)]);
    }

    #[test]
    fn a_slot_keeps_the_cause_that_came_first_whatever_the_order_of_facts() {
        for order in [
            [Lost, NotSent, Late, GuestPlayout],
            [GuestPlayout, Late, NotSent, Lost],
        ] {
            let mut slots = DeadSlots::default();
            for cause in order {
                slots.mark(5, 1, cause);
            }
            assert_eq!(slots.of(Lost).collect::<Vec<_>>(), [5]);
            assert_eq!(slots.all_runs().len(), 1);
        }
    }

    #[test]
    fn cause_of_a_run_is_the_most_frequent() {
        let mut slots = DeadSlots::default();
        slots.mark(0, 2, Lost);
        slots.mark(2, 3, GuestPlayout);
        assert_eq!(
            slots.all_runs(),
            [DeadRun {
                first_slot: 0,
                slots: 5,
                cause: GuestPlayout
            }]
        );
        slots.mark(5, 1, Lost);
        assert_eq!(
            slots.all_runs()[0].cause,
            Lost,
            "three each: the one earlier on the way"
        );
    }

    #[test]
    fn lost_packets_skip_the_slots_that_held_none() {
        let mut slots = DeadSlots::default();
        slots.mark(101, 2, NotSent);
        slots.mark_lost_packets(100, 3);
        assert_eq!(slots.of(Lost).collect::<Vec<_>>(), [100, 103, 104]);
        assert_eq!(slots.of(NotSent).collect::<Vec<_>>(), [101, 102]);
    }

    /// 12 h of 20 ms are 2,160,000 slots: what a broken count names beyond is no slot of ours.
    #[test]
    fn no_slot_lies_beyond_the_longest_run() {
        let mut slots = DeadSlots::default();
        slots.mark(2_159_999, u32::MAX, NotSent);
        slots.mark_lost_packets(2_159_997, 9);
        let all: Vec<_> = slots.all().collect();
        assert_eq!(
            all,
            [(2_159_997, Lost), (2_159_998, Lost), (2_159_999, NotSent)]
        );
    }
}
