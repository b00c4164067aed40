//! A stream's figures, as they stand in the analysis.

use super::codec::static_codec;
use super::reported::Reports;
use super::stream::{DEFAULT_DEPTH, Totals};
use super::table::{Entry, leg};
use milliwatt_scoring::analysis::AnalyzedStream;
use milliwatt_scoring::clock::Skew;
use milliwatt_scoring::dead_run::DeadRunTotals;
use milliwatt_scoring::emodel;
use milliwatt_scoring::measured::{
    DeadAir, MeanMax, MosSpread, PdvPercentiles, Percentiles, PlayoutBuffer, Reordering,
};
use milliwatt_scoring::percentile::{Distribution, Percentile};
use milliwatt_scoring::playout::DEPTHS;
use std::net::IpAddr;

/// Measures a stream that has ended.
#[must_use]
pub fn of(
    entry: &Entry,
    centre: Option<IpAddr>,
    call: Option<usize>,
    reports: &Reports,
) -> AnalyzedStream {
    let (stream, totals, sums) = (&entry.stream, entry.stream.totals(), &entry.stream.sums);
    let clock = stream.clock();
    let clock_rate = clock.map_or(8000, |clock| clock.rate);
    let payload_types: Vec<u8> = (0..128_u8)
        .filter(|n| sums.payload_types >> n & 1 == 1)
        .collect();
    let codec = codec(entry, &payload_types);
    let ptime_ms = stream
        .usual_step()
        .map(|ticks| f64::from(ticks) * 1e3 / f64::from(clock_rate));
    let lost = totals.expected.saturating_sub(totals.received);
    let (first_ns, last_ns) = sums.span.unwrap_or((0, 0));
    AnalyzedStream {
        source: entry.key.source.to_string(),
        destination: entry.key.destination.to_string(),
        ssrc: format!("{:#010x}", entry.key.ssrc),
        clock_rate,
        clock_rate_from: clock.map_or("assumed", |clock| clock.from),
        ptime_ms,
        first_seq: sums.first_seq,
        restarts: stream.restarts(),
        leg: centre.and_then(|centre| leg(&entry.key, centre)),
        call,
        first_ns,
        last_ns,
        expected_from: "sequence-numbers",
        packets_expected: totals.expected,
        packets_received: totals.received,
        packets_lost: lost,
        packets_duplicated: totals.duplicated,
        packets_reordered: totals.reordered,
        packets_discarded: totals.discarded[DEFAULT_DEPTH],
        packets_not_sent: totals.not_sent,
        loss_percent: percent(lost, totals.expected),
        interarrival_jitter_ms: interarrival_jitter_ms(totals),
        ipdv_ms: percentiles_ms(&totals.ipdv),
        pdv_ms: pdv_ms(&totals.pdv),
        mos_lq: mos_lq(totals, codec.as_deref()),
        dead_air: dead_air(totals),
        dead_air_at_least: totals.dead[DEFAULT_DEPTH].at_least(),
        playout_buffers: playout_buffers(totals),
        adaptive_playout_ms: totals.adaptive_playout.map(|ns| ns / 1e6),
        burst_gap: totals.burst_gap.figures(ptime_ms.unwrap_or(20.0)),
        loss_runs: totals.lost.figures(),
        reordering: Reordering {
            ratio_percent: percent(totals.reordered, totals.received),
            extent_max: totals.extent_max,
        },
        concealment: totals.concealment.figures(),
        media_clock_skew_ppm: totals.skew.map(Skew::ppm),
        media_clock_skew_change: totals.skew.and_then(Skew::change).map(Into::into),
        mbps: mbps(sums.nic_octets, last_ns.saturating_sub(first_ns), ptime_ms),
        telephone_event_packets: sums.events,
        comfort_noise_packets: sums.noise,
        dscp: sums.dscp.filter(|(_, same)| *same).map(|(dscp, _)| dscp),
        reported: reports.of(entry.key.ssrc, entry.key.destination.ip(), clock_rate),
        codec,
        payload_types,
    }
}

