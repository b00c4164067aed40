//! The thread between the media threads' rings and the capture's file.

use super::disk::{Output, Place};
use super::half::{Half, HalfOf, PortRoutes};
use super::headers::Route;
use crate::engine::PortPair;
use milliwatt_wire::capture::{CapturedPacket, Missed, Tap, Way};
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::time::{NS_PER_MS, RunClock, RunTime};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Packets a ring holds: 1.3 s of a thread that sends and receives 500 streams.
const RING: usize = 65_536;
/// How often the rings are emptied, ns.
const POLL_NS: i64 = 100 * NS_PER_MS;
/// So long a packet waits for those that were stamped before it and are read later, ns.
const WAIT_NS: i64 = 300 * NS_PER_MS;

/// Says what went wrong.
pub type Teller = Box<dyn Fn(String) + Send>;

/// A capture that is about to begin: media threads tap into it.
#[derive(Debug, Default)]
pub struct Taps {
    sources: Vec<(rtrb::Consumer<CapturedPacket>, Vec<PortRoutes>)>,
    missed: Arc<Missed>,
    srtp: bool,
}

impl Taps {
    /// Those of a load's media, encrypted or not.
    #[must_use]
    pub fn of_media(srtp: bool) -> Self {
        Self {
            srtp,
            ..Self::default()
        }
    }

    /// A tap for a thread with these ports, which it numbers in their order.
    pub fn open<'p>(&mut self, ports: impl IntoIterator<Item = &'p PortPair>) -> Tap {
        let (ring, out) = rtrb::RingBuffer::new(RING);
        self.sources
            .push((out, ports.into_iter().map(routes).collect()));
        Tap::open(ring, &self.missed).of_media(self.srtp)
    }

    /// Starts the writer's thread, which ends once every tap is gone and what came through them is in the
    /// file. Of what is free on the disk now, `keep_percent` is left.
    pub fn write(
        self,
        (of, clock): (HalfOf, RunClock),
        (place, keep_percent): (Place, u64),
        tell: Teller,
    ) -> io::Result<JoinHandle<()>> {
        let (rings, routes): (Vec<_>, Vec<_>) = self.sources.into_iter().unzip();
        let half = Half::new(of, routes);
        let mut preamble = Vec::new();
        half.preamble(&mut preamble);
        let writer = Writer {
            output: Output::open(place, preamble, keep_percent)?,
            half,
            rings,
            missed: self.missed,
            clock,
            captured: [0; 2],
            stopped: None,
            blocks: Vec::new(),
            tell,
        };
        thread::Builder::new()
            .name("capture".to_owned())
            .spawn(move || writer.run())
    }
}

/// Ports are connected before media begins.
fn routes(port: &PortPair) -> PortRoutes {
    [&port.rtp, &port.rtcp].map(|socket| Route {
        source: socket.local_addr(),
        destination: socket.peer_addr().unwrap_or(socket.local_addr()),
    })
}

struct Writer {
    output: Output,
    half: Half,
    rings: Vec<rtrb::Consumer<CapturedPacket>>,
    missed: Arc<Missed>,
    clock: RunClock,
    /// Departures and arrivals in the file.
    captured: [u64; 2],
    stopped: Option<String>,
    blocks: Vec<u8>,
    tell: Teller,
}

impl Writer {
    fn run(mut self) {
        loop {
            let next = mono_now() + POLL_NS;
            // Looked at before the rings, so that none is left behind.
            let last = self.rings.iter().all(rtrb::Consumer::is_abandoned);
            self.drain();
            if last {
                break;
            }
            self.write_until(self.clock.run(mono_now()) + -WAIT_NS);
            sleep_until(next);
        }
        self.write_until(RunTime(i64::MAX));
        self.finish();
    }

    fn drain(&mut self) {
        for (source, ring) in self.rings.iter_mut().enumerate() {
            while let Ok(packet) = ring.pop() {
                self.half.take(source, packet);
            }
        }
    }

    fn write_until(&mut self, until: RunTime) {
        self.blocks.clear();
        let written = self.half.write_until(until, &mut self.blocks);
        if self.stopped.is_none()
            && let Err(why) = self.output.write(&self.blocks)
        {
            (self.tell)(format!("the capture stopped, the run goes on: {why}"));
            self.stopped = Some(why);
        }
        if self.stopped.is_none() {
            self.captured = [0, 1].map(|way: usize| self.captured[way] + written[way]);
        } else {
            self.missed.count(Way::Departure, written[0]);
            self.missed.count(Way::Arrival, written[1]);
        }
    }

    fn finish(mut self) {
        let missed = self.missed.total();
        let [departures, arrivals] = missed;
        if departures + arrivals > 0 {
            (self.tell)(format!(
                "{departures} departures and {arrivals} arrivals are not in the capture"
            ));
        }
        self.blocks.clear();
        let at = self.clock.run(mono_now());
        let counts = (self.captured, missed);
        self.half
            .epilogue(at, counts, self.stopped, &mut self.blocks);
        if let Err(error) = self.output.finish(&self.blocks) {
            (self.tell)(format!("the capture's end could not be written: {error}"));
        }
    }
}
