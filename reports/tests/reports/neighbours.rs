//! What is shown of load beside the calls.

use crate::sample;
use milliwatt_reports::{Scorecard, html, terminal};

/// Both neighbours and the calls, on beside off, within the terminal's width; what is listed there is no event of its own.
#[test]
fn the_table_of_neighbours_stands_in_the_summary() {
    let (run, context) = (sample::neighbours::contended(), sample::context());
    let text = terminal::render(&Scorecard::new(&context, &run), &run, &context);
    let from = text.find("Neighbours (").unwrap();
    let section = text[from..].split("\n\n").next().unwrap();
    insta::assert_snapshot!(section);
    assert!(!text.contains("neighbour 1: load on"), "{text}");
    let longest = section.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(terminal::WIDTH), "{longest:?}");
    let quiet = sample::pass();
    let text = terminal::render(&Scorecard::new(&context, &quiet), &quiet, &context);
    assert!(!text.contains("Neighbours"));
}

#[test]
fn the_page_has_the_same_table() {
    let (run, context) = (sample::neighbours::contended(), sample::context());
    let page = html::render(&Scorecard::new(&context, &run), &run, &context, (&[], &[]));
    let page = page.unwrap();
    for part in [
        "<h2>Neighbours</h2>",
        "neighbour 1: CPU of 8 cores, % (asked 95)",
        "receive: PDV p99.9, ms",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
