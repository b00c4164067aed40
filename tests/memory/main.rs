//! What a stream costs in memory, and what a packet costs in allocations: the whole guest end under the 250-call
//! test's load, and the pacing thread that sends to it, in one process whose allocations are counted.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

use milliwatt_agent::engine::{MediaStatus, PortPair};
use milliwatt_agent::media::{MediaShared, ReadyMedia, start_media};
use milliwatt_agent::meter::TcpMeter;
use milliwatt_agent::ports::{bind_ports, connect_ports};
use milliwatt_agent::recording::shelf::Shelf;
use milliwatt_agent::spool::Spool;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::driver::{Departure, Departures, Pacing};
use milliwatt_wire::clock::{SleepMode, mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::load::{Audio, Codec, Fill, Hold, LoadSpec, RecordingSpec, Role, TransferSpec};
use milliwatt_wire::socket::{SendOutcome, raise_file_limit};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::thread::JoinHandle;

#[global_allocator]
static ALLOCATED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Streams each way.
const STREAMS: usize = 500;
/// Octets that a stream may cost, histograms, rings and buffers of audio included.
const OCTETS_A_STREAM: usize = 8 * 1024;
/// What encryption may add: keys of its packets and reports each way, and what came already.
const OCTETS_OF_KEYS: usize = 1024;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One packet in so many does not arrive.
const LOST_ONE_IN: u64 = 499;

/// The tester, as its pacing thread sees it.
struct Tester<'p> {
    ports: &'p [PortPair],
    /// Packets so far.
    packets: u64,
}

impl Departures for Tester<'_> {
    fn cut(&self) -> RunTime {
        RunTime(i64::MAX)
    }

    fn is_halted(&self) -> bool {
        false
    }

    fn fill(&mut self, _departure: &Departure<'_>, payload: &mut [u8]) {
        payload.fill(0x1e);
    }

    fn send(
        &mut self,
        departure: &Departure<'_>,
        octets: &[u8],
        _at: RunTime,
        _facts: &mut impl FnMut(Fact),
    ) -> SendOutcome {
        self.packets += 1;
        if self.packets.is_multiple_of(LOST_ONE_IN) {
            return SendOutcome::Sent; // and lost on its way
        }
        self.ports[departure.port].rtp.send(octets)
    }

    fn told_sent(&mut self, _port: usize, _packets: u32) {}
}

fn load(srtp: bool) -> LoadSpec {
    LoadSpec {
        seed: 1,
        role: Role::MediaServer,
        concurrent: 250,
        total: None,
        arrival_interval: 0,
        hold: Hold::Fixed(3600 * NS_PER_SECOND),
        steady_start: false,
        legs: 2,
        full_for: Some(5 * NS_PER_SECOND),
        codec: Codec::Pcmu,
        srtp,
        dscp: 46,
        transfer_dscp: 0,
        playout_buffer: 60 * NS_PER_MS,
        dead_air_min: 60 * NS_PER_MS,
        slot_width: NS_PER_MS / 4,
        onward_offset: 2 * NS_PER_MS,
        recording: RecordingSpec {
            share: 1.0,
            rate_bits_per_second: 8533,
            stereo: true,
        },
        transfer: TransferSpec {
            parallel: 1,
            ..TransferSpec::default()
        },
        known_silences: Vec::new(),
        audio: Audio::Tone,
        fill: Fill::G711AppendixI,
        rated_fill: Fill::G711AppendixI,
        stepped: false,
    }
}

/// Both sides' port pairs, tied to each other.
fn ports(load: &LoadSpec) -> (Vec<PortPair>, Vec<PortPair>) {
    let guest = bind_ports(load, LOOPBACK, &(20_000..=29_999)).unwrap();
    let tester = bind_ports(load, LOOPBACK, &(30_000..=39_999)).unwrap();
    let addresses = |ports: &[PortPair]| {
        let both = |port: &PortPair| [port.rtp.local_addr(), port.rtcp.local_addr()];
        ports.iter().flat_map(both).collect::<Vec<_>>()
    };
    connect_ports(&guest, addresses(&tester)).unwrap();
    connect_ports(&tester, addresses(&guest)).unwrap();
    (tester, guest)
}

