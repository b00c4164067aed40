//! When a neighbour is told to make load. It reads no clock.

use crate::scenario::neighbours::{NeighbourPlan, Rhythm, Window};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// A stretch is told so long before it begins, ns.
const LEAD_NS: i64 = 2 * NS_PER_SECOND;
/// No run is longer, ns: a stretch without an end is told with this one.
const LONGEST_NS: i64 = 48 * 3600 * NS_PER_SECOND;

/// What a neighbour is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Load is on in this stretch.
    On {
        /// From here on.
        from: RunTime,
        /// Until then at the latest.
        until: RunTime,
    },
    /// The stretch that is on ends.
    Off {
        /// When.
        at: RunTime,
    },
}

/// The stretches of a neighbour's load, told one by one.
#[derive(Clone, Debug)]
pub(super) struct Rota {
    plan: Window,
    rhythm: Option<Rhythm>,
    /// Where load may be on, once that is known.
    window: Option<(RunTime, RunTime)>,
    /// Stretches of it that were told or missed.
    told: i64,
    last: Option<(RunTime, RunTime)>,
}

impl Rota {
    pub(super) fn new(plan: &NeighbourPlan) -> Self {
        Self {
            plan: plan.window.clone(),
            rhythm: plan.rhythm,
            window: None,
            told: 0,
            last: None,
        }
    }

    /// The part of this name begins, the one before it is over.
    pub(super) fn part(&mut self, name: &str, at: RunTime) -> Option<Order> {
        let Window::Part(own) = &self.plan else {
            return None;
        };
        if own == name {
            self.window = Some((at, at + LONGEST_NS));
            self.told = 0;
            return None;
        }
        self.window.take()?;
        self.last = None;
        Some(Order::Off { at })
    }

    /// The next stretch where it begins soon, full load beginning at `full_from`: to be asked until there is none.
    pub(super) fn advance(&mut self, now: RunTime, full_from: RunTime) -> Option<Order> {
        if let (None, Window::Time { on, off }) = (self.window, &self.plan) {
            let end = off.map_or(full_from + LONGEST_NS, |off| full_from + off);
            self.window = Some((full_from + *on, end));
        }
        let (first, end) = self.window?;
        loop {
            let (from, until) = self.stretch(first, end)?;
            if from > now + LEAD_NS {
                return None;
            }
            self.told += 1;
            if until > now {
                self.last = Some((from, until));
                return Some(Order::On { from, until });
            }
        }
    }

    /// The stretch that was told last and is not over: a neighbour that was away may not have heard of it.
    pub(super) fn again(&self, now: RunTime) -> Option<Order> {
        let (from, until) = self.last.filter(|(_, until)| *until > now)?;
        Some(Order::On { from, until })
    }

    fn stretch(&self, first: RunTime, end: RunTime) -> Option<(RunTime, RunTime)> {
        let (from, until) = match self.rhythm {
            None if self.told > 0 => return None,
            None => (first, end),
            Some(Rhythm { busy, idle }) => {
                let from = first + self.told.saturating_mul(busy.saturating_add(idle));
                (from, (from + busy).min(end))
            }
        };
        (from < until).then_some((from, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::neighbour::NeighbourLoad;

    fn at(seconds: i64) -> RunTime {
        RunTime(seconds * NS_PER_SECOND)
    }

    fn on(from: i64, until: i64) -> Order {
        let (from, until) = (at(from), at(until));
        Order::On { from, until }
    }

    fn rota(window: Window, rhythm: Option<(i64, i64)>) -> Rota {
        Rota::new(&NeighbourPlan {
            load: NeighbourLoad::default(),
            window,
            rhythm: rhythm.map(|(busy, idle)| Rhythm {
                busy: at(busy).0,
                idle: at(idle).0,
            }),
        })
    }

    /// Full load from second 5; the window is 10 s to 25 s of it; 4 s on, 2 s off: 15..19, 21..25, 27..30.
    #[test]
    fn stretches_are_told_by_turns_two_seconds_before_they_begin() {
        let window = Window::Time {
            on: at(10).0,
            off: Some(at(25).0),
        };
        let mut rota = rota(window, Some((4, 2)));
        let mut told = Vec::new();
        for second in 0..40 {
            while let Some(order) = rota.advance(at(second), at(5)) {
                told.push((second, order));
            }
        }
        assert_eq!(told, [(13, on(15, 19)), (19, on(21, 25)), (25, on(27, 30))]);
        assert_eq!(rota.again(at(29)), Some(on(27, 30)));
        assert_eq!(rota.again(at(30)), None);
    }

    #[test]
    fn without_turns_there_is_one_stretch_and_what_was_missed_is_not_made_up_for() {
        let all = Window::Time { on: 0, off: None };
        let mut steady = rota(all.clone(), None);
        assert_eq!(steady.advance(at(2), at(5)), None);
        assert_eq!(steady.advance(at(3), at(5)), Some(on(5, 5 + 48 * 3600)));
        assert_eq!(steady.advance(at(4), at(5)), None);
        // Not asked for 10 s: the stretches 5..7 and 9..11 are over, 13..15 is on.
        let mut turns = rota(all, Some((2, 2)));
        assert_eq!(turns.advance(at(14), at(5)), Some(on(13, 15)));
        assert_eq!(turns.advance(at(14), at(5)), None);
    }

    #[test]
    fn a_part_of_the_run_begins_and_ends_its_load() {
        let mut rota = rota(Window::Part("contention".into()), Some((3, 3)));
        assert_eq!(rota.part("alone", at(1)), None);
        assert_eq!(rota.advance(at(8), at(1)), None);
        assert_eq!(rota.part("contention", at(10)), None);
        assert_eq!(rota.advance(at(10), at(1)), Some(on(10, 13)));
        assert_eq!(rota.advance(at(14), at(1)), Some(on(16, 19)));
        let off = Some(Order::Off { at: at(17) });
        assert_eq!(rota.part("alone again", at(17)), off);
        assert_eq!(rota.advance(at(22), at(1)), None);
        assert_eq!(rota.part("the end", at(30)), None);
    }
}
