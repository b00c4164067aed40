//! What plots are drawn of: the same for a run and for a capture.

use crate::{figures, incidents};
use milliwatt_scoring::analysis::{Analysis, AnalyzedSecond};
use milliwatt_scoring::measured::{
    BreakingPoint, BreakingPoints, DelayParts, Disruption, DisruptionTrace, EventRow, MarkRow,
    Measured, Reached, SecondRow, StepRow, ThresholdResult,
};
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;
use std::collections::BTreeMap;

/// Series over time and a distribution, of both legs.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// Names of the legs, receive and sent.
    pub(super) leg_titles: [String; 2],
    /// Name of the horizontal axis, without its unit: what its zero is.
    pub(super) time: String,
    pub(super) seconds: Vec<Second>,
    /// (from s, to s, phase); a capture has none.
    pub(super) phases: Vec<(f64, f64, Phase)>,
    /// (from s, to s); a capture has none.
    pub(super) tainted: Vec<(f64, f64)>,
    /// Events that are no dead air, no silence and no step: (s, kind).
    pub(super) marks: Vec<(f64, String)>,
    /// Where events of dead air began: (s, leg), and how exactly that is known.
    pub(super) dead_air_begins: Vec<(f64, Leg)>,
    pub(super) dead_air_note: &'static str,
    /// Limits to draw; a capture has none.
    pub(super) thresholds: &'a [ThresholdResult],
    /// (ms, share of packets at or below), receive and sent.
    pub(super) pdv_curves: &'a [Vec<(f64, f64)>; 2],
    /// Of which packets that distribution is.
    pub(super) pdv_title: &'static str,
    /// What the load counts.
    pub(super) load: &'static str,
    /// There are recordings on the network beside RTP.
    pub(super) transfers: bool,
    /// It can be told whose doing delay was.
    pub(super) has_attribution: bool,
    /// Events and recordings of a run; a capture has none.
    pub(super) silences: Option<Silences<'a>>,
    /// A search for the load at which each leg breaks; none where the load did not come in steps.
    pub(super) search: Option<Search<'a>>,
    /// Interruptions of a run; a capture knows none.
    pub(super) disruptions: Option<Disruptions<'a>>,
}

/// What live calls went through, and what was marked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disruptions<'a> {
    pub(super) rows: &'a [Disruption],
    /// The picture of each.
    pub(super) traces: &'a [DisruptionTrace],
    pub(super) marks: &'a [MarkRow],
}

/// A load that came in steps, and what was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub(super) steps: &'a [StepRow],
    pub(super) points: &'a BreakingPoints,
    /// Depth of the playout buffer, ms.
    pub(super) buffer_ms: f64,
}

impl<'a> Search<'a> {
    /// How far the search for the leg's breaking point came.
    pub(super) fn point(self, leg: Leg) -> Option<&'a BreakingPoint> {
        match leg {
            Leg::Receive => self.points.receive.as_ref(),
            Leg::Sent => self.points.sent.as_ref(),
        }
    }

    /// The same where the leg broke.
    pub(super) fn broken(self, leg: Leg) -> Option<&'a BreakingPoint> {
        self.point(leg)
            .filter(|point| point.reached == Reached::Broke)
    }
}

/// What dead air did to recordings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silences<'a> {
    /// Every event of the run.
    pub(super) events: &'a [EventRow],
    /// A recording came back.
    pub(super) recorded: bool,
}

/// A second of one leg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    /// Its number, from zero.
    pub(super) number: u32,
    pub(super) leg: Leg,
    pub(super) interarrival_jitter_mean_ms: Option<f64>,
    pub(super) interarrival_jitter_max_ms: Option<f64>,
    pub(super) pdv_p50_ms: Option<f64>,
    pub(super) pdv_p99_ms: Option<f64>,
    pub(super) pdv_p999_ms: Option<f64>,
    pub(super) pdv_max_ms: Option<f64>,
    pub(super) dead_air_ms: f64,
    pub(super) mbps: Option<f64>,
    pub(super) transfer_mbps: Option<f64>,
    pub(super) transfer_goodput_mbps: Option<f64>,
    pub(super) transfer_stalled_ms: Option<f64>,
    /// TCP segments sent again.
    pub(super) transfer_retransmissions: Option<f64>,
    pub(super) delay: Option<DelayParts>,
}

impl Series<'_> {
    /// Name of a leg, with its direction.
    pub(super) fn title(&self, leg: Leg) -> String {
        let [receive, sent] = &self.leg_titles;
        match leg {
            Leg::Receive => receive.clone(),
            Leg::Sent => sent.clone(),
        }
    }
}

impl<'a> From<&'a Measured> for Series<'a> {
    fn from(measured: &'a Measured) -> Self {
        let begins = measured.events.iter().filter_map(|event| {
            let stream = event.stream.filter(|_| event.kind == "dead-air")?;
            Some((event.at_s, stream.leg))
        });
        let others = measured
            .events
            .iter()
            .filter(|event| !incidents::is_impairment(event) && !incidents::is_step(event));
        Self {
            leg_titles: Leg::BOTH.map(|leg| leg.title().to_owned()),
            time: "run time".to_owned(),
            seconds: measured.seconds.iter().map(Second::from).collect(),
            phases: phases(measured),
            tainted: tainted(measured),
            marks: others
                .map(|event| (event.at_s, mark_name(event).to_owned()))
                .collect(),
            dead_air_begins: begins.collect(),
            dead_air_note: "sum over all streams; triangles: begin of an event",
            thresholds: &measured.thresholds,
            pdv_curves: &measured.pdv_curves,
            pdv_title: "PDV distribution at full load",
            load: "everything, as a NIC counts it",
            transfers: true,
            has_attribution: true,
            silences: Some(Silences {
                events: &measured.events,
                recorded: measured.recordings.received > 0,
            }),
            search: (!measured.steps.is_empty()).then_some(Search {
                steps: &measured.steps,
                points: &measured.breaking_point,
                buffer_ms: measured.recording_layout.playout_buffer_ms,
            }),
            disruptions: Some(Disruptions {
                rows: &measured.disruptions,
                traces: &measured.disruption_traces,
                marks: &measured.marks,
            }),
        }
    }
}

