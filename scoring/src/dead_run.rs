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
mod tests {
    use super::*;
    use proptest::prelude::*;

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

    /// (first slot, ms) of each event of at least so many ms.
    fn events(pattern: &str, least_ms: i64) -> Vec<(i64, i64)> {
        let (mut log, mut found) = (DeadRunLog::default(), Vec::new());
        let mut tell = |end: i64, length: Option<i64>| {
            found.extend(length.map(|ns| (end - ns / P, ns / 1_000_000)));
        };
        for (place, slot) in (0..).zip(pattern.chars()) {
            tell(place, log.slot(slot != '1', P, least_ms * 1_000_000));
        }
        let end = i64::try_from(pattern.len()).unwrap();
        tell(end, log.close(least_ms * 1_000_000));
        found
    }

    #[test]
    fn events_are_told_with_their_place_and_length() {
        let of = |least| events(&hand_made(), least);
        assert_eq!(of(40), [(10, 60), (18, 40), (25, 260)]);
        assert_eq!(of(60), [(10, 60), (25, 260)]);
        assert_eq!(of(100), [(25, 260)]);
        assert_eq!(of(200), [(25, 260)]);
        assert_eq!(events("11000", 60), [(2, 60)], "at the end");
    }

    /// 2, 3, 5, 10, 20 and 50 slots are the classes; one slot less reaches only the class before.
    #[test]
    fn a_run_counts_in_every_class_up_to_its_length() {
        let classes = |slots: usize| totals(&"0".repeat(slots), 60).classes;
        for (reached, slots) in (1..).zip([2, 3, 5, 10, 20, 50]) {
            assert_eq!(classes(slots).iter().sum::<u64>(), reached, "{slots} slots");
            assert_eq!(
                classes(slots - 1).iter().sum::<u64>(),
                reached - 1,
                "a slot less"
            );
        }
        let named = totals(&"0".repeat(50), 60).at_least();
        let all = DeadAirClasses {
            ms_40: 1,
            ms_60: 1,
            ms_100: 1,
            ms_200: 1,
            ms_400: 1,
            ms_1000: 1,
        };
        assert_eq!(named, all);
        assert_eq!(
            totals("00", 60).at_least(),
            DeadAirClasses {
                ms_40: 1,
                ..Default::default()
            }
        );
    }

    #[test]
    fn sums_of_several_streams_have_the_longest_run_of_all() {
        let mut all = totals(&hand_made(), 60);
        all.add(&totals("000", 60));
        assert_eq!(
            (all.events, all.longest, all.total),
            (3, 260_000_000, 380_000_000)
        );
        assert_eq!((all.joined, all.classes), (4, [4, 3, 1, 1, 0, 0]));
    }

    proptest! {
        /// Live slots may be told one by one or together, where no run is open.
        #[test]
        fn live_slots_may_come_in_any_parts(pattern in "[01]{0,200}") {
            let mut parts = DeadRunLog::default();
            let mut concealed = [ConcealmentLog::default(); 2];
            let mut quiet = 0;
            for slot in pattern.chars() {
                let is_dead = slot == '0';
                concealed[0].slot(is_dead, P);
                if !is_dead && !parts.is_open() {
                    quiet += 1;
                    continue;
                }
                parts.live(quiet);
                concealed[1].live(std::mem::take(&mut quiet), P);
                parts.slot(is_dead, P, 60_000_000);
                concealed[1].slot(is_dead, P);
            }
            parts.close(60_000_000);
            concealed[1].live(quiet, P);
            prop_assert_eq!(*parts.totals(), totals(&pattern, 60));
            let [one_by_one, together] = concealed.map(|mut log| { log.close(); log.figures() });
            prop_assert_eq!(one_by_one, together);
        }

        #[test]
        fn runs_are_the_same_backwards_and_hold_every_dead_slot(pattern in "[01]{0,200}") {
            let backwards: String = pattern.chars().rev().collect();
            let all = totals(&pattern, 20);
            prop_assert_eq!(all, totals(&backwards, 20));
            let dead = i64::try_from(pattern.matches('0').count()).unwrap();
            prop_assert_eq!(all.total, dead * P);
            let mut log = ConcealmentLog::default();
            pattern.chars().for_each(|slot| log.slot(slot == '0', P));
            log.close();
            let figures = log.figures();
            #[expect(clippy::cast_precision_loss, reason = "some slots")]
            let ms = (dead * 20) as f64;
            prop_assert!((figures.concealed_ms - ms).abs() < 1e-9);
            let seconds = figures.unimpaired_seconds + figures.concealed_seconds;
            prop_assert_eq!(seconds, (pattern.len() as u64).div_ceil(50));
        }
    }

