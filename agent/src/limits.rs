//! What the agent allows, whatever a tester asks.

mod neighbour;
mod sense;
mod subnet;

pub use neighbour::Machine;
pub(crate) use sense::check_keys;
pub use subnet::Subnet;

use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::load::{LoadSpec, PTIME_NS, TransferWhen};
use milliwatt_wire::time::NS_PER_SECOND;
use sense::check_sense;
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// Calls of a run, which are laid out in memory before it: 12 h at over 100 a second.
const CALLS_MAX: i128 = 5_000_000;
/// The longest time in a load, ns: 104 days, so that sums and floating point hold it exactly.
const TIME_MAX: i64 = 1 << 53;

/// A refusal: what, and which flag allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused.
    pub reason: String,
    /// What to do.
    pub hint: String,
}

/// The agent's own limits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Streams at once, both directions of a leg counted once.
    pub max_streams: u32,
    /// RTP packets a second sent.
    pub max_pps: u32,
    /// Longest run, ns.
    pub max_duration: i64,
    /// Octets on disk at once.
    pub max_disk: u64,
    /// Networks a tester may come from; empty allows all.
    pub allow: Vec<Subnet>,
    /// UDP ports for media.
    pub media_ports: RangeInclusive<u16>,
    /// A tester may ask for load beside calls.
    pub allow_neighbour: bool,
}

impl Limits {
    /// The calls of a load that may be put on this machine. It is looked at before anything is laid out for it: a
    /// few octets can ask for more calls than there is memory.
    pub fn plan(&self, load: &LoadSpec) -> Result<CallPlan, Refusal> {
        check_sense(load)?;
        self.check_size(load)?;
        let plan = CallPlan::expand(load);
        if load.stepped {
            // It ends when it is stopped, and by then at the latest.
            return match load.full_for {
                Some(most) if most > self.max_duration => Err(self.too_long(most.into())),
                Some(_) => Ok(plan),
                None => Err(Refusal {
                    reason: "a load in steps asked without an end".into(),
                    hint: "say for how long it may last at most".into(),
                }),
            };
        }
        if plan.end().0 > self.max_duration {
            return Err(self.too_long(plan.end().0.into()));
        }
        Ok(plan)
    }

    fn check_size(&self, load: &LoadSpec) -> Result<(), Refusal> {
        let parties = u32::try_from(load.parties().len()).unwrap_or(2);
        let streams = load.concurrent.saturating_mul(parties);
        let packets = streams.saturating_mul(u32::try_from(1_000_000_000 / PTIME_NS).unwrap_or(50));
        if streams > self.max_streams {
            let asked = format!("{streams} streams asked, {} allowed", self.max_streams);
            return Err(larger(asked, "--max-streams"));
        }
        if packets > self.max_pps {
            let asked = format!("{packets} packets/s asked, {} allowed", self.max_pps);
            return Err(larger(asked, "--max-pps"));
        }
        let ramp = i128::from(load.concurrent) * i128::from(load.arrival_interval);
        if ramp > self.max_duration.into() {
            return Err(self.too_long(ramp));
        }
        let calls = calls_expected(load);
        if calls > CALLS_MAX {
            return Err(Refusal {
                reason: format!("some {calls} calls asked, {CALLS_MAX} at most"),
                hint: "ask for longer or fewer calls".into(),
            });
        }
        let disk = disk_needed(load);
        if disk > self.max_disk {
            let mb = |octets: u64| octets / 1_000_000;
            let (asked, allowed) = (mb(disk), mb(self.max_disk));
            let asked = format!("{asked} MB of disk asked, {allowed} MB allowed");
            return Err(larger(asked, "--max-disk"));
        }
        let ports = u32::from(self.media_ports.end() - self.media_ports.start()) + 1;
        let needed = streams.saturating_mul(2);
        if needed > ports {
            let asked = format!("{needed} media ports asked, the range has {ports}");
            return Err(larger(asked, "--media-ports"));
        }
        Ok(())
    }

    fn too_long(&self, ns: i128) -> Refusal {
        let hours = |ns: i128| ns / 3_600_000_000_000;
        let (asked, allowed) = (hours(ns), hours(self.max_duration.into()));
        let asked = format!("a run of {asked} h asked, {allowed} h allowed");
        larger(asked, "--max-duration")
    }

    /// May a tester come from here?
    #[must_use]
    pub fn allows(&self, peer: IpAddr) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|net| net.contains(peer))
    }
}

fn larger(asked: String, flag: &str) -> Refusal {
    Refusal {
        reason: asked,
        hint: format!("start the agent with a larger {flag}, or ask for less"),
    }
}

/// About how many calls a load has, by its mean hold time. A call has ten packets at least, and its lane is free for
/// one more.
fn calls_expected(load: &LoadSpec) -> i128 {
    let lanes = i128::from(load.concurrent);
    let most = load.total.map_or(i128::MAX, i128::from);
    let Some(full_for) = load.full_for else {
        return most.min(lanes.max(load.total.map_or(0, i128::from)));
    };
    let interval = i128::from(load.arrival_interval);
    let each = i128::from(load.hold.mean().max(10 * PTIME_NS) + PTIME_NS);
    let length = lanes * interval + i128::from(full_for);
    let by_interval = length.checked_div(interval).unwrap_or(i128::MAX);
    most.min(lanes + by_interval.min(lanes * length / each))
}

/// Octets of recordings on the guest's disk at once: calls that are up, and as much again that
/// has ended and waits for its transfer; where transfers come in batches, all that end between two.
#[must_use]
pub fn disk_needed(load: &LoadSpec) -> u64 {
    let (_, sample) = load.codec.recorded_as();
    let channels = if load.recording.stereo { 2 } else { 1 };
    let octets_a_second = load.codec.sample_rate() * u32::from(sample) * channels;
    let a_call = load.hold.mean() / 1_000_000_000 * i64::from(octets_a_second);
    let between = match load.transfer.when {
        TransferWhen::Every(ns) => ns / load.hold.mean().max(NS_PER_SECOND) + 1,
        TransferWhen::AtCallEnd | TransferWhen::Backlog | TransferWhen::Continuous => 0,
    };
    let calls = u64::from(load.concurrent) * (2 + u64::try_from(between).unwrap_or(0));
    if load.recording.share > 0.0 {
        u64::try_from(a_call).unwrap_or(0).saturating_mul(calls)
    } else {
        0
    }
}

#[cfg(test)]
mod tests;
