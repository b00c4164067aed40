//! The facts of both ends, step by step.

use super::second::StepSecond;
use super::stream::{DeadRun, StreamState};
use milliwatt_wire::facts::{DeadCause, Fact, HostSecond, LatePacket, Scale, StreamSecond};
use milliwatt_wire::id::{CallId, End, StreamId};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::step::{Step, StepKind};
use milliwatt_wire::time::RunTime;
use std::collections::{BTreeMap, BTreeSet};

/// Slots of the longest run an agent allows, 12 h: what lies beyond is no slot of ours.
const SLOTS_MAX: u32 = 12 * 3600 * 50;
/// Seconds after a step's end that both ends must have told of where some stream's last word does not come.
const LAST_WORD_SECONDS: u32 = 3;

/// A step, and what was told of it.
#[derive(Clone, Debug)]
pub(super) struct StepRecord {
    pub step: Step,
    pub kind: StepKind,
    pub target_kbps: u32,
    /// When it ended, where that was told.
    pub ended: Option<RunTime>,
    pub seconds: BTreeMap<u32, StepSecond>,
    /// Streams of which both ends said their last word.
    finished: BTreeSet<StreamId>,
}

impl StepRecord {
    /// The end, planned or before its time.
    pub(super) fn until(&self) -> RunTime {
        self.ended
            .map_or(self.step.until, |at| at.min(self.step.until))
    }

    fn second(&mut self, second: u32) -> Option<&mut StepSecond> {
        let inside = (self.step.from.second()..self.step.until.second()).contains(&second);
        inside.then(|| self.seconds.entry(second).or_default())
    }

    fn has_call(&self, call: CallId) -> bool {
        let first = self.step.first_call;
        call.0 >= first && call.0 - first < self.step.calls
    }
}

/// Takes the facts of both ends, those of each end in their order; tells what each step showed on each leg.
///
/// The same while the run goes on and from its logs. A step must be known before what happened in it: where the logs of
/// the ends are read one after the other, give it each `Opened`, `StepStarted`, `StepEnded` and `StreamStarted` first; that
/// they come again does no harm. What it holds of a stream goes with the stream's end.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub(super) steps: BTreeMap<u32, StepRecord>,
    /// Steps by their first call.
    by_call: BTreeMap<u32, u32>,
    streams: BTreeMap<StreamId, StreamState>,
    pub(super) load: Option<LoadSpec>,
    pub(super) guest_named: bool,
    same_clock: bool,
    /// Latest second that each end told of.
    pub(super) reported: [Option<u32>; 2],
    /// Each end's count of own drops so far.
    drops: [u64; 2],
}

impl Evidence {
    /// Takes a fact from the log of `end`.
    pub fn absorb(&mut self, end: End, fact: &Fact) {
        match fact {
            Fact::Opened {
                load,
                same_clock,
                guest_named,
                ..
            } => self.open(end, load, *same_clock, *guest_named),
            Fact::StepStarted {
                step,
                kind,
                target_kbps,
            } => self.start(step, *kind, *target_kbps),
            Fact::StepEnded { index, at } => {
                if let Some(record) = self.steps.get_mut(index) {
                    record.ended = Some(*at);
                }
            }
            _ if self.steps.is_empty() => {}
            Fact::Pacing(_) | Fact::Sent(_) | Fact::Host(_) | Fact::Transfers(_) => {
                self.absorb_own(end, fact);
            }
            _ => self.absorb_stream(fact),
        }
    }

    fn open(&mut self, end: End, load: &LoadSpec, same_clock: bool, guest_named: bool) {
        self.load.get_or_insert_with(|| load.clone());
        self.same_clock = same_clock;
        if end == End::Tester {
            self.guest_named = guest_named;
        }
    }

    fn start(&mut self, step: &Step, kind: StepKind, target_kbps: u32) {
        self.by_call.insert(step.first_call, step.index);
        self.steps.entry(step.index).or_insert_with(|| StepRecord {
            step: *step,
            kind,
            target_kbps,
            ended: None,
            seconds: BTreeMap::new(),
            finished: BTreeSet::new(),
        });
    }

