//! Disruptions of runs whose truth is known.

use super::stage::{Happening, MS, Stage};
use crate::judgement::{Basis, Bound, Judgement, Threshold, Window};
use crate::measured::{
    Disruption, DisruptionKind, LegDisruption, MarkEffect, Measured, Outcome, Verdict,
};
use crate::scorer::end::{float, ms};
use milliwatt_wire::facts::{Fact, HookOutcome, MarkSource};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::time::RunTime;

const S: i64 = 1000 * MS;

fn only(measured: &Measured) -> &Disruption {
    let [disruption] = measured.disruptions.as_slice() else {
        panic!("{:#?}", measured.disruptions);
    };
    disruption
}

fn leg(disruption: &Disruption, leg: Leg) -> &LegDisruption {
    disruption.by_leg.get(leg).unwrap()
}

fn assert_near(measured: f64, truth: f64, by: f64, what: &str) {
    assert!(
        (measured - truth).abs() <= by,
        "{what}: {measured}, truth {truth}"
    );
}

/// 250 calls, 500 streams each way. The agent's program stands still: what comes is stamped by its kernel and not played, what
/// is due is not sent. Nothing is lost.
#[test]
fn a_frozen_agent_is_a_pause_of_its_length_on_both_legs_and_loses_nothing() {
    for truth in [300, 700, 2000, 10_000] {
        let begin = 10 * S + 413 * MS;
        let frozen = Happening::Frozen(End::Guest, begin, begin + truth * MS);
        let measured = Stage::of(250, 30, &[frozen]).measure();
        let found = only(&measured);
        let length = ms(truth * MS);
        assert_eq!(found.kind, DisruptionKind::Pause);
        assert_eq!(found.legs, Leg::BOTH);
        assert_eq!((found.streams_affected, found.streams), (500, 500));
        assert_eq!(
            (found.calls_affected, found.calls, found.calls_lost),
            (250, 250, 0)
        );
        assert_eq!(found.packets_lost, 0);
        assert_near(found.at, 10.413, 0.005, "begin");
        assert_near(found.blackout_ms, length, 5.0, "blackout");
        for of in Leg::BOTH {
            let of_leg = leg(found, of);
            let streams = of_leg.stream_blackout_ms;
            assert_eq!((of_leg.streams_affected, of_leg.streams), (500, 500));
            assert_eq!(of_leg.kind, DisruptionKind::Pause);
            assert_near(of_leg.blackout_ms, length, 5.0, of.key());
            assert_near(streams.p50.unwrap(), length, 20.0, "median");
            assert_near(streams.max.unwrap(), length, 20.0, "longest");
        }
        // The last stream's tick runs at once; what was due since then is played in time.
        assert_near(found.recovered_ms.unwrap(), length, 20.0, "recovered");
        // Each stream misses (length - 20) / 20 ticks, in the mean.
        let missed = 500.0 * (length / 20.0 - 1.0);
        assert_near(float(found.packets_late), missed, 5.0, "not played");
        assert_near(float(found.packets_not_sent), missed, 5.0, "not sent");
        assert!(measured.validity.valid, "{:?}", measured.validity);
    }
}

/// The same of the tester's program is no finding about the guest.
#[test]
fn a_frozen_tester_is_no_disruption() {
    let frozen = Happening::Frozen(End::Tester, 10 * S, 10 * S + 700 * MS);
    let measured = Stage::of(50, 20, &[frozen]).measure();
    assert_eq!(measured.disruptions, []);
    let own = "the tester itself stood still";
    assert!(
        measured.notes.iter().any(|note| note.contains(own)),
        "{:?}",
        measured.notes
    );
    assert_eq!(measured.verdict, Verdict::Invalid);
}

/// Without a guest that was named the agent is the tester's own.
#[test]
fn a_frozen_agent_of_the_tester_s_own_is_no_disruption() {
    let frozen = Happening::Frozen(End::Guest, 10 * S, 10 * S + 700 * MS);
    let stage = Stage {
        guest_named: false,
        ..Stage::of(50, 20, &[frozen])
    };
    assert_eq!(stage.measure().disruptions, []);
}

