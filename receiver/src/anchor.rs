//! The transit that a stream's playout is anchored to, and when it is anchored anew.
//!
//! A level is a transit with the clocks' drift taken off. Playout is anchored to the least level so far, so that a packet
//! is late by as much as its level lies above that. This holds as long as both clocks go on and the path stays: a machine
//! that is paused has its clock stand still with it, and whatever it sends from then on comes later for good, by as long
//! as it stood; so does what takes another path. A buffer that plays it runs empty once, and then plays on as before, only
//! later. So does this:
//!
//! * A trial begins with a packet that comes too late to be played, at least 40 ms after the one before it (two packet
//!   times, the least gap of a disruption) and with a level at least as much higher, where the one before had come in time:
//!   nothing came, and it was not for packets that are missing.
//! * Over its first 100 packets the least levels of each 5 are compared with those of the 5 before. Within 2 ms of each
//!   other they are the new level, and playout is anchored to the lesser of the two: 10 packets and 200 ms after the gap
//!   at the earliest.
//! * A packet that comes in time ends the trial: the old level still holds.
//!
//! Packets until then stay late. What this cannot tell from a pause: a queue that was filled within one packet time and
//! stays full, and one that empties by less than 0.4 ms a packet (2 % of the rate) right after a gap. A queue that grows and
//! shrinks has no such gap: its packets stay late however long it lasts, and so do those of one that empties faster.

use milliwatt_wire::load::PTIME_NS;

/// The least gap of a trial, ns, and by how much its level lies higher.
const GAP_NS: i64 = 2 * PTIME_NS;
/// Packets whose least levels are compared.
const BLOCK: u32 = 5;
/// Levels this near to each other are one, us.
const LEVEL_US: u32 = 2000;
/// A trial lasts for so many packets at most.
const TRIAL_MOST: u32 = 100;

/// Where a packet lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    /// Its level above the reference that it was judged by, ns; never below 0.
    pub above: i64,
    /// By how much the reference rose after it, ns; none where it was not anchored anew.
    pub rose: Option<i64>,
}

/// What a stream's playout is anchored to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Anchor {
    /// [`NO_LEVEL`] before the first packet.
    reference: i64,
    /// Of the packet that came last.
    last: i64,
    trial: Trial,
}

/// A level that may be a new one: without packets there is none.
#[derive(Clone, Copy, Debug)]
struct Trial {
    packets: u32,
    /// Least level of the block under way, and of the one before, us above the reference, which is less than any of them as
    /// long as the trial lasts: [`NO_RISE`] where there is none. There is one of these a stream.
    least: u32,
    before: u32,
}

/// Higher than any.
const NO_LEVEL: i64 = i64::MAX;
const NO_RISE: u32 = u32::MAX;

impl Trial {
    const NONE: Self = Self {
        packets: 0,
        least: NO_RISE,
        before: NO_RISE,
    };

    fn is_under_way(&self) -> bool {
        self.packets > 0
    }

    /// Takes a level, us above the reference; gives by how much that rises once it is certain.
    fn add(&mut self, rise: u32) -> Option<u32> {
        self.packets += 1;
        self.least = self.least.min(rise);
        if !self.packets.is_multiple_of(BLOCK) {
            return None;
        }
        let least = std::mem::replace(&mut self.least, NO_RISE);
        let before = std::mem::replace(&mut self.before, least);
        (before != NO_RISE && least.abs_diff(before) <= LEVEL_US).then_some(least.min(before))
    }
}

impl Anchor {
    /// Nothing came yet.
    pub(crate) const NEW: Self = Self {
        reference: NO_LEVEL,
        last: 0,
        trial: Trial::NONE,
    };

    /// The level that playout is anchored to, ns.
    #[inline]
    pub(crate) fn reference(&self) -> Option<i64> {
        (self.reference != NO_LEVEL).then_some(self.reference)
    }

    /// Judges the packet that came `gap` ns after the one before it, for a buffer that is `depth` ns deep.
    #[inline]
    pub(crate) fn judge(&mut self, level: i64, gap: i64, depth: i64) -> Judged {
        self.reference = self.reference.min(level);
        let above = level - self.reference;
        let last = std::mem::replace(&mut self.last, level);
        if above <= depth {
            self.trial.packets = 0;
            return Judged { above, rose: None };
        }
        let is_gap = gap >= GAP_NS && level - last >= GAP_NS;
        let was_in_time = last - self.reference <= depth;
        Judged {
            above,
            rose: self.try_anew(above, (is_gap, was_in_time)),
        }
    }

    /// A packet that came too late: whether after a gap, and whether the one before it had come in time.
    #[cold]
    fn try_anew(&mut self, above: i64, (is_gap, was_in_time): (bool, bool)) -> Option<i64> {
        let is_under_way = self.trial.is_under_way();
        if is_gap && (was_in_time || is_under_way) {
            self.trial = Trial::NONE;
        } else if !is_under_way {
            return None;
        }
        let rise = u32::try_from(above / 1000).unwrap_or(NO_RISE);
        let anew = self.trial.add(rise);
        if anew.is_some() || self.trial.packets >= TRIAL_MOST {
            self.trial.packets = 0;
        }
        let rose = 1000 * i64::from(anew?);
        self.reference += rose;
        Some(rose)
    }
}

#[cfg(test)]
mod tests;
