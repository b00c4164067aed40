//! Better, the same, worse, or not to be told.

use super::bootstrap::{Resampler, interval};
use super::drawn::{Drawn, RunDraws, Shortage};
use super::metric::{ComparedMetric, Least, compared_metrics};
use super::rank::{hodges_lehmann, mann_whitney};
use super::side::{Side, widening};
use crate::scorer::end::float;
use milliwatt_wire::id::Leg;
use serde::Serialize;

/// The share of intervals that may miss what they are of.
const MISSED: f64 = 0.05;
/// More of a run than this many times what there was is not asked for: the difference is about the least that matters.
const TIMES_MAX: f64 = 100.0;

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// By at least the least difference that matters.
    Better,
    /// Less than the least difference that matters, either way.
    Same,
    /// By at least the least difference that matters.
    Worse,
    /// The interval holds differences that matter and ones that do not.
    CannotTell,
}

/// Runs of one side against runs of the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Over all metrics that decide: worse where one is; else better where one is; else not to be told where one is not; else
    /// the same.
    pub verdict: Change,
    /// Runs before the change and after it.
    pub runs: [usize; 2],
    /// Each metric and leg.
    pub metrics: Vec<MetricComparison>,
    /// Metrics that share the chance of an error: those that decide and were measured.
    pub judged: usize,
}

/// One metric of one leg.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricComparison {
    /// Its name; inside the leg for a metric of a leg.
    pub metric: &'static str,
    /// Which leg; none for a figure of the run.
    pub leg: Option<Leg>,
    /// Unit of all values.
    pub unit: &'static str,
    /// More is better.
    pub higher_is_better: bool,
    /// It bears on the overall verdict.
    pub decides: bool,
    /// Mean over the runs before the change, of delays the geometric one; none where one of them has nothing of it.
    pub baseline: Option<f64>,
    /// Mean over those after it.
    pub run: Option<f64>,
    /// After less before.
    pub difference: Option<f64>,
    /// 95 % confidence interval of the difference.
    pub interval_95: Option<[f64; 2]>,
    /// The same, so wide that 95 % hold for all metrics together.
    pub interval_of_all: Option<[f64; 2]>,
    /// The least difference that matters.
    pub least_difference: Option<f64>,
    /// What came of it; none where nothing was measured.
    pub verdict: Option<Change>,
    /// Streams (or recordings) before and after; none for a figure that is made of seconds only.
    pub streams: Option<[usize; 2]>,
    /// Where the streams lie.
    pub location: Option<Location>,
    /// Why it cannot be told, where there was too little.
    pub reason: Option<String>,
    /// What would tell.
    pub needed: Option<Needed>,
}

/// Where one side's streams lie against the other's. Streams share their run's noise, so this says what these runs were
/// like, and nothing of other runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Location {
    /// Hodges and Lehmann's shift: the median of all differences of a stream after less one before.
    pub shift: f64,
    /// Mann and Whitney's U: pairs in which the one after has the larger value.
    pub u: f64,
    /// The share of all pairs that this is.
    pub share: f64,
    /// Two-sided.
    pub p: f64,
}

/// What would tell, when noise stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Needed {
    /// So many times what there was: in streams, or in minutes, or in runs.
    pub times: f64,
    /// Streams a side.
    pub streams: Option<u64>,
}

/// Compares runs. `least` may change the least difference that matters. The same runs, seed and resamples give the same.
#[must_use]
pub fn compare(
    baseline: &[RunDraws],
    changed: &[RunDraws],
    least: impl Fn(&ComparedMetric) -> Least,
    seed: u64,
) -> Comparison {
    let places = compared_metrics()
        .iter()
        .flat_map(|metric| metric.places().into_iter().map(move |leg| (metric, leg)));
    let sides: Vec<_> = places
        .enumerate()
        .map(|(place, (metric, leg))| {
            let of = |runs| Side::new(figures(runs, place));
            (place, metric, leg, of(baseline).zip(of(changed)))
        })
        .collect();
    let judged = sides
        .iter()
        .filter(|(_, metric, _, sides)| metric.decides && sides.is_some());
    let judged = judged.count();
    let metrics: Vec<_> = sides
        .iter()
        .map(|(place, metric, leg, sides)| {
            let mut resampler = Resampler::new(seed.wrapping_add(*place as u64), 1);
            let blank = blank(metric, *leg);
            match sides {
                Some(sides) => judge(
                    &blank,
                    metric,
                    sides,
                    (least(metric), judged),
                    &mut resampler,
                ),
                None => blank,
            }
        })
        .collect();
    Comparison {
        verdict: overall(&metrics),
        runs: [baseline.len(), changed.len()],
        metrics,
        judged,
    }
}

fn figures(runs: &[RunDraws], place: usize) -> Vec<Option<&Drawn>> {
    runs.iter()
        .map(|run| run.figures.get(place).and_then(Option::as_ref))
        .collect()
}

fn blank(metric: &ComparedMetric, leg: Option<Leg>) -> MetricComparison {
    MetricComparison {
        metric: metric.path,
        leg,
        unit: metric.unit,
        higher_is_better: metric.higher_is_better,
        decides: metric.decides,
        baseline: None,
        run: None,
        difference: None,
        interval_95: None,
        interval_of_all: None,
        least_difference: None,
        verdict: None,
        streams: None,
        location: None,
        reason: None,
        needed: None,
    }
}

