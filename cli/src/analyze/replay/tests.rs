//! Runs in virtual time: what the scorer made of their facts, and what is made of their captures.

use crate::analyze::analyze;
use crate::controller::capture::complete;
use crate::controller::directory::{RecordedFacts, capture_path, facts_path, guest_capture_folder};
use crate::scenario::value::PortRange;
use crate::scenario::{Request, resolve};
use milliwatt_agent::capture::half::{Half, HalfOf};
use milliwatt_agent::capture::headers::Route;
use milliwatt_agent::engine::{line_receiver, port_calls, stream_plan};
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::grid::Grid;
use milliwatt_generator::steps::LaneCalls;
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, LineReceiver, Taken};
use milliwatt_receiver::packet::RtpView;
use milliwatt_receiver::stream::{Placed, StreamPlan};
use milliwatt_scoring::analysis::Analysis;
use milliwatt_scoring::measured::Legs;
use milliwatt_scoring::scorer::score;
use milliwatt_wire::block::encode_block;
use milliwatt_wire::capture::note::Note;
use milliwatt_wire::capture::{self, CapturedPacket, Channel, Missed, Tap};
use milliwatt_wire::facts::{Fact, Ledger, Phase, Timers};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::{LoadSpec, PTIME_NS, TICKS_PER_PACKET};
use milliwatt_wire::socket::Datagram;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunTime};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const TESTER_ZERO: i64 = 1_700_000_000_000_000_000;
/// The guest's wall clock is an hour behind.
const GUEST_ZERO: i64 = TESTER_ZERO - 3600 * NS_PER_SECOND;
const FIRST_PORTS: [u16; 2] = [16_384, 20_000];

/// A packet on its way.
#[derive(Clone, Debug)]
struct Packet {
    line: usize,
    octets: Vec<u8>,
    left: RunTime,
    arrived: RunTime,
    /// When the receiver's thread came by, once a millisecond.
    taken: RunTime,
}

/// A run, its facts and its capture in a folder.
struct Run {
    folder: tempfile::TempDir,
    legs: Legs,
}

/// What may be amiss.
#[derive(Clone, Copy, Default)]
struct Amiss {
    missed: [u64; 2],
    no_guest: bool,
}

fn load() -> LoadSpec {
    let set = ["calls.concurrent=3", "calls.total=3"].map(str::to_owned);
    let request = Request {
        scenario: "smoke",
        set: &set,
        full_for: Some("3s".parse().unwrap()),
        media_ports: PortRange::MEDIA,
    };
    resolve(&request).unwrap().load
}

/// One in 30 lost and once in a while four in a row, one in 50 doubled, delays of 1 to 16 ms and a stall of up to 200 ms now and then, which puts
/// packets out of order and behind their turn.
fn pass(plan: &StreamPlan, line: usize, random: &mut StdRng) -> (Vec<Packet>, u32) {
    let mut packets = Vec::new();
    let slots = u32::try_from((4 * NS_PER_SECOND - plan.due.0) / PTIME_NS).unwrap();
    let slots = slots.min(plan.slots);
    let mut losing = 0;
    for slot in 0..slots {
        let mut octets = vec![0x80, 0];
        let seq = plan.first_seq.wrapping_add(u16::try_from(slot).unwrap());
        octets.extend(seq.to_be_bytes());
        let ticks = slot * TICKS_PER_PACKET;
        octets.extend(plan.first_timestamp.wrapping_add(ticks).to_be_bytes());
        octets.extend(plan.ssrc.to_be_bytes());
        octets.resize(172, 0x55);
        let left = plan.due + i64::from(slot) * PTIME_NS + random.random_range(0..200_000);
        losing = match random.random_range(0..100) {
            0 => 4,
            1..4 => 1,
            _ => i32::max(losing - 1, 0),
        };
        let copies = match random.random_range(0..50) {
            _ if losing > 0 => 0,
            0 => 2,
            _ => 1,
        };
        let stall = if random.random_range(0..40) == 0 {
            200
        } else {
            16
        };
        let delay = NS_PER_MS + random.random_range(0..stall * NS_PER_MS);
        for _ in 0..copies {
            // Mapping the kernel's clock errs by a little, so a copy may seem to come before its original.
            let arrived = left + delay + random.random_range(0..2_000);
            let taken = RunTime((arrived.0 / NS_PER_MS + 1) * NS_PER_MS);
            packets.push(Packet {
                line,
                octets: octets.clone(),
                left,
                arrived,
                taken,
            });
        }
        if copies == 0 {
            let (arrived, taken) = (RunTime(i64::MAX), RunTime(i64::MAX));
            packets.push(Packet {
                line,
                octets,
                left,
                arrived,
                taken,
            });
        }
    }
    (packets, slots)
}

