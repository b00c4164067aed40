//! One known stream, received: sequence state, transit, discards, and every impairment exactly.

mod window;

use self::window::{Held, WINDOW, Window};
use crate::anchor::{Anchor, Judged};
use milliwatt_scoring::interarrival_jitter::InterarrivalJitter;
use milliwatt_scoring::sequence::SourceState;
use milliwatt_wire::facts::{
    DeadCause, Fact, LATE_LISTED_NS, LatePacket, Scale, StreamEnd, StreamSecond,
};
use milliwatt_wire::id::StreamId;
use milliwatt_wire::load::{PTIME_NS, TICKS_PER_PACKET};
use milliwatt_wire::time::RunTime;
use smallvec::SmallVec;
use std::hint::black_box;

/// A longer gap between arrivals than this is listed.
const ARRIVAL_GAP_NS: i64 = PTIME_NS * 3 / 2;

/// What is agreed about a stream before its first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPlan {
    /// Its identity.
    pub stream: StreamId,
    /// Synchronisation source.
    pub ssrc: u32,
    /// Sequence number of the sender's first packet.
    pub first_seq: u16,
    /// Timestamp of slot 0.
    pub first_timestamp: u32,
    /// When slot 0 is due to leave.
    pub due: RunTime,
    /// Slots it is planned to have.
    pub slots: u32,
    /// Depth of the playout buffer, ns.
    pub playout_buffer: i64,
}

impl StreamPlan {
    /// When the slot after the last would be due.
    #[must_use]
    pub fn end(&self) -> RunTime {
        self.due + i64::from(self.slots) * PTIME_NS
    }
}

/// What a packet turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The first copy of this slot's packet.
    New(FirstCopy),
    /// A further copy.
    Duplicate,
    /// No packet of this stream: wild sequence number, impossible timestamp.
    Foreign,
}

/// The first copy of a packet, measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstCopy {
    /// Its media slot.
    pub slot: u32,
    /// When that slot was due to leave.
    pub due: RunTime,
    /// Its transit above the one that playout is anchored to, drift taken off, ns; never below 0.
    pub above: i64,
    /// Playout is anchored anew from the next packet on: to a longer transit.
    pub is_anchored_anew: bool,
    /// Signed IPDV with its neighbours in sequence, ns: with the one before and the one after.
    pub ipdv: [Option<i64>; 2],
}

/// A stream being received. Facts leave through the sink as soon as they are certain.
///
/// What a packet that follows the one before it needs lies together, in this order: of hundreds of streams none is in the
/// processor's cache when its turn comes.
#[derive(Debug)]
#[repr(C)]
pub struct StreamReceiver {
    plan: StreamPlan,
    /// Lowest index not yet settled.
    settled: u64,
    /// One past the highest index that arrived: above `settled` only behind a packet that is missing.
    next: u64,
    last_settled: Option<Settled>,
    last_arrival: Option<(RunTime, u64)>,
    interarrival_jitter: InterarrivalJitter,
    anchor: Anchor,
    source: SourceState,
    end: StreamEnd,
    second: StreamSecond,
    /// Of the second under way, which has 50 where nothing held them up.
    transits: SmallVec<[i64; 64]>,
    late: Vec<LatePacket>,
    held: Box<Window>,
}

/// A settled packet that arrived.
#[derive(Clone, Copy, Debug)]
struct Settled {
    index: u64,
    packet: Held,
}

impl StreamReceiver {
    /// A stream of which nothing has come yet.
    #[must_use]
    pub fn new(plan: StreamPlan) -> Self {
        Self {
            plan,
            settled: 0,
            next: 0,
            last_settled: None,
            last_arrival: None,
            interarrival_jitter: InterarrivalJitter::new(),
            anchor: Anchor::NEW,
            source: SourceState::known(plan.first_seq),
            end: empty_end(plan.stream),
            second: empty_second(plan.stream, 0),
            transits: SmallVec::new(),
            late: Vec::new(),
            held: Box::new(Window::EMPTY),
        }
    }

