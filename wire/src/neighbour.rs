//! Load beside the calls: what an agent on another virtual machine of the guest's host, a *neighbour*, is asked to make.

use serde::{Deserialize, Serialize};

/// The load while it is on. What is 0 is not made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeighbourLoad {
    /// Processors it uses.
    pub cores: u32,
    /// How much of each, percent, 1 to 100.
    pub percent: u8,
    /// Memory it touches and holds, octets.
    pub memory_octets: u64,
    /// Written to a file in the agent's folder, octets a second.
    pub disk_octets_per_second: u64,
    /// Sent to the tester over a connection that the tester opened, bit/s before headers.
    pub network_bits_per_second: u64,
}

impl NeighbourLoad {
    /// Nothing is asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cores == 0
            && self.memory_octets == 0
            && self.disk_octets_per_second == 0
            && self.network_bits_per_second == 0
    }
}
