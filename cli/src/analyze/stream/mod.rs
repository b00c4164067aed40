//! One source of a capture: RFC 3550 A.1 and its own timestamps decide whether it is RTP at all and what belongs to
//! it. What A.1 holds back is counted once the source, or its restart, is confirmed.

mod playout;
mod segment;
mod steps;
mod totals;
mod window;

use super::codec::{Clock, inferred_clock, static_clock};
use super::packet::{Content, DYNAMIC, Packet};
use milliwatt_scoring::sequence::SourceState;
pub use playout::DEFAULT_DEPTH;
pub use segment::Seen;
use segment::Segment;
use steps::Steps;
pub use totals::Totals;

/// Packets that are held before it is decided what they are.
const HELD_MAX: usize = 64;
/// As many, over [`TELLING_NS`], decide sooner.
const TELLING: usize = 8;
/// Time over which timestamps say more than chance, ns.
const TELLING_NS: i64 = 100_000_000;
/// The same where the clock is to be told from them.
const TELLING_CLOCK_NS: i64 = 1_000_000_000;
/// Packets that A.1 does not count, kept in case it was wrong.
const UNCOUNTED_MAX: usize = 16;
/// The fastest RTP clock, Hz.
const CLOCK_RATE_MAX: i64 = 90_000;

/// What became of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not decided.
    Held,
    /// RTP.
    Confirmed,
    /// Something else.
    Rejected,
}

/// A stream, or what may become one.
#[derive(Clone, Debug)]
pub struct Stream {
    state: State,
    held: Vec<Packet>,
    source: SourceState,
    /// What A.1 has not counted since the last packet that it did.
    uncounted: Vec<Packet>,
    segment: Option<Box<Segment>>,
    totals: Totals,
    steps: Steps,
    told_clock: Option<Clock>,
    clock: Option<Clock>,
    /// Figures of its packets.
    pub sums: Sums,
}

/// What is counted of all packets of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Bit n: payload type n came.
    pub payload_types: u128,
    /// Sequence number of the first counted packet.
    pub first_seq: Option<u16>,
    /// First and last packet, ns since 1970.
    pub span: Option<(i64, i64)>,
    /// What a NIC counted.
    pub nic_octets: u64,
    /// Telephone-event packets.
    pub events: u64,
    /// Comfort noise packets.
    pub noise: u64,
    /// The DSCP of the first, and whether all have it.
    pub dscp: Option<(u8, bool)>,
}

impl Stream {
    /// A source seen for the first time; `told_clock` is what SDP says of its payload type.
    #[must_use]
    pub fn new(told_clock: Option<Clock>) -> Self {
        Self {
            state: State::Held,
            held: Vec::new(),
            source: SourceState::unknown(0),
            uncounted: Vec::new(),
            segment: None,
            totals: Totals::default(),
            steps: Steps::default(),
            told_clock,
            clock: None,
            sums: Sums::default(),
        }
    }

    /// What became of it.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Packets held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes the next packet in order of arrival. `seen` is told of each packet that is counted, with its arrival:
    /// of those held, when they are.
    #[inline]
    pub fn take(&mut self, packet: Packet, seen: &mut impl FnMut(i64, Seen)) {
        match self.state {
            State::Confirmed => self.count(packet, seen),
            State::Held => self.hold(packet, seen),
            State::Rejected => {}
        }
    }

    fn hold(&mut self, packet: Packet, seen: &mut impl FnMut(i64, Seen)) {
        self.held.push(packet);
        let first = self.held[0].at;
        let span = packet.at.saturating_sub(first);
        let clock_is_known = self.known_clock().is_some();
        let telling = if clock_is_known {
            TELLING_NS
        } else {
            TELLING_CLOCK_NS
        };
        let is_enough = self.held.len() >= TELLING && span >= telling;
        if is_enough || self.held.len() >= HELD_MAX {
            self.decide(seen);
        }
    }

    fn decide(&mut self, seen: &mut impl FnMut(i64, Seen)) {
        let held = std::mem::take(&mut self.held);
        if !is_plausible(&held) {
            self.state = State::Rejected;
            return;
        }
        self.state = State::Confirmed;
        self.clock = Some(self.clock_of(&held));
        self.source = SourceState::unknown(held[0].seq);
        for packet in held {
            self.count(packet, seen);
        }
    }

    fn known_clock(&self) -> Option<Clock> {
        let media = |packet: &&Packet| packet.content == Content::Media;
        let payload_type = self
            .held
            .iter()
            .find(media)
            .map(|packet| packet.payload_type);
        self.told_clock.or_else(|| static_clock(payload_type?))
    }

    fn clock_of(&self, held: &[Packet]) -> Clock {
        let media = |packet: &&Packet| packet.content == Content::Media;
        let payload_type = held.iter().find(media).map(|packet| packet.payload_type);
        self.told_clock
            .or_else(|| static_clock(payload_type?))
            .unwrap_or_else(|| inferred_clock(held))
    }

