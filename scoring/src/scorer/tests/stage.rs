//! A run of many calls whose streams lie spread over the packet time, in virtual time, and what is done to it: a guest or a
//! tester that stands still, a path that is cut or holds what it is given. The facts that two faultless ends would write of it
//! are derived packet by packet.

use super::truth::{ENDS, judge, load};
use crate::judgement::Judgement;
use crate::measured::Measured;
use milliwatt_wire::facts::{
    DeadCause, Fact, LATE_LISTED_NS, LatePacket, Ledger, PacingSecond, Phase, Scale, StreamEnd,
    StreamSecond, Timers,
};
use milliwatt_wire::id::{CallId, End, Lane, Leg, Party, StreamId};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::BTreeMap;

pub(super) const MS: i64 = 1_000_000;
/// What a packet takes that nothing holds.
const TRANSIT: i64 = MS / 5;
/// A playout tick may come so much before the buffer is full.
const TOLERANCE: i64 = MS;

/// What happens, from and to in ns of the tester's clock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    /// The program of an end stands still; its kernel stamps what comes.
    Frozen(End, i64, i64),
    /// The guest's machine stands still, its clock too: what is sent to it is lost.
    Paused(i64, i64),
    /// What leaves in this time on a leg is lost.
    Cut(Leg, i64, i64),
    /// What leaves in this time on a leg arrives at its end.
    Held(Leg, i64, i64),
    /// What leaves in this time on the receive leg of every n-th call is lost.
    SomeCut(u32, i64, i64),
    /// The path takes so much longer from a time on, on either leg.
    Detour(i64, i64),
    /// What leaves in this time comes up to so much later, packet by packet.
    Brown(i64, i64, i64),
}

/// The run: calls from second 0 to its end, full load from second 1 to its last but one.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub calls: u32,
    pub seconds: i64,
    pub happenings: Vec<Happening>,
    pub judgement: Judgement,
    pub guest_named: bool,
    /// The guest's facts end with its seconds before this one, and without its last words.
    pub guest_dies: Option<i64>,
    /// Further facts of the tester.
    pub told: Vec<Fact>,
}

/// A packet that was sent: its slot, and when it arrived by the receiver's clock; none where it was lost.
type Sent = (u32, Option<i64>);

impl Stage {
    pub(super) fn of(calls: u32, seconds: i64, happenings: &[Happening]) -> Self {
        Self {
            calls,
            seconds,
            happenings: happenings.to_vec(),
            judgement: Judgement::default(),
            guest_named: true,
            guest_dies: None,
            told: Vec::new(),
        }
    }

    pub(super) fn measure(&self) -> Measured {
        judge(None, |take| {
            for end in ENDS {
                for fact in self.facts(end) {
                    take(end, &fact);
                }
            }
        })
    }

    pub(super) fn facts(&self, end: End) -> Vec<Fact> {
        let mut facts = vec![self.opened(end)];
        if end == End::Tester {
            facts.extend(self.timeline());
            facts.extend(self.told.clone());
        }
        facts.extend((0..self.seconds).map(|second| self.pacing(end, second)));
        for id in self.streams() {
            let (sent, not_sent) = self.sent(id);
            if id.leg == end.sends() {
                facts.extend(self.sender_facts(id, &sent, &not_sent));
            } else {
                facts.extend(self.receiver_facts(end, id, &sent, &not_sent));
            }
        }
        if let (End::Guest, Some(died)) = (end, self.guest_dies) {
            facts.retain(|fact| survives(fact, died));
        } else {
            let at = RunTime(self.seconds * NS_PER_SECOND);
            facts.push(Fact::Closed { at });
        }
        facts
    }

    fn streams(&self) -> impl Iterator<Item = StreamId> {
        let calls = (0..self.calls).map(CallId);
        let parties = calls.flat_map(|call| Party::BOTH.map(|party| (call, party)));
        parties.flat_map(|(call, party)| Leg::BOTH.map(|leg| StreamId { call, party, leg }))
    }

    /// Streams lie spread evenly over the packet time; what one party says is due to the other 2 ms later.
    fn due(&self, id: StreamId) -> i64 {
        let place = |party: Party| {
            let number = i64::from(id.call.0) * 2 + i64::from(party == Party::B);
            number * PTIME_NS / i64::from(2 * self.calls)
        };
        match id.leg {
            Leg::Receive => place(id.party),
            Leg::Sent => place(id.party.other()) + 2 * MS,
        }
    }

