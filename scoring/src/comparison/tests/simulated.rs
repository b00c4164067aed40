//! What single comparisons of simulated runs say.

use super::runs::System;
use crate::comparison::{Change, Comparison, MetricComparison, RunDraws, compare};
use milliwatt_wire::id::Leg;

fn one(system: &System, seed: u64) -> [RunDraws; 1] {
    [RunDraws::of(&system.run(seed), seed, 1000)]
}

fn compared(before: &[RunDraws], after: &[RunDraws]) -> Comparison {
    compare(before, after, |metric| metric.least, 1)
}

fn find<'a>(comparison: &'a Comparison, metric: &str) -> &'a MetricComparison {
    let of = |m: &&MetricComparison| m.metric == metric && m.leg != Some(Leg::Sent);
    comparison.metrics.iter().find(of).unwrap()
}

/// A stall of all 40 streams in one second is one incident, whatever it did to how many: 40 dead-air events in 20 minutes
/// of call are 2000 in a thousand, and one more incident in the other run would have made as many there.
#[test]
fn one_stall_of_all_streams_is_one_incident_and_proves_nothing() {
    let before = System::QUIET.run(1);
    let mut after = System::QUIET.run(2);
    for leg in &mut after.legs {
        leg.seconds[12].dead_air_events = 40;
        leg.streams
            .iter_mut()
            .for_each(|stream| stream.dead_air_events = 1);
    }
    let draws = |sample, seed| [RunDraws::of(sample, seed, 1000)];
    let comparison = compared(&draws(&before, 1), &draws(&after, 2));
    let dead_air = find(&comparison, "dead_air.per_1000_call_minutes");
    assert_eq!(dead_air.verdict, Some(Change::CannotTell), "{dead_air:?}");
    assert!((dead_air.difference.unwrap() - 2000.0).abs() < 1e-6);
    assert_eq!(comparison.verdict, Change::CannotTell);
}

/// The same in every third second is.
#[test]
fn a_stall_of_all_streams_every_third_second_is_worse() {
    let before = System::QUIET.run(1);
    let mut after = System::QUIET.run(2);
    for leg in &mut after.legs {
        leg.seconds
            .iter_mut()
            .step_by(3)
            .for_each(|second| second.dead_air_events = 40);
        leg.streams
            .iter_mut()
            .for_each(|stream| stream.dead_air_events = 10);
    }
    let draws = |sample, seed| [RunDraws::of(sample, seed, 1000)];
    let comparison = compared(&draws(&before, 1), &draws(&after, 2));
    let dead_air = find(&comparison, "dead_air.per_1000_call_minutes");
    assert_eq!(dead_air.verdict, Some(Change::Worse), "{dead_air:?}");
}

#[test]
fn a_run_with_too_few_streams_cannot_tell_and_says_how_many_would() {
    let few = System {
        streams: 4,
        ..System::QUIET
    };
    let comparison = compared(&one(&few, 1), &one(&System::QUIET, 2));
    let loss = find(&comparison, "loss_percent");
    assert_eq!(loss.verdict, Some(Change::CannotTell));
    assert_eq!(
        loss.reason.as_deref(),
        Some("4 streams, and at least 8 are needed")
    );
    assert!(loss.needed.unwrap().streams >= Some(8), "{loss:?}");
    assert_eq!(comparison.verdict, Change::CannotTell);
}

#[test]
fn what_one_side_did_not_measure_is_not_compared() {
    let mut silent = System::QUIET.run(1);
    silent.recordings.clear();
    let comparison = compared(&[RunDraws::of(&silent, 1, 100)], &one(&System::QUIET, 2));
    let recordings = find(&comparison, "recordings.silence_per_1000_call_minutes");
    assert_eq!((recordings.verdict, recordings.difference), (None, None));
    // Nine metrics of both legs, not sent of one, ticks.
    assert_eq!(comparison.judged, 9 * 2 + 1 + 1);
}

#[test]
fn the_same_runs_give_the_same_and_the_seed_moves_no_estimate() {
    let (before, after) = (one(&System::NOISY, 1), one(&System::NOISY, 2));
    let first = compared(&before, &after);
    assert_eq!(first, compared(&before, &after));
    let other = compare(&before, &after, |metric| metric.least, 2);
    let estimates = |of: &Comparison| of.metrics.iter().map(|m| m.difference).collect::<Vec<_>>();
    assert_eq!(estimates(&first), estimates(&other));
}

/// The estimate is the figure of the one less the figure of the other, and lies in its interval; the interval of all holds
/// that of one.
#[test]
fn intervals_hold_their_estimate() {
    let one = |seed| {
        let run = System::NOISY.run_with_transfers(seed, 40.0);
        [RunDraws::of(&run, seed, 1000)]
    };
    let comparison = compared(&one(1), &one(2));
    let measured = comparison.metrics.iter().filter(|m| m.run.is_some());
    // All but transfers towards the guest.
    assert_eq!(measured.clone().count(), comparison.metrics.len() - 1);
    for metric in measured {
        let (difference, [low, high]) = (metric.difference.unwrap(), metric.interval_95.unwrap());
        let [lower, higher] = metric.interval_of_all.unwrap();
        let expected = metric.run.unwrap() - metric.baseline.unwrap();
        assert!((difference - expected).abs() < 1e-9);
        assert!(
            lower <= low && low <= difference && difference <= high && high <= higher,
            "{metric:?}"
        );
    }
}

/// Five runs a side that differ by a tenth from run to run: half of the rate is less, which decides nothing; the same rate is
/// not, and where there are no transfers nothing is said of them.
#[test]
fn transfers_that_carry_half_of_what_they_did_are_worse() {
    let runs = |from: u64, mbps| {
        let run = |seed| RunDraws::of(&System::QUIET.run_with_transfers(seed, mbps), seed, 1000);
        (from..from + 5).map(run).collect::<Vec<_>>()
    };
    let goodput = |comparison: &Comparison, leg| {
        let of = |m: &&MetricComparison| m.metric == "transfer.goodput_mbps" && m.leg == Some(leg);
        comparison.metrics.iter().find(of).unwrap().clone()
    };
    let slower = compared(&runs(1, 40.0), &runs(11, 20.0));
    let sent = goodput(&slower, Leg::Sent);
    assert_eq!(sent.verdict, Some(Change::Worse), "{sent:?}");
    assert_ne!(slower.verdict, Change::Worse);
    assert_eq!(goodput(&slower, Leg::Receive).verdict, None);
    let alike = compared(&runs(1, 40.0), &runs(11, 40.0));
    let sent = goodput(&alike, Leg::Sent);
    assert_ne!(sent.verdict, Some(Change::Worse), "{sent:?}");
    assert_ne!(sent.verdict, Some(Change::Better), "{sent:?}");
}
