//! What is told of load beside the calls.

use crate::neighbour::NeighbourLoad;
use crate::time::RunTime;
use serde::{Deserialize, Serialize};

/// What is asked of a neighbour, or what it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NeighbourFact {
    /// It was asked to make this load, on and off (tester only).
    Asked {
        /// The load while it is on.
        load: NeighbourLoad,
        /// Where it is dialled.
        address: String,
        /// On whose machine it runs.
        place: NeighbourPlace,
    },
    /// Load began or ended.
    Switched {
        /// It began.
        on: bool,
        /// When.
        at: RunTime,
    },
    /// What it made in a second.
    Second(NeighbourSecond),
    /// A part of the load cannot be made, or no more.
    Failed {
        /// When.
        at: RunTime,
        /// Which, and why.
        text: String,
    },
    /// It is gone for good, and its load with it (tester only).
    Lost {
        /// When that was known.
        at: RunTime,
        /// Why.
        text: String,
    },
    /// It finished in order.
    Closed {
        /// When.
        at: RunTime,
    },
}

/// Whose processors a neighbour's load takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeighbourPlace {
    /// A machine of its own: neither the tester's kernel nor the guest's.
    OwnMachine,
    /// The guest's own kernel: it takes the guest's own processors.
    Guest,
    /// The tester's kernel: it takes the processors that measure.
    Tester,
    /// One kernel runs all three.
    All,
}

/// What a neighbour made in one second of its run time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NeighbourSecond {
    /// The second of run time that it ended in or with.
    pub second: u32,
    /// The time it covers, ns: about a second.
    pub span_ns: u64,
    /// Of that, how long load was on, ns.
    pub on_ns: u64,
    /// CPU time that the threads used whose work is to use it, ns, by the clock of each.
    pub cpu_ns: u64,
    /// Time that the hypervisor took from the machine, percent of all its processors.
    pub steal_percent: Option<f32>,
    /// CPU in use on the machine, by whomever, percent of all its processors.
    pub cpu_percent: Option<f32>,
    /// Memory touched and held at its end, octets.
    pub memory_octets: u64,
    /// Octets written to its file and given to the disk.
    pub disk_octets: u64,
    /// Octets handed to the connection to the tester.
    pub network_octets: u64,
}