    fn load(&self) -> LoadSpec {
        LoadSpec {
            concurrent: self.calls,
            ..load()
        }
    }

    fn opened(&self, end: End) -> Fact {
        Fact::Opened {
            end,
            run: 1,
            load: Box::new(self.load()),
            same_clock: !self.is_paused(),
            wall_at_zero: 0,
            timers: Timers::default(),
            kernel_timestamps: true,
            guest_named: self.guest_named,
            judgement: serde_json::to_string(&self.judgement).unwrap(),
        }
    }

    fn is_paused(&self) -> bool {
        let mut all = self.happenings.iter();
        all.any(|happening| matches!(happening, Happening::Paused(..)))
    }

    fn timeline(&self) -> Vec<Fact> {
        let drain = RunTime((self.seconds - 1) * NS_PER_SECOND);
        let end = RunTime(self.seconds * NS_PER_SECOND);
        let phases = [
            (Phase::Ramp, RunTime::ZERO),
            (Phase::Full, RunTime(NS_PER_SECOND)),
            (Phase::Drain, drain),
        ];
        let mut facts: Vec<Fact> = phases
            .into_iter()
            .map(|(phase, at)| Fact::Phase { phase, at })
            .collect();
        for call in (0..self.calls).map(CallId) {
            let (lane, at) = (Lane(call.0), RunTime::ZERO);
            facts.push(Fact::CallStarted { call, lane, at });
            let cut = true;
            facts.push(Fact::CallEnded { call, at: end, cut });
        }
        facts
    }

    /// Each slot of the second with something due is late by nothing, but where the end stood still.
    fn pacing(&self, end: End, second: i64) -> Fact {
        let from = second * NS_PER_SECOND;
        let mut pacing = PacingSecond {
            second: u32::try_from(second).unwrap(),
            planned: 100 * self.calls,
            sent: 100 * self.calls,
            lateness: vec![(0, 100 * self.calls)],
            ..PacingSecond::default()
        };
        for happening in &self.happenings {
            if let Happening::Frozen(who, begin, until) = *happening
                && who == end
            {
                let first = begin.max(from);
                if first < until.min(from + NS_PER_SECOND) {
                    pacing.lateness_max = pacing.lateness_max.max(until - first);
                    pacing.not_sent += 1;
                }
            }
        }
        Fact::Pacing(pacing)
    }

    /// What a stream's sender sent, and the slots it did not.
    fn sent(&self, id: StreamId) -> (Vec<Sent>, Vec<u32>) {
        let slots = u32::try_from(self.seconds * 50).unwrap();
        let (mut sent, mut not_sent) = (Vec::new(), Vec::new());
        for slot in 0..slots {
            let due = self.due(id) + i64::from(slot) * PTIME_NS;
            match self.leaves(id.leg, due) {
                Some(at) if at < self.seconds * NS_PER_SECOND => {
                    sent.push((slot, self.arrives(id, slot, at)));
                }
                Some(_) => {}
                None => not_sent.push(slot),
            }
        }
        (sent, not_sent)
    }

    /// When a packet leaves that is due at a time of its sender's clock, by the tester's; none where it is not sent.
    fn leaves(&self, leg: Leg, due: i64) -> Option<i64> {
        let mut at = due;
        for happening in &self.happenings {
            match *happening {
                Happening::Frozen(end, from, to) if end.sends() == leg && from < at && at < to => {
                    at = (to - at <= PTIME_NS).then_some(to)?;
                }
                Happening::Paused(from, to) if leg == Leg::Sent && from <= at => at += to - from,
                _ => {}
            }
        }
        Some(at)
    }

    fn arrives(&self, id: StreamId, slot: u32, left: i64) -> Option<i64> {
        let mut at = left + TRANSIT;
        for happening in &self.happenings {
            let inside = |from: i64, to: i64| from <= left && left < to;
            match *happening {
                Happening::Cut(leg, from, to) if leg == id.leg && inside(from, to) => return None,
                Happening::SomeCut(n, from, to)
                    if id.leg == Leg::Receive
                        && inside(from, to)
                        && id.call.0.is_multiple_of(n) =>
                {
                    return None;
                }
                Happening::Held(leg, from, to) if leg == id.leg && inside(from, to) => {
                    at = at.max(to);
                }
                Happening::Detour(from, longer) if from <= left => at += longer,
                Happening::Brown(from, to, most) if inside(from, to) => {
                    at += most * i64::from((slot + id.call.0) % 10) / 9;
                }
                Happening::Paused(from, to) if id.leg == Leg::Receive => {
                    if inside(from, to) {
                        return None;
                    }
                    at -= if left >= to { to - from } else { 0 };
                }
                _ => {}
            }
        }
        Some(at)
    }