/// The machine stands still for 1000 ms and its clock with it: 50 packets of each stream to it are lost; its own come when it
/// runs again, 1000 ms later for good. Its clock is then 1000 ms behind, by which the transit to it is shorter.
#[test]
fn a_paused_machine_is_a_pause_whose_transit_stays_stepped() {
    let measured = Stage::of(10, 40, &[Happening::Paused(15 * S, 16 * S)]).measure();
    let found = only(&measured);
    assert_eq!(found.kind, DisruptionKind::Pause);
    assert!(
        (1000.0..=1060.0).contains(&found.blackout_ms),
        "{}",
        found.blackout_ms
    );
    let (receive, sent) = (leg(found, Leg::Receive), leg(found, Leg::Sent));
    assert_eq!(
        (receive.kind, sent.kind),
        (DisruptionKind::Loss, DisruptionKind::Pause)
    );
    assert_eq!((receive.packets_lost, sent.packets_lost), (20 * 50, 0));
    assert_near(sent.stream_blackout_ms.p50.unwrap(), 1000.0, 1.0, "sent");
    assert_near(
        receive.stream_blackout_ms.p50.unwrap(),
        1000.0,
        20.0,
        "receive",
    );
    assert_near(sent.step_ms.unwrap(), 1000.0, 1.0, "sent transit");
    assert_near(receive.step_ms.unwrap(), -1000.0, 1.0, "receive transit");
    assert_near(found.recovered_ms.unwrap(), 1000.0, 30.0, "recovered");
    assert_eq!(found.brownout_after_ms, Some(0.0), "a step is no brownout");
    // Playout of each stream it sends is anchored anew, and what it sends from then on is in time.
    let legs = [&measured.legs.receive, &measured.legs.sent];
    assert_eq!(legs.map(|leg| leg.playout_anchored_anew), [0, 20]);
    assert_eq!(found.packets_late, 0);
}

/// Paused three times, 5 s apart, for 1000, 400 and 1000 ms: each steps by its own, whatever the others did.
#[test]
fn pauses_that_follow_each_other_step_by_their_own() {
    let paused = |from: i64, length: i64| Happening::Paused(from, from + length);
    let all = [
        paused(15 * S, 1000 * MS),
        paused(21 * S, 400 * MS),
        paused(27 * S, 1000 * MS),
    ];
    let measured = Stage::of(10, 40, &all).measure();
    let found = measured.disruptions.as_slice();
    assert_eq!(found.len(), 3, "{found:#?}");
    for (found, length) in found.iter().zip([1000.0, 400.0, 1000.0]) {
        assert_eq!(found.kind, DisruptionKind::Pause);
        let step = |of| leg(found, of).step_ms.unwrap();
        assert_near(step(Leg::Sent), length, 1.0, "sent");
        assert_near(step(Leg::Receive), -length, 1.0, "receive");
    }
}

/// 2.2 s lie between them, and one whole second in those.
#[test]
fn pauses_with_one_second_between_them_are_pauses() {
    let paused = |from: i64| Happening::Paused(from, from + 1000 * MS);
    let all = [paused(15 * S), paused(18 * S + 200 * MS)];
    let measured = Stage::of(10, 40, &all).measure();
    assert_eq!(measured.disruptions.len(), 2, "{:#?}", measured.disruptions);
    for found in &measured.disruptions {
        assert_eq!(found.kind, DisruptionKind::Pause);
        assert_near(leg(found, Leg::Sent).step_ms.unwrap(), 1000.0, 1.0, "sent");
    }
}

/// The path holds for 100 ms what the guest sends 11 s after such a pause: by the new reference it is late, and no less so for the
/// pause. Of 5 packets a stream one is at most 20 ms late.
#[test]
fn what_is_late_after_a_pause_is_not_hidden_by_its_step() {
    let paused = Happening::Paused(15 * S, 16 * S);
    let held = Happening::Held(Leg::Sent, 27 * S, 27 * S + 100 * MS);
    let measured = Stage::of(10, 40, &[paused, held]).measure();
    let [pause, delay] = measured.disruptions.as_slice() else {
        panic!("{:#?}", measured.disruptions);
    };
    assert_eq!(
        (pause.kind, delay.kind),
        (DisruptionKind::Pause, DisruptionKind::Delay)
    );
    assert_eq!(pause.packets_late, 0);
    assert_near(float(delay.packets_late), 20.0 * 4.0, 20.0, "late");
    assert_near(delay.blackout_ms, 100.0, 15.0, "blackout");
}

