//! Captures as `milliwatt analyze` would hand them over: one of four calls, of which one went wrong; one
//! that was cut off and holds no RTP.

use super::runs;
use milliwatt_scoring::analysis::{
    Analysis, AnalyzedCall, AnalyzedSecond, AnalyzedStream, CaptureRow, CapturedRun, Reported,
    SCHEMA_VERSION,
};
use milliwatt_scoring::measured::{
    BurstGap, Concealment, DeadAir, DeadAirClasses, LossRuns, MeanMax, MosSpread, PdvPercentiles,
    Percentiles, PlayoutBuffer, Reordering, SkewChange,
};
use milliwatt_wire::id::Leg;

/// 2023-11-14 22:13:20.25 UTC, ns since 1970.
const FIRST_NS: i64 = 1_700_000_000_250_000_000;
/// Calls of the capture.
const CALLS: u16 = 4;
/// Length, s.
const SECONDS: u32 = 60;

/// Four calls of a minute through one machine; one stream has dead air, one a little loss.
pub(crate) fn capture() -> Analysis {
    let mut streams: Vec<AnalyzedStream> = (0..CALLS)
        .flat_map(|call| Leg::BOTH.map(|leg| quiet(call, leg)))
        .collect();
    break_down(&mut streams[5]);
    streams[2].packets_received -= 6;
    streams[2].packets_lost = 6;
    streams[2].loss_percent = Some(0.2);
    streams[2].loss_runs.runs = 6;
    streams[2].loss_runs.max_packets = Some(1);
    streams[6].codec = None;
    streams[6].payload_types = vec![97, 101];
    streams[6].clock_rate_from = "assumed";
    streams[6].mos_lq = None;
    Analysis {
        schema_version: SCHEMA_VERSION,
        partial: false,
        captures: vec![CaptureRow {
            file: "captures/monday.pcapng".into(),
            frames: 24_310,
            first_ns: Some(FIRST_NS),
            last_ns: Some(FIRST_NS + i64::from(SECONDS) * 1_000_000_000),
            clock_steps_back: 0,
            error: None,
        }],
        streams,
        calls: (0..usize::from(CALLS)).map(call).collect(),
        other_traffic: vec![("DNS".into(), 120), ("RTCP".into(), 96), ("SIP".into(), 44)],
        centre: Some("192.0.2.10".into()),
        notes: vec!["1 stream has a clock rate that was assumed".into()],
        run: None,
        seconds: (0..SECONDS)
            .flat_map(|second| Leg::BOTH.map(|leg| second_row(second, leg)))
            .collect(),
        pdv_curves: [curve(1.0), curve(8.0)],
    }
}

/// The capture of a run, with the run's own figures.
pub(crate) fn captured_run() -> Analysis {
    let mut analysis = capture();
    for stream in &mut analysis.streams {
        stream.expected_from = "ledger";
    }
    analysis.run = Some(CapturedRun {
        scenario: "250-calls".into(),
        legs: runs::fail().legs,
    });
    analysis
}

/// Two captures without RTP, the second cut off.
pub(crate) fn nothing() -> Analysis {
    let mut analysis = capture();
    analysis.partial = true;
    analysis.captures.push(CaptureRow {
        file: "captures/<tuesday>.pcap".into(),
        frames: 12,
        clock_steps_back: 3,
        error: Some("cut off: read up to its frame 12".into()),
        ..analysis.captures[0].clone()
    });
    analysis.streams.clear();
    analysis.calls.clear();
    analysis.centre = None;
    analysis.notes.clear();
    analysis.seconds.clear();
    analysis.pdv_curves = [Vec::new(), Vec::new()];
    analysis
}

fn call(index: usize) -> AnalyzedCall {
    AnalyzedCall {
        paired_by: if index == 2 { "sip" } else { "addresses" },
        parties: (index == 2).then(|| ("+49xxxxxx789".into(), "xxx21".into())),
        streams: vec![2 * index, 2 * index + 1],
    }
}

fn quiet(call: u16, leg: Leg) -> AnalyzedStream {
    let (phone, centre) = (
        format!("198.51.100.{}:{}", 20 + call, 16_384),
        format!("192.0.2.10:{}", 20_000 + 2 * call),
    );
    let (source, destination) = match leg {
        Leg::Receive => (phone, centre),
        Leg::Sent => (centre, phone),
    };
    AnalyzedStream {
        source,
        destination,
        ssrc: format!("{:#010x}", 0x00c0_ffe0 + 2 * u32::from(call)),
        payload_types: vec![0, 101],
        codec: Some("PCMU".into()),
        clock_rate: 8000,
        clock_rate_from: "static",
        ptime_ms: Some(20.0),
        first_seq: Some(65_000),
        restarts: 0,
        leg: Some(leg),
        call: Some(call.into()),
        first_ns: FIRST_NS,
        last_ns: FIRST_NS + i64::from(SECONDS) * 1_000_000_000,
        expected_from: "sequence-numbers",
        packets_expected: 3_000,
        packets_received: 3_000,
        packets_lost: 0,
        packets_duplicated: 0,
        packets_reordered: 0,
        packets_discarded: 0,
        packets_not_sent: 0,
        loss_percent: Some(0.0),
        interarrival_jitter_ms: MeanMax {
            mean: Some(0.12 + f64::from(call) / 100.0),
            max: Some(0.9),
        },
        ipdv_ms: percentiles(0.1, 0.6, 0.9, 1.25),
        pdv_ms: PdvPercentiles {
            p50: Some(0.2),
            p95: Some(0.5),
            p99: Some(0.8),
            p999: Some(1.4),
            max: Some(1.75),
        },
        mos_lq: Some(mos(4.41)),
        dead_air: DeadAir {
            per_1000_call_minutes: Some(0.0),
            ..DeadAir::default()
        },
        dead_air_at_least: DeadAirClasses::default(),
        playout_buffers: [40.0, 120.0]
            .map(|depth_ms| PlayoutBuffer {
                depth_ms,
                ..PlayoutBuffer::default()
            })
            .into(),
        adaptive_playout_ms: Some(1.5),
        burst_gap: BurstGap {
            gap_density_percent: Some(0.0),
            gap_duration_ms: Some(60_000.0),
            ..BurstGap::default()
        },
        loss_runs: LossRuns::default(),
        reordering: Reordering {
            ratio_percent: Some(0.0),
            extent_max: None,
        },
        concealment: Concealment {
            unimpaired_seconds: 60,
            ..Concealment::default()
        },
        media_clock_skew_ppm: Some(-3.5),
        media_clock_skew_change: None,
        mbps: Some(0.0856),
        telephone_event_packets: 0,
        comfort_noise_packets: 0,
        dscp: Some(46),
        reported: None,
    }
}

