//! Which streams are due in a slot. One pacer serves some lanes of one end; the thread that drives
//! it wakes once a slot, walks the few streams that have their place there, and sends.

use crate::calls::{Call, CallPlan};
use crate::grid::Grid;
use crate::steps::{FAR, LaneCalls};
use crate::stream::StreamSender;
use milliwatt_wire::facts::{Fact, PacingSecond, Scale};
use milliwatt_wire::id::{CallId, Lane, Leg, Party, StreamId};
use milliwatt_wire::load::{LoadSpec, PTIME_NS, Role};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::RunTime;
use std::hint::black_box;
use std::sync::Arc;

/// All calls of one lane and party, one after the other: the stream on one port pair.
#[derive(Debug)]
pub struct Line {
    lane: Lane,
    party: Party,
    leg: Leg,
    /// Offset of the line's packets into the call's packet times, ns.
    offset: i64,
    calls: LaneCalls,
    /// Place of the next call in `calls`.
    next_call: usize,
    current: Option<(Call, StreamSender)>,
}

impl Line {
    /// The lane.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Whose leg of the call it is.
    #[must_use]
    pub fn party(&self) -> Party {
        self.party
    }

    /// The call being sent.
    #[must_use]
    pub fn call(&self) -> Option<&Call> {
        self.current.as_ref().map(|(call, _)| call)
    }

    /// The stream being sent.
    pub fn sender(&mut self) -> Option<&mut StreamSender> {
        self.current.as_mut().map(|(_, sender)| sender)
    }

    /// The call being sent, and its stream.
    pub fn sending(&mut self) -> Option<(&Call, &mut StreamSender)> {
        self.current.as_mut().map(|(call, sender)| (&*call, sender))
    }

    /// Touches what its next packet will need: see [`StreamSender::touch`].
    #[inline]
    pub fn touch(&self) {
        black_box(self.lane);
        if let Some((call, sender)) = &self.current {
            black_box(call.start);
            sender.touch();
        }
    }

    /// The stream that has a slot due at `due`, opening and closing streams on the way. From `cut`
    /// on nothing is due: the run was stopped.
    fn due(
        &mut self,
        terms: &Terms,
        due: RunTime,
        cut: RunTime,
        facts: &mut impl FnMut(Fact),
    ) -> bool {
        let over = |(_, s): &(Call, StreamSender)| s.next_slot().is_none() || due >= cut;
        if self.current.as_ref().is_some_and(over) {
            self.finish(facts);
        }
        if self.current.is_none() && due < cut {
            self.open(terms, due, facts);
        }
        self.current
            .as_ref()
            .is_some_and(|(_, s)| s.next_due() <= due)
    }

    fn open(&mut self, terms: &Terms, due: RunTime, facts: &mut impl FnMut(Fact)) {
        let next = self.calls.peek(&mut self.next_call);
        let Some(call) = next.filter(|c| c.start + self.offset <= due) else {
            return;
        };
        let stream = StreamId {
            call: call.id,
            party: self.party,
            leg: self.leg,
        };
        let mut sender = StreamSender::new(&terms.load, &call, stream, call.start + self.offset);
        if let Some(keys) = &terms.keys {
            sender = sender.with_key(&keys.stream(stream));
        }
        facts(sender.started());
        // A step that was heard of after its begin: what is past is not sent, and the rest keeps its time.
        while due < FAR && sender.next_due() + PTIME_NS <= due && sender.next_slot().is_some() {
            sender.skip();
        }
        self.current = Some((call, sender));
        self.next_call += 1;
    }

    fn finish(&mut self, facts: &mut impl FnMut(Fact)) {
        if let Some((_, mut sender)) = self.current.take() {
            sender.finish(facts);
        }
    }
}

/// What a stream that is opened is made by.
#[derive(Debug)]
struct Terms {
    load: LoadSpec,
    keys: Option<Arc<MediaKeys>>,
}

/// The lines of some lanes, by slot.
#[derive(Debug)]
pub struct Pacer {
    terms: Terms,
    grid: Grid,
    lines: Vec<Line>,
    by_slot: Vec<Vec<u32>>,
    cut: RunTime,
    /// The end of a step before its time.
    step_cut: RunTime,
}

impl Pacer {
    /// The pacer of `leg` for the lanes that `serves` accepts. On the sent leg a line lies
    /// `onward_offset` after the place of the *other* party, whose audio it carries.
    #[must_use]
    pub fn new(load: &LoadSpec, plan: &CallPlan, leg: Leg, serves: impl Fn(Lane) -> bool) -> Self {
        let grid = Grid::new(load);
        let mut lines = Vec::new();
        let mut by_slot = vec![Vec::new(); grid.slots() as usize];
        for (lane, calls) in (0..)
            .map(Lane)
            .zip(plan.by_lane(load.concurrent))
            .filter(|(lane, _)| serves(*lane))
        {
            for party in load.parties() {
                let offset = line_offset(load, &grid, lane, *party, leg);
                let (_, slot) = grid.slot_of(offset);
                by_slot[slot as usize].push(u32::try_from(lines.len()).unwrap_or(u32::MAX));
                let (party, calls) = (*party, calls.clone());
                lines.push(Line {
                    lane,
                    party,
                    leg,
                    offset,
                    calls,
                    next_call: 0,
                    current: None,
                });
            }
        }
        Self {
            terms: Terms {
                load: load.clone(),
                keys: None,
            },
            grid,
            lines,
            by_slot,
            cut: RunTime(i64::MAX),
            step_cut: RunTime(i64::MAX),
        }
    }

