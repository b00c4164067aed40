//! The tables of the page, as text.

use super::csv::{buffer, depths};
use super::ranking::{self, Weight};
use crate::figures::{self, NOT_MEASURED, count, number, number_or_dash};
use crate::plots::leg_title;
use milliwatt_scoring::analysis::{Analysis, AnalyzedStream, CaptureRow, Reported};
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// A stream among all of them.
pub(super) struct StreamLine {
    pub(super) weight: &'static str,
    pub(super) class: &'static str,
    pub(super) stream: String,
    pub(super) details: String,
    pub(super) reasons: Vec<String>,
    pub(super) packets: String,
    pub(super) lost: String,
    pub(super) discarded: String,
    pub(super) dead_air: String,
    pub(super) pdv: String,
    pub(super) interarrival_jitter: String,
    pub(super) mos: String,
}

impl StreamLine {
    pub(super) fn of(stream: &AnalyzedStream) -> Self {
        let weight = Weight::of(stream);
        Self {
            weight: weight.word(),
            class: weight.class(),
            stream: ends(stream),
            details: details(stream),
            reasons: ranking::reasons(stream),
            packets: count(stream.packets_received),
            lost: share(stream.packets_lost, stream.loss_percent),
            discarded: count(stream.packets_discarded),
            dead_air: match stream.dead_air.longest_ms {
                Some(longest) => format!("{} / {}", count(stream.dead_air.events), number(longest)),
                None => count(stream.dead_air.events),
            },
            pdv: pair(stream.pdv_ms.p999, stream.pdv_ms.max),
            interarrival_jitter: pair(
                stream.interarrival_jitter_ms.mean,
                stream.interarrival_jitter_ms.max,
            ),
            mos: number_or_dash(stream.mos_lq.and_then(|mos| mos.min).map(hundredths)),
        }
    }
}

/// A call with its directions.
pub(super) struct CallLine {
    pub(super) number: usize,
    pub(super) parties: String,
    pub(super) directions: Vec<String>,
}

/// Calls in the order of their worst streams, which stand in `ranked`, worst first.
pub(super) fn calls(analysis: &Analysis, ranked: &[usize]) -> Vec<CallLine> {
    let mut placed = vec![false; analysis.calls.len()];
    let mut lines = Vec::new();
    let of_streams = ranked
        .iter()
        .filter_map(|index| analysis.streams.get(*index)?.call);
    for number in of_streams.chain(0..analysis.calls.len()) {
        let Some(call) = analysis.calls.get(number) else {
            continue;
        };
        if std::mem::replace(&mut placed[number], true) {
            continue;
        }
        let streams = call.streams.iter();
        lines.push(CallLine {
            number,
            parties: match &call.parties {
                Some((caller, callee)) => format!("{caller} \u{2192} {callee}"),
                None => "by addresses".to_owned(),
            },
            directions: streams
                .filter_map(|index| analysis.streams.get(*index))
                .map(direction)
                .collect(),
        });
    }
    lines
}

fn direction(stream: &AnalyzedStream) -> String {
    let mut figures = vec![format!("{} packets", count(stream.packets_received))];
    if stream.packets_lost > 0 {
        let lost = share(stream.packets_lost, stream.loss_percent);
        figures.push(format!("lost {lost}"));
    }
    if stream.packets_discarded > 0 {
        figures.push(format!(
            "late at playout {}",
            count(stream.packets_discarded)
        ));
    }
    if stream.dead_air.events > 0 {
        figures.push(format!("dead air {} ms", number(stream.dead_air.total_ms)));
    }
    let codec = stream.codec.as_deref().unwrap_or("codec not known");
    format!("{}: {codec}, {}", ends(stream), figures.join(", "))
}

/// What a group of streams has in common, and what each leg has of it.
pub(super) struct LegLine {
    pub(super) label: &'static str,
    pub(super) of_legs: Vec<String>,
}

