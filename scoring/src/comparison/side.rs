//! A figure of all runs of one side, and its noise between and within them.

use super::bootstrap::Resampler;
use super::drawn::{Drawn, Shortage};
use crate::scorer::end::float;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The runs of a side, one figure of each.
#[derive(Clone, Debug)]
pub(super) struct Side<'a> {
    runs: Vec<&'a Drawn>,
}

impl<'a> Side<'a> {
    /// None where a run has nothing of it, or there is no run.
    pub(super) fn new(runs: Vec<Option<&'a Drawn>>) -> Option<Self> {
        let runs: Vec<&Drawn> = runs.into_iter().collect::<Option<_>>()?;
        (!runs.is_empty()).then_some(Self { runs })
    }

    /// The mean over runs: each counts the same.
    pub(super) fn value(&self) -> f64 {
        let sum: f64 = self.runs.iter().map(|run| run.value).sum();
        sum / float(self.runs.len() as u64)
    }

    /// A value for each resample: of several runs all but one are drawn, with replacement, and of each a draw. One run
    /// alone is as far off as a run of the `other` side is off its mean.
    pub(super) fn draws(&self, other: &Self, resampler: &mut Resampler) -> Vec<f64> {
        let deviations = other.deviations();
        (0..self.runs[0].draws.len())
            .map(|_| match (self.runs.len(), deviations.len()) {
                (1, 1) => self.draw(0, resampler),
                (1, others) => self.draw(0, resampler) + deviations[resampler.pick(others)],
                (runs, _) => self.draw_of_several(runs, resampler),
            })
            .collect()
    }

    fn draw_of_several(&self, runs: usize, resampler: &mut Resampler) -> f64 {
        let picks = runs - 1;
        let drawn = (0..picks).map(|_| {
            let run = resampler.pick(runs);
            self.draw(run, resampler)
        });
        drawn.sum::<f64>() / float(picks as u64)
    }

    fn draw(&self, run: usize, resampler: &mut Resampler) -> f64 {
        let draws = &self.runs[run].draws;
        draws[resampler.pick(draws.len())]
    }

    /// How far each run lies off the mean, made larger by what a mean of so few takes off.
    fn deviations(&self) -> Vec<f64> {
        let (mean, runs) = (self.value(), float(self.runs.len() as u64));
        let factor = (runs / (runs - 1.0).max(1.0)).sqrt();
        let runs = self.runs.iter();
        runs.map(|run| (run.value - mean) * factor).collect()
    }

    pub(super) fn shortage(&self) -> Option<Shortage> {
        self.runs.iter().find_map(|run| run.shortage)
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn streams(&self) -> Option<usize> {
        self.runs.iter().map(|run| run.streams).sum()
    }

    pub(super) fn of_units(&self) -> Vec<f64> {
        let units = self.runs.iter().flat_map(|run| &run.of_units);
        units.copied().collect()
    }
}

/// By how much the interval of few runs must be wider than the draws say: Student's t over the normal deviate, for as many
/// degrees of freedom as runs repeat others, at least two. Where no run is repeated the noise between runs is not known: it
/// is taken to be as large as that within a run, which makes the interval wider by the root of two.
pub(super) fn widening(runs: [usize; 2]) -> f64 {
    let repeats: usize = runs.iter().map(|runs| runs - 1).sum();
    if repeats == 0 {
        return std::f64::consts::SQRT_2;
    }
    let student = StudentsT::new(0.0, 1.0, float(repeats.max(2) as u64));
    let normal = Normal::standard().inverse_cdf(0.975);
    student.map_or(1.0, |student| student.inverse_cdf(0.975) / normal)
}