impl<'a> From<&'a Analysis> for Series<'a> {
    fn from(analysis: &'a Analysis) -> Self {
        let begins = analysis
            .seconds
            .iter()
            .filter(|row| row.dead_air_events > 0);
        let first_ns = analysis
            .captures
            .iter()
            .filter_map(|capture| capture.first_ns)
            .min();
        let since = first_ns.map_or_else(String::new, |ns| {
            format!(", {}", figures::date_to_the_millisecond(ns))
        });
        Self {
            leg_titles: Leg::BOTH.map(|leg| leg_title(analysis, leg)),
            time: format!("time since the first frame{since}"),
            seconds: analysis.seconds.iter().map(Second::from).collect(),
            phases: Vec::new(),
            tainted: Vec::new(),
            marks: Vec::new(),
            dead_air_begins: begins
                .map(|row| (f64::from(row.second) + 0.5, row.leg))
                .collect(),
            dead_air_note: "sum over all streams; triangles: seconds in which events began",
            thresholds: &[],
            pdv_curves: &analysis.pdv_curves,
            pdv_title: "PDV distribution",
            load: "RTP, as a NIC counts it",
            transfers: false,
            has_attribution: false,
            silences: None,
            search: None,
            disruptions: None,
        }
    }
}

/// What an event is called beside its line: marks, commands, phases and neighbours by their own names.
fn mark_name(event: &EventRow) -> &str {
    match event.kind.as_str() {
        "mark" | "hypervisor" | "phase" | "neighbour" => &event.text,
        "hook" => event.text.split(": its command").next().unwrap_or_default(),
        kind => kind,
    }
}

/// The name of a capture's leg: a direction, seen from the address that its streams have in common.
pub(crate) fn leg_title(analysis: &Analysis, leg: Leg) -> String {
    let direction = match leg {
        Leg::Receive => "to",
        Leg::Sent => "from",
    };
    match &analysis.centre {
        Some(centre) => format!("{} leg ({direction} {centre})", leg.key()),
        None => format!("{} leg", leg.key()),
    }
}

impl From<&SecondRow> for Second {
    fn from(row: &SecondRow) -> Self {
        Self {
            number: row.second,
            leg: row.leg,
            interarrival_jitter_mean_ms: row.interarrival_jitter_mean_ms,
            interarrival_jitter_max_ms: row.interarrival_jitter_max_ms,
            pdv_p50_ms: row.pdv_p50_ms,
            pdv_p99_ms: row.pdv_p99_ms,
            pdv_p999_ms: row.pdv_p999_ms,
            pdv_max_ms: row.pdv_max_ms,
            dead_air_ms: row.dead_air_ms,
            mbps: row.mbps,
            transfer_mbps: row.transfer_mbps,
            transfer_goodput_mbps: row.transfer_goodput_mbps,
            transfer_stalled_ms: row.transfer_stalled_ms,
            transfer_retransmissions: row
                .transfer_retransmissions
                .map(|count| f64::from(u32::try_from(count).unwrap_or(u32::MAX))),
            delay: row.delay,
        }
    }
}

impl From<&AnalyzedSecond> for Second {
    fn from(row: &AnalyzedSecond) -> Self {
        Self {
            number: row.second,
            leg: row.leg,
            interarrival_jitter_mean_ms: row.interarrival_jitter_mean_ms,
            interarrival_jitter_max_ms: row.interarrival_jitter_max_ms,
            pdv_p50_ms: row.pdv_p50_ms,
            pdv_p99_ms: row.pdv_p99_ms,
            pdv_p999_ms: row.pdv_p999_ms,
            pdv_max_ms: row.pdv_max_ms,
            dead_air_ms: row.dead_air_ms,
            mbps: Some(row.mbps),
            transfer_mbps: None,
            transfer_goodput_mbps: None,
            transfer_stalled_ms: None,
            transfer_retransmissions: None,
            delay: None,
        }
    }
}

fn phases(measured: &Measured) -> Vec<(f64, f64, Phase)> {
    let rows = measured.seconds.iter();
    spans(&rows.map(|row| (row.second, row.phase)).collect())
}

fn tainted(measured: &Measured) -> Vec<(f64, f64)> {
    let rows = measured.seconds.iter().filter(|row| row.tainted);
    let seconds = measured.validity.tainted.iter().copied();
    let seconds = seconds.chain(rows.map(|row| row.second));
    spans(&seconds.map(|second| (second, ())).collect())
        .into_iter()
        .map(|(from, to, ())| (from, to))
        .collect()
}

/// Joins neighbouring seconds of the same kind.
fn spans<K: PartialEq + Copy>(seconds: &BTreeMap<u32, K>) -> Vec<(f64, f64, K)> {
    let mut spans: Vec<(u32, u32, K)> = Vec::new();
    for (&second, &kind) in seconds {
        match spans.last_mut() {
            Some(last) if last.1 == second && last.2 == kind => last.1 = second.saturating_add(1),
            _ => spans.push((second, second.saturating_add(1), kind)),
        }
    }
    spans
        .into_iter()
        .map(|(from, to, kind)| (f64::from(from), f64::from(to), kind))
        .collect()
}