    /// Touches what [`Self::take`] will need of it: a line of memory each.
    #[inline]
    pub(crate) fn touch(&self) {
        black_box(self.plan.ssrc);
        black_box(self.next);
        black_box(self.last_arrival);
        black_box(self.anchor.reference());
        black_box(self.source.received());
        black_box(self.end.received);
        black_box(self.second.packets);
        black_box(self.second.interarrival_jitter_sum);
        black_box(self.transits.last().copied());
    }

    /// What was agreed.
    #[must_use]
    pub fn plan(&self) -> &StreamPlan {
        &self.plan
    }

    /// What playout is anchored to, ns: the least transit so far, or since it was anchored anew.
    #[must_use]
    pub fn reference_transit(&self) -> Option<i64> {
        self.anchor.reference()
    }

    /// RFC 3550 state, for reception reports.
    pub fn source(&mut self) -> &mut SourceState {
        &mut self.source
    }

    /// As of the last packet, for reception reports.
    #[must_use]
    pub fn interarrival_jitter(&self) -> InterarrivalJitter {
        self.interarrival_jitter
    }

    /// Takes a packet that the kernel stamped `arrived`. `drift` is how far the two clocks have
    /// moved apart since the run began, ns: it is taken off the transit before playout is judged.
    pub fn take(
        &mut self,
        seq: u16,
        timestamp: u32,
        arrived: RunTime,
        drift: i64,
        facts: &mut impl FnMut(Fact),
    ) -> Placed {
        let ticks = timestamp.wrapping_sub(self.plan.first_timestamp);
        let slot = ticks / TICKS_PER_PACKET;
        if slot > self.plan.slots {
            return Placed::Foreign;
        }
        let Some(index) = self.source.update(seq) else {
            return Placed::Foreign;
        };
        if self.is_copy(index) {
            self.take_copy(arrived, facts);
            return Placed::Duplicate;
        }
        self.turn_second(arrived, facts);
        self.make_room(index, facts);
        let due = self.plan.due + i64::from(slot) * PTIME_NS;
        let transit = arrived - due;
        let gap = self.note_gap(index, slot, arrived, facts);
        let ipdv = self.ipdv(index, transit);
        self.hold(index, Held { slot, transit }, facts);
        let judged = self.measure(slot, transit, (drift, gap));
        if let Some(rose) = judged.rose {
            self.note_anchor(slot, rose, facts);
        }
        Placed::New(FirstCopy {
            slot,
            due,
            above: judged.above,
            is_anchored_anew: judged.rose.is_some(),
            ipdv,
        })
    }

    /// Takes a packet that is known to be a further copy of one that came, or too old to tell.
    pub fn take_copy(&mut self, arrived: RunTime, facts: &mut impl FnMut(Fact)) {
        self.turn_second(arrived, facts);
        self.second.duplicates += 1;
        self.end.duplicates += 1;
    }

    /// Ends the stream: settles what is left and says the last word.
    pub fn close(&mut self, facts: &mut impl FnMut(Fact)) {
        while self.settled < self.next {
            self.settle_lowest(facts);
        }
        self.emit_second(facts);
        facts(Fact::StreamEnd(self.end));
    }

    /// The DSCP that arrived.
    pub fn note_dscp(&mut self, dscp: u8) {
        self.end.dscp = Some(dscp);
    }

    fn is_copy(&self, index: u64) -> bool {
        index < self.settled || (index < self.next && self.held.get(index).is_some())
    }

    /// Settles what the window can no longer hold.
    fn make_room(&mut self, index: u64, facts: &mut impl FnMut(Fact)) {
        while self.settled + WINDOW as u64 <= index {
            self.settle_lowest(facts);
        }
    }

    /// Counts a packet, and settles it at once where none before it is missing.
    #[inline]
    fn hold(&mut self, index: u64, packet: Held, facts: &mut impl FnMut(Fact)) {
        self.count(index, packet.slot);
        if index == self.settled && self.next <= index {
            self.next = index + 1;
            self.settled = self.next;
            self.settle(index, packet, facts);
        } else {
            self.hold_back(index, packet, facts);
        }
    }

