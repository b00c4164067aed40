//! An analysis for people: the streams, worst first, and what else a reader should know.

use milliwatt_scoring::analysis::{Analysis, AnalyzedStream, CaptureRow, CapturedRun};
use milliwatt_wire::id::Leg;
use std::cmp::Reverse;

/// With more streams than these only the worst are listed.
const LISTED_WHOLE: usize = 40;
/// So many of them.
const LISTED_WORST: usize = 20;

/// What a reader should know, a sentence each.
#[must_use]
pub fn notes(streams: &[AnalyzedStream], captures: &[CaptureRow], has_run: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !streams.is_empty() {
        let ledger = if has_run {
            "the senders' ledgers are in the figures of the run's legs alone"
        } else {
            "a capture holds no sender's ledger"
        };
        notes.push(format!("lost: by sequence numbers, {ledger}; what was lost before the first and after the last packet is not seen"));
    }
    let steps: u64 = captures
        .iter()
        .map(|capture| capture.clock_steps_back)
        .sum();
    if steps > 0 {
        notes.push(format!(
            "the capture's clock went back {steps} times: figures of time around there are no evidence"
        ));
    }
    let assumed = streams
        .iter()
        .filter(|stream| stream.clock_rate_from == "assumed")
        .count();
    if assumed > 0 {
        notes.push(format!(
            "the RTP clock of {assumed} streams is assumed to be 8000 Hz: nothing in the capture tells"
        ));
    }
    let inferred = streams
        .iter()
        .filter(|stream| stream.clock_rate_from == "inferred")
        .count();
    if inferred > 0 {
        notes.push(format!(
            "the RTP clock of {inferred} streams is inferred from their timestamps: their payload types are dynamic, and no SDP was captured"
        ));
    }
    let changed = streams
        .iter()
        .filter(|stream| stream.media_clock_skew_change.is_some())
        .count();
    if changed > 0 {
        notes.push(format!(
            "the media clock of {changed} streams began to run at another rate, or their transit stepped for good (media_clock_skew_change): a clock was slewed or set, or the sender stood still; each part's own drift is taken off PDV, a step stays in it"
        ));
    }
    notes
}

/// For the terminal.
#[must_use]
pub fn text(analysis: &Analysis) -> String {
    let mut text = String::new();
    if analysis.partial {
        partial(&mut text, &analysis.captures);
    }
    if analysis.streams.is_empty() {
        no_streams(&mut text, analysis);
    } else {
        table(&mut text, &analysis.streams);
    }
    if let Some(run) = &analysis.run {
        captured_run(&mut text, run);
    }
    if !analysis.calls.is_empty() {
        calls(&mut text, analysis);
    }
    if !analysis.other_traffic.is_empty() {
        let other = analysis
            .other_traffic
            .iter()
            .map(|(name, packets)| format!("{name} {packets}"));
        line(
            &mut text,
            "other packets: ",
            &other.collect::<Vec<_>>().join(", "),
        );
    }
    for note in &analysis.notes {
        line(&mut text, "note: ", note);
    }
    text
}

fn partial(text: &mut String, captures: &[CaptureRow]) {
    let unread = captures
        .iter()
        .filter(|capture| capture.error.is_some())
        .count();
    let words = format!(
        "{unread} of {} captures not read to the end; what was read is measured",
        captures.len()
    );
    line(text, "PARTIAL: ", &words);
}

/// What was found instead follows.
fn no_streams(text: &mut String, analysis: &Analysis) {
    let frames: u64 = analysis.captures.iter().map(|capture| capture.frames).sum();
    let instead = if frames == 0 {
        "no packets at all".to_owned()
    } else {
        format!("{frames} packets of other kinds")
    };
    line(text, "no RTP streams: ", &instead);
}

fn line(text: &mut String, label: &str, words: &str) {
    text.extend([label, words, "\n"]);
}

