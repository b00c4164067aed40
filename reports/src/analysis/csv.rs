//! `streams.csv` and `seconds.csv` of captures: every figure of the JSON, flat; the unit of a group
//! stands last in the names of its columns, as in the files of a run.

use crate::csv::{Column, integer, number, push_line, table};
use crate::figures::plain;
use milliwatt_scoring::analysis::{Analysis, AnalyzedSecond, AnalyzedStream};
use milliwatt_scoring::measured::PlayoutBuffer;

const SECONDS: &[Column<AnalyzedSecond>] = &[
    ("second", |r| r.second.to_string()),
    ("leg", |r| r.leg.key().to_owned()),
    ("streams", |r| r.streams.to_string()),
    ("packets_received", |r| r.received.to_string()),
    ("packets_lost", |r| r.lost.to_string()),
    ("packets_discarded", |r| r.discarded.to_string()),
    ("packets_duplicated", |r| r.duplicated.to_string()),
    ("packets_reordered", |r| r.reordered.to_string()),
    ("interarrival_jitter_mean_ms", |r| {
        number(r.interarrival_jitter_mean_ms)
    }),
    ("interarrival_jitter_max_ms", |r| {
        number(r.interarrival_jitter_max_ms)
    }),
    ("pdv_p50_ms", |r| number(r.pdv_p50_ms)),
    ("pdv_p99_ms", |r| number(r.pdv_p99_ms)),
    ("pdv_p999_ms", |r| number(r.pdv_p999_ms)),
    ("pdv_max_ms", |r| number(r.pdv_max_ms)),
    ("dead_air_ms", |r| plain(r.dead_air_ms)),
    ("dead_air_events", |r| r.dead_air_events.to_string()),
    ("mbps", |r| plain(r.mbps)),
];

