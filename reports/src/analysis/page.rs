//! `report.html` of captures.

use super::ranking::{self, Weight};
use super::tables::{
    self, BufferLine, CallLine, CaptureLine, LegLine, RateLine, ReportedLine, StreamLine,
};
use crate::figures::{self, count, counted};
use crate::plots::Plot;
use crate::tables::{LegRow, legs};
use askama::Template;
use milliwatt_scoring::analysis::Analysis;
use std::path::Path;

/// Streams listed; `streams.csv` holds all.
const STREAMS: usize = 50;
/// Calls listed; `analysis.json` holds all.
const CALLS: usize = 100;
/// Kinds of other traffic listed.
const KINDS: usize = 30;

#[derive(Template)]
#[template(path = "analysis.html")]
struct Page<'a> {
    title: String,
    headline: String,
    partial: bool,
    damaged: Vec<String>,
    /// What captures cannot tell, a sentence each.
    limits: Vec<&'static str>,
    notes: &'a [String],
    streams: Vec<StreamLine>,
    more_streams: u64,
    plots: &'a [Plot],
    leg_names: Vec<String>,
    leg_lines: Vec<LegLine>,
    /// Name and legs of a captured run.
    run: &'a str,
    legs: Vec<LegRow>,
    buffers: Vec<BufferLine>,
    calls: Vec<CallLine>,
    more_calls: u64,
    rates: Vec<RateLine>,
    reported: Vec<ReportedLine>,
    other_traffic: Vec<(String, String)>,
    captures: Vec<CaptureLine>,
}

/// The whole file.
pub(super) fn render(analysis: &Analysis, plots: &[Plot]) -> Result<String, askama::Error> {
    let ranked = ranking::worst_first(&analysis.streams);
    let worst = || ranked.iter().map(|index| &analysis.streams[*index]);
    let mut calls = tables::calls(analysis, &ranked);
    let more_calls = calls.len().saturating_sub(CALLS) as u64;
    calls.truncate(CALLS);
    let (leg_names, leg_lines) = tables::legs(analysis);
    let run = analysis.run.as_ref();
    let page = Page {
        title: title(analysis),
        headline: headline(analysis),
        partial: analysis.partial,
        damaged: damaged(analysis),
        limits: limits(analysis),
        notes: &analysis.notes,
        streams: worst().take(STREAMS).map(StreamLine::of).collect(),
        more_streams: ranked.len().saturating_sub(STREAMS) as u64,
        plots: if analysis.streams.is_empty() {
            &[]
        } else {
            plots
        },
        leg_names,
        leg_lines,
        run: run.map_or("", |run| &run.scenario),
        legs: run.map_or_else(Vec::new, |run| legs(&run.legs)),
        buffers: tables::buffers(analysis),
        calls,
        more_calls,
        rates: tables::rates(analysis),
        reported: worst().filter_map(ReportedLine::of).take(STREAMS).collect(),
        other_traffic: other_traffic(analysis),
        captures: analysis.captures.iter().map(CaptureLine::of).collect(),
    };
    page.render()
}

fn title(analysis: &Analysis) -> String {
    let name = |file: &String| {
        let name = Path::new(file).file_name();
        name.map_or_else(|| file.clone(), |name| name.to_string_lossy().into_owned())
    };
    match &analysis.captures[..] {
        [] => "no capture".to_owned(),
        [one] => name(&one.file),
        [first, others @ ..] => {
            let others = counted(others.len() as u64, "more capture");
            format!("{} and {others}", name(&first.file))
        }
    }
}

fn headline(analysis: &Analysis) -> String {
    let streams = &analysis.streams;
    if streams.is_empty() {
        return "No RTP streams found: what the captures hold instead stands below.".to_owned();
    }
    let weighing = |weight| {
        let found = streams.iter().filter(|stream| Weight::of(stream) == weight);
        found.count() as u64
    };
    let firsts = analysis.captures.iter().filter_map(|c| c.first_ns).min();
    let lasts = analysis.captures.iter().filter_map(|c| c.last_ns).max();
    let span = firsts.zip(lasts).map_or_else(String::new, |(first, last)| {
        format!(" in {}", tables::length(first, last))
    });
    format!(
        "{}, {}{span}: {} with dead air, {} impaired otherwise, {} clean.",
        counted(streams.len() as u64, "RTP stream"),
        counted(analysis.calls.len() as u64, "call"),
        count(weighing(Weight::DeadAir)),
        count(weighing(Weight::Impaired)),
        count(weighing(Weight::Clean))
    )
}

fn damaged(analysis: &Analysis) -> Vec<String> {
    let captures = analysis.captures.iter();
    captures
        .filter_map(|capture| Some(format!("{}: {}", capture.file, capture.error.as_ref()?)))
        .collect()
}

fn limits(analysis: &Analysis) -> Vec<&'static str> {
    let by_sequence = analysis
        .streams
        .iter()
        .any(|stream| stream.expected_from == "sequence-numbers");
    let expected = if by_sequence || analysis.run.is_none() {
        "No sender's own count is in it: lost packets are gaps in sequence numbers, so those before a stream's first captured packet or after its last are not seen."
    } else {
        "What was expected is the senders' own count, which the capture carries."
    };
    vec![
        expected,
        "All is as it was at the place of capture, by the clock there: what the network does beyond that place is not in it, and at the sender nothing looks lost.",
        "From one place no delay can be told, only its variation: PDV is above each stream's least.",
        "Discards, dead air and MOS are what a fixed playout buffer of 60 ms would have made of these arrivals; telephones with other buffers fare otherwise. MOS is an estimate (E-model) and cannot see dead air. The audio was not looked at.",
    ]
}

/// Descending; what is beyond the bound is summed in a last row.
fn other_traffic(analysis: &Analysis) -> Vec<(String, String)> {
    let (listed, rest) = analysis
        .other_traffic
        .split_at(analysis.other_traffic.len().min(KINDS));
    let rest: u64 = rest.iter().map(|(_, packets)| packets).sum();
    let mut rows: Vec<(String, String)> = listed
        .iter()
        .map(|(kind, packets)| (kind.clone(), count(*packets)))
        .collect();
    if rest > 0 {
        rows.push(("all others".to_owned(), count(rest)));
    }
    rows
}
