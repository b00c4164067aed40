//! What a line plays, tick by tick: packets put in by hand, and no clock.

use super::{ARRIVING, EngineLine, Tick};
use crate::engine::port::{RtcpPort, line_receiver, stream_plan};
use crate::ports::bind_ports;
use crate::recording::test_load;
use milliwatt_generator::calls::{Call, CallPlan};
use milliwatt_generator::grid::Grid;
use milliwatt_generator::steps::LaneCalls;
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::Arrival;
use milliwatt_receiver::playout::AudioPool;
use milliwatt_receiver::stream::StreamPlan;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::Party;
use milliwatt_wire::load::{Fill, Hold, LoadSpec, PTIME_NS, Role};
use milliwatt_wire::time::RunTime;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

type Frame = [u8; 160];

const IDLE: Frame = [0xff; 160];

/// Party A's line of a lane of two calls of 10 packets each, 60 ms of buffer.
struct Bench {
    load: LoadSpec,
    calls: Vec<Call>,
    line: EngineLine,
    leg: LegLog,
    pool: AudioPool,
    facts: Vec<Fact>,
}

impl Bench {
    fn new(fill: Fill) -> Self {
        Self::of(fill, 10)
    }

    fn of(fill: Fill, packets: i64) -> Self {
        Self::in_role(Role::MediaServer, fill, packets)
    }

    fn in_role(role: Role, fill: Fill, packets: i64) -> Self {
        let load = LoadSpec {
            role,
            fill,
            total: Some(2),
            hold: Hold::Fixed(packets * PTIME_NS),
            ..test_load()
        };
        let calls = CallPlan::expand(&load).calls;
        let port = bind_ports(&load, IpAddr::V4(Ipv4Addr::LOCALHOST), &(40_000..=49_999));
        let (shared, grid) = (Arc::new(load.clone()), Arc::new(Grid::new(&load)));
        let lane: Arc<[Call]> = calls.clone().into();
        let receiver = line_receiver(
            (&shared, &grid),
            &LaneCalls::Planned(lane),
            Party::A,
            ARRIVING,
        );
        let rtcp = RtcpPort::new(1, RunTime::ZERO);
        Self {
            line: EngineLine::new(&load, port.unwrap().remove(0), rtcp, receiver),
            load,
            calls,
            leg: LegLog::new(ARRIVING),
            pool: AudioPool::new(4),
            facts: Vec::new(),
        }
    }

    fn plan(&self, call: usize) -> StreamPlan {
        let grid = Grid::new(&self.load);
        stream_plan(&self.load, &grid, &self.calls[call], Party::A, ARRIVING)
    }

    /// A packet of a call arrives when it is due; its audio is one code word.
    fn arrive(&mut self, call: usize, slot: u16, code: u8) {
        self.arrive_late(call, slot, code, 0);
    }

    /// The same so many packet times after it is due.
    fn arrive_late(&mut self, call: usize, slot: u16, code: u8, late: i64) {
        let plan = self.plan(call);
        let at = plan.due + (i64::from(slot) + late) * PTIME_NS;
        let mut octets = vec![0x80, 0];
        octets.extend(plan.first_seq.wrapping_add(slot).to_be_bytes());
        let timestamp = plan.first_timestamp.wrapping_add(160 * u32::from(slot));
        octets.extend(timestamp.to_be_bytes());
        octets.extend(plan.ssrc.to_be_bytes());
        octets.extend([code; 160]);
        let arrival = Arrival {
            arrived: at,
            drift: 0,
            dscp: None,
        };
        let state = (&mut self.leg, &mut self.pool);
        let facts = &mut self.facts;
        self.line
            .take(&octets, (arrival, at), state, &mut |fact| facts.push(fact));
    }

    /// When a slot of a call has its turn: the buffer's depth after it arrived.
    fn turn(&self, call: usize, slot: i64) -> RunTime {
        self.plan(call).due + self.load.playout_buffer + slot * PTIME_NS
    }

    fn tick(&mut self, call: usize, slot: i64) -> Frame {
        let mut frame = [0; 160];
        let tick = Tick {
            due: self.turn(call, slot),
            call: &self.calls[call],
            drift: 0,
        };
        let facts = &mut self.facts;
        self.line
            .play(tick, &mut self.pool, &mut frame, &mut |fact| {
                facts.push(fact);
            });
        frame
    }

    fn miss(&mut self, call: usize, slot: i64) {
        let tick = Tick {
            due: self.turn(call, slot),
            call: &self.calls[call],
            drift: 0,
        };
        let facts = &mut self.facts;
        self.line
            .miss(tick, &mut self.pool, &mut |fact| facts.push(fact));
    }
}

mod stalls;

/// The last 30 samples of one packet, and 130 of the next.
fn delayed(before: u8, code: u8) -> Frame {
    std::array::from_fn(|n| if n < 30 { before } else { code })
}

