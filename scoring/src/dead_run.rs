//! Dead air of one stream, slot after slot: a dead slot carried no audio to the listener (lost, discarded at
//! playout, never sent). A run of them is an event from the least length on, and counts in every class it reaches.
//! Runs with fewer than [`JOINED_BELOW`] live slots between them make one impairment event.

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
        self.total += other.total;
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
            self.total += length;
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
        let mut left = slots;
        while left > 0 && ptime > 0 {
            let room = (SECOND_NS - self.played + ptime - 1) / ptime;
            let now = left.min(u64::try_from(room).unwrap_or(1).max(1));
            self.is_interrupted = false;
            self.played += i64::try_from(now).unwrap_or(0) * ptime;
            self.turn_seconds();
            left -= now;
        }
    }

    /// A slot of `ptime` ns; dead ones are concealed.
    #[inline]
    pub fn slot(&mut self, is_dead: bool, ptime: i64) {
        if is_dead {
            self.concealed += ptime;
            self.concealed_now += ptime;
            self.interrupts += u64::from(!self.is_interrupted);
        }
        self.is_interrupted = is_dead;
        self.played += ptime;
        self.turn_seconds();
    }

    fn turn_seconds(&mut self) {
        while self.played >= SECOND_NS {
            self.played -= SECOND_NS;
            self.turn();
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
        self.concealed += other.concealed;
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
mod tests {
    use super::*;

    const P: i64 = 20_000_000;

    fn totals(pattern: &str, least_ms: i64) -> DeadRunTotals {
        let mut log = DeadRunLog::default();
        for slot in pattern.chars() {
            log.slot(slot != '1', P, least_ms * 1_000_000);
        }
        log.close(least_ms * 1_000_000);
        *log.totals()
    }

    /// 1^10 000 1^5 X0 1^5 0^13 11: runs of 60, 40 and 260 ms.
    fn hand_made() -> String {
        [
            "1".repeat(10),
            "000".into(),
            "1".repeat(5),
            "X0".into(),
            "1".repeat(5),
            "0".repeat(13),
            "11".into(),
        ]
        .concat()
    }

    #[test]
    fn runs_count_from_the_least_length_on_and_in_every_class_they_reach() {
        let events = |least| totals(&hand_made(), least).events;
        assert_eq!([40, 60, 100, 200].map(events), [3, 2, 1, 1]);
        let all = totals(&hand_made(), 60);
        assert_eq!(all.classes, [3, 2, 1, 1, 0, 0]);
        assert_eq!((all.longest, all.total), (260_000_000, 320_000_000));
        assert_eq!(all.at_least().ms_200, 1);
    }

    #[test]
    fn a_run_at_the_end_counts_too() {
        assert_eq!(totals("10000", 60).events, 1);
    }

    /// One live slot does not part two runs; two do.
    #[test]
    fn near_runs_are_one_impairment_event() {
        assert_eq!(totals("10101", 60).joined, 1);
        assert_eq!(totals("101101", 60).joined, 2);
        assert_eq!(totals("0110", 60).joined, 2);
        assert_eq!(totals(&hand_made(), 60).joined, 3);
    }

    /// 100 slots are two seconds: 40 ms concealed in the first, 60 ms (in two interruptions) in the second; ten
    /// slots more are a third, unimpaired.
    #[test]
    fn seconds_are_unimpaired_concealed_or_severely_concealed() {
        let mut log = ConcealmentLog::default();
        for slot in 0..110 {
            log.slot([3, 4, 60, 61, 70].contains(&slot), P);
        }
        log.close();
        let figures = log.figures();
        assert!((figures.concealed_ms - 100.0).abs() < 1e-9);
        assert_eq!(
            (figures.unimpaired_seconds, figures.concealed_seconds),
            (1, 2)
        );
        assert_eq!(figures.severely_concealed_seconds, 1);
        assert!((figures.mean_interrupt_ms.unwrap() - 100.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn exactly_50_ms_is_not_severe() {
        let mut log = ConcealmentLog::default();
        for slot in 0..100 {
            log.slot(slot < 5, P / 2);
        }
        log.close();
        assert_eq!(log.figures().severely_concealed_seconds, 0);
    }
}
