//! Whose doing delay variation was, against runs whose truth is known: one thing happens to a leg in virtual
//! time, from what the ends say of it the parts are scored, and they are what was done.
//!
//! 40 streams of 50 packets a second, evenly spread: one packet each 0.5 ms. A clean packet leaves when it is
//! due, is 1 ms on the path, and is read when it arrives. Things happen from 400 ms of second 1 on.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::stream::{Placed, StreamPlan, StreamReceiver};
use milliwatt_scoring::judgement::Judgement;
use milliwatt_scoring::measured::{DelayParts, Measured, Origin};
use milliwatt_scoring::scorer::score;
use milliwatt_wire::facts::{Fact, PacingSecond, Phase, Scale, Timers};
use milliwatt_wire::id::{CallId, End, Leg, Party, StreamId};
use milliwatt_wire::load::{
    Audio, Codec, Fill, Hold, LoadSpec, PTIME_NS, RecordingSpec, Role, TICKS_PER_PACKET,
    TransferSpec,
};
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunTime};
use std::convert::Infallible;

const STREAMS: i64 = 40;
const SECONDS: u32 = 4;
const TRANSIT: i64 = NS_PER_MS;
/// When it happens.
const FROM: i64 = 1400 * NS_PER_MS;
/// Later packets are not sent.
const NOT_SENT_AFTER: i64 = PTIME_NS;

/// What is done to a leg: each is ns by the time a packet is due, which is also its place on the grid.
struct Deed {
    /// How late it leaves.
    sender: fn(i64) -> i64,
    /// How much longer it is on the path: by stream and by when it leaves.
    path: fn(i64, i64) -> i64,
    /// How much later than it arrives it is read: by its arrival.
    reading: fn(i64) -> i64,
    /// How late the receiver's own clock ticks.
    receiver: fn(i64) -> i64,
}

const NOTHING: Deed = Deed {
    sender: |_| 0,
    path: |_, _| 0,
    reading: |_| 0,
    receiver: |_| 0,
};

/// What stands still from [`FROM`] on for `ms` lets go of everything at once.
fn until(ms: i64, at: i64) -> i64 {
    let end = FROM + ms * NS_PER_MS;
    if (FROM..end).contains(&at) {
        end - at
    } else {
        0
    }
}

/// The facts of both ends about a leg.
fn facts(leg: Leg, deed: &Deed) -> [(End, Vec<Fact>); 2] {
    let (sender, receiver) = match leg {
        Leg::Receive => (End::Tester, End::Guest),
        Leg::Sent => (End::Guest, End::Tester),
    };
    [
        (sender, own_facts(sender, deed.sender)),
        (
            receiver,
            [own_facts(receiver, deed.receiver), arrivals(leg, deed)].concat(),
        ),
    ]
}

fn due_times() -> impl Iterator<Item = (i64, i64)> {
    let step = PTIME_NS / STREAMS;
    (0..i64::from(SECONDS) * NS_PER_SECOND / step).map(move |n| (n % STREAMS, n * step))
}

fn own_facts(end: End, late: fn(i64) -> i64) -> Vec<Fact> {
    let mut facts = vec![opened(end)];
    if end == End::Tester {
        let at = |second: i64| RunTime(second * NS_PER_SECOND);
        for (phase, at) in [(Phase::Full, at(1)), (Phase::Drain, at(3))] {
            facts.push(Fact::Phase { phase, at });
        }
    }
    for second in 0..SECONDS {
        let mut pacing = PacingSecond {
            second,
            ..PacingSecond::default()
        };
        let due = due_times().filter(|(_, due)| RunTime(*due).second() == second);
        for late in due.map(|(_, due)| late(due)) {
            pacing.planned += 1;
            pacing.lateness.push((Scale::LEG.bucket(late), 1));
            pacing.lateness_max = pacing.lateness_max.max(late);
            if late > NOT_SENT_AFTER {
                pacing.not_sent += 1;
            } else {
                pacing.sent += 1;
            }
        }
        facts.push(Fact::Pacing(pacing));
    }
    facts
}

