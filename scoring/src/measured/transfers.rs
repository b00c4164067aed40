//! Transfers of recordings, by the word of the end that sends them.

use super::MeanMax;
use serde::{Deserialize, Serialize};

/// Transfers each way: none where its sender told of no transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transfers {
    /// Tester to guest.
    pub receive: Option<LegTransfers>,
    /// Guest to tester.
    pub sent: Option<LegTransfers>,
}

/// Transfers one way, over the whole run but for their goodput.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LegTransfers {
    /// Files that the receiving end confirmed, their checksums right.
    pub completed: u64,
    /// Transfers that broke off or were refused; such a file is sent again.
    pub broken: u64,
    /// What the receiving end's TCP acknowledged, octets without headers.
    pub acknowledged_octets: u64,
    /// Of that, Mbit/s in the seconds of full load in which transfers ran.
    pub goodput_mbps: MeanMax,
    /// TCP segments sent again.
    pub retransmissions: u64,
    /// The longest time of any connection without an acknowledgement while something was outstanding, ms.
    pub stalled_ms: f64,
    /// The largest smoothed round trip of any connection (RFC 6298 2), ms; none when nothing was sent.
    pub round_trip_ms: Option<f64>,
}