const STREAMS: &[Column<AnalyzedStream>] = &[
    ("source", |r| r.source.clone()),
    ("destination", |r| r.destination.clone()),
    ("ssrc", |r| r.ssrc.clone()),
    ("payload_types", |r| {
        let numbers: Vec<String> = r.payload_types.iter().map(u8::to_string).collect();
        numbers.join(" ")
    }),
    ("codec", |r| r.codec.clone().unwrap_or_default()),
    ("clock_rate", |r| r.clock_rate.to_string()),
    ("clock_rate_from", |r| r.clock_rate_from.to_owned()),
    ("ptime_ms", |r| number(r.ptime_ms)),
    ("first_seq", |r| integer(r.first_seq)),
    ("restarts", |r| r.restarts.to_string()),
    ("leg", |r| {
        r.leg.map_or_else(String::new, |leg| leg.key().to_owned())
    }),
    ("call", |r| integer(r.call)),
    ("first_ns", |r| r.first_ns.to_string()),
    ("last_ns", |r| r.last_ns.to_string()),
    ("expected_from", |r| r.expected_from.to_owned()),
    ("packets_expected", |r| r.packets_expected.to_string()),
    ("packets_received", |r| r.packets_received.to_string()),
    ("packets_lost", |r| r.packets_lost.to_string()),
    ("packets_duplicated", |r| r.packets_duplicated.to_string()),
    ("packets_reordered", |r| r.packets_reordered.to_string()),
    ("packets_discarded", |r| r.packets_discarded.to_string()),
    ("packets_not_sent", |r| r.packets_not_sent.to_string()),
    ("loss_percent", |r| number(r.loss_percent)),
    ("interarrival_jitter_mean_ms", |r| {
        number(r.interarrival_jitter_ms.mean)
    }),
    ("interarrival_jitter_max_ms", |r| {
        number(r.interarrival_jitter_ms.max)
    }),
    ("ipdv_p50_ms", |r| number(r.ipdv_ms.p50)),
    ("ipdv_p99_ms", |r| number(r.ipdv_ms.p99)),
    ("ipdv_p999_ms", |r| number(r.ipdv_ms.p999)),
    ("ipdv_max_ms", |r| number(r.ipdv_ms.max)),
    ("pdv_p50_ms", |r| number(r.pdv_ms.p50)),
    ("pdv_p95_ms", |r| number(r.pdv_ms.p95)),
    ("pdv_p99_ms", |r| number(r.pdv_ms.p99)),
    ("pdv_p999_ms", |r| number(r.pdv_ms.p999)),
    ("pdv_max_ms", |r| number(r.pdv_ms.max)),
    ("mos_lq_min", |r| number(r.mos_lq.and_then(|mos| mos.min))),
    ("mos_lq_p5", |r| number(r.mos_lq.and_then(|mos| mos.p5))),
    ("mos_lq_median", |r| {
        number(r.mos_lq.and_then(|mos| mos.median))
    }),
    ("dead_air_events", |r| r.dead_air.events.to_string()),
    ("dead_air_events_200ms", |r| {
        r.dead_air.events_200ms.to_string()
    }),
    ("dead_air_longest_ms", |r| number(r.dead_air.longest_ms)),
    ("dead_air_total_ms", |r| plain(r.dead_air.total_ms)),
    ("dead_air_streams_affected", |r| {
        r.dead_air.streams_affected.to_string()
    }),
    ("dead_air_per_1000_call_minutes", |r| {
        number(r.dead_air.per_1000_call_minutes)
    }),
    ("dead_air_at_least_ms_40", |r| {
        r.dead_air_at_least.ms_40.to_string()
    }),
    ("dead_air_at_least_ms_60", |r| {
        r.dead_air_at_least.ms_60.to_string()
    }),
    ("dead_air_at_least_ms_100", |r| {
        r.dead_air_at_least.ms_100.to_string()
    }),
    ("dead_air_at_least_ms_200", |r| {
        r.dead_air_at_least.ms_200.to_string()
    }),
    ("dead_air_at_least_ms_400", |r| {
        r.dead_air_at_least.ms_400.to_string()
    }),
    ("dead_air_at_least_ms_1000", |r| {
        r.dead_air_at_least.ms_1000.to_string()
    }),
    ("adaptive_playout_ms", |r| number(r.adaptive_playout_ms)),
    ("burst_gap_bursts", |r| r.burst_gap.bursts.to_string()),
    ("burst_gap_burst_density_percent", |r| {
        number(r.burst_gap.burst_density_percent)
    }),
    ("burst_gap_burst_duration_ms", |r| {
        number(r.burst_gap.burst_duration_ms)
    }),
    ("burst_gap_gap_density_percent", |r| {
        number(r.burst_gap.gap_density_percent)
    }),
    ("burst_gap_gap_duration_ms", |r| {
        number(r.burst_gap.gap_duration_ms)
    }),
    ("loss_runs_runs", |r| r.loss_runs.runs.to_string()),
    ("loss_runs_mean_packets", |r| {
        number(r.loss_runs.mean_packets)
    }),
    ("loss_runs_max_packets", |r| {
        integer(r.loss_runs.max_packets)
    }),
    ("reordering_ratio_percent", |r| {
        number(r.reordering.ratio_percent)
    }),
    ("reordering_extent_max", |r| {
        integer(r.reordering.extent_max)
    }),
    ("concealment_concealed_ms", |r| {
        plain(r.concealment.concealed_ms)
    }),
    ("concealment_unimpaired_seconds", |r| {
        r.concealment.unimpaired_seconds.to_string()
    }),
    ("concealment_concealed_seconds", |r| {
        r.concealment.concealed_seconds.to_string()
    }),
    ("concealment_severely_concealed_seconds", |r| {
        r.concealment.severely_concealed_seconds.to_string()
    }),
    ("concealment_mean_interrupt_ms", |r| {
        number(r.concealment.mean_interrupt_ms)
    }),
    ("media_clock_skew_ppm", |r| number(r.media_clock_skew_ppm)),
    ("media_clock_skew_change_at_s", |r| {
        number(r.media_clock_skew_change.map(|change| change.at_s))
    }),
    ("media_clock_skew_change_ppm", |r| {
        number(r.media_clock_skew_change.map(|change| change.ppm))
    }),
    ("media_clock_skew_change_step_ms", |r| {
        number(r.media_clock_skew_change.map(|change| change.step_ms))
    }),
    ("mbps", |r| number(r.mbps)),
    ("telephone_event_packets", |r| {
        r.telephone_event_packets.to_string()
    }),
    ("comfort_noise_packets", |r| {
        r.comfort_noise_packets.to_string()
    }),
    ("dscp", |r| integer(r.dscp)),
    ("reported_reports", |r| {
        integer(r.reported.as_ref().map(|of| of.reports))
    }),
    ("reported_packets_lost", |r| {
        integer(r.reported.as_ref().and_then(|of| of.packets_lost))
    }),
    ("reported_interarrival_jitter_ms", |r| {
        number(r.reported.as_ref().and_then(|of| of.interarrival_jitter_ms))
    }),
    ("reported_round_trip_ms", |r| {
        number(r.reported.as_ref().and_then(|of| of.round_trip_ms))
    }),
    ("reported_mos_lq", |r| {
        number(r.reported.as_ref().and_then(|of| of.mos_lq))
    }),
    ("reported_r_factor", |r| {
        integer(r.reported.as_ref().and_then(|of| of.r_factor))
    }),
];

