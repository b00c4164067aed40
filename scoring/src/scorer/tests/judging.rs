//! Thresholds, validity, verdict.

use super::truth::{ENDS, Slot, TRANSIT, Truth, first, judge};
use crate::judgement::{Judgement, Threshold, default_thresholds};
use crate::measured::{Measured, Outcome, ThresholdResult, Verdict};
use milliwatt_wire::facts::{Fact, HostSecond, RecordingFact, SilenceFact};
use milliwatt_wire::id::{CallId, End, Leg};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

fn result<'a>(run: &'a Measured, metric: &str, leg: Option<Leg>) -> &'a ThresholdResult {
    run.thresholds
        .iter()
        .find(|result| result.metric == metric && result.leg == leg)
        .unwrap()
}

/// The default threshold on a metric, alone.
fn only(metric: &str) -> Judgement {
    let thresholds: Vec<Threshold> = default_thresholds()
        .into_iter()
        .filter(|threshold| threshold.metric == metric)
        .collect();
    assert_eq!(thresholds.len(), 1, "{metric}");
    Judgement {
        thresholds,
        ..Judgement::default()
    }
}

pub(super) fn recording(call: u32, silences: &[f64]) -> Fact {
    Fact::Recording(Box::new(RecordingFact {
        call: CallId(call),
        file: format!("{call}.wav"),
        received_at: RunTime(9 * NS_PER_SECOND),
        wire_octets: 1200,
        weight_octets: 1000,
        attempts: 1,
        audio_ms: 9000,
        silences: silences
            .iter()
            .map(|start_ms| SilenceFact {
                channel: 1,
                start_ms: *start_ms,
                length_ms: 300.0,
            })
            .collect(),
        error: None,
    }))
}

fn with_recordings(seconds: u32, recordings: &[Fact]) -> Truth {
    let mut truth = Truth::clean(seconds);
    truth
        .tester
        .extend((0..2).map(|call| Fact::RecordingExpected { call: CallId(call) }));
    truth.tester.extend(recordings.iter().cloned());
    truth
}

#[test]
fn default_thresholds_make_a_result_a_leg() {
    let run = Truth::clean(10).measure();
    assert_eq!(
        run.thresholds.len(),
        14,
        "nine thresholds, five of them on both legs"
    );
    let cpu = result(&run, "hypervisor.cpu_percent", None);
    assert_eq!((cpu.outcome, cpu.measured), (Outcome::NotMeasured, None));
    assert!(cpu.note.as_ref().unwrap().contains("inside a guest"));
}

#[test]
fn loss_is_judged_over_the_worst_window() {
    let mut truth = Truth::clean(60);
    truth.judgement = only("loss_percent");
    truth.set(first(Leg::Sent), 1500..1505, Slot::Lost);
    let run = truth.measure();
    let sent = result(&run, "loss_percent", Some(Leg::Sent));
    // 5 of the 15 s x 200 packets of any window that holds second 30; the first such begins at 16.
    assert!((sent.measured.unwrap() - 100.0 * 5.0 / 3000.0).abs() < 1e-9);
    assert_eq!(
        (sent.at_s, sent.outcome, run.verdict),
        (Some(16.0), Outcome::Fail, Verdict::Fail)
    );
    assert_eq!(
        result(&run, "loss_percent", Some(Leg::Receive)).outcome,
        Outcome::Pass
    );
}

#[test]
fn loss_outside_full_load_counts_in_the_leg_and_not_against_it() {
    let mut truth = Truth::clean(60);
    truth.judgement = only("loss_percent");
    truth.set(first(Leg::Sent), 10..20, Slot::Lost);
    let run = truth.measure();
    assert_eq!(
        (run.legs.sent.packets_lost, run.verdict),
        (10, Verdict::Pass)
    );
}

#[test]
fn lost_packets_decide_a_high_percentile_and_it_says_so() {
    let mut truth = Truth::clean(62);
    truth.judgement = only("pdv_ms.p999");
    // 13 of 60 s x 200 packets: more than one in a thousand.
    truth.set(first(Leg::Sent), 1500..1513, Slot::Lost);
    let run = truth.measure();
    let sent = result(&run, "pdv_ms.p999", Some(Leg::Sent));
    assert_eq!((sent.outcome, sent.measured), (Outcome::Fail, Some(0.0)));
    assert!(sent.note.as_ref().unwrap().contains("decide"));
    truth.set(first(Leg::Sent), 1512..1513, Slot::Arrives(TRANSIT));
    assert_eq!(
        truth.measure().verdict,
        Verdict::Pass,
        "12 of 12,000 are exactly one in a thousand"
    );
}

#[test]
fn full_load_shorter_than_the_window_is_judged_whole_and_says_so() {
    let mut truth = Truth::clean(10);
    truth.judgement = only("pdv_ms.p999");
    let run = truth.measure();
    let note = result(&run, "pdv_ms.p999", Some(Leg::Sent))
        .note
        .clone()
        .unwrap();
    assert!(note.starts_with("full load lasted 8 s"), "{note}");
}