    /// What an end tells of itself.
    fn absorb_own(&mut self, end: End, fact: &Fact) {
        let second = match fact {
            Fact::Pacing(of) => of.second,
            Fact::Sent(of) => of.second,
            Fact::Host(of) => of.second,
            Fact::Transfers(of) => of.second,
            _ => return,
        };
        let dropped = matches!(fact, Fact::Host(of) if self.has_dropped(end, of));
        let reported = &mut self.reported[end as usize];
        *reported = (*reported).max(Some(second));
        let mut records = self.steps.values_mut().rev();
        let Some(tally) = records.find_map(|record| record.second(second)) else {
            return;
        };
        let own = &mut tally.ends[end as usize];
        own.told = true;
        own.dropped |= dropped;
        let leg = &mut tally.legs[end.sends() as usize];
        match fact {
            Fact::Pacing(of) => {
                own.add_pacing(of);
                leg.unsent += u64::from(of.not_sent);
            }
            Fact::Sent(of) => leg.add_sent(of),
            Fact::Transfers(of) => leg.add_transferred(of),
            _ => {}
        }
    }

    /// The end's count of drops rose.
    fn has_dropped(&mut self, end: End, host: &HostSecond) -> bool {
        let before = std::mem::replace(&mut self.drops[end as usize], host.socket_drops);
        host.socket_drops > before
    }

    fn absorb_stream(&mut self, fact: &Fact) {
        match fact {
            Fact::StreamStarted { stream, due, .. } => self.start_stream(*stream, *due),
            Fact::StreamSecond(second) => self.absorb_second(second),
            Fact::DeadSlots {
                stream,
                cause,
                first_slot,
                slots,
            } => {
                let run = DeadRun {
                    cause: *cause,
                    first_slot: *first_slot,
                    slots: *slots,
                };
                self.absorb_runs(*stream, vec![run]);
            }
            Fact::LatePackets { stream, packets } => self.absorb_late(*stream, packets),
            Fact::Ledger(ledger) => {
                self.with_stream(ledger.stream, |state| state.ledger = Some(*ledger));
                self.finish(ledger.stream);
            }
            Fact::StreamEnd(last) => {
                self.with_stream(last.stream, |state| state.end = Some(*last));
                self.settle(last.stream);
                self.finish(last.stream);
            }
            _ => {}
        }
    }

    /// The step of a call, if it is one's.
    fn step_of(&self, call: CallId) -> Option<u32> {
        let (_, index) = self.by_call.range(..=call.0).next_back()?;
        let record = self.steps.get(index)?;
        record.has_call(call).then_some(*index)
    }

    fn record_of(&mut self, call: CallId) -> Option<&mut StepRecord> {
        let index = self.step_of(call)?;
        self.steps.get_mut(&index)
    }

    /// The state of a stream of a step that is not over; none of any other.
    fn with_stream<T>(
        &mut self,
        stream: StreamId,
        take: impl FnOnce(&mut StreamState) -> T,
    ) -> Option<T> {
        let record = self.record_of(stream.call)?;
        if record.finished.contains(&stream) {
            return None;
        }
        Some(take(self.streams.entry(stream).or_default()))
    }

    /// The receiver has said its last word, and the sender not its first: what waits for that is placed as if the stream
    /// had begun with its step. A sender whose word is cut off does not hide what its leg lost.
    fn settle(&mut self, stream: StreamId) {
        let Some(from) = self.record_of(stream.call).map(|record| record.step.from) else {
            return;
        };
        if self.with_stream(stream, |state| state.due.is_none()) == Some(true) {
            self.start_stream(stream, from);
        }
    }

    fn start_stream(&mut self, stream: StreamId, due: RunTime) {
        let waiting = self.with_stream(stream, |state| {
            state.due = Some(due);
            std::mem::take(&mut state.waiting)
        });
        self.place(stream, due, &waiting.unwrap_or_default());
    }

    fn absorb_second(&mut self, fact: &StreamSecond) {
        let same_clock = self.same_clock;
        let least = (fact.packets > 0)
            .then(|| {
                let least = |state: &mut StreamState| {
                    state.least(fact.second, fact.transit_min, same_clock)
                };
                self.with_stream(fact.stream, least)
            })
            .flatten();
        let record = self.record_of(fact.stream.call);
        let Some(tally) = record.and_then(|record| record.second(fact.second)) else {
            return;
        };
        let leg = &mut tally.legs[fact.stream.leg as usize];
        leg.received += u64::from(fact.packets);
        leg.discarded += u64::from(fact.discarded);
        if let Some(least) = least {
            let above = fact.transit_min.saturating_sub(least);
            leg.pdv.record_coarse(Scale::STREAM, &fact.pdv, above);
            leg.pdv.raise_max(fact.transit_max.saturating_sub(least));
        }
    }

