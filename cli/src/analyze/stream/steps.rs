//! The packet time of a stream: its most frequent timestamp step.

/// Different steps that are counted; a stream has one or two.
const KINDS: usize = 8;

/// Counts steps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Steps {
    counts: [(u32, u64); KINDS],
}

impl Steps {
    /// Counts a step between neighbours, ticks.
    #[inline]
    pub(super) fn count(&mut self, ticks: u32) {
        // The usual one is at the front: it is the first and stays there.
        if self.counts[0].0 == ticks {
            self.counts[0].1 += 1;
            return;
        }
        let place = self
            .counts
            .iter()
            .position(|(step, times)| *step == ticks || *times == 0);
        if let Some(place) = place {
            self.counts[place] = (ticks, self.counts[place].1 + 1);
        }
    }

    /// Adds another stretch's.
    pub(super) fn add(&mut self, other: &Self) {
        for (ticks, times) in other.counts.into_iter().filter(|(_, times)| *times > 0) {
            let place = self
                .counts
                .iter()
                .position(|(step, n)| *step == ticks || *n == 0);
            if let Some(place) = place {
                self.counts[place] = (ticks, self.counts[place].1 + times);
            }
        }
    }

    /// The most frequent, ticks; of equals the smaller. None without any.
    #[must_use]
    pub(super) fn usual(&self) -> Option<u32> {
        let counted = self.counts.iter().filter(|(_, times)| *times > 0);
        let usual = counted.max_by_key(|(ticks, times)| (*times, std::cmp::Reverse(*ticks)));
        usual.map(|(ticks, _)| *ticks)
    }
}
