//! How long load was on.

use super::orders::State;
use milliwatt_wire::time::MonoTime;

/// Time with load on, from looks at the state of the orders, each as late as it may come.
#[derive(Clone, Debug)]
pub struct Account {
    last: MonoTime,
    state: State,
    on_ns: i64,
}

impl Account {
    /// Counts from `now` on.
    #[must_use]
    pub fn new(now: MonoTime, state: State) -> Self {
        Self {
            last: now,
            state,
            on_ns: 0,
        }
    }

    /// Takes the state as it is at `now`: when it changed, and to what. A change that was known of came when it was due,
    /// however late this is.
    pub fn take(&mut self, now: MonoTime, state: State) -> Option<(MonoTime, bool)> {
        let before = std::mem::replace(&mut self.state, state);
        let changed = before.until.clamp(self.last, now);
        let (on_before, on_after) = (changed - self.last, now - changed);
        self.on_ns += if before.on { on_before } else { 0 };
        self.on_ns += if state.on { on_after } else { 0 };
        self.last = now;
        (before.on != state.on).then_some((changed, state.on))
    }

    /// Time with load on since this was last asked, ns.
    pub fn take_on(&mut self) -> i64 {
        std::mem::take(&mut self.on_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(on: bool, until: i64) -> State {
        State {
            on,
            until: MonoTime(until),
        }
    }

    #[test]
    fn a_change_that_was_due_came_then_and_one_that_was_told_comes_now() {
        let mut account = Account::new(MonoTime(0), state(false, 100));
        // Looked at 7 late: on since 100 all the same.
        let changed = account.take(MonoTime(107), state(true, 300));
        assert_eq!(changed, Some((MonoTime(100), true)));
        assert_eq!(account.take(MonoTime(200), state(true, 300)), None);
        assert_eq!(account.take_on(), 100);
        // An order ended it before its time.
        let changed = account.take(MonoTime(250), state(false, i64::MAX));
        assert_eq!(changed, Some((MonoTime(250), false)));
        assert_eq!(account.take(MonoTime(400), state(false, i64::MAX)), None);
        assert_eq!((account.take_on(), account.take_on()), (50, 0));
    }
}