/// 700 ms in which nothing came, and what came late after it; every optional figure is there.
fn break_down(stream: &mut AnalyzedStream) {
    stream.packets_received = 2_980;
    stream.packets_lost = 20;
    stream.loss_percent = Some(20.0 / 30.0);
    stream.packets_discarded = 15;
    stream.packets_not_sent = 2;
    stream.pdv_ms.p999 = Some(512.25);
    stream.pdv_ms.max = Some(640.5);
    stream.mos_lq = Some(mos(3.214));
    stream.dead_air = DeadAir {
        events: 3,
        events_200ms: 1,
        longest_ms: Some(680.0),
        total_ms: 1_240.0,
        streams_affected: 1,
        per_1000_call_minutes: Some(3_000.0),
    };
    stream.dead_air_at_least = DeadAirClasses {
        ms_40: 5,
        ms_60: 3,
        ms_100: 2,
        ms_200: 1,
        ms_400: 1,
        ms_1000: 0,
    };
    stream.loss_runs = LossRuns {
        runs: 2,
        mean_packets: Some(10.0),
        max_packets: Some(17),
    };
    stream.burst_gap.bursts = 1;
    stream.burst_gap.burst_density_percent = Some(80.0);
    stream.burst_gap.burst_duration_ms = Some(700.0);
    stream.reordering.extent_max = Some(2);
    stream.concealment.mean_interrupt_ms = Some(350.0);
    stream.concealment.concealed_seconds = 2;
    stream.concealment.severely_concealed_seconds = 1;
    for buffer in &mut stream.playout_buffers {
        buffer.packets_discarded = 17;
        buffer.dead_air_events = 3;
        buffer.dead_air_longest_ms = Some(700.0);
        buffer.dead_air_total_ms = 1_300.0;
    }
    stream.media_clock_skew_change = Some(SkewChange {
        at_s: 31.5,
        ppm: -4.25,
        step_ms: 2.5,
    });
    stream.reported = Some(Reported {
        reports: 12,
        packets_lost: Some(22),
        interarrival_jitter_ms: Some(4.5),
        round_trip_ms: Some(31.25),
        mos_lq: Some(3.1),
        r_factor: Some(64),
    });
}

fn percentiles(p50: f64, p99: f64, p999: f64, max: f64) -> Percentiles {
    Percentiles {
        p50: Some(p50),
        p99: Some(p99),
        p999: Some(p999),
        max: Some(max),
    }
}

fn mos(value: f64) -> MosSpread {
    MosSpread {
        min: Some(value),
        p5: Some(value),
        median: Some(value),
    }
}

fn second_row(second: u32, leg: Leg) -> AnalyzedSecond {
    let broken = leg == Leg::Sent && second == 31;
    let sway = 1.0 + f64::from(second % 7) / 10.0;
    let ms = |quiet: f64, bad: f64| Some(if broken { bad } else { quiet * sway });
    AnalyzedSecond {
        second,
        leg,
        streams: 4,
        received: if broken { 165 } else { 200 },
        lost: if broken { 20 } else { 0 },
        discarded: if broken { 15 } else { 0 },
        duplicated: 0,
        reordered: 0,
        interarrival_jitter_mean_ms: ms(0.12, 11.0),
        interarrival_jitter_max_ms: ms(0.6, 44.0),
        pdv_p50_ms: ms(0.2, 3.0),
        pdv_p99_ms: ms(0.8, 500.0),
        pdv_p999_ms: ms(1.1, 600.0),
        pdv_max_ms: ms(1.2, 640.5),
        dead_air_ms: if broken { 1_240.0 } else { 0.0 },
        dead_air_events: if broken { 3 } else { 0 },
        mbps: 0.3424 * if broken { 0.8 } else { 1.0 },
    }
}

/// A median of `scale` tenths of a ms and a tail.
fn curve(scale: f64) -> Vec<(f64, f64)> {
    [
        (0.05, 0.1),
        (0.1, 0.5),
        (0.3, 0.9),
        (0.8, 0.99),
        (1.5, 0.9995),
        (3.0, 1.0),
    ]
    .map(|(ms, share)| (ms * scale, share))
    .into()
}
