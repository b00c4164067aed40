//! Variation of delay: IPDV (RFC 5481 4.1, RFC 3393) and PDV (RFC 5481 4.2) of one stream, the latter in memory
//! that does not grow with the stream.

use crate::clock::Skew;
use crate::percentile::{Distribution, place, value_at};

/// IPDV of each packet against the one before it by sequence; none where either is missing (RFC 3393 2.3).
pub fn ipdv(transits: &[Option<i64>]) -> impl Iterator<Item = Option<i64>> + '_ {
    transits
        .windows(2)
        .map(|pair| Some(pair[1]?.saturating_sub(pair[0]?)))
}

/// PDV of each packet: its transit above the least of all.
pub fn pdv(transits: &[i64]) -> impl Iterator<Item = i64> + '_ {
    let least = transits.iter().copied().min().unwrap_or(0);
    transits
        .iter()
        .map(move |transit| transit.saturating_sub(least))
}

/// Stretches of a stream that are kept apart; beyond, neighbours become one.
const STRETCHES_MAX: usize = 32;
/// How long a stretch is at first, ns.
const STRETCH_NS: i64 = 1_000_000_000;
/// Places of a distribution: more than those of all values of 63 bits.
const PLACES: usize = 2048;
/// Packets that are kept before they are counted.
const WAITING_MAX: usize = 256;

/// A stretch of a stream: its least and largest transit exactly, and how far the others lie above the least.
#[derive(Clone, Debug)]
struct Stretch {
    from: i64,
    /// (when, transit), ns.
    least: (i64, i64),
    largest: (i64, i64),
    /// (place in a distribution, count), ascending.
    above: Vec<(u16, u32)>,
}

/// A packet that is not counted yet, ns.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    at: i64,
    transit: i64,
    /// Its transit above the line of the skew, which stays as it is while packets wait.
    level: i64,
}

/// PDV of a stream against its least transit, without the skew of the two clocks.
///
/// Stretches of a second are counted above their own least transit. When there are too many, each two
/// neighbours become one along the line of the skew found so far, so a stream of ten hours needs what one of ten
/// minutes does. At the end every stretch is placed above the line through all. A value is within 1.6 % of
/// what it is above its stretch's least, or 2 us; least and largest are exact.
#[derive(Clone, Debug)]
pub struct PdvLog {
    waiting: Vec<Waiting>,
    stretches: Vec<Stretch>,
    stretch_ns: i64,
    skew: Skew,
    /// Least transit above the line of the skew so far.
    reference: Option<i64>,
}

impl Default for PdvLog {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            stretches: Vec::new(),
            stretch_ns: STRETCH_NS,
            skew: Skew::default(),
            reference: None,
        }
    }
}

impl PdvLog {
    /// Takes a packet: `at` is its arrival since the stream's first, `transit` with any constant offset, ns. Gives
    /// how far it lies above the least transit so far, ns.
    #[inline]
    pub fn take(&mut self, at: i64, transit: i64) -> i64 {
        let has_waited = |first: &Waiting| at.saturating_sub(first.at) >= STRETCH_NS;
        if self.waiting.first().is_some_and(has_waited) || self.waiting.len() >= WAITING_MAX {
            self.settle();
        }
        let level = level((at, transit), self.skew);
        self.waiting.push(Waiting { at, transit, level });
        let reference = self.reference.map_or(level, |least| least.min(level));
        self.reference = Some(reference);
        level.saturating_sub(reference)
    }

    /// The skew of the clocks, receiver against sender; none for a stream of less than a minute.
    #[must_use]
    pub fn skew(&self) -> Option<Skew> {
        skew_of(&self.stretches)
    }

    /// The least transit above the line of the skew so far, ns; none without a packet.
    #[must_use]
    pub fn reference(&self) -> Option<i64> {
        self.reference
    }

    /// Counts what waits: into the last stretch as long as that is short enough, else as a new one.
    fn settle(&mut self) {
        let Some(new) = Stretch::of(&self.waiting) else {
            return;
        };
        self.waiting.clear();
        let has_room = |last: &mut Stretch| new.from.saturating_sub(last.from) < self.stretch_ns;
        if let Some(last) = self.stretches.pop_if(has_room) {
            self.stretches.push(last.join(new, self.skew));
            return;
        }
        self.stretches.push(new);
        self.follow();
        if self.stretches.len() == STRETCHES_MAX {
            self.merge();
        }
    }

    /// Follows the line that the stretches show.
    fn follow(&mut self) {
        self.skew = skew_of(&self.stretches).unwrap_or_default();
        let levels = self
            .stretches
            .iter()
            .map(|stretch| level(stretch.least, self.skew));
        self.reference = levels.min();
    }

