//! Load beside the calls: what neighbours were asked for, what they made, and what calls went through meanwhile.

use serde::{Deserialize, Serialize};

/// One figure with load on, and with it off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnOff<T> {
    /// With load on.
    pub on: T,
    /// With it off.
    pub off: T,
}

/// A neighbour: an agent on another machine that made load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighbourRow {
    /// Its number, from 1, in the order in which they were named.
    pub neighbour: u32,
    /// Where it was dialled.
    pub address: String,
    /// Whose processors its load took: `own-machine`, or, by the kernel's boot identity, `guest`, `tester` or `all`.
    pub place: String,
    /// What was asked of it.
    pub asked: NeighbourAsked,
    /// What it made, over the seconds in which load was on from begin to end, and those in which it was off.
    pub made: OnOff<NeighbourMade>,
    /// The least part of what was asked that it reached while on, percent: of CPU, memory, disk and network; null where no
    /// second was on from begin to end.
    pub reached_percent: Option<f64>,
    /// When load was on, in order of time.
    pub stretches: Vec<NeighbourStretch>,
    /// What went wrong, a sentence each.
    pub problems: Vec<String>,
}

/// The load that was asked for while it is on; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NeighbourAsked {
    /// Processors.
    pub cores: u32,
    /// Of each, percent.
    pub percent: u8,
    /// Memory, octets.
    pub memory_octets: u64,
    /// To disk, octets a second.
    pub disk_octets_per_second: u64,
    /// To the tester, Mbit/s before headers.
    pub network_mbps: f64,
}

/// Load that was made, in the mean; null where no second told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NeighbourMade {
    /// Seconds that it is the mean of.
    pub seconds: u32,
    /// CPU time of the load's threads, percent of the processors asked for.
    pub cpu_percent: Option<f64>,
    /// CPU in use on its machine, by whomever, percent of all its processors.
    pub machine_cpu_percent: Option<f64>,
    /// Time that the hypervisor took from its machine, percent of all its processors.
    pub steal_percent: Option<f64>,
    /// Memory held, octets.
    pub memory_octets: Option<f64>,
    /// Given to the disk, octets a second.
    pub disk_octets_per_second: Option<f64>,
    /// Handed to the connection to the tester, Mbit/s.
    pub network_mbps: Option<f64>,
}

/// A stretch of load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NeighbourStretch {
    /// Its begin, s of run time.
    pub from_s: f64,
    /// Its end; of one whose end was not told, the end of what was.
    pub until_s: f64,
}

/// What calls went through in the full-load seconds in which any neighbour's load was on from begin to end, and in those in
/// which none was on at all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contention {
    /// How many seconds that were.
    pub seconds: OnOff<u32>,
    /// Of these, seconds in which the tester did not keep its own time.
    pub tainted_seconds: OnOff<u32>,
    /// Tester to guest.
    pub receive: LegContention,
    /// Guest to tester.
    pub sent: LegContention,
    /// Playout ticks of the guest that did not run within one packet time; null where it did not tell.
    pub ticks_missed: OnOff<Option<u64>>,
    /// Mean time that the hypervisor took from the guest, percent.
    pub guest_steal_percent: OnOff<Option<f64>>,
}

/// A leg under contention.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegContention {
    /// 99.9th percentile of PDV, ms.
    pub pdv_ms_p999: OnOff<Option<f64>>,
    /// Packets lost or late at playout, of those expected, percent.
    pub lost_or_late_percent: OnOff<Option<f64>>,
    /// Dead-air events that begin in these seconds.
    pub dead_air_events: OnOff<u64>,
}
