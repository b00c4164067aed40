//! Drawing again: units with replacement, by a seeded generator.

use super::metric::Part;
use crate::percentile::{Distribution, Percentile};
use crate::scorer::end::ms;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Units of a ratio at most; more are put together, by turns, so that the number of draws stays bounded.
const UNITS_MAX: usize = 1000;

/// Draws units.
#[derive(Debug)]
pub(super) struct Resampler {
    rng: ChaCha8Rng,
    resamples: usize,
}

impl Resampler {
    pub(super) fn new(seed: u64, resamples: usize) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            resamples,
        }
    }

    /// One of so many.
    pub(super) fn pick(&mut self, units: usize) -> usize {
        let units = u32::try_from(units.max(1)).unwrap_or(u32::MAX);
        usize::try_from(self.rng.random_range(0..units)).unwrap_or(0)
    }

    /// One value for each resample. A resample draws one unit less than there are: the variance of a mean of n - 1 of n
    /// units, drawn with replacement, is that of the mean of n without bias (Rao and Wu, 1988), which matters with few.
    pub(super) fn resample(
        &mut self,
        units: usize,
        mut value: impl FnMut(&mut dyn FnMut() -> usize) -> f64,
    ) -> Vec<f64> {
        let resamples = 0..self.resamples;
        resamples.map(|_| value(&mut || self.pick(units))).collect()
    }

    /// A ratio of sums over units.
    pub(super) fn ratios(&mut self, units: &[Part]) -> Vec<f64> {
        let units = &together(units);
        let picks = units.len().saturating_sub(1).max(1);
        self.resample(units.len(), |pick| {
            let drawn = (0..picks).map(|_| units[pick()]);
            drawn
                .fold(Part::default(), Part::plus)
                .ratio()
                .unwrap_or(0.0)
        })
    }

    /// A percentile over what distributions of units hold together, ms.
    pub(super) fn percentiles(
        &mut self,
        units: &[Distribution],
        percentile: Percentile,
    ) -> Vec<f64> {
        let picks = units.len().saturating_sub(1).max(1);
        let mut all = Distribution::default();
        self.resample(units.len(), |pick| {
            all.clear();
            for _ in 0..picks {
                all.add(&units[pick()]);
            }
            all.percentile(percentile).map_or(0.0, ms)
        })
    }

    /// A percentile of one value a unit.
    pub(super) fn order_statistics(&mut self, values: &[f64], percentile: Percentile) -> Vec<f64> {
        let picks = values.len().saturating_sub(1).max(1);
        let rank = usize::try_from(percentile.rank(picks as u64)).unwrap_or(1);
        let mut drawn = vec![0.0; picks];
        self.resample(values.len(), |pick| {
            for value in &mut drawn {
                *value = values[pick()];
            }
            *drawn
                .select_nth_unstable_by(rank.max(1) - 1, f64::total_cmp)
                .1
        })
    }
}

/// At most so many units: more are put together by turns, which leaves the variance of their sum what it was.
fn together(units: &[Part]) -> Vec<Part> {
    let groups = units.len().min(UNITS_MAX);
    let mut sums = vec![Part::default(); groups];
    for (turn, unit) in units.iter().enumerate() {
        sums[turn % groups] = sums[turn % groups].plus(*unit);
    }
    sums
}

/// What lies between the shares `tail` and `1 - tail` of the values, by nearest rank.
pub(super) fn interval(values: &mut [f64], tail: f64) -> [f64; 2] {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of the number of resamples"
    )]
    let cut = ((values.len() as f64 * tail) as usize).min(last / 2);
    let at = |index: usize| values.get(index).copied().unwrap_or(0.0);
    [at(cut), at(last - cut)]
}
