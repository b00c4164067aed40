//! Octets that the control and transfer connections put on the network.

use milliwatt_wire::socket::{TcpCounters, tcp_counters};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

/// Ethernet 14, IPv4 20, TCP 20 with timestamps 12: what a NIC counts beside a segment's data.
const SEGMENT_OVERHEAD_OCTETS: u64 = 66;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Control messages and facts.
    Control,
    /// Recordings.
    Transfer,
}

#[derive(Debug)]
struct Metered {
    id: u64,
    socket: OwnedFd,
    purpose: Purpose,
    seen: TcpCounters,
}

#[derive(Debug, Default)]
struct Meters {
    next_id: u64,
    connections: Vec<Metered>,
    /// Sent since the last reading by connections that have closed.
    closed: TcpSent,
}

/// Meters of all connections of a session.
#[derive(Debug, Default)]
pub struct TcpMeter {
    meters: Mutex<Meters>,
}

/// Meters one connection until it is dropped.
#[derive(Debug)]
pub struct MeterGuard {
    meter: Arc<TcpMeter>,
    id: u64,
}

impl Drop for MeterGuard {
    fn drop(&mut self) {
        let mut meters = self.meter.lock();
        if let Some(place) = meters.connections.iter().position(|c| c.id == self.id) {
            let mut last = meters.connections.swap_remove(place);
            last.read_into(&mut meters.closed);
        }
    }
}

/// What was sent since the last reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpSent {
    /// Octets of control connections, headers included.
    pub control: u64,
    /// Octets of transfer connections, headers included.
    pub transfer: u64,
    /// Segments that transfer connections sent again.
    pub retransmissions: u32,
}

impl Metered {
    fn read_into(&mut self, sent: &mut TcpSent) {
        let Some(now) = tcp_counters(self.socket.as_fd()) else {
            return;
        };
        let seen = std::mem::replace(&mut self.seen, now);
        let octets = now.octets_sent.saturating_sub(seen.octets_sent)
            + u64::from(now.segments_out.saturating_sub(seen.segments_out))
                * SEGMENT_OVERHEAD_OCTETS;
        match self.purpose {
            Purpose::Control => sent.control += octets,
            Purpose::Transfer => {
                sent.transfer += octets;
                sent.retransmissions += now.retransmissions.saturating_sub(seen.retransmissions);
            }
        }
    }
}

impl TcpMeter {
    /// Meters a connection from now on, as long as the guard lives.
    pub fn add(self: &Arc<Self>, socket: &impl AsFd, purpose: Purpose) -> io::Result<MeterGuard> {
        let socket = socket.as_fd().try_clone_to_owned()?;
        let mut meters = self.lock();
        let id = meters.next_id;
        meters.next_id += 1;
        meters.connections.push(Metered {
            id,
            socket,
            purpose,
            seen: TcpCounters::default(),
        });
        Ok(MeterGuard {
            meter: Arc::clone(self),
            id,
        })
    }

    /// What was sent since the last reading.
    pub fn read(&self) -> TcpSent {
        let mut meters = self.lock();
        let mut sent = std::mem::take(&mut meters.closed);
        meters
            .connections
            .iter_mut()
            .for_each(|c| c.read_into(&mut sent));
        sent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Meters> {
        self.meters
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
