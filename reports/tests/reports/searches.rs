//! What is said and drawn of a search for the load at which each leg breaks.

use crate::sample::{self, steps};
use milliwatt_reports::plots::{self, Plot};
use milliwatt_reports::{RunContext, Scorecard, csv, excerpts, html, junit, terminal, write_all};
use milliwatt_scoring::measured::{Measured, Reached, StepOutcome, StepRow, Verdict};

fn scorecard(measured: &Measured) -> Scorecard {
    Scorecard::new(&sample::context(), measured)
}

fn summary(measured: &Measured) -> String {
    terminal::render(&scorecard(measured), measured, &sample::context())
}

/// From the heading of the breaking point to the end of the steps.
fn section(measured: &Measured) -> String {
    let text = summary(measured);
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("Breaking point"));
    let lines = lines.take_while(|line| !["Kept", "Failed"].contains(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn page(measured: &Measured) -> String {
    let plots = plots::draw_all(measured).unwrap();
    let excerpts = excerpts::of(measured, |_| Err(excerpts::NoAudio::NotThere)).unwrap();
    let context: RunContext = sample::context();
    html::render(
        &scorecard(measured),
        measured,
        &context,
        (&plots, &excerpts),
    )
    .unwrap()
}

fn searches() -> [Measured; 3] {
    [
        steps::sent_broke(),
        steps::both_broke(),
        steps::tester_limited(),
    ]
}

/// The pictures of a search.
fn pictures(measured: &Measured) -> Vec<Plot> {
    let mut plots = plots::draw_all(measured).unwrap();
    plots.retain(|plot| ["breaking_point", "load_curve"].contains(&plot.name));
    plots
}

/// The words of a picture, in the order in which they are drawn.
fn words(plot: &Plot) -> Vec<&str> {
    let lines = plot.svg.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('<'))
        .collect()
}

#[test]
fn the_sent_leg_broke_and_the_receive_leg_held() {
    insta::assert_snapshot!(section(&steps::sent_broke()));
}

#[test]
fn both_legs_broke() {
    insta::assert_snapshot!(section(&steps::both_broke()));
}

#[test]
fn the_tester_failed_before_a_leg_did() {
    insta::assert_snapshot!(section(&steps::tester_limited()));
}

#[test]
fn summaries_of_searches_fit_the_terminal() {
    for measured in searches() {
        for line in summary(&measured).lines() {
            assert!(line.chars().count() <= terminal::WIDTH, "{line}");
        }
    }
}

/// Each metric that can break a leg has a reason and something to try of its own.
#[test]
fn the_reason_follows_the_metric() {
    let mut reasons = std::collections::BTreeSet::new();
    for metric in [
        "pdv_ms.p999",
        "loss_percent",
        "discarded_percent",
        "dead_air.events",
        "transfer.goodput_percent",
        "a.metric.of.later",
    ] {
        let mut measured = steps::sent_broke();
        measured.breaking_point.sent.as_mut().unwrap().metric = Some(metric.into());
        let text = section(&measured);
        let advice = text.lines().skip_while(|line| !line.starts_with("      "));
        let advice: Vec<&str> = advice
            .take_while(|line| line.starts_with("      "))
            .collect();
        assert!(advice.iter().any(|line| line.contains("Try: ")), "{metric}");
        reasons.insert(advice.join("\n"));
    }
    assert_eq!(reasons.len(), 6);
}

/// A search that ended before its first step could be judged, and a leg that no load left good.
#[test]
fn what_is_not_known_is_not_said() {
    let mut measured = steps::sent_broke();
    measured.steps.clear();
    let receive = measured.breaking_point.receive.as_mut().unwrap();
    (receive.reached, receive.last_good_mbps) = (Reached::NotMeasured, None);
    let sent = measured.breaking_point.sent.as_mut().unwrap();
    (sent.last_good_mbps, sent.carried_mbps, sent.calls) = (None, None, None);
    (sent.metric, sent.at_s, sent.after_s) = (None, None, None);
    insta::assert_snapshot!(section(&measured));
    assert!(pictures(&measured).is_empty());
}

/// Above what the receive leg held only the guest's own playout failed.
#[test]
fn a_leg_that_more_load_would_not_judge_says_what_ended_its_search() {
    let mut measured = steps::sent_broke();
    let held = measured.breaking_point.receive.as_ref().unwrap();
    assert_eq!(held.reached, Reached::NotReached);
    let targets = measured.steps.iter().map(|step| step.target_mbps);
    let highest = targets.max_by(f64::total_cmp).unwrap();
    let at_it = |step: &&mut StepRow| step.target_mbps.total_cmp(&highest).is_eq();
    for step in measured.steps.iter_mut().filter(at_it) {
        step.receive.outcome = StepOutcome::GuestLimited;
    }
    let load = format!("{highest:.1} Mbit/s the guest, past its sent leg's limit");
    let words = section(&measured)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(words.contains(&load), "{words}");
    assert!(
        words.contains("or more processors for the guest"),
        "{words}"
    );
    assert!(!words.contains("the highest load offered"), "{words}");
}

#[test]
fn in_an_invalid_run_a_breaking_point_is_no_finding() {
    let mut measured = steps::sent_broke();
    measured.verdict = Verdict::Invalid;
    assert!(section(&measured).starts_with("Breaking point (no finding: the run is invalid)\n"));
    let xml = junit::render(&scorecard(&measured), &sample::context()).unwrap();
    let (_, case) = xml.split_once("breaking_point, sent leg").unwrap();
    assert!(case.contains("<skipped message=\"sent leg (guest -&gt; tester): broke at 82.1"));
}

/// Thresholds alone decide: the point at which a leg breaks was looked for.
#[test]
fn junit_has_a_case_a_leg_that_is_no_failure() {
    let without = |measured: &Measured| {
        let xml = junit::render(&scorecard(measured), &sample::context()).unwrap();
        (
            xml.matches("<testcase").count(),
            xml.matches("<failure").count(),
        )
    };
    assert_eq!(without(&sample::pass()), (14, 0));
    for measured in searches() {
        assert_eq!(without(&measured), (16, 0));
    }
}

/// 19 steps of two legs.
#[test]
fn steps_csv_has_a_row_a_step_and_leg() {
    let text = csv::steps(&steps::sent_broke());
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 19 * 2);
    insta::assert_snapshot!([lines[0], lines[1], lines[16], lines[36], lines[38]].join("\n"));
}