    /// The same with streams that are encrypted, when there are keys.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<Arc<MediaKeys>>) -> Self {
        self.terms.keys = keys;
        self
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// All lines, in the order of their index.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The first slot from `tick` on that any line has its place in: in the others there is nothing to wake for.
    #[must_use]
    pub fn next_used(&self, tick: i64) -> i64 {
        let slots = i64::from(self.grid.slots());
        let used = |tick: &i64| {
            let slot = usize::try_from(tick.rem_euclid(slots)).unwrap_or(0);
            !self.by_slot[slot].is_empty()
        };
        (tick..tick + slots).find(used).unwrap_or(tick)
    }

    /// The lines that have their place in slot `tick`, by their index.
    #[must_use]
    pub fn lines_in(&self, tick: i64) -> &[u32] {
        let slot = usize::try_from(tick.rem_euclid(i64::from(self.grid.slots()))).unwrap_or(0);
        self.by_slot.get(slot).map_or(&[], Vec::as_slice)
    }

    /// Ends every call at `at`, or at its own end if that is sooner.
    pub fn cut(&mut self, at: RunTime) {
        self.cut = self.cut.min(at);
    }

    /// Ends every call that is up at `at`; those that begin afterwards are sent once this is said again of a later time.
    #[inline]
    pub fn cut_step(&mut self, at: RunTime) {
        self.step_cut = at;
    }

    /// Visits every line that has a packet due in slot `tick`. The visitor fills and settles, or
    /// skips, exactly the slot that is due.
    pub fn visit<F: FnMut(Fact)>(
        &mut self,
        tick: i64,
        facts: &mut F,
        mut visit: impl FnMut(usize, &mut Line, &mut F),
    ) {
        let due = self.grid.due(tick);
        let slot = usize::try_from(tick.rem_euclid(i64::from(self.grid.slots()))).unwrap_or(0);
        let cut = self.cut.min(self.step_cut);
        for index in &self.by_slot[slot] {
            let index = *index as usize;
            let line = &mut self.lines[index];
            if line.due(&self.terms, due, cut, facts) {
                visit(index, line, facts);
            }
        }
    }

    /// The stream of `call` on line `index`, whatever its slot: for packets that go back at once.
    pub fn stream_of(
        &mut self,
        index: usize,
        call: CallId,
        facts: &mut impl FnMut(Fact),
    ) -> Option<&mut StreamSender> {
        let line = &mut self.lines[index];
        let behind = |line: &Line| {
            let current = line.current.as_ref();
            current.is_none_or(|(_, s)| s.stream().call < call)
        };
        while behind(line) && line.calls.peek(&mut line.next_call).is_some() {
            line.finish(facts);
            line.open(&self.terms, RunTime(i64::MAX), facts);
        }
        line.sender().filter(|s| s.stream().call == call)
    }

    /// Ends whatever is still open.
    pub fn finish(&mut self, facts: &mut impl FnMut(Fact)) {
        for line in &mut self.lines {
            line.finish(facts);
        }
    }
}

/// Where a line's packets lie, ns after the call's own packet times.
#[must_use]
pub fn line_offset(load: &LoadSpec, grid: &Grid, lane: Lane, party: Party, leg: Leg) -> i64 {
    match leg {
        Leg::Receive => grid.place(lane, party),
        Leg::Sent => {
            let crossed = load.legs >= 2 && load.role == Role::MediaServer;
            let speaker = if crossed { party.other() } else { party };
            let offset = grid.place(lane, speaker) + load.onward_offset;
            offset.div_euclid(load.slot_width) * load.slot_width
        }
    }
}

/// A packet later than this is not sent: one packet time, after which it would meet its successor.
pub const NOT_SENT_AFTER_NS: i64 = PTIME_NS;

/// Lateness of every packet of a second, and what was not sent.
#[derive(Clone, Debug)]
pub struct PacingLog {
    second: PacingSecond,
    buckets: Box<[u32; 256]>,
}

impl Default for PacingLog {
    fn default() -> Self {
        Self {
            second: PacingSecond::default(),
            buckets: Box::new([0; 256]),
        }
    }
}

