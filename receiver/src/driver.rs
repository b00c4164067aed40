//! Reading the sockets of many ports: the part of a receiving thread that asks the system. What is done with a
//! datagram is the [`Listener`]'s.

use milliwatt_wire::capture::Channel;
use milliwatt_wire::clock::{ClockPair, StampClock, mono_now};
use milliwatt_wire::socket::{Datagram, MediaSocket, Poller, ReceiveBatch};
use milliwatt_wire::time::{MonoTime, RunClock, RunTime};
use std::io;

/// Datagrams of one socket that are read at a time. A stream has one each 20 ms, so that one mostly waits; after a
/// stall the rest is read in the next round.
const BATCH: usize = 4;
/// Rounds of one reading: house is kept even under a flood.
const ROUNDS: usize = 64;

/// When a datagram came, in run time of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// By the kernel's stamp; where it gives none, when it was read.
    pub arrived: RunTime,
    /// When it was read.
    pub taken: RunTime,
}

/// What a receiving thread does with what it reads.
pub trait Listener {
    /// A socket of port pair `port`.
    fn socket(&self, port: usize, channel: Channel) -> &MediaSocket;

    /// A socket has something to tell; `stamps` maps the kernel's stamps to this host's monotonic clock.
    fn is_ready(&mut self, _port: usize, _channel: Channel, _stamps: &StampClock) {}

    /// Takes a datagram.
    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, moment: Moment);
}

/// Reads the sockets of many port pairs.
pub struct SocketReader {
    poller: Poller,
    batch: ReceiveBatch,
    stamps: StampClock,
    clock: RunClock,
}

impl SocketReader {
    /// A reader of the port pairs given, numbered in their order.
    pub fn new<'p>(
        ports: impl Iterator<Item = (&'p MediaSocket, &'p MediaSocket)>,
        clock: RunClock,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        for (port, (rtp, rtcp)) in (0_u32..).zip(ports) {
            poller.add(rtp, port * 2)?;
            poller.add(rtcp, port * 2 + 1)?;
        }
        Ok(Self {
            poller,
            batch: ReceiveBatch::new(BATCH),
            stamps: StampClock::new(ClockPair::read()),
            clock,
        })
    }

    /// Reads what waits, without blocking, until nothing does or it is `until`. A round in which every socket was read
    /// empty is the last: what came meanwhile has its stamp, and is read the next time.
    pub fn read(&mut self, listener: &mut impl Listener, until: MonoTime) {
        self.stamps.turn(ClockPair::read());
        for _ in 0..ROUNDS {
            let Ok(tokens) = self.poller.wait(Some(0)) else {
                return;
            };
            let mut is_empty = tokens.len() < Poller::MOST;
            for token in tokens {
                let channel = if token % 2 == 0 {
                    Channel::Rtp
                } else {
                    Channel::Rtcp
                };
                let port = (token / 2) as usize;
                listener.is_ready(port, channel, &self.stamps);
                let clocks = (&self.stamps, self.clock);
                let count = take_batch(&mut self.batch, listener, (port, channel), clocks);
                is_empty &= count < BATCH;
            }
            if is_empty || mono_now() >= until {
                return;
            }
        }
    }
}

/// Hands on what waits at one socket, a batch of it; gives how many datagrams that were.
fn take_batch(
    batch: &mut ReceiveBatch,
    listener: &mut impl Listener,
    (port, channel): (usize, Channel),
    (stamps, clock): (&StampClock, RunClock),
) -> usize {
    // An error of a socket is its peer's or its port's; the others go on.
    let count = batch.receive(listener.socket(port, channel)).unwrap_or(0);
    if count == 0 {
        return 0;
    }
    let taken = clock.run(mono_now());
    for datagram in (0..count).map(|index| batch.datagram(index)) {
        let stamp = datagram.arrived_wall_ns;
        let arrived = stamp.map_or(taken, |wall| clock.run(stamps.mono_of(wall)));
        listener.take(port, channel, &datagram, Moment { arrived, taken });
    }
    count
}
