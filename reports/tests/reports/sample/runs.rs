//! The sample runs.

use super::events::stall_events;
use super::rows::{curve, delay, histograms, recording_rows, second_row, stream_row};
use super::totals::{document, leg, thresholds, validity};
use milliwatt_reports::RunContext;
use milliwatt_scoring::measured::{
    Attribution, BreakingPoints, CallCounts, ClockMeasured, DeadAir, EndTimers, GuestMeasured,
    HostMeasured, Lateness, LegAttribution, LegMeasured, LegTransfers, Legs, MeanMax, Measured,
    Outcome, RecordingLayout, Recordings, Right, SkewChange, Timers, Transfers, Validity, Verdict,
    WorstSecond,
};
use milliwatt_wire::id::Leg;

/// Full load: seconds 5 to 65 of 70.
pub(super) const FULL: (u32, u32) = (5, 65);

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
        floor: None,
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
    m.attribution.receive = attribution(Leg::Receive, 300.0);
    m.attribution.sent = attribution(Leg::Sent, 300.0);
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
    // One of 140 ms beside the stall.
    m.legs.receive.dead_air.events += 1;
    m.legs.receive.dead_air.total_ms += 140.0;
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
    m.clock.skew_change = Some(SkewChange {
        at_s: 31.5,
        ppm: 12.5,
        step_ms: 0.0,
    });
    m.recordings.with_silence = 250;
    m.recordings.silence_events = 507;
    m.recordings.silence_events_unexplained = 5;
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
    m.transfers = Transfers::default();
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
    m.attribution = Attribution::default();
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

/// 350 recordings of 180 s at 8533 bit/s, of which one was sent twice.
fn transfers() -> Transfers {
    Transfers {
        receive: None,
        sent: Some(LegTransfers {
            completed: 350,
            broken: 1,
            acknowledged_octets: 67_197_550,
            goodput_mbps: MeanMax {
                mean: Some(2.17),
                max: Some(3.08),
            },
            retransmissions: 3,
            stalled_ms: 4.0,
            round_trip_ms: Some(0.62),
        }),
    }
}

fn timers(refused: Option<&str>) -> EndTimers {
    EndTimers {
        mode: Some("sleep".into()),
        threads: Some(1),
        slot_us: Some(250.0),
        rights: vec![Right {
            name: "SCHED_FIFO".into(),
            granted: refused.is_none(),
            refused: refused.map(Into::into),
        }],
        running_percent: Some(21.5),
        runnable_percent: Some(0.4),
        departures_stamped: 3000,
        departure_stamp_us: Lateness {
            p50: Some(4.0),
            p99: Some(12.0),
            p999: Some(36.0),
            max: Some(80.5),
        },
    }
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
            silence_events_unexplained: 0,
            dropout_events: 0,
            splice_events: 0,
            clipping_events: 0,
            one_way_channels: 0,
            crossed_channels: 0,
            upper_bound_95_percent: Some(0.008_523),
            weight_bits_per_second: Some(8_533.0),
            heavier_than_asked: 0,
        },
        transfers: transfers(),
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
            skew_change: None,
        },
        timers: Timers {
            tester: timers(None),
            guest: timers(Some("not permitted; permit it with CAP_SYS_NICE")),
        },
        attribution: Attribution {
            receive: attribution(Leg::Receive, 1.0),
            sent: attribution(Leg::Sent, 1.0),
        },
        breaking_point: BreakingPoints::default(),
        steps: Vec::new(),
        disruptions: Vec::new(),
        marks: Vec::new(),
        hooks: Vec::new(),
        neighbours: Vec::new(),
        contention: None,
        disruption_traces: Vec::new(),
        calls: CallCounts {
            started: 350,
            completed: 100,
            cut: 250,
        },
        full_load: Some(FULL),
        notes: vec!["media left marked DSCP 46 and arrived marked 0 on the sent leg (guest -> tester): something on the way changes it".into()],
        control_mbps: Some(0.041),
        seconds: (0..SECONDS)
            .flat_map(|second| Leg::BOTH.map(|leg| second_row(second, leg, scale(second))))
            .collect(),
        streams: vec![stream_row(Leg::Receive), stream_row(Leg::Sent)],
        events: Vec::new(),
        recording_rows: recording_rows(),
        recording_layout: RecordingLayout {
            playout_buffer_ms: 60.0,
            channel_a_party: true,
        },
        pdv_curves: [curve(1.0), curve(1.6)],
        histograms: (FULL.0..FULL.1).flat_map(histograms).collect(),
    }
}

/// Of a leg whose worst second is a quiet one's times `scale`.
fn attribution(leg: Leg, scale: f64) -> LegAttribution {
    let (quiet, worst) = (delay(leg, 1.0), delay(leg, scale));
    let percent =
        |part: f64| Some(100.0 * part / (quiet.tester_ms + quiet.guest_ms + quiet.path_ms));
    LegAttribution {
        pdv_mean_ms: Some(quiet.pdv_ms),
        tester_percent: percent(quiet.tester_ms),
        guest_percent: percent(quiet.guest_ms),
        path_percent: percent(quiet.path_ms),
        path_common_percent: quiet.path_common_ms.and_then(percent),
        path_stream_percent: quiet.path_stream_ms.and_then(percent),
        worst: Some(WorstSecond {
            at_s: f64::from(STALL),
            tainted: false,
            origin: worst.origin(),
            parts: worst,
        }),
    }
}