#[test]
fn what_the_picture_of_a_leg_that_broke_says() {
    let measured = steps::both_broke();
    let pictures = pictures(&measured);
    let words: Vec<String> = pictures.iter().map(|plot| words(plot).join("\n")).collect();
    insta::assert_snapshot!(words.join("\n\n"));
}

/// Shape tells the outcome as well as colour: 6 good steps of the sent leg are dots in each of its panels, bad ones two strokes.
#[test]
fn a_point_a_step_in_each_panel_of_its_leg() {
    let measured = steps::both_broke();
    let curve = &pictures(&measured)[1].svg;
    let count = |leg: fn(&StepRow) -> StepOutcome, outcome| {
        measured
            .steps
            .iter()
            .filter(|step| leg(step) == outcome)
            .count()
    };
    let both = |outcome| count(|s| s.sent.outcome, outcome) + count(|s| s.receive.outcome, outcome);
    let dots = curve.lines().filter(|line| line.contains("<circle"));
    assert_eq!(dots.count(), 2 * both(StepOutcome::Good));
    let strokes = curve
        .lines()
        .filter(|line| line.contains("stroke-width=\"3\""));
    assert_eq!(strokes.count(), 2 * 2 * both(StepOutcome::Bad));
    let diamonds = curve.lines().filter(|line| line.contains("<polygon"));
    assert_eq!(diamonds.count(), 2 * both(StepOutcome::Tainted));
}