    fn absorb_late(&mut self, stream: StreamId, packets: &[LatePacket]) {
        let buffer = self
            .load
            .as_ref()
            .map_or(i64::MAX, |load| load.playout_buffer);
        let least_slots = self.dead_air_slots();
        let runs = self.with_stream(stream, |state| {
            state.late_runs(packets, buffer, least_slots)
        });
        self.absorb_runs(stream, runs.unwrap_or_default());
    }

    /// Places runs of dead slots, or keeps them until it is known when the stream began. Of a stream that is over it is
    /// known no more: such a run is placed as if it had begun with its step, at most a packet time early.
    fn absorb_runs(&mut self, stream: StreamId, runs: Vec<DeadRun>) {
        let from = self.record_of(stream.call).map(|record| record.step.from);
        let due = self.with_stream(stream, |state| state.due);
        match (due, from) {
            (Some(Some(due)), _) | (None, Some(due)) => self.place(stream, due, &runs),
            (Some(None), _) => {
                self.with_stream(stream, |state| state.waiting.extend(runs));
            }
            (None, None) => {}
        }
    }

    fn place(&mut self, stream: StreamId, due: RunTime, runs: &[DeadRun]) {
        let least_slots = self.dead_air_slots();
        let Some(record) = self.record_of(stream.call) else {
            return;
        };
        let at = |slot: u32| (due + i64::from(slot) * PTIME_NS).second();
        let leg = stream.leg as usize;
        for run in runs {
            let begun = record.second(at(run.first_slot));
            if let Some(tally) = begun.filter(|_| run.slots >= least_slots) {
                let tally = &mut tally.legs[leg];
                tally.dead_air += 1;
                tally.dead_air_of_playout += u64::from(run.cause == DeadCause::GuestPlayout);
            }
            if run.cause != DeadCause::Lost {
                continue;
            }
            let last = run.first_slot.saturating_add(run.slots).min(SLOTS_MAX);
            for slot in run.first_slot..last {
                if let Some(tally) = record.second(at(slot)) {
                    tally.legs[leg].lost += 1;
                }
            }
        }
    }

    /// Both ends have said their last word: what only both together tell is placed, and the stream is forgotten.
    fn finish(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get(&stream) else {
            return;
        };
        let Some(runs) = state.lost_outside() else {
            return;
        };
        let Some(due) = state.due else {
            return;
        };
        self.place(stream, due, &runs);
        self.streams.remove(&stream);
        if let Some(record) = self.record_of(stream.call) {
            record.finished.insert(stream);
        }
    }

    /// The fewest slots in a row that are dead air.
    fn dead_air_slots(&self) -> u32 {
        let slots = self
            .load
            .as_ref()
            .map(|load| load.dead_air_min.max(1).saturating_add(PTIME_NS - 1) / PTIME_NS);
        slots.map_or(u32::MAX, |slots| u32::try_from(slots).unwrap_or(u32::MAX))
    }

    /// Steps told of, by their number.
    pub fn steps(&self) -> impl Iterator<Item = &Step> + '_ {
        self.steps.values().map(|record| &record.step)
    }

    /// Both ends have told all of a step: everything up to 1 s after its end and each stream's last word; or, where some
    /// of those do not come, everything up to 3 s after it. False of a step that was not told of.
    #[must_use]
    pub fn is_complete(&self, index: u32) -> bool {
        let Some(record) = self.steps.get(&index) else {
            return false;
        };
        let until = record.until().second();
        let told = |seconds: u32| {
            let mut ends = self.reported.iter();
            ends.all(|last| last.is_some_and(|last| last >= until.saturating_add(seconds)))
        };
        let parties = self.load.as_ref().map_or(2, |load| load.parties().len());
        let streams = 2 * parties * record.step.calls as usize;
        told(LAST_WORD_SECONDS) || told(1) && record.finished.len() >= streams
    }

    /// Both ends are through with a second.
    pub(super) fn is_told(&self, second: u32) -> bool {
        self.reported
            .iter()
            .all(|last| last.is_some_and(|last| last > second))
    }

    /// Streams that are up.
    #[cfg(test)]
    pub(crate) fn streams_held(&self) -> usize {
        self.streams.len()
    }
}
