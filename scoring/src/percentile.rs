//! Nearest-rank percentiles, `x_(ceil(p n))`, over distributions of nanoseconds.
//!
//! Values are kept in steps of 4 us below 128 us and in 32 steps an octave above, which holds the
//! middles of the buckets that facts carry exactly. The maximum is kept as it was, and caps what a
//! bucket's middle would overstate.

use milliwatt_wire::facts::Scale;

/// The finest step of a distribution, ns.
const STEP_NS: i64 = 4_000;
/// Steps while the value doubles.
const STEPS_AN_OCTAVE: i64 = 32;

/// The place of `ns` in a distribution: of the steps of its octave, the nearest. In half steps, so that one division
/// by a constant does: this runs several times a packet.
#[inline]
pub(crate) fn place(ns: i64) -> usize {
    let halves = ns.max(0) / (STEP_NS / 2);
    let octave = (63 - (halves >> 1).max(1).leading_zeros()).saturating_sub(5);
    let rounded = (halves + (1 << octave)) >> (octave + 1);
    usize::try_from(i64::from(octave) * STEPS_AN_OCTAVE + rounded).unwrap_or(0)
}

/// The value, ns, that a place stands for: within 1.6 % of what was recorded, or 2 us.
pub(crate) fn value_at(place: usize) -> i64 {
    let place = i64::try_from(place).unwrap_or(0);
    let octave = (place / STEPS_AN_OCTAVE - 1).max(0);
    (place - octave * STEPS_AN_OCTAVE).saturating_mul(STEP_NS << octave)
}

/// A distribution of durations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    counts: Vec<u64>,
    total: u64,
    max: Option<i64>,
}

impl Distribution {
    /// Takes all values out.
    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        (self.total, self.max) = (0, None);
    }

    /// Adds `count` values of about `ns`; the exact maximum is told by [`Self::raise_max`].
    #[inline]
    pub fn record(&mut self, ns: i64, count: u64) {
        let place = place(ns);
        self.widen(place + 1);
        self.counts[place] += count;
        self.total += count;
    }

    /// Adds a coarse histogram of a fact on its scale, each value raised by `above` ns.
    pub fn record_coarse<C: Into<u64> + Copy>(
        &mut self,
        scale: Scale,
        buckets: &[(u8, C)],
        above: i64,
    ) {
        for (bucket, count) in buckets {
            self.record(above + scale.middle(*bucket), (*count).into());
        }
    }

    /// Tells an exact value that is as large as any recorded.
    #[inline]
    pub fn raise_max(&mut self, ns: i64) {
        self.max = self.max.max(Some(ns));
    }

    /// Adds all of another distribution.
    pub fn add(&mut self, other: &Self) {
        self.widen(other.counts.len());
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    #[inline]
    fn widen(&mut self, places: usize) {
        let held = self.counts.len();
        if held < places {
            // A run keeps several of these a second: without room for more.
            self.counts.reserve_exact(places - held);
            self.counts.resize(places, 0);
        }
    }

    /// How many values.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The largest, exact; none without values.
    #[must_use]
    pub fn max(&self) -> Option<i64> {
        self.max
    }

    /// (value ns, count), ascending, without empty places.
    pub fn counts(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let capped = |place| {
            self.max
                .map_or_else(|| value_at(place), |max| value_at(place).min(max))
        };
        self.counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
            .map(move |(place, count)| (capped(place), *count))
    }

    /// The value of nearest rank, ns; none without values.
    #[must_use]
    pub fn percentile(&self, percentile: Percentile) -> Option<i64> {
        self.at_rank(percentile.rank(self.total))
    }

    /// The value at a rank counted from 1; none past the last.
    #[must_use]
    pub fn at_rank(&self, rank: u64) -> Option<i64> {
        let mut below = 0;
        self.counts().find_map(|(ns, count)| {
            below += count;
            (below >= rank && rank > 0).then_some(ns)
        })
    }
}

/// A percentile as an exact share, so that its rank is computed in integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentile {
    per_mille: u64,
}

impl Percentile {
    /// The 5th.
    pub const P5: Self = Self { per_mille: 50 };
    /// The median.
    pub const P50: Self = Self { per_mille: 500 };
    /// The 95th.
    pub const P95: Self = Self { per_mille: 950 };
    /// The 99th.
    pub const P99: Self = Self { per_mille: 990 };
    /// The 99.9th.
    pub const P999: Self = Self { per_mille: 999 };

    /// `ceil(p n)`.
    #[must_use]
    pub fn rank(self, total: u64) -> u64 {
        (total * self.per_mille).div_ceil(1000)
    }

    /// The 99th and above: those where packets that never came count as exceeding any limit.
    #[must_use]
    pub fn is_high(self) -> bool {
        self.per_mille >= Self::P99.per_mille
    }