/// Sends what the tester would; gives how many packets that were.
fn start_pacing(
    load: &LoadSpec,
    (plan, keys): (&Arc<CallPlan>, &Option<Arc<MediaKeys>>),
    ports: Vec<PortPair>,
    clock: RunClock,
) -> JoinHandle<u64> {
    let (load, plan, keys) = (load.clone(), Arc::clone(plan), keys.clone());
    std::thread::spawn(move || {
        let pacing = Pacing {
            load: &load,
            plan: &plan,
            keys: keys.as_ref(),
            clock,
            mode: SleepMode::Sleep,
            burst: false,
            index: 0,
            of: 1,
        };
        let mut sent = 0_u64;
        let mut tester = Tester {
            ports: &ports,
            packets: 0,
        };
        pacing.run(&mut tester, &mut |fact| {
            if let Fact::Pacing(second) = fact {
                sent += u64::from(second.sent);
            }
        });
        sent
    })
}

/// The least that is held within 80 ms: a block that is being written is held for some of them.
fn held_steadily() -> usize {
    let readings = (0..8).map(|_| {
        sleep_until(mono_now() + 10 * NS_PER_MS);
        held()
    });
    readings.min().unwrap()
}

fn held() -> usize {
    let stats = ALLOCATED.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Both directions of 500 streams run for six seconds. In two of them 50,000 packets leave the tester, arrive at
/// the guest, are played (one in 499 is not there, and concealed), recorded and sent on: packet threads handle
/// 150,000. A stream's second is told once, with its histogram, and written; that takes a few allocations, a packet
/// takes none. What is held when all streams run is what it costs, and it does not grow. Encrypted media takes no allocation
/// a packet either, and 1 KiB a stream more.
#[test]
fn a_stream_costs_at_most_8_kib_and_a_packet_no_allocation() {
    for srtp in [false, true] {
        assert_bounded(srtp);
    }
}

fn assert_bounded(srtp: bool) {
    let (_, files) = raise_file_limit();
    assert!(
        files > 2500,
        "this test opens 2000 sockets, and {files} files are allowed"
    );
    let folder = tempfile::tempdir().unwrap();
    let load = load(srtp);
    let keys = srtp.then(|| Arc::new(MediaKeys::draw().unwrap()));
    let (tester, guest) = ports(&load);
    let plan = Arc::new(CallPlan::expand(&load));
    let clock = RunClock {
        zero: mono_now() + 800 * NS_PER_MS,
    };
    let sending = start_pacing(&load, (&plan, &keys), tester, clock);
    sleep_until(clock.mono(RunTime(-500 * NS_PER_MS)));
    // What the pacing thread holds, it holds by now: it is the tester's.
    let before = held();
    let shared = MediaShared {
        status: Arc::new(MediaStatus::default()),
        spool: Arc::new(Spool::create(&folder.path().join("spool")).unwrap()),
        shelf: Arc::new(Shelf::default()),
        meter: Arc::new(TcpMeter::default()),
        transfers: Arc::default(),
    };
    let ready = ReadyMedia {
        run: 1,
        load,
        plan,
        keys,
        ports: guest,
        engines: 2,
        folder: folder.path().to_owned(),
        max_disk: u64::MAX,
        guest_named: true,
        same_clock: true,
        capture: false,
    };
    let (facts, collector) = start_media(ready, &shared, clock).unwrap();
    let at = |ms: i64| sleep_until(clock.mono(RunTime(ms * NS_PER_MS)));
    at(2500);
    let first = ALLOCATED.stats().allocations;
    let steady = [2500, 3000, 3500, 4000, 4400].map(|ms| {
        at(ms);
        held_steadily()
    });
    at(4500);
    let second = ALLOCATED.stats().allocations;
    let sent = sending.join().unwrap();
    drop(facts);
    collector.join().unwrap();
    let stream_seconds = 2 * STREAMS;
    // What waits for a machine that was busy elsewhere is no cost of a stream.
    let least = steady.into_iter().min().unwrap_or(0);
    let (allocations, octets) = (second - first, least.saturating_sub(before) / STREAMS);
    // What grows by the packet grows in each of them; a machine that stood still is one of them.
    let growth = steady
        .windows(2)
        .map(|pair| pair[1].cast_signed() - pair[0].cast_signed());
    let growth = growth.min().unwrap();
    println!(
        "encrypted {srtp}: {allocations} allocations in {stream_seconds} stream-seconds; {octets} octets a stream, {growth:+} in all in the half second of the least growth"
    );
    assert!(sent > 75_000, "the load was there: {sent} packets");
    assert!(
        allocations <= 4 * stream_seconds,
        "{allocations} allocations, where packet threads handled 150,000 packets"
    );
    let most = OCTETS_A_STREAM + if srtp { OCTETS_OF_KEYS } else { 0 };
    assert!(octets <= most, "{octets} octets a stream");
    assert!(growth <= 8192, "{growth} octets more in every half second");
}