#[test]
fn the_document_s_load_is_told_where_it_is_far_beyond() {
    let mut small = steps::sent_broke();
    for step in &mut small.steps {
        for leg in [&mut step.receive, &mut step.sent] {
            leg.offered_mbps = leg.offered_mbps.map(|mbps| mbps / 10.0);
        }
    }
    let curve = &pictures(&small)[1].svg;
    assert!(curve.contains("are off the scale") && !curve.contains("dashed upright"));
}

/// As many steps as a run may have stay a small picture and a short table.
#[test]
fn a_thousand_steps_stay_small() {
    let mut long = steps::tester_limited();
    let rows = long.steps.clone();
    long.steps = (0..1000)
        .map(|index| {
            let mut step = rows[index as usize % rows.len()].clone();
            (step.index, step.from_s) = (index, f64::from(index) * 60.0);
            step.until_s = step.from_s + 55.0;
            step
        })
        .collect();
    let mut last = long.seconds.last().unwrap().clone();
    last.second = 60_000;
    long.seconds.push(last);
    for plot in pictures(&long) {
        assert!(
            plot.svg.len() < 1_000_000,
            "{}: {}",
            plot.name,
            plot.svg.len()
        );
    }
    let text = section(&long);
    assert!(text.contains("Steps (the last 40 of 1000; all: steps.csv)"));
    assert_eq!(
        text.lines()
            .filter(|line| line.contains(" receive  "))
            .count(),
        40
    );
    assert!(page(&long).contains("900 earlier steps in steps.csv"));
}

#[test]
fn the_page_has_the_pictures_once_with_what_to_look_at() {
    for measured in searches() {
        let page = page(&measured);
        assert_eq!(page.matches("<svg").count(), 10);
        assert_eq!(page.matches("<figcaption>What to look at: ").count(), 2);
        assert_eq!(page.matches("<h2>Breaking point</h2>").count(), 1);
        let rows = page.matches(" ramp, sent</td>").count();
        let ramp = |s: &&StepRow| s.kind == milliwatt_wire::step::StepKind::Ramp;
        assert_eq!(rows, measured.steps.iter().filter(ramp).count());
    }
}

/// Begin and end of steps are a table, no story, and no marks in plots.
#[test]
fn steps_do_not_crowd_out_what_happened() {
    let text = summary(&steps::sent_broke());
    assert!(!text.contains("step: step 0 begins"), "{text}");
    for plot in plots::draw_all(&steps::sent_broke()).unwrap() {
        assert!(!words(&plot).contains(&"step"), "{}", plot.name);
    }
}

/// A stall at 200 s is marked in all four panels; its name would stand over the breaking point's of the two upper ones.
#[test]
fn a_mark_is_not_named_over_the_name_of_a_breaking_point() {
    let mut measured = steps::both_broke();
    let mut stall = sample::events::stall();
    stall.at_s = 200.0;
    measured.events.push(stall);
    let named = |name| {
        let plots = plots::draw_all(&measured).unwrap();
        let plot = plots.iter().find(|plot| plot.name == name).unwrap();
        words(plot).iter().filter(|word| **word == "stall").count()
    };
    assert_eq!((named("breaking_point"), named("pdv")), (2, 2));
}

#[test]
fn a_run_without_steps_shows_nothing_of_this() {
    let plain = sample::fail();
    let xml = junit::render(&scorecard(&plain), &sample::context()).unwrap();
    for text in [summary(&plain), page(&plain), xml] {
        for word in ["Breaking point", "breaking_point", "load_curve", "Steps"] {
            assert!(!text.contains(word), "{word}");
        }
    }
    assert!(pictures(&plain).is_empty());
}

#[test]
fn the_files_of_a_search_are_in_its_folder_and_in_no_other() {
    let files = |measured: &Measured| {
        let folder = tempfile::tempdir().unwrap();
        write_all(
            folder.path(),
            &scorecard(measured),
            measured,
            &sample::context(),
        )
        .unwrap();
        [
            "steps.csv",
            "plots/breaking_point.svg",
            "plots/load_curve.svg",
        ]
        .map(|name| folder.path().join(name).exists())
    };
    assert_eq!(files(&steps::sent_broke()), [true; 3]);
    assert_eq!(files(&sample::pass()), [false; 3]);
}