    fn sender_facts(&self, stream: StreamId, sent: &[Sent], not_sent: &[u32]) -> Vec<Fact> {
        let due = RunTime(self.due(stream));
        let mut facts = vec![Fact::StreamStarted {
            stream,
            due,
            ssrc: 7,
        }];
        let runs = runs(not_sent).into_iter();
        facts.extend(runs.map(|(first_slot, slots)| Fact::NotSent {
            stream,
            first_slot,
            slots,
        }));
        facts.push(Fact::Ledger(Ledger {
            stream,
            sent: number(sent.len()),
            not_sent: number(not_sent.len()),
            refused: 0,
        }));
        facts
    }

    fn receiver_facts(&self, end: End, id: StreamId, sent: &[Sent], not_sent: &[u32]) -> Vec<Fact> {
        let mut facts = Vec::new();
        let arrived: Vec<(usize, u32, i64)> = (0..)
            .zip(sent)
            .filter_map(|(index, (slot, at))| Some((index, *slot, (*at)?)))
            .collect();
        facts.extend(gaps(id, &arrived));
        facts.extend(dead(id, &arrived, not_sent));
        let transits: Vec<(u32, i64, i64)> = arrived
            .iter()
            .map(|(_, slot, at)| (*slot, *at, at - self.due(id) - i64::from(*slot) * PTIME_NS))
            .collect();
        facts.extend(late(id, &transits, self.step(id.leg)));
        facts.extend(seconds(id, &transits));
        if end == End::Guest {
            let unplayed = self.unplayed(id, &arrived);
            facts.extend(
                runs(&unplayed)
                    .into_iter()
                    .map(|(first_slot, slots)| Fact::DeadSlots {
                        stream: id,
                        cause: DeadCause::GuestPlayout,
                        first_slot,
                        slots,
                    }),
            );
        }
        facts.push(Fact::StreamEnd(stream_end(id, &arrived)));
        facts
    }

    /// By how much what the guest sends comes later for good.
    fn step(&self, leg: Leg) -> i64 {
        let all = self.happenings.iter().map(|happening| match happening {
            Happening::Paused(from, to) if leg == Leg::Sent => to - from,
            _ => 0,
        });
        all.sum()
    }

    /// Slots that were there and whose tick the guest did not run.
    fn unplayed(&self, id: StreamId, arrived: &[(usize, u32, i64)]) -> Vec<u32> {
        let heard_by = StreamId {
            party: id.party.other(),
            leg: Leg::Sent,
            ..id
        };
        let grid = self.due(heard_by);
        let depth = load().playout_buffer;
        let ticks = arrived.iter().map(|(_, slot, _)| {
            let ready = self.due(id) + i64::from(*slot) * PTIME_NS + TRANSIT + depth - TOLERANCE;
            (*slot, ready + (grid - ready).rem_euclid(PTIME_NS))
        });
        ticks
            .filter(|(_, tick)| self.leaves(Leg::Sent, *tick).is_none())
            .map(|(slot, _)| slot)
            .collect()
    }
}

