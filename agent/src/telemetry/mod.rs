//! What this host is doing, once a second, and what it is. Both ends of a run use it. Whatever
//! cannot be read is none: a figure that was not measured never looks like zero.

mod addresses;
pub mod environment;
mod threads;

pub use addresses::{InterfaceAddress, interface_addresses, interface_of, own_addresses};
pub use environment::{EnvironmentWatch, environment};
pub use threads::ThreadShares;

use milliwatt_wire::clock::ClockPair;
use milliwatt_wire::facts::HostSecond;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};
use procfs::process::Process;
use procfs::{CpuTime, CurrentSI, KernelStats};
use std::net::IpAddr;

/// A change of the wall clock against the monotonic clock up to this within a sample is slewing
/// (NTP slews at most 500 ppm), above it a step, ns.
const STEP_NS: i64 = NS_PER_MS;

/// Octets an interface counted between two samples; none where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NicCounters {
    /// Sent, link headers included.
    pub sent_octets: Option<u64>,
    /// Received, link headers included.
    pub received_octets: Option<u64>,
}

/// Samples this host. Each sample covers the time since the one before; the first, since `new`.
#[derive(Debug)]
pub struct HostProbe {
    interface: Option<String>,
    last: Reading,
}

impl HostProbe {
    /// Begins to watch the host, and the interface that holds `interface_address`.
    #[must_use]
    pub fn new(interface_address: Option<IpAddr>) -> Self {
        let interface = interface_address.and_then(interface_of);
        let last = Reading::take(interface.as_deref());
        Self { interface, last }
    }

    /// The interface that is watched.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    /// The host since the last sample. Drop counts are the caller's to fill in.
    pub fn sample(&mut self, second: u32) -> (HostSecond, NicCounters) {
        let now = Reading::take(self.interface.as_deref());
        let last = std::mem::replace(&mut self.last, now);
        now.since(&last, second)
    }
}

/// Everything that is read, as the system counts it: since its boot.
#[derive(Clone, Copy, Debug)]
struct Reading {
    clocks: ClockPair,
    cpu: Option<CpuTicks>,
    process_ticks: Option<u64>,
    nic: NicCounters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CpuTicks {
    used: u64,
    stolen: u64,
    total: u64,
}

impl Reading {
    fn take(interface: Option<&str>) -> Self {
        Self {
            clocks: ClockPair::read(),
            cpu: KernelStats::current()
                .ok()
                .map(|stats| CpuTicks::of(&stats.total)),
            process_ticks: Process::myself()
                .and_then(|own| own.stat())
                .ok()
                .map(|stat| stat.utime + stat.stime),
            nic: interface.map(read_counters).unwrap_or_default(),
        }
    }

    fn since(&self, last: &Self, second: u32) -> (HostSecond, NicCounters) {
        let (cpu_percent, steal_percent) = self
            .cpu
            .zip(last.cpu)
            .and_then(|(now, last)| now.since(last))
            .unzip();
        let step = self.clocks.wall_step_since(&last.clocks);
        let host = HostSecond {
            running_percent: None,
            runnable_percent: None,
            second,
            cpu_percent,
            steal_percent,
            process_cpu_percent: self.process_cpu_since(last),
            clock_step: if step.abs() > STEP_NS { step } else { 0 },
            ..HostSecond::default()
        };
        (host, self.nic.since(last.nic))
    }

    /// CPU time of this process in the time between, percent of one core.
    fn process_cpu_since(&self, last: &Self) -> Option<f32> {
        let ticks = self.process_ticks?.checked_sub(last.process_ticks?)?;
        let ticks_in_second = procfs::ticks_per_second();
        let elapsed = u64::try_from(self.clocks.mono - last.clocks.mono).ok()?;
        percent(
            ticks * NS_PER_SECOND.unsigned_abs() / ticks_in_second,
            elapsed,
        )
    }
}

impl CpuTicks {
    /// Guest time is part of user time already; waiting for a disk is no use of a CPU.
    fn of(time: &CpuTime) -> Self {
        let stolen = time.steal.unwrap_or(0);
        let used =
            time.user + time.nice + time.system + time.irq.unwrap_or(0) + time.softirq.unwrap_or(0);
        let total = used + stolen + time.idle + time.iowait.unwrap_or(0);
        Self {
            used,
            stolen,
            total,
        }
    }

