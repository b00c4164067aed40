//! How much memory a run takes: facts of hundreds of streams in virtual time, and every octet that is
//! allocated counted.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

use milliwatt_scoring::judgement::Judgement;
use milliwatt_scoring::scorer::{LiveView, score};
use milliwatt_wire::facts::{
    Fact, HostSecond, Ledger, PacingSecond, Phase, Scale, SentSecond, StreamEnd, StreamSecond,
    Timers,
};
use milliwatt_wire::id::{CallId, End, Lane, Party, StreamId};
use milliwatt_wire::load::{Audio, Codec, Fill, Hold, LoadSpec, RecordingSpec, Role, TransferSpec};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use peak_alloc::PeakAlloc;
use std::convert::Infallible;
use std::sync::Mutex;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Calls last so long, s; each is followed by the next on its lane.
const HOLD: u32 = 180;

/// A run of some calls at once, whose packets vary a little in transit.
#[derive(Clone, Copy)]
struct Simulation {
    concurrent: u32,
    seconds: u32,
}

impl Simulation {
    /// Tells every fact of both ends, a second after the other.
    fn tell(self, take: &mut dyn FnMut(End, &Fact)) {
        for end in [End::Tester, End::Guest] {
            take(end, &self.opened(end));
        }
        let drain = second_begins(self.seconds - 1);
        for (phase, at) in [
            (Phase::Ramp, RunTime::ZERO),
            (Phase::Full, second_begins(1)),
            (Phase::Drain, drain),
        ] {
            take(End::Tester, &Fact::Phase { phase, at });
        }
        for second in 0..self.seconds {
            (0..self.concurrent).for_each(|lane| self.tell_call(lane, second, take));
            for end in [End::Tester, End::Guest] {
                for fact in own_second(end, second, self.concurrent * 100) {
                    take(end, &fact);
                }
            }
        }
        for end in [End::Tester, End::Guest] {
            let at = second_begins(self.seconds);
            take(end, &Fact::Closed { at });
        }
    }

    /// What a lane's call does in a second. Calls of a lane begin at its own place in the hold time.
    fn tell_call(self, lane: u32, second: u32, take: &mut dyn FnMut(End, &Fact)) {
        let since = second + lane * 7;
        let (age, call) = (since % HOLD, CallId(since / HOLD * self.concurrent + lane));
        let begins = age == 0 || second == 0;
        let ends = age == HOLD - 1 || second == self.seconds - 1;
        let at = second_begins(second);
        if begins {
            let lane = Lane(lane);
            take(End::Tester, &Fact::CallStarted { call, lane, at });
        }
        for (end, party) in [End::Tester, End::Guest]
            .into_iter()
            .flat_map(|end| Party::BOTH.map(|party| (end, party)))
        {
            let (sends, receives) = (end.sends(), end.receives());
            let stream = |leg| StreamId { call, party, leg };
            if begins {
                let (due, ssrc) = (at, call.0);
                let stream = stream(sends);
                take(end, &Fact::StreamStarted { stream, due, ssrc });
            }
            take(
                end,
                &Fact::StreamSecond(stream_second(stream(receives), second)),
            );
            if ends {
                let packets = 50 * (age + 1).min(second + 1);
                take(end, &Fact::Ledger(ledger(stream(sends), packets)));
                take(end, &Fact::StreamEnd(stream_end(stream(receives), packets)));
            }
        }
        if ends {
            let (at, cut) = (second_begins(second + 1), false);
            take(End::Tester, &Fact::CallEnded { call, at, cut });
        }
    }

    fn opened(self, end: End) -> Fact {
        Fact::Opened {
            end,
            run: 1,
            load: Box::new(self.load()),
            same_clock: false,
            wall_at_zero: 0,
            timers: Timers::default(),
            kernel_timestamps: true,
            guest_named: true,
            judgement: serde_json::to_string(&Judgement::default()).unwrap(),
        }
    }

    fn load(self) -> LoadSpec {
        LoadSpec {
            seed: 1,
            role: Role::MediaServer,
            concurrent: self.concurrent,
            total: None,
            arrival_interval: 20_000_000,
            hold: Hold::Fixed(i64::from(HOLD) * NS_PER_SECOND),
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
        }
    }
}

fn second_begins(second: u32) -> RunTime {
    RunTime(i64::from(second) * NS_PER_SECOND)
}

