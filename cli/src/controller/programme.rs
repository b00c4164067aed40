//! The programme of a run while it goes on: which part of full load it is in, what is to happen now. No clock and no
//! process: the run asks it some times a second, tells it of marks and of commands that ended, and does what it says.

use crate::scenario::programme::{Moment, Part, PartEnd, PlannedEvent, ProgrammePlan, Word};
use milliwatt_wire::time::RunTime;
use std::collections::VecDeque;

/// Marks that no part has waited for are remembered, so many.
const MARKS_KEPT: usize = 1000;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// A part of full load begins.
    Part { name: String, at: RunTime },
    /// A part has waited for its word in vain.
    InVain { part: String, word: String },
    /// An event without a command happens.
    Mark { label: String },
    /// The command of this event is to be started.
    Run { event: usize },
    /// Full load ends with its last part.
    Over,
}

/// A programme under way.
pub(super) struct Programme {
    plan: ProgrammePlan,
    doing: Doing,
    /// When each part ended that has.
    ended: Vec<RunTime>,
    events: Vec<Progress>,
    /// Marks told from outside that ended no part yet, the earliest first.
    marks: VecDeque<(RunTime, String)>,
    orders: VecDeque<Order>,
    /// The end of full load was ordered.
    over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Full load has not begun.
    Nothing,
    /// The part at this place, since then.
    Part(usize, RunTime),
    /// The last has ended.
    Over,
}

/// How far an event is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Times that it began.
    begun: u32,
    /// When it first did.
    first: Option<RunTime>,
    /// Its command runs.
    running: bool,
    /// When it was over for the last time.
    over: Option<RunTime>,
}

impl Programme {
    pub(super) fn new(plan: ProgrammePlan) -> Self {
        Self {
            events: vec![Progress::default(); plan.events.len()],
            plan,
            doing: Doing::Nothing,
            ended: Vec::new(),
            marks: VecDeque::new(),
            orders: VecDeque::new(),
            over: false,
        }
    }

    /// What is to be done at `now`, full load having begun at `full_from`, or being about to: to be asked until nothing is.
    pub(super) fn advance(&mut self, now: RunTime, full_from: RunTime) -> Option<Order> {
        if self.orders.is_empty() && now >= full_from {
            self.turn_parts(now, full_from);
            self.begin_events(now, full_from);
            // What has just happened may be the word that a part waits for.
            self.turn_parts(now, full_from);
            self.end_full_load();
        }
        self.orders.pop_front()
    }

    /// Takes a mark that was told from outside.
    pub(super) fn mark(&mut self, at: RunTime, label: &str) {
        self.marks.push_back((at, label.to_owned()));
        if self.marks.len() > MARKS_KEPT {
            self.marks.pop_front();
        }
    }

    /// The command of `event` has ended.
    pub(super) fn ended(&mut self, event: usize, at: RunTime) {
        let times = self.event(event).map_or(1, |planned| planned.times);
        if let Some(progress) = self.events.get_mut(event) {
            progress.running = false;
            if progress.begun >= times {
                progress.over = Some(at);
            }
        }
    }

    /// An event's plan.
    pub(super) fn event(&self, event: usize) -> Option<&PlannedEvent> {
        self.plan.events.get(event)
    }

    /// The part of full load that it is in.
    pub(super) fn part(&self) -> Option<&str> {
        let Doing::Part(index, _) = self.doing else {
            return None;
        };
        self.plan.parts.get(index).map(|part| part.name.as_str())
    }

    /// Events whose command was to run and never did.
    pub(super) fn missed(&self) -> impl Iterator<Item = &PlannedEvent> {
        let events = self.plan.events.iter().zip(&self.events);
        events
            .filter(|(event, progress)| event.command.is_some() && progress.begun < event.times)
            .map(|(event, _)| event)
    }

    /// The part that waits for a word, and the word.
    pub(super) fn waiting(&self) -> Option<(&str, &str)> {
        let Doing::Part(index, _) = self.doing else {
            return None;
        };
        let part = self.plan.parts.get(index)?;
        match &part.end {
            PartEnd::Told(word) => Some((&part.name, &word.text)),
            PartEnd::After(_) => None,
        }
    }

    fn turn_parts(&mut self, now: RunTime, full_from: RunTime) {
        if self.doing == Doing::Nothing && !self.plan.parts.is_empty() {
            self.begin(0, full_from);
        }
        while let Doing::Part(index, since) = self.doing
            && let Some(at) = self.end_of(index, since, now)
        {
            self.ended.push(at);
            self.begin(index + 1, at);
        }
    }

    fn begin(&mut self, index: usize, at: RunTime) {
        let Some(Part { name, .. }) = self.plan.parts.get(index) else {
            self.doing = Doing::Over;
            return;
        };
        self.doing = Doing::Part(index, at);
        let name = name.clone();
        self.orders.push_back(Order::Part { name, at });
    }

    /// Once, and after all that was due by then: nothing is done any more when full load is over.
    fn end_full_load(&mut self) {
        if self.doing == Doing::Over && !std::mem::replace(&mut self.over, true) {
            self.orders.push_back(Order::Over);
        }
    }

    /// When the part at `index` ended, if it has by `now`.
    fn end_of(&mut self, index: usize, since: RunTime, now: RunTime) -> Option<RunTime> {
        let part = self.plan.parts.get(index)?.clone();
        let word = match part.end {
            PartEnd::After(ns) => return Some(since + ns).filter(|end| *end <= now),
            PartEnd::Told(word) => word,
        };
        let latest = since + word.max;
        if let Some(at) = self.told(&word).filter(|at| *at <= latest) {
            return Some(at.max(since));
        }
        if now < latest {
            return None;
        }
        let (part, word) = (part.name, word.text);
        self.orders.push_back(Order::InVain { part, word });
        Some(latest)
    }

    /// When the word came: a mark that ends a part ends no other, a command that is over stays so.
    fn told(&mut self, word: &Word) -> Option<RunTime> {
        let events = &self.plan.events;
        let mut marks = self.marks.iter();
        if let Some(place) = marks.position(|(_, mark)| word.is(mark, events)) {
            return self.marks.remove(place).map(|(at, _)| at);
        }
        let progress = self.events.get(word.event)?;
        if word.at_begin {
            progress.first
        } else {
            progress.over
        }
    }

    fn begin_events(&mut self, now: RunTime, full_from: RunTime) {
        for index in 0..self.plan.events.len() {
            while self.is_due(index, now, full_from) {
                self.begin_event(index, now);
            }
        }
    }

    fn is_due(&self, index: usize, now: RunTime, full_from: RunTime) -> bool {
        let (event, progress) = (&self.plan.events[index], &self.events[index]);
        if progress.running || progress.begun >= event.times {
            return false;
        }
        let due = |moment: Moment| {
            let from = match moment.after {
                Some(part) => *self.ended.get(part)?,
                None => full_from,
            };
            let offset = moment.offset;
            let again = event.every.saturating_mul(i64::from(progress.begun));
            Some(from + offset.saturating_add(again))
        };
        event.at.and_then(due).is_some_and(|due| due <= now)
    }

    fn begin_event(&mut self, index: usize, now: RunTime) {
        let (event, progress) = (&self.plan.events[index], &mut self.events[index]);
        progress.begun += 1;
        progress.first.get_or_insert(now);
        if event.command.is_some() {
            progress.running = true;
            self.orders.push_back(Order::Run { event: index });
            return;
        }
        if progress.begun >= event.times {
            progress.over = Some(now);
        }
        let label = event.label.clone();
        self.orders.push_back(Order::Mark { label });
    }
}

#[cfg(test)]
mod tests;
