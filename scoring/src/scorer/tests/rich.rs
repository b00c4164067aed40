//! One rich run of 8 s, its full load seconds 1 to 6, laid down by hand: something of everything that facts can
//! tell, in and outside full load. What follows from it is derived where it is asserted.

use super::judging::recording;
use super::truth::{ENDS, Slot, TRANSIT, Truth, judge, stream};
use crate::judgement::Judgement;
use crate::measured::Measured;
use milliwatt_wire::facts::{
    DeadCause, Fact, HostSecond, PacingSecond, Scale, SentSecond, StreamSecond,
};
use milliwatt_wire::id::{CallId, End, Leg, Party, StreamId};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// What both ends told.
pub(super) type Facts = Vec<(End, Fact)>;

/// The streams of the sent leg.
pub(super) const STREAMS: [(u32, Party); 4] =
    [(0, Party::A), (0, Party::B), (1, Party::A), (1, Party::B)];

pub(super) fn facts_of(truth: &Truth) -> Facts {
    let mut facts = Vec::new();
    truth.tell(ENDS, &mut |end, fact| facts.push((end, fact.clone())));
    facts
}

pub(super) fn measure(facts: &Facts, judgement: Option<Judgement>) -> Measured {
    judge(judgement, |take| {
        for (end, fact) in facts {
            take(*end, fact);
        }
    })
}

pub(super) fn rich() -> Facts {
    let mut truth = Truth::clean(8);
    lay_sent(&mut truth);
    truth.set(stream(0, Party::A, Leg::Receive), 60..64, Slot::Lost);
    truth.tester = tester();
    truth.guest = guest();
    let mut facts = facts_of(&truth);
    for (end, fact) in &mut facts {
        retell(*end, fact);
    }
    facts
}

/// 1600 slots: 28 lost, 10 not sent, 4 too late for 60 ms, 10 late by 30 ms, 60 by 5 ms.
fn lay_sent(truth: &mut Truth) {
    let [a0, b0, a1, b1] = STREAMS.map(|(call, party)| stream(call, party, Leg::Sent));
    let late = |ms: i64| Slot::Arrives(TRANSIT + ms * 1_000_000);
    truth
        .set(a0, 100..103, Slot::Lost) // 60 ms at 2.0 s
        .set(a0, 245..260, Slot::Lost) // 300 ms at 4.9 s, 100 of them in second 4
        .set(b0, 150..160, Slot::NotSent) // exactly 200 ms at 3.0 s
        .set(b0, 247..250, Slot::Lost) // 60 ms that end with second 4
        .set(a1, 10..14, Slot::Lost) // 80 ms at 0.2 s: before full load
        .set(a1, 170..174, late(80)) // 80 ms at 3.4 s
        .set(b1, 0..2, Slot::Lost) // 40 ms at the head: no event
        .set(b1, 55..115, late(5)) // 45 of them in second 1, 15 in second 2
        .set(b1, 210..211, Slot::Lost) // 20 ms in second 4: no event
        .set(b1, 270..280, late(30)); // in second 5
}

/// A coarse bucket of lateness or IPDV. Middles, by 16 steps an octave above 128 us: 0.1 ms is that of 96 to 104 us,
/// 1 ms lies in 992 to 1024 us, 3 ms in 2944 to 3072 us, so they are told as 100, 1008 and 3008 us.
pub(super) fn coarse(ms_tenths: i64, count: u32) -> Vec<(u8, u32)> {
    vec![(Scale::LEG.bucket(ms_tenths * 100_000), count)]
}