#[test]
fn a_threshold_that_only_warns_never_fails_the_run() {
    let mut truth = Truth::clean(30);
    truth.judgement = only("interarrival_jitter_ms.mean");
    truth.judgement.thresholds[0].limit = 0.01;
    let run = truth.measure();
    let sent = result(&run, "interarrival_jitter_ms.mean", Some(Leg::Sent));
    assert_eq!((sent.outcome, run.verdict), (Outcome::Fail, Verdict::Pass));
    assert!((sent.measured.unwrap() - 0.05).abs() < 1e-9);
}

#[test]
fn one_silent_recording_in_a_lot_passes_and_two_fail() {
    let judged = |recordings: &[Fact]| {
        let mut truth = with_recordings(10, recordings);
        truth.judgement = only("recordings.with_silence");
        truth.measure()
    };
    let one = judged(&[recording(0, &[2000.0, 4000.0]), recording(1, &[])]);
    assert_eq!(
        (
            one.verdict,
            one.recordings.with_silence,
            one.recordings.silence_events
        ),
        (Verdict::Pass, 1, 2)
    );
    assert!((one.recordings.weight_bits_per_second.unwrap() - 1.2 * 8533.0).abs() < 1e-9);
    assert_eq!(one.recordings.heavier_than_asked, 2);
    let two = judged(&[recording(0, &[2000.0]), recording(1, &[3000.0])]);
    assert_eq!(
        (
            two.verdict,
            result(&two, "recordings.with_silence", None).measured
        ),
        (Verdict::Fail, Some(2.0))
    );
}

#[test]
fn recordings_that_never_came_cannot_pass_for_clean() {
    let mut truth = with_recordings(10, &[]);
    truth.judgement = only("recordings.with_silence");
    let run = truth.measure();
    assert_eq!(
        (run.recordings.expected, run.recordings.scored, run.verdict),
        (2, 0, Verdict::Fail)
    );
}

#[test]
fn dead_air_is_allowed_once_in_a_thousand_call_minutes_begun() {
    let mut truth = Truth::clean(10);
    truth.judgement = only("dead_air.events");
    truth.set(first(Leg::Sent), 100..103, Slot::Lost);
    let one = truth.measure();
    let judged = result(&one, "dead_air.events", Some(Leg::Sent));
    assert_eq!(
        (judged.measured, judged.limit, judged.outcome),
        (Some(1.0), 1.0, Outcome::Pass)
    );
    // 4 streams of 8 s at full load are 32 s: one minute begun.
    assert_eq!(
        judged.note.as_deref(),
        Some("1 per 1000 call-minutes begun, of 1")
    );
    truth.set(first(Leg::Sent), 200..203, Slot::Lost);
    assert_eq!(truth.measure().verdict, Verdict::Fail);
}

#[test]
fn a_step_of_the_guests_clock_fails() {
    let mut truth = Truth::clean(10);
    truth.guest.push(Fact::Host(HostSecond {
        second: 5,
        clock_step: -25_000_000,
        ..HostSecond::default()
    }));
    let run = truth.measure();
    assert_eq!(
        (run.guest.clock_step_ms, run.verdict),
        (Some(25.0), Verdict::Fail)
    );
}

#[test]
fn a_tester_out_of_time_in_over_one_second_of_a_hundred_makes_no_finding() {
    let mut truth = Truth::clean(52);
    truth.stall(End::Tester, 20);
    let run = truth.measure();
    assert_eq!(
        (run.verdict, run.validity.tainted.as_slice()),
        (Verdict::Invalid, [20].as_slice())
    );
    assert!(
        run.validity.reasons[0].contains("1 of 50 full-load seconds"),
        "{:?}",
        run.validity.reasons
    );
    let longer = Truth::clean(102).stall(End::Tester, 20).measure();
    assert_eq!(
        (longer.verdict, longer.validity.tainted_seconds),
        (Verdict::Pass, 1),
        "exactly 1 % is allowed"
    );
}

/// 40 ms of PDV are over 30. When a tester that reads now and then read is no finding about the way; a guest that does is
/// late itself.
#[test]
fn delay_to_a_tester_whose_system_stamps_no_arrival_is_no_finding() {
    let mut truth = Truth::clean(10);
    let late = |slot: usize| TRANSIT + i64::try_from(slot % 5).unwrap() * 10_000_000;
    truth.each_transit(Leg::Sent, late);
    assert_eq!(truth.measure().verdict, Verdict::Fail);
    truth.unstamped = Some(End::Guest);
    assert_eq!(truth.measure().verdict, Verdict::Fail);
    truth.unstamped = Some(End::Tester);
    let run = truth.measure();
    assert_eq!(run.verdict, Verdict::Invalid);
    assert!(
        run.validity.reasons[0].starts_with("pdv_ms.p999 of the sent leg"),
        "{:?}",
        run.validity.reasons
    );
    truth.set(first(Leg::Sent), 100..120, Slot::Lost);
    assert_eq!(truth.measure().verdict, Verdict::Fail, "loss is no delay");
}

