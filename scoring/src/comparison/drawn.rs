//! One run's figures, each with what it would have been with other streams and at other times.

use super::bootstrap::Resampler;
use super::metric::{ComparedMetric, Figure, Part, compared_metrics};
use super::sample::{LegSample, RecordingSample, RunSample, SecondSample};
use super::{BLOCKS, SECONDS_MIN, STREAMS_MIN};
use crate::emodel;
use crate::percentile::{Distribution, Percentile};
use crate::scorer::end::{float, ms};
use milliwatt_wire::id::Leg;

/// A run, drawn again many times.
#[derive(Clone, Debug)]
pub struct RunDraws {
    /// By metric and leg, in the order of [`compared_metrics`]; none where the run has nothing of it.
    pub(super) figures: Vec<Option<Drawn>>,
}

/// Where ratios begin: a thousandth of the metric's unit, us or ns.
const FLOOR: f64 = 1e-3;

/// One figure. Value and draws of a metric of scale are logarithms.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// As it was.
    pub(super) value: f64,
    /// As it would have been.
    pub(super) draws: Vec<f64>,
    /// One value a stream, for tests of location; empty where streams have none.
    pub(super) of_units: Vec<f64>,
    /// Streams it is made of; none for a figure that is made of seconds only.
    pub(super) streams: Option<usize>,
    /// What there is too little of, and how much there must be.
    pub(super) shortage: Option<Shortage>,
}

/// Too little to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shortage {
    pub(super) of: &'static str,
    pub(super) has: u64,
    pub(super) needs: u64,
}

/// A figure's value, its draws over one kind of unit, and the values of units.
struct Noise {
    value: f64,
    draws: Vec<f64>,
    of_units: Vec<f64>,
}

/// The noise of a figure's streams and that of time.
struct Noises {
    /// Streams' or, of a figure that they have no part in, time's.
    first: Noise,
    time: Option<Noise>,
    streams: Option<usize>,
    shortage: Option<Shortage>,
}

impl RunDraws {
    /// Draws a run again, `resamples` times for each figure. Runs that are compared must have different seeds.
    #[must_use]
    pub fn of(sample: &RunSample, seed: u64, resamples: usize) -> Self {
        let places = compared_metrics()
            .iter()
            .flat_map(|metric| metric.places().into_iter().map(move |leg| (metric, leg)));
        let figures = (0_u64..).zip(places).map(|(place, (metric, leg))| {
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(place);
            let mut resampler = Resampler::new(seed, resamples);
            let noises = noises(sample, metric, leg, &mut resampler)?;
            Some(noises.together(metric.is_of_scale()))
        });
        Self {
            figures: figures.collect(),
        }
    }
}

fn noises(
    sample: &RunSample,
    metric: &ComparedMetric,
    leg: Option<Leg>,
    resampler: &mut Resampler,
) -> Option<Noises> {
    let leg = leg.map(|leg| &sample.legs[leg as usize]);
    match (metric.figure, leg) {
        (Figure::Ratio(of_stream, of_second), Some(leg)) => {
            let units: Vec<Part> = leg.streams.iter().filter_map(of_stream).collect();
            let seconds: Vec<Part> = leg.seconds.iter().filter_map(of_second).collect();
            let shortage = shortage(leg.streams.len(), leg.seconds.len());
            let noise = ratio_noise(&units, resampler)?;
            let time = ratio_time(&seconds, resampler);
            Some(noise.with(time, Some(leg.streams.len()), shortage))
        }
        (Figure::Pdv(percentile), Some(leg)) => pdv(leg, percentile, resampler),
        (Figure::Mos(percentile), Some(leg)) => mos(leg, percentile, resampler),
        (Figure::Silences, _) => silences(sample, resampler),
        (Figure::Goodput, Some(leg)) => {
            let seconds = leg.seconds.iter();
            mean_of_time(
                seconds.filter_map(|second| second.transfer_goodput_mbps),
                resampler,
            )
        }
        (Figure::Guest(of), _) => mean_of_time(sample.guest.iter().filter_map(of), resampler),
        (Figure::TickLateness(percentile), _) => {
            let noise = percentile_noise(&merged(&sample.tick_lateness), percentile, resampler)?;
            let us = |ms: f64| ms * 1000.0;
            let noise = Noise {
                value: us(noise.value),
                draws: noise.draws.into_iter().map(us).collect(),
                of_units: Vec::new(),
            };
            Some(of_time(noise, sample.tick_lateness.len()))
        }
        _ => None,
    }
}

/// The mean over seconds of what streams have no part in.
fn mean_of_time(seconds: impl Iterator<Item = f64>, resampler: &mut Resampler) -> Option<Noises> {
    let seconds: Vec<Part> = seconds.map(|part| Part { part, whole: 1.0 }).collect();
    let noise = ratio_noise(&blocks(&seconds), resampler)?;
    Some(of_time(noise, seconds.len()))
}

/// A figure that streams have no part in.
fn of_time(noise: Noise, seconds: usize) -> Noises {
    let noise = Noise {
        of_units: Vec::new(),
        ..noise
    };
    noise.with(None, None, shortage(STREAMS_MIN, seconds))
}

fn pdv(leg: &LegSample, percentile: Percentile, resampler: &mut Resampler) -> Option<Noises> {
    let noise = percentile_noise(&leg.pdv_of_streams, percentile, resampler)?;
    let time = percentile_noise(&merged(&leg.pdv_of_seconds), percentile, resampler);
    let packets = leg.pdv_of_streams.iter().map(Distribution::total).sum();
    let needs = packets_needed(percentile);
    let shortage =
        shortage(leg.streams.len(), leg.seconds.len()).or((packets < needs).then_some(Shortage {
            of: "packets",
            has: packets,
            needs,
        }));
    Some(noise.with(time, Some(leg.streams.len()), shortage))
}