/// By SDP, else of the first static payload type that is no comfort noise.
fn codec(entry: &Entry, payload_types: &[u8]) -> Option<String> {
    let of_type = || {
        payload_types
            .iter()
            .find_map(|number| static_codec(*number))
    };
    entry.codec.clone().or_else(|| of_type().map(str::to_owned))
}

#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

#[expect(clippy::cast_precision_loss, reason = "times below 2^53 ns")]
fn ms(ns: i64) -> f64 {
    ns as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn interarrival_jitter_ms(totals: &Totals) -> MeanMax {
    let (sum, count, max) = totals.interarrival_jitter;
    MeanMax {
        mean: (count > 0).then(|| sum / count as f64 / 1e6),
        max: (count > 0).then_some(max / 1e6),
    }
}

fn percentiles_ms(values: &Distribution) -> Percentiles {
    let at = |percentile: Percentile| values.percentile(percentile).map(ms);
    Percentiles {
        p50: at(Percentile::P50),
        p99: at(Percentile::P99),
        p999: at(Percentile::P999),
        max: values.max().map(ms),
    }
}

fn pdv_ms(values: &Distribution) -> PdvPercentiles {
    let at = |percentile: Percentile| values.percentile(percentile).map(ms);
    PdvPercentiles {
        p50: at(Percentile::P50),
        p95: at(Percentile::P95),
        p99: at(Percentile::P99),
        p999: at(Percentile::P999),
        max: values.max().map(ms),
    }
}

/// For G.711, whose values G.113 Appendix I has; of its concealment the capture tells nothing, so that of the
/// appendix is taken, as for a run.
fn mos_lq(totals: &Totals, codec: Option<&str>) -> Option<MosSpread> {
    let is_g711 =
        codec.is_some_and(|codec| ["PCMU", "PCMA"].contains(&codec.to_ascii_uppercase().as_str()));
    let ppl_percent = percent(totals.impaired.lost(), totals.expected).filter(|_| is_g711)?;
    let burst_ratio = emodel::burst_ratio(
        totals.impaired.lost(),
        totals.impaired.runs(),
        totals.expected,
    );
    let rated = Some(emodel::mos_lq(ppl_percent.min(100.0), burst_ratio));
    Some(MosSpread {
        min: rated,
        p5: rated,
        median: rated,
    })
}

fn longest_ms(dead: &DeadRunTotals) -> Option<f64> {
    (dead.events > 0).then(|| ms(dead.longest))
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
fn dead_air(totals: &Totals) -> DeadAir {
    let dead = &totals.dead[DEFAULT_DEPTH];
    let slots = totals.expected + totals.not_sent;
    DeadAir {
        events: dead.events,
        events_200ms: dead.at_least().ms_200,
        longest_ms: longest_ms(dead),
        total_ms: ms(dead.total),
        streams_affected: u64::from(dead.events > 0),
        per_1000_call_minutes: (slots > 0)
            .then(|| dead.events as f64 * 1000.0 * 3000.0 / slots as f64),
    }
}

fn playout_buffers(totals: &Totals) -> Vec<PlayoutBuffer> {
    let each = DEPTHS.iter().zip(totals.discarded).zip(&totals.dead);
    let buffer =
        |((depth, packets_discarded), dead): ((&i64, u64), &DeadRunTotals)| PlayoutBuffer {
            depth_ms: ms(*depth),
            packets_discarded,
            dead_air_events: dead.events,
            dead_air_longest_ms: longest_ms(dead),
            dead_air_total_ms: ms(dead.total),
        };
    each.map(buffer).collect()
}

/// Over the stream's life, the last packet's own time included.
#[expect(clippy::cast_precision_loss, reason = "octets below 2^53")]
fn mbps(octets: u64, ns: i64, ptime_ms: Option<f64>) -> Option<f64> {
    let seconds = ms(ns) / 1e3 + ptime_ms? / 1e3;
    (seconds > 0.0).then(|| octets as f64 * 8.0 / 1e6 / seconds)
}
