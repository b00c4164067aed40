//! The summary that a run ends with: what a person must know to act, the verdict first. Plain
//! text, no colour codes, at most [`WIDTH`] columns.

mod disruptions;
mod neighbours;
mod steps;

use crate::context::RunContext;
use crate::figures::{self, counted};
use crate::findings::{self, Weight};
use crate::incidents;
use crate::scorecard::Scorecard;
use crate::tables::{self, LegRow};
use milliwatt_scoring::measured::{Measured, ThresholdResult, Verdict};

/// Widest line, columns; only a single longer word, such as a path, goes beyond.
pub const WIDTH: usize = 100;

/// Incidents and other events listed, of each; the report holds the rest.
const INCIDENTS: usize = 5;

/// The summary.
#[must_use]
pub fn render(scorecard: &Scorecard, measured: &Measured, context: &RunContext) -> String {
    let mut page = Page::default();
    heading(&mut page, scorecard, context);
    validity(&mut page, scorecard);
    steps::breaking_point(&mut page, scorecard, context);
    disruptions::disruptions(&mut page, scorecard, context);
    neighbours::neighbours(&mut page, scorecard);
    thresholds(&mut page, scorecard, context);
    what_happened(&mut page, measured, context);
    notes(&mut page, scorecard);
    legs(&mut page, scorecard);
    attribution(&mut page, scorecard, context);
    machines(&mut page, scorecard);
    recordings(&mut page, scorecard);
    document(&mut page, scorecard);
    page.section(&format!(
        "Report: {}/report.html",
        context.directory.trim_end_matches('/')
    ));
    page.text
}

/// Text that grows line by line.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) text: String,
}

impl Page {
    /// One line, wrapped at [`WIDTH`] with continuation lines two columns further in.
    pub(crate) fn line(&mut self, indent: usize, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.wrap(indent, text);
    }

    /// A label of at most 20 columns and what it names, wrapped beside it.
    pub(crate) fn labelled(&mut self, label: &str, value: &str) {
        let label = format!("  {label:<20} ");
        self.text.push_str(&label);
        self.wrap(label.chars().count(), value);
    }