/// A path that is cut for 360 ms loses 18 packets of each stream on that leg only.
#[test]
fn a_cut_path_is_a_loss_on_its_leg() {
    for of in Leg::BOTH {
        let cut = Happening::Cut(of, 10 * S, 10 * S + 360 * MS);
        let measured = Stage::of(50, 20, &[cut]).measure();
        let found = only(&measured);
        assert_eq!(
            (found.kind, found.legs.as_slice()),
            (DisruptionKind::Loss, &[of][..])
        );
        assert_eq!((found.packets_lost, found.packets_late), (100 * 18, 0));
        assert_near(found.blackout_ms, 360.0, 5.0, "blackout");
        assert_near(found.recovered_ms.unwrap(), 380.0, 21.0, "recovered");
        assert_near(
            leg(found, of).stream_blackout_ms.max.unwrap(),
            360.0,
            0.01,
            "stream",
        );
        assert_eq!((found.streams_affected, found.streams), (100, 100));
    }
}

/// What a path holds for 360 ms arrives in a clump at its end: late, none lost.
#[test]
fn a_path_that_holds_is_a_delay_on_its_leg() {
    let held = Happening::Held(Leg::Sent, 10 * S, 10 * S + 360 * MS);
    let measured = Stage::of(50, 20, &[held]).measure();
    let found = only(&measured);
    assert_eq!(found.kind, DisruptionKind::Delay);
    assert_eq!(found.packets_lost, 0);
    // 18 packets of each stream were held, of which the last came up to 20 ms late.
    assert_near(float(found.packets_late), 100.0 * 17.0, 10.0, "late");
    assert_near(found.blackout_ms, 360.0, 5.0, "blackout");
    assert_near(found.recovered_ms.unwrap(), 360.0, 5.0, "recovered");
    assert_near(
        leg(found, Leg::Sent).step_ms.unwrap(),
        0.0,
        0.01,
        "nothing stays",
    );
    assert!(found.brownout_ms.unwrap() >= 1000.0);
}

/// Gaps of a live migration: from 40 ms on, wherever they lie in the second.
#[test]
fn short_gaps_of_all_streams_are_found() {
    for (length, place) in [(40, 0), (40, 387), (60, 990), (100, 511), (150, 8)] {
        let begin = 10 * S + place * MS;
        let frozen = Happening::Frozen(End::Guest, begin, begin + length * MS);
        let measured = Stage::of(50, 20, &[frozen]).measure();
        let found = only(&measured);
        assert_near(found.blackout_ms, ms(length * MS), 5.0, "blackout");
        assert_near(found.at, ms(begin) / 1e3, 0.005, "begin");
    }
}

/// Five of ten calls lose 100 ms, then four of ten.
#[test]
fn what_less_than_half_of_the_streams_go_through_is_no_disruption() {
    let some = |n| Happening::SomeCut(n, 10 * S, 10 * S + 100 * MS);
    let half = Stage::of(10, 20, &[some(2)]).measure();
    let found = only(&half);
    assert_eq!((found.streams_affected, found.streams), (10, 20));
    assert_eq!((found.calls_affected, found.calls), (5, 10));
    let fewer = Stage::of(10, 20, &[some(3)]).measure();
    assert_eq!(fewer.disruptions, []);
}

/// Of a stall of 25 ms a quarter of the streams shows a gap of 40 ms.
#[test]
fn a_stall_of_little_more_than_a_packet_time_is_no_disruption() {
    let short = Happening::Frozen(End::Guest, 10 * S, 10 * S + 25 * MS);
    assert_eq!(Stage::of(50, 20, &[short]).measure().disruptions, []);
}

/// Two seconds part two disruptions; less makes them one of several blackouts.
#[test]
fn disruptions_stay_apart_unless_they_lie_within_two_seconds() {
    let frozen = |from: i64| Happening::Frozen(End::Guest, from, from + 200 * MS);
    let apart = Stage::of(20, 30, &[frozen(10 * S), frozen(12 * S + 250 * MS)]).measure();
    assert_eq!(apart.disruptions.len(), 2);
    let near = Stage::of(20, 30, &[frozen(10 * S), frozen(12 * S)]).measure();
    let found = only(&near);
    assert_eq!(leg(found, Leg::Sent).blackouts, 2);
    assert_near(found.blackout_ms, 200.0, 5.0, "the longest");
}

