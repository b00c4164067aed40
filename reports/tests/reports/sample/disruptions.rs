//! Runs whose service was interrupted.

use super::runs::pass;
use milliwatt_scoring::measured::{
    ByLeg, Disruption, DisruptionKind, DisruptionTrace, EventRow, HookRow, LegDisruption,
    MarkEffect, MarkRow, Measured, Outcome, StreamBlackouts, ThresholdResult, Verdict,
};
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;

/// The guest stands still for 713 ms as it is moved; a snapshot before has no effect; later packets to it are lost for 120 ms.
pub(crate) fn moved() -> Measured {
    let mut m = pass();
    m.disruptions = vec![pause(), cut()];
    m.disruption_traces = vec![trace(31.1, 32.4, 0.71), trace(50.1, 50.4, 0.12)];
    m.marks = marks();
    m.hooks = vec![hook()];
    m.events = events(&m.disruptions);
    let result = threshold();
    m.thresholds.push(result);
    m.verdict = Verdict::Fail;
    m
}

/// The guest did not come back.
pub(crate) fn gone() -> Measured {
    let mut m = moved();
    let mut gone = pause();
    gone.recovered_ms = None;
    gone.calls_lost = 250;
    gone.legs = vec![Leg::Sent];
    gone.by_leg.receive = None;
    gone.part = None;
    m.disruptions = vec![gone];
    m.disruption_traces.truncate(1);
    m.events = events(&m.disruptions);
    m
}

/// Five moves, 10 s apart, of which the third had no effect; blackouts of 300, 400, 600 and 700 ms, each recovered 200 ms later.
pub(crate) fn repeated() -> Measured {
    let mut m = moved();
    let (times, blackouts) = (
        [10.0, 20.0, 30.0, 40.0, 50.0],
        [300.0, 400.0, 0.0, 600.0, 700.0],
    );
    let done = times.into_iter().zip(blackouts);
    m.hooks = done.clone().map(|(at, ms)| repeat(at, ms)).collect();
    m.disruptions = done
        .filter(|(_, ms)| *ms > 0.0)
        .map(|(at, ms)| Disruption {
            at: at + 1.0,
            blackout_ms: ms,
            recovered_ms: Some(ms + 200.0),
            mark_at: Some(at),
            by_leg: ByLeg {
                receive: Some(leg(
                    DisruptionKind::Pause,
                    at + 1.0,
                    ms - 3.0,
                    [0, 17_320, 0],
                )),
                sent: Some(leg(DisruptionKind::Pause, at + 1.0, ms, [0, 0, 17_310])),
            },
            ..pause()
        })
        .collect();
    let shown = m.disruptions.iter();
    m.disruption_traces = shown
        .map(|row| trace(row.at - 0.1, row.at + 1.0, row.blackout_ms / 1000.0))
        .collect();
    m.marks.clear();
    m.events = events(&m.disruptions);
    m
}

fn repeat(at: f64, blackout_ms: f64) -> HookRow {
    let was_hit = blackout_ms > 0.0;
    HookRow {
        started: at,
        ended: at + 3.0,
        effect: if was_hit {
            MarkEffect::Disruption
        } else {
            MarkEffect::None
        },
        disruptions_at: if was_hit { vec![at + 1.0] } else { Vec::new() },
        ..hook()
    }
}

fn pause() -> Disruption {
    Disruption {
        at: 31.2,
        kind: DisruptionKind::Pause,
        blackout_ms: 713.2,
        brownout_ms: Some(2000.0),
        brownout_before_ms: Some(0.0),
        brownout_after_ms: Some(1000.0),
        brownout_pdv_p99_ms: Some(24.5),
        streams_affected: 500,
        streams: 500,
        calls_affected: 250,
        calls: 250,
        calls_lost: 0,
        packets_lost: 0,
        packets_late: 17_320,
        packets_not_sent: 17_310,
        recovered_ms: Some(920.4),
        legs: Leg::BOTH.to_vec(),
        by_leg: ByLeg {
            receive: Some(leg(DisruptionKind::Pause, 31.203, 709.9, [0, 17_320, 0])),
            sent: Some(leg(DisruptionKind::Pause, 31.2, 713.2, [0, 0, 17_310])),
        },
        clock_step_ms: Some(0.02),
        mark: Some("vMotion".into()),
        mark_at: Some(28.0),
        part: Some("migration".into()),
        phase: Phase::Full,
        tainted: false,
    }
}

