//! Reading the sockets of many ports: the part of a receiving thread that asks the system. What is done with a
//! datagram is the [`Listener`]'s.

use milliwatt_wire::capture::Channel;
use milliwatt_wire::clock::{ClockPair, StampClock, mono_now};
use milliwatt_wire::socket::{Datagram, MediaSocket, Poller, ReceiveBatch};
use milliwatt_wire::time::{MonoTime, RunClock, RunTime};
use std::io;

/// Datagrams of one socket that are read at a time where more wait than were looked for: after a stall, or behind a queue.
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

    /// A datagram of port pair `port` is read soon. What it needs of hundreds of streams is not in the processor's cache:
    /// touched for all of a round at once, it comes while the others are on their way.
    fn expect(&self, _port: usize) {}

    /// A socket has something to tell; `stamps` maps the kernel's stamps to this host's monotonic clock.
    fn is_ready(&mut self, _port: usize, _channel: Channel, _stamps: &StampClock) {}

    /// Takes a datagram.
    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, moment: Moment);
}

/// Reads the sockets of many port pairs.
pub struct SocketReader {
    poller: Poller,
    batch: ReceiveBatch,
    /// Datagrams looked for in the first round.
    first: usize,
    stamps: StampClock,
    clock: RunClock,
}

impl SocketReader {
    /// A reader of the port pairs given, numbered in their order. Their sockets are connected to their peers. At most
    /// `waiting` packets of a stream are there where it is read in time: a stream has one each 20 ms.
    pub fn new<'p>(
        ports: impl Iterator<Item = (&'p MediaSocket, &'p MediaSocket)>,
        waiting: usize,
        clock: RunClock,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        for (port, (rtp, rtcp)) in (0_u32..).zip(ports) {
            poller.add(rtp, port * 2)?;
            poller.add(rtcp, port * 2 + 1)?;
        }
        Ok(Self {
            poller,
            batch: ReceiveBatch::of_connected(waiting.max(BATCH)),
            first: waiting.max(1),
            stamps: StampClock::new(ClockPair::read()),
            clock,
        })
    }

    /// Reads what waits, without blocking, until nothing does or it is `until`. In the first round what is there in time
    /// is read of each socket, and only where more waits is there a next. True when nothing was left.
    pub fn read(&mut self, listener: &mut impl Listener, until: MonoTime) -> bool {
        self.stamps.turn(ClockPair::read());
        for round in 0..ROUNDS {
            let Ok(tokens) = self.poller.wait(Some(0)) else {
                return false;
            };
            if tokens.is_empty() {
                return true;
            }
            if round > 0 && mono_now() >= until {
                return false;
            }
            let most = if round == 0 { self.first } else { BATCH };
            for token in tokens {
                listener.expect((token / 2) as usize);
            }
            for token in tokens {
                let channel = if token % 2 == 0 {
                    Channel::Rtp
                } else {
                    Channel::Rtcp
                };
                let port = (token / 2) as usize;
                listener.is_ready(port, channel, &self.stamps);
                let clocks = (&self.stamps, self.clock);
                take_batch((&mut self.batch, most), listener, (port, channel), clocks);
            }
        }
        false
    }
}

/// Hands on what waits at one socket, at most so many datagrams of it.
fn take_batch(
    (batch, most): (&mut ReceiveBatch, usize),
    listener: &mut impl Listener,
    (port, channel): (usize, Channel),
    (stamps, clock): (&StampClock, RunClock),
) {
    // An error of a socket is its peer's or its port's; the others go on.
    let count = batch
        .receive_up_to(most, listener.socket(port, channel))
        .unwrap_or(0);
    if count == 0 {
        return;
    }
    let taken = clock.run(mono_now());
    for datagram in (0..count).map(|index| batch.datagram(index)) {
        let stamp = datagram.arrived_wall_ns;
        let arrived = stamp.map_or(taken, |wall| clock.run(stamps.mono_of(wall)));
        listener.take(port, channel, &datagram, Moment { arrived, taken });
    }
}
