//! Reordering, RFC 4737: a packet is reordered when one with a higher sequence number came before it (3.3). Its
//! extent (4.2.1) is how many packets before it the earliest such one arrived; n-reordering (5) is of n packets that
//! came directly before it.

/// Arrivals that are looked back on: RFC 3550 A.1 takes no packet that lies further behind.
const WINDOW: usize = 128;

/// Takes distinct packets in order of arrival, by their index in the stream.
#[derive(Clone, Debug)]
pub struct ReorderingLog {
    /// The indices of the last arrivals, a ring.
    arrived: [i64; WINDOW],
    arrivals: u64,
    highest: i64,
    reordered: u64,
    extent_max: u64,
}

/// How one packet was reordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reordered {
    /// Arrivals back to the earliest packet with a higher number; at most 128.
    pub extent: u64,
    /// It is n-reordered for this n and all below: so many packets directly before it have higher numbers.
    pub n: u64,
}

impl Default for ReorderingLog {
    fn default() -> Self {
        Self {
            arrived: [i64::MIN; WINDOW],
            arrivals: 0,
            highest: i64::MIN,
            reordered: 0,
            extent_max: 0,
        }
    }
}

impl ReorderingLog {
    /// Takes the next arrival; tells of it when it is reordered.
    #[inline]
    pub fn take(&mut self, index: i64) -> Option<Reordered> {
        let late = index < self.highest;
        let found = late.then(|| self.look_back(index));
        self.highest = self.highest.max(index);
        self.arrived[place(self.arrivals)] = index;
        self.arrivals += 1;
        found
    }

    fn look_back(&mut self, index: i64) -> Reordered {
        let window = self.arrivals.min(WINDOW as u64);
        let higher = |back: &u64| self.arrived[place(self.arrivals - back)] > index;
        let extent = (1..=window).filter(higher).max().unwrap_or(window);
        let n = (1..=window).take_while(higher).count() as u64;
        self.reordered += 1;
        self.extent_max = self.extent_max.max(extent);
        Reordered { extent, n }
    }

    /// Packets reordered.
    #[must_use]
    pub fn reordered(&self) -> u64 {
        self.reordered
    }

    /// Largest extent; none when nothing was reordered.
    #[must_use]
    pub fn extent_max(&self) -> Option<u64> {
        (self.reordered > 0).then_some(self.extent_max)
    }
}

fn place(arrival: u64) -> usize {
    usize::try_from(arrival % WINDOW as u64).unwrap_or(0)
}

