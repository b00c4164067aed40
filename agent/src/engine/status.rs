//! What the media threads of an end share with the rest of it; none of it locks on the packet path.

use milliwatt_wire::clock::mono_now;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::socket::MediaSocket;
use milliwatt_wire::time::RunTime;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What media threads and the session tell each other; on the packet path without locks.
#[derive(Debug)]
pub struct MediaStatus {
    /// Monotonic time of the last valid packet from the other end, ns.
    pub last_valid: AtomicI64,
    /// How fast this clock runs against the other end's, parts per billion.
    pub skew_ppb: AtomicI64,
    /// Run time at which all calls end.
    pub cut: AtomicI64,
    /// All media ends at once.
    pub halt: AtomicBool,
    /// Datagrams that our own sockets dropped.
    pub socket_drops: AtomicU64,
    /// Packets of encrypted streams that did not authenticate.
    pub unauthentic: AtomicU64,
    /// Recorder frames that found the ring full.
    pub recorder_drops: AtomicU64,
    /// Facts that found the ring full: nothing may be lost, so this must stay 0.
    pub fact_drops: AtomicU64,
    /// The packet threads, as the system counts threads: each enters itself once, at its start.
    threads: Mutex<Vec<i32>>,
}

impl Default for MediaStatus {
    fn default() -> Self {
        Self {
            last_valid: AtomicI64::new(mono_now().0),
            skew_ppb: AtomicI64::new(0),
            cut: AtomicI64::new(i64::MAX),
            halt: AtomicBool::new(false),
            socket_drops: AtomicU64::new(0),
            unauthentic: AtomicU64::new(0),
            recorder_drops: AtomicU64::new(0),
            fact_drops: AtomicU64::new(0),
            threads: Mutex::default(),
        }
    }
}

impl MediaStatus {
    /// Has a packet thread's time on the processor watched.
    pub fn watch_thread(&self, thread: i32) {
        if let Ok(mut threads) = self.threads.lock() {
            threads.push(thread);
        }
    }

    /// The packet threads.
    #[must_use]
    pub fn threads(&self) -> Vec<i32> {
        self.threads
            .lock()
            .map(|threads| threads.clone())
            .unwrap_or_default()
    }

    /// How far the clocks have moved apart by `now`, ns, rounded towards zero: exact for skews up to 500 ppm over months.
    #[inline]
    #[must_use]
    pub fn drift(&self, now: RunTime) -> i64 {
        let ppb = self.skew_ppb.load(Ordering::Relaxed);
        // In us, so that the product fits: this is asked for every packet.
        ppb.saturating_mul(now.0 / 1000) / 1_000_000
    }
}

/// Facts of one media thread on their way to the collector.
pub struct FactRing {
    ring: rtrb::Producer<Fact>,
    status: Arc<MediaStatus>,
}

impl FactRing {
    /// A ring whose drops are counted in `status`.
    #[must_use]
    pub fn new(ring: rtrb::Producer<Fact>, status: &Arc<MediaStatus>) -> Self {
        Self {
            ring,
            status: Arc::clone(status),
        }
    }

    /// Where facts are said.
    pub fn sink(&mut self) -> impl FnMut(Fact) {
        |fact| {
            if self.ring.push(fact).is_err() {
                self.status.fact_drops.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Drops of one socket, as far as they have been counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct SocketDrops {
    seen: u64,
}

impl SocketDrops {
    /// Counts what a datagram tells (`SO_RXQ_OVFL`: cumulative, with the next datagram only).
    #[inline]
    pub fn note(&mut self, told: Option<u32>, status: &MediaStatus) {
        self.count(told.map_or(0, u64::from), status);
    }

    /// Counts what no datagram told (`SO_MEMINFO`), at the end.
    pub fn conclude(&mut self, socket: &MediaSocket, status: &MediaStatus) {
        self.count(socket.dropped(), status);
    }

    fn count(&mut self, total: u64, status: &MediaStatus) {
        if total > self.seen {
            status
                .socket_drops
                .fetch_add(total - self.seen, Ordering::Relaxed);
            self.seen = total;
        }
    }
}