/// A column: its head, its width (left-aligned when below 0), and a stream's value.
type Column = (&'static str, i8, fn(&AnalyzedStream) -> String);

const COLUMNS: [Column; 14] = [
    ("source", -22, |stream| stream.source.clone()),
    ("destination", -22, |stream| stream.destination.clone()),
    ("ssrc", -11, |stream| stream.ssrc.clone()),
    ("codec", -6, |stream| {
        stream.codec.clone().unwrap_or_else(|| "?".to_owned())
    }),
    ("packets", 8, |stream| stream.packets_received.to_string()),
    ("lost", 6, |stream| stream.packets_lost.to_string()),
    ("late", 6, |stream| stream.packets_discarded.to_string()),
    ("dup", 5, |stream| stream.packets_duplicated.to_string()),
    ("reord", 6, |stream| stream.packets_reordered.to_string()),
    ("dead", 5, |stream| stream.dead_air.events.to_string()),
    ("iaj mean", 9, |stream| {
        ms(stream.interarrival_jitter_ms.mean)
    }),
    ("iaj max", 9, |stream| ms(stream.interarrival_jitter_ms.max)),
    ("pdv p99", 9, |stream| ms(stream.pdv_ms.p99)),
    ("pdv max", 9, |stream| ms(stream.pdv_ms.max)),
];

fn table(text: &mut String, streams: &[AnalyzedStream]) {
    let mut order: Vec<&AnalyzedStream> = streams.iter().collect();
    let is_whole = order.len() <= LISTED_WHOLE;
    if !is_whole {
        order.sort_by_key(|stream| Reverse(badness(stream)));
        order.truncate(LISTED_WORST);
    }
    row(text, |(head, ..)| (*head).to_owned());
    for stream in &order {
        row(text, |(_, _, value)| value(stream));
    }
    let sum = |of: fn(&AnalyzedStream) -> u64| streams.iter().map(of).sum::<u64>();
    let (packets, lost) = (sum(|s| s.packets_received), sum(|s| s.packets_lost));
    let (late, dead) = (sum(|s| s.packets_discarded), sum(|s| s.dead_air.events));
    let streams = streams.len();
    let shown = if is_whole {
        String::new()
    } else {
        format!(" (the worst {LISTED_WORST} are listed; --json has all)")
    };
    line(
        text,
        "",
        &format!(
            "{streams} streams{shown}: {packets} packets, {lost} lost, {late} late for a buffer of 60 ms, {dead} dead-air events of 60 ms and more; times in ms"
        ),
    );
}

fn row(text: &mut String, value: impl Fn(&Column) -> String) {
    let mut row = String::new();
    for column in &COLUMNS {
        let (value, width) = (value(column), usize::from(column.1.unsigned_abs()));
        row.extend([if column.1 < 0 {
            format!("{value:<width$} ")
        } else {
            format!("{value:>width$}")
        }]);
    }
    line(text, "", row.trim_end());
}

/// Dead air before losses, losses before variation.
fn badness(stream: &AnalyzedStream) -> (u64, u64, u64) {
    let us = |ms: Option<f64>| ms.map_or(0, whole_us);
    let impaired = stream.packets_lost + stream.packets_discarded;
    (
        whole_us(stream.dead_air.total_ms),
        impaired,
        us(stream.pdv_ms.max),
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates"
)]
fn whole_us(ms: f64) -> u64 {
    (ms * 1e3) as u64
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.3}"))
}

/// The legs of a run, of its packets, its plan and its senders' ledgers.
fn captured_run(text: &mut String, run: &CapturedRun) {
    line(
        text,
        "run ",
        &format!("{}, as its scorecard has it:", run.scenario),
    );
    for (leg, measured) in [
        (Leg::Receive, &run.legs.receive),
        (Leg::Sent, &run.legs.sent),
    ] {
        let words = format!(
            "{}: {} of {} packets, {} lost, {} late; interarrival jitter {} ms mean, {} max; IPDV p99.9 {} ms; \
             PDV p99.9 {} ms; {} dead-air events",
            leg.title(),
            measured.packets_received,
            measured.packets_expected,
            measured.packets_lost,
            measured.packets_discarded,
            ms(measured.interarrival_jitter_ms.mean),
            ms(measured.interarrival_jitter_ms.max),
            ms(measured.ipdv_ms.p999),
            ms(measured.pdv_ms.p999),
            measured.dead_air.events,
        );
        line(text, "  ", &words);
    }
}

fn calls(text: &mut String, analysis: &Analysis) {
    let by_sip = analysis
        .calls
        .iter()
        .filter(|call| call.paired_by == "sip")
        .count();
    line(
        text,
        "",
        &format!(
            "{} calls: {by_sip} by SIP, {} by their addresses",
            analysis.calls.len(),
            analysis.calls.len() - by_sip
        ),
    );
    for call in analysis.calls.iter().take(LISTED_WORST) {
        if let Some((caller, callee)) = &call.parties {
            line(
                text,
                "",
                &format!("  {caller} -> {callee}: {} streams", call.streams.len()),
            );
        }
    }
}
