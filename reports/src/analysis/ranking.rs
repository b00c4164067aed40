//! Which streams are worst, and why.

use crate::figures::{self, counted, number};
use milliwatt_scoring::analysis::AnalyzedStream;
use std::cmp::Ordering;

/// ITU-T Y.1541 class 0: packet loss ratio of 1e-3, percent.
const LOSS_PERCENT: f64 = 0.1;
/// Half of the default playout buffer, ms: the limit that a run's PDV p99.9 is held to.
const PDV_MS: f64 = 30.0;
/// ITU-T G.109: below it many users are dissatisfied.
const MOS: f64 = 3.6;

/// How much of a stream's impairment a person would hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Silence where there was speech.
    DeadAir,
    /// Something else is worth a look.
    Impaired,
    /// Nothing.
    Clean,
}

impl Weight {
    pub(super) fn of(stream: &AnalyzedStream) -> Self {
        match (stream.dead_air.events, reasons(stream).is_empty()) {
            (0, true) => Self::Clean,
            (0, false) => Self::Impaired,
            _ => Self::DeadAir,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::DeadAir => "dead air",
            Self::Impaired => "impaired",
            Self::Clean => "clean",
        }
    }

    /// The class of its mark in the page.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::DeadAir => "fail",
            Self::Impaired => "warn",
            Self::Clean => "pass",
        }
    }
}

/// Indices of the streams, worst first: by dead air, by the share of packets lost or discarded, by
/// PDV p99.9; equals stay in order of time.
pub(super) fn worst_first(streams: &[AnalyzedStream]) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..streams.len()).collect();
    ranked.sort_by(|a, b| compare(&streams[*b], &streams[*a]));
    ranked
}

fn compare(a: &AnalyzedStream, b: &AnalyzedStream) -> Ordering {
    let pdv_ms = |stream: &AnalyzedStream| stream.pdv_ms.p999.unwrap_or(0.0);
    a.dead_air
        .total_ms
        .total_cmp(&b.dead_air.total_ms)
        .then_with(|| unplayed_share(a).total_cmp(&unplayed_share(b)))
        .then_with(|| pdv_ms(a).total_cmp(&pdv_ms(b)))
}

#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn unplayed_share(stream: &AnalyzedStream) -> f64 {
    let unplayed = stream.packets_lost.saturating_add(stream.packets_discarded);
    unplayed as f64 / stream.packets_expected.max(1) as f64
}

/// What is wrong with a stream, a phrase each; empty when nothing is.
pub(super) fn reasons(stream: &AnalyzedStream) -> Vec<String> {
    [
        dead_air(stream),
        lost(stream),
        discarded(stream),
        variation(stream),
        not_sent(stream),
        quality(stream),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn dead_air(stream: &AnalyzedStream) -> Option<String> {
    let dead_air = &stream.dead_air;
    (dead_air.events > 0).then(|| {
        format!(
            "heard as silence: {} of dead air, longest {} ms, together {} ms",
            counted(dead_air.events, "event"),
            figures::number_or_dash(dead_air.longest_ms),
            number(dead_air.total_ms)
        )
    })
}

fn lost(stream: &AnalyzedStream) -> Option<String> {
    let percent = stream
        .loss_percent
        .filter(|percent| *percent > LOSS_PERCENT)?;
    let longest = stream.loss_runs.max_packets.filter(|longest| *longest > 1);
    let run = longest.map_or_else(String::new, |longest| {
        format!(", up to {} in a row", figures::count(longest))
    });
    Some(format!(
        "{} % lost{run}: more than the {LOSS_PERCENT} % of ITU-T Y.1541 class 0",
        number(percent)
    ))
}

fn discarded(stream: &AnalyzedStream) -> Option<String> {
    (stream.packets_discarded > 0).then(|| {
        format!(
            "{} came after their playout time: as good as lost to a buffer of 60 ms",
            counted(stream.packets_discarded, "packet")
        )
    })
}

fn variation(stream: &AnalyzedStream) -> Option<String> {
    let pdv_ms = stream.pdv_ms.p999.filter(|ms| *ms > PDV_MS)?;
    Some(format!(
        "PDV p99.9 of {} ms: more than half of a buffer of 60 ms",
        number(pdv_ms)
    ))
}

fn not_sent(stream: &AnalyzedStream) -> Option<String> {
    (stream.packets_not_sent > 0).then(|| {
        format!(
            "{} that the sender never sent: it paused, the network did not",
            counted(stream.packets_not_sent, "slot")
        )
    })
}

fn quality(stream: &AnalyzedStream) -> Option<String> {
    let mos = stream.mos_lq?.min.filter(|mos| *mos < MOS)?;
    Some(format!(
        "MOS-LQ estimate of {}: many users dissatisfied (ITU-T G.109)",
        number((mos * 100.0).round() / 100.0)
    ))
}
