//! Runs as the scorer would hand them over: one that passes, one whose guest stalled for 700 ms,
//! one whose tester could not keep pace, one that measured nothing.

use milliwatt_reports::RunContext;
use milliwatt_scoring::measured::{
    CallCounts, ClockMeasured, DeadAir, DocumentFigure, EventRow, GuestMeasured, HostMeasured,
    Lateness, LegMeasured, Legs, MeanMax, Measured, MosSpread, Outcome, PdvPercentiles,
    Percentiles, RecordingRow, Recordings, SecondHistogram, SecondRow, StreamRow, ThresholdResult,
    Validity, Verdict,
};
use milliwatt_wire::facts::{DeadCause, Phase};
use milliwatt_wire::id::{CallId, Leg, Party, StreamId};

/// Full load: seconds 5 to 65 of 70.
const FULL: (u32, u32) = (5, 65);
const SECONDS: u32 = 70;
/// The second in which the guest stalls in [`fail`].
const STALL: u32 = 31;

pub(crate) fn context() -> RunContext {
    RunContext {
        scenario: "250-calls".into(),
        title: "250 recorded calls at steady state".into(),
        source: Some("Testing results of an Interaction Media Server guest in Hyper-V".into()),
        directory: "runs/250-calls-20231114-221320".into(),
        started: 1_700_000_000_000_000_000,
        version: "0.1.0".into(),
        command: "milliwatt run 250-calls --guest guest.join --for 60s".into(),
        duration_s: 70.4,
        scope: vec![
            "In the path: the guest's network stack, a veth pair, the tester's network stack."
                .into(),
            "Not in the path: a physical NIC, a switch, a hypervisor (same kernel).".into(),
        ],
        guest: "10.9.0.2, Linux 6.1, 2 vCPU".into(),
        environment: vec![
            ("guest kernel".into(), "Linux 6.1.0".into()),
            ("tester CPU".into(), "2 cores".into()),
        ],
    }
}

/// Every threshold kept.
pub(crate) fn pass() -> Measured {
    run(|_| 1.0)
}

/// 700 ms without a playout tick on the guest: dead air on all streams of both legs.
pub(crate) fn fail() -> Measured {
    let mut m = run(|second| if second == STALL { 9_000.0 } else { 1.0 });
    m.verdict = Verdict::Fail;
    for row in m.seconds.iter_mut().filter(|row| row.second == STALL) {
        row.dead_air_ms = 500.0 * 640.0;
        row.dead_air_events = 500;
    }
    m.events = stall_events();
    for leg in [&mut m.legs.receive, &mut m.legs.sent] {
        leg.dead_air = DeadAir {
            events: 500,
            events_200ms: 500,
            longest_ms: Some(680.0),
            total_ms: 320_000.0,
            streams_affected: 500,
            per_1000_call_minutes: Some(857.1),
        };
        leg.packets_discarded = 16_000;
        leg.pdv_ms.max = Some(702.4);
        leg.pdv_ms.p999 = Some(611.0);
    }
    for threshold in &mut m.thresholds {
        let worst = match threshold.metric.as_str() {
            "dead_air.events_200ms" => 500.0,
            "dead_air.per_1000_call_minutes" => 857.1,
            "pdv_ms.p999" => 611.0,
            _ => continue,
        };
        threshold.measured = Some(worst);
        threshold.at_s = Some(31.24);
        threshold.outcome = Outcome::Fail;
        threshold.outcome_without_tainted = Outcome::Fail;
    }
    m.recordings.with_silence = 250;
    m.recordings.silence_events = 500;
    m.recordings.upper_bound_95_percent = Some(0.71);
    m
}

