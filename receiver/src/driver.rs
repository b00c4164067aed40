//! Reading the sockets of many ports: the part of a receiving thread that asks the system. What is done with a
//! datagram is the [`Listener`]'s.

mod turns;

use self::turns::Turns;
use milliwatt_wire::capture::Channel;
use milliwatt_wire::clock::{ClockPair, StampClock, mono_now};
use milliwatt_wire::socket::{DATAGRAM_OCTETS, Datagram, MediaSocket, Poller, ReceiveBatch};
use milliwatt_wire::time::{MonoTime, RunClock, RunTime};
use std::io;

/// Datagrams of one socket that are read at a time where more wait than were looked for: after a stall, or behind a queue.
const BATCH: usize = 4;
/// Where the last reading did not get through, a socket is read so many times in a row before the next one's turn: a flood at one
/// does not keep the others waiting.
const IN_A_ROW: usize = 64;
/// Rounds of one reading: house is kept even under a flood.
const ROUNDS: usize = 64;
/// So many sockets are expected together, before those ahead of them are read: what they need comes side by side, and is not out
/// of the cache again by their turn.
const GROUP: usize = 4;

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
    /// touched together ahead of time, it comes while others are read.
    fn expect(&self, _port: usize) {}

    /// A socket has something to tell; `stamps` maps the kernel's stamps to this host's monotonic clock.
    fn is_ready(&mut self, _port: usize, _channel: Channel, _stamps: &StampClock) {}

    /// Takes a datagram.
    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, moment: Moment);
}

/// Where a reading ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When each RTP socket had its turn, whether or not something waits there: for a thread that comes so seldom that
    /// something waits at nearly all, and to be told at which saves nothing.
    Each,
    /// At what waited when it began; what comes meanwhile waits for the next. To look for a packet or two at a time costs
    /// as much again as to read them.
    Begun,
    /// When nothing more comes: for a thread that answers at once.
    Empty,
}

/// Reads the sockets of many port pairs.
pub struct SocketReader {
    poller: Poller,
    batch: ReceiveBatch,
    /// Octets that are fetched of an RTP packet.
    rtp_octets: usize,
    until: Until,
    turns: Turns,
    /// Datagrams looked for in the first round.
    first: usize,
    /// The last reading did not get through.
    is_behind: bool,
    stamps: StampClock,
    clock: RunClock,
}

