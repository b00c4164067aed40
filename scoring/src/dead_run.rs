//! Dead air of one stream, slot after slot: a dead slot carried no audio to the listener (lost, discarded at
//! playout, never sent). A run of them is an event from the least length on, and counts in every class it reaches.
//! Runs with fewer than `JOINED_BELOW` live slots between them make one impairment event.

use crate::measured::{Concealment, DeadAirClasses};

/// Lengths of the classes, ms.
const CLASSES_MS: [i64; 6] = [40, 60, 100, 200, 400, 1000];
/// Fewer live slots than these do not part two runs of one impairment event.
const JOINED_BELOW: u64 = 2;
/// More than this concealed makes a second severely concealed, ns (RFC 7294 leaves it to the user).
const SEVERE_NS: i64 = 50_000_000;
const SECOND_NS: i64 = 1_000_000_000;

/// Sums of one stream or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeadRunTotals {
    /// Runs of at least the least length.
    pub events: u64,
    /// Longest of them, ns.
    pub longest: i64,
    /// Sum of them, ns.
    pub total: i64,
    /// Runs of at least 40, 60, 100, 200, 400, 1000 ms.
    pub classes: [u64; 6],
    /// Impairment events: runs of any length, near ones joined.
    pub joined: u64,
}

impl DeadRunTotals {
    /// Adds another stream's.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.longest = self.longest.max(other.longest);
        self.total = self.total.saturating_add(other.total);
        self.joined += other.joined;
        for (class, more) in self.classes.iter_mut().zip(other.classes) {
            *class += more;
        }
    }

    /// Counts a run of this length, ns, where events last `least`.
    pub fn count(&mut self, length: i64, least: i64) {
        for (class, ms) in self.classes.iter_mut().zip(CLASSES_MS) {
            *class += u64::from(length >= ms * 1_000_000);
        }
        if length >= least {
            self.events += 1;
            self.longest = self.longest.max(length);
            self.total = self.total.saturating_add(length);
        }
    }

    /// The classes by their names.
    #[must_use]
    pub fn at_least(&self) -> DeadAirClasses {
        let [ms_40, ms_60, ms_100, ms_200, ms_400, ms_1000] = self.classes;
        DeadAirClasses {
            ms_40,
            ms_60,
            ms_100,
            ms_200,
            ms_400,
            ms_1000,
        }
    }
}

/// Takes slots in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeadRunLog {
    totals: DeadRunTotals,
    run: i64,
    live: Option<u64>,
}

impl DeadRunLog {
    /// A slot of `ptime` ns, dead or not; a run that it ends is an event from `least` ns on. Gives the length
    /// of the event that it ends, ns.
    #[inline]
    pub fn slot(&mut self, is_dead: bool, ptime: i64, least: i64) -> Option<i64> {
        if !is_dead {
            self.live = self.live.map(|live| live.saturating_add(1));
            return if self.run == 0 {
                None
            } else {
                self.close(least)
            };
        }
        if self.run == 0 {
            let apart = self.live.is_none_or(|live| live >= JOINED_BELOW);
            self.totals.joined += u64::from(apart);
            self.live = Some(0);
        }
        self.run = self.run.saturating_add(ptime);
        None
    }

    /// So many live slots, where no run is open.
    #[inline]
    pub fn live(&mut self, slots: u64) {
        self.live = self.live.map(|live| live.saturating_add(slots));
    }

    /// Ends the run that is open. Gives the length of the event it was, ns.
    pub fn close(&mut self, least: i64) -> Option<i64> {
        let run = std::mem::take(&mut self.run);
        if run > 0 {
            self.totals.count(run, least);
            self.live = Some(self.live.unwrap_or(0).min(1));
        }
        (run > 0 && run >= least).then_some(run)
    }

    /// A run is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.run > 0
    }

    /// The sums so far.
    #[must_use]
    pub fn totals(&self) -> &DeadRunTotals {
        &self.totals
    }
}

