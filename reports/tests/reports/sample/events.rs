//! Events of the sample runs: the stall of [`super::fail`], and silences of every origin.

use super::recordings::file_name;
use milliwatt_scoring::measured::{EventRow, SilenceOrigin};
use milliwatt_wire::facts::DeadCause;
use milliwatt_wire::id::{CallId, Leg, Party, StreamId};

/// A packet is heard so long after its due time, s.
const PLAYOUT_BUFFER_S: f64 = 0.06;

/// A stall of the guest; dead air of each of 1000 streams and a silence of each of 500 channels in it; and what else
/// silences recordings.
pub(super) fn stall_events() -> Vec<EventRow> {
    let dead: Vec<EventRow> = (0..1000).map(dead_in_stall).collect();
    let silences: Vec<EventRow> = dead.iter().filter_map(silence_of).collect();
    let rows = std::iter::once(stall()).chain(dead).chain(silences);
    let mut rows: Vec<EventRow> = rows.chain(others()).collect();
    rows.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    rows
}

pub(crate) fn stall() -> EventRow {
    EventRow {
        at_s: 31.2,
        kind: "stall".into(),
        stream: None,
        call: None,
        channel: None,
        duration_ms: Some(702.0),
        cause: None,
        origin: None,
        file: None,
        start_s: None,
        tainted: false,
        text: "no playout tick for 702 ms".into(),
    }
}

pub(super) fn dead_in_stall(n: u32) -> EventRow {
    let (leg, cause) = if n % 4 > 1 {
        (Leg::Sent, DeadCause::Late)
    } else {
        (Leg::Receive, DeadCause::GuestPlayout)
    };
    let stream = StreamId {
        call: CallId(n / 4),
        party: Party::BOTH[usize::from(n % 2 == 1)],
        leg,
    };
    let length_ms = 640.0 + f64::from(n % 3) * 20.0;
    dead_air(31.24 + f64::from(n) * 2e-5, stream, cause, length_ms)
}

fn dead_air(at_s: f64, stream: StreamId, cause: DeadCause, length_ms: f64) -> EventRow {
    EventRow {
        at_s,
        kind: "dead-air".into(),
        stream: Some(stream),
        duration_ms: Some(length_ms),
        cause: Some(cause),
        text: "dead air".into(),
        ..stall()
    }
}

/// What dead air leaves in a recording, which holds what the guest received.
pub(super) fn silence_of(dead: &EventRow) -> Option<EventRow> {
    let stream = dead.stream.filter(|stream| stream.leg == Leg::Receive)?;
    let place = (stream.call.0, stream.party as u8);
    let at_s = dead.at_s + PLAYOUT_BUFFER_S;
    let silence = silence(place, at_s, dead.duration_ms? + 2.5, SilenceOrigin::DeadAir);
    Some(EventRow {
        cause: dead.cause,
        ..silence
    })
}

/// Calls begin 50 a second, and their recordings with them.
pub(crate) fn silence(
    (call, channel): (u32, u8),
    at_s: f64,
    length_ms: f64,
    origin: SilenceOrigin,
) -> EventRow {
    EventRow {
        at_s,
        kind: "silence".into(),
        call: Some(call),
        channel: Some(channel),
        duration_ms: Some(length_ms),
        origin: Some(origin),
        file: Some(file_name(call)),
        start_s: Some(at_s - f64::from(call) / 50.0),
        text: "silence in the recording".into(),
        ..stall()
    }
}

fn others() -> Vec<EventRow> {
    let stream = StreamId {
        call: CallId(77),
        party: Party::A,
        leg: Leg::Receive,
    };
    let lost = dead_air(20.0, stream, DeadCause::Lost, 140.0);
    let unexplained =
        |place, at_s, length_ms| silence(place, at_s, length_ms, SilenceOrigin::Unexplained);
    let mut others = vec![
        silence((3, 0), 12.06, 1000.0, SilenceOrigin::Known),
        unexplained((42, 1), 44.5, 180.0),
        unexplained((42, 0), 44.62, 95.0),
        unexplained((8, 0), 46.0, 7_000.0),
        // The recordings of these two are missing and damaged.
        unexplained((99, 0), 58.0, 120.0),
        unexplained((120, 0), 61.0, 80.0),
    ];
    others.extend(silence_of(&lost));
    others.push(lost);
    others
}
