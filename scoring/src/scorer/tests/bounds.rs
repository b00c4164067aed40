//! Bounds: lots that limits hold for, and when an end's own time keeping taints.

use super::counting::close;
use super::judging::recording;
use super::rich::{facts_of, measure};
use super::truth::Truth;
use crate::judgement::{Basis, Bound, Judgement, Threshold, Window};
use crate::measured::{Outcome, Verdict};
use milliwatt_wire::facts::{Fact, PacingSecond};
use milliwatt_wire::id::{CallId, End, Leg};
use milliwatt_wire::time::RunTime;

fn limit_per(metric: &str, limit: f64, per: u64) -> Threshold {
    Threshold {
        metric: metric.to_owned(),
        leg: None,
        bound: Bound::Max,
        limit,
        per: Some(per),
        window: Window::Run,
        unit: String::new(),
        basis: Basis::Own,
        source: String::new(),
        warns_only: false,
    }
}

#[track_caller]
fn assert_limits(truth: &Truth, limits: [f64; 3]) {
    let run = truth.measure();
    let metrics = ["recordings.with_silence", "dead_air.events", "packets_lost"];
    for (metric, limit) in metrics.into_iter().zip(limits) {
        let result = run.thresholds.iter().find(|r| r.metric == metric);
        close(result.map(|result| result.limit), limit);
    }
}

/// Recordings for `recordings`, minutes of call leg for `dead_air`, else calls: those begun.
#[test]
fn a_limit_holds_for_each_lot_begun() {
    let mut truth = Truth::clean(18);
    truth.judgement.thresholds = vec![
        limit_per("recordings.with_silence", 1.5, 2),
        limit_per("dead_air.events", 2.0, 1),
        limit_per("packets_lost", 3.0, 1),
    ];
    // No recording, 4 streams for 16 s (64 s), 2 calls.
    assert_limits(&truth, [1.5, 4.0, 6.0]);
    // 5 recordings are 3 lots of 2.
    truth.tester.extend((0..5).map(|call| recording(call, &[])));
    assert_limits(&truth, [4.5, 4.0, 6.0]);
}

/// All lateness of a clean run is 100 us.
#[test]
fn a_second_is_tainted_by_more_than_the_bound() {
    let tainted = |bound| {
        let mut truth = Truth::clean(10);
        truth.judgement.lateness_bound_us = bound;
        truth.measure().validity.tainted
    };
    assert_eq!(tainted(100.0), [0_u32; 0]);
    assert_eq!(tainted(99.9), (1..9).collect::<Vec<u32>>());
}

#[test]
fn a_tester_that_did_not_finish_decides_nothing_and_says_so() {
    let run = Truth {
        killed: Some(End::Tester),
        ..Truth::clean(10)
    }
    .measure();
    assert_eq!((run.verdict, run.partial), (Verdict::Invalid, true));
    assert_eq!(run.validity.reasons.len(), 1, "{:?}", run.validity.reasons);
    assert!(run.validity.reasons[0].starts_with("the tester did not come to the end of the run"));
}

/// The tester's make the run invalid; a named guest's are its own fault.
#[test]
fn facts_that_the_tester_lost_make_the_run_invalid_and_it_says_how_many() {
    let lost = || {
        vec![Fact::Event {
            at: RunTime(9_000_000_000),
            kind: "facts-lost".to_owned(),
            text: "20910 facts were lost on this end".to_owned(),
        }]
    };
    let run = Truth {
        tester: lost(),
        ..Truth::clean(10)
    }
    .measure();
    assert_eq!(run.verdict, Verdict::Invalid);
    let reasons = &run.validity.reasons;
    assert!(reasons[0].contains("20910 facts were lost"), "{reasons:?}");
    let guest = |guest_named| {
        let truth = Truth {
            guest: lost(),
            guest_named,
            ..Truth::clean(10)
        };
        truth.measure().validity.valid
    };
    assert_eq!((guest(true), guest(false)), (true, false));
}

/// A guest may end with full load: it told of all that counts.
#[test]
fn a_guest_that_told_of_all_of_full_load_was_not_silent() {
    let reasons = |told: u32| {
        let mut facts = facts_of(&Truth::clean(10));
        facts.retain(|(end, fact)| match fact {
            Fact::Pacing(second) if *end == End::Guest => second.second < told,
            Fact::Sent(second) if *end == End::Guest => second.second < told,
            Fact::Host(second) if *end == End::Guest => second.second < told,
            _ => true,
        });
        measure(&facts, None).validity.reasons
    };
    assert_eq!(reasons(9), [""; 0], "full load ends at 9 s");
    assert!(reasons(8)[0].starts_with("the guest told nothing of the last 1 of 8"));
}