/// The tester fell behind in seconds 20 to 23.
pub(crate) fn invalid() -> Measured {
    let mut m = fail();
    m.verdict = Verdict::Invalid;
    m.validity.valid = false;
    m.validity.tainted = vec![20, 21, 22, 23];
    m.validity.tainted_seconds = 4;
    m.validity.departures_not_sent = 1_812;
    m.validity.lateness_us.max = Some(48_211.0);
    m.validity.reasons = vec![
        "4 of 60 full-load seconds are tainted (6.7 %, allowed 1 %): the tester's own lateness p99.9 reached 48.2 ms, the bound is 5 ms. \
         Run the tester on a machine of its own, or with fewer calls (`milliwatt calibrate` tells how many)."
            .into(),
    ];
    for row in m
        .seconds
        .iter_mut()
        .filter(|row| (20..24).contains(&row.second))
    {
        row.tainted = true;
    }
    for threshold in m
        .thresholds
        .iter_mut()
        .filter(|t| t.metric == "pdv_ms.p999")
    {
        threshold.outcome_without_tainted = Outcome::Pass;
    }
    m
}

/// The agent died before the first packet.
pub(crate) fn empty() -> Measured {
    let mut m = pass();
    m.partial = true;
    m.verdict = Verdict::Invalid;
    m.validity = Validity {
        valid: false,
        reasons: vec![
            "The guest program was lost before full load; start it again and look at its log."
                .into(),
        ],
        tainted_seconds: 0,
        tainted: Vec::new(),
        departures_planned: 0,
        departures_sent: 0,
        departures_not_sent: 0,
        socket_drops: 0,
        lateness_us: Lateness::default(),
    };
    m.legs = Legs {
        receive: LegMeasured::default(),
        sent: LegMeasured::default(),
    };
    m.recordings = Recordings::default();
    for threshold in &mut m.thresholds {
        threshold.measured = None;
        threshold.at_s = None;
        threshold.note = None;
        threshold.leg = None;
        threshold.outcome = Outcome::NotMeasured;
        threshold.outcome_without_tainted = Outcome::NotMeasured;
    }
    for figure in &mut m.document {
        figure.measured = None;
    }
    m.guest = GuestMeasured::default();
    m.host = HostMeasured::default();
    m.clock = ClockMeasured::default();
    m.calls = CallCounts::default();
    m.full_load = None;
    m.control_mbps = None;
    m.seconds.clear();
    m.streams.clear();
    m.events.clear();
    m.recording_rows.clear();
    m.pdv_curves = [Vec::new(), Vec::new()];
    m.histograms.clear();
    m
}

fn run(scale: fn(u32) -> f64) -> Measured {
    Measured {
        verdict: Verdict::Pass,
        partial: false,
        validity: validity(),
        legs: Legs {
            receive: leg(42.94),
            sent: leg(45.07),
        },
        recordings: Recordings {
            expected: 350,
            received: 350,
            scored: 350,
            with_silence: 0,
            silence_events: 0,
            upper_bound_95_percent: Some(0.008_523),
            weight_bits_per_second: Some(8_533.0),
            heavier_than_asked: 0,
        },
        thresholds: thresholds(),
        document: document(),
        guest: GuestMeasured {
            ticks_planned: Some(3_500),
            ticks_missed: Some(0),
            tick_lateness_us: Lateness {
                p50: Some(12.0),
                p99: Some(88.0),
                p999: Some(410.0),
                max: Some(1_240.0),
            },
            cpu_percent: Some(23.4),
            steal_percent: Some(0.1),
            socket_drops: Some(0),
            recorder_drops: Some(0),
            clock_step_ms: Some(0.002),
            real_time: Some("granted".into()),
        },
        host: HostMeasured {
            cpu_percent: Some(21.7),
            clock_step_ms: Some(0.001),
            real_time: Some("granted".into()),
        },
        clock: ClockMeasured {
            same_clock: true,
            round_trip_min_ms: Some(0.11),
            offset_ms: Some(0.0),
            skew_ppm: Some(0.0),
        },
        calls: CallCounts {
            started: 350,
            completed: 100,
            cut: 250,
        },
        full_load: Some(FULL),
        control_mbps: Some(0.041),
        seconds: (0..SECONDS)
            .flat_map(|second| Leg::BOTH.map(|leg| second_row(second, leg, scale(second))))
            .collect(),
        streams: vec![stream_row(Leg::Receive), stream_row(Leg::Sent)],
        events: Vec::new(),
        recording_rows: recording_rows(),
        pdv_curves: [curve(1.0), curve(1.6)],
        histograms: (FULL.0..FULL.1).flat_map(histograms).collect(),
    }
}