    #[inline]
    fn count(&mut self, index: u64, slot: u32) {
        if index < self.next {
            self.second.reordered += 1;
            self.end.reordered += 1;
        }
        self.end.received += 1;
        let at = narrow(index);
        self.end.first_index = Some(self.end.first_index.map_or(at, |i| i.min(at)));
        self.end.last_index = Some(self.end.last_index.map_or(at, |i| i.max(at)));
        self.end.first_slot = Some(self.end.first_slot.map_or(slot, |s| s.min(slot)));
        self.end.last_slot = Some(self.end.last_slot.map_or(slot, |s| s.max(slot)));
    }

    /// Keeps a packet that others may come before, and settles those that none can.
    fn hold_back(&mut self, index: u64, packet: Held, facts: &mut impl FnMut(Fact)) {
        self.next = self.next.max(index + 1);
        self.held.put(index, packet);
        while self.settled < self.next && self.held.get(self.settled).is_some() {
            self.settle_lowest(facts);
        }
    }

    /// Counts a transit of a packet that came `gap` after the one before it; says where it lies.
    #[inline]
    fn measure(&mut self, slot: u32, transit: i64, (drift, gap): (i64, i64)) -> Judged {
        self.transits.push(transit);
        self.second.packets += 1;
        if let Some(j) = self.interarrival_jitter.update(transit) {
            let j = whole(j);
            self.second.interarrival_jitter_sum += j;
            self.second.interarrival_jitter_count += 1;
            self.second.interarrival_jitter_max = self.second.interarrival_jitter_max.max(j);
        }
        let judged = self
            .anchor
            .judge(transit - drift, gap, self.plan.playout_buffer);
        let above = judged.above;
        if above > self.plan.playout_buffer {
            self.second.discarded += 1;
            self.end.discarded += 1;
        }
        if above > LATE_LISTED_NS.min(self.plan.playout_buffer) {
            self.late.push(LatePacket {
                slot,
                above_us: u32::try_from(above / 1000).unwrap_or(u32::MAX),
            });
        }
        judged
    }

    #[cold]
    fn note_anchor(&mut self, slot: u32, rose: i64, facts: &mut impl FnMut(Fact)) {
        facts(Fact::AnchoredAnew {
            stream: self.plan.stream,
            slot,
            rose_us: u32::try_from(rose / 1000).unwrap_or(u32::MAX),
        });
    }

    #[inline]
    fn ipdv(&self, index: u64, transit: i64) -> [Option<i64>; 2] {
        let before = index.checked_sub(1).and_then(|i| self.transit_of(i));
        let after = self.transit_of(index + 1);
        [before.map(|t| transit - t), after.map(|t| t - transit)]
    }

    /// The transit of a packet: of one that is not settled, or of the last that is.
    #[inline]
    fn transit_of(&self, index: u64) -> Option<i64> {
        let packet = if index < self.settled {
            let last = self.last_settled.filter(|last| last.index == index);
            last.map(|last| last.packet)
        } else if index < self.next {
            self.held.get(index)
        } else {
            None
        };
        packet.map(|packet| packet.transit)
    }

    /// Lists a long gap between arrivals; gives how long it was, 0 before the first packet, ns.
    fn note_gap(
        &mut self,
        index: u64,
        slot: u32,
        arrived: RunTime,
        facts: &mut impl FnMut(Fact),
    ) -> i64 {
        let mut since = 0;
        if let Some((before, last)) = self.last_arrival {
            let gap = arrived - before;
            since = gap;
            if gap > ARRIVAL_GAP_NS {
                let missing = u32::try_from(index.saturating_sub(last + 1)).unwrap_or(u32::MAX);
                let gap_us = u32::try_from(gap / 1000).unwrap_or(u32::MAX);
                facts(Fact::ArrivalGap {
                    stream: self.plan.stream,
                    slot,
                    gap_us,
                    missing,
                });
            }
        }
        self.last_arrival = Some((arrived, index));
        since
    }