/// The receiving end of a leg, as its thread is: packets in the order they are read.
struct Receiver<'t> {
    lines: Vec<LineReceiver>,
    leg: LegLog,
    drift_ppm: i64,
    tap: &'t mut Tap,
    facts: Vec<Fact>,
}

impl Receiver<'_> {
    fn take(&mut self, packet: &Packet) {
        let Self { lines, facts, .. } = self;
        let mut sink = |fact| facts.push(fact);
        let line = &mut lines[packet.line];
        line.sweep(packet.taken, &mut sink);
        let arrival = Arrival {
            arrived: packet.arrived,
            drift: packet.arrived.0 / 1_000_000 * self.drift_ppm,
            dscp: Some(46),
        };
        let became = line.take(&RtpView::parse(&packet.octets).unwrap(), arrival, &mut sink);
        let datagram = Datagram {
            octets: &packet.octets,
            source: None,
            arrived_wall_ns: None,
            dscp: Some(46),
            drops: None,
            length: packet.octets.len(),
        };
        let how = capture::Taken {
            arrived: packet.arrived,
            taken: packet.taken,
            drift: arrival.drift,
            foreign: became == Taken::Foreign,
        };
        self.tap.arrival(packet.line, Channel::Rtp, &datagram, how);
        if let Taken::Stream {
            placed: Placed::New(first),
            ..
        } = became
        {
            self.leg
                .count(first, packet.arrived, packet.taken, &mut sink);
        }
    }

    fn close(mut self) -> Vec<Fact> {
        let mut sink = |fact| self.facts.push(fact);
        self.lines.iter_mut().for_each(|line| line.close(&mut sink));
        self.leg.close(100, &mut sink);
        self.facts
    }
}

/// Runs, captures, and puts the capture together.
fn run(seed: u64, same_clock: bool, amiss: Amiss) -> Run {
    let load = load();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("facts")).unwrap();
    let mut random = StdRng::seed_from_u64(seed);
    let mut facts = [End::Tester, End::Guest].map(|end| vec![opened(end, &load, same_clock)]);
    for (phase, second) in [(Phase::Full, 1), (Phase::Drain, 4)] {
        let at = RunTime(second * NS_PER_SECOND);
        facts[0].push(Fact::Phase { phase, at });
    }
    let mut halves = [End::Tester, End::Guest].map(|_| Vec::new());
    for leg in Leg::BOTH {
        carry(
            leg,
            (&load, same_clock),
            &mut random,
            &mut facts,
            &mut halves,
        );
    }
    for (end, facts) in [End::Tester, End::Guest].into_iter().zip(&mut facts) {
        facts.push(Fact::Closed {
            at: RunTime(6 * NS_PER_SECOND),
        });
        fs::write(facts_path(folder.path(), end), encode_block(0, facts)).unwrap();
    }
    let mut recorded = RecordedFacts::open(folder.path()).unwrap();
    let measured = score(None, |take| recorded.read(take)).unwrap();
    let [tester, guest] = halves;
    let lines = u16::try_from(load.concurrent * 2).unwrap();
    write_half(
        &capture_path(folder.path()),
        End::Tester,
        lines,
        tester,
        amiss,
    );
    if !amiss.no_guest {
        let parts = guest_capture_folder(folder.path());
        fs::create_dir(&parts).unwrap();
        write_half(
            &parts.join("guest-00000.pcapng"),
            End::Guest,
            lines,
            guest,
            amiss,
        );
    }
    let ports = (0..lines).map(|line| FIRST_PORTS.map(|first| first + line * 2));
    let note = Note::Run {
        run: 7,
        scenario: "smoke".to_owned(),
        wall_at_zero: 0,
        ports: ports.collect(),
    };
    complete(folder.path(), note).unwrap();
    Run {
        folder,
        legs: measured.legs,
    }
}

fn opened(end: End, load: &LoadSpec, same_clock: bool) -> Fact {
    Fact::Opened {
        end,
        run: 7,
        load: Box::new(load.clone()),
        same_clock,
        wall_at_zero: 0,
        timers: Timers::default(),
        kernel_timestamps: true,
        guest_named: true,
        judgement: "{}".to_owned(),
    }
}