/// 0 to 1, the same for the same second, leg and purpose.
fn wobble(second: u32, leg: Leg, purpose: u32) -> f64 {
    let mut x = (second + 1).wrapping_mul(2_654_435_761)
        ^ purpose.wrapping_mul(40_503)
        ^ if leg == Leg::Sent { 977 } else { 0 };
    x ^= x >> 15;
    x = x.wrapping_mul(2_246_822_519);
    x ^= x >> 13;
    f64::from(x) / f64::from(u32::MAX)
}

fn phase(second: u32) -> Phase {
    match second {
        s if s < FULL.0 => Phase::Ramp,
        s if s < FULL.1 => Phase::Full,
        _ => Phase::Drain,
    }
}

fn second_row(second: u32, leg: Leg, scale: f64) -> SecondRow {
    let calls = match phase(second) {
        Phase::Ramp => 50 * (second + 1),
        Phase::Full => 250,
        Phase::Drain => 0,
    };
    let load = f64::from(calls) / 250.0;
    let ms = |base: f64, purpose| {
        (load > 0.0).then(|| base * (1.0 + wobble(second, leg, purpose)) * scale)
    };
    let transfer = if leg == Leg::Sent {
        2.3 * load * (0.6 + 0.8 * wobble(second, leg, 9))
    } else {
        0.06 * load
    };
    let rtp = 42.8 * load;
    SecondRow {
        second,
        leg,
        phase: phase(second),
        tainted: false,
        calls,
        expected: u64::from(calls) * 100,
        received: u64::from(calls) * 100,
        lost: 0,
        discarded: 0,
        not_sent: 0,
        duplicated: 0,
        reordered: 0,
        interarrival_jitter_mean_ms: ms(0.02, 1).map(|j| j.min(45.0)),
        interarrival_jitter_max_ms: ms(0.1, 2).map(|j| j.min(90.0)),
        pdv_p50_ms: ms(0.03, 3).map(|v| v.min(20.0)),
        pdv_p99_ms: ms(0.09, 4).map(|v| v.min(640.0)),
        pdv_p999_ms: ms(0.2, 5).map(|v| v.min(690.0)),
        pdv_max_ms: ms(0.5, 6).map(|v| v.min(702.4)),
        dead_air_ms: 0.0,
        dead_air_events: 0,
        mbps: Some(rtp + transfer),
        rtp_mbps: Some(rtp),
        transfer_mbps: Some(transfer),
        nic_mbps: None,
        sender_lateness_p999_us: Some(180.0),
    }
}

fn validity() -> Validity {
    Validity {
        valid: true,
        reasons: Vec::new(),
        tainted_seconds: 0,
        tainted: Vec::new(),
        departures_planned: 1_560_000,
        departures_sent: 1_560_000,
        departures_not_sent: 0,
        socket_drops: 0,
        lateness_us: Lateness {
            p50: Some(8.0),
            p99: Some(64.0),
            p999: Some(412.0),
            max: Some(2_104.0),
        },
    }
}