#[test]
fn a_finding_that_rests_on_a_tainted_second_makes_the_run_invalid() {
    let mut truth = Truth::clean(202);
    truth.set(first(Leg::Receive), 1000..1020, Slot::NotSent);
    let failed = truth.measure();
    assert_eq!(
        failed.verdict,
        Verdict::Fail,
        "400 ms of dead air, the tester's clock said to be good"
    );
    let run = truth.stall(End::Tester, 20).measure();
    assert_eq!(run.verdict, Verdict::Invalid);
    let result = result(&run, "dead_air.events_200ms", Some(Leg::Receive));
    assert_eq!(
        (result.outcome, result.outcome_without_tainted),
        (Outcome::Fail, Outcome::Pass)
    );
    assert!(
        run.validity
            .reasons
            .iter()
            .any(|reason| reason.contains("dead_air.events_200ms"))
    );
    assert!(
        run.events
            .iter()
            .any(|event| event.kind == "dead-air" && event.tainted)
    );
}

#[test]
fn a_named_guests_stall_is_a_finding_and_an_unnamed_ones_taints() {
    let mut truth = Truth::clean(52);
    truth.stall(End::Guest, 20);
    assert_eq!(truth.measure().validity.tainted_seconds, 0);
    assert!(
        truth
            .measure()
            .events
            .iter()
            .any(|event| event.kind == "stall")
    );
    truth.guest_named = false;
    assert_eq!(truth.measure().verdict, Verdict::Invalid);
}

#[test]
fn own_socket_drops_taint_their_second() {
    let mut truth = Truth::clean(52);
    for second in 30..52 {
        truth.tester.push(Fact::Host(HostSecond {
            second,
            socket_drops: 3,
            ..HostSecond::default()
        }));
    }
    let run = truth.measure();
    assert_eq!(
        (run.validity.tainted.as_slice(), run.validity.socket_drops),
        ([30].as_slice(), 3)
    );
}

#[test]
fn a_run_without_full_load_or_facts_is_invalid_and_says_what_to_do() {
    let short = Truth::clean(2).measure();
    assert_eq!((short.verdict, short.full_load), (Verdict::Invalid, None));
    assert!(
        short.validity.reasons[0].contains("let it run longer"),
        "{:?}",
        short.validity.reasons
    );
    let nothing = judge(None, |_| ());
    assert_eq!((nothing.verdict, nothing.partial), (Verdict::Invalid, true));
    assert_eq!(nothing.legs.receive.loss_percent, None);
}

/// A run of 30 s whose guest told nothing from second 20 on.
fn judge_silent_guest(truth: &Truth) -> Measured {
    let told = |fact: &Fact| match fact {
        Fact::Pacing(second) => second.second < 20,
        Fact::Sent(second) => second.second < 20,
        Fact::Host(second) => second.second < 20,
        _ => true,
    };
    judge(None, |take| {
        truth.tell(ENDS, &mut |end, fact| {
            if end == End::Tester || told(fact) {
                take(end, fact);
            }
        });
    })
}

#[test]
fn a_guest_that_fell_silent_makes_no_pass() {
    let run = judge_silent_guest(&Truth {
        killed: Some(End::Guest),
        ..Truth::clean(30)
    });
    assert_eq!((run.verdict, run.partial), (Verdict::Invalid, true));
    assert!(
        run.validity.reasons[0].contains("the last 9 of 28"),
        "{:?}",
        run.validity.reasons
    );
}

#[test]
fn a_named_guest_that_was_lost_fails_the_run_and_an_agent_of_our_own_does_not() {
    let lost = |guest_named| {
        judge_silent_guest(&Truth {
            killed: Some(End::Guest),
            guest_named,
            tester: vec![Fact::Event {
                at: RunTime(25_000_000_000),
                kind: "guest-lost".to_owned(),
                text: "the guest is lost: not a word for 5 s".to_owned(),
            }],
            ..Truth::clean(30)
        })
    };
    let run = lost(true);
    assert_eq!((run.verdict, run.partial), (Verdict::Fail, true));
    let told = run.thresholds.last().unwrap();
    assert_eq!(
        (told.metric.as_str(), told.at_s),
        ("guest.lost", Some(25.0))
    );
    assert!(told.note.as_ref().unwrap().contains("not a word for 5 s"));
    assert_eq!(lost(false).verdict, Verdict::Invalid);
}

#[test]
fn thresholds_that_cannot_be_read_make_the_run_invalid_until_others_are_given() {
    let truth = Truth::clean(10);
    let judged = |judgement| {
        let measured = judge(judgement, |take| {
            truth.tell(ENDS, &mut |end, fact| {
                let mut fact = fact.clone();
                if let Fact::Opened { judgement, .. } = &mut fact {
                    "{}".clone_into(judgement);
                }
                take(end, &fact);
            });
        });
        measured.verdict
    };
    assert_eq!(judged(None), Verdict::Invalid);
    assert_eq!(judged(Some(Judgement::default())), Verdict::Pass);
}
