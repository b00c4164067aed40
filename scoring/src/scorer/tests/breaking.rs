//! Where legs break, and what thresholds on it say.

use super::stepped::Stepped;
use super::truth::{Slot, TRANSIT, Truth, first};
use crate::judgement::{Basis, Bound, Judgement, Threshold, Window};
use crate::measured::{BreakingPoint, Measured, Outcome, Reached, Verdict};
use milliwatt_wire::facts::{Fact, SentSecond};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::step::StepKind::{self, Bursts, Confirm, Ramp, Repeat, Search};

/// What happens in a step.
#[derive(Clone, Copy)]
enum Happens {
    Nothing,
    /// Ten packets lost in its fourth second.
    Loss(Leg),
    /// The same on the sent leg, and the guest's playout misses three slots twice.
    Overtaxed,
    /// Each fifth packet of the sent leg comes 40 ms later.
    Late,
    /// The tester keeps no time.
    Stall,
}
use Happens::{Late, Loss, Nothing, Overtaxed, Stall};

/// A step of 6 s in which both ends send so many Mbit/s.
fn step(mbps: u32, happens: Happens) -> Truth {
    let mut truth = Truth::clean(6);
    for (end, second) in [End::Tester, End::Guest]
        .into_iter()
        .flat_map(|end| (0..6).map(move |second| (end, second)))
    {
        // 200 packets of 214 octets are in it already.
        let rest = SentSecond {
            second,
            transfer_octets: u64::from(mbps) * 125_000 - 42_800,
            ..SentSecond::default()
        };
        truth.own(end).push(Fact::Sent(rest));
    }
    match happens {
        Nothing => {}
        Loss(leg) => {
            truth.set(first(leg), 160..170, Slot::Lost);
        }
        Overtaxed => {
            truth.set(first(Leg::Sent), 160..170, Slot::Lost);
            truth.miss_playout(&[110, 120]);
        }
        Late => {
            let late = |slot: usize| TRANSIT + i64::try_from(slot % 5).unwrap() * 10_000_000;
            truth.each_transit(Leg::Sent, late);
        }
        Stall => (1..6).for_each(|second| {
            truth.stall(End::Tester, second);
        }),
    }
    truth
}

fn run(steps: &[(u32, StepKind, Happens)], thresholds: &[Threshold]) -> Measured {
    stepped(steps, thresholds).measure()
}

fn stepped(steps: &[(u32, StepKind, Happens)], thresholds: &[Threshold]) -> Stepped {
    let step = |(mbps, kind, happens): &(u32, StepKind, Happens)| {
        (mbps * 1000, *kind, step(*mbps, *happens))
    };
    Stepped {
        steps: steps.iter().map(step).collect(),
        judgement: Judgement {
            thresholds: thresholds.to_vec(),
            ..Judgement::default()
        },
        silent: Vec::new(),
    }
}

fn at_least(metric: &str, leg: Option<Leg>, limit: f64) -> Threshold {
    Threshold {
        metric: metric.to_owned(),
        leg,
        bound: Bound::Min,
        limit,
        per: None,
        window: Window::Run,
        unit: "Mbit/s".to_owned(),
        basis: Basis::Own,
        source: "test".to_owned(),
        warns_only: false,
    }
}

/// On both legs.
fn both(limit: f64) -> [Threshold; 1] {
    [at_least("breaking_point.last_good_mbps", None, limit)]
}

fn outcomes(run: &Measured) -> Vec<Outcome> {
    run.thresholds.iter().map(|result| result.outcome).collect()
}

/// 40 and 90 hold; at 110 the sent leg breaks twice and holds once; the sixth step begins at 40 s.
const SEARCHED: [(u32, StepKind, Happens); 6] = [
    (40, Search, Nothing),
    (140, Search, Loss(Leg::Sent)),
    (90, Search, Nothing),
    (110, Search, Nothing),
    (110, Repeat, Loss(Leg::Sent)),
    (110, Repeat, Loss(Leg::Sent)),
];