fn leg(mbps: f64) -> LegMeasured {
    LegMeasured {
        streams: 700,
        expected_from: "ledger".into(),
        packets_expected: 1_560_000,
        packets_received: 1_560_000,
        loss_percent: Some(0.0),
        interarrival_jitter_ms: MeanMax {
            mean: Some(0.031),
            max: Some(0.198),
        },
        ipdv_ms: Percentiles {
            p50: Some(0.02),
            p99: Some(0.11),
            p999: Some(0.31),
            max: Some(0.97),
        },
        pdv_ms: PdvPercentiles {
            p50: Some(0.044),
            p95: Some(0.09),
            p99: Some(0.14),
            p999: Some(0.33),
            max: Some(0.98),
        },
        mos_lq: MosSpread {
            min: Some(4.41),
            p5: Some(4.41),
            median: Some(4.41),
        },
        dead_air: DeadAir {
            per_1000_call_minutes: Some(0.0),
            ..DeadAir::default()
        },
        mbps: MeanMax {
            mean: Some(mbps),
            max: Some(mbps + 0.9),
        },
        rtp_mbps: Some(42.8),
        transfer_mbps: Some(mbps - 42.8),
        nic_mbps: Some(mbps + 0.05),
        dscp_arrived: Some(46),
        ..LegMeasured::default()
    }
}

const RESULTS: (&str, &str) = (
    "document",
    "Testing results of an Interaction Media Server guest in Hyper-V",
);
const REQUIREMENTS: (&str, &str) = (
    "document",
    "Virtual machine requirements; window: milliwatt default",
);
const STANDARD: (&str, &str) = ("standard", "ITU-T Y.1541 class 0, IPLR 1e-3");
const HALF_BUFFER: (&str, &str) = ("own", "milliwatt default: half the playout buffer");
const OWN: (&str, &str) = ("own", "milliwatt default, adjust to your agreement");
const PRACTICE: (&str, &str) = ("practice", "common practice");

fn thresholds() -> Vec<ThresholdResult> {
    let mut silence = threshold(
        "recordings.with_silence",
        (1.0, "recordings"),
        "run",
        Some(0.0),
        RESULTS,
    );
    silence.note = Some("350 recordings without silence prove a share of at most 0.852 %".into());
    let mut sent = threshold(
        "mbps.max",
        (120.0, "Mbit/s"),
        "10s",
        Some(45.97),
        REQUIREMENTS,
    );
    sent.leg = Some(Leg::Sent);
    let cpu = threshold(
        "hypervisor.cpu_percent",
        (60.0, "%"),
        "300s",
        None,
        REQUIREMENTS,
    );
    let of_legs = [
        threshold("loss_percent", (0.1, "%"), "15s", Some(0.0), STANDARD),
        threshold("pdv_ms.p999", (30.0, "ms"), "60s", Some(0.33), HALF_BUFFER),
        threshold(
            "interarrival_jitter_ms.mean",
            (15.0, "ms"),
            "15s",
            Some(0.034),
            PRACTICE,
        ),
        threshold(
            "dead_air.per_1000_call_minutes",
            (1.0, "events/1000 min"),
            "run",
            Some(0.0),
            OWN,
        ),
        threshold(
            "dead_air.events_200ms",
            (0.0, "events"),
            "run",
            Some(0.0),
            OWN,
        ),
    ];
    let on = |t: ThresholdResult| {
        Leg::BOTH.map(|leg| ThresholdResult {
            leg: Some(leg),
            ..t.clone()
        })
    };
    [silence, sent, cpu]
        .into_iter()
        .chain(of_legs.into_iter().flat_map(on))
        .collect()
}

fn threshold(
    metric: &str,
    (limit, unit): (f64, &str),
    window: &str,
    measured: Option<f64>,
    (basis, source): (&str, &str),
) -> ThresholdResult {
    let outcome = if measured.is_some() {
        Outcome::Pass
    } else {
        Outcome::NotMeasured
    };
    ThresholdResult {
        metric: metric.into(),
        leg: None,
        limit,
        bound: "max".into(),
        unit: unit.into(),
        window: window.into(),
        measured,
        at_s: None,
        outcome,
        outcome_without_tainted: outcome,
        warns_only: basis == "practice",
        basis: basis.into(),
        source: source.into(),
        note: None,
    }
}