fn arrivals(leg: Leg, deed: &Deed) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut log = LegLog::new(leg);
    let mut streams: Vec<StreamReceiver> = (0..STREAMS).map(|n| stream(leg, n)).collect();
    let mut sent = vec![0_u16; streams.len()];
    for (n, due) in due_times() {
        let late = (deed.sender)(due);
        if late > NOT_SENT_AFTER {
            continue;
        }
        let index = usize::try_from(n).unwrap();
        let slot = u32::try_from(due / PTIME_NS).unwrap();
        let left = due + late;
        let arrived = left + TRANSIT + (deed.path)(n, left);
        let taken = RunTime(arrived + (deed.reading)(arrived));
        let arrived = RunTime(arrived);
        let mut sink = |fact| facts.push(fact);
        let ticks = slot * TICKS_PER_PACKET;
        let placed = streams[index].take(sent[index], ticks, arrived, 0, &mut sink);
        sent[index] += 1;
        if let Placed::New(packet) = placed {
            log.count(packet, arrived, taken, &mut sink);
        }
    }
    for stream in &mut streams {
        stream.close(&mut |fact| facts.push(fact));
    }
    log.close(SECONDS + 2, &mut |fact| facts.push(fact));
    facts
}

fn stream(leg: Leg, n: i64) -> StreamReceiver {
    StreamReceiver::new(StreamPlan {
        stream: StreamId {
            call: CallId(u32::try_from(n).unwrap()),
            party: Party::A,
            leg,
        },
        ssrc: 1,
        first_seq: 0,
        first_timestamp: 0,
        due: RunTime(n * PTIME_NS / STREAMS),
        slots: SECONDS * 50,
        playout_buffer: 60_000_000,
    })
}

fn opened(end: End) -> Fact {
    Fact::Opened {
        end,
        run: 1,
        load: Box::new(LoadSpec {
            seed: 1,
            role: Role::MediaServer,
            concurrent: 20,
            total: None,
            arrival_interval: PTIME_NS,
            hold: Hold::Fixed(180 * NS_PER_SECOND),
            steady_start: true,
            legs: 2,
            full_for: None,
            codec: Codec::Pcmu,
            srtp: false,
            dscp: 46,
            transfer_dscp: 0,
            playout_buffer: 60_000_000,
            dead_air_min: 60_000_000,
            slot_width: 500_000,
            onward_offset: 2_000_000,
            recording: RecordingSpec {
                share: 0.0,
                rate_bits_per_second: 8533,
                stereo: true,
            },
            transfer: TransferSpec {
                parallel: 4,
                ..TransferSpec::default()
            },
            known_silences: Vec::new(),
            audio: Audio::Tone,
            fill: Fill::Silence,
            rated_fill: Fill::G711AppendixI,
            stepped: false,
        }),
        same_clock: true,
        wall_at_zero: 0,
        timers: Timers::default(),
        kernel_timestamps: true,
        guest_named: true,
        judgement: serde_json::to_string(&Judgement::default()).unwrap(),
    }
}

fn measure(leg: Leg, deed: &Deed) -> Measured {
    let told = facts(leg, deed);
    let Ok(measured) = score(None, |take| {
        for (end, facts) in &told {
            for fact in facts {
                take(*end, fact);
            }
        }
        Ok::<_, Infallible>(())
    });
    measured
}

/// The means of second 1.
fn second_1(run: &Measured, leg: Leg) -> DelayParts {
    let row = run
        .seconds
        .iter()
        .find(|row| row.second == 1 && row.leg == leg);
    row.unwrap().delay.unwrap()
}

/// (PDV, tester, guest, path common, path per stream) in ms: exact but for what an end says of its own lateness,
/// which it counts in buckets (3.2 %, and 4 us where it was on time).
#[track_caller]
fn assert_parts(parts: &DelayParts, expected: [f64; 5]) {
    let measured = [
        parts.pdv_ms,
        parts.tester_ms,
        parts.guest_ms,
        parts.path_common_ms.unwrap(),
        parts.path_stream_ms.unwrap(),
    ];
    for (measured, expected) in measured.into_iter().zip(expected) {
        let within = 0.0041 + expected * 0.032;
        assert!(
            (measured - expected).abs() <= within,
            "{parts:?} is not {expected}"
        );
    }
}

#[test]
fn when_nothing_happens_nobody_is_blamed() {
    let run = measure(Leg::Receive, &NOTHING);
    assert_parts(&second_1(&run, Leg::Receive), [0.0; 5]);
    assert_eq!(run.attribution.receive.pdv_mean_ms, Some(0.0));
}

/// 30 ms: what is due in the first 10 of them is not sent, and the 40 packets after leave 20, 19.5, .. 0.5 ms late:
/// 410 ms over the 1980 that are sent. The largest lateness is that of a packet not sent; the largest PDV is 20 ms.
#[test]
fn a_stall_of_the_tester_is_the_testers() {
    let deed = Deed {
        sender: |due| until(30, due),
        ..NOTHING
    };
    let run = measure(Leg::Receive, &deed);
    let mean = 410.0 / 1980.0;
    assert_parts(&second_1(&run, Leg::Receive), [mean, mean, 0.0, 0.0, 0.0]);
    let worst = run.attribution.receive.worst.unwrap();
    assert_parts(&worst.parts, [20.0, 20.0, 0.0, 0.0, 0.0]);
    assert_eq!(
        (worst.at_s.to_string().as_str(), worst.origin),
        ("1", Origin::Tester)
    );
    assert!(worst.tainted, "and it is no evidence");
}

