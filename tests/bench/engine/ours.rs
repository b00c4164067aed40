//! `milliwatt run` between the lab's machines, and what the comparisons read of it.

use crate::Bench;
use crate::lab::{Program, RunFolder, pass_time};
use milliwatt_wire::clock::wall_now;
use milliwatt_wire::load::PTIME_NS;
use std::path::Path;

/// How both sides pace.
pub(crate) struct Pacing {
    /// Slot width, us.
    pub(crate) slot_us: u32,
    /// `sleep`, `hybrid` or `spin`, as `bare pace --mode` has it.
    pub(crate) mode: &'static str,
    /// Priority of the tester's pacing under `SCHED_FIFO`, 0 for the ordinary class. A thread that spins under it is
    /// stopped for 50 ms of each second (sched(7), real-time throttling) where anything else wants its processor.
    pub(crate) priority: u8,
    /// What makes `milliwatt run` do so; nothing where it does so unasked.
    pub(crate) args: &'static [&'static str],
    /// Required of lateness p99.9, ours to the bare loop's: at most.
    pub(crate) at_most: f64,
}

/// The pacings that lateness is compared in.
pub(crate) const PACINGS: &[Pacing] = &[
    Pacing {
        slot_us: 250,
        mode: "sleep",
        priority: milliwatt_agent::media::PACING_PRIORITY,
        args: &[],
        at_most: 1.2,
    },
    Pacing {
        slot_us: 250,
        mode: "hybrid",
        priority: milliwatt_agent::media::PACING_PRIORITY,
        args: &["--pacing", "hybrid"],
        at_most: 1.2,
    },
    Pacing {
        slot_us: 250,
        mode: "spin",
        priority: 0,
        args: &["--pacing", "spin"],
        at_most: 1.5,
    },
];

/// The pacing of every other comparison.
pub(crate) const PACING: &Pacing = &PACINGS[0];
/// Sleeps to shortly before the slot, then spins.
pub(crate) const HYBRID: &Pacing = &PACINGS[1];

/// 250 calls of two legs: 500 streams each way, 25,000 packets/s.
pub(crate) const CALLS: u32 = 250;
/// Priority of the guest's media threads under `SCHED_FIFO`; the bare loops over there have it too.
pub(crate) const GUEST_PRIORITY: u8 = 50;
/// The guest sends back what comes and records nothing: the path alone, which is what the bare loops do.
const ROLE: &str = "agent.role=echo";
/// Calls a second while the load rises; the ramp is no part of what is compared.
const ARRIVALS: &str = "calls.arrivals=500/s";

/// Between readings of the receiving thread's counters. To look for the thread takes processor time and room in the cache,
/// which nothing takes from a bare loop.
const READ_EVERY_MS: i64 = 1000;

/// A finished run, and what was seen of its receiving thread.
pub(crate) struct Run {
    folder: RunFolder,
    readings: Vec<Reading>,
}

/// CPU time of the receiving thread, and of a receiver that runs beside it, and the interface's packets at one instant.
#[derive(Clone, Copy)]
struct Reading {
    wall: i64,
    cpu_ns: u64,
    beside_ns: u64,
    packets: u64,
}

/// Runs `calls` calls of two legs against an agent on the guest to their end.
pub(crate) fn run(bench: &Bench, calls: u32, pacing: &Pacing) -> Run {
    run_beside(bench, calls, pacing, None)
}

/// The same beside a process that receives too.
pub(crate) fn run_beside(bench: &Bench, calls: u32, pacing: &Pacing, beside: Option<u32>) -> Run {
    let out = bench.lab.path("run");
    if out.exists() {
        std::fs::remove_dir_all(&out).unwrap();
    }
    let agent = bench.lab.start_agent(&["--max-streams", "16000"]);
    let (time, concurrent) = (
        format!("{}s", bench.seconds),
        format!("calls.concurrent={calls}"),
    );
    let set = [ROLE, ARRIVALS, &concurrent, "validity.lateness=5ms"];
    let mut args = vec!["--for", &time, "--no-abort"];
    args.extend(set.iter().flat_map(|key| ["--set", key]));
    args.extend(pacing.args);
    let mut program = bench.lab.start_run("250-calls", &agent, "run", &args);
    let mut readings = Vec::new();
    while program.runs() {
        readings.extend(Reading::take(&program, beside));
        pass_time(READ_EVERY_MS);
    }
    Run {
        folder: RunFolder::of(out, program.wait()),
        readings,
    }
}

impl Pacing {
    /// As options of `bare pace` on the tester.
    pub(crate) fn bare_options(&self) -> String {
        let Self {
            slot_us,
            mode,
            priority,
            ..
        } = self;
        format!("--slot {slot_us} --mode {mode} --fifo {priority}")
    }

