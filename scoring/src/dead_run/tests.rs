//! Runs of dead slots drawn by hand, and properties that hold for all.

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