#[test]
fn a_leg_breaks_at_the_lowest_load_that_most_steps_found_bad() {
    let run = run(&SEARCHED, &both(90.0));
    let sent = BreakingPoint {
        reached: Reached::Broke,
        last_good_mbps: Some(90.0),
        first_bad_mbps: Some(110.0),
        // 990 of 1000 packets of 214 octets in 5 s.
        carried_mbps: Some(990.0 * 214.0 * 8.0 / 5e6),
        calls: Some(2),
        metric: Some("loss_percent".to_owned()),
        // The fifth step begins at 4 x 8 s; in its fourth second it broke.
        at_s: Some(35.0),
        after_s: Some(3.0),
    };
    assert_eq!(run.breaking_point.sent, Some(sent));
    let receive = run.breaking_point.receive.as_ref().unwrap();
    assert_eq!(
        (receive.reached, receive.last_good_mbps),
        (Reached::NotReached, Some(140.0))
    );
    assert_eq!((receive.first_bad_mbps, receive.at_s), (None, None));
    assert_eq!(
        outcomes(&run),
        [Outcome::Pass; 2],
        "the limit itself is held"
    );
    assert_eq!(run.verdict, Verdict::Pass);
    assert_eq!(run.steps.len(), 6);
}

#[test]
fn a_leg_that_broke_below_its_limit_fails() {
    let run = run(&SEARCHED, &both(100.0));
    assert_eq!(outcomes(&run), [Outcome::Pass, Outcome::Fail]);
    assert_eq!(run.verdict, Verdict::Fail);
    let sent = &run.thresholds[1];
    assert_eq!((sent.measured, sent.at_s), (Some(90.0), Some(35.0)));
    assert_eq!(
        sent.note.as_deref(),
        Some("it broke at 110.0 Mbit/s: loss_percent was past its limit first")
    );
}

/// As the scorecard spells it.
#[test]
fn a_breaking_point_is_found_by_its_path_in_the_scorecard_too() {
    let spelt = |leg: &str| at_least(&format!("breaking_point.{leg}.last_good_mbps"), None, 100.0);
    let run = run(&SEARCHED, &[spelt("receive"), spelt("sent")]);
    assert_eq!(outcomes(&run), [Outcome::Pass, Outcome::Fail]);
    let sent = at_least("breaking_point.last_good_mbps", Some(Leg::Sent), 100.0);
    assert_eq!(
        outcomes(&super::breaking::run(&SEARCHED, &[sent])),
        [Outcome::Fail]
    );
}

/// The sent leg breaks at 110 by `happens`; the tester's system stamps no arrival.
fn unstamped(happens: Happens, threshold: Threshold) -> Measured {
    let steps = [40, 110].map(|mbps| (mbps, Ramp, if mbps == 40 { Nothing } else { happens }));
    let mut stepped = stepped(&steps, &[threshold]);
    stepped.steps[0].2.unstamped = Some(End::Tester);
    stepped.measure()
}

/// However it is spelt. A leg that broke by loss did, whenever packets came.
#[test]
fn a_leg_that_broke_by_delay_to_a_tester_that_stamps_no_arrival_is_no_finding() {
    let spelt = at_least("breaking_point.sent.last_good_mbps", None, 100.0);
    let named = at_least("breaking_point.last_good_mbps", Some(Leg::Sent), 100.0);
    for threshold in [spelt, named] {
        let run = unstamped(Late, threshold.clone());
        assert_eq!(run.verdict, Verdict::Invalid, "{:?}", run.breaking_point);
        let reason = &run.validity.reasons[0];
        assert!(reason.contains("does not stamp arrivals"), "{reason}");
        let run = unstamped(Loss(Leg::Sent), threshold);
        assert_eq!(run.verdict, Verdict::Fail, "{:?}", run.validity.reasons);
    }
}

/// A leg that broke at the first load held nothing.
#[test]
fn a_leg_that_held_no_load_fails() {
    let run = run(&[(40, Ramp, Loss(Leg::Sent))], &both(30.0));
    assert_eq!(outcomes(&run), [Outcome::Pass, Outcome::Fail]);
    let sent = run.breaking_point.sent.as_ref().unwrap();
    assert_eq!(
        (sent.last_good_mbps, sent.first_bad_mbps),
        (None, Some(40.0))
    );
}

/// 140 three times, and the tester keeps no time: below the limit of 100 nothing broke.
#[test]
fn a_tester_that_failed_before_either_leg_proves_nothing_above_what_was_held() {
    let steps = [
        (40, Search, Nothing),
        (140, Search, Stall),
        (140, Repeat, Stall),
        (140, Repeat, Stall),
    ];
    let limited = run(&steps, &both(100.0));
    assert_eq!(outcomes(&limited), [Outcome::NotMeasured; 2]);
    assert_eq!(limited.verdict, Verdict::Invalid);
    let [reason] = limited.validity.reasons.as_slice() else {
        panic!("{:?}", limited.validity.reasons);
    };
    assert!(
        reason.starts_with(
            "the tester failed at 140.0 Mbit/s before either leg: it was over 5000 us late"
        ),
        "{reason}"
    );
    let sent = limited.breaking_point.sent.as_ref().unwrap();
    assert_eq!(
        (sent.reached, sent.last_good_mbps),
        (Reached::TesterLimited, Some(40.0))
    );
    let held = run(&steps, &both(40.0));
    assert_eq!(
        (held.verdict, held.validity.tainted_seconds),
        (Verdict::Pass, 15),
        "spoilt steps say nothing of those before"
    );
}