/// All packets of a leg: sender's facts and receiver's, and what both capture.
fn carry(
    leg: Leg,
    (load, same_clock): (&LoadSpec, bool),
    random: &mut StdRng,
    facts: &mut [Vec<Fact>; 2],
    halves: &mut [Vec<CapturedPacket>; 2],
) {
    let (plan, grid) = (CallPlan::expand(load), Arc::new(Grid::new(load)));
    let shared = Arc::new(load.clone());
    let (sender, receiver) = match leg {
        Leg::Receive => (End::Tester, End::Guest),
        Leg::Sent => (End::Guest, End::Tester),
    };
    let (mut lines, mut packets) = (Vec::new(), Vec::new());
    for (line, (_, party, calls)) in port_calls(load, &plan, |_| true).into_iter().enumerate() {
        lines.push(line_receiver((&shared, &grid), &calls, party, leg));
        let LaneCalls::Planned(calls) = calls else {
            panic!("calls that were planned")
        };
        for call in calls.iter() {
            let plan = stream_plan(load, &grid, call, party, leg);
            let (more, sent) = pass(&plan, line, random);
            packets.extend(more);
            let StreamPlan {
                stream, due, ssrc, ..
            } = plan;
            facts[sender as usize].extend([
                Fact::StreamStarted { stream, due, ssrc },
                Fact::Ledger(Ledger {
                    stream,
                    sent,
                    not_sent: 0,
                    refused: 0,
                }),
            ]);
        }
    }
    let missed = Arc::new(Missed::default());
    let (ring, mut departures) = rtrb::RingBuffer::new(10_000);
    let mut tap = Tap::open(ring, &missed);
    packets.sort_by_key(|packet| packet.left);
    let mut last = None;
    for packet in &packets {
        // A copy is the network's.
        if last.replace(&packet.octets) != Some(&packet.octets) {
            tap.departure(packet.line, Channel::Rtp, &packet.octets, packet.left);
        }
    }
    halves[sender as usize].extend(std::iter::from_fn(|| departures.pop().ok()));
    let (ring, mut arrivals) = rtrb::RingBuffer::new(10_000);
    let mut tap = Tap::open(ring, &missed);
    let mut receiving = Receiver {
        lines,
        leg: LegLog::new(leg),
        drift_ppm: if same_clock { 0 } else { 150 },
        tap: &mut tap,
        facts: Vec::new(),
    };
    packets.retain(|packet| packet.arrived != RunTime(i64::MAX));
    // Sockets are read one after the other.
    packets.sort_by_key(|packet| (packet.taken, packet.line));
    for packet in &packets {
        receiving.take(packet);
    }
    facts[receiver as usize].extend(receiving.close());
    halves[receiver as usize].extend(std::iter::from_fn(|| arrivals.pop().ok()));
    assert_eq!(missed.total(), [0, 0]);
}

fn write_half(path: &Path, end: End, lines: u16, packets: Vec<CapturedPacket>, amiss: Amiss) {
    let of = HalfOf {
        run: 7,
        end,
        wall_at_zero: [TESTER_ZERO, GUEST_ZERO][end as usize],
        dscp: 46,
    };
    let address = |end: usize, port: u16| {
        let host = ["10.99.0.1", "10.99.0.2"][end].parse().unwrap();
        std::net::SocketAddr::new(host, port)
    };
    let (here, there) = (end as usize, 1 - end as usize);
    let routes = (0..lines).map(|line| {
        [0, 1].map(|channel| Route {
            source: address(here, FIRST_PORTS[here] + line * 2 + channel),
            destination: address(there, FIRST_PORTS[there] + line * 2 + channel),
        })
    });
    let mut half = Half::new(of, vec![routes.collect()]);
    let mut octets = Vec::new();
    half.preamble(&mut octets);
    for packet in packets {
        half.take(0, packet);
    }
    let written = half.write_until(RunTime(i64::MAX), &mut octets);
    let counts = (written, amiss.missed);
    half.epilogue(RunTime(6 * NS_PER_SECOND), counts, None, &mut octets);
    fs::write(path, octets).unwrap();
}

fn analyzed(run: &Run) -> Analysis {
    analyze(&[capture_path(run.folder.path())])
}

fn assert_made_again(run: &Run) {
    let analysis = analyzed(run);
    let Some(again) = &analysis.run else {
        panic!("{:?}", analysis.notes)
    };
    for (leg, again) in [
        (&run.legs.receive, &again.legs.receive),
        (&run.legs.sent, &again.legs.sent),
    ] {
        // The path's truths are in it: this is no comparison of nothing with nothing.
        assert!(leg.packets_lost > 20 && leg.packets_duplicated > 5 && leg.packets_reordered > 5);
        assert!(leg.packets_discarded > 5 && leg.dead_air.events > 0);
        assert_eq!(leg, again);
    }
}