/// The same of the guest's ticks, on the sent leg.
#[test]
fn a_stall_of_the_guests_ticks_is_the_guests() {
    let deed = Deed {
        sender: |due| until(30, due),
        ..NOTHING
    };
    let run = measure(Leg::Sent, &deed);
    let mean = 410.0 / 1980.0;
    assert_parts(&second_1(&run, Leg::Sent), [mean, 0.0, mean, 0.0, 0.0]);
    let worst = run.attribution.sent.worst.unwrap();
    assert_eq!((worst.origin, worst.tainted), (Origin::Guest, false));
}

/// One stream of 40 waits 30 ms in a queue from then on: 30 of its 50 packets, 900 ms over 2000 packets.
#[test]
fn a_queue_of_one_stream_is_the_paths_and_not_common() {
    let deed = Deed {
        path: |stream, left| {
            let waits = stream == 7 && left >= FROM;
            i64::from(waits) * 30 * NS_PER_MS
        },
        ..NOTHING
    };
    let run = measure(Leg::Receive, &deed);
    assert_parts(&second_1(&run, Leg::Receive), [0.45, 0.0, 0.0, 0.0, 0.45]);
    let of_all = run.attribution.receive;
    assert_eq!(of_all.worst.unwrap().origin, Origin::PathStream);
    // The second of full load after it: all 50 packets.
    assert!((of_all.pdv_mean_ms.unwrap() - (900.0 + 1500.0) / 4000.0).abs() < 1e-6);
    assert!(of_all.path_stream_percent.unwrap() > 98.0, "{of_all:?}");
}

/// The path lets nothing through for 100 ms: 200 packets wait 100, 99.5, .. 0.5 ms, 10,050 ms in all, of which those
/// due in the same millisecond tell 10,000 as common.
#[test]
fn a_freeze_of_the_path_is_the_paths_and_common() {
    let deed = Deed {
        path: |_, left| until(100, left),
        ..NOTHING
    };
    for leg in Leg::BOTH {
        let run = measure(leg, &deed);
        assert_parts(&second_1(&run, leg), [5.025, 0.0, 0.0, 5.0, 0.025]);
        let worst = run.attribution.get(leg).worst.unwrap();
        assert_parts(&worst.parts, [100.0, 0.0, 0.0, 99.5, 0.5]);
        assert_eq!(worst.origin, Origin::PathCommon);
    }
}

/// The guest's process stands for 300 ms and its kernel goes on: nothing arrives late, and what arrives from 1401 ms
/// on is read at 1700: 600 packets, 300 ms to 0.5 ms later, 90,150 ms in all. Its arrival is 1 ms after it was due.
#[test]
fn a_guest_that_reads_late_is_the_guests_and_never_the_paths() {
    let deed = Deed {
        reading: |arrived| until(300, arrived),
        ..NOTHING
    };
    let run = measure(Leg::Receive, &deed);
    let mean = 90_150.0 / 2000.0;
    assert_parts(&second_1(&run, Leg::Receive), [0.0, 0.0, mean, 0.0, 0.0]);
    let worst = run.attribution.receive.worst.unwrap();
    assert_parts(&worst.parts, [0.0, 0.0, 300.0, 0.0, 0.0]);
    assert_eq!(worst.origin, Origin::Guest);
    // How late the tester reads is its own matter.
    let sent = measure(Leg::Sent, &deed);
    assert_parts(&second_1(&sent, Leg::Sent), [0.0; 5]);
}

/// The guest's machine stands for 100 ms with its kernel, as a virtual machine does that gets no processor: what
/// came meanwhile is stamped late, like a freeze of the path. The guest's own ticks were as late: it is the guest's.
#[test]
fn a_guest_whose_kernel_stood_still_too_is_not_taken_for_the_path() {
    let deed = Deed {
        path: |_, left| until(100, left),
        receiver: |due| until(100, due),
        ..NOTHING
    };
    let run = measure(Leg::Receive, &deed);
    assert_parts(&second_1(&run, Leg::Receive), [5.025, 0.0, 5.0, 0.0, 0.025]);
    let worst = run.attribution.receive.worst.unwrap();
    assert_eq!(worst.origin, Origin::Guest);
}