/// The sent leg broke at 60; that the tester failed at 140 leaves the receive leg open, and the finding stands.
#[test]
fn a_leg_that_broke_is_a_finding_though_the_tester_could_not_go_on() {
    let steps = [
        (40, Search, Nothing),
        (60, Search, Loss(Leg::Sent)),
        (140, Search, Stall),
    ];
    let run = run(&steps, &both(100.0));
    assert_eq!(outcomes(&run), [Outcome::NotMeasured, Outcome::Fail]);
    assert_eq!(run.verdict, Verdict::Fail);
    assert!(run.validity.reasons.is_empty());
}

#[test]
fn a_ramp_that_ends_below_the_limit_says_so() {
    let steps = [(40, Ramp, Nothing), (70, Ramp, Nothing)];
    let run = run(&steps, &both(100.0));
    assert_eq!(run.verdict, Verdict::Invalid);
    assert_eq!(
        run.validity.reasons,
        [
            "the ramp ends at 70.0 Mbit/s, below the limit of 100 Mbit/s: set ramp.to higher, and let the run come to its end"
        ]
    );
}

/// The sent leg broke at 110, and there the guest missed its own playout: the receive leg held 90 and was not seen to break, which
/// for a limit of 120 is too little to say.
#[test]
fn a_leg_that_could_not_be_judged_below_its_limit_says_what_the_guest_missed() {
    let steps = [(90, Search, Nothing), (110, Search, Overtaxed)];
    let receive = at_least("breaking_point.last_good_mbps", Some(Leg::Receive), 120.0);
    let run = run(&steps, &[receive]);
    let receive = run.breaking_point.receive.as_ref().unwrap();
    assert_eq!(
        (receive.reached, receive.last_good_mbps),
        (Reached::NotReached, Some(90.0))
    );
    assert_eq!(
        (outcomes(&run), run.verdict),
        (vec![Outcome::NotMeasured], Verdict::Invalid)
    );
    let reason = &run.validity.reasons[0];
    assert!(
        reason.starts_with(
            "the receive leg (tester -> guest) was not followed up to the limit of 120 Mbit/s: at 110.0 Mbit/s the guest was past"
        ),
        "{reason}"
    );
}

/// The sent leg broke at 110, and with it the guest's word on the receive leg did not come, twice.
#[test]
fn a_leg_of_which_nothing_was_told_below_its_limit_says_so() {
    let steps = [
        (90, Search, Nothing),
        (110, Search, Loss(Leg::Sent)),
        (110, Repeat, Loss(Leg::Sent)),
    ];
    let receive = at_least("breaking_point.last_good_mbps", Some(Leg::Receive), 120.0);
    let mut stepped = stepped(&steps, &[receive]);
    stepped.silent = vec![1, 2];
    let run = stepped.measure();
    let sent = run.breaking_point.sent.as_ref().unwrap();
    assert_eq!(
        (sent.reached, sent.last_good_mbps),
        (Reached::Broke, Some(90.0))
    );
    let receive = run.breaking_point.receive.as_ref().unwrap();
    assert_eq!(
        (receive.reached, receive.last_good_mbps),
        (Reached::NotReached, Some(90.0))
    );
    assert_eq!(
        (outcomes(&run), run.verdict),
        (vec![Outcome::NotMeasured], Verdict::Invalid)
    );
    let reason = &run.validity.reasons[0];
    assert!(
        reason.starts_with(
            "the receive leg (tester -> guest) was not followed up to the limit of 120 Mbit/s: at 110.0 Mbit/s nothing was told of it"
        ),
        "{reason}"
    );
}

/// A threshold that only warns makes no run invalid.
#[test]
fn an_open_limit_that_only_warns_is_no_reason() {
    let [mut limit] = both(100.0);
    limit.warns_only = true;
    let run = run(&[(40, Ramp, Nothing)], &[limit]);
    assert_eq!(run.verdict, Verdict::Pass);
    assert_eq!(outcomes(&run), [Outcome::NotMeasured; 2]);
}