fn cut() -> Disruption {
    Disruption {
        at: 50.2,
        kind: DisruptionKind::Loss,
        blackout_ms: 120.8,
        brownout_ms: Some(0.0),
        brownout_before_ms: Some(0.0),
        brownout_after_ms: Some(0.0),
        brownout_pdv_p99_ms: None,
        packets_lost: 3_000,
        packets_late: 0,
        packets_not_sent: 0,
        recovered_ms: Some(138.0),
        legs: vec![Leg::Receive],
        by_leg: ByLeg {
            receive: Some(leg(DisruptionKind::Loss, 50.2, 120.8, [3_000, 0, 0])),
            sent: None,
        },
        clock_step_ms: None,
        mark: None,
        mark_at: None,
        part: Some("after".into()),
        ..pause()
    }
}

fn leg(kind: DisruptionKind, from_s: f64, blackout_ms: f64, packets: [u64; 3]) -> LegDisruption {
    LegDisruption {
        kind,
        from_s,
        until_s: from_s + blackout_ms / 1000.0,
        blackout_ms,
        blackouts: 1,
        stream_blackout_ms: StreamBlackouts {
            p50: Some(blackout_ms - 9.8),
            p95: Some(blackout_ms - 1.1),
            max: Some(blackout_ms + 0.4),
        },
        streams_affected: 500,
        streams: 500,
        packets_lost: packets[0],
        packets_late: packets[1],
        packets_not_sent: packets[2],
        recovered_ms: Some(blackout_ms + 17.2),
        step_ms: Some(0.01),
        brownout_pdv_p99_ms: (kind == DisruptionKind::Pause).then_some(24.5),
        baseline_pdv_p99_ms: Some(0.41),
    }
}

fn trace(from_s: f64, until_s: f64, blackout_s: f64) -> DisruptionTrace {
    let part = (until_s - from_s) / 400.0;
    let silent = |late: f64| {
        (0..400)
            .map(|place| {
                let at = f64::from(place) * part - 0.1 - late;
                match at {
                    at if at < -0.01 || at > blackout_s + 0.02 => 0,
                    at if at < 0.01 || at > blackout_s => 260,
                    _ => 500,
                }
            })
            .collect()
    };
    DisruptionTrace {
        from_s,
        until_s,
        silent: [
            silent(0.003),
            if blackout_s > 0.2 {
                silent(0.0)
            } else {
                Vec::new()
            },
        ],
    }
}

fn marks() -> Vec<MarkRow> {
    let mark = |label: &str, at: f64, source: &str, disruptions_at: Vec<f64>| MarkRow {
        label: label.into(),
        at,
        source: source.into(),
        detail: None,
        effect: if disruptions_at.is_empty() {
            MarkEffect::None
        } else {
            MarkEffect::Disruption
        },
        disruptions_at,
    };
    vec![
        mark("snapshot", 12.0, "told", vec![]),
        mark("vMotion", 28.0, "hook-started", vec![31.2]),
        mark("vMotion", 33.5, "hook-ended", vec![]),
    ]
}

fn hook() -> HookRow {
    HookRow {
        label: "vMotion".into(),
        started: 28.0,
        ended: 33.5,
        outcome: "exited".into(),
        exit_code: Some(0),
        detail: None,
        output: "vm.migrate: OK\n".into(),
        effect: MarkEffect::Disruption,
        disruptions_at: vec![31.2],
    }
}

fn events(disruptions: &[Disruption]) -> Vec<EventRow> {
    let event = |at_s: f64, kind: &str, duration_ms: Option<f64>, text: &str| EventRow {
        at_s,
        kind: kind.into(),
        stream: None,
        call: None,
        channel: None,
        duration_ms,
        cause: None,
        origin: None,
        file: None,
        start_s: None,
        tainted: false,
        text: text.into(),
    };
    let mut events = vec![
        event(12.0, "mark", None, "snapshot"),
        event(28.0, "hook", None, "vMotion: its command was started"),
        event(30.0, "phase", None, "migration"),
        event(
            33.5,
            "hook",
            None,
            "vMotion: its command ended with exit code 0 after 5.5 s",
        ),
        event(
            33.5,
            "hook",
            None,
            "vMotion: its command ended with code 0 after 5.5 s",
        ),
    ];
    let found = disruptions.iter().map(|d| {
        let text = format!("{}: 500 of 500 streams were silent", d.kind.name());
        event(d.at, "disruption", Some(d.blackout_ms), &text)
    });
    events.extend(found);
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    events
}

fn threshold() -> ThresholdResult {
    ThresholdResult {
        metric: "disruptions.blackout_ms".into(),
        leg: None,
        limit: 500.0,
        bound: "max".into(),
        unit: "ms".into(),
        window: "run".into(),
        measured: Some(713.2),
        at_s: Some(31.2),
        outcome: Outcome::Fail,
        outcome_without_tainted: Outcome::Fail,
        warns_only: false,
        basis: "own".into(),
        source: "this scenario".into(),
        note: Some("the worst of 2 disruptions, mark: vMotion".into()),
    }
}