    /// Makes one stretch of each two.
    fn merge(&mut self) {
        let skew = self.skew;
        let mut pairs = std::mem::take(&mut self.stretches).into_iter();
        while let Some(first) = pairs.next() {
            self.stretches.push(match pairs.next() {
                Some(second) => first.join(second, skew),
                None => first,
            });
        }
        self.stretch_ns = self.stretch_ns.saturating_mul(2);
    }

    /// The distribution of the whole stream.
    #[must_use]
    pub fn finish(mut self) -> Distribution {
        self.settle();
        let skew = skew_of(&self.stretches).unwrap_or_default();
        let levels = self
            .stretches
            .iter()
            .map(|stretch| level(stretch.least, skew));
        let reference = levels.min().unwrap_or(0);
        let mut pdv = Distribution::default();
        for stretch in &self.stretches {
            let base = level(stretch.least, skew).saturating_sub(reference);
            // The largest first, so that there is room for the others.
            for (place, count) in stretch.above.iter().rev() {
                pdv.record(
                    base.saturating_add(value_at((*place).into())),
                    (*count).into(),
                );
            }
            pdv.raise_max(level(stretch.largest, skew).saturating_sub(reference));
        }
        pdv
    }
}

impl Stretch {
    fn of(packets: &[Waiting]) -> Option<Self> {
        let first = packets.first()?;
        let (mut least, mut largest) = (first, first);
        for packet in packets {
            if packet.level < least.level {
                least = packet;
            }
            if packet.level >= largest.level {
                largest = packet;
            }
        }
        let above = |packet: &Waiting| place(packet.level.saturating_sub(least.level));
        Some(Self {
            from: first.at,
            least: (least.at, least.transit),
            largest: (largest.at, largest.transit),
            above: tally(packets.iter().map(|packet| (above(packet), 1))),
        })
    }

    /// The two as one, the later moved along the line.
    fn join(self, other: Self, skew: Skew) -> Self {
        let (a, b) = (level(self.least, skew), level(other.least, skew));
        let (low, high, by) = if a <= b {
            (self, other, b.saturating_sub(a))
        } else {
            (other, self, a.saturating_sub(b))
        };
        let raised = high.above.iter().map(|(at, count)| {
            let above = value_at((*at).into()).saturating_add(by);
            (place(above), *count)
        });
        let kept = low.above.iter().map(|(at, count)| ((*at).into(), *count));
        let above = tally(kept.chain(raised));
        let largest = if level(low.largest, skew) >= level(high.largest, skew) {
            low.largest
        } else {
            high.largest
        };
        Self {
            from: low.from.min(high.from),
            least: low.least,
            largest,
            above,
        }
    }
}

/// A transit above the line.
#[inline]
fn level((at, transit): (i64, i64), skew: Skew) -> i64 {
    transit.saturating_sub(skew.at_ns(at))
}

fn skew_of(stretches: &[Stretch]) -> Option<Skew> {
    let mut minima: Vec<(i64, i64)> = stretches.iter().map(|stretch| stretch.least).collect();
    minima.sort_unstable();
    Skew::of_points(minima.into_iter())
}