fn document() -> Vec<DocumentFigure> {
    let figure = |figure: &str, published, measured, unit: &str| DocumentFigure {
        figure: figure.into(),
        published,
        measured,
        unit: unit.into(),
    };
    vec![
        figure("network receive", 5.38, Some(5.368), "MB/s"),
        figure("network send", 5.64, Some(5.634), "MB/s"),
        figure(
            "recordings with silence, of 5000",
            1.0,
            Some(0.0),
            "recordings",
        ),
        figure("server CPU", 37.0, None, "%"),
    ]
}

fn stall_events() -> Vec<EventRow> {
    let stalled = EventRow {
        at_s: 31.2,
        kind: "stall".into(),
        stream: None,
        call: None,
        channel: None,
        duration_ms: Some(702.0),
        cause: None,
        tainted: false,
        text: "no playout tick for 702 ms".into(),
    };
    let dead = (0..1000_u32).map(|n| EventRow {
        at_s: 31.24 + f64::from(n) * 2e-5,
        kind: "dead-air".into(),
        stream: Some(StreamId {
            call: CallId(n / 4),
            party: Party::BOTH[usize::from(n % 2 == 1)],
            leg: Leg::BOTH[usize::from(n % 4 > 1)],
        }),
        call: None,
        channel: None,
        duration_ms: Some(640.0 + f64::from(n % 3) * 20.0),
        cause: Some(if n % 4 > 1 {
            DeadCause::Late
        } else {
            DeadCause::GuestPlayout
        }),
        tainted: false,
        text: "dead air".into(),
    });
    let silence = (0..2_u8).map(|channel| EventRow {
        at_s: 31.28,
        kind: "silence".into(),
        stream: None,
        call: Some(17),
        channel: Some(channel),
        duration_ms: Some(662.5),
        cause: None,
        tainted: false,
        text: "silence in the recording".into(),
    });
    std::iter::once(stalled)
        .chain(dead)
        .chain(silence)
        .collect()
}

fn stream_row(leg: Leg) -> StreamRow {
    StreamRow {
        stream: StreamId {
            call: CallId(0),
            party: Party::A,
            leg,
        },
        ssrc: Some(0x00c0_ffee),
        start_s: Some(0.02),
        expected: 3_000,
        received: 2_999,
        lost: 1,
        discarded: 0,
        not_sent: 0,
        duplicated: 0,
        reordered: 0,
        interarrival_jitter_mean_ms: Some(0.031_25),
        interarrival_jitter_max_ms: Some(0.19),
        pdv_max_ms: Some(0.8),
        dead_air_events: 0,
        dead_air_longest_ms: None,
        mos_lq: Some(4.41),
    }
}

fn recording_rows() -> Vec<RecordingRow> {
    let whole = RecordingRow {
        call: 0,
        file: "call-000000.wav".into(),
        received: true,
        seconds: Some(180.0),
        wire_octets: Some(191_993),
        attempts: Some(1),
        silence_events: 0,
        longest_ms: None,
        error: None,
    };
    let broken = RecordingRow {
        call: 1,
        file: "call-000001.wav".into(),
        error: Some("no data chunk, 12 octets".into()),
        ..whole.clone()
    };
    vec![whole, broken]
}

/// An exponential tail above 0.02 ms, down to 1 of 1e6.
fn curve(scale: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = (0..60)
        .map(|n| f64::from(n) * 0.016)
        .map(|x| (scale * (0.02 + x), 1.0 - (-x / 0.06).exp()))
        .collect();
    points.push((scale * 0.98, 1.0));
    points
}

fn histograms(second: u32) -> Vec<SecondHistogram> {
    ["receive-pdv", "sent-pdv"]
        .map(|name| SecondHistogram {
            name,
            second,
            counts: vec![(20_000, 12_500), (90_000, 12_499), (980_000, 1)],
        })
        .into()
}
