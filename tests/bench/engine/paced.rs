//! Our pacing thread alone, one way, as a program of its own: to be started between the lab's machines in place of
//! `bare pace`, with its options and its JSON.

use clap::Parser;
use hdrhistogram::Histogram;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::driver::{Departure, Departures, Pacing};
use milliwatt_generator::voice::Voice;
use milliwatt_wire::clock::{SleepMode, mono_now, set_timer_slack_1ns};
use milliwatt_wire::facts::{Fact, PacingSecond};
use milliwatt_wire::load::{
    Audio, Codec, Fill, Hold, LoadSpec, RecordingSpec, Role, TONE_A_HZ, TransferSpec,
};
use milliwatt_wire::socket::{
    MediaSocket, SendOutcome, SocketOptions, raise_file_limit, request_real_time, scheduled,
    thread_id,
};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

/// The word by which the benchmark's program is started as this one.
pub(crate) const WORD: &str = "paced";

/// Seconds at the begin that are left out of lateness and of what was not sent, as `bare pace` leaves them out.
const WARM_UP: u32 = 1;

/// As `bare pace` has them.
#[derive(Parser)]
struct Options {
    #[arg(long)]
    local: IpAddr,
    #[arg(long)]
    remote: IpAddr,
    #[arg(long)]
    port: u16,
    #[arg(long)]
    streams: u16,
    #[arg(long)]
    seconds: i64,
    #[arg(long)]
    slot: i64,
    #[arg(long, default_value = "sleep")]
    mode: String,
    #[arg(long, default_value_t = 0)]
    fifo: u8,
    #[arg(long, default_value_t = 1)]
    threads: u32,
    #[arg(long)]
    srtp: bool,
}

/// What one thread sends, and how late.
struct End<'s> {
    sockets: &'s [MediaSocket],
    tone: &'s Voice,
    lateness: Histogram<u64>,
    refused: u64,
}

/// Sends by the options that follow [`WORD`] on the command line, and prints what `bare pace` prints.
pub(crate) fn main() {
    let options = Options::parse_from(std::env::args().skip(1));
    let _limits = raise_file_limit();
    let sockets: Vec<MediaSocket> = (0..options.streams).map(|n| open(&options, n)).collect();
    let load = load(&options);
    let plan = CallPlan::expand(&load);
    let keys = options.srtp.then(|| Arc::new(MediaKeys::draw().unwrap()));
    let tone = Voice::tone(TONE_A_HZ, Codec::Pcmu);
    let clock = RunClock {
        zero: mono_now() + 200 * NS_PER_MS,
    };
    let mode = match options.mode.as_str() {
        "spin" => SleepMode::Spin,
        "hybrid" => SleepMode::Hybrid,
        _ => SleepMode::Sleep,
    };
    let all = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for index in 0..options.threads {
            let pacing = Pacing {
                load: &load,
                plan: &plan,
                keys: keys.as_ref(),
                clock,
                mode,
                burst: false,
                index,
                of: options.threads,
            };
            let (all, sockets, tone, fifo) = (&all, &sockets, &tone, options.fifo);
            scope.spawn(move || {
                let tally = pace(&pacing, sockets, tone, fifo);
                all.lock().unwrap().add(&tally);
            });
        }
    });
    println!("{}", all.into_inner().unwrap().json(&options));
}

/// What came of one thread, or of all.
struct Tally {
    lateness: Histogram<u64>,
    planned: u64,
    sent: u64,
    not_sent: u64,
    refused: u64,
    cpu_ns: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            lateness: Histogram::new(3).unwrap(),
            planned: 0,
            sent: 0,
            not_sent: 0,
            refused: 0,
            cpu_ns: 0,
        }
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.lateness.add(&other.lateness).unwrap();
        self.planned += other.planned;
        self.sent += other.sent;
        self.not_sent += other.not_sent;
        self.refused += other.refused;
        self.cpu_ns += other.cpu_ns;
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
    fn json(&self, options: &Options) -> serde_json::Value {
        let us = |quantile: f64| self.lateness.value_at_quantile(quantile) as f64 / 1e3;
        let ns = options.seconds as f64 * 1e9;
        serde_json::json!({
            "sent": self.sent,
            "not_sent": self.not_sent,
            "refused": self.refused,
            "packets_per_second": self.sent as f64 / options.seconds as f64,
            "cpu_percent": self.cpu_ns as f64 * 100.0 / ns,
            "cpu_us_per_packet": self.cpu_ns as f64 / 1e3 / self.sent.max(1) as f64,
            "lateness_us": {
                "p50": us(0.5), "p99": us(0.99), "p999": us(0.999), "max": self.lateness.max() as f64 / 1e3,
            },
        })
    }
}

