//! How often a comparison errs, and how often it finds what is there: seeded, so that the counts are what they are.

use super::runs::System;
use crate::comparison::{Change, Comparison, RunDraws, compare};

const RESAMPLES: usize = 1000;

/// Runs of a system, drawn again; each system of a seed has runs of its own.
fn runs(system: &System, seed: u64, count: u64) -> Vec<RunDraws> {
    (0..count)
        .map(|run| {
            let seed = seed * 100 + run;
            RunDraws::of(&system.run(seed), seed, RESAMPLES)
        })
        .collect()
}

fn compared(before: &[RunDraws], after: &[RunDraws]) -> Comparison {
    compare(before, after, |metric| metric.least, 1)
}

fn count(found: &[Change], change: Change) -> usize {
    found.iter().filter(|verdict| **verdict == change).count()
}

/// 20 of the ordered pairs of 7 runs, no run against itself, each run as often as others on either side.
fn twenty_pairs(runs: &[RunDraws]) -> Vec<Change> {
    let pairs = (1..=3).flat_map(|step| (0..7).map(move |first| (first, (first + step) % 7)));
    pairs
        .take(20)
        .map(|(a, b)| compared(&runs[a..=a], &runs[b..=b]).verdict)
        .collect()
}

/// 6 quiet hosts, 120 pairs: all say same.
#[test]
fn a_quiet_host_against_itself_is_the_same() {
    for seed in 0..6 {
        let found = twenty_pairs(&runs(&System::QUIET, seed, 7));
        assert_eq!(count(&found, Change::Same), 20, "{found:?}");
    }
}

/// 12 hosts: of 20 pairs of 7 runs at most one says worse on each. What cannot be known is not told.
#[test]
fn a_shared_host_against_itself_is_worse_once_in_twenty_pairs_at_most() {
    for seed in 600..612 {
        let found = twenty_pairs(&runs(&System::SHARED, seed, 7));
        assert!(count(&found, Change::Worse) <= 1, "{seed}: {found:?}");
    }
}

/// Of 240 pairs of runs of 12 hosts where seconds differ by factors of two, less than 1 % say worse.
#[test]
fn a_noisy_host_against_itself_is_hardly_ever_worse() {
    let worse: usize = (100..112)
        .map(|seed| count(&twenty_pairs(&runs(&System::NOISY, seed, 7)), Change::Worse))
        .sum();
    assert!(worse <= 2, "{worse} of 240");
}

/// Three runs a side: the noise between runs is known, and hardly ever taken for a change.
#[test]
fn several_runs_of_a_noisy_host_are_hardly_ever_worse_than_others() {
    let found: Vec<Change> = (200..230)
        .map(|seed| {
            let runs = runs(&System::NOISY, seed, 6);
            compared(&runs[..3], &runs[3..]).verdict
        })
        .collect();
    assert!(count(&found, Change::Worse) <= 1, "{found:?}");
}

/// PDV four times what it was, p99 from 10 to 40 ms: found on noisy hosts by one run a side, and the other way round it is
/// better.
#[test]
fn four_times_the_delay_variation_is_worse_and_a_quarter_of_it_better() {
    let more = System {
        pdv_ms: 8.0,
        ..System::NOISY
    };
    let both = (300..320).map(|seed| {
        let (before, after) = (runs(&System::NOISY, seed, 1), runs(&more, seed + 50, 1));
        [
            compared(&before, &after).verdict,
            compared(&after, &before).verdict,
        ]
    });
    let (worse, better): (Vec<Change>, Vec<Change>) = both.map(Into::into).unzip();
    assert!(count(&worse, Change::Worse) >= 18, "{worse:?}");
    assert!(count(&better, Change::Better) >= 18, "{better:?}");
}

/// PDV twice what it was on hosts whose seconds are more alike, p99 from 6 to 12 ms.
#[test]
fn twice_the_delay_variation_is_worse_on_a_steady_host() {
    let before = System {
        pdv_ms: 1.2,
        ..System::QUIET
    };
    let twice = System {
        pdv_ms: 2.4,
        ..System::QUIET
    };
    let found: Vec<Change> = (500..520)
        .map(|seed| compared(&runs(&before, seed, 1), &runs(&twice, seed + 50, 1)).verdict)
        .collect();
    assert!(count(&found, Change::Worse) >= 18, "{found:?}");
}

/// One percent more of packets lost one by one: found every time.
#[test]
fn one_percent_of_loss_is_worse() {
    let lossy = System {
        loss: 0.01,
        ..System::QUIET
    };
    for seed in 400..410 {
        let (before, after) = (runs(&System::QUIET, seed, 1), runs(&lossy, seed + 50, 1));
        assert_eq!(compared(&before, &after).verdict, Change::Worse);
    }
}