/// The guest stops for good: the sent leg says so; of the receive leg nothing is told any more.
#[test]
fn a_guest_that_never_comes_back_is_a_disruption_without_an_end() {
    let gone = Happening::Cut(Leg::Sent, 10 * S, i64::MAX);
    let stage = Stage {
        guest_dies: Some(10),
        judgement: limited("disruptions.recovered_ms", 5000.0),
        ..Stage::of(20, 20, &[gone])
    };
    let measured = stage.measure();
    let found = only(&measured);
    assert_near(found.at, 10.0, 0.005, "begin");
    assert_eq!(
        (found.recovered_ms, found.legs.as_slice()),
        (None, &[Leg::Sent][..])
    );
    assert_eq!((found.calls_lost, found.calls), (20, 20));
    assert_near(
        found.blackout_ms,
        10_000.0,
        20.0,
        "until the end of the run",
    );
    let result = &measured.thresholds[0];
    assert_eq!((result.outcome, result.measured), (Outcome::Fail, None));
    assert!(result.note.as_ref().unwrap().contains("did not recover"));
}

/// A brownout of 4 s around a blackout of 100 ms: packets come up to 30 ms late.
#[test]
fn a_brownout_is_the_seconds_around_it_with_more_delay_variation() {
    let measured = Stage::of(
        20,
        30,
        &[
            Happening::Brown(13 * S, 17 * S, 30 * MS),
            Happening::Cut(Leg::Sent, 15 * S, 15 * S + 100 * MS),
        ],
    )
    .measure();
    let found = only(&measured);
    assert_eq!(found.brownout_before_ms, Some(2000.0));
    assert_near(found.brownout_ms.unwrap(), 4000.0, 1000.0, "13 s to 17 s");
    assert_near(found.brownout_pdv_p99_ms.unwrap(), 30.0, 1.0, "worst");
    assert!(leg(found, Leg::Sent).baseline_pdv_p99_ms.unwrap() < 0.1);
}

/// Another path, 12 ms longer, after a cut of 200 ms.
#[test]
fn a_longer_path_after_it_is_a_step_on_both_legs() {
    let measured = Stage::of(
        20,
        40,
        &[
            Happening::Cut(Leg::Receive, 15 * S, 15 * S + 200 * MS),
            Happening::Detour(15 * S, 12 * MS),
        ],
    )
    .measure();
    let found = only(&measured);
    assert_eq!(found.kind, DisruptionKind::Loss);
    assert_near(
        leg(found, Leg::Receive).step_ms.unwrap(),
        12.0,
        0.01,
        "step",
    );
}

/// Exchanges each second: the guest's clock falls 300 ms behind in a pause of as much.
#[test]
fn a_step_of_the_guest_s_clock_is_told_by_the_exchanges() {
    let mut stage = Stage::of(5, 40, &[Happening::Paused(15 * S, 15 * S + 300 * MS)]);
    let exchanges = (0..40).map(|second| {
        let t1 = second * S + 500 * MS;
        let behind = if second >= 15 { 300 * MS } else { 0 };
        let (t2, t3) = (RunTime(t1 + MS - behind), RunTime(t1 + MS - behind));
        Fact::Clock {
            t1: RunTime(t1),
            t2,
            t3,
            t4: RunTime(t1 + 2 * MS),
        }
    });
    stage.told = exchanges.collect();
    let measured = stage.measure();
    assert_near(
        only(&measured).clock_step_ms.unwrap(),
        -300.0,
        0.01,
        "behind",
    );
    assert_near(only(&measured).blackout_ms, 305.0, 10.0, "blackout");
}

fn mark(label: &str, at: i64, source: MarkSource) -> Fact {
    Fact::Mark {
        at: RunTime(at),
        label: label.to_owned(),
        source,
    }
}