fn tester() -> Vec<Fact> {
    let mut facts = vec![
        Fact::Pacing(PacingSecond {
            second: 1,
            planned: 4,
            sent: 3,
            not_sent: 0,
            lateness: coarse(10, 4),
            lateness_max: 1_200_000,
        }),
        stamps(1, coarse(1, 3), 110_000),
        stamps(2, coarse(10, 1), 1_100_000),
        // 1.1 ms there and back, 0.1 ms of them at the guest; offset (2.0 + 1.0) / 2 ms.
        clock([1_000_000, 3_000_000, 3_100_000, 2_100_000]),
        // 3 ms: tells less.
        clock([5_000_000, 9_000_000, 9_000_000, 8_000_000]),
        ipdv(Leg::Sent, 0, coarse(30, 50), 3_000_000),
        ipdv(Leg::Sent, 1, coarse(1, 190), 104_000),
        ipdv(Leg::Sent, 2, coarse(10, 10), 1_020_000),
        ipdv(Leg::Sent, 3, Vec::new(), 9_000_000),
        ipdv(Leg::Sent, 4, coarse(30, 1), 3_100_000),
    ];
    facts.extend((1..7).map(|second| sent(second, [0, 200, 1000, 2000], None)));
    facts.extend((0..8).map(tester_host));
    facts.extend((0..4).map(|call| Fact::RecordingExpected { call: CallId(call) }));
    facts.extend(recordings());
    facts.push(Fact::Event {
        at: RunTime(5 * NS_PER_SECOND + NS_PER_SECOND / 2),
        kind: "mark".to_owned(),
        text: "here".to_owned(),
    });
    facts
}

fn guest() -> Vec<Fact> {
    let ticks = |second, planned, not_sent, lateness, lateness_max| {
        Fact::Pacing(PacingSecond {
            second,
            planned,
            sent: planned - not_sent,
            not_sent,
            lateness,
            lateness_max,
        })
    };
    let mut facts = vec![
        ticks(0, 1, 1, Vec::new(), 60_000_000),
        ticks(2, 10, 2, coarse(10, 8), 45_000_000),
        ticks(4, 5, 0, coarse(30, 5), 3_100_000),
        ipdv(Leg::Receive, 1, coarse(10, 2), 1_020_000),
        Fact::DeadSlots {
            stream: stream(1, Party::B, Leg::Receive),
            cause: DeadCause::GuestPlayout,
            first_slot: 310,
            slots: 10,
        },
        // RTP packets (told once more by another thread), RTCP, transfer, control.
        sent(0, [0, 0, 1_000_000, 50_000], None),
        sent(1, [0, 1200, 0, 1000], Some(45_000)),
        sent(2, [0, 800, 57_200, 500], Some(101_300)),
        sent(3, [0, 2340, 100_000, 7000], Some(162_000)),
        sent(4, [0, 200, 20_000, 600], Some(63_600)),
        sent(5, [0, 400, 20_000, 400], None),
        sent(6, [0, 400, 2800, 500], Some(46_500)),
    ];
    facts.extend((0..8).map(guest_host));
    facts
}

fn stamps(second: u32, after: Vec<(u8, u32)>, after_max: i64) -> Fact {
    Fact::DepartureStamps {
        second,
        after,
        after_max,
    }
}

fn clock([t1, t2, t3, t4]: [i64; 4]) -> Fact {
    Fact::Clock {
        t1: RunTime(t1),
        t2: RunTime(t2),
        t3: RunTime(t3),
        t4: RunTime(t4),
    }
}

fn ipdv(leg: Leg, second: u32, ipdv: Vec<(u8, u32)>, ipdv_max: i64) -> Fact {
    Fact::LegSecond {
        leg,
        second,
        ipdv,
        ipdv_max,
        taken_after: Vec::new(),
        taken_after_max: 0,
    }
}

/// What another thread sent in a second: RTP packets of 214 octets, RTCP, transfer and control octets.
fn sent(second: u32, [rtp, rtcp, transfer, control]: [u32; 4], nic_octets: Option<u64>) -> Fact {
    Fact::Sent(SentSecond {
        second,
        rtp_packets: rtp,
        rtp_octets: u64::from(rtp) * 214,
        rtcp_octets: rtcp.into(),
        transfer_octets: transfer.into(),
        control_octets: control.into(),
        nic_octets,
        ..SentSecond::default()
    })
}

fn tester_host(second: u32) -> Fact {
    let cpu = [90.0, 11.0, 12.0, 13.0, 14.0, 15.0, 25.0, 90.0];
    let running = [99.0, 20.0, 20.0, 60.0, 20.0, 20.0, 20.0, 99.0];
    let runnable = [99.0, 1.0, 1.0, 1.0, 12.5, 1.0, 1.0, 99.0];
    let step_ms = [-9, 0, 0, 7, 0, 0, 0, 0];
    let of = second as usize;
    Fact::Host(HostSecond {
        second,
        cpu_percent: Some(cpu[of]),
        running_percent: Some(running[of]),
        runnable_percent: Some(runnable[of]),
        socket_drops: u64::from(second >= 5),
        clock_step: step_ms[of] * 1_000_000,
        ..HostSecond::default()
    })
}