    /// Takes a packet of a stream that is one.
    fn count(&mut self, packet: Packet, seen: &mut impl FnMut(i64, Seen)) {
        let before = (self.source.received(), self.source.restarts());
        self.source.update(packet.seq);
        let begins =
            self.source.restarts() != before.1 || before.0 == 0 && self.source.received() > 0;
        if begins {
            self.begin(packet, seen);
        } else if self.source.received() > before.0 {
            self.uncounted.clear();
            self.measure(packet, self.index(packet.seq), seen);
        } else {
            if self.uncounted.len() == UNCOUNTED_MAX {
                self.uncounted.remove(0);
            }
            self.uncounted.push(packet);
        }
    }

    /// A stretch begins: with what was held back, as far as it lies before this packet.
    fn begin(&mut self, packet: Packet, seen: &mut impl FnMut(i64, Seen)) {
        self.end_segment(seen);
        for held in std::mem::take(&mut self.uncounted) {
            let behind = i64::from(packet.seq.wrapping_sub(held.seq).cast_signed());
            if (1..3000).contains(&behind) {
                self.measure(held, -behind, seen);
            }
        }
        self.measure(packet, 0, seen);
    }

    /// The index of a counted packet: 0 is the one that confirmed the stretch.
    #[inline]
    fn index(&self, seq: u16) -> i64 {
        let highest = self.source.packets_expected().cast_signed() - 1;
        highest - i64::from(self.source.max_seq().wrapping_sub(seq))
    }

    fn measure(&mut self, packet: Packet, index: i64, seen: &mut impl FnMut(i64, Seen)) {
        self.sums.count(&packet);
        let rate = self.clock.map_or(8000, |clock| clock.rate);
        let segment = self
            .segment
            .get_or_insert_with(|| Box::new(Segment::new(rate, &packet, index)));
        segment.take(&packet, index, &mut |what| seen(packet.at, what));
    }

    fn end_segment(&mut self, seen: &mut impl FnMut(i64, Seen)) {
        let at = self.sums.span.map_or(0, |(_, last)| last);
        if let Some(segment) = self.segment.take() {
            let (totals, steps) = segment.finish(&mut |what| seen(at, what));
            self.totals.add(&totals);
            self.steps.add(&steps);
        }
    }

    /// Ends the stream: decides about what is held, settles what is left.
    pub fn end(&mut self, seen: &mut impl FnMut(i64, Seen)) {
        if self.state == State::Held {
            self.decide(seen);
        }
        self.end_segment(seen);
    }

    /// What it came to, once it has ended.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Its most frequent timestamp step, ticks.
    #[must_use]
    pub fn usual_step(&self) -> Option<u32> {
        self.steps.usual()
    }

    /// Its RTP clock, once it is confirmed.
    #[must_use]
    pub fn clock(&self) -> Option<Clock> {
        self.clock
    }

    /// Times its sender began again at another sequence number.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.source.restarts()
    }
}

impl Sums {
    #[inline]
    fn count(&mut self, packet: &Packet) {
        self.payload_types |= 1 << packet.payload_type;
        self.first_seq.get_or_insert(packet.seq);
        let (first, _) = self.span.unwrap_or((packet.at, packet.at));
        self.span = Some((first, packet.at));
        self.nic_octets += u64::from(packet.nic_octets);
        match packet.content {
            Content::Media => {}
            Content::Noise => self.noise += 1,
            Content::Event => self.events += 1,
        }
        let (dscp, same) = self.dscp.unwrap_or((packet.dscp, true));
        self.dscp = Some((dscp, same && dscp == packet.dscp));
    }
}

/// Whether packets with one source identifier may be RTP. A.1 asks for two in order. Beside it the timestamp must
/// move between two such, by no more than the fastest clock allows for the time between; a telephone-event alone
/// keeps its timestamp. So a counter beside constant octets is no stream.
fn is_plausible(held: &[Packet]) -> bool {
    let pairs = || {
        held.windows(2)
            .filter(|pair| pair[1].seq == pair[0].seq.wrapping_add(1))
    };
    let moves = |pair: &[Packet]| {
        let step = i64::from(
            pair[1]
                .timestamp
                .wrapping_sub(pair[0].timestamp)
                .cast_signed(),
        );
        let between = pair[1].at.saturating_sub(pair[0].at).max(0);
        // Two seconds more, for what was sent in a bunch or after a pause.
        let most = CLOCK_RATE_MAX.saturating_mul(between / 1_000_000_000 + 2);
        (2..=most).contains(&step)
    };
    let is_event = |pair: &[Packet]| {
        pair.iter().all(|packet| packet.content == Content::Event)
            && pair[0].timestamp == pair[1].timestamp
    };
    let kinds = held
        .iter()
        .fold(0_u128, |set, packet| set | 1 << packet.payload_type);
    let evidence = pairs().filter(|pair| moves(pair) || is_event(pair)).count();
    // Frames of video share a timestamp, so not every pair moves; what is no RTP hardly ever does.
    let has_static = held.iter().any(|packet| packet.payload_type < DYNAMIC);
    let enough = if has_static {
        pairs().count().div_ceil(2)
    } else {
        1
    };
    kinds.count_ones() <= 4 && evidence > 0 && evidence >= enough.min(held.len() / 4 + 1)
}

#[cfg(test)]
mod tests;
