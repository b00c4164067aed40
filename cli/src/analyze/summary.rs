//! A stream's figures, as `milliwatt analyze` prints them.

use super::segment::Segment;
use super::stream::Stream;
use milliwatt_scoring::measured::{DeadAir, MeanMax, MosSpread, PdvPercentiles, Percentiles};
use milliwatt_scoring::percentile::Percentile;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// One stream. Fields that a capture alone does not tell yet are null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Sender.
    pub source: String,
    /// Receiver.
    pub destination: String,
    /// Synchronisation source, `0x` and eight digits.
    pub ssrc: String,
    /// All payload types, ascending.
    pub payload_types: Vec<u8>,
    /// The codec of the first static payload type (RFC 3551); null for dynamic ones.
    pub codec: Option<&'static str>,
    /// RTP clock that media time was taken by, Hz.
    pub clock_rate: u32,
    /// Most frequent timestamp step, ms.
    pub ptime_ms: Option<f64>,
    /// Sequence number of the first packet.
    pub first_seq: Option<u16>,
    /// Times the sender began again at another sequence number.
    pub restarts: u32,
    /// Always `sequence-numbers`.
    pub expected_from: &'static str,
    /// From the first to the last that came.
    pub packets_expected: u64,
    /// Distinct packets.
    pub packets_received: u64,
    /// Expected minus received.
    pub packets_lost: u64,
    /// Further copies.
    pub packets_duplicated: u64,
    /// RFC 4737.
    pub packets_reordered: u64,
    /// Not known without a playout buffer.
    pub packets_discarded: Option<u64>,
    /// Not known without a sender's ledger.
    pub packets_not_sent: Option<u64>,
    /// Lost of expected, percent.
    pub loss_percent: Option<f64>,
    /// RFC 3550 A.8.
    pub interarrival_jitter_ms: MeanMax,
    /// RFC 5481 4.1, absolute values.
    pub ipdv_ms: Percentiles,
    /// RFC 5481 4.2.
    pub pdv_ms: PdvPercentiles,
    /// Not in this version.
    pub mos_lq: Option<MosSpread>,
    /// Not in this version.
    pub dead_air: Option<DeadAir>,
}

impl Summary {
    /// Measures a stream that has ended.
    #[must_use]
    pub fn of(source: SocketAddr, destination: SocketAddr, ssrc: u32, stream: Stream) -> Self {
        let segments = &stream.segments;
        let count = |of: fn(&Segment) -> u64| segments.iter().map(of).sum::<u64>();
        let expected = count(Segment::expected);
        let received = count(|segment| segment.measured.received);
        let lost = expected.saturating_sub(received);
        Self {
            source: source.to_string(),
            destination: destination.to_string(),
            ssrc: format!("{ssrc:#010x}"),
            codec: stream
                .payload_types
                .iter()
                .find_map(|payload_type| codec(*payload_type)),
            clock_rate: stream.clock_rate,
            ptime_ms: ptime_ms(segments, stream.clock_rate),
            first_seq: stream.first_seq,
            restarts: stream.restarts(),
            expected_from: "sequence-numbers",
            packets_expected: expected,
            packets_received: received,
            packets_lost: lost,
            packets_duplicated: count(|segment| segment.measured.duplicated),
            packets_reordered: count(|segment| segment.measured.reordered),
            packets_discarded: None,
            packets_not_sent: None,
            loss_percent: percent(lost, expected),
            interarrival_jitter_ms: interarrival_jitter_ms(segments),
            ipdv_ms: ipdv_ms(segments),
            pdv_ms: pdv_ms(segments),
            mos_lq: None,
            dead_air: None,
            payload_types: stream.payload_types.into_iter().collect(),
        }
    }

