//! What an end saw, did or was in one second.

#[cfg(doc)]
use super::Scale;
use crate::id::{Leg, StreamId};
use serde::{Deserialize, Serialize};

/// What one end saw of one stream in one second (of arrival).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSecond {
    /// The stream.
    pub stream: StreamId,
    /// The second of run time.
    pub second: u32,
    /// Distinct packets that arrived.
    pub packets: u32,
    /// Further copies of packets already here.
    pub duplicates: u32,
    /// RFC 4737 reordered packets.
    pub reordered: u32,
    /// Packets that came after their playout time.
    pub discarded: u32,
    /// Least transit, ns (arrival minus due departure); meaningless when `packets` is 0. This and
    /// the other times of a second travel in whole microseconds, which halves the telemetry.
    #[serde(with = "whole_microseconds")]
    pub transit_min: i64,
    /// Largest transit, ns.
    #[serde(with = "whole_microseconds")]
    pub transit_max: i64,
    /// Sum over the packets of J (RFC 3550 A.8, floating point) after each, ns; from the stream's second packet on.
    #[serde(with = "whole_microseconds")]
    pub interarrival_jitter_sum: i64,
    /// How many values that sum has.
    pub interarrival_jitter_count: u32,
    /// Largest J, ns.
    #[serde(with = "whole_microseconds")]
    pub interarrival_jitter_max: i64,
    /// Coarse histogram of transit above `transit_min`: (bucket of [`Scale::STREAM`], count), ascending.
    pub pdv: Vec<(u8, u16)>,
}

/// The packets of a leg that were due in one second, as one receiving thread saw them: what delay
/// variation is attributed by. A packet's place is when it was due, so that what held it at the sender,
/// on the path or at the receiver lies in the same second. Several of these may speak of one second:
/// they add up.
///
/// *Above* is a packet's transit above its stream's least so far, drift taken off. *Common* is the part
/// of it that all streams shared at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueSecond {
    /// The leg.
    pub leg: Leg,
    /// The second of run time (of being due).
    pub second: u32,
    /// Distinct packets that arrived.
    pub packets: u32,
    /// Sum of above, ns.
    #[serde(with = "whole_microseconds")]
    pub above_sum: i64,
    /// Largest above, ns.
    #[serde(with = "whole_microseconds")]
    pub above_max: i64,
    /// Packets whose common part is known: enough others were due with them.
    pub common_packets: u32,
    /// Sum of their common parts, ns.
    #[serde(with = "whole_microseconds")]
    pub common_sum: i64,
    /// The common part of the packet with the largest above, ns; none when it is not known.
    pub common_at_max: Option<i64>,
    /// Sum of `taken` minus `arrived`, ns.
    #[serde(with = "whole_microseconds")]
    pub taken_after_sum: i64,
    /// Largest of those, ns.
    #[serde(with = "whole_microseconds")]
    pub taken_after_max: i64,
}

/// How an end kept its own time in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacingSecond {
    /// The second of run time (of being due).
    pub second: u32,
    /// Packets that were due.
    pub planned: u32,
    /// Packets sent.
    pub sent: u32,
    /// Slots not sent (tester) or ticks missed (guest).
    pub not_sent: u32,
    /// Coarse histogram of lateness, departure minus due: see [`Scale::LEG`].
    pub lateness: Vec<(u8, u32)>,
    /// Largest lateness, ns, sent or not.
    pub lateness_max: i64,
}

/// Octets and packets one end put on the network in one second, as a NIC counts them: the IP packet plus 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentSecond {
    /// The second of run time.
    pub second: u32,
    /// RTP packets.
    pub rtp_packets: u32,
    /// RTP octets.
    pub rtp_octets: u64,
    /// RTCP octets.
    pub rtcp_octets: u64,
    /// Transfer octets, with TCP headers, acknowledgements and retransmissions.
    pub transfer_octets: u64,
    /// Control octets, likewise.
    pub control_octets: u64,
    /// TCP segments retransmitted on the transfer connections.
    pub retransmissions: u32,
    /// Octets the interface itself counted as sent, when it was known.
    pub nic_octets: Option<u64>,
    /// Octets the interface counted as received.
    pub nic_received_octets: Option<u64>,
}

/// Transfers of files from one end in one second, by that end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferSecond {
    /// The second of run time.
    pub second: u32,
    /// Transfers under way at its end.
    pub under_way: u32,
    /// Files that the other end confirmed, their checksums right.
    pub completed: u32,
    /// Transfers that broke off or were refused: such a file is sent again, and counts as completed only then.
    pub broken: u32,
    /// What the pace allowed, octets as a network interface counts; none where files go as TCP does.
    pub allowed_octets: Option<u64>,
    /// What the other end's TCP acknowledged, octets without headers.
    pub acknowledged_octets: u64,
    /// Segments sent again.
    pub retransmissions: u32,
    /// The longest of any connection's times without an acknowledgement while something was outstanding, ms.
    pub stalled_ms: u32,
    /// The largest smoothed round trip of any connection, us; none when nothing was sent.
    pub round_trip_us: Option<u32>,
}

/// State of an end's host in one second; null where it could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostSecond {
    /// The second of run time.
    pub second: u32,
    /// CPU in use over all cores, percent.
    pub cpu_percent: Option<f32>,
    /// Time stolen by the hypervisor, percent.
    pub steal_percent: Option<f32>,
    /// This process's CPU, percent of one core.
    pub process_cpu_percent: Option<f32>,
    /// The largest share of the second that a packet thread ran, percent.
    pub running_percent: Option<f32>,
    /// The largest share of the second that a packet thread was runnable and did not run, percent: a processor short
    /// of time, whatever its use is. Time that a thread sleeps, or spins on purpose, is no part of it.
    pub runnable_percent: Option<f32>,
    /// Packets dropped at our sockets since the run began (`SO_RXQ_OVFL`, `SO_MEMINFO`).
    pub socket_drops: u64,
    /// Recorder frames dropped since the run began because the disk did not keep up.
    pub recorder_drops: u64,
    /// Largest realtime clock step seen against the monotonic clock in this second, ns.
    pub clock_step: i64,
}

/// Nanoseconds kept as whole microseconds, rounded to the nearest.
mod whole_microseconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    pub(super) fn serialize<S: Serializer>(ns: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        ns.saturating_add(500)
            .div_euclid(1000)
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        i64::deserialize(deserializer).map(|us| us.saturating_mul(1000))
    }
}
