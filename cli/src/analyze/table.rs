//! All sources of the captures that are or may be RTP streams, in bounded memory.

use super::codec::static_clock;
use super::packet::{Content, Packet};
use super::round::Round;
use super::seconds::Seconds;
use super::signalling::{Mapped, Signalling};
use super::stream::{Seen, State, Stream};
use milliwatt_wire::id::Leg;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// Sources that are held until it is clear what they are; beyond, the oldest is given up.
const UNDECIDED_MAX: usize = 8192;

/// Source, destination and synchronisation source: what makes a stream one.
#[derive(Clone, Copy, Debug, Eq)]
pub struct Key {
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// Synchronisation source.
    pub ssrc: u32,
}

impl Key {
    /// What is not an address.
    #[inline]
    fn numbers(&self) -> u64 {
        let ports = u64::from(self.source.port()) << 16 | u64::from(self.destination.port());
        u64::from(self.ssrc) << 32 | ports
    }
}

impl PartialEq for Key {
    /// By as little as tells: this is done for every packet, and a capture has neither flow labels nor scopes.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers()
            && self.destination.ip() == other.destination.ip()
            && self.source.ip() == other.source.ip()
    }
}

impl Hash for Key {
    /// In three words: this is done for every packet.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.numbers());
        for address in [self.source.ip(), self.destination.ip()] {
            match address {
                IpAddr::V4(address) => state.write_u32(address.to_bits()),
                IpAddr::V6(address) => state.write_u128(address.to_bits()),
            }
        }
    }
}

/// A source.
#[derive(Debug)]
pub struct Entry {
    /// Whose.
    pub key: Key,
    /// What is known of it.
    pub stream: Stream,
    /// What SDP says of it, by the receiver's address: index of the call.
    pub sip_call: Option<usize>,
    /// Name of its codec by SDP.
    pub codec: Option<String>,
    /// Has SDP said anything of its payload types.
    is_told: bool,
    leg: Option<Leg>,
    second: usize,
}

/// Sources by key.
#[derive(Debug, Default)]
pub struct Table {
    by_key: HashMap<Key, usize, foldhash::fast::RandomState>,
    entries: Vec<Option<Box<Entry>>>,
    free: Vec<usize>,
    undecided: VecDeque<usize>,
    /// Packets of sources that turned out to be no RTP.
    pub rejected_packets: u64,
    /// The address that legs are named from.
    centre: Option<IpAddr>,
    /// What was counted by time.
    pub seconds: Seconds,
    /// Taken, not measured yet.
    round: Round,
}

impl Table {
    /// Nothing seen; legs are named from `centre`, when it is known, else from the first stream's receiver.
    #[must_use]
    pub fn new(centre: Option<IpAddr>) -> Self {
        Self {
            centre,
            ..Self::default()
        }
    }

    /// The address that legs were named from.
    #[must_use]
    pub fn centre(&self) -> Option<IpAddr> {
        self.centre
    }

    /// Takes what may be an RTP packet; it is measured with the others of its round.
    #[inline]
    pub fn take(&mut self, key: Key, packet: Packet, signalling: &Signalling) {
        if !self.round.has_room(packet.at) {
            self.measure(signalling);
        }
        let index = match self.by_key.get(&key) {
            Some(index) => *index,
            None => self.open(key, packet.payload_type, signalling),
        };
        self.round.put(index, packet);
    }

    /// Measures what was taken: before signalling says anything else of it.
    pub fn measure(&mut self, signalling: &Signalling) {
        let Self {
            round,
            entries,
            seconds,
            rejected_packets,
            ..
        } = self;
        round.empty(|index, packet| {
            if let Some(entry) = entries.get_mut(index).and_then(Option::as_deref_mut) {
                *rejected_packets += entry.take(*packet, signalling, seconds);
            }
        });
    }

    fn open(&mut self, key: Key, payload_type: u8, signalling: &Signalling) -> usize {
        if self.undecided.len() >= UNDECIDED_MAX {
            self.measure(signalling);
            self.give_up_oldest();
        }
        let entry = Box::new(self.entry(key, payload_type, signalling));
        let index = self.free.pop().unwrap_or(self.entries.len());
        if index == self.entries.len() {
            self.entries.push(Some(entry));
        } else {
            self.entries[index] = Some(entry);
        }
        self.by_key.insert(key, index);
        self.undecided.push_back(index);
        index
    }

