//! Octets that the control and transfer connections put on the network.

use milliwatt_wire::clock::mono_now;
use milliwatt_wire::socket::{TcpCounters, tcp_counters};
use milliwatt_wire::time::{MonoTime, NS_PER_MS};
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
    /// Files that this end sends.
    Transfer,
    /// Files that the other end sends: acknowledgements and receipts go out.
    Reception,
}

#[derive(Debug)]
struct Metered {
    id: u64,
    socket: OwnedFd,
    purpose: Purpose,
    seen: TcpCounters,
    /// Since when something was outstanding each time it was looked.
    outstanding_since: Option<MonoTime>,
    /// The longest wait for an acknowledgement since the last reading, ms.
    stalled_ms: u32,
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
    /// Octets of files that the other end's TCP acknowledged, with TLS and without TCP headers.
    pub acknowledged: u64,
    /// The longest time without an acknowledgement while something of a file was outstanding, ms, as far as it was
    /// looked ([`TcpMeter::watch`]).
    pub stalled_ms: u32,
    /// The largest smoothed round trip of connections that sent something of a file, us.
    pub round_trip_us: Option<u32>,
}

impl Metered {
    fn read_into(&mut self, sent: &mut TcpSent) {
        let Some(now) = tcp_counters(self.socket.as_fd()) else {
            return;
        };
        self.look(&now, mono_now());
        let seen = std::mem::replace(&mut self.seen, now);
        let octets = now.octets_sent.saturating_sub(seen.octets_sent)
            + u64::from(now.segments_out.saturating_sub(seen.segments_out))
                * SEGMENT_OVERHEAD_OCTETS;
        if self.purpose == Purpose::Control {
            sent.control += octets;
            return;
        }
        sent.transfer += octets;
        sent.retransmissions += now.retransmissions.saturating_sub(seen.retransmissions);
        if self.purpose == Purpose::Transfer {
            self.read_file_transfer(sent, &seen);
        }
    }

    fn read_file_transfer(&mut self, sent: &mut TcpSent, seen: &TcpCounters) {
        sent.acknowledged += acknowledged(&self.seen).saturating_sub(acknowledged(seen));
        sent.stalled_ms = sent.stalled_ms.max(std::mem::take(&mut self.stalled_ms));
        if self.seen.octets_sent > seen.octets_sent {
            sent.round_trip_us = sent.round_trip_us.max(Some(self.seen.round_trip_us));
        }
    }

    /// How long nothing was acknowledged while something was outstanding. What the system says counts from the last
    /// acknowledgement, also through times in which none was due.
    fn look(&mut self, counters: &TcpCounters, now: MonoTime) {
        if counters.unacknowledged == 0 {
            self.outstanding_since = None;
            return;
        }
        let since = *self.outstanding_since.get_or_insert(now);
        let ours = u32::try_from((now - since) / NS_PER_MS).unwrap_or(u32::MAX);
        let waited = counters.last_acknowledgement_ms.min(ours);
        self.stalled_ms = self.stalled_ms.max(waited);
    }
}

/// Octets of data acknowledged: the system counts the SYN of the end that dialled as one, and whatever was
/// acknowledged was sent, once or again.
fn acknowledged(counters: &TcpCounters) -> u64 {
    let once = counters
        .octets_sent
        .saturating_sub(counters.octets_sent_again);
    counters.octets_acknowledged.min(once)
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
            outstanding_since: None,
            stalled_ms: 0,
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

    /// Looks whether the other end still acknowledges: some times a second, between readings.
    pub fn watch(&self) {
        let now = mono_now();
        for connection in &mut self.lock().connections {
            if connection.purpose != Purpose::Transfer {
                continue;
            }
            if let Some(counters) = tcp_counters(connection.socket.as_fd()) {
                connection.look(&counters, now);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Meters> {
        self.meters
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    /// Over loopback, in both directions of dialling: what the receiver read is what was acknowledged, to the octet, once
    /// nothing is outstanding.
    #[test]
    fn what_is_acknowledged_is_what_the_receiver_read() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let dialled = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        for (mut sender, mut receiver) in [
            (dialled.try_clone().unwrap(), accepted.try_clone().unwrap()),
            (accepted, dialled),
        ] {
            let meter = Arc::new(TcpMeter::default());
            let guard = meter.add(&sender, Purpose::Transfer).unwrap();
            meter.read(); // what the other direction's part left
            let octets = 3_000_001;
            let writing = std::thread::spawn(move || {
                sender.write_all(&vec![7; octets]).unwrap();
                sender
            });
            receiver.read_exact(&mut vec![0; octets]).unwrap();
            let sender = writing.join().unwrap();
            while tcp_counters(sender.as_fd()).unwrap().unacknowledged > 0 {
                std::thread::yield_now();
            }
            let sent = meter.read();
            assert_eq!(sent.acknowledged, 3_000_001);
            assert!(sent.round_trip_us.is_some());
            assert_eq!(meter.read().acknowledged, 0);
            assert_eq!(meter.read().round_trip_us, None, "nothing more was sent");
            drop(guard);
        }
    }

    #[test]
    fn a_wait_counts_from_when_something_was_outstanding() {
        let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut metered = Metered {
            id: 0,
            socket: socket.into(),
            purpose: Purpose::Transfer,
            seen: TcpCounters::default(),
            outstanding_since: None,
            stalled_ms: 0,
        };
        let mut look = |ms: i64, unacknowledged, last_acknowledgement_ms| {
            let counters = TcpCounters {
                unacknowledged,
                last_acknowledgement_ms,
                ..TcpCounters::default()
            };
            metered.look(&counters, MonoTime(ms * NS_PER_MS));
            metered.stalled_ms
        };
        assert_eq!(look(0, 0, 5000), 0, "nothing was to be acknowledged");
        assert_eq!(look(50, 3, 5050), 0, "it was sent within the last 50 ms");
        assert_eq!(look(150, 3, 5150), 100);
        assert_eq!(look(200, 3, 20), 100, "the longest is kept");
        assert_eq!(look(450, 3, 270), 270);
    }
}
