//! All streams of one port, one call after the other. The port says whose leg it is, the SSRC
//! which call: the end of one and the start of the next may overlap on the way.

mod encrypted;

use crate::opening::StreamOpener;
use crate::packet::RtpView;
use crate::stream::{Placed, StreamPlan, StreamReceiver};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::CallId;
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use smallvec::SmallVec;
use std::hint::black_box;
use std::iter::Peekable;
use std::sync::Arc;

/// How long a stream may still arrive after its sender's last packet was due.
pub const DRAIN_NS: i64 = NS_PER_SECOND;
/// Clocks of two hosts agree to some milliseconds only: so far ahead it is looked for the next stream.
const AHEAD_NS: i64 = NS_PER_SECOND;

/// How a datagram arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, by the kernel.
    pub arrived: RunTime,
    /// How far the clocks have moved apart by then: see [`StreamReceiver::take`].
    pub drift: i64,
    /// The DSCP it came with.
    pub dscp: Option<u8>,
}

/// Where a datagram belonged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// To a stream of ours.
    Stream {
        /// The plan it has.
        plan: StreamPlan,
        /// What became of it.
        placed: Placed,
    },
    /// To nothing of ours: not RTP, or an unknown SSRC.
    Foreign,
    /// It has the SSRC of an encrypted stream of ours and did not authenticate.
    Unauthentic,
}

/// Streams to come, in order of start: worked out when their turn comes, since a run may have thousands a port.
type Planned = Peekable<Box<dyn Iterator<Item = StreamPlan> + Send>>;

/// The streams of one port in order of their calls.
#[repr(C)]
pub struct LineReceiver {
    planned: Planned,
    cut: RunTime,
    keys: Option<Arc<MediaKeys>>,
    /// When the next is due: looked at for every packet.
    next_due: RunTime,
    /// One is open, and lies here with what else a packet needs; a second while two calls overlap on the way.
    open: SmallVec<[OpenStream; 1]>,
}

/// A stream whose packets may come.
#[repr(C)]
struct OpenStream {
    receiver: StreamReceiver,
    /// Of an encrypted stream.
    opener: Option<Box<StreamOpener>>,
}

impl OpenStream {
    fn new(plan: StreamPlan, keys: Option<&MediaKeys>) -> Self {
        let opener = |keys: &MediaKeys| {
            let key = keys.stream(plan.stream);
            Box::new(StreamOpener::new(plan.stream, key, plan.first_seq))
        };
        Self {
            receiver: StreamReceiver::new(plan),
            opener: keys.map(opener),
        }
    }

    fn close(&mut self, facts: &mut impl FnMut(Fact)) {
        if let Some(opener) = &mut self.opener {
            opener.close(facts);
        }
        self.receiver.close(facts);
    }
}

impl LineReceiver {
    /// Streams in order of start. Where they run out there may be more later: see [`Self::look_again`].
    #[must_use]
    pub fn new(planned: impl IntoIterator<Item = StreamPlan, IntoIter: Send + 'static>) -> Self {
        let planned: Box<dyn Iterator<Item = StreamPlan> + Send> = Box::new(planned.into_iter());
        Self {
            planned: planned.peekable(),
            cut: RunTime(i64::MAX),
            keys: None,
            next_due: RunTime(i64::MIN),
            open: SmallVec::new(),
        }
    }