/// A disruption belongs to the nearest mark; a mark without one says so.
#[test]
fn marks_have_the_disruption_near_them_or_none() {
    let mut stage = Stage::of(
        20,
        90,
        &[Happening::Frozen(End::Guest, 30 * S, 30 * S + 500 * MS)],
    );
    stage.told = vec![
        mark("snapshot", 5 * S, MarkSource::Scenario),
        mark("vMotion", 28 * S, MarkSource::Told),
        mark("later", 60 * S, MarkSource::Told),
        Fact::PartStarted {
            name: "after".to_owned(),
            at: RunTime(29 * S),
        },
    ];
    let measured = stage.measure();
    let found = only(&measured);
    assert_eq!(found.mark.as_deref(), Some("vMotion"));
    assert_eq!(
        (found.mark_at, found.part.as_deref()),
        (Some(28.0), Some("after"))
    );
    let effects: Vec<(&str, MarkEffect)> = measured
        .marks
        .iter()
        .map(|mark| (mark.label.as_str(), mark.effect))
        .collect();
    let none = MarkEffect::None;
    assert_eq!(
        effects,
        [
            ("snapshot", none),
            ("vMotion", MarkEffect::Disruption),
            ("later", none)
        ]
    );
    let kinds: Vec<&str> = measured
        .events
        .iter()
        .map(|event| event.kind.as_str())
        .collect();
    for kind in ["mark", "phase", "disruption"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

/// A backup runs for 100 s: what begins while it does is its own, however long after its begin.
#[test]
fn a_command_owns_what_begins_while_it_runs() {
    let frozen = |from: i64| Happening::Frozen(End::Guest, from, from + 200 * MS);
    let mut stage = Stage::of(5, 160, &[frozen(12 * S), frozen(95 * S), frozen(111 * S)]);
    stage.told = vec![
        mark("backup", 10 * S, MarkSource::HookStarted),
        mark("backup", 110 * S, MarkSource::HookEnded),
        Fact::HookEnded {
            label: "backup".to_owned(),
            started: RunTime(10 * S),
            at: RunTime(110 * S),
            outcome: HookOutcome::Exited(0),
            output: "done\n".to_owned(),
        },
    ];
    let measured = stage.measure();
    assert_eq!(measured.disruptions.len(), 3);
    let marks: Vec<Option<f64>> = measured
        .disruptions
        .iter()
        .map(|found| found.mark_at)
        .collect();
    assert_eq!(marks, [Some(10.0), Some(110.0), Some(110.0)]);
    let [hook] = measured.hooks.as_slice() else {
        panic!("{:?}", measured.hooks);
    };
    assert_eq!((hook.outcome.as_str(), hook.exit_code), ("exited", Some(0)));
    assert_eq!(hook.disruptions_at.len(), 3);
}

fn limited(metric: &str, limit: f64) -> Judgement {
    let threshold = Threshold {
        metric: metric.to_owned(),
        leg: None,
        bound: Bound::Max,
        limit,
        per: None,
        window: Window::Run,
        unit: "ms".to_owned(),
        basis: Basis::Own,
        source: "here".to_owned(),
        warns_only: false,
    };
    Judgement {
        thresholds: vec![threshold],
        ..Judgement::default()
    }
}

#[test]
fn the_worst_blackout_decides_and_none_at_all_passes() {
    let frozen = |from: i64, ms: i64| Happening::Frozen(End::Guest, from, from + ms * MS);
    let stage = |happenings: &[Happening]| Stage {
        judgement: limited("disruptions.blackout_ms", 500.0),
        ..Stage::of(10, 30, happenings)
    };
    let bad = stage(&[frozen(5 * S, 100), frozen(15 * S, 700)]).measure();
    let result = &bad.thresholds[0];
    assert_eq!(
        (result.outcome, bad.verdict),
        (Outcome::Fail, Verdict::Fail)
    );
    assert_near(result.measured.unwrap(), 700.0, 5.0, "worst");
    assert_near(result.at_s.unwrap(), 15.0, 0.005, "where");
    assert_eq!(result.note.as_deref(), Some("the worst of 2 disruptions"));
    let good = stage(&[]).measure();
    let result = &good.thresholds[0];
    assert_eq!(
        (result.outcome, result.measured),
        (Outcome::Pass, Some(0.0))
    );
    assert_eq!(result.note.as_deref(), Some("no disruption seen"));
}
