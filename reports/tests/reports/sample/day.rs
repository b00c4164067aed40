//! A run of 24 h beside production: every second measured, thousands of them tainted, events in most minutes.

use super::disruptions::moved;
use super::events::{dead_in_stall, silence_of, stall};
use super::rows::{second_row, stream_row, wobble};
use super::runs::pass;
use milliwatt_scoring::measured::{
    Disruption, DisruptionTrace, EventRow, MarkEffect, MarkRow, Measured, StreamRow,
};
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::{CallId, Leg};

pub(crate) const SECONDS: u32 = 24 * 3600;
/// The second with the largest of everything.
pub(crate) const SPIKE: u32 = 50_000;
/// Its times, of a usual second's.
const SPIKE_SCALE: f64 = 900.0;

/// Two streams of each of ten calls, one after the other: 5 min each.
const STREAMS: u32 = 10 * 24 * 12 * 2;
/// Every so many seconds a disruption, a mark, a silence.
const DISRUPTION_EVERY: u32 = 288;

pub(crate) fn day() -> Measured {
    let mut m = pass();
    m.full_load = Some((5, SECONDS - 5));
    m.seconds = (0..SECONDS)
        .flat_map(|second| Leg::BOTH.map(|leg| second_of(second, leg)))
        .collect();
    m.validity.tainted = (0..SECONDS).filter(|second| is_tainted(*second)).collect();
    m.streams = (0..STREAMS)
        .flat_map(|n| Leg::BOTH.map(|leg| stream(n, leg)))
        .collect();
    disrupted(&mut m);
    m.events = events();
    m
}

/// One in ten, in stretches of one to some seconds.
fn is_tainted(second: u32) -> bool {
    wobble(second / 3, Leg::Sent, 77) < 0.1
}

fn second_of(second: u32, leg: Leg) -> milliwatt_scoring::measured::SecondRow {
    let spike = second == SPIKE;
    // The ramp, full load and the drain of a short run, as long as it takes.
    let as_short = match second {
        0..5 => second,
        _ if second >= SECONDS - 5 => 66,
        _ => 30,
    };
    let scale = if spike {
        SPIKE_SCALE
    } else {
        1.0 + 3.0 * wobble(second, leg, 21)
    };
    let mut row = second_row(as_short, leg, scale);
    row.second = second;
    row.tainted = is_tainted(second);
    if row.phase == Phase::Full {
        row.mbps = row
            .mbps
            .map(|mbps| mbps * (0.9 + 0.1 * wobble(second, leg, 22)));
        row.dead_air_ms = if wobble(second, leg, 23) < 0.4 {
            400.0 * wobble(second, leg, 24)
        } else {
            0.0
        };
    }
    if spike {
        row.mbps = row.mbps.map(|mbps| 3.0 * mbps);
        row.transfer_mbps = row.transfer_mbps.map(|mbps| 5.0 * mbps);
        row.transfer_goodput_mbps = row.transfer_goodput_mbps.map(|mbps| 5.0 * mbps);
        row.transfer_stalled_ms = row.transfer_stalled_ms.map(|ms| 500.0 * ms);
        row.transfer_retransmissions = row.transfer_retransmissions.map(|_| 5_000);
        row.dead_air_ms = 320_000.0;
    }
    row
}

fn stream(n: u32, leg: Leg) -> StreamRow {
    let mut row = stream_row(leg);
    row.stream.call = CallId(n);
    row
}

fn disrupted(m: &mut Measured) {
    let short = moved();
    let (pause, trace): (&Disruption, &DisruptionTrace) =
        (&short.disruptions[0], &short.disruption_traces[0]);
    for n in 1..SECONDS / DISRUPTION_EVERY {
        let by = f64::from(n * DISRUPTION_EVERY) - pause.at;
        let mut row = pause.clone();
        row.at += by;
        row.blackout_ms += f64::from(n % 50);
        for leg in [&mut row.by_leg.receive, &mut row.by_leg.sent]
            .into_iter()
            .flatten()
        {
            leg.from_s += by;
            leg.until_s += by;
        }
        row.mark_at = row.mark_at.map(|at| at + by);
        m.marks.push(MarkRow {
            label: "vMotion".into(),
            at: row.at - 3.0,
            source: "told".into(),
            detail: None,
            effect: MarkEffect::Disruption,
            disruptions_at: vec![row.at],
        });
        m.disruptions.push(row);
        let mut trace = trace.clone();
        trace.from_s += by;
        trace.until_s += by;
        m.disruption_traces.push(trace);
    }
}

/// A stall in one second of fourteen, dead air in every second and a silence of it in every other.
fn events() -> Vec<EventRow> {
    let mut events = Vec::new();
    for second in 10..SECONDS - 10 {
        let at_s = f64::from(second) + wobble(second, Leg::Sent, 25);
        let dead = EventRow {
            at_s,
            ..dead_in_stall(second % 1000)
        };
        events.extend(silence_of(&dead));
        events.push(dead);
        if wobble(second, Leg::Sent, 26) < 1.0 / 14.0 {
            events.push(EventRow { at_s, ..stall() });
        }
        if second.is_multiple_of(DISRUPTION_EVERY) {
            let kind = "mark".into();
            events.push(EventRow {
                at_s,
                kind,
                text: "vMotion".into(),
                ..stall()
            });
        }
    }
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    events
}