    /// A line of the table.
    #[must_use]
    pub fn row(&self) -> String {
        let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.3}"));
        format!(
            "{:<23}{:<23}{:<12}{:<8}{:>9}{:>7}{:>8}{:>6}{:>6}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
            self.source,
            self.destination,
            self.ssrc,
            self.codec.unwrap_or("?"),
            self.packets_received,
            self.packets_lost,
            self.loss_percent
                .map_or_else(|| "-".to_owned(), |percent| format!("{percent:.3}")),
            self.packets_duplicated,
            self.packets_reordered,
            ms(self.interarrival_jitter_ms.mean),
            ms(self.interarrival_jitter_ms.max),
            ms(self.ipdv_ms.p99),
            ms(self.pdv_ms.p50),
            ms(self.pdv_ms.p99),
            ms(self.pdv_ms.max),
        )
    }
}

/// The table's first line.
#[must_use]
pub fn heading() -> String {
    format!(
        "{:<23}{:<23}{:<12}{:<8}{:>9}{:>7}{:>8}{:>6}{:>6}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
        "source",
        "destination",
        "ssrc",
        "codec",
        "packets",
        "lost",
        "lost %",
        "dup",
        "reord",
        "iaj mean",
        "iaj max",
        "ipdv p99",
        "pdv p50",
        "pdv p99",
        "pdv max"
    )
}

/// Names of RFC 3551 tables 4 and 5, audio.
fn codec(payload_type: u8) -> Option<&'static str> {
    const NAMES: [(u8, &str); 12] = [
        (0, "PCMU"),
        (3, "GSM"),
        (4, "G723"),
        (5, "DVI4"),
        (6, "DVI4"),
        (7, "LPC"),
        (8, "PCMA"),
        (9, "G722"),
        (10, "L16"),
        (11, "L16"),
        (15, "G728"),
        (18, "G729"),
    ];
    NAMES
        .iter()
        .find(|(number, _)| *number == payload_type)
        .map(|(_, name)| *name)
}

#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

#[expect(clippy::cast_precision_loss, reason = "variation below 2^53 ns")]
fn ms(ns: i64) -> f64 {
    ns as f64 / 1e6
}

fn ptime_ms(segments: &[Segment], clock_rate: u32) -> Option<f64> {
    let mut steps: BTreeMap<u32, u64> = BTreeMap::new();
    for (ticks, times) in segments.iter().flat_map(|segment| &segment.measured.steps) {
        *steps.entry(*ticks).or_default() += times;
    }
    let (ticks, _) = steps.into_iter().max_by_key(|(_, times)| *times)?;
    Some(f64::from(ticks) * 1e3 / f64::from(clock_rate))
}

#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn interarrival_jitter_ms(segments: &[Segment]) -> MeanMax {
    let each = segments
        .iter()
        .map(|segment| segment.measured.interarrival_jitter);
    let (sum, count, max) = each.fold((0.0, 0, 0.0_f64), |all, one| {
        (all.0 + one.0, all.1 + one.1, all.2.max(one.2))
    });
    let measured = count > 0;
    MeanMax {
        mean: measured.then(|| sum / count as f64 / 1e6),
        max: measured.then_some(max / 1e6),
    }
}

fn ipdv_ms(segments: &[Segment]) -> Percentiles {
    let mut values: Vec<i64> = segments
        .iter()
        .flat_map(|segment| segment.measured.ipdv.iter().copied())
        .collect();
    values.sort_unstable();
    let at = |percentile: Percentile| percentile.of_sorted(&values).map(ms);
    Percentiles {
        p50: at(Percentile::P50),
        p99: at(Percentile::P99),
        p999: at(Percentile::P999),
        max: values.last().copied().map(ms),
    }
}

fn pdv_ms(segments: &[Segment]) -> PdvPercentiles {
    let mut values: Vec<i64> = segments
        .iter()
        .flat_map(|segment| segment.measured.pdv())
        .collect();
    values.sort_unstable();
    let at = |percentile: Percentile| percentile.of_sorted(&values).map(ms);
    PdvPercentiles {
        p50: at(Percentile::P50),
        p95: at(Percentile::P95),
        p99: at(Percentile::P99),
        p999: at(Percentile::P999),
        max: values.last().copied().map(ms),
    }
}