/// A row's label and how the streams of a leg fill it.
type LegColumn = (&'static str, fn(&[&AnalyzedStream]) -> String);

const LEGS: &[LegColumn] = &[
    ("streams", |of| count(of.len() as u64)),
    ("packets expected", |of| sum(of, |s| s.packets_expected)),
    ("packets received", |of| sum(of, |s| s.packets_received)),
    ("packets lost", |of| sum(of, |s| s.packets_lost)),
    ("late at playout (discarded)", |of| {
        sum(of, |s| s.packets_discarded)
    }),
    ("slots not sent", |of| sum(of, |s| s.packets_not_sent)),
    ("duplicated", |of| sum(of, |s| s.packets_duplicated)),
    ("reordered", |of| sum(of, |s| s.packets_reordered)),
    ("dead-air events", |of| sum(of, |s| s.dead_air.events)),
    ("  of 200 ms and more", |of| {
        sum(of, |s| s.dead_air_at_least.ms_200)
    }),
    ("  of 1 s and more", |of| {
        sum(of, |s| s.dead_air_at_least.ms_1000)
    }),
    ("  longest, ms", |of| largest(of, |s| s.dead_air.longest_ms)),
    ("concealed seconds / of more than 50 ms", |of| {
        format!(
            "{} / {}",
            sum(of, |s| s.concealment.concealed_seconds),
            sum(of, |s| s.concealment.severely_concealed_seconds)
        )
    }),
    ("PDV p99.9 of the worst stream, ms", |of| {
        largest(of, |s| s.pdv_ms.p999)
    }),
    ("interarrival jitter max, ms", |of| {
        largest(of, |s| s.interarrival_jitter_ms.max)
    }),
];

/// The legs, and streams of neither, that there are: their names, and a line a figure.
pub(super) fn legs(analysis: &Analysis) -> (Vec<String>, Vec<LegLine>) {
    let names = Leg::BOTH.map(|leg| (Some(leg), leg_title(analysis, leg)));
    let groups = names
        .into_iter()
        .chain([(None, "other streams".to_owned())]);
    let (names, groups): (Vec<String>, Vec<Vec<&AnalyzedStream>>) = groups
        .map(|(leg, name)| {
            let streams = analysis.streams.iter();
            (name, streams.filter(|stream| stream.leg == leg).collect())
        })
        .filter(|(_, streams): &(String, Vec<_>)| !streams.is_empty())
        .unzip();
    let line = |&(label, fill): &LegColumn| LegLine {
        label,
        of_legs: groups.iter().map(|streams| fill(streams)).collect(),
    };
    (names, LEGS.iter().map(line).collect())
}

/// What another playout buffer would have made of the same arrivals.
pub(super) struct BufferLine {
    pub(super) depth: String,
    pub(super) discarded: String,
    pub(super) events: String,
    pub(super) longest: String,
    pub(super) total: String,
}

/// All depths, shallow first, summed over streams.
pub(super) fn buffers(analysis: &Analysis) -> Vec<BufferLine> {
    let line = |depth_ms: f64| {
        let streams = analysis.streams.iter();
        let all: Vec<_> = streams.filter_map(|s| buffer(s, depth_ms)).collect();
        let longest = all.iter().filter_map(|of| of.dead_air_longest_ms);
        BufferLine {
            depth: number(depth_ms),
            discarded: count(all.iter().map(|of| of.packets_discarded).sum()),
            events: count(all.iter().map(|of| of.dead_air_events).sum()),
            longest: number_or_dash(longest.max_by(f64::total_cmp)),
            total: number(all.iter().map(|of| of.dead_air_total_ms).sum()),
        }
    };
    depths(analysis).into_iter().map(line).collect()
}

/// A codec and the clock that its media time was taken by.
pub(super) struct RateLine {
    pub(super) codec: String,
    pub(super) payload_types: String,
    pub(super) clock_rate: String,
    pub(super) from: &'static str,
    pub(super) assumed: bool,
    pub(super) streams: String,
}

/// Which clock rates were taken, and why; assumed ones first.
pub(super) fn rates(analysis: &Analysis) -> Vec<RateLine> {
    let mut groups: BTreeMap<_, u64> = BTreeMap::new();
    for s in &analysis.streams {
        let assumed = s.clock_rate_from == "assumed";
        let key = (
            !assumed,
            &s.codec,
            &s.payload_types,
            s.clock_rate,
            s.clock_rate_from,
        );
        *groups.entry(key).or_default() += 1;
    }
    let lines =
        groups.into_iter().map(
            |((known, codec, types, clock_rate, from), streams)| RateLine {
                codec: codec.clone().unwrap_or_else(|| "not known".to_owned()),
                payload_types: listed(types),
                clock_rate: count(clock_rate.into()),
                from: match from {
                    "sdp" => "SDP in the capture",
                    "static" => "static payload type (RFC 3551)",
                    _ => "assumed",
                },
                assumed: !known,
                streams: count(streams),
            },
        );
    lines.collect()
}

/// A stream's reception by the capture and by the far end.
pub(super) struct ReportedLine {
    pub(super) stream: String,
    pub(super) reports: String,
    pub(super) lost: String,
    pub(super) interarrival_jitter: String,
    pub(super) round_trip: String,
    pub(super) quality: String,
}

impl ReportedLine {
    pub(super) fn of(stream: &AnalyzedStream) -> Option<Self> {
        let told: &Reported = stream.reported.as_ref()?;
        let lost = told
            .packets_lost
            .map_or_else(dash, |lost| number(lost.into()));
        let r_factor = told.r_factor.map_or_else(dash, |r| r.to_string());
        Some(Self {
            stream: ends(stream),
            reports: count(told.reports),
            lost: format!("{} / {lost}", count(stream.packets_lost)),
            interarrival_jitter: pair(
                stream.interarrival_jitter_ms.mean,
                told.interarrival_jitter_ms,
            ),
            round_trip: number_or_dash(told.round_trip_ms),
            quality: format!("{} / {r_factor}", number_or_dash(told.mos_lq)),
        })
    }
}

/// A capture file.
pub(super) struct CaptureLine {
    pub(super) file: String,
    pub(super) frames: String,
    pub(super) first: String,
    pub(super) length: String,
    pub(super) steps_back: String,
    pub(super) error: String,
}

impl CaptureLine {
    pub(super) fn of(capture: &CaptureRow) -> Self {
        let span = capture.first_ns.zip(capture.last_ns);
        Self {
            file: capture.file.clone(),
            frames: count(capture.frames),
            first: capture
                .first_ns
                .map_or_else(dash, figures::date_to_the_millisecond),
            length: span.map_or_else(dash, |(first, last)| length(first, last)),
            steps_back: count(capture.clock_steps_back),
            error: capture.error.clone().unwrap_or_default(),
        }
    }
}

/// A length of time in words.
#[expect(clippy::cast_precision_loss, reason = "a label")]
pub(super) fn length(first_ns: i64, last_ns: i64) -> String {
    figures::duration(last_ns.saturating_sub(first_ns).max(0) as f64 / 1e9)
}

fn ends(stream: &AnalyzedStream) -> String {
    format!("{} \u{2192} {}", stream.source, stream.destination)
}

fn details(stream: &AnalyzedStream) -> String {
    let mut parts = vec![
        stream
            .codec
            .clone()
            .unwrap_or_else(|| format!("payload type {}", listed(&stream.payload_types))),
    ];
    parts.push(format!("SSRC {}", stream.ssrc));
    parts.extend(stream.leg.map(|leg| format!("{} leg", leg.key())));
    parts.extend(stream.call.map(|call| format!("call {call}")));
    parts.push(length(stream.first_ns, stream.last_ns));
    if stream.restarts > 0 {
        parts.push(figures::counted(stream.restarts.into(), "restart"));
    }
    parts.join(", ")
}

fn listed(payload_types: &[u8]) -> String {
    let numbers: Vec<String> = payload_types.iter().map(u8::to_string).collect();
    numbers.join(", ")
}

fn share(packets: u64, percent: Option<f64>) -> String {
    match percent {
        Some(percent) if packets > 0 => {
            format!("{} ({} %)", count(packets), number(percent))
        }
        _ => count(packets),
    }
}

fn pair(first: Option<f64>, second: Option<f64>) -> String {
    format!("{} / {}", number_or_dash(first), number_or_dash(second))
}

fn sum(streams: &[&AnalyzedStream], of: fn(&AnalyzedStream) -> u64) -> String {
    count(streams.iter().map(|stream| of(stream)).sum())
}

fn largest(streams: &[&AnalyzedStream], of: fn(&AnalyzedStream) -> Option<f64>) -> String {
    let values = streams.iter().filter_map(|stream| of(stream));
    number_or_dash(values.max_by(f64::total_cmp))
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn dash() -> String {
    NOT_MEASURED.to_owned()
}