/// 50 packets whose transit lies up to 20 ms above the least, in eight places.
fn stream_second(stream: StreamId, second: u32) -> StreamSecond {
    let least = 1_000_000 + i64::from((stream.call.0 * 31 + second * 17) % 400) * 1000;
    let place = |n: i64| Scale::STREAM.bucket(n * n * 400_000);
    StreamSecond {
        stream,
        second,
        packets: 50,
        duplicates: 0,
        reordered: 0,
        discarded: 0,
        transit_min: least,
        transit_max: least + 20_000_000,
        interarrival_jitter_sum: 2_500_000,
        interarrival_jitter_count: 50,
        interarrival_jitter_max: 80_000,
        pdv: (0..8)
            .map(|n| (place(n), if n == 0 { 15 } else { 5 }))
            .collect(),
    }
}

fn ledger(stream: StreamId, sent: u32) -> Ledger {
    Ledger {
        stream,
        sent,
        not_sent: 0,
        refused: 0,
    }
}

fn stream_end(stream: StreamId, packets: u32) -> StreamEnd {
    StreamEnd {
        stream,
        received: packets,
        duplicates: 0,
        reordered: 0,
        discarded: 0,
        lost_inside: 0,
        first_index: Some(0),
        last_index: Some(packets - 1),
        first_slot: Some(0),
        last_slot: Some(packets - 1),
        dscp: Some(46),
    }
}

fn own_second(end: End, second: u32, packets: u32) -> [Fact; 4] {
    let spread: Vec<(u8, u32)> = (0..40).map(|bucket| (bucket, packets / 40)).collect();
    let most = Scale::LEG.middle(39);
    [
        Fact::LegSecond {
            leg: end.receives(),
            second,
            ipdv: spread.clone(),
            ipdv_max: most,
            taken_after: spread.clone(),
            taken_after_max: most,
        },
        Fact::Pacing(PacingSecond {
            second,
            planned: packets,
            sent: packets,
            not_sent: 0,
            lateness: spread,
            lateness_max: most,
        }),
        Fact::Sent(SentSecond {
            second,
            rtp_packets: packets,
            rtp_octets: u64::from(packets) * 214,
            ..SentSecond::default()
        }),
        Fact::Host(HostSecond {
            second,
            ..HostSecond::default()
        }),
    ]
}

/// Nothing else may allocate meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

/// Octets that scoring a run takes at most, beside what its facts take while they are told.
fn scoring_octets(run: Simulation) -> usize {
    let before = ALLOCATED.current_usage();
    ALLOCATED.reset_peak_usage();
    let Ok(measured) = score(None, |take| {
        run.tell(take);
        Ok::<_, Infallible>(())
    });
    let most = ALLOCATED.peak_usage() - before;
    let streams = u64::from(run.concurrent) * 2;
    let packets = streams * u64::from(run.seconds) * 50;
    assert_eq!(measured.legs.receive.packets_received, packets);
    assert_eq!(measured.legs.sent.packets_lost, 0);
    assert_eq!(measured.seconds.len(), 2 * run.seconds as usize);
    most
}

/// 1000 streams. What grows is a row, two distributions and their logs a second and leg, and some figures a
/// call; a stream's seconds, which is what a run has most of, are not kept: kept they took 70 octets each.
/// The long form is an hour (`MILLIWATT_LONG=1`).
#[test]
fn scoring_keeps_no_second_of_a_stream() {
    let _alone = ALONE.lock().unwrap();
    let long = std::env::var_os("MILLIWATT_LONG").is_some_and(|value| value != "0");
    let (short, long) = (60, if long { 3600 } else { 240 });
    let octets = [short, long].map(|seconds| {
        scoring_octets(Simulation {
            concurrent: 250,
            seconds,
        })
    });
    let stream_seconds = 1000 * (long - short) as usize;
    let growth = (octets[1] - octets[0]) / stream_seconds;
    println!("{short} s and {long} s: {octets:?} octets at most; {growth} a stream and second");
    assert!(growth < 24, "{growth} octets a stream and second");
}

/// Calls come and go, and after each second the view holds what it held a minute into the run.
#[test]
fn the_live_view_does_not_grow() {
    let _alone = ALONE.lock().unwrap();
    let run = Simulation {
        concurrent: 250,
        seconds: 240,
    };
    let mut held = Vec::with_capacity(240);
    let before = ALLOCATED.current_usage();
    let mut view = LiveView::default();
    run.tell(&mut |end, fact| {
        view.absorb(end, fact);
        if matches!((end, fact), (End::Guest, Fact::Host(_))) {
            held.push(ALLOCATED.current_usage() - before);
        }
    });
    assert_eq!(held.len(), 240);
    let (first, later) = held.split_at(60);
    let (first, later) = (first.iter().max().unwrap(), later.iter().max().unwrap());
    println!("in the first minute {first} octets at most, later {later}");
    // What the test's own threads allocate meanwhile is less than a thousandth of a stream's second.
    assert!(*later < first + 1000, "{first} octets, later {later}");
}
