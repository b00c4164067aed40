//! Bounds: lots that limits hold for, and when an end's own time keeping taints.

use super::counting::close;
use super::judging::recording;
use super::rich::{facts_of, measure};
use super::truth::Truth;
use crate::judgement::{Basis, Bound, Judgement, Threshold, Window};
use crate::measured::Verdict;
use milliwatt_wire::facts::{Fact, PacingSecond};
use milliwatt_wire::id::{End, Leg};

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