#[test]
fn a_tester_without_a_packet_to_send_says_so() {
    let mut facts = facts_of(&Truth::clean(10));
    for (end, fact) in &mut facts {
        match fact {
            Fact::Pacing(second) if *end == End::Tester => {
                *second = PacingSecond {
                    second: second.second,
                    ..PacingSecond::default()
                };
            }
            _ => {}
        }
    }
    let run = measure(&facts, Some(Judgement::default()));
    assert_eq!(run.verdict, Verdict::Invalid);
    assert!(run.validity.reasons[0].starts_with("the tester had no packet to send"));
    assert_eq!(run.legs.get(Leg::Receive).packets_lost, 0);
}

/// A tester that was cut off did not wait for them: they may have come yet.
#[test]
fn recordings_that_a_tester_cut_off_did_not_get_are_not_counted_as_silent() {
    let outcome = |killed| {
        let mut truth = Truth {
            killed,
            ..Truth::clean(10)
        };
        truth.judgement.thresholds = vec![limit_per("recordings.with_silence", 1.0, 5000)];
        let expected = (0..3).map(|call| Fact::RecordingExpected { call: CallId(call) });
        truth.tester.extend(expected);
        truth.tester.push(recording(0, &[]));
        truth.measure().thresholds[0].outcome
    };
    assert_eq!(outcome(None), Outcome::Fail, "2 of 3 are missing");
    assert_eq!(outcome(Some(End::Tester)), Outcome::Pass);
}

/// What is missing counts against the recordings and against nothing else.
#[test]
fn missing_recordings_are_no_lost_packets() {
    let mut truth = Truth::clean(10);
    truth.judgement.thresholds = vec![limit_per("packets_lost", 0.0, 1)];
    truth
        .tester
        .push(Fact::RecordingExpected { call: CallId(0) });
    assert_eq!(truth.measure().verdict, Verdict::Pass);
}

/// The notes on the thresholds of a run with so many recordings, the first `silent` of them, and `missing` more.
fn notes(thresholds: Vec<Threshold>, silent: u32, clean: u32, missing: u32) -> Vec<Option<String>> {
    let mut truth = Truth::clean(10);
    truth.judgement.thresholds = thresholds;
    let all = silent + clean + missing;
    let expected = (0..all).map(|call| Fact::RecordingExpected { call: CallId(call) });
    truth.tester.extend(expected);
    let silences = |call| if call < silent { &[1000.0][..] } else { &[] };
    let came = (0..silent + clean).map(|call| recording(call, silences(call)));
    truth.tester.extend(came);
    let results = truth.measure().thresholds;
    results.into_iter().map(|result| result.note).collect()
}

/// None of 300 silent: 1 - 0.05^(1/300) = 0.009936, 1 in 100.6. One of two: sqrt(0.95), 1 in 1.03.
#[test]
fn what_so_many_recordings_prove_is_told() {
    let told = |silent, clean, missing| {
        let thresholds = vec![limit_per("recordings.with_silence", 1.0, 5000)];
        notes(thresholds, silent, clean, missing)[0].clone()
    };
    assert_eq!(
        told(0, 300, 0).as_deref(),
        Some("0 of 300 proves, at 95 %, no more than 1 in 100")
    );
    assert_eq!(
        told(1, 1, 2).as_deref(),
        Some(
            "1 of 2 proves, at 95 %, no more than 1 in 1; 2 expected and not scored count as silent"
        )
    );
    assert_eq!(told(0, 0, 3), None, "nothing is proven by nothing");
    let others = vec![limit_per("recordings.silence_events", 1.0, 5000)];
    assert_eq!(notes(others, 0, 300, 0), [None]);
}

/// Full load lasts 8 s.
#[test]
fn a_window_longer_than_full_load_is_told_of() {
    let over = |seconds| Threshold {
        leg: Some(Leg::Sent),
        per: None,
        window: Window::Seconds(seconds),
        ..limit_per("packets_lost", 0.0, 1)
    };
    let [shorter, whole, longer] = [5, 8, 9].map(|seconds| notes(vec![over(seconds)], 0, 0, 0));
    assert_eq!((shorter, whole), (vec![None], vec![None]));
    let told = "full load lasted 8 s, shorter than the window: judged over all of it";
    assert_eq!(longer[0].as_deref(), Some(told));
}