/// Reorder density (RFC 5236 4): the share of packets at each displacement, arrival place minus sent place, without
/// lost and doubled packets. (displacement, share), ascending.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
pub fn reorder_density(arrived: &[u64]) -> Vec<(i64, f64)> {
    let mut sent = arrived.to_vec();
    sent.sort_unstable();
    sent.dedup();
    let mut counts = std::collections::BTreeMap::new();
    for (arrival, index) in (0_i64..).zip(arrived) {
        let rank = sent.binary_search(index).unwrap_or(0);
        let displacement = arrival - i64::try_from(rank).unwrap_or(i64::MAX);
        *counts.entry(displacement).or_insert(0_u64) += 1;
    }
    let share = |count: u64| count as f64 / arrived.len() as f64;
    counts
        .into_iter()
        .map(|(d, count)| (d, share(count)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn take_all(indices: &[i64]) -> (ReorderingLog, Vec<Option<Reordered>>) {
        let mut log = ReorderingLog::default();
        let found = indices.iter().map(|index| log.take(*index)).collect();
        (log, found)
    }

    /// 1 2 3 5 6 4 7: only 4 is reordered; 5 came two arrivals before it, and both before it are higher.
    #[test]
    fn extent_and_n_of_the_worked_example() {
        let (log, found) = take_all(&[1, 2, 3, 5, 6, 4, 7]);
        assert_eq!(found[5], Some(Reordered { extent: 2, n: 2 }));
        assert_eq!(found.iter().flatten().count(), 1);
        assert_eq!((log.reordered(), log.extent_max()), (1, Some(2)));
    }

    /// 3 1 2: both late ones lie behind 3, at 1 and 2 arrivals; 2 has a lower one directly before it.
    #[test]
    fn a_packet_behind_an_early_one_is_reordered_to_no_degree() {
        let (_, found) = take_all(&[3, 1, 2]);
        assert_eq!(found[1], Some(Reordered { extent: 1, n: 1 }));
        assert_eq!(found[2], Some(Reordered { extent: 2, n: 0 }));
    }

    /// What is not higher is not before: a copy of the highest is not reordered, one of 3 behind 5 lies behind 5 alone.
    #[test]
    fn an_equal_number_is_no_higher_one() {
        let (_, found) = take_all(&[5, 5, 3, 3]);
        assert_eq!(found[1], None);
        assert_eq!(found[2], Some(Reordered { extent: 2, n: 2 }));
        assert_eq!(found[3], Some(Reordered { extent: 3, n: 0 }));
    }

    #[test]
    fn nothing_reordered_has_no_extent() {
        assert_eq!(take_all(&[1, 2, 5, 9]).0.extent_max(), None);
    }

    #[test]
    fn what_lies_beyond_the_window_counts_as_its_length() {
        let mut indices: Vec<i64> = (1..=200).collect();
        indices.push(0);
        assert_eq!(take_all(&indices).0.extent_max(), Some(128));
    }

    proptest! {
        /// Places of a permutation sum to those of the order: what comes early makes others late by as much.
        #[test]
        fn displacements_of_a_permutation_sum_to_0(keys in prop::collection::btree_set(any::<u32>(), 1..100)) {
            let mut sent: Vec<(u32, u64)> = keys.into_iter().zip(0..).collect();
            sent.sort_by_key(|(key, _)| key.wrapping_mul(2_654_435_769));
            let arrived: Vec<u64> = sent.iter().map(|(_, index)| *index).collect();
            let density = reorder_density(&arrived);
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            let sum: f64 = density.iter().map(|(d, share)| *d as f64 * share).sum();
            let shares: f64 = density.iter().map(|(_, share)| share).sum();
            prop_assert!(sum.abs() < 1e-9 && (shares - 1.0).abs() < 1e-9);
        }

        /// Against the definitions, word by word: shifted numbers change nothing.
        #[test]
        fn extent_and_n_are_those_of_the_definitions(
            displacements in prop::collection::vec(0_i64..30, 1..120),
            shift in -100_000_i64..100_000,
        ) {
            let mut order: Vec<(i64, i64)> = (0..).zip(&displacements).map(|(index, late)| (index + late, index)).collect();
            order.sort_unstable();
            let arrived: Vec<i64> = order.iter().map(|(_, index)| *index).collect();
            let shifted: Vec<i64> = arrived.iter().map(|index| index + shift).collect();
            let (log, found) = take_all(&shifted);
            for (i, reordered) in found.iter().enumerate() {
                let higher = |j: &usize| arrived[*j] > arrived[i];
                let extent = (0..i).find(higher).map(|j| (i - j) as u64);
                prop_assert_eq!(reordered.map(|r| r.extent), extent);
                let n = (0..i).rev().take_while(higher).count() as u64;
                prop_assert_eq!(reordered.map_or(0, |r| r.n), n);
            }
            prop_assert_eq!(log.reordered(), found.iter().flatten().count() as u64);
            prop_assert_eq!(log.extent_max(), found.iter().flatten().map(|r| r.extent).max());
        }
    }

    /// 1 2 4 3 5: 4 came a place early, 3 a place late.
    #[test]
    fn density_of_the_worked_example() {
        let density = reorder_density(&[1, 2, 4, 3, 5]);
        assert_eq!(density, [(-1, 0.2), (0, 0.6), (1, 0.2)]);
    }
}