    /// Settles the lowest index: it arrived, or it is lost for good.
    fn settle_lowest(&mut self, facts: &mut impl FnMut(Fact)) {
        let index = self.settled;
        self.settled += 1;
        if let Some(packet) = self.held.take(index) {
            self.settle(index, packet, facts);
        }
    }

    /// Settles a packet that arrived. With it the slots since the one before it are known: as many are lost as sequence
    /// numbers are missing, the rest were never sent.
    #[inline]
    fn settle(&mut self, index: u64, packet: Held, facts: &mut impl FnMut(Fact)) {
        let Some(before) = self.last_settled.replace(Settled { index, packet }) else {
            return;
        };
        let (first, lost) = (before.packet.slot + 1, narrow(index - before.index - 1));
        let not_sent = packet.slot.saturating_sub(first).saturating_sub(lost);
        self.end.lost_inside += lost;
        self.emit_dead(DeadCause::NotSent, first, not_sent, facts);
        let first_lost = packet.slot.saturating_sub(lost);
        self.emit_dead(DeadCause::Lost, first_lost, lost, facts);
    }

    fn emit_dead(
        &self,
        cause: DeadCause,
        first_slot: u32,
        slots: u32,
        facts: &mut impl FnMut(Fact),
    ) {
        if slots > 0 {
            facts(Fact::DeadSlots {
                stream: self.plan.stream,
                cause,
                first_slot,
                slots,
            });
        }
    }

    fn turn_second(&mut self, arrived: RunTime, facts: &mut impl FnMut(Fact)) {
        let second = arrived.second();
        if second > self.second.second {
            self.emit_second(facts);
            self.second.second = second;
        }
    }

    fn emit_second(&mut self, facts: &mut impl FnMut(Fact)) {
        let next = empty_second(self.plan.stream, self.second.second);
        let mut done = std::mem::replace(&mut self.second, next);
        if !self.late.is_empty() {
            self.late.sort_unstable_by_key(|p| p.slot);
            facts(Fact::LatePackets {
                stream: self.plan.stream,
                packets: self.late.clone(),
            });
            self.late.clear();
        }
        if done.packets + done.duplicates > 0 {
            self.transits.sort_unstable();
            done.transit_min = self.transits.first().copied().unwrap_or(0);
            done.transit_max = self.transits.last().copied().unwrap_or(0);
            done.pdv = counts_above(done.transit_min, &self.transits);
            facts(Fact::StreamSecond(done));
        }
        self.transits.clear();
        self.transits.shrink_to_fit();
    }
}

/// The coarse histogram of sorted values above the least.
fn counts_above(least: i64, sorted: &[i64]) -> Vec<(u8, u16)> {
    let mut counts: Vec<(u8, u16)> = Vec::with_capacity(8);
    for value in sorted {
        let bucket = Scale::STREAM.bucket(value - least);
        match counts.last_mut() {
            Some((open, count)) if *open == bucket => *count = count.saturating_add(1),
            _ => counts.push((bucket, 1)),
        }
    }
    counts
}

fn narrow(index: u64) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "J is a mean of absolute values, never below 0: to add a half and to cut off is to round; the cast saturates"
)]
fn whole(j: f64) -> i64 {
    (j + 0.5) as i64
}

fn empty_second(stream: StreamId, second: u32) -> StreamSecond {
    StreamSecond {
        stream,
        second,
        packets: 0,
        duplicates: 0,
        reordered: 0,
        discarded: 0,
        transit_min: 0,
        transit_max: 0,
        interarrival_jitter_sum: 0,
        interarrival_jitter_count: 0,
        interarrival_jitter_max: 0,
        pdv: Vec::new(),
    }
}

fn empty_end(stream: StreamId) -> StreamEnd {
    StreamEnd {
        stream,
        received: 0,
        duplicates: 0,
        reordered: 0,
        discarded: 0,
        lost_inside: 0,
        first_index: None,
        last_index: None,
        first_slot: None,
        last_slot: None,
        dscp: None,
    }
}

#[cfg(test)]
mod tests;