/// Columns of each of `playout_buffers`; its depth stands before them.
const BUFFERS: &[Column<PlayoutBuffer>] = &[
    ("packets_discarded", |r| r.packets_discarded.to_string()),
    ("dead_air_events", |r| r.dead_air_events.to_string()),
    ("dead_air_longest_ms", |r| number(r.dead_air_longest_ms)),
    ("dead_air_total_ms", |r| plain(r.dead_air_total_ms)),
];

/// `seconds.csv`: a row a second and leg.
pub(super) fn seconds(analysis: &Analysis) -> String {
    table(SECONDS, &analysis.seconds)
}

/// `streams.csv`: a row a stream, and four more columns for each buffer that was emulated.
pub(super) fn streams(analysis: &Analysis) -> String {
    let depths = depths(analysis);
    let mut text = String::new();
    let names = STREAMS.iter().map(|(name, _)| (*name).to_owned());
    let of_buffers = depths.iter().flat_map(|depth_ms| {
        let names = BUFFERS.iter();
        names.map(move |(name, _)| format!("playout_buffer_{}ms_{name}", plain(*depth_ms)))
    });
    push_line(&mut text, names.chain(of_buffers));
    for stream in &analysis.streams {
        let fields = STREAMS.iter().map(|(_, fill)| fill(stream));
        let of_buffers = depths.iter().flat_map(|depth_ms| {
            let buffer = buffer(stream, *depth_ms);
            BUFFERS
                .iter()
                .map(move |(_, fill)| buffer.map_or_else(String::new, fill))
        });
        push_line(&mut text, fields.chain(of_buffers));
    }
    text
}

/// Depths of all emulated buffers, ms, ascending.
pub(super) fn depths(analysis: &Analysis) -> Vec<f64> {
    let buffers = analysis
        .streams
        .iter()
        .flat_map(|stream| &stream.playout_buffers);
    let mut depths: Vec<f64> = buffers.map(|buffer| buffer.depth_ms).collect();
    depths.sort_by(f64::total_cmp);
    depths.dedup_by(|a, b| a.total_cmp(b).is_eq());
    depths
}

/// A stream's buffer of that depth.
pub(super) fn buffer(stream: &AnalyzedStream, depth_ms: f64) -> Option<&PlayoutBuffer> {
    let mut buffers = stream.playout_buffers.iter();
    buffers.find(|buffer| buffer.depth_ms.total_cmp(&depth_ms).is_eq())
}
