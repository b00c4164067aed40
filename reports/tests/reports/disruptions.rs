//! What is said and drawn of a run whose service was interrupted.

use crate::sample::{self, disruptions};
use milliwatt_reports::plots::{self, Plot};
use milliwatt_reports::{RunContext, Scorecard, csv, excerpts, html, junit, terminal, write_all};
use milliwatt_scoring::measured::{MarkEffect, Measured};

fn scorecard(measured: &Measured) -> Scorecard {
    Scorecard::new(&sample::context(), measured)
}

/// From the heading of the disruptions to what follows.
fn section(measured: &Measured) -> String {
    let text = terminal::render(&scorecard(measured), measured, &sample::context());
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("Disruptions"));
    let lines = lines.take_while(|line| !line.is_empty());
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

fn picture(measured: &Measured) -> Option<Plot> {
    let plots = plots::draw_all(measured).unwrap();
    plots.into_iter().find(|plot| plot.name == "disruption")
}

#[test]
fn the_summary_of_a_move_and_a_cut() {
    insta::assert_snapshot!(section(&disruptions::moved()));
}

#[test]
fn the_summary_of_a_guest_that_did_not_come_back() {
    insta::assert_snapshot!(section(&disruptions::gone()));
}

#[test]
fn a_run_without_marks_and_disruptions_has_no_section_picture_or_table() {
    let run = sample::pass();
    assert_eq!(section(&run), "");
    assert!(picture(&run).is_none());
    assert!(!page(&run).contains("<h2>Disruptions</h2>"));
    let folder = tempfile::tempdir().unwrap();
    write_all(folder.path(), &scorecard(&run), &run, &sample::context()).unwrap();
    assert!(!folder.path().join("disruptions.csv").exists());
}

/// A mark alone is told, with that nothing was seen.
#[test]
fn a_mark_without_a_disruption_says_that_no_effect_was_seen() {
    let mut run = disruptions::moved();
    run.disruptions.clear();
    run.disruption_traces.clear();
    run.hooks.clear();
    run.marks.truncate(1);
    assert_eq!(run.marks[0].effect, MarkEffect::None);
    let said = section(&run);
    assert!(said.contains("none seen"), "{said}");
    assert!(
        said.contains("mark snapshot") && said.contains("no effect seen"),
        "{said}"
    );
    assert!(page(&run).contains("None seen."));
}

#[test]
fn the_table_for_programs_has_a_row_a_leg_that_was_hit() {
    insta::assert_snapshot!(csv::disruptions(&disruptions::moved()));
}

#[test]
fn the_picture_has_a_panel_a_disruption_and_names_marks_on_all_time_plots() {
    let run = disruptions::moved();
    let svg = picture(&run).unwrap().svg;
    for words in [
        "31.2 s: pause of 713 ms, 500 of 500 streams",
        "50.2 s: loss of 121 ms",
        "recovered",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    let plots = plots::draw_all(&run).unwrap();
    let pdv = plots.iter().find(|plot| plot.name == "pdv").unwrap();
    assert!(pdv.svg.contains("vMotion"));
}

#[test]
fn the_page_holds_sentences_picture_and_table() {
    let page = page(&disruptions::moved());
    for words in [
        "all 500 streams stood still for 713 ms on both legs",
        "Mark: vMotion",
        "no effect seen",
        "Streams silent around each disruption",
        "<td class=\"figure\" data-label=\"blackout (ms)\">713</td>",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

/// Of 4 the ranks of p50 and p95 are 2 and 4; once is no distribution.
#[test]
fn what_was_done_several_times_has_a_table_with_the_distribution_and_the_limits() {
    let run = disruptions::repeated();
    let words = section(&run)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let told = "vMotion, 5 times, 4 with a disruption: blackout p50 / p95 / max 400 / 700 / 700 ms (limit 500), \
                recovered p50 / max 600 / 900 ms (limit -), streams hit at most 500";
    assert!(words.contains(told), "{words}");
    let page = page(&run);
    for cell in [
        "<td class=\"figure\" data-label=\"blackout p50 / p95 / max (ms)\">400 / 700 / 700</td>",
        "600 / 900",
    ] {
        assert!(page.contains(cell), "{cell}");
    }
    assert!(!self::page(&disruptions::moved()).contains("What was done several times"));
    let card = scorecard(&run);
    assert_eq!(card.disruption_summary.len(), 1);
    let mut lost = run;
    lost.disruptions[3].recovered_ms = None;
    assert!(
        section(&lost).contains("600 / never ms"),
        "{}",
        section(&lost)
    );
}

/// Of a run without marks nothing is said of them.
#[test]
fn a_run_without_marks_says_nothing_of_marks() {
    let mut run = disruptions::moved();
    assert!(page(&run).contains("No mark is near it"));
    run.marks.clear();
    run.hooks.clear();
    assert!(!page(&run).contains("No mark is near it"));
}

#[test]
fn many_disruptions_stay_a_readable_summary_and_picture() {
    let mut run = disruptions::moved();
    let (row, trace) = (run.disruptions[1].clone(), run.disruption_traces[1].clone());
    for _ in 0..98 {
        run.disruptions.push(row.clone());
        run.disruption_traces.push(trace.clone());
    }
    assert!(section(&run).lines().count() < 70, "{}", section(&run));
    assert!(section(&run).contains("the 10 longest of 100"));
    assert!(picture(&run).unwrap().svg.contains("the 6 longest of 100"));
}

#[test]
fn a_threshold_on_disruptions_stands_in_junit() {
    let run = disruptions::moved();
    let xml = junit::render(&scorecard(&run), &sample::context()).unwrap();
    assert!(xml.contains("disruptions.blackout_ms"), "{xml}");
}