/// What a guest that died had told by then.
fn survives(fact: &Fact, died: i64) -> bool {
    let died = u32::try_from(died).unwrap();
    match fact {
        Fact::Opened { .. } | Fact::StreamStarted { .. } => true,
        Fact::Pacing(second) => second.second < died,
        Fact::StreamSecond(second) => second.second < died,
        _ => false,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap()
}

fn runs(slots: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for slot in slots {
        match runs.last_mut() {
            Some((first, length)) if *first + *length == *slot => *length += 1,
            _ => runs.push((*slot, 1)),
        }
    }
    runs
}

/// Two packets over 30 ms apart, in order of arrival.
fn gaps(stream: StreamId, arrived: &[(usize, u32, i64)]) -> Vec<Fact> {
    let mut order = arrived.to_vec();
    order.sort_by_key(|(index, _, at)| (*at, *index));
    let pairs = order
        .windows(2)
        .filter(|pair| pair[1].2 - pair[0].2 > 30 * MS);
    pairs
        .map(|pair| Fact::ArrivalGap {
            stream,
            slot: pair[1].1,
            gap_us: u32::try_from((pair[1].2 - pair[0].2) / 1000).unwrap(),
            missing: number(pair[1].0.saturating_sub(pair[0].0 + 1)),
        })
        .collect()
}

/// Slots lost and not sent between the first and the last that arrived.
fn dead(stream: StreamId, arrived: &[(usize, u32, i64)], not_sent: &[u32]) -> Vec<Fact> {
    let pairs = arrived.windows(2).filter(|pair| pair[1].1 > pair[0].1 + 1);
    let between = pairs.map(|pair| (pair[0].1 + 1, pair[1].1));
    let missing: Vec<u32> = between.flat_map(|(first, after)| first..after).collect();
    let (unsent, lost): (Vec<u32>, Vec<u32>) = missing
        .iter()
        .partition(|slot| not_sent.binary_search(slot).is_ok());
    [(DeadCause::NotSent, unsent), (DeadCause::Lost, lost)]
        .into_iter()
        .flat_map(|(cause, slots)| {
            runs(&slots)
                .into_iter()
                .map(move |(first_slot, slots)| Fact::DeadSlots {
                    stream,
                    cause,
                    first_slot,
                    slots,
                })
        })
        .collect()
}

/// Over 20 ms above the least transit so far, in order of arrival. Where a machine stood still with its clock, playout is
/// anchored anew with the tenth packet that comes later for good.
fn late(stream: StreamId, transits: &[(u32, i64, i64)], step: i64) -> Vec<Fact> {
    let mut order = transits.to_vec();
    order.sort_by_key(|(slot, at, _)| (*at, *slot));
    let (mut least, mut stepped, mut anew) = (i64::MAX, 0, None);
    let mut packets: Vec<LatePacket> = Vec::new();
    for (slot, _, transit) in order {
        least = least.min(transit);
        stepped += i32::from(step > 0 && anew.is_none() && transit - least >= step);
        if stepped == 10 && anew.is_none() {
            anew = Some(slot);
        }
        if anew.is_some_and(|anew| anew < slot) {
            least = least.max(TRANSIT + step);
        }
        if transit - least > LATE_LISTED_NS {
            let above_us = u32::try_from((transit - least) / 1000).unwrap();
            packets.push(LatePacket { slot, above_us });
        }
    }
    packets.sort_by_key(|packet| packet.slot);
    let anew = anew.map(|slot| Fact::AnchoredAnew {
        stream,
        slot,
        rose_us: u32::try_from(step / 1000).unwrap(),
    });
    let late = (!packets.is_empty()).then_some(Fact::LatePackets { stream, packets });
    late.into_iter().chain(anew).collect()
}

fn seconds(stream: StreamId, transits: &[(u32, i64, i64)]) -> Vec<Fact> {
    let mut seconds: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for (_, at, transit) in transits {
        seconds
            .entry(RunTime(*at).second())
            .or_default()
            .push(*transit);
    }
    let told = seconds.into_iter().map(|(second, transits)| {
        let least = *transits.iter().min().unwrap();
        let mut pdv: BTreeMap<u8, u16> = BTreeMap::new();
        for transit in &transits {
            *pdv.entry(Scale::STREAM.bucket(transit - least))
                .or_default() += 1;
        }
        Fact::StreamSecond(StreamSecond {
            stream,
            second,
            packets: number(transits.len()),
            duplicates: 0,
            reordered: 0,
            discarded: 0,
            transit_min: least,
            transit_max: *transits.iter().max().unwrap(),
            interarrival_jitter_sum: 0,
            interarrival_jitter_count: number(transits.len()),
            interarrival_jitter_max: 0,
            pdv: pdv.into_iter().collect(),
        })
    });
    told.collect()
}

fn stream_end(stream: StreamId, arrived: &[(usize, u32, i64)]) -> StreamEnd {
    let (first, last) = (arrived.first(), arrived.last());
    let inside = first
        .zip(last)
        .map_or(0, |(first, last)| last.0 + 1 - first.0);
    StreamEnd {
        stream,
        received: number(arrived.len()),
        duplicates: 0,
        reordered: 0,
        discarded: 0,
        lost_inside: number(inside - arrived.len()),
        first_index: first.map(|(index, ..)| number(*index)),
        last_index: last.map(|(index, ..)| number(*index)),
        first_slot: first.map(|(_, slot, _)| *slot),
        last_slot: last.map(|(_, slot, _)| *slot),
        dscp: None,
    }
}