#[test]
fn every_figure_of_a_run_by_one_clock_is_made_again_of_its_capture() {
    for seed in 0..4 {
        assert_made_again(&run(seed, true, Amiss::default()));
    }
}

/// What is taken off for the clocks' drift decides what comes too late: it is in the capture, packet by packet.
#[test]
fn every_figure_of_a_run_by_two_clocks_is_made_again_of_its_capture() {
    for seed in 4..8 {
        assert_made_again(&run(seed, false, Amiss::default()));
    }
}

#[test]
fn streams_are_measured_where_they_arrive_and_departures_are_no_second_copy() {
    let run = run(1, true, Amiss::default());
    let analysis = analyzed(&run);
    let received: u64 = analysis.streams.iter().map(|s| s.packets_received).sum();
    let doubled: u64 = analysis.streams.iter().map(|s| s.packets_duplicated).sum();
    let Legs { receive, sent } = &run.legs;
    assert_eq!(analysis.streams.len(), 12);
    assert_eq!(received, receive.packets_received + sent.packets_received);
    assert_eq!(
        doubled,
        receive.packets_duplicated + sent.packets_duplicated
    );
}

#[test]
fn the_capture_is_in_order_of_time_and_its_stamps_are_by_one_clock() {
    let run = run(2, true, Amiss::default());
    let (mut last, mut backwards, mut frames) = (0, 0, 0);
    let path = capture_path(run.folder.path());
    let end = crate::analyze::capture::read(&path, &mut |record| {
        if let crate::analyze::capture::Record::Frame(frame) = record {
            assert!(frame.at >= TESTER_ZERO && frame.at < TESTER_ZERO + 6 * NS_PER_SECOND);
            assert_eq!(
                (frame.octets.len(), frame.length),
                (40, 200),
                "headers only"
            );
            backwards += u32::from(frame.at < last);
            last = frame.at;
            frames += 1;
        }
    });
    assert!(end.error.is_none());
    let of = |leg: &milliwatt_scoring::measured::LegMeasured| {
        leg.packets_expected + leg.packets_received + leg.packets_duplicated
    };
    assert_eq!(frames, of(&run.legs.receive) + of(&run.legs.sent));
    // A copy that was stamped before its original, which was taken first.
    assert!(backwards < 40, "{backwards}");
}

fn assert_not_claimed(analysis: &Analysis, why: &str) {
    assert_eq!(analysis.run, None);
    assert!(
        analysis.notes.iter().any(|note| note.contains(why)),
        "{:?}",
        analysis.notes
    );
}

#[test]
fn packets_that_were_not_captured_are_told_and_the_run_is_not_claimed() {
    let amiss = Amiss {
        missed: [3, 4],
        ..Amiss::default()
    };
    let analysis = analyzed(&run(3, true, amiss));
    assert_not_claimed(&analysis, "3 departures and 4 arrivals were not captured");
    assert_eq!(analysis.streams.len(), 12, "what is there is measured");
}

#[test]
fn a_guest_whose_half_never_came_leaves_the_testers() {
    let amiss = Amiss {
        no_guest: true,
        ..Amiss::default()
    };
    let analysis = analyzed(&run(3, true, amiss));
    assert_not_claimed(&analysis, "the guest's half is not there");
    assert_eq!(analysis.streams.len(), 6, "the sent leg, where it arrives");
}

#[test]
fn a_capture_cut_off_or_thinned_out_is_not_taken_for_the_run() {
    let run = run(3, true, Amiss::default());
    let whole = fs::read(capture_path(run.folder.path())).unwrap();
    let write = |octets: &[u8]| -> PathBuf {
        let path = run.folder.path().join("other.pcapng");
        fs::write(&path, octets).unwrap();
        path
    };
    let cut = analyze(&[write(&whole[..whole.len() / 2])]);
    assert_not_claimed(&cut, "half is not there, or not to its end");
    assert!(cut.partial);
    // Without its last packet: the blocks before the last two notes and four statistics.
    let packet = [6_u8, 0, 0, 0, 72, 0, 0, 0];
    let at = whole.windows(8).rposition(|octets| octets == packet);
    let at = at.unwrap();
    let thinned = [&whole[..at], &whole[at + 72..]].concat();
    assert_not_claimed(&analyze(&[write(&thinned)]), "it holds");
}

#[test]
fn a_half_alone_says_that_it_is_one() {
    let run = run(3, true, Amiss::default());
    let path = run.folder.path().join("half.pcapng");
    write_half(&path, End::Tester, 6, Vec::new(), Amiss::default());
    assert_not_claimed(&analyze(&[path]), "one end's half");
}
