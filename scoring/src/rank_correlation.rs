//! Spearman's rank correlation: Pearson's of the ranks, equals sharing the mean of theirs.

/// How two series rise together, -1 to 1; none for fewer than two pairs, or where either series is all equal.
#[must_use]
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (x, y) = (deviations(&ranks(&x)), deviations(&ranks(&y)));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = product(&x, &x) * product(&y, &y);
    (spread > 0.0).then(|| product(&x, &y) / spread.sqrt())
}

/// The rank of each value, from 1.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values
            .iter()
            .filter(|other| other.total_cmp(value).is_lt())
            .count();
        let equal = values
            .iter()
            .filter(|other| other.total_cmp(value).is_eq())
            .count();
        count(2 * below + equal + 1) / 2.0
    };
    values.iter().map(rank).collect()
}

fn deviations(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / count(values.len().max(1));
    values.iter().map(|value| value - mean).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of seconds")]
fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks 1 2 3 4 5 against 2 1 4 3 5: `1 - 6 (1 + 1 + 1 + 1 + 0) / (5 x 24)` is 0.8.
    #[test]
    fn ranks_correlate_as_computed_by_hand() {
        let pairs = [
            (1.0, 20.0),
            (2.0, 10.0),
            (3.0, 400.0),
            (4.0, 30.0),
            (9.0, 500.0),
        ];
        assert!((spearman(&pairs).unwrap() - 0.8).abs() < 1e-12);
        let falling: Vec<(f64, f64)> = (0..9).map(|x| (f64::from(x), f64::from(-x * x))).collect();
        assert!((spearman(&falling).unwrap() + 1.0).abs() < 1e-12);
    }

    /// Values 5 5 7 have ranks 1.5 1.5 3; against 1 2 3 that is 1.5 / sqrt(1.5 x 2).
    #[test]
    fn equals_share_the_mean_of_their_ranks() {
        let pairs = [(5.0, 1.0), (5.0, 2.0), (7.0, 3.0)];
        assert!((spearman(&pairs).unwrap() - 1.5 / 3.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(spearman(&[(5.0, 1.0), (5.0, 2.0)]), None, "all equal");
        assert_eq!(spearman(&[(5.0, 1.0)]), None);
        assert_eq!(spearman(&[]), None);
    }
}
