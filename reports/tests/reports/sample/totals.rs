//! What the sample runs measured as a whole.

use milliwatt_scoring::measured::{
    BurstGap, Concealment, DeadAir, DocumentFigure, Lateness, LegMeasured, MeanMax, MosSpread,
    Outcome, PdvPercentiles, Percentiles, PlayoutBuffer, Reordering, ThresholdResult, Validity,
};
use milliwatt_wire::id::Leg;

pub(super) fn validity() -> Validity {
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

pub(super) fn leg(mbps: f64) -> LegMeasured {
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
        playout_buffers: [20.0, 40.0, 60.0, 100.0, 200.0]
            .map(|depth_ms| PlayoutBuffer {
                depth_ms,
                ..PlayoutBuffer::default()
            })
            .into(),
        burst_gap: BurstGap {
            gap_density_percent: Some(0.0),
            gap_duration_ms: Some(180_000.0),
            ..BurstGap::default()
        },
        reordering: Reordering {
            ratio_percent: Some(0.0),
            extent_max: None,
        },
        concealment: Concealment {
            unimpaired_seconds: 31_200,
            ..Concealment::default()
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

pub(super) fn thresholds() -> Vec<ThresholdResult> {
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

pub(super) fn document() -> Vec<DocumentFigure> {
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