fn judge(
    blank: &MetricComparison,
    metric: &ComparedMetric,
    (before, after): &(Side, Side),
    (least, judged): (Least, usize),
    resampler: &mut Resampler,
) -> MetricComparison {
    let scale = Scale::of(metric, before.value());
    let (baseline, run) = (scale.baseline, scale.value(after.value()));
    let shift = after.value() - before.value();
    let mut draws = before.draws(after, resampler);
    for (draw, changed) in draws.iter_mut().zip(after.draws(before, resampler)) {
        *draw = changed - *draw;
    }
    let widening = widening([before.runs(), after.runs()]);
    let mut within = |missed: f64| {
        let [low, high] = interval(&mut draws, missed / 2.0);
        let wider = |edge: f64| shift + widening * (edge - shift);
        [wider(low).min(shift), wider(high).max(shift)].map(|edge| scale.difference(edge))
    };
    let interval_95 = within(MISSED);
    let interval_of_all = within(MISSED / float(judged.max(1) as u64));
    let least_difference = least.at(baseline);
    let shortage = before.shortage().or(after.shortage());
    let difference = run - baseline;
    let seen = Seen {
        difference,
        interval_95,
        interval_of_all,
        least_difference,
    };
    let verdict = match shortage {
        Some(_) => Change::CannotTell,
        None => seen.verdict(metric.higher_is_better),
    };
    let needed = (verdict == Change::CannotTell).then(|| needed(&seen, shortage, before, after));
    MetricComparison {
        baseline: Some(baseline),
        run: Some(run),
        difference: Some(difference),
        interval_95: Some(interval_95),
        interval_of_all: Some(interval_of_all),
        least_difference: Some(least_difference),
        verdict: Some(verdict),
        streams: before.streams().zip(after.streams()).map(Into::into),
        location: location(before, after),
        reason: shortage.map(|short| {
            format!(
                "{} {}, and at least {} are needed",
                short.has, short.of, short.needs
            )
        }),
        needed: needed.flatten(),
        ..blank.clone()
    }
}

/// From what sides are computed in to the metric's unit.
#[derive(Clone, Copy, Debug)]
struct Scale {
    logarithmic: bool,
    baseline: f64,
}

impl Scale {
    fn of(metric: &ComparedMetric, before: f64) -> Self {
        let logarithmic = metric.is_of_scale();
        let baseline = if logarithmic { before.exp() } else { before };
        Self {
            logarithmic,
            baseline,
        }
    }

    fn value(self, side: f64) -> f64 {
        if self.logarithmic { side.exp() } else { side }
    }

    /// Of a ratio, as much as it makes of the baseline.
    fn difference(self, shift: f64) -> f64 {
        if self.logarithmic {
            self.baseline * shift.exp_m1()
        } else {
            shift
        }
    }
}

fn location(before: &Side, after: &Side) -> Option<Location> {
    let (a, b) = (before.of_units(), after.of_units());
    let test = mann_whitney(&a, &b)?;
    Some(Location {
        shift: hodges_lehmann(&a, &b)?,
        u: test.u,
        share: test.share,
        p: test.p,
    })
}

/// A difference, and how well it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) difference: f64,
    pub(super) interval_95: [f64; 2],
    pub(super) interval_of_all: [f64; 2],
    pub(super) least_difference: f64,
}

impl Seen {
    /// By where the intervals lie against the least difference that matters.
    pub(super) fn verdict(&self, higher_is_better: bool) -> Change {
        let least = self.least_difference;
        let [low, high] = self.interval_of_all;
        let (more, less) = if higher_is_better {
            (Change::Better, Change::Worse)
        } else {
            (Change::Worse, Change::Better)
        };
        match self.interval_95 {
            _ if low > least => more,
            _ if high < -least => less,
            [low, high] if low >= -least && high <= least => Change::Same,
            _ => Change::CannotTell,
        }
    }

    /// By how many times the interval must become narrower until it lies on one side of the least difference.
    fn too_wide_by(&self) -> f64 {
        let size = self.difference.abs();
        let reach = |[low, high]: [f64; 2]| (self.difference - low).max(high - self.difference);
        let (reach, room) = if size > self.least_difference {
            (reach(self.interval_of_all), size - self.least_difference)
        } else {
            (reach(self.interval_95), self.least_difference - size)
        };
        reach / room.max(f64::MIN_POSITIVE)
    }
}

/// An interval becomes narrower by the root of what it is made of.
fn needed(seen: &Seen, shortage: Option<Shortage>, before: &Side, after: &Side) -> Option<Needed> {
    let streams = before.streams().zip(after.streams());
    let fewest = streams.map(|(before, after)| before.min(after));
    let short = shortage.map_or(1.0, |short| float(short.needs) / float(short.has.max(1)));
    let times = seen.too_wide_by().powi(2).max(short).max(1.0);
    (times <= TIMES_MAX).then(|| Needed {
        times,
        streams: fewest.map(|streams| rounded_up(times * float(streams as u64))),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of streams, not negative; the cast saturates"
)]
fn rounded_up(streams: f64) -> u64 {
    streams.ceil() as u64
}

fn overall(metrics: &[MetricComparison]) -> Change {
    let deciding = || {
        let deciding = metrics.iter().filter(|metric| metric.decides);
        deciding.filter_map(|metric| metric.verdict)
    };
    [
        Change::Worse,
        Change::Better,
        Change::CannotTell,
        Change::Same,
    ]
    .into_iter()
    .find(|change| deciding().any(|verdict| verdict == *change))
    .unwrap_or(Change::CannotTell)
}
