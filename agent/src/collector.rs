//! The thread that gathers facts: off the packet path, it drains the media threads' rings, samples
//! the host each second and writes a block.

use crate::engine::MediaStatus;
use crate::meter::{TcpMeter, TcpSent};
use crate::telemetry::{EnvironmentWatch, HostProbe, ThreadShares};
use crate::transfer::TransferLoad;
use milliwatt_wire::block::FactsWriter;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::facts::{Fact, HostSecond, SentSecond, TransferSecond};
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};

/// So long after a second's end each receiving thread has read what came in it, ns: the tester's reads each 100 ms.
const READING_NS: i64 = 220 * NS_PER_MS;

/// Where facts come from and what a second's end adds to them.
pub struct Collector {
    /// Rings of the media threads.
    pub rings: Vec<rtrb::Consumer<Fact>>,
    /// Facts of everyone else.
    pub inbox: mpsc::Receiver<Fact>,
    /// Shared with the media threads.
    pub status: Arc<MediaStatus>,
    /// Connections of the session.
    pub meter: Arc<TcpMeter>,
    /// Files that this end sends.
    pub transfers: Arc<TransferLoad>,
    /// The host.
    pub probe: HostProbe,
    /// Run time on this host.
    pub clock: RunClock,
    second: u32,
    /// When the block of the last second is ready.
    ready_at: RunTime,
    shares: ThreadShares,
    environment: EnvironmentWatch,
    writer: FactsWriter<io::Sink>,
}

impl Collector {
    /// A collector that has seen nothing.
    #[must_use]
    pub fn new(
        rings: Vec<rtrb::Consumer<Fact>>,
        inbox: mpsc::Receiver<Fact>,
        status: Arc<MediaStatus>,
        (meter, transfers): (Arc<TcpMeter>, Arc<TransferLoad>),
        probe: HostProbe,
        clock: RunClock,
    ) -> Self {
        Self {
            rings,
            inbox,
            status,
            meter,
            transfers,
            environment: EnvironmentWatch::new(probe.interface()),
            probe,
            clock,
            second: 0,
            ready_at: RunTime(i64::MAX),
            shares: ThreadShares::default(),
            writer: FactsWriter::new(io::sink()),
        }
    }

    /// Gathers what has come. At a second's end also the host's state; and the block that is ready once the receiving
    /// threads have told of that second too.
    pub fn gather(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.drain();
        self.meter.watch();
        let now = self.clock.run(mono_now());
        if now.0 >= i64::from(self.second + 1) * NS_PER_SECOND {
            self.sample();
            if let Some(fact) = self.environment.look(now) {
                self.writer.push(fact);
            }
            self.second = now.second();
            self.ready_at = RunTime(i64::from(self.second) * NS_PER_SECOND + READING_NS);
        }
        if now < self.ready_at {
            return Ok(None);
        }
        self.ready_at = RunTime(i64::MAX);
        Ok(self.writer.flush_block()?.map(|(_, octets)| octets))
    }

    /// Gathers what is left and closes the log.
    pub fn finish(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.drain();
        let at = self.clock.run(mono_now());
        let lost = self.status.fact_drops.load(Ordering::Relaxed);
        if lost > 0 {
            let text = format!(
                "{lost} facts were lost on this end: its disk or its collector could not keep pace"
            );
            self.writer.push(Fact::Event {
                at,
                kind: "facts-lost".into(),
                text,
            });
        }
        self.sample();
        self.writer.push(self.environment.end(at));
        self.writer.push(Fact::Closed { at });
        Ok(self.writer.flush_block()?.map(|(_, octets)| octets))
    }

    fn drain(&mut self) {
        for ring in &mut self.rings {
            while let Ok(fact) = ring.pop() {
                self.writer.push(fact);
            }
        }
        while let Ok(fact) = self.inbox.try_recv() {
            self.writer.push(fact);
        }
    }

    fn sample(&mut self) {
        let (host, nic) = self.probe.sample(self.second);
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let threads = self.shares.sample(&self.status.threads());
        self.writer.push(Fact::Host(HostSecond {
            running_percent: threads.map(|share| share.running),
            runnable_percent: threads.map(|share| share.runnable),
            socket_drops: load(&self.status.socket_drops),
            recorder_drops: load(&self.status.recorder_drops),
            ..host
        }));
        let sent = self.meter.read();
        self.writer.push(Fact::Sent(SentSecond {
            second: self.second,
            transfer_octets: sent.transfer,
            control_octets: sent.control,
            retransmissions: sent.retransmissions,
            nic_octets: nic.sent_octets,
            nic_received_octets: nic.received_octets,
            ..SentSecond::default()
        }));
        self.tell_transfers(sent);
    }

    /// What was transferred, in seconds in which anything was.
    fn tell_transfers(&mut self, sent: TcpSent) {
        let counted = self.transfers.take_counted();
        let told = TransferSecond {
            second: self.second,
            under_way: counted.under_way,
            completed: counted.completed,
            broken: counted.broken,
            allowed_octets: counted.allowed_octets,
            acknowledged_octets: sent.acknowledged,
            retransmissions: sent.retransmissions,
            stalled_ms: sent.stalled_ms,
            round_trip_us: sent.round_trip_us,
        };
        let is_idle = counted.under_way + counted.completed + counted.broken == 0
            && counted.allowed_octets.is_none_or(|octets| octets == 0)
            && sent.acknowledged == 0;
        if !is_idle {
            self.writer.push(Fact::Transfers(told));
        }
    }
}
