//! The least transit that a leg has, second by second: where its packets lie in time, and whether it stepped for good.

use super::common::Stretch;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunTime};
use std::collections::BTreeMap;

/// A transit that stays this much higher, or lower, stepped, ns: less is what clocks and queues do by themselves.
pub(crate) const STEP_NS: i64 = 5 * NS_PER_MS;
/// Seconds on either side of a disruption whose least transits are compared.
const COMPARED_S: u32 = 10;
/// Seconds that must have been told of on a side; where another disruption is so near that one lies between them, that one.
const TOLD_S: usize = 2;

/// A leg's least transits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels {
    /// By second of arrival, ns: receiver's clock minus sender's.
    minima: BTreeMap<u32, i64>,
    /// The receiver's clock is the tester's, or both are one.
    to_tester: bool,
}

impl Levels {
    /// The levels of a leg. Where the receiver's clock is not the tester's, the transit holds an offset of unknown size: a
    /// packet's place is when it was due then, which is as much too early as it takes on its way.
    pub(crate) fn new(minima: impl Iterator<Item = (u32, i64)>, to_tester: bool) -> Self {
        Self {
            minima: minima.collect(),
            to_tester,
        }
    }

    /// Least transit of the nearest second before the one that `at` lies in; of the first after it where there is none. 0
    /// without any.
    pub(crate) fn before(&self, at: RunTime) -> i64 {
        let before = self.minima.range(..at.second()).next_back();
        let near = before.or_else(|| self.minima.iter().next());
        near.map_or(0, |(_, least)| *least)
    }

    /// What turns a time by the sender's clock into one by the tester's, ns.
    pub(crate) fn to_tester(&self, at: RunTime) -> i64 {
        if self.to_tester { self.before(at) } else { 0 }
    }

    /// By how much the least transit after a disruption, which lasted for `time`, lies above that before it, ns; none where
    /// too little was told. Of seconds outside of `clear` others have a part: when the one before had ended and the next began.
    pub(crate) fn step(&self, time: Stretch, clear: Stretch) -> Option<i64> {
        let [before, after] = self.around(time, clear)?;
        Some(after - before)
    }

    /// How far both lie above the least of all, ns, where the transit stepped: as much as delay variation holds of it.
    pub(crate) fn excess(&self, time: Stretch, clear: Stretch) -> [i64; 2] {
        let stepped = |levels: &[i64; 2]| (levels[1] - levels[0]).abs() >= STEP_NS;
        let least = self.minima.values().min().copied().unwrap_or(0);
        let levels = self.around(time, clear).filter(stepped);
        levels.map_or([0, 0], |levels| levels.map(|level| level - least))
    }

    /// The least transit before and after, in the median of their seconds.
    fn around(&self, time: Stretch, clear: Stretch) -> Option<[i64; 2]> {
        let [first, next] = [time.0, clear.1].map(RunTime::second);
        let last = time.1.second().saturating_add(1);
        // The second after the one that it ended in; the run's first where there was none.
        let previous = (clear.0 + NS_PER_SECOND).second();
        let (from, to) = (
            first.saturating_sub(COMPARED_S),
            last.saturating_add(COMPARED_S),
        );
        let least = |is_cut| if is_cut { 1 } else { TOLD_S };
        Some([
            self.median(from.max(previous)..first, least(from < previous))?,
            self.median(last..to.min(next), least(next < to))?,
        ])
    }

    fn median(&self, seconds: std::ops::Range<u32>, least: usize) -> Option<i64> {
        if seconds.is_empty() {
            return None;
        }
        let mut levels: Vec<i64> = self.minima.range(seconds).map(|(_, ns)| *ns).collect();
        levels.sort_unstable();
        let middle = levels.len().checked_sub(1)? / 2;
        levels
            .get(middle)
            .copied()
            .filter(|_| levels.len() >= least)
    }
}