/// Counts at each place, those of the same place as one, ascending.
fn tally(counts: impl Iterator<Item = (usize, u32)>) -> Vec<(u16, u32)> {
    let mut at = [0_u32; PLACES];
    let (mut places, mut end) = (0, 0);
    for (place, count) in counts {
        let place = place.min(PLACES - 1);
        places += usize::from(at[place] == 0);
        end = end.max(place + 1);
        at[place] = at[place].saturating_add(count);
    }
    let mut ascending = Vec::with_capacity(places);
    ascending.extend(
        (0..)
            .zip(at[..end].iter().copied())
            .filter(|(_, count)| *count > 0),
    );
    ascending
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::percentile::Percentile;
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const MS: i64 = 1_000_000;

    /// 20.0 22.5 19.5 35.0 20.5 20.0 21.0 60.0 20.0 23.0 ms.
    const TRANSITS: [i64; 10] = [200, 225, 195, 350, 205, 200, 210, 600, 200, 230];

    fn tenths(values: impl Iterator<Item = i64>) -> Vec<i64> {
        values.map(|ns| ns / 100_000).collect()
    }

    #[test]
    fn ipdv_and_pdv_of_the_worked_example() {
        let transits = TRANSITS.map(|tenth| tenth * 100_000);
        let differences: Vec<i64> = ipdv(&transits.map(Some)).flatten().collect();
        assert_eq!(
            tenths(differences.iter().copied()),
            [25, -30, 155, -145, -5, 10, 390, -400, 30]
        );
        // Means of the nine: 3.0 / 9 and 119.0 / 9 ms.
        assert_eq!(differences.iter().sum::<i64>(), 3 * MS);
        assert_eq!(differences.iter().map(|ns| ns.abs()).sum::<i64>(), 119 * MS);
        assert_eq!(
            tenths(pdv(&transits)),
            [5, 30, 0, 155, 10, 5, 15, 405, 5, 35]
        );
    }

    #[test]
    fn ipdv_is_not_defined_beside_a_loss() {
        let transits = [Some(1), Some(3), None, Some(4), Some(2)];
        let found: Vec<Option<i64>> = ipdv(&transits).collect();
        assert_eq!(found, [Some(2), None, None, Some(-2)]);
    }

    #[test]
    fn the_log_has_the_percentiles_of_the_worked_example() {
        let mut log = PdvLog::default();
        for (at, tenth) in (0..).zip(TRANSITS) {
            log.take(at * 20 * MS, tenth * 100_000);
        }
        assert_eq!(log.reference(), Some(195 * MS / 10));
        assert_eq!(PdvLog::default().reference(), None);
        let pdv = log.finish();
        // Sorted: 0 .5 .5 .5 1 1.5 3 3.5 15.5 40.5: nearest ranks 5, 9 and 10.
        for (percentile, ms) in [
            (Percentile::P50, 1.0),
            (Percentile::P95, 40.5),
            (Percentile::P99, 40.5),
        ] {
            let found = pdv.percentile(percentile).unwrap();
            let wanted = ms * 1e6;
            #[expect(clippy::cast_precision_loss, reason = "values of some ms")]
            let error = (found as f64 - wanted).abs();
            assert!(error <= wanted * 0.016, "{found} is not {ms} ms");
        }
        assert_eq!(pdv.max(), Some(40 * MS + MS / 2));
    }

    /// Every third packet 1 ms above the least, the others exactly on it, for an hour in which the clocks part
    /// by 100 ppm: 360 ms in all. The skew is found, and the PDV is 0 or 1 ms all the way.
    #[test]
    fn a_skew_of_100_ppm_for_an_hour_is_no_variation() {
        let mut log = PdvLog::default();
        let mut largest_late = 0;
        for slot in 0..180_000_i64 {
            let at = slot * 20 * MS;
            let above = log.take(at, at / 10_000 + i64::from(slot % 3 == 0) * MS);
            if slot > 10_000 {
                largest_late = largest_late.max(above);
            }
        }
        assert!(
            largest_late <= MS + MS / 50,
            "{largest_late} ns while it ran"
        );
        assert!((log.skew().unwrap().ppm() - 100.0).abs() < 0.5);
        let pdv = log.finish();
        let [p50, p99] = [Percentile::P50, Percentile::P99].map(|p| pdv.percentile(p).unwrap());
        assert!(p50 < MS / 20, "{p50} ns");
        assert!((p99 - MS).abs() < MS / 20, "{p99} ns");
        assert!((pdv.max().unwrap() - MS).abs() < MS / 50);
    }

    /// Ten minutes at 100 ppm, ten at 20, transit exactly on the line: 72 ms in all, and no variation. Stretches are
    /// of a minute by then; one is told from the other once two of them have passed.
    #[test]
    fn a_skew_that_changes_is_no_variation() {
        let mut log = PdvLog::default();
        for slot in 0..60_000_i64 {
            let at = slot * 20 * MS;
            let change = 600_000 * MS;
            log.take(at, at.min(change) / 10_000 + (at - change).max(0) / 50_000);
        }
        let skew = log.skew().unwrap();
        let change = skew.change().unwrap();
        assert!((skew.ppm() - 100.0).abs() < 0.5, "{skew:?}");
        assert!((change.ppm() - 20.0).abs() < 0.5, "{skew:?}");
        assert!((change.at_s - 600.0).abs() < 2.0, "{skew:?}");
        let pdv = log.finish();
        assert!(pdv.percentile(Percentile::P50).unwrap() < MS / 10);
        assert!(
            pdv.percentile(Percentile::P99).unwrap() < 8 * MS,
            "{:?}",
            pdv.percentile(Percentile::P99)
        );
        assert!(pdv.max().unwrap() < MS / 2, "{:?}", pdv.max());
    }

    /// Five minutes, so that stretches are joined several times over, whichever of two lies lower: every third second
    /// has a floor of 3 ms, the others touch 0 at every tenth packet. One packet of 90 ms is the largest.
    #[test]
    fn joined_stretches_have_the_percentiles_of_the_sorted_list() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut log = PdvLog::default();
        let mut transits: Vec<i64> = Vec::new();
        for slot in 0..15_000_i64 {
            let floor = i64::from(slot / 50 % 3 == 1) * 3 * MS;
            let above = match slot {
                7_003 => 90 * MS,
                _ if slot % 10 == 0 => 0,
                _ => random.random_range(0..5 * MS),
            };
            transits.push(floor + above);
            log.take(slot * 20 * MS, floor + above);
            assert!(log.waiting.len() <= WAITING_MAX);
        }
        assert!(log.stretches.len() < STRETCHES_MAX);
        let found = log.finish();
        transits.sort_unstable();
        assert_eq!(
            (found.total(), found.max()),
            (15_000, transits.last().copied())
        );
        for percentile in [
            Percentile::P50,
            Percentile::P95,
            Percentile::P99,
            Percentile::P999,
        ] {
            let (near, exact) = (
                found.percentile(percentile).unwrap(),
                percentile.of_sorted(&transits).unwrap(),
            );
            assert!(
                (near - exact).abs() <= MS / 50 + exact / 31,
                "{near} is not {exact}"
            );
        }
    }

    #[test]
    fn ten_hours_need_what_ten_minutes_need() {
        let size = |slots: i64| {
            let mut log = PdvLog::default();
            let mut random = ChaCha8Rng::seed_from_u64(7);
            for slot in 0..slots {
                log.take(slot * 20 * MS, random.random_range(0..5 * MS));
            }
            let counts: usize = log
                .stretches
                .iter()
                .map(|stretch| stretch.above.len())
                .sum();
            (log.stretches.len() <= STRETCHES_MAX, counts)
        };
        let (short, long) = (size(30_000), size(1_800_000));
        assert!(short.0 && long.0);
        assert!(long.1 < short.1 * 2, "{} and {} counts", short.1, long.1);
    }

    proptest! {
        #[test]
        fn a_constant_added_to_all_transits_changes_nothing(
            transits in prop::collection::vec(0..50 * MS, 2..400),
            constant in -1_000_000 * MS..1_000_000 * MS,
        ) {
            let log = |constant: i64| {
                let mut log = PdvLog::default();
                let above: Vec<i64> = (0..).zip(&transits).map(|(at, transit)| log.take(at * 20 * MS, transit + constant)).collect();
                (above, log.finish())
            };
            prop_assert_eq!(log(0), log(constant));
        }

        #[test]
        fn a_constant_added_to_all_transits_changes_neither_ipdv_nor_pdv(
            transits in prop::collection::vec(prop::option::weighted(0.9, 0..50 * MS), 2..200),
            constant in -1_000_000 * MS..1_000_000 * MS,
        ) {
            let moved: Vec<Option<i64>> = transits.iter().map(|transit| Some((*transit)? + constant)).collect();
            prop_assert!(ipdv(&transits).eq(ipdv(&moved)));
            let (here, there): (Vec<i64>, Vec<i64>) = transits.iter().flatten().zip(moved.iter().flatten()).unzip();
            prop_assert!(pdv(&here).eq(pdv(&there)));
        }

        /// PDV knows no order; IPDV does, and its sum is the last transit minus the first.
        #[test]
        fn pdv_is_the_same_in_any_order_and_ipdv_sums_to_the_ends(
            transits in prop::collection::vec(0..50 * MS, 2..200),
            by in 0_usize..200,
        ) {
            let mut turned = transits.clone();
            turned.rotate_left(by % transits.len());
            let sorted = |of: &[i64]| { let mut all: Vec<i64> = pdv(of).collect(); all.sort_unstable(); all };
            prop_assert_eq!(sorted(&transits), sorted(&turned));
            let all: Vec<Option<i64>> = transits.iter().copied().map(Some).collect();
            prop_assert_eq!(ipdv(&all).flatten().sum::<i64>(), transits[transits.len() - 1] - transits[0]);
        }

        #[test]
        fn least_and_largest_are_exact(transits in prop::collection::vec(0..50 * MS, 1..400)) {
            let mut log = PdvLog::default();
            for (at, transit) in (0..).zip(&transits) {
                log.take(at * 20 * MS, *transit);
            }
            let found = log.finish();
            prop_assert_eq!(found.max(), pdv(&transits).max());
            prop_assert_eq!(found.total(), transits.len() as u64);
        }
    }
}
