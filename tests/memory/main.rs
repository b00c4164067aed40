//! What a stream costs in memory at either end, and what a packet costs in allocations: each whole end under the 250-call
//! test's load, in one process with the least that stands for the other end. Allocations of the process are counted.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod guest;
mod tester;

use milliwatt_agent::engine::PortPair;
use milliwatt_agent::ports::{bind_ports, connect_ports};
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::load::{Audio, Codec, Fill, Hold, LoadSpec, RecordingSpec, Role, TransferSpec};
use milliwatt_wire::socket::raise_file_limit;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

#[global_allocator]
static ALLOCATED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Held by the test that runs: what another allocates is no cost of its.
static ALONE: Mutex<()> = Mutex::new(());

/// Streams each way.
const STREAMS: usize = 500;
/// Octets that a stream may cost, histograms, rings and buffers of audio included.
const OCTETS_A_STREAM: usize = 8 * 1024;
/// What encryption may add: keys of its packets and reports each way, and what came already.
const OCTETS_OF_KEYS: usize = 1024;
const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One packet in so many does not arrive.
const LOST_ONE_IN: u64 = 499;

fn load(role: Role, srtp: bool) -> LoadSpec {
    LoadSpec {
        seed: 1,
        role,
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
    let (_, files) = raise_file_limit();
    assert!(
        files > 2500,
        "this test opens 2000 sockets, and {files} files are allowed"
    );
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

/// What an end costs.
struct Cost {
    /// In two seconds.
    allocations: usize,
    /// Above what was held before the end was started.
    octets_a_stream: usize,
    /// Octets that are held more at the end of a half second than at its begin: the least of four.
    growth: isize,
}

impl Cost {
    /// Of an end whose streams all run from 2.5 to 4.5 s of run time. What waits for a machine that was busy elsewhere is no cost
    /// of a stream; what grows by the packet grows in each half second.
    fn measure(clock: RunClock, before: usize) -> Self {
        let at = |ms: i64| sleep_until(clock.mono(RunTime(ms * NS_PER_MS)));
        at(2500);
        let first = ALLOCATED.stats().allocations;
        let steady = [2500, 3000, 3500, 4000, 4400].map(|ms| {
            at(ms);
            held_steadily()
        });
        at(4500);
        let second = ALLOCATED.stats().allocations;
        let least = steady.into_iter().min().unwrap_or(0);
        let growth = steady
            .windows(2)
            .map(|pair| pair[1].cast_signed() - pair[0].cast_signed());
        Self {
            allocations: second - first,
            octets_a_stream: least.saturating_sub(before) / STREAMS,
            growth: growth.min().unwrap(),
        }
    }

    /// A stream's second is told once, with its histogram, and written: that takes a few allocations. A packet takes none. What
    /// is held when all streams run is what it costs, and it does not grow.
    fn assert_bounded(&self, end: &str, srtp: bool) {
        let Self {
            allocations,
            octets_a_stream,
            growth,
        } = *self;
        let stream_seconds = 2 * STREAMS;
        println!(
            "{end}, encrypted {srtp}: {allocations} allocations in {stream_seconds} stream-seconds; {octets_a_stream} octets a stream, {growth:+} in all in the half second of the least growth"
        );
        assert!(
            allocations <= 4 * stream_seconds,
            "{allocations} allocations, where 50,000 packets came and as many left"
        );
        let most = OCTETS_A_STREAM + if srtp { OCTETS_OF_KEYS } else { 0 };
        assert!(octets_a_stream <= most, "{octets_a_stream} octets a stream");
        assert!(growth <= 8192, "{growth} octets more in every half second");
    }
}