    /// The rest of a line whose text begins at column `indent`.
    fn wrap(&mut self, indent: usize, text: &str) {
        let mut column = indent;
        let mut first = true;
        for word in text.split_whitespace() {
            let width = word.chars().count();
            if !first && column + 1 + width > WIDTH {
                self.text.push('\n');
                self.text.push_str(&" ".repeat(indent + 2));
                column = indent + 2;
            } else if !first {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += width;
            first = false;
        }
        self.text.push('\n');
    }

    pub(crate) fn section(&mut self, title: &str) {
        self.text.push('\n');
        self.line(0, title);
    }

    /// A line of a table, its columns already aligned.
    pub(crate) fn row(&mut self, text: &str) {
        self.text.push_str("  ");
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }
}

fn heading(page: &mut Page, scorecard: &Scorecard, context: &RunContext) {
    let verdict = findings::verdict_word(scorecard.verdict);
    let headline = findings::headline(scorecard.verdict, &scorecard.thresholds);
    page.line(0, &format!("{verdict}  {}: {headline}", scorecard.scenario));
    if scorecard.partial {
        page.line(
            0,
            "PARTIAL: an end did not finish in order; this is what its facts hold",
        );
    }
    page.line(0, &context.title);
    let started = figures::date(context.started);
    let calls = counted(scorecard.calls.started, "call");
    page.line(
        0,
        &format!(
            "started {started}, {}, {calls}; guest: {}",
            figures::duration(context.duration_s),
            context.guest
        ),
    );
    for line in &scorecard.scope.lines {
        page.line(0, &format!("scope: {line}"));
    }
}

fn validity(page: &mut Page, scorecard: &Scorecard) {
    if scorecard.validity.reasons.is_empty() {
        return;
    }
    page.section(if scorecard.validity.valid {
        "Doubts about the tester"
    } else {
        "Why this run proves nothing, and what to do"
    });
    for reason in &scorecard.validity.reasons {
        page.line(2, &format!("- {reason}"));
    }
}

fn notes(page: &mut Page, scorecard: &Scorecard) {
    if !scorecard.notes.is_empty() {
        page.section("Notes");
    }
    for note in &scorecard.notes {
        page.line(2, &format!("- {note}"));
    }
}

fn thresholds(page: &mut Page, scorecard: &Scorecard, context: &RunContext) {
    let failed = if scorecard.verdict == Verdict::Invalid {
        "Outside the limit, but no finding"
    } else {
        "Failed"
    };
    for (weight, title) in [
        (Weight::Failed, failed),
        (Weight::Warned, "Warnings (do not decide)"),
    ] {
        let mut results = findings::of_weight(&scorecard.thresholds, weight).peekable();
        if results.peek().is_some() {
            page.section(title);
        }
        for result in results {
            finding(page, result, context);
        }
    }
    let kept: Vec<_> = findings::of_weight(&scorecard.thresholds, Weight::Passed).collect();
    let unmeasured: Vec<_> =
        findings::of_weight(&scorecard.thresholds, Weight::NotMeasured).collect();
    for (title, results) in [("Kept", kept), ("Not measured", unmeasured)] {
        if !results.is_empty() {
            page.section(title);
        }
        for result in results {
            page.line(2, &kept_line(result));
        }
    }
}

fn finding(page: &mut Page, result: &ThresholdResult, context: &RunContext) {
    page.line(2, &findings::subject(result));
    let place = findings::place(result, context)
        .map_or_else(String::new, |place| format!(", worst at {place}"));
    page.line(
        6,
        &format!(
            "measured {}{place}; limit {}",
            findings::measured(result),
            findings::limit(result)
        ),
    );
    page.line(6, &format!("limit by: {}", findings::basis(result)));
    for remark in findings::remarks(result) {
        page.line(6, &remark);
    }
}

fn kept_line(result: &ThresholdResult) -> String {
    let note = result
        .note
        .as_ref()
        .map_or_else(String::new, |note| format!("; {note}"));
    format!(
        "{}: {}{note}",
        findings::subject(result),
        findings::comparison(result)
    )
}

fn what_happened(page: &mut Page, measured: &Measured, context: &RunContext) {
    let listed = incidents::story(&measured.events, INCIDENTS);
    if listed.is_empty() {
        return;
    }
    page.section(
        &match incidents::story_length(&measured.events) - listed.len() {
            0 => "What happened".to_owned(),
            rest => format!("What happened (the largest; {rest} more in events.jsonl)"),
        },
    );
    for (at_s, what) in listed {
        page.line(
            2,
            &format!("at {}: {what}", findings::moment(at_s, context)),
        );
    }
}

fn legs(page: &mut Page, scorecard: &Scorecard) {
    page.section("Legs (counts: whole run; distributions and Mbit/s: full load)");
    leg_rows(page, &tables::legs(&scorecard.legs));
}

fn leg_rows(page: &mut Page, rows: &[LegRow]) {
    page.row(&format!(
        "{:<38} {:>28} {:>28}",
        "", "receive (tester -> guest)", "sent (guest -> tester)"
    ));
    for row in rows {
        page.row(&format!(
            "{:<38} {:>28} {:>28}",
            row.label, row.receive, row.sent
        ));
    }
}

/// Who it was, in the mean and at its worst.
fn attribution(page: &mut Page, scorecard: &Scorecard, context: &RunContext) {
    page.section("Where delay variation came from (full load)");
    leg_rows(page, &tables::attribution(&scorecard.attribution));
    for worst in findings::worst_seconds(&scorecard.attribution, context) {
        page.line(2, &worst);
    }
}

/// Whose clock was late: the first question about any finding.
fn machines(page: &mut Page, scorecard: &Scorecard) {
    page.section("Tester and guest (all figures: report.html)");
    for fact in tables::machines(scorecard)
        .into_iter()
        .filter(|fact| fact.decisive)
    {
        page.row(&format!("{:<60} {}", fact.label, fact.value));
    }
}

fn recordings(page: &mut Page, scorecard: &Scorecard) {
    page.section("Recordings");
    for fact in tables::recordings(scorecard) {
        page.labelled(fact.label, &fact.value);
    }
}

fn document(page: &mut Page, scorecard: &Scorecard) {
    let rows = tables::document(scorecard);
    if rows.is_empty() {
        return;
    }
    page.section("The document's figures beside ours (shown, not judged)");
    page.row(&format!(
        "{:<58} {:>18} {:>18}",
        "", "published", "measured"
    ));
    for row in rows {
        page.row(&format!(
            "{:<58} {:>18} {:>18}",
            row.figure, row.published, row.measured
        ));
    }
}
