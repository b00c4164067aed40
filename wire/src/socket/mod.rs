//! Sockets for media: what the packet path needs of the operating system and no crate offers whole
//! (batched receiving with kernel timestamps, arrived DSCP and drop counters; a poller that does
//! not allocate). The types here are portable; `linux.rs` asks the system, and is the only place
//! with unsafe code.
//!
//! Receive offload (`UDP_GRO`) stays off: it stamps one time on several coalesced packets.

mod ancillary;
mod batch;
mod connection;
mod linux;
mod media;
mod poller;
mod process;
#[cfg(test)]
mod tests;

pub use ancillary::{Ancillary, parse_ancillary};
pub use batch::{DATAGRAM_OCTETS, Datagram, ReceiveBatch};
pub use connection::{bound_silence, bound_unsent};
pub use linux::{return_large_memory, tcp_counters};
pub use media::MediaSocket;
pub use poller::Poller;
pub use process::{
    allowed_processors, lock_memory, pin_to_cpu, raise_file_limit, request_real_time, scheduled,
    thread_id,
};

use std::io;
use std::net::{IpAddr, SocketAddr};

/// How a media socket is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// DSCP that its packets carry, 0 to 63 (RFC 2474).
    pub dscp: u8,
    /// Octets the kernel may queue for it, with its own bookkeeping of some 600 octets a packet;
    /// none leaves the system's default. Cut to `net.core.rmem_max` without `CAP_NET_ADMIN`.
    pub receive_buffer: Option<usize>,
}

/// Why a media socket could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The system refused an operation on the socket.
    #[error("cannot {operation} the UDP socket of {address}: {source}")]
    System {
        /// What was asked: `open`, `bind`, `set DSCP on` and the like.
        operation: &'static str,
        /// The socket's address, or its peer's for `connect`.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// Every pair of the range is in use or was handed out.
    #[error(
        "no free pair of UDP ports (even RTP, odd RTCP) is left in {first}-{last} on {ip}: \
         stop what uses them or widen the range (--media-ports)"
    )]
    RangeExhausted {
        /// The local address.
        ip: IpAddr,
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
    },
}

/// What became of one datagram handed to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// The system took it.
    Sent,
    /// The send buffer is full: not taken.
    WouldBlock,
    /// Refused with this error number (`errno`).
    Refused(i32),
}

/// Counters of one TCP connection since it was opened (`TCP_INFO`; RFC 4898 names in brackets).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpCounters {
    /// Segments sent, pure acknowledgements included (`SegsOut`).
    pub segments_out: u32,
    /// Segments received (`SegsIn`).
    pub segments_in: u32,
    /// Payload octets sent, retransmissions included (`HCDataOctetsOut`).
    pub octets_sent: u64,
    /// Of those, sent again.
    pub octets_sent_again: u64,
    /// Payload octets received (`HCThruOctetsReceived`).
    pub octets_received: u64,
    /// Segments retransmitted.
    pub retransmissions: u32,
    /// Payload octets that the other end acknowledged (`HCThruOctetsAcked`).
    pub octets_acknowledged: u64,
    /// Smoothed round-trip time, us (`SmoothedRTT`).
    pub round_trip_us: u32,
    /// Segments sent and not acknowledged.
    pub unacknowledged: u32,
    /// Time since the last acknowledgement came, ms.
    pub last_acknowledgement_ms: u32,
}