fn guest_host(second: u32) -> Fact {
    let none = None;
    let cpu = [90, 20, 40, 0, 30, 30, 30, 80].map(|percent: u16| (percent > 0).then_some(percent));
    let steal = [
        Some(9.0),
        none,
        Some(1.0),
        Some(3.0),
        none,
        none,
        Some(2.0),
        none,
    ];
    let socket_drops = [5, 5, 8, 8, 9, 9, 9, 20];
    let recorder_drops = [2, 2, 2, 6, 6, 7, 7, 9];
    let step_ms = [40, 0, -12, 5, 0, 0, 0, 0];
    let of = second as usize;
    Fact::Host(HostSecond {
        second,
        cpu_percent: cpu[of].map(f32::from),
        steal_percent: steal[of],
        socket_drops: socket_drops[of],
        recorder_drops: recorder_drops[of],
        clock_step: step_ms[of] * 1_000_000,
        ..HostSecond::default()
    })
}

/// Of four: one with two silences, of 700 and 300 ms, one without, one as heavy as asked that cannot be scored; the fourth never came.
fn recordings() -> [Fact; 3] {
    let mut broken = recording(2, &[1000.0]);
    if let Fact::Recording(recording) = &mut broken {
        recording.error = Some("no audio".to_owned());
        recording.wire_octets = recording.weight_octets;
    }
    let mut silent = recording(0, &[2000.0, 4000.0]);
    if let Fact::Recording(recording) = &mut silent {
        recording.silences[0].length_ms = 700.0;
    }
    [silent, recording(1, &[]), broken]
}

/// What a clean run's facts do not hold.
fn retell(end: End, fact: &mut Fact) {
    match fact {
        Fact::StreamSecond(second) => retell_second(second),
        Fact::StreamEnd(last) => {
            let of = |id, count| if last.stream == id { count } else { 0 };
            last.duplicates = of(sent_stream(0), 6) + of(stream(0, Party::B, Leg::Receive), 7);
            last.reordered = of(sent_stream(2), 5);
        }
        // The guest's interface is not known in second 5.
        Fact::Sent(sent) if end == End::Guest && sent.second == 5 => sent.nic_octets = None,
        _ => {}
    }
}

fn sent_stream(which: usize) -> StreamId {
    let (call, party) = STREAMS[which];
    stream(call, party, Leg::Sent)
}

fn retell_second(second: &mut StreamSecond) {
    let id = second.stream;
    if id == sent_stream(0) {
        second.duplicates = [1, 0, 2, 0, 0, 3, 0, 0][second.second as usize];
        let jitter = match second.second {
            0 => (500_000_000, 5_000_000),
            3 => (12_500_000, 900_000),
            _ => (
                second.interarrival_jitter_sum,
                second.interarrival_jitter_max,
            ),
        };
        (
            second.interarrival_jitter_sum,
            second.interarrival_jitter_max,
        ) = jitter;
    } else if id == sent_stream(2) {
        second.reordered = [0, 0, 0, 4, 0, 1, 0, 0][second.second as usize];
    } else if id == stream(0, Party::B, Leg::Receive) && second.second == 2 {
        second.duplicates = 7;
    }
    if id.leg == Leg::Receive && second.second == 6 {
        second.interarrival_jitter_sum = 0;
        second.interarrival_jitter_count = 0;
        second.interarrival_jitter_max = 0;
    }
}

/// The same run with nothing but full load: what is judged is all there is.
pub(super) fn full_from_end_to_end() -> Facts {
    use milliwatt_wire::facts::Phase;
    let mut facts = rich();
    for (_, fact) in &mut facts {
        match fact {
            Fact::Phase {
                phase: Phase::Full,
                at,
            } => *at = RunTime::ZERO,
            Fact::Phase {
                phase: Phase::Drain,
                at,
            } => *at = RunTime(8 * NS_PER_SECOND),
            _ => {}
        }
    }
    facts
}