    #[test]
    fn a_run_is_open_from_its_first_slot_to_the_next_live_one() {
        let mut log = DeadRunLog::default();
        let mut is_open = |is_dead| {
            log.slot(is_dead, P, 60_000_000);
            log.is_open()
        };
        assert_eq!(
            [false, true, true, false].map(&mut is_open),
            [false, true, true, false]
        );
    }

    /// Two live slots part two runs, though the log is closed between them with none open.
    #[test]
    fn closing_where_no_run_is_open_changes_nothing() {
        let mut log = DeadRunLog::default();
        for is_dead in [true, false, false] {
            log.slot(is_dead, P, 0);
        }
        assert_eq!(log.close(0), None, "nothing is no event of 0 ms either");
        log.slot(true, P, 0);
        assert_eq!(log.close(0), Some(P));
        assert_eq!((log.totals().joined, log.totals().events), (2, 2));
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
        let figures = log.figures();
        assert_eq!(
            (
                figures.concealed_seconds,
                figures.severely_concealed_seconds
            ),
            (1, 0)
        );
    }

    /// 40 ms in one stream's second, 60 ms in the other's; an interruption each.
    #[test]
    fn concealment_of_several_streams_adds_up() {
        let of = |dead: usize| {
            let mut log = ConcealmentLog::default();
            (0..50).for_each(|slot| log.slot(slot < dead, P));
            log.close();
            log
        };
        let mut all = of(2);
        all.add(&of(3));
        all.add(&of(0));
        let figures = all.figures();
        assert!((figures.concealed_ms - 100.0).abs() < 1e-9);
        assert_eq!(
            (figures.unimpaired_seconds, figures.concealed_seconds),
            (1, 2)
        );
        assert_eq!(figures.severely_concealed_seconds, 1);
        assert_eq!(figures.mean_interrupt_ms, Some(50.0));
        assert_eq!(of(0).figures().mean_interrupt_ms, None);
    }

    proptest! {
        #[test]
        fn dead_slots_at_once_are_as_dead_as_one_by_one(
            runs in prop::collection::vec((0_u64..400, 0_u64..400), 1..6),
            ptime_ms in 1_i64..1000,
        ) {
            let (mut at_once, mut walked) = (ConcealmentLog::default(), ConcealmentLog::default());
            for (live, dead) in runs {
                at_once.live(live, ptime_ms * 1_000_000);
                at_once.dead(dead, ptime_ms * 1_000_000);
                (0..live).for_each(|_| walked.slot(false, ptime_ms * 1_000_000));
                (0..dead).for_each(|_| walked.slot(true, ptime_ms * 1_000_000));
            }
            at_once.close();
            walked.close();
            prop_assert_eq!(at_once.figures(), walked.figures());
        }
    }

    /// 2^62 slots of a second and as many again: nothing overflows.
    #[test]
    fn more_than_any_time_is_as_much_as_there_is() {
        let mut log = ConcealmentLog::default();
        for _ in 0..3 {
            log.dead(1 << 62, SECOND_NS);
            log.slot(true, i64::MAX);
        }
        log.close();
        assert_eq!(log.concealed, i64::MAX);
        let mut totals = DeadRunTotals::default();
        totals.count(i64::MAX, 1);
        totals.count(i64::MAX, 1);
        assert_eq!((totals.events, totals.total), (2, i64::MAX));
    }
}