    /// In words.
    pub(crate) fn said(&self) -> String {
        let class = if self.priority == 0 {
            "ordinary class"
        } else {
            "SCHED_FIFO"
        };
        format!("slots of {} us, {}, {class}", self.slot_us, self.mode)
    }
}

impl Run {
    /// The number at a pointer of the scorecard.
    pub(crate) fn number(&self, pointer: &str) -> f64 {
        self.folder.number(pointer)
    }

    /// The run counts as evidence: the tester kept its own time.
    fn valid(&self) -> bool {
        self.folder.scorecard["validity"]["valid"] == true
    }

    /// Packets lost of the receive leg and of the sent leg.
    fn lost(&self) -> [f64; 2] {
        ["receive", "sent"].map(|leg| self.number(&format!("/legs/{leg}/packets_lost")))
    }

    /// Valid, p99.9 of lateness below this, nothing left out and nothing lost.
    pub(crate) fn holds(&self, lateness_us: f64) -> bool {
        self.valid()
            && self.number("/validity/lateness_us/p999") < lateness_us
            && self.number("/validity/departures_not_sent") == 0.0
            && self.lost() == [0.0, 0.0]
    }

    /// Lateness of every packet due at full load, what was not sent, and whether the run is valid.
    pub(crate) fn said(&self) -> String {
        let lateness = &self.folder.scorecard["validity"]["lateness_us"];
        let [receive, sent] = self.lost();
        format!(
            "{}; {} not sent, {receive} and {sent} lost, {}",
            lateness_said(lateness),
            self.number("/validity/departures_not_sent"),
            if self.valid() { "valid" } else { "INVALID" }
        )
    }

    /// CPU time of the receiving thread for each packet that came in at full load, us.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ns and packets of a run of minutes are far below 2^53"
    )]
    pub(crate) fn receiving_us_per_packet(&self) -> f64 {
        let [first, last] = self.at_full_load();
        (last.cpu_ns - first.cpu_ns) as f64 / 1e3 / (last.packets - first.packets) as f64
    }

    /// CPU time of the receiving thread and of the receiver beside it, us for each packet of as many streams as ours.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ns of a run of minutes are far below 2^53"
    )]
    pub(crate) fn both_us_per_packet(&self) -> [f64; 2] {
        let [first, last] = self.at_full_load();
        let packets = f64::from(CALLS * 2) * (last.wall - first.wall) as f64 / PTIME_NS as f64;
        let used = [last.cpu_ns - first.cpu_ns, last.beside_ns - first.beside_ns];
        used.map(|ns| ns as f64 / 1e3 / packets)
    }

    /// The first and the last reading at full load.
    fn at_full_load(&self) -> [Reading; 2] {
        let [begin, end] = self.folder.full_load();
        let inside = |reading: &&Reading| (begin..end).contains(&reading.wall);
        let mut readings = self.readings.iter().filter(inside);
        [readings.next().unwrap(), readings.next_back().unwrap()].map(|reading| *reading)
    }
}

/// Percentiles as both sides have them.
pub(crate) fn lateness_said(lateness: &serde_json::Value) -> String {
    let us = |key: &str| lateness[key].as_f64().unwrap_or(f64::NAN);
    format!(
        "lateness p50 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1} us",
        us("p50"),
        us("p99"),
        us("p999"),
        us("max")
    )
}

impl Reading {
    /// None while there is no such thread.
    fn take(program: &Program, beside: Option<u32>) -> Option<Self> {
        let process = format!("/proc/{}", program.pid());
        let tasks = std::fs::read_dir(format!("{process}/task")).ok()?;
        let receives = |task: &Path| text(&task.join("comm")).trim() == "receiving";
        let thread = tasks
            .flatten()
            .map(|task| task.path())
            .find(|task| receives(task))?;
        let beside = beside.map(|pid| cpu_ns(Path::new(&format!("/proc/{pid}"))));
        Some(Self {
            wall: wall_now(),
            cpu_ns: cpu_ns(&thread)?,
            beside_ns: beside.unwrap_or(Some(0))?,
            packets: packets_in(&text(Path::new(&format!("{process}/net/dev"))))?,
        })
    }
}

/// ns on the processor, of a process's main thread or of the thread whose folder it is (proc(5), `schedstat`).
fn cpu_ns(folder: &Path) -> Option<u64> {
    text(&folder.join("schedstat"))
        .split(' ')
        .next()?
        .parse()
        .ok()
}

/// Packets that came in at the cable's end of the process's own namespace (proc(5), `net/dev`): octets, then packets.
fn packets_in(interfaces: &str) -> Option<u64> {
    let (_, counters) = interfaces
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() != "lo")?;
    counters.split_whitespace().nth(1)?.parse().ok()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