    fn entry(&mut self, key: Key, payload_type: u8, signalling: &Signalling) -> Entry {
        let media = signalling
            .media_at(key.destination)
            .or_else(|| signalling.media_at(key.source));
        let mapped = media.and_then(|media| media.mapped(payload_type));
        // RFC 3551 holds for static types, whatever SDP says of their clocks.
        let clock = static_clock(payload_type).or_else(|| mapped.map(Mapped::clock));
        let centre = *self.centre.get_or_insert(key.destination.ip());
        Entry {
            key,
            stream: Stream::new(clock),
            sip_call: media.map(|media| media.call),
            codec: mapped
                .filter(|mapped| mapped.content() == Content::Media)
                .map(|mapped| mapped.name.clone()),
            is_told: media.is_some(),
            leg: leg(&key, centre),
            second: usize::MAX,
        }
    }

    /// Forgets the oldest sources that were never confirmed, up to the first that can go.
    fn give_up_oldest(&mut self) {
        let Some(index) = self.undecided.pop_front() else {
            return;
        };
        let Some(entry) =
            self.entries[index].take_if(|entry| entry.stream.state() != State::Confirmed)
        else {
            return;
        };
        self.rejected_packets += entry.stream.held() as u64;
        self.by_key.remove(&entry.key);
        self.free.push(index);
    }

    /// Ends all streams; gives those that are, in order of their first packet.
    pub fn end(&mut self, signalling: &Signalling) -> Vec<Entry> {
        self.measure(signalling);
        let mut streams = Vec::new();
        for mut entry in std::mem::take(&mut self.entries).into_iter().flatten() {
            let held = entry.stream.held() as u64;
            let Entry { stream, leg, .. } = &mut *entry;
            let seconds = &mut self.seconds;
            stream.end(&mut |at, seen| count(seconds, *leg, at, seen));
            match entry.stream.state() {
                State::Confirmed => streams.push(*entry),
                _ => self.rejected_packets += held,
            }
        }
        streams.sort_by_key(|entry| entry.stream.sums.span);
        streams
    }
}

impl Entry {
    /// Takes a packet; gives how many are known by it to be none of RTP.
    #[inline]
    fn take(&mut self, mut packet: Packet, signalling: &Signalling, seconds: &mut Seconds) -> u64 {
        if self.stream.state() == State::Rejected {
            return 1;
        }
        if self.is_told
            && let Some(told) = content(&self.key, packet.payload_type, signalling)
        {
            packet.content = told;
        }
        let was_held = self.stream.held() as u64 + 1;
        feed(self, packet, seconds);
        match self.stream.state() {
            State::Rejected => was_held,
            _ => 0,
        }
    }
}

/// Lets a stream take a packet, and counts by time what it finds.
fn feed(entry: &mut Entry, packet: Packet, seconds: &mut Seconds) {
    let Entry {
        stream,
        leg,
        second: last,
        ..
    } = entry;
    stream.take(packet, &mut |at, seen| {
        let (Some(leg), Some(second)) = (*leg, seconds.second_of(at)) else {
            return;
        };
        if second != *last && matches!(seen, Seen::Packet { .. }) {
            *last = second;
            seconds.hear(leg, second);
        }
        seconds.note(leg, second, seen);
    });
}

fn count(seconds: &mut Seconds, leg: Option<Leg>, at: i64, seen: Seen) {
    if let (Some(leg), Some(second)) = (leg, seconds.second_of(at)) {
        seconds.note(leg, second, seen);
    }
}

/// Which leg a stream is of, seen from the centre.
#[must_use]
pub fn leg(key: &Key, centre: IpAddr) -> Option<Leg> {
    if key.destination.ip() == centre {
        Some(Leg::Receive)
    } else if key.source.ip() == centre {
        Some(Leg::Sent)
    } else {
        None
    }
}

/// What SDP says that a payload type carries.
fn content(key: &Key, payload_type: u8, signalling: &Signalling) -> Option<Content> {
    let told = |address| signalling.media_at(address)?.mapped(payload_type);
    let mapped = told(key.destination).or_else(|| told(key.source))?;
    Some(mapped.content())
}
