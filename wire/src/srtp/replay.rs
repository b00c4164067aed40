//! What came already: the replay list of RFC 3711 3.3.2, as a sliding window.

/// Packets that are remembered, from the highest back: 64 at least (3.3.2). A stream of 50 a second is remembered for 2.56 s.
pub const WINDOW: u64 = 128;

/// Indices that came, the highest of them and those of the [`WINDOW`] before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    /// One past the highest.
    next: u64,
    /// Bit n: the index n below the highest came.
    came: u128,
}

impl ReplayWindow {
    /// Whether this index may still come: it did not, and lies in the window or before it.
    #[must_use]
    #[inline]
    pub fn is_new(&self, index: u64) -> bool {
        match self.next.checked_sub(index + 1) {
            None => true,
            Some(below) => below < WINDOW && self.came >> below & 1 == 0,
        }
    }

    /// An authentic packet with this index came.
    #[inline]
    pub fn take(&mut self, index: u64) {
        match self.next.checked_sub(index + 1) {
            Some(below) if below < WINDOW => self.came |= 1 << below,
            Some(_) => {}
            None => {
                let ahead = index + 1 - self.next;
                let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
                self.came = self.came.checked_shl(ahead).unwrap_or(0) | 1;
                self.next = index + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn what_lies_128_below_the_highest_is_too_old() {
        let mut window = ReplayWindow::default();
        window.take(1000);
        let new = [999, 873, 872, 1000, 1001].map(|index| window.is_new(index));
        assert_eq!(new, [true, true, false, false, true]);
    }

    proptest! {
        /// Whatever comes in whatever order: an index is new when it never came and is above the highest less 128.
        #[test]
        fn an_index_is_new_once(indices in prop::collection::vec(0_u64..600, 1..300)) {
            let mut window = ReplayWindow::default();
            let mut came = BTreeSet::new();
            for index in indices {
                let highest = came.last().copied().unwrap_or(0);
                let is_new = !came.contains(&index) && (came.is_empty() || index + WINDOW > highest);
                prop_assert_eq!(window.is_new(index), is_new);
                window.take(index);
                came.insert(index);
            }
        }
    }
}