    /// The same with streams that are encrypted, when there are keys.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<Arc<MediaKeys>>) -> Self {
        self.keys = keys;
        self
    }

    /// Touches what [`Self::take`] will need, so that it is in the processor's cache by then.
    #[inline]
    pub fn touch(&self) {
        if let Some(stream) = self.open.last() {
            stream.receiver.touch();
        }
        black_box(self.next_due);
        black_box(self.keys.is_none());
    }

    /// The stream of a call, while it is open.
    pub fn stream_of(&mut self, call: CallId) -> Option<&mut StreamReceiver> {
        let mut open = self.open.iter_mut().map(|stream| &mut stream.receiver);
        open.find(|s| s.plan().stream.call == call)
    }

    /// Opens every stream that is due by `at`, so that one of which nothing comes is missed too.
    #[inline]
    fn open_until(&mut self, at: RunTime) {
        if self.next_due <= at {
            self.open_planned(at);
        }
    }

    #[cold]
    fn open_planned(&mut self, at: RunTime) {
        let cut = self.cut;
        while let Some(plan) = self
            .planned
            .next_if(|plan| plan.due <= at && plan.due < cut)
        {
            let stream = OpenStream::new(plan, self.keys.as_deref());
            self.open.push(stream);
        }
        let next = self.planned.peek().filter(|plan| plan.due < cut);
        self.next_due = next.map_or(RunTime(i64::MAX), |plan| plan.due);
    }

    /// Streams have become known that were not when it was last looked.
    pub fn look_again(&mut self) {
        if self.planned.peek().is_none() {
            self.planned.next(); // it was asked before there were any, and remembers that
        }
        self.next_due = RunTime(i64::MIN);
    }

    /// Takes a packet: a datagram as it came, or what an encrypted one held.
    #[inline]
    pub fn take(
        &mut self,
        packet: &RtpView<'_>,
        arrival: Arrival,
        facts: &mut impl FnMut(Fact),
    ) -> Taken {
        let Arrival {
            arrived,
            drift,
            dscp,
        } = arrival;
        self.open_until(arrived + AHEAD_NS);
        let ssrc = packet.ssrc();
        let mut open = self.open.iter_mut().rev().map(|open| &mut open.receiver);
        let Some(stream) = open.find(|s| s.plan().ssrc == ssrc) else {
            return Taken::Foreign;
        };
        if let Some(dscp) = dscp {
            stream.note_dscp(dscp);
        }
        let placed = stream.take(packet.seq(), packet.timestamp(), arrived, drift, facts);
        Taken::Stream {
            plan: *stream.plan(),
            placed,
        }
    }

    /// Closes every stream whose time, with the drain, is over by `now`.
    pub fn sweep(&mut self, now: RunTime, facts: &mut impl FnMut(Fact)) {
        self.open_until(now);
        while let Some(stream) = self.open.first_mut() {
            let end = stream.receiver.plan().end();
            if end.min(self.cut) + DRAIN_NS + PTIME_NS > now {
                break;
            }
            stream.close(facts);
            self.open.remove(0);
            // Two were open only while calls overlapped.
            self.open.shrink_to_fit();
        }
    }

    /// Ends every stream at `at`, or at its own end if that is sooner.
    pub fn cut(&mut self, at: RunTime) {
        self.cut = self.cut.min(at);
    }

    /// Nothing is open and nothing will open any more.
    #[must_use]
    pub fn is_over(&mut self) -> bool {
        self.open.is_empty() && self.planned.peek().is_none_or(|plan| plan.due >= self.cut)
    }

    /// Closes what is open, whatever the time.
    pub fn close(&mut self, facts: &mut impl FnMut(Fact)) {
        for mut stream in self.open.drain(..) {
            stream.close(facts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::id::{Leg, Party, StreamId};
    use std::collections::VecDeque;

    fn plan(call: u32, start_s: i64) -> StreamPlan {
        StreamPlan {
            stream: StreamId {
                call: CallId(call),
                party: Party::B,
                leg: Leg::Sent,
            },
            ssrc: call + 100,
            first_seq: 0,
            first_timestamp: 0,
            due: RunTime(start_s * NS_PER_SECOND),
            slots: 500,
            playout_buffer: 60_000_000,
        }
    }

    fn at(ns: i64) -> Arrival {
        Arrival {
            arrived: RunTime(ns),
            drift: 0,
            dscp: Some(46),
        }
    }

    fn packet(ssrc: u32, slot: u32) -> Vec<u8> {
        let mut octets = vec![0x80, 0];
        octets.extend(u16::try_from(slot).unwrap().to_be_bytes());
        octets.extend((slot * 160).to_be_bytes());
        octets.extend(ssrc.to_be_bytes());
        octets
    }

    #[test]
    fn the_tail_of_one_call_and_the_head_of_the_next_go_to_their_own_streams() {
        let mut line = LineReceiver::new([plan(0, 0), plan(1, 10)]);
        let mut facts = Vec::new();
        let late = packet(100, 499);
        let early = packet(101, 0);
        for (octets, call) in [(&early, 1), (&late, 0)] {
            let view = RtpView::parse(octets).unwrap();
            let taken = line.take(&view, at(10_010_000_000), &mut |f| facts.push(f));
            assert!(
                matches!(taken, Taken::Stream { plan, placed: Placed::New(_) } if plan.stream.call == CallId(call))
            );
        }
        let stranger = packet(7, 0);
        assert_eq!(
            line.take(
                &RtpView::parse(&stranger).unwrap(),
                at(10_020_000_000),
                &mut |_| ()
            ),
            Taken::Foreign
        );
    }

    #[test]
    fn a_stream_of_which_nothing_came_still_gets_its_last_word() {
        let mut line = LineReceiver::new([plan(0, 0)]);
        let mut facts = Vec::new();
        line.sweep(RunTime(10 * NS_PER_SECOND), &mut |f| facts.push(f));
        assert!(facts.is_empty());
        line.sweep(RunTime(12 * NS_PER_SECOND), &mut |f| facts.push(f));
        assert!(matches!(facts.as_slice(), [Fact::StreamEnd(end)] if end.received == 0));
        assert!(line.is_over());
    }

    #[test]
    fn streams_that_become_known_later_are_opened_once_it_is_looked_again() {
        let known = Arc::new(std::sync::Mutex::new(VecDeque::from([plan(0, 0)])));
        let source = Arc::clone(&known);
        let mut line = LineReceiver::new(std::iter::from_fn(move || {
            source.lock().unwrap().pop_front()
        }));
        let mut ends = 0;
        let mut sweep = |line: &mut LineReceiver, second: i64| {
            line.sweep(RunTime(second * NS_PER_SECOND), &mut |fact| {
                ends += usize::from(matches!(fact, Fact::StreamEnd(_)));
            });
            ends
        };
        assert_eq!(sweep(&mut line, 12), 1);
        for (call, start) in [(1, 20), (2, 40)] {
            known.lock().unwrap().push_back(plan(call, start));
            line.look_again();
            let octets = packet(call + 100, 0);
            let view = RtpView::parse(&octets).unwrap();
            let taken = line.take(&view, at(start * NS_PER_SECOND), &mut |_| ());
            assert!(
                matches!(taken, Taken::Stream { plan, .. } if plan.stream.call == CallId(call))
            );
        }
        assert_eq!(sweep(&mut line, 52), 3);
    }

    #[test]
    fn a_cut_closes_early_and_opens_nothing_more() {
        let mut line = LineReceiver::new([plan(0, 0), plan(1, 10)]);
        line.cut(RunTime(2 * NS_PER_SECOND));
        let mut facts = Vec::new();
        line.sweep(RunTime(4 * NS_PER_SECOND), &mut |f| facts.push(f));
        line.sweep(RunTime(30 * NS_PER_SECOND), &mut |f| facts.push(f));
        assert_eq!(facts.len(), 1);
        assert!(line.is_over());
    }
}