/// Packets 0, 1 and 3 of four are there. Their audio is one value, which any pitch repeats: where silence fills the gap
/// it is silence; where the appendix does, the value goes on in it, for 10 ms at its own size.
#[test]
fn a_gap_is_filled_as_the_load_says() {
    for fill in [Fill::Silence, Fill::G711AppendixI] {
        let mut bench = Bench::new(fill);
        for slot in [0, 1, 3] {
            bench.arrive(0, slot, 0x90);
        }
        let frames = [-1, 0, 1, 2, 3].map(|slot| bench.tick(0, slot));
        assert_eq!(frames[0], IDLE, "before the first packet's turn");
        if fill == Fill::Silence {
            assert_eq!(frames[1..], [[0x90; 160], [0x90; 160], IDLE, [0x90; 160]]);
        } else {
            assert_eq!(frames[1..3], [delayed(0xff, 0x90), [0x90; 160]]);
            assert_eq!(frames[3][..110], [0x90; 110]);
            // Sample 129 of the gap is 1 - 49/400 of 15,996, which is 14,036: 13,948 in code words. Later all is there.
            assert_eq!((frames[3][159], frames[4][159]), (0x94, 0x90));
        }
    }
}

/// A tick that is missed plays nothing, and what comes after it is what would have come anyway: the missed packet's last
/// 30 samples first. It is a slot that was there and was not played, whatever fills gaps.
#[test]
fn after_a_missed_tick_the_stream_goes_on_where_it_should_be() {
    let mut bench = Bench::new(Fill::G711AppendixI);
    for (slot, code) in [(0, 0x90), (1, 0x91), (2, 0x92)] {
        bench.arrive(0, slot, code);
    }
    assert_eq!(bench.tick(0, 0), delayed(0xff, 0x90));
    bench.miss(0, 1);
    assert_eq!(bench.tick(0, 2), delayed(0x91, 0x92));
    let facts = &mut bench.facts;
    bench.line.close(&mut |fact| facts.push(fact));
    let unplayed = bench.facts.iter().filter_map(|fact| match fact {
        Fact::DeadSlots {
            first_slot, slots, ..
        } => Some((*first_slot, *slots)),
        _ => None,
    });
    assert_eq!(unplayed.collect::<Vec<_>>(), [(1, 1)]);
}

/// A stream that is over is played to its last sample. A call that ends before that leaves nothing to the next one, also
/// when its packets come before its first tick, or a gap was being concealed.
#[test]
fn a_call_begins_with_a_fresh_concealer() {
    let mut bench = Bench::new(Fill::G711AppendixI);
    (0..10).for_each(|slot| bench.arrive(0, slot, 0x90));
    for slot in 0..10 {
        bench.tick(0, slot);
    }
    assert_eq!(bench.tick(0, 10), delayed(0x90, 0xff));
    for early in [false, true] {
        let mut bench = Bench::new(Fill::G711AppendixI);
        (0..9).for_each(|slot| bench.arrive(0, slot, 0x90));
        for slot in 0..10 {
            bench.tick(0, slot);
        }
        if early {
            bench.arrive(1, 0, 0x9a);
        }
        assert_eq!(bench.tick(1, -3), IDLE, "{early}");
        bench.arrive(1, 0, 0x9a);
        assert_eq!(bench.tick(1, 0), delayed(0xff, 0x9a), "{early}");
    }
}

/// Ten times as many packets as a playout buffer holds, and no tick: no turn of theirs was missed.
#[test]
fn an_echo_leaves_nothing_unplayed() {
    let mut bench = Bench::in_role(Role::Echo, Fill::Silence, 700);
    for slot in 0..640 {
        bench.arrive(0, slot, 0x90);
    }
    let facts = &mut bench.facts;
    bench.line.close(&mut |fact| facts.push(fact));
    let is_dead = |fact: &Fact| matches!(fact, Fact::DeadSlots { .. });
    assert_eq!(bench.facts.iter().filter(|fact| is_dead(fact)).count(), 0);
}

#[test]
fn an_echo_and_silence_need_no_concealer() {
    let concealer = |role, fill| {
        super::concealer(&LoadSpec {
            role,
            fill,
            ..test_load()
        })
    };
    assert!(concealer(Role::MediaServer, Fill::G711AppendixI).is_some());
    assert!(concealer(Role::MediaServer, Fill::Silence).is_none());
    assert!(concealer(Role::Echo, Fill::G711AppendixI).is_none());
}

/// What is reported of the second call's stream is its own: nothing of the time between the calls, of their timestamps, is in
/// it. Its fourth packet comes a packet time late: J is 160 ticks of 16.
#[test]
fn the_interarrival_jitter_that_is_reported_is_the_streams() {
    let mut bench = Bench::new(Fill::Silence);
    for slot in 0..10 {
        bench.arrive(0, slot, 0x90);
    }
    let reported = |bench: &mut Bench| {
        let call = bench.calls[1];
        bench.line.heard(&call).unwrap().interarrival_jitter_ticks
    };
    for slot in 0..3 {
        bench.arrive(1, slot, 0x90);
        assert_eq!(reported(&mut bench), 0);
    }
    bench.arrive_late(1, 3, 0x90, 1);
    assert_eq!(reported(&mut bench), 10);
}