/// With fewer values the largest does not bound the percentile from above with 95 %: `p^n <= 0.05`.
fn packets_needed(percentile: Percentile) -> u64 {
    match percentile {
        Percentile::P999 => 2995,
        Percentile::P99 => 299,
        _ => 1,
    }
}

/// MOS has no second of its own: what seconds do to it is what they do to the share of packets lost or late.
fn mos(leg: &LegSample, percentile: Percentile, resampler: &mut Resampler) -> Option<Noises> {
    let mut values: Vec<f64> = leg
        .streams
        .iter()
        .filter_map(|stream| stream.mos_lq)
        .collect();
    values.sort_by(f64::total_cmp);
    let noise = Noise {
        value: percentile.of_sorted(&values)?,
        draws: resampler.order_statistics(&values, percentile),
        of_units: values,
    };
    let equipment = leg.equipment?;
    let mos = |ppl: f64| emodel::mos_lq_of(equipment, ppl.clamp(0.0, 100.0), 1.0);
    let impaired = |second: &SecondSample| Part {
        part: 100.0 * float(second.lost + second.discarded),
        whole: float(second.expected),
    };
    let seconds: Vec<Part> = leg.seconds.iter().map(impaired).collect();
    let time = ratio_time(&seconds, resampler).map(|time| Noise {
        value: mos(time.value),
        draws: time.draws.into_iter().map(mos).collect(),
        of_units: Vec::new(),
    });
    let shortage = shortage(leg.streams.len(), leg.seconds.len());
    Some(noise.with(time, Some(leg.streams.len()), shortage))
}

fn silences(sample: &RunSample, resampler: &mut Resampler) -> Option<Noises> {
    let part = |recording: &RecordingSample| Part {
        part: 1000.0 * float(recording.silence_events),
        whole: recording.minutes,
    };
    let units: Vec<Part> = sample.recordings.iter().map(part).collect();
    let seconds: Vec<Part> = sample.silences.iter().map(part).collect();
    let time = ratio_time(&seconds, resampler);
    let mut shortage = shortage(units.len(), seconds.len());
    if let Some(shortage) = shortage
        .as_mut()
        .filter(|shortage| shortage.of == "streams")
    {
        shortage.of = "recordings";
    }
    Some(ratio_noise(&units, resampler)?.with(time, Some(units.len()), shortage))
}

fn shortage(streams: usize, seconds: usize) -> Option<Shortage> {
    let of = |of, has: usize, needs: usize| {
        (has < needs).then_some(Shortage {
            of,
            has: has as u64,
            needs: needs as u64,
        })
    };
    of("streams", streams, STREAMS_MIN).or_else(|| of("seconds of full load", seconds, SECONDS_MIN))
}

fn ratio_noise(units: &[Part], resampler: &mut Resampler) -> Option<Noise> {
    let all = units.iter().copied().fold(Part::default(), Part::plus);
    Some(Noise {
        value: all.ratio()?,
        draws: resampler.ratios(units),
        of_units: units.iter().copied().filter_map(Part::ratio).collect(),
    })
}

fn ratio_time(seconds: &[Part], resampler: &mut Resampler) -> Option<Noise> {
    ratio_noise(&blocks(seconds), resampler)
}

fn percentile_noise(
    units: &[Distribution],
    percentile: Percentile,
    resampler: &mut Resampler,
) -> Option<Noise> {
    let mut all = Distribution::default();
    for unit in units {
        all.add(unit);
    }
    let of_unit = |unit: &Distribution| unit.percentile(percentile).map(ms);
    Some(Noise {
        value: of_unit(&all)?,
        draws: resampler.percentiles(units, percentile),
        of_units: units.iter().filter_map(of_unit).collect(),
    })
}

impl Noise {
    fn with(
        self,
        time: Option<Self>,
        streams: Option<usize>,
        shortage: Option<Shortage>,
    ) -> Noises {
        Noises {
            first: self,
            time,
            streams,
            shortage,
        }
    }
}

impl Noises {
    /// Each draw is off by as much as the one and the other are.
    fn together(self, of_scale: bool) -> Drawn {
        let scaled = |value: f64| {
            if of_scale {
                value.max(FLOOR).ln()
            } else {
                value
            }
        };
        let mut draws: Vec<f64> = self.first.draws.into_iter().map(scaled).collect();
        if let Some(time) = self.time {
            for (draw, at_times) in draws.iter_mut().zip(time.draws) {
                *draw += scaled(at_times) - scaled(time.value);
            }
        }
        Drawn {
            value: scaled(self.first.value),
            draws,
            of_units: self.first.of_units,
            streams: self.streams,
            shortage: self.shortage,
        }
    }
}

/// Seconds in at most [`BLOCKS`] blocks of neighbours.
fn blocks(seconds: &[Part]) -> Vec<Part> {
    cut(seconds)
        .map(|block| block.iter().copied().fold(Part::default(), Part::plus))
        .collect()
}

fn merged(seconds: &[Distribution]) -> Vec<Distribution> {
    let merge = |block: &[Distribution]| {
        let mut all = Distribution::default();
        for second in block {
            all.add(second);
        }
        all
    };
    cut(seconds).map(merge).collect()
}

fn cut<T>(seconds: &[T]) -> impl Iterator<Item = &[T]> {
    let count = seconds.len().min(BLOCKS);
    (0..count).map(move |block| {
        let edge = |block: usize| block * seconds.len() / count;
        &seconds[edge(block)..edge(block + 1)]
    })
}
