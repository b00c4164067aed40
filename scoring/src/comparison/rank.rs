//! Location of two samples: Mann and Whitney's U, Hodges and Lehmann's shift.

use crate::scorer::end::float;
use statrs::distribution::{ContinuousCDF, Normal};

/// Pairs up to which all differences are listed.
const PAIRS_LISTED: usize = 1 << 20;
/// Values of both samples up to which the exact distribution is counted, where none are equal.
const EXACT_MAX: usize = 40;

/// Mann and Whitney's test of `a` against `b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RankTest {
    /// Pairs in which b's value is the larger; equal ones count half.
    pub u: f64,
    /// The share of all pairs that this is (common language effect size), 0.5 where neither is larger.
    pub share: f64,
    /// U's distance from its mean in standard deviations, without continuity correction, corrected for ties; zero where all
    /// values are equal.
    pub z: f64,
    /// Two-sided: exact up to 40 values without ties, else by the normal distribution.
    pub p: f64,
}

/// The test; none where a sample is empty.
#[must_use]
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<RankTest> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let (u, ties) = count_pairs(a, b);
    let pairs = float(a.len() as u64) * float(b.len() as u64);
    let all = float((a.len() + b.len()) as u64);
    let variance = pairs / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)).max(1.0));
    let z = if variance > 0.0 {
        (u - pairs / 2.0) / variance.sqrt()
    } else {
        0.0
    };
    let exact = ties == 0.0 && a.len() + b.len() <= EXACT_MAX;
    Some(RankTest {
        u,
        share: u / pairs,
        z,
        p: if exact {
            exact_p(a.len(), b.len(), u)
        } else {
            normal_p(z)
        },
    })
}

/// U of `b`, and the sum of `t^3 - t` over groups of `t` equal values.
fn count_pairs(a: &[f64], b: &[f64]) -> (f64, f64) {
    let mut all: Vec<(f64, bool)> = a.iter().map(|value| (*value, false)).collect();
    all.extend(b.iter().map(|value| (*value, true)));
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut below, mut u, mut ties) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|x, y| x.0.total_cmp(&y.0).is_eq()) {
        let of_b = float(equal.iter().filter(|(_, is_b)| *is_b).count() as u64);
        let t = float(equal.len() as u64);
        u += of_b * (below + (t - of_b) / 2.0);
        below += t - of_b;
        ties += t * t * t - t;
    }
    (u, ties)
}

/// Twice the smaller tail, at most 1.
fn exact_p(n: usize, m: usize, u: f64) -> f64 {
    let ways = ways(n, m);
    let total: f64 = ways.iter().sum();
    let of = |tail: &dyn Fn(f64) -> bool| {
        let within = (0_u64..)
            .zip(&ways)
            .filter(|(value, _)| tail(float(*value)));
        within.map(|(_, ways)| ways).sum::<f64>() / total
    };
    let tail = of(&|value| value <= u).min(of(&|value| value >= u));
    (2.0 * tail).min(1.0)
}

/// In how many orders of `n` and `m` values each U from zero comes about: the value that stands last is of `b`, above all of
/// `a`, or it is of `a`.
fn ways(n: usize, m: usize) -> Vec<f64> {
    let mut of_fewer: Vec<Vec<f64>> = (0..=m).map(|_| vec![1.0]).collect();
    for a in 1..=n {
        let mut rows = vec![vec![1.0]];
        for b in 1..=m {
            let mut row = vec![0.0; a * b + 1];
            add_shifted(&mut row, &rows[b - 1], a);
            add_shifted(&mut row, &of_fewer[b], 0);
            rows.push(row);
        }
        of_fewer = rows;
    }
    of_fewer.pop().unwrap_or_default()
}

fn add_shifted(row: &mut [f64], more: &[f64], by: usize) {
    for (cell, value) in row.iter_mut().skip(by).zip(more) {
        *cell += value;
    }
}

/// Two-sided, by the standard normal distribution.
fn normal_p(z: f64) -> f64 {
    2.0 * Normal::standard().cdf(-z.abs())
}

/// Hodges and Lehmann's shift: the median of all differences of a value of `b` less one of `a`; none where a sample is empty.
#[must_use]
pub fn hodges_lehmann(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    if a.len().saturating_mul(b.len()) > PAIRS_LISTED {
        return Some(median_by_halving(a, b));
    }
    let mut differences: Vec<f64> = b
        .iter()
        .flat_map(|b| a.iter().map(move |a| b - a))
        .collect();
    differences.sort_by(f64::total_cmp);
    let last = differences.len() - 1;
    Some(f64::midpoint(
        differences[last / 2],
        differences[last.div_ceil(2)],
    ))
}

/// The same without listing the differences: halves the range that the median lies in, to a part in 10^12 of it.
fn median_by_halving(a: &[f64], b: &[f64]) -> f64 {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (a, b) = (sorted(a), sorted(b));
    let half = (a.len() * b.len()).div_ceil(2);
    let (mut low, mut high) = (b[0] - a[a.len() - 1], b[b.len() - 1] - a[0]);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if differences_up_to(&a, &b, middle) >= half {
            high = middle;
        } else {
            low = middle;
        }
    }
    f64::midpoint(low, high)
}

/// Differences of at most `x`, of ascending samples.
fn differences_up_to(a: &[f64], b: &[f64], x: f64) -> usize {
    let mut first = 0;
    let counts = b.iter().map(|b| {
        while first < a.len() && b - a[first] > x {
            first += 1;
        }
        a.len() - first
    });
    counts.sum()
}
