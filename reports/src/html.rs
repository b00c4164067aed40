//! `report.html`: one file that needs no network, with the plots inside.

mod disruptions;
mod search;

use crate::context::RunContext;
use crate::excerpts::{Content, Excerpt, NoAudio};
use crate::figures;
use crate::findings::{self, Weight};
use crate::incidents;
use crate::plots::Plot;
use crate::scorecard::Scorecard;
use crate::tables::{self, DocumentRow, Fact, LegRow, OnOffLine, fact};
use askama::Template;
use disruptions::Disruptions;
use milliwatt_scoring::measured::{EventRow, Measured, ThresholdResult, Verdict};
use search::Search;

/// Dead-air and silence events listed; `events.jsonl` holds all.
const EVENTS: usize = 200;
/// Incidents and other events listed, of each.
const INCIDENTS: usize = 20;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    scenario: &'a str,
    title: &'a str,
    source: Option<&'a str>,
    verdict: &'static str,
    headline: String,
    partial: bool,
    run: Vec<Fact>,
    scope: &'a [String],
    valid: bool,
    reasons: &'a [String],
    notes: &'a [String],
    thresholds: Vec<Threshold>,
    incidents: Vec<(String, String)>,
    more_incidents: u64,
    /// Of a load that came in steps.
    search: Option<Search<'a>>,
    /// Of a run that was interrupted or marked.
    disruptions: Option<Disruptions<'a>>,
    /// Of a run beside busy neighbours.
    neighbours: Vec<OnOffLine>,
    plots: Vec<&'a Plot>,
    /// Silences that recordings hold.
    silences: u64,
    shown: u64,
    excerpts: Vec<Heard<'a>>,
    /// Why there is nothing to see and hear of any.
    unheard: Option<String>,
    legs: Vec<LegRow>,
    patterns: Vec<LegRow>,
    attribution: Vec<LegRow>,
    worst_seconds: Vec<String>,
    recordings: Vec<Fact>,
    document: Vec<DocumentRow>,
    machines: Vec<Fact>,
    events: Vec<Event>,
    more_events: u64,
    environment: &'a [(String, String)],
}

/// A row of the table of thresholds.
struct Threshold {
    outcome: &'static str,
    class: &'static str,
    subject: String,
    measured: String,
    limit: String,
    place: String,
    basis: String,
    remarks: Vec<String>,
}

/// A row of the table of events.
struct Event {
    at: String,
    kind: String,
    place: String,
    length: String,
    cause: &'static str,
    tainted: bool,
}

/// A silence, seen and heard.
struct Heard<'a> {
    heading: &'a str,
    place: String,
    content: Option<&'a Content>,
    missing: String,
}

/// The whole file, with its pictures and what is seen and heard of its silences.
pub fn render(
    scorecard: &Scorecard,
    measured: &Measured,
    context: &RunContext,
    (plots, excerpts): (&[Plot], &[Excerpt]),
) -> Result<String, askama::Error> {
    let listed = incidents::story(&measured.events, INCIDENTS);
    let impairments = || {
        measured
            .events
            .iter()
            .filter(|event| incidents::is_impairment(event))
    };
    let page = Page {
        scenario: &scorecard.scenario,
        title: &context.title,
        source: context.source.as_deref(),
        verdict: findings::verdict_word(scorecard.verdict),
        headline: findings::headline(scorecard.verdict, &scorecard.thresholds),
        partial: scorecard.partial,
        run: run(scorecard, context),
        scope: &scorecard.scope.lines,
        valid: scorecard.validity.valid,
        reasons: &scorecard.validity.reasons,
        notes: &scorecard.notes,
        thresholds: thresholds(scorecard, context),
        more_incidents: (incidents::story_length(&measured.events) - listed.len()) as u64,
        incidents: listed
            .into_iter()
            .map(|(at_s, what)| (findings::moment(at_s, context), what))
            .collect(),
        search: Search::of(scorecard, context, plots),
        disruptions: Disruptions::of(scorecard, context, plots),
        neighbours: tables::neighbours(scorecard),
        plots: plots
            .iter()
            .filter(|plot| !search::shows(plot) && !disruptions::shows(plot))
            .collect(),
        silences: count_silences(measured),
        shown: excerpts.len() as u64,
        excerpts: excerpts.iter().map(|e| Heard::of(e, context)).collect(),
        unheard: unheard(excerpts),
        legs: tables::legs(&scorecard.legs),
        patterns: tables::patterns(&scorecard.legs),
        attribution: tables::attribution(&scorecard.attribution),
        worst_seconds: findings::worst_seconds(&scorecard.attribution, context),
        recordings: tables::recordings(scorecard),
        document: tables::document(scorecard),
        machines: tables::machines(scorecard),
        events: impairments()
            .take(EVENTS)
            .map(|event| Event::of(event, context))
            .collect(),
        more_events: impairments().count().saturating_sub(EVENTS) as u64,
        environment: &context.environment,
    };
    page.render()
}