/// What concealment fills in, RFC 7294 (concealed time, unimpaired, concealed and severely concealed seconds).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConcealmentLog {
    /// Media time that was played, ns.
    played: i64,
    /// Concealed in the second under way.
    concealed_now: i64,
    concealed: i64,
    interrupts: u64,
    is_interrupted: bool,
    seconds: [u64; 3],
}

impl ConcealmentLog {
    /// So many live slots of `ptime` ns.
    pub fn live(&mut self, slots: u64, ptime: i64) {
        let slots = i64::try_from(slots).unwrap_or(i64::MAX);
        self.is_interrupted &= slots == 0;
        self.played = self.played.saturating_add(slots.saturating_mul(ptime));
        self.turn_seconds();
    }

    /// A slot of `ptime` ns; dead ones are concealed.
    #[inline]
    pub fn slot(&mut self, is_dead: bool, ptime: i64) {
        if is_dead {
            self.concealed = self.concealed.saturating_add(ptime);
            self.concealed_now = self.concealed_now.saturating_add(ptime);
            self.interrupts += u64::from(!self.is_interrupted);
        }
        self.is_interrupted = is_dead;
        self.played = self.played.saturating_add(ptime);
        self.turn_seconds();
    }

    /// So many dead slots of `ptime` ns, at most a second, in a row: what [`Self::slot`] makes of them one by one, in
    /// one step however many a timestamp claims.
    pub fn dead(&mut self, slots: u64, ptime: i64) {
        if slots == 0 || ptime <= 0 {
            return;
        }
        let length = i64::try_from(slots).map_or(i64::MAX, |slots| slots.saturating_mul(ptime));
        self.concealed = self.concealed.saturating_add(length);
        self.interrupts += u64::from(!self.is_interrupted);
        self.is_interrupted = true;
        let played = self.played.saturating_add(length);
        if played < SECOND_NS {
            self.concealed_now += length;
            self.played = played;
            return;
        }
        // The slot in which a second ends is that second's; all seconds after the first are nothing but dead.
        let room = SECOND_NS - self.played;
        self.concealed_now = self
            .concealed_now
            .saturating_add((room + ptime - 1) / ptime * ptime);
        self.turn();
        self.seconds[2] += (played / SECOND_NS - 1).unsigned_abs();
        self.played = played % SECOND_NS;
        self.concealed_now = self.played / ptime * ptime;
    }

    fn turn_seconds(&mut self) {
        let ended = (self.played / SECOND_NS).unsigned_abs();
        if ended > 0 {
            self.played %= SECOND_NS;
            self.turn();
            self.seconds[0] += ended - 1;
        }
    }

    fn turn(&mut self) {
        let class = match std::mem::take(&mut self.concealed_now) {
            0 => 0,
            concealed if concealed <= SEVERE_NS => 1,
            _ => 2,
        };
        self.seconds[class] += 1;
    }

    /// Ends the stream: a second begun is a second.
    pub fn close(&mut self) {
        if std::mem::take(&mut self.played) > 0 {
            self.turn();
        }
    }

    /// Adds another stream's, both closed.
    pub fn add(&mut self, other: &Self) {
        self.concealed = self.concealed.saturating_add(other.concealed);
        self.interrupts += other.interrupts;
        for (seconds, more) in self.seconds.iter_mut().zip(other.seconds) {
            *seconds += more;
        }
    }

    /// As figures.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "times below 2^53 ns (104 days)")]
    pub fn figures(&self) -> Concealment {
        let concealed_ms = self.concealed as f64 / 1e6;
        let [unimpaired, concealed, severe] = self.seconds;
        Concealment {
            concealed_ms,
            unimpaired_seconds: unimpaired,
            concealed_seconds: concealed + severe,
            severely_concealed_seconds: severe,
            mean_interrupt_ms: (self.interrupts > 0).then(|| concealed_ms / self.interrupts as f64),
        }
    }
}

#[cfg(test)]
mod tests;
