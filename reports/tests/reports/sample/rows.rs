//! Series, rows and events of the sample runs.

use super::runs::FULL;
use milliwatt_scoring::measured::{
    DelayParts, RecordingRow, SecondHistogram, SecondRow, StreamRow,
};
use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::{CallId, Leg, Party, StreamId};

/// 0 to 1, the same for the same second, leg and purpose.
pub(super) fn wobble(second: u32, leg: Leg, purpose: u32) -> f64 {
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

pub(super) fn second_row(second: u32, leg: Leg, scale: f64) -> SecondRow {
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
    // The receive leg has acknowledgements only.
    let transfers = leg == Leg::Sent && load > 0.0;
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
        delay: (load > 0.0).then(|| delay(leg, scale)),
        transfer_goodput_mbps: transfers.then_some(transfer * 1448.0 / 1514.0),
        transfer_stalled_ms: transfers.then_some(4.0),
        transfer_retransmissions: transfers.then_some(u64::from(second.is_multiple_of(20))),
    }
}

/// A quiet second's times `scale`, which is the guest's doing.
pub(super) fn delay(leg: Leg, scale: f64) -> DelayParts {
    let reading = if leg == Leg::Receive { 0.2 } else { 0.0 };
    let guest_in_pdv = if leg == Leg::Sent {
        0.03 * scale.min(300.0)
    } else {
        0.0
    };
    let (tester, common, stream) = (0.02, 0.01, 0.015);
    DelayParts {
        pdv_ms: tester + guest_in_pdv + common + stream,
        tester_ms: tester,
        guest_ms: guest_in_pdv + reading * scale.min(300.0),
        path_ms: common + stream,
        path_common_ms: Some(common),
        path_stream_ms: Some(stream),
    }
}

pub(super) fn stream_row(leg: Leg) -> StreamRow {
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

pub(super) fn recording_rows() -> Vec<RecordingRow> {
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
pub(super) fn curve(scale: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = (0..60)
        .map(|n| f64::from(n) * 0.016)
        .map(|x| (scale * (0.02 + x), 1.0 - (-x / 0.06).exp()))
        .collect();
    points.push((scale * 0.98, 1.0));
    points
}

pub(super) fn histograms(second: u32) -> Vec<SecondHistogram> {
    ["receive-pdv", "sent-pdv"]
        .map(|name| SecondHistogram {
            name,
            second,
            counts: vec![(20_000, 12_500), (90_000, 12_499), (980_000, 1)],
        })
        .into()
}
