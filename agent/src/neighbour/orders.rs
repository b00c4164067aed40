//! When load is on: as the tester asked, and no longer than it is there to end it.

use milliwatt_wire::control::NEIGHBOUR_LEASH_NS;
use milliwatt_wire::time::{MonoTime, RunClock, RunTime};
use std::collections::BTreeMap;

/// Stretches kept at once: those that are over are let go of.
const STRETCHES_MAX: usize = 1000;
/// Never.
const NEVER: MonoTime = MonoTime(i64::MAX);

/// On or off, and until when at the latest nothing changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Load is on.
    pub on: bool,
    /// The next change that is known of; the far future without one.
    pub until: MonoTime,
}

/// What the tester asked for, by this host's monotonic clock.
#[derive(Clone, Debug)]
pub struct Orders {
    clock: Option<RunClock>,
    /// No stretch is longer, ns.
    longest: i64,
    /// By begin: the end of each.
    stretches: BTreeMap<MonoTime, MonoTime>,
    /// The tester is taken to be there until then.
    leash: MonoTime,
    /// Nothing is on from here on.
    stop: MonoTime,
}

impl Orders {
    /// Nothing asked; no stretch will last longer than `longest`, ns.
    #[must_use]
    pub fn new(longest: i64) -> Self {
        Self {
            clock: None,
            longest,
            stretches: BTreeMap::new(),
            leash: MonoTime(i64::MIN),
            stop: NEVER,
        }
    }

    /// Run time is known; a second time it stays as it is.
    pub fn start(&mut self, clock: RunClock) {
        self.clock.get_or_insert(clock);
    }

    /// Run time, once it is known.
    #[must_use]
    pub fn clock(&self) -> Option<RunClock> {
        self.clock
    }

    /// The tester said something.
    pub fn heard(&mut self, now: MonoTime) {
        self.leash = now + NEIGHBOUR_LEASH_NS;
    }

    /// The connection to the tester ended.
    pub fn let_go(&mut self, now: MonoTime) {
        self.leash = now;
    }

    /// Load is on from `from` until `until`; it begins at `now` where that is later.
    pub fn on(&mut self, now: MonoTime, from: RunTime, until: RunTime) {
        let Some(clock) = self.clock else { return };
        self.stretches.retain(|_, until| *until > now);
        let length = until.0.saturating_sub(from.0).clamp(0, self.longest);
        let (from, until) = (mono(clock, from), mono(clock, from + length));
        if until > now.max(from) && self.stretches.len() < STRETCHES_MAX {
            self.stretches.insert(from.max(now), until);
        }
    }

    /// The stretch that holds `at` ends there.
    pub fn off(&mut self, at: RunTime) {
        let Some(clock) = self.clock else { return };
        let at = mono(clock, at);
        for (from, until) in &mut self.stretches {
            if *from <= at {
                *until = at.min(*until);
            }
        }
    }

    /// Nothing is on from here on, whatever is asked later.
    pub fn stop(&mut self, at: MonoTime) {
        self.stop = self.stop.min(at);
    }

    /// The same at a run time; at once where that is not known.
    pub fn stop_at(&mut self, now: MonoTime, at: RunTime) {
        self.stop(self.clock.map_or(now, |clock| mono(clock, at)));
    }

    /// When all load is over, whatever is asked later; the far future until that was said.
    #[must_use]
    pub fn stopped(&self) -> MonoTime {
        self.stop
    }

    /// Whether load is on.
    #[must_use]
    pub fn at(&self, now: MonoTime) -> State {
        let end = self.leash.min(self.stop);
        if now >= end {
            // Only the tester can change that.
            return State {
                on: false,
                until: NEVER,
            };
        }
        let begun = self.stretches.range(..=now);
        let until = begun
            .map(|(_, until)| *until)
            .filter(|until| *until > now)
            .max();
        let next = || {
            self.stretches
                .range(now + 1..)
                .next()
                .map(|(from, _)| *from)
        };
        match until {
            Some(until) => State {
                on: true,
                until: until.min(end),
            },
            None => State {
                on: false,
                until: next().unwrap_or(NEVER).min(end),
            },
        }
    }
}

/// Saturates: the tester may name any time.
fn mono(clock: RunClock, at: RunTime) -> MonoTime {
    MonoTime(clock.zero.0.saturating_add(at.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::NS_PER_SECOND;

    /// Run time zero is at 100 s of the host's clock.
    fn orders() -> Orders {
        let mut orders = Orders::new(3600 * NS_PER_SECOND);
        orders.start(RunClock { zero: mono(100) });
        orders.heard(mono(100));
        orders
    }

    fn mono(second: i64) -> MonoTime {
        MonoTime(second * NS_PER_SECOND)
    }

    fn run(second: i64) -> RunTime {
        RunTime(second * NS_PER_SECOND)
    }

    fn at(orders: &Orders, second: i64) -> (bool, i64) {
        let State { on, until } = orders.at(mono(second));
        (
            on,
            if until == NEVER {
                -1
            } else {
                until.0 / NS_PER_SECOND
            },
        )
    }

    #[test]
    fn stretches_begin_and_end_at_their_times() {
        let mut orders = orders();
        orders.on(mono(100), run(2), run(3));
        orders.on(mono(100), run(4), run(9));
        let states = [101, 102, 103, 104].map(|second| at(&orders, second));
        // The leash is 5 s long: the second stretch would end by it.
        assert_eq!(
            states,
            [(false, 102), (true, 103), (false, 104), (true, 105)]
        );
        orders.heard(mono(104));
        assert_eq!(
            [at(&orders, 105), at(&orders, 108)],
            [(true, 109), (true, 109)]
        );
        orders.heard(mono(109));
        assert_eq!(at(&orders, 109), (false, 114), "nothing more was asked");
    }

    #[test]
    fn load_ends_when_its_tester_falls_silent_or_its_connection_ends() {
        let mut orders = orders();
        orders.on(mono(100), run(0), run(60));
        assert_eq!(at(&orders, 104), (true, 105));
        assert_eq!(at(&orders, 105), (false, -1), "silent for 5 s");
        orders.heard(mono(107));
        assert_eq!(at(&orders, 107), (true, 112), "it is there again");
        orders.let_go(mono(108));
        assert_eq!(at(&orders, 108), (false, -1));
    }

    #[test]
    fn an_end_that_is_told_ends_the_stretch_it_lies_in_alone() {
        let mut orders = orders();
        orders.on(mono(100), run(0), run(60));
        orders.on(mono(100), run(90), run(95));
        orders.off(run(3));
        assert_eq!(at(&orders, 102), (true, 103));
        assert!(!at(&orders, 103).0);
        orders.heard(mono(191));
        assert_eq!(at(&orders, 191), (true, 195));
        orders.stop_at(mono(191), run(92));
        assert_eq!(at(&orders, 191), (true, 192));
        orders.on(mono(192), run(92), run(99));
        assert_eq!(at(&orders, 193), (false, -1), "stopped for good");
    }

    #[test]
    fn no_stretch_is_longer_than_the_agent_allows_and_none_begins_before_run_time_is_known() {
        let mut orders = Orders::new(2 * NS_PER_SECOND);
        orders.heard(mono(100));
        orders.on(mono(100), run(0), run(60));
        assert!(!at(&orders, 101).0);
        orders.start(RunClock { zero: mono(100) });
        orders.on(mono(100), run(0), RunTime(i64::MAX));
        assert_eq!(
            [at(&orders, 101), at(&orders, 102)],
            [(true, 102), (false, 105)]
        );
    }
}