fn run(scorecard: &Scorecard, context: &RunContext) -> Vec<Fact> {
    let calls = &scorecard.calls;
    let calls = format!(
        "{} started, {} completed, {} cut short by the run's end",
        figures::count(calls.started),
        figures::count(calls.completed),
        figures::count(calls.cut)
    );
    let full_load = scorecard.full_load.map_or_else(
        || "never reached".to_owned(),
        |(from, to)| format!("{from} s to {to} s of run time"),
    );
    vec![
        fact("Started", figures::date(context.started)),
        fact("Length", figures::duration(context.duration_s)),
        fact("Full load", full_load),
        fact("Calls", calls),
        fact("Guest", context.guest.clone()),
        fact("Run directory", context.directory.clone()),
        fact("Command", context.command.clone()),
        fact("milliwatt", context.version.clone()),
    ]
}

/// What failed first.
fn thresholds(scorecard: &Scorecard, context: &RunContext) -> Vec<Threshold> {
    let mut results: Vec<&ThresholdResult> = scorecard.thresholds.iter().collect();
    results.sort_by_key(|result| Weight::of(result));
    let invalid = scorecard.verdict == Verdict::Invalid;
    results
        .into_iter()
        .map(|result| Threshold::of(result, invalid, context))
        .collect()
}

fn count_silences(measured: &Measured) -> u64 {
    let events = measured.events.iter();
    events.filter(|event| event.kind == "silence").count() as u64
}

/// Said once where it is true of all.
fn unheard(excerpts: &[Excerpt]) -> Option<String> {
    let none_is_there = |e: &Excerpt| e.content == Err(NoAudio::NotThere);
    (!excerpts.is_empty() && excerpts.iter().all(none_is_there)).then(|| {
        "None of the recordings with silences is in recordings/: they were not kept (`--keep-recordings`) or have been \
         taken away. With them there, `milliwatt report` on this folder shows them."
            .to_owned()
    })
}

impl<'a> Heard<'a> {
    fn of(excerpt: &'a Excerpt, context: &RunContext) -> Self {
        let tainted = if excerpt.tainted {
            ", in a tainted second: no evidence against the guest"
        } else {
            ""
        };
        let at = findings::moment(excerpt.at_s, context);
        Self {
            heading: &excerpt.heading,
            place: format!("{}, run time {at}{tainted}", excerpt.place),
            content: excerpt.content.as_ref().ok(),
            missing: match &excerpt.content {
                Ok(_) => String::new(),
                Err(missing) => format!("Nothing to see and hear: {missing}."),
            },
        }
    }
}

impl Threshold {
    fn of(result: &ThresholdResult, invalid: bool, context: &RunContext) -> Self {
        let weight = Weight::of(result);
        let (outcome, class) = match (weight, invalid) {
            (Weight::Failed, true) => ("outside, no finding", "warn"),
            (Weight::Failed, false) => (weight.word(), "fail"),
            (Weight::Warned, _) => (weight.word(), "warn"),
            (Weight::NotMeasured, _) => (weight.word(), "none"),
            (Weight::Passed, _) => (weight.word(), "pass"),
        };
        Self {
            outcome,
            class,
            subject: findings::subject(result),
            measured: findings::measured(result),
            limit: findings::limit(result),
            place: findings::place(result, context).unwrap_or_default(),
            basis: findings::basis(result),
            remarks: findings::remarks(result),
        }
    }
}

impl Event {
    fn of(event: &EventRow, context: &RunContext) -> Self {
        let place = match (event.stream, event.call, event.channel) {
            (Some(stream), _, _) => stream.to_string(),
            (None, Some(call), Some(channel)) => {
                let start = event.start_s;
                let start = start.map_or_else(String::new, |s| format!(", {s:.3} s in"));
                format!("recording of call {call}, channel {channel}{start}")
            }
            _ => event.text.clone(),
        };
        Self {
            at: findings::moment(event.at_s, context),
            kind: event.kind.clone(),
            place,
            length: figures::number_or_dash(event.duration_ms),
            cause: incidents::origin_word(event),
            tainted: event.tainted,
        }
    }
}
