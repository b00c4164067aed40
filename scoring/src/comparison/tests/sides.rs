//! Noise between runs.

use crate::comparison::bootstrap::{Resampler, interval};
use crate::comparison::drawn::Drawn;
use crate::comparison::side::{Side, widening};

fn run(value: f64) -> Drawn {
    Drawn {
        value,
        draws: vec![value; 2000],
        of_units: Vec::new(),
        streams: Some(40),
        shortage: None,
    }
}

fn side(runs: &[Drawn]) -> Side<'_> {
    Side::new(runs.iter().map(Some).collect()).unwrap()
}

fn deviation(draws: &[f64], about: f64) -> f64 {
    let squares: f64 = draws.iter().map(|draw| (draw - about).powi(2)).sum();
    (squares / 2000.0).sqrt()
}

/// Runs of 1, 2 and 6 lie about their mean of 3 with a variance of (4 + 1 + 9) / 2 = 7; that of the mean of three is 7 / 3.
#[test]
fn the_mean_of_runs_is_as_uncertain_as_their_scatter_says() {
    let runs = [1.0, 2.0, 6.0].map(run);
    let (runs, other) = (side(&runs), [run(0.0)]);
    let draws = runs.draws(&side(&other), &mut Resampler::new(1, 1));
    let found = deviation(&draws, 3.0);
    assert!((found - (7.0_f64 / 3.0).sqrt()).abs() < 0.08, "{found}");
}

/// One run alone is as far off as single runs of the other side are: the root of 7.
#[test]
fn a_single_run_borrows_the_noise_between_runs_of_the_other_side() {
    let (alone, runs) = ([run(10.0)], [1.0, 2.0, 6.0].map(run));
    let draws = side(&alone).draws(&side(&runs), &mut Resampler::new(1, 1));
    let found = deviation(&draws, 10.0);
    assert!((found - 7.0_f64.sqrt()).abs() < 0.15, "{found}");
}

#[test]
fn single_runs_on_both_sides_know_of_no_noise_between_runs() {
    let (a, b) = ([run(10.0)], [run(11.0)]);
    let mut draws = side(&a).draws(&side(&b), &mut Resampler::new(1, 1));
    let [low, high] = interval(&mut draws, 0.025);
    assert!((low - 10.0).abs() < 1e-9 && (high - 10.0).abs() < 1e-9);
}

/// Student's t at 97.5 %: 4.3027 with 2 degrees of freedom, 2.7764 with 4, over 1.95996.
#[test]
fn few_runs_widen_the_interval() {
    for (runs, factor) in [
        ([1, 1], std::f64::consts::SQRT_2),
        ([1, 2], 2.195_3),
        ([2, 2], 2.195_3),
        ([3, 3], 1.416_6),
    ] {
        assert!(
            (widening(runs) - factor).abs() < 1e-4,
            "{runs:?}: {}",
            widening(runs)
        );
    }
}