    /// Nearest rank in an ascending list; none in an empty one.
    #[must_use]
    pub fn of_sorted<T: Copy>(self, values: &[T]) -> Option<T> {
        let rank = self.rank(values.len() as u64).max(1);
        values.get(usize::try_from(rank - 1).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nearest_rank_gives_the_hand_computed_percentiles() {
        let mut pdv_us = [500, 3000, 0, 15_500, 1000, 500, 1500, 40_500, 500, 3500];
        pdv_us.sort_unstable();
        let p90 = Percentile { per_mille: 900 };
        assert_eq!(
            Percentile::P5.of_sorted(&pdv_us),
            Some(0),
            "the first of ten"
        );
        assert_eq!(Percentile::P50.of_sorted(&pdv_us), Some(1000));
        assert_eq!(p90.of_sorted(&pdv_us), Some(15_500));
        assert_eq!(Percentile::P95.of_sorted(&pdv_us), Some(40_500));
        assert_eq!(Percentile::P99.of_sorted(&pdv_us), Some(40_500));
        assert_eq!(Percentile::P50.of_sorted::<i64>(&[]), None);
    }

    #[test]
    fn rank_of_999_in_1000_leaves_one_above() {
        assert_eq!(Percentile::P999.rank(1000), 999);
        assert_eq!(Percentile::P999.rank(1001), 1000);
        let mut values = Distribution::default();
        values.record(4_000, 999);
        values.record(400_000_000, 1);
        values.raise_max(400_000_000);
        assert_eq!(values.percentile(Percentile::P999), Some(4_000));
        assert_eq!(values.at_rank(1000), Some(400_000_000));
        assert_eq!((values.at_rank(0), values.at_rank(1001)), (None, None));
        assert_eq!(values.max(), Some(400_000_000));
        assert_eq!(values.counts().count(), 2, "places between them are empty");
    }

    /// 292 years, which a capture can claim.
    #[test]
    fn the_longest_time_has_a_place_and_that_place_a_value() {
        let mut values = Distribution::default();
        for ns in [i64::MIN, i64::MAX - 1, i64::MAX] {
            values.record(ns, 1);
        }
        values.raise_max(i64::MAX);
        assert_eq!(
            (values.at_rank(1), values.at_rank(3)),
            (Some(0), Some(i64::MAX))
        );
    }

    #[test]
    fn bucket_middles_of_facts_are_held_exactly() {
        for bucket in 0..=u8::MAX {
            let middle = Scale::LEG.middle(bucket);
            assert_eq!(value_at(place(middle)), middle, "bucket {bucket}");
        }
    }

    #[test]
    fn any_value_is_held_within_the_promised_share() {
        let mut ns = 1_i64;
        while ns < 100_000_000_000 {
            let error = (value_at(place(ns)) - ns).abs();
            assert!(error <= 2_000.max(ns / 63), "{ns} held {error} off");
            ns += ns / 9 + 1;
        }
    }

    #[test]
    fn the_99th_and_above_are_high() {
        let all = [
            Percentile::P5,
            Percentile::P50,
            Percentile::P95,
            Percentile::P99,
            Percentile::P999,
        ];
        assert_eq!(
            all.map(Percentile::is_high),
            [false, false, false, true, true]
        );
    }

    /// 1 ms lies 32 us above each of 100 packets: middles are raised by what is told.
    #[test]
    fn coarse_buckets_are_raised_by_what_they_lie_above() {
        let mut values = Distribution::default();
        values.record_coarse(
            Scale::LEG,
            &[(Scale::LEG.bucket(1_000_000), 100_u16)],
            32_000,
        );
        let middle = Scale::LEG.middle(Scale::LEG.bucket(1_000_000));
        let found = values.percentile(Percentile::P50).unwrap();
        assert!((found - middle - 32_000).abs() <= middle / 63, "{found}");
        assert_eq!(values.total(), 100);
        assert_eq!(values.max(), None, "only told");
    }

    proptest! {
        /// The nearest step of the octave, half a step goes up: as written, in numbers of any size.
        #[test]
        fn a_place_is_the_nearest_step(ns in 0..=i64::MAX, shift in 0_u32..63) {
            let ns = ns >> shift;
            let octave = (63 - (ns / STEP_NS).max(1).leading_zeros()).saturating_sub(5);
            let width = i128::from(STEP_NS) << octave;
            let rounded = (i128::from(ns) + width / 2) / width;
            let expected = i128::from(octave) * i128::from(STEPS_AN_OCTAVE) + rounded;
            prop_assert_eq!(i128::try_from(place(ns)).unwrap(), expected);
        }

        /// In any order and in any parts.
        #[test]
        fn parts_added_up_are_the_whole(
            values in prop::collection::vec(0_i64..10_000_000_000, 0..200),
            cut in 0_usize..200,
        ) {
            let of = |values: &mut dyn Iterator<Item = i64>| {
                let mut all = Distribution::default();
                for ns in values {
                    all.record(ns, 1);
                    all.raise_max(ns);
                }
                all
            };
            let cut = cut.min(values.len());
            let (mut tail, head) = (of(&mut values[cut..].iter().copied()), of(&mut values[..cut].iter().rev().copied()));
            tail.add(&head);
            prop_assert_eq!(tail, of(&mut values.iter().copied()));
        }

        /// The nearest rank of what was recorded, to the width of a place.
        #[test]
        fn percentiles_are_those_of_the_sorted_list(mut values in prop::collection::vec(0_i64..10_000_000_000, 1..300)) {
            let mut all = Distribution::default();
            for ns in &values {
                all.record(*ns, 1);
                all.raise_max(*ns);
            }
            values.sort_unstable();
            for percentile in [Percentile::P5, Percentile::P50, Percentile::P95, Percentile::P99, Percentile::P999] {
                let (found, exact) = (all.percentile(percentile).unwrap(), percentile.of_sorted(&values).unwrap());
                prop_assert!((found - exact).abs() <= 2_000.max(exact / 63), "{} is not {}", found, exact);
            }
            prop_assert_eq!(all.counts().map(|(_, count)| count).sum::<u64>(), values.len() as u64);
        }
    }

    #[test]
    fn exact_maximum_caps_the_bucket_middle() {
        let mut values = Distribution::default();
        values.record_coarse(Scale::LEG, &[(Scale::LEG.bucket(0), 50_u16)], 0);
        values.raise_max(0);
        assert_eq!(
            values.percentile(Percentile::P999),
            Some(0),
            "all packets took the least transit"
        );
        assert_eq!(Distribution::default().percentile(Percentile::P50), None);
    }
}