impl PacingLog {
    /// Counts a packet due at `due` that left (or was given up) at `at`.
    pub fn count(&mut self, due: RunTime, at: RunTime, sent: bool, facts: &mut impl FnMut(Fact)) {
        if due.second() != self.second.second {
            self.close(due.second(), facts);
        }
        let lateness = at - due;
        self.second.planned += 1;
        self.second.lateness_max = self.second.lateness_max.max(lateness);
        self.buckets[usize::from(Scale::LEG.bucket(lateness))] += 1;
        if sent {
            self.second.sent += 1;
        } else {
            self.second.not_sent += 1;
        }
    }

    /// Closes the second under way, if it saw anything, and starts `next`.
    pub fn close(&mut self, next: u32, facts: &mut impl FnMut(Fact)) {
        if self.second.planned > 0 {
            let counted = (0..=u8::MAX)
                .zip(self.buckets.iter())
                .filter(|(_, count)| **count > 0);
            self.second.lateness = counted.map(|(bucket, count)| (bucket, *count)).collect();
            facts(Fact::Pacing(std::mem::take(&mut self.second)));
            self.buckets.fill(0);
        }
        self.second.second = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Handed;
    use milliwatt_wire::time::NS_PER_SECOND;

    #[test]
    fn slots_without_a_line_are_passed_over() {
        let load = LoadSpec {
            concurrent: 1,
            ..crate::test_load()
        };
        let plan = CallPlan::expand(&load);
        let pacer = Pacer::new(&load, &plan, Leg::Receive, |_| true);
        let used: Vec<i64> = (0..80)
            .filter(|tick| pacer.next_used(*tick) == *tick)
            .collect();
        assert_eq!(used.len(), 4, "two lines, two packet times: {used:?}");
        assert_eq!((used[2], used[3]), (used[0] + 40, used[1] + 40));
    }

    /// Drives a pacer over the whole plan in virtual time; gives sent packets by line.
    fn drive(pacer: &mut Pacer, until: RunTime, facts: &mut Vec<Fact>) -> u64 {
        let mut sent = 0;
        let mut tick = 0;
        while pacer.grid().due(tick) < until {
            pacer.visit(tick, &mut |f| facts.push(f), |_, line, facts| {
                let sender = line.sender().expect("a visited line has a stream");
                sender.fill();
                sender.settle(Handed::Sent, facts);
                sent += 1;
            });
            tick += 1;
        }
        pacer.finish(&mut |f| facts.push(f));
        sent
    }

    #[test]
    fn every_planned_packet_is_sent_once_on_either_leg() {
        let load = LoadSpec {
            full_for: Some(3 * NS_PER_SECOND),
            concurrent: 20,
            ..crate::test_load()
        };
        let plan = CallPlan::expand(&load);
        let planned: u64 = plan.calls.iter().map(|c| u64::from(c.packets) * 2).sum();
        for leg in Leg::BOTH {
            let mut facts = Vec::new();
            let mut pacer = Pacer::new(&load, &plan, leg, |_| true);
            assert_eq!(
                drive(&mut pacer, plan.end() + NS_PER_SECOND, &mut facts),
                planned
            );
            let ledgers: u64 = facts
                .iter()
                .map(|f| {
                    if let Fact::Ledger(l) = f {
                        u64::from(l.sent)
                    } else {
                        0
                    }
                })
                .sum();
            assert_eq!(ledgers, planned);
        }
    }

    #[test]
    fn a_cut_ends_every_stream_there() {
        let load = LoadSpec {
            concurrent: 10,
            ..crate::test_load()
        };
        let plan = CallPlan::expand(&load);
        let mut pacer = Pacer::new(&load, &plan, Leg::Receive, |_| true);
        pacer.cut(RunTime(NS_PER_SECOND));
        let mut facts = Vec::new();
        let sent = drive(&mut pacer, RunTime(2 * NS_PER_SECOND), &mut facts);
        // Calls start 20 ms apart: call k has 50 - k packet times before the cut, on two streams.
        assert_eq!(sent, (0..10).map(|k| 2 * (50 - k)).sum::<u64>());
    }

    #[test]
    fn lateness_is_logged_by_the_second_of_being_due() {
        let mut log = PacingLog::default();
        let mut facts = Vec::new();
        log.count(
            RunTime(999_000_000),
            RunTime(1_000_500_000),
            true,
            &mut |f| facts.push(f),
        );
        log.count(
            RunTime(1_000_000_000),
            RunTime(1_030_000_000),
            false,
            &mut |f| facts.push(f),
        );
        log.close(2, &mut |f| facts.push(f));
        let [Fact::Pacing(first), Fact::Pacing(second)] = facts.as_slice() else {
            panic!("{facts:?}")
        };
        assert_eq!(
            (first.second, first.planned, first.sent, first.lateness_max),
            (0, 1, 1, 1_500_000)
        );
        assert_eq!(
            (second.second, second.not_sent, second.lateness_max),
            (1, 1, 30_000_000)
        );
    }
}