    /// In use and stolen, percent of all cores.
    fn since(self, last: Self) -> Option<(f32, f32)> {
        let total = self.total.checked_sub(last.total)?;
        // A virtual CPU's idle time can be corrected backwards by a tick.
        let used = percent(self.used.saturating_sub(last.used), total)?;
        let stolen = percent(self.stolen.saturating_sub(last.stolen), total)?;
        Some((used, stolen))
    }
}

impl NicCounters {
    /// None when a counter went backwards: the interface is another one.
    fn since(self, last: Self) -> Self {
        let difference = |(now, last): (u64, u64)| now.checked_sub(last);
        Self {
            sent_octets: self.sent_octets.zip(last.sent_octets).and_then(difference),
            received_octets: self
                .received_octets
                .zip(last.received_octets)
                .and_then(difference),
        }
    }
}

fn read_counters(interface: &str) -> NicCounters {
    let found = procfs::net::dev_status()
        .ok()
        .and_then(|mut all| all.remove(interface));
    NicCounters {
        sent_octets: found.as_ref().map(|device| device.sent_bytes),
        received_octets: found.as_ref().map(|device| device.recv_bytes),
    }
}

/// None when nothing is to be shared.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a share in percent; f32 keeps seven digits"
)]
fn percent(part: u64, whole: u64) -> Option<f32> {
    (whole > 0).then(|| (100.0 * part as f64 / whole as f64) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::MonoTime;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    fn reading(mono: i64, wall: i64, used: u64, process: u64, sent: Option<u64>) -> Reading {
        let mono = MonoTime(mono);
        Reading {
            clocks: ClockPair { mono, wall },
            cpu: Some(CpuTicks {
                used,
                stolen: used / 10,
                total: used * 2,
            }),
            process_ticks: Some(process),
            nic: NicCounters {
                sent_octets: sent,
                received_octets: None,
            },
        }
    }

    #[test]
    fn shares_are_of_the_time_between_two_readings() {
        let last = reading(0, 0, 100, 0, Some(500));
        let now = reading(
            NS_PER_SECOND,
            NS_PER_SECOND,
            200,
            procfs::ticks_per_second() / 2,
            Some(2_000),
        );
        let (host, nic) = now.since(&last, 7);
        assert_eq!(host.second, 7);
        assert_eq!(
            (
                host.cpu_percent,
                host.steal_percent,
                host.process_cpu_percent
            ),
            (Some(50.0), Some(5.0), Some(50.0))
        );
        assert_eq!((nic.sent_octets, nic.received_octets), (Some(1_500), None));
    }

    #[test]
    fn slewing_is_no_step_and_a_step_has_its_sign() {
        let last = reading(0, 0, 0, 0, None);
        for (wall, step) in [
            (NS_PER_MS, 0),
            (-NS_PER_MS - 1, -NS_PER_MS - 1),
            (20 * NS_PER_MS, 20 * NS_PER_MS),
        ] {
            let now = reading(NS_PER_SECOND, NS_PER_SECOND + wall, 0, 0, None);
            assert_eq!(now.since(&last, 0).0.clock_step, step);
        }
    }

    #[test]
    fn what_cannot_be_told_is_none() {
        let last = reading(0, 0, 100, 9, Some(500));
        let (host, nic) = reading(0, 0, 100, 8, Some(499)).since(&last, 0);
        assert_eq!(
            (
                host.cpu_percent,
                host.steal_percent,
                host.process_cpu_percent
            ),
            (None, None, None)
        );
        assert_eq!(nic, NicCounters::default());
        assert_eq!(
            HostProbe::new(Some(IpAddr::from([192, 0, 2, 1])))
                .sample(0)
                .1,
            NicCounters::default()
        );
    }

    #[test]
    fn the_loopback_interface_counts_what_is_sent_through_it() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut probe = HostProbe::new(Some(IpAddr::from([127, 0, 0, 1])));
        assert_eq!(probe.interface(), Some("lo"));
        sender.write_all(&[0; 5_000]).unwrap();
        let (_, nic) = probe.sample(1);
        assert!(nic.sent_octets >= Some(5_000), "{nic:?}");
        assert!(nic.received_octets >= Some(5_000), "{nic:?}");
    }
}
