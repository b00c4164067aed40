//! One stream of a leg, as all facts together tell: when its slots lie, and what became of those that were hit.

use super::level::Levels;
use milliwatt_wire::facts::{DeadCause, LatePacket};
use milliwatt_wire::id::{CallId, Party};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::RunTime;

/// What the receiver's last word says of a stream's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It said nothing.
    Unknown,
    /// Nothing came.
    Nothing,
    /// This slot was the last to come.
    Until(u32),
}

/// The same stream in both directions.
pub(crate) type Key = (CallId, Party);

/// A stream.
#[derive(Clone, Debug)]
pub(crate) struct Track<'a> {
    /// When slot 0 was due, by the sender's clock.
    pub due: RunTime,
    /// When its call ended, or the run, by the tester's clock.
    pub end: RunTime,
    pub heard: Heard,
    /// Packets lost after the last that came, by the sender's ledger.
    pub tail_lost: u32,
    /// Slots whose packets were lost.
    pub lost: Runs,
    /// Slots that were not sent.
    pub unsent: Runs,
    /// Slots that the guest did not play though they were there.
    pub unplayed: Runs,
    /// By slot.
    pub late: &'a [LatePacket],
    /// Slots of the packets after which its playout was anchored anew, in order: later ones are late by the new reference.
    pub anchored_anew: &'a [u32],
    /// When a tick of the guest that plays it is due, by the guest's clock; none where that is not known.
    pub tick: Option<RunTime>,
}

impl Track<'_> {
    /// When a slot was due, by the sender's clock.
    fn due_of(&self, slot: u32) -> RunTime {
        self.due + i64::from(slot) * PTIME_NS
    }

    /// When a slot's packet arrives that nothing holds.
    pub(crate) fn time_of(&self, slot: u32, levels: &Levels) -> RunTime {
        let due = self.due_of(slot);
        due + levels.to_tester(due)
    }

    /// The first slot whose time is not before `at`.
    pub(crate) fn slot_from(&self, at: RunTime, levels: &Levels) -> u32 {
        let since = (at - self.due).saturating_sub(levels.to_tester(at));
        u32::try_from(since.max(0).saturating_add(PTIME_NS - 1) / PTIME_NS).unwrap_or(u32::MAX)
    }

    /// How far above its reference transit a slot's packet came, ns; none where that was not listed.
    pub(crate) fn above(&self, slot: u32) -> Option<i64> {
        let place = self
            .late
            .binary_search_by_key(&slot, |late| late.slot)
            .ok()?;
        Some(i64::from(self.late[place].above_us) * 1000)
    }

    /// Whether playout was anchored anew between two slots.
    pub(crate) fn is_anchored_anew(&self, from: u32, to: u32) -> bool {
        let place = self.anchored_anew.partition_point(|slot| *slot < from);
        self.anchored_anew.get(place).is_some_and(|slot| *slot < to)
    }

    /// When the tick of the guest was due that plays a slot, on the tester's clock.
    pub(crate) fn tick_of(&self, slot: u32, depth: i64, levels: &Levels) -> RunTime {
        /// A tick may come this much before the buffer's depth is full.
        const TOLERANCE_NS: i64 = 1_000_000;
        let due = self.due_of(slot);
        let level = levels.before(due);
        let ready = due + (level + depth - TOLERANCE_NS);
        let until_tick = self
            .tick
            .map_or(0, |tick| (tick - ready).rem_euclid(PTIME_NS));
        ready + (until_tick - level + levels.to_tester(due))
    }
}

/// Runs of slots: (first, how many), apart from each other and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Runs(Vec<(u32, u32)>);

impl Runs {
    /// Those of one cause. What both ends tell of counts once.
    pub(crate) fn of(dead: &[(DeadCause, u32, u32)], cause: DeadCause) -> Self {
        let own = dead.iter().filter(|(of, ..)| *of == cause);
        let mut told: Vec<(u32, u32)> = own.map(|(_, first, slots)| (*first, *slots)).collect();
        told.sort_unstable();
        let mut runs: Vec<(u32, u32)> = Vec::with_capacity(told.len());
        for (first, slots) in told {
            let after = first.saturating_add(slots);
            match runs.last_mut() {
                Some((from, length)) if first <= from.saturating_add(*length) => {
                    *length = (*length).max(after - *from);
                }
                _ => runs.push((first, slots)),
            }
        }
        Self(runs)
    }

    /// Those that touch slots `from` to before `to`, cut to them.
    pub(crate) fn within(&self, from: u32, to: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let begin = self
            .0
            .partition_point(|(first, slots)| first.saturating_add(*slots) <= from);
        let touching = self.0[begin..]
            .iter()
            .take_while(move |(first, _)| *first < to);
        touching.map(move |(first, slots)| {
            let (start, after) = ((*first).max(from), first.saturating_add(*slots).min(to));
            (start, after.saturating_sub(start))
        })
    }

    /// Slots of them from `from` to before `to`.
    pub(crate) fn count(&self, from: u32, to: u32) -> u32 {
        self.within(from, to).map(|(_, slots)| slots).sum()
    }

    /// How many lie right before a slot.
    pub(crate) fn right_before(&self, slot: u32) -> u32 {
        let place = self.0.partition_point(|(first, _)| *first < slot);
        let before = place.checked_sub(1).and_then(|place| self.0.get(place));
        before
            .filter(|(first, slots)| first.saturating_add(*slots) >= slot)
            .map_or(0, |(first, _)| slot - first)
    }
}