impl SocketReader {
    /// A reader of the port pairs given, numbered in their order. Their sockets are connected to their peers. At most
    /// `waiting` packets of a stream are there where it is read in time: a stream has one each 20 ms.
    pub fn new<'p>(
        ports: impl Iterator<Item = (&'p MediaSocket, &'p MediaSocket)>,
        waiting: usize,
        until: Until,
        clock: RunClock,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let mut sockets = 0;
        for (port, (rtp, rtcp)) in (0_u32..).zip(ports) {
            if until != Until::Each {
                poller.add(rtp, port * 2)?;
            }
            poller.add(rtcp, port * 2 + 1)?;
            sockets += 2;
        }
        Ok(Self {
            poller,
            rtp_octets: DATAGRAM_OCTETS,
            until,
            turns: Turns::of(sockets),
            batch: ReceiveBatch::of_connected(waiting.max(BATCH)),
            first: waiting.max(1),
            is_behind: false,
            stamps: StampClock::new(ClockPair::read()),
            clock,
        })
    }

    /// The same which fetches no more of an RTP packet than so many octets: what nobody looks at costs as much as what
    /// they do look at.
    #[must_use]
    pub fn with_rtp_octets(mut self, octets: usize) -> Self {
        self.rtp_octets = octets;
        self
    }

    /// Reads what waits, without blocking, until all of it is read or it is `until`. In the first round what is there in
    /// time is read of each socket, and in the next of those that gave as much as they were asked for. One socket is read in any case. Where it does
    /// not get through, the next reading goes on at the socket where this one ended, and reads one after the other until
    /// it is empty: the streams of the first are up to date soon, and those of the last no later than otherwise. True when
    /// all is read that waited as it began.
    pub fn read(&mut self, listener: &mut impl Listener, until: MonoTime) -> bool {
        self.stamps.turn(ClockPair::read());
        let all = self.read_rounds(listener, until);
        self.is_behind = !all;
        all
    }

    /// Reads the RTP socket of one port until it is empty, out of its turn: also past `until`, since a stream of which a part
    /// is read is no nearer to being heard. False when it is `until` by then.
    pub fn read_port(
        &mut self,
        port: usize,
        listener: &mut impl Listener,
        until: MonoTime,
    ) -> bool {
        let Ok(token) = u32::try_from(port * 2) else {
            return true;
        };
        let never = MonoTime(i64::MAX);
        let read = self.drain(listener, (token, BATCH, IN_A_ROW), never);
        read.last.is_none_or(|begun| begun < until)
    }

    fn read_rounds(&mut self, listener: &mut impl Listener, until: MonoTime) -> bool {
        self.turns.begin_round();
        if !self.look() {
            return false;
        }
        for round in 0..ROUNDS {
            if self.turns.is_empty() {
                return true;
            }
            if round > 0 && mono_now() >= until {
                return false;
            }
            if !self.read_told(listener, round, until) {
                return false;
            }
            self.turns.begin_round();
            if self.turns.is_empty() && self.until == Until::Empty && !self.look() {
                return false;
            }
        }
        false
    }

    /// Asks which further sockets have something: all that do. False where the system does not say.
    fn look(&mut self) -> bool {
        if self.until == Until::Each {
            self.turns.add_each_rtp();
        }
        loop {
            let Ok(tokens) = self.poller.wait(Some(0)) else {
                return false;
            };
            let added = self.turns.add(tokens);
            if tokens.len() < Poller::MOST || added == 0 {
                return true;
            }
        }
    }

    /// Reads the sockets whose turn it is, each once. False when it is `until` before all had theirs.
    fn read_told(&mut self, listener: &mut impl Listener, round: usize, until: MonoTime) -> bool {
        expect(listener, self.turns.ahead(0));
        loop {
            if self.turns.taken().is_multiple_of(GROUP) {
                expect(listener, self.turns.ahead(GROUP));
            }
            let Some(token) = self.turns.next() else {
                return true;
            };
            let begun = self.read_socket(listener, (token, round), until);
            if begun.is_some_and(|begun| begun >= until) && !self.turns.are_over() {
                return false;
            }
        }
    }

    /// Reads what waits at a socket: what is to be expected there in this round, or all of it. Gives when it was read.
    fn read_socket(
        &mut self,
        listener: &mut impl Listener,
        (token, round): (u32, usize),
        until: MonoTime,
    ) -> Option<MonoTime> {
        let (most, times) = match round {
            _ if self.is_behind => (BATCH, IN_A_ROW),
            0 => (self.first, 1),
            _ => (BATCH, 1),
        };
        let Drained { last, has_more } = self.drain(listener, (token, most, times), until);
        // Where it is looked again until nothing comes, the system tells at less cost that it was all.
        self.turns
            .end(token, has_more && self.until != Until::Empty);
        last
    }

    /// Reads so many datagrams at a time of a socket, and so often, until there are fewer.
    fn drain(
        &mut self,
        listener: &mut impl Listener,
        (token, most, times): (u32, usize, usize),
        until: MonoTime,
    ) -> Drained {
        let mut drained = Drained {
            last: None,
            has_more: true,
        };
        for _ in 0..times {
            let clocks = (&self.stamps, self.clock);
            let wanted = (most, self.rtp_octets);
            let taken = take_batch((&mut self.batch, wanted), listener, token, clocks);
            drained.has_more = taken.is_some_and(|(count, _)| count == most);
            drained.last = taken.map_or(drained.last, |(_, at)| Some(at));
            if !drained.has_more || drained.last.is_some_and(|at| at >= until) {
                break;
            }
        }
        drained
    }
}

/// Has the listener touch what the next sockets need.
fn expect(listener: &impl Listener, ahead: &[u32]) {
    for token in ahead.iter().take(GROUP) {
        listener.expect((token / 2) as usize);
    }
}

/// What became of a socket that was read.
struct Drained {
    /// When it last gave something; none where nothing waited.
    last: Option<MonoTime>,
    /// It gave as much as was asked for.
    has_more: bool,
}

/// Hands on what waits at one socket, at most so many datagrams of it and so many octets of RTP. Gives how many there were, and when it was; none
/// where there were none.
fn take_batch(
    (batch, (most, rtp_octets)): (&mut ReceiveBatch, (usize, usize)),
    listener: &mut impl Listener,
    token: u32,
    (stamps, clock): (&StampClock, RunClock),
) -> Option<(usize, MonoTime)> {
    let (channel, octets) = if token.is_multiple_of(2) {
        (Channel::Rtp, rtp_octets)
    } else {
        (Channel::Rtcp, DATAGRAM_OCTETS)
    };
    let port = (token / 2) as usize;
    listener.is_ready(port, channel, stamps);
    // An error of a socket is its peer's or its port's; the others go on.
    let count = batch
        .receive_up_to((most, octets), listener.socket(port, channel))
        .unwrap_or(0);
    if count == 0 {
        return None;
    }
    let at = mono_now();
    let taken = clock.run(at);
    for datagram in (0..count).map(|index| batch.datagram(index)) {
        let stamp = datagram.arrived_wall_ns;
        let arrived = stamp.map_or(taken, |wall| clock.run(stamps.mono_of(wall)));
        listener.take(port, channel, &datagram, Moment { arrived, taken });
    }
    Some((count, at))
}