/// One thread's work.
fn pace(pacing: &Pacing<'_>, sockets: &[MediaSocket], tone: &Voice, fifo: u8) -> Tally {
    set_timer_slack_1ns().unwrap();
    if fifo > 0 {
        request_real_time(fifo).unwrap();
    }
    let mut end = End {
        sockets,
        tone,
        lateness: Histogram::new(3).unwrap(),
        refused: 0,
    };
    let mut tally = Tally::default();
    let before = scheduled(thread_id()).unwrap_or_default().0;
    pacing.run(&mut end, &mut |fact| {
        if let Fact::Pacing(PacingSecond {
            second,
            planned,
            sent,
            not_sent,
            ..
        }) = fact
        {
            tally.planned += u64::from(planned);
            tally.sent += u64::from(sent);
            if second >= WARM_UP {
                tally.not_sent += u64::from(not_sent);
            }
        }
    });
    tally.cpu_ns = scheduled(thread_id()).unwrap_or_default().0 - before;
    tally.sent -= end.refused;
    (tally.lateness, tally.refused) = (end.lateness, end.refused);
    tally
}

impl Departures for End<'_> {
    fn cut(&self) -> RunTime {
        RunTime(i64::MAX)
    }

    fn is_halted(&self) -> bool {
        false
    }

    fn expect(&self, port: usize) {
        self.sockets[port].touch();
    }

    fn fill(&mut self, departure: &Departure<'_>, payload: &mut [u8]) {
        payload.copy_from_slice(self.tone.packet(departure.slot));
    }

    fn send(
        &mut self,
        departure: &Departure<'_>,
        octets: &[u8],
        at: RunTime,
        _facts: &mut impl FnMut(Fact),
    ) -> SendOutcome {
        if departure.due.second() >= WARM_UP {
            let late = (at - departure.due).max(0).cast_unsigned();
            self.lateness.record(late).unwrap();
        }
        let outcome = self.sockets[departure.port].send(octets);
        self.refused += u64::from(outcome != SendOutcome::Sent);
        outcome
    }

    fn told_sent(&mut self, _port: usize, _packets: u32) {}
}

/// A socket of each stream, ports two apart at either end, as the bare loops have them.
fn open(options: &Options, stream: u16) -> MediaSocket {
    let port = options.port + stream * 2;
    let local = SocketAddr::new(options.local, port);
    let socket = MediaSocket::bind(local, &SocketOptions::default()).unwrap();
    socket
        .connect(SocketAddr::new(options.remote, port))
        .unwrap();
    socket
}

fn load(options: &Options) -> LoadSpec {
    LoadSpec {
        seed: 1,
        role: Role::Echo,
        concurrent: u32::from(options.streams) / 2,
        total: None,
        arrival_interval: 0,
        hold: Hold::Fixed(24 * 3600 * NS_PER_SECOND),
        steady_start: false,
        legs: 2,
        // Full load begins with the second whole second.
        full_for: Some((options.seconds - 1).max(1) * NS_PER_SECOND),
        codec: Codec::Pcmu,
        srtp: options.srtp,
        dscp: 0,
        transfer_dscp: 0,
        playout_buffer: 60 * NS_PER_MS,
        dead_air_min: 60 * NS_PER_MS,
        slot_width: options.slot * 1000,
        onward_offset: 0,
        recording: RecordingSpec {
            share: 0.0,
            rate_bits_per_second: 1,
            stereo: false,
        },
        transfer: TransferSpec {
            parallel: 1,
            ..TransferSpec::default()
        },
        known_silences: Vec::new(),
        audio: Audio::Tone,
        fill: Fill::Silence,
        rated_fill: Fill::G711AppendixI,
        stepped: false,
    }
}
