//! What is told of a stream beside its seconds.

use crate::id::StreamId;
use serde::{Deserialize, Serialize};

/// Why a slot carried no audio to the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadCause {
    /// The packet never arrived.
    Lost,
    /// It arrived after its playout time.
    Late,
    /// It was never sent: the timestamp moved on, the sequence number did not.
    NotSent,
    /// The guest's playout clock did not tick within one packet time of due, or read the packet,
    /// which was there, too late.
    GuestPlayout,
}

/// A packet that arrived long after the stream's reference transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatePacket {
    /// Its media slot: RTP timestamp steps of one packet time since the stream's first.
    pub slot: u32,
    /// How far above the reference transit, us.
    pub above_us: u32,
}

/// The receiver's last word on a stream, one second after the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEnd {
    /// The stream.
    pub stream: StreamId,
    /// Distinct packets that arrived.
    pub received: u32,
    /// Further copies.
    pub duplicates: u32,
    /// RFC 4737 reordered packets.
    pub reordered: u32,
    /// Arrived after their playout time.
    pub discarded: u32,
    /// Packets lost between the first and the last that arrived.
    pub lost_inside: u32,
    /// Sequence index (0 = the sender's first packet) of the first and of the last that arrived;
    /// none when nothing did. What the ledger counts beyond is lost at head and tail.
    pub first_index: Option<u32>,
    /// See `first_index`.
    pub last_index: Option<u32>,
    /// Media slot of the first that arrived.
    pub first_slot: Option<u32>,
    /// Media slot of the last that arrived.
    pub last_slot: Option<u32>,
    /// The DSCP that arrived with the last packet, when the system told.
    pub dscp: Option<u8>,
}

/// The sender's last word on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The stream.
    pub stream: StreamId,
    /// Packets handed to the network.
    pub sent: u32,
    /// Slots that were not sent because they came more than one packet time late.
    pub not_sent: u32,
    /// Packets the operating system refused.
    pub refused: u32,
}
