//! Seconds around a disruption with much more delay variation than before.

use super::end::ms;
use super::leg::LegSeries;
use crate::disruption::FoundLeg;
use crate::percentile::Percentile;
use milliwatt_wire::time::RunTime;
use std::ops::RangeInclusive;

/// A second is brown from this 99th percentile of PDV on, ns.
const BROWN_NS: i64 = 20_000_000;
/// Or from so many times that of the seconds before,
const TIMES: i64 = 3;
/// where less than this counts as this, ns: thrice next to nothing is next to nothing.
const FLOOR_NS: i64 = 1_000_000;
/// Seconds before that are compared with.
const COMPARED_S: u32 = 30;
/// Of these, how many must have been told of.
const TOLD_S: usize = 3;

/// A leg's brownout.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Brownout {
    /// First and last brown second.
    pub seconds: Option<(u32, u32)>,
    /// Largest 99th percentile of its seconds, ns.
    pub worst: Option<i64>,
    /// That of a second before, in the median, ns.
    pub baseline: Option<i64>,
}

/// A leg's delay variation, second by second, without what transit stepped by for good at the disruption.
struct Variation<'a> {
    series: &'a LegSeries,
    excess: [i64; 2],
    /// Where the second part of `excess` begins.
    turn: u32,
}

impl Variation<'_> {
    fn p99(&self, second: u32) -> Option<i64> {
        let pdv = &self.series.seconds.get(&second)?.pdv;
        let [before, after] = self.excess;
        let excess = if second < self.turn { before } else { after };
        pdv.percentile(Percentile::P99)
            .map(|ns| (ns - excess).max(0))
    }

    fn baseline(&self) -> Option<i64> {
        let from = self.turn.saturating_sub(COMPARED_S);
        let mut before: Vec<i64> = (from..self.turn)
            .filter_map(|second| self.p99(second))
            .collect();
        before.sort_unstable();
        Percentile::P50
            .of_sorted(&before)
            .filter(|_| before.len() >= TOLD_S)
    }
}

/// The brownout of a leg around `from` to `recovered`; none where no second of it was told of.
pub(super) fn brownout(
    series: &LegSeries,
    found: Option<&FoundLeg>,
    (from, recovered): (RunTime, RunTime),
) -> Option<Brownout> {
    let variation = Variation {
        series,
        excess: found.map_or([0, 0], |found| found.excess),
        turn: from.second(),
    };
    let baseline = variation.baseline();
    let limit = baseline.map_or(BROWN_NS, |baseline| {
        BROWN_NS.min(TIMES * baseline.max(FLOOR_NS))
    });
    let is_brown = |second: u32| variation.p99(second).is_some_and(|p99| p99 > limit);
    let around = widened(from.second()..=recovered.second(), is_brown);
    variation
        .p99(from.second().saturating_sub(1))
        .or(variation.p99(recovered.second()))?;
    let mut brown = around.filter(|second| is_brown(*second));
    let first = brown.next();
    let last = brown.next_back().or(first);
    let seconds = first.zip(last);
    let worst = seconds.and_then(|(first, last)| {
        (first..=last)
            .filter_map(|second| variation.p99(second))
            .max()
    });
    Some(Brownout {
        seconds,
        worst,
        baseline,
    })
}

/// With the seconds before and after it that are brown without a break.
fn widened(seconds: RangeInclusive<u32>, is_brown: impl Fn(u32) -> bool) -> RangeInclusive<u32> {
    let (mut first, mut last) = (*seconds.start(), *seconds.end());
    while first.checked_sub(1).is_some_and(&is_brown) {
        first -= 1;
    }
    while last < u32::MAX && is_brown(last + 1) {
        last += 1;
    }
    first..=last
}

/// The lengths of a brownout of either leg, ms: all of it, what lies before the disruption's first second, and after the last
/// in which it had not recovered.
pub(super) fn lengths_ms(
    legs: &[Option<Brownout>; 2],
    (from, recovered): (RunTime, RunTime),
) -> Option<[f64; 3]> {
    let told = legs.iter().flatten();
    told.clone().next()?;
    let seconds = || told.clone().filter_map(|leg| leg.seconds);
    let (first, last) = (
        seconds().map(|(first, _)| first).min(),
        seconds().map(|(_, last)| last).max(),
    );
    let Some((first, last)) = first.zip(last) else {
        return Some([0.0; 3]);
    };
    let before = from.second().saturating_sub(first).min(last + 1 - first);
    let after = last
        .saturating_sub(recovered.second())
        .min(last + 1 - first);
    Some([last + 1 - first, before, after].map(|seconds| f64::from(seconds) * 1000.0))
}

/// In ms.
pub(super) fn figures_ms(brownout: Option<Brownout>) -> (Option<f64>, Option<f64>) {
    let of = brownout.unwrap_or_default();
    (of.worst.map(ms), of.baseline.map(ms))
}