/// It held 90 for 6 s and not for 26: the next lower load that it held is its last good one.
#[test]
fn a_late_break_lowers_the_last_good_load_and_bursts_do_not() {
    let mut stepped = stepped(&SEARCHED, &[]);
    let bursts = step(90, Loss(Leg::Sent));
    stepped.steps.push((90_000, Bursts, bursts));
    let sent = stepped.measure().breaking_point.sent.unwrap();
    assert_eq!(sent.last_good_mbps, Some(90.0));
    let mut held = Truth::clean(25);
    held.set(first(Leg::Sent), 450..460, Slot::Lost);
    held.set(first(Leg::Sent), 750..760, Slot::Lost);
    stepped.steps.push((90_000, Confirm, held));
    let points = stepped.measure().breaking_point;
    let sent = points.sent.unwrap();
    assert_eq!(
        (sent.reached, sent.last_good_mbps),
        (Reached::Broke, Some(40.0))
    );
    // Begun at 7 x 8 s; windows of 6 s from its second second on, the second and the third bad.
    assert_eq!((sent.at_s, sent.after_s), (Some(65.0), Some(9.0)));
    assert_eq!(points.receive.unwrap().last_good_mbps, Some(140.0));
}

/// A run that did not look for it.
#[test]
fn a_run_without_steps_has_no_breaking_point() {
    let mut truth = Truth::clean(10);
    truth.judgement.thresholds = both(100.0).to_vec();
    let run = truth.measure();
    assert_eq!(
        (run.breaking_point.receive.as_ref(), run.steps.len()),
        (None, 0)
    );
    assert_eq!(outcomes(&run), [Outcome::NotMeasured; 2]);
    assert_eq!(run.verdict, Verdict::Pass);
}

/// Steps begin every 8 s; the sent leg broke in the fourth second of the fifth, in which no other event is.
#[test]
fn steps_and_where_a_leg_broke_are_events() {
    let run = run(&SEARCHED, &[]);
    let told: Vec<(f64, &str, &str)> = run
        .events
        .iter()
        .filter(|event| matches!(event.kind.as_str(), "step" | "breaking-point"))
        .map(|event| (event.at_s, event.kind.as_str(), event.text.as_str()))
        .collect();
    let good = "receive good, sent good";
    let bad = "receive good, sent bad (loss_percent)";
    let step = |index: u32, kind: &str, mbps: u32, outcomes: &str| {
        format!("step {index} ({kind}): {mbps}.0 Mbit/s, 2 calls, 6 s: {outcomes}")
    };
    let broke = "sent leg (guest -> tester) broke at 110.0 Mbit/s: loss_percent first; the last good load was 90.0 Mbit/s";
    let expected = [
        (0.0, "step", step(0, "search", 40, good)),
        (8.0, "step", step(1, "search", 140, bad)),
        (16.0, "step", step(2, "search", 90, good)),
        (24.0, "step", step(3, "search", 110, good)),
        (32.0, "step", step(4, "repeat", 110, bad)),
        (35.0, "breaking-point", broke.to_owned()),
        (40.0, "step", step(5, "repeat", 110, bad)),
    ];
    let expected: Vec<(f64, &str, &str)> = expected
        .iter()
        .map(|(at_s, kind, text)| (*at_s, *kind, text.as_str()))
        .collect();
    assert_eq!(told, expected);
}

/// A step that the tester spoilt, and in another run a step in which the receive leg broke and no lower one held.
#[test]
fn a_step_that_the_tester_spoilt_is_told_and_no_leg_broke_in_it() {
    let spoilt = run(&[(40, Ramp, Nothing), (60, Ramp, Stall)], &[]);
    let rows = |run: &Measured, kind: &str| -> Vec<(f64, String, bool)> {
        let rows = run.events.iter().filter(|event| event.kind == kind);
        rows.map(|event| (event.at_s, event.text.clone(), event.tainted))
            .collect()
    };
    let text = "step 1 (ramp): 60.0 Mbit/s, 2 calls, 6 s: receive tainted, sent tainted";
    assert_eq!(rows(&spoilt, "step")[1], (8.0, text.to_owned(), false));
    assert_eq!(rows(&spoilt, "breaking-point"), []);
    let at_once = run(&[(40, Ramp, Loss(Leg::Receive))], &[]);
    let text = "receive leg (tester -> guest) broke at 40.0 Mbit/s: loss_percent first; no lower load was good";
    assert_eq!(
        rows(&at_once, "breaking-point"),
        [(3.0, text.to_owned(), false)]
    );
}
