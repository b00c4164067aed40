//! Axes whose ticks are chosen here: quiet runs of 0.05 ms and broken ones of 2 s must both be readable.

use crate::figures;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// Ticks that a linear axis has at most.
const MOST_TICKS: f64 = 12.0;
/// Decades that a logarithmic axis spans at most.
const MOST_DECADES: f64 = 7.0;

/// One axis of a panel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
    ticks: Vec<f64>,
    /// Value of one unit of the label: 60 for minutes on an axis of seconds.
    unit: f64,
    /// Names of lanes, from the uppermost down; an axis of numbers has none.
    lanes: &'static [&'static str],
}

impl Axis {
    /// From 0 to a round value at or above `high`.
    pub(super) fn linear(high: f64) -> Self {
        let step = round_up(high.max(1e-9) / 6.0);
        let steps = (high / step).ceil().max(1.0);
        Self {
            low: 0.0,
            high: steps * step,
            logarithmic: false,
            ticks: multiples(step, steps),
            unit: 1.0,
            lanes: &[],
        }
    }

    /// From a round value at or below `low` to one at or above `high`, at least one decade; a wide
    /// one begins at a power of ten and shows only those.
    pub(super) fn logarithmic(low: f64, high: f64) -> Self {
        let high = round_up(high);
        let low = low.clamp(high / 10_f64.powf(MOST_DECADES), high / 10.0);
        let wide = (high / low).log10() > 2.5;
        let low = if wide {
            power_of_ten(low)
        } else {
            round_down(low)
        };
        let mantissas: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let mut ticks = Vec::new();
        let mut decade = power_of_ten(low);
        while decade <= high * 1.001 {
            ticks.extend(
                mantissas
                    .iter()
                    .map(|m| m * decade)
                    .filter(|t| *t >= low * 0.999 && *t <= high * 1.001),
            );
            decade *= 10.0;
        }
        Self {
            low,
            high,
            logarithmic: true,
            ticks,
            unit: 1.0,
            lanes: &[],
        }
    }

    /// Time from 0 to `end_s`, and the unit of its ticks: seconds, minutes or hours.
    pub(super) fn time(end_s: f64) -> (Self, &'static str) {
        let (unit, name, steps): (f64, _, &[f64]) = match end_s {
            s if s <= 300.0 => (1.0, "s", &[1.0, 2.0, 5.0, 10.0, 20.0, 30.0]),
            s if s <= 3.0 * 3600.0 => (60.0, "min", &[0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0]),
            _ => (3600.0, "h", &[0.5, 1.0, 2.0, 4.0, 12.0, 24.0]),
        };
        let fits = |step: &&f64| end_s / (**step * unit) <= MOST_TICKS;
        let step = steps
            .iter()
            .find(fits)
            .map_or_else(|| round_up(end_s / MOST_TICKS), |step| step * unit);
        let ticks = multiples(step, (end_s / step).floor());
        (
            Self {
                low: 0.0,
                high: end_s,
                logarithmic: false,
                ticks,
                unit,
                lanes: &[],
            },
            name,
        )
    }

    /// From one value to another, not round ones.
    pub(super) fn between(low: f64, high: f64) -> Self {
        let high = high.max(low + 1e-3);
        let step = round_up((high - low) / MOST_TICKS);
        let (first, last) = ((low / step).ceil(), (high / step).floor());
        let ticks = multiples(step, last - first);
        Self {
            low,
            high,
            ticks: ticks.iter().map(|tick| first * step + tick).collect(),
            ..Self::linear(1.0)
        }
    }

    /// As far below zero as above it.
    pub(super) fn about_zero(high: f64) -> Self {
        let half = Self::linear(high).high / 2.0;
        Self {
            low: -2.0 * half,
            high: 2.0 * half,
            ticks: [-2.0, -1.0, 0.0, 1.0, 2.0].map(|n| n * half).into(),
            ..Self::linear(1.0)
        }
    }

    /// Lanes below each other, each one unit high, with its tick at its lower end.
    pub(super) fn lanes(names: &'static [&'static str]) -> Self {
        let count = (0..).zip(names).map(|(n, _)| f64::from(n));
        let ticks: Vec<f64> = count.collect();
        Self {
            high: ticks.last().map_or(1.0, |last| last + 1.0),
            ticks,
            lanes: names,
            ..Self::linear(1.0)
        }
    }

    /// Its lanes; none of an axis of numbers.
    pub(super) fn lane_names(&self) -> &'static [&'static str] {
        self.lanes
    }

    pub(super) fn low(&self) -> f64 {
        self.low
    }

    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Where a value stands: 0 at the low end, 1 at the high end, never beyond.
    fn share(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        share.clamp(0.0, 1.0)
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        limit.0 + pixels(f64::from(limit.1 - limit.0) * self.share(*value))
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let from_below = usize::try_from(pixels(*value)).unwrap_or(usize::MAX);
        if let Some(name) = self.lanes.iter().rev().nth(from_below) {
            return (*name).to_owned();
        }
        figures::number(value / self.unit)
    }
}

/// Rounds to the next whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` saturates; a place in a picture"
)]
pub(super) fn pixels(value: f64) -> i32 {
    value.round() as i32
}

fn multiples(step: f64, count: f64) -> Vec<f64> {
    (0..=pixels(count)).map(|n| f64::from(n) * step).collect()
}

fn power_of_ten(value: f64) -> f64 {
    10_f64.powf((value * 1.000_001).log10().floor())
}

/// The largest of 1, 2, 5 times a power of ten at or below `value`.
fn round_down(value: f64) -> f64 {
    let decade = power_of_ten(value);
    let mantissa = [5.0, 2.0]
        .into_iter()
        .find(|m| m * decade <= value * 1.000_001)
        .unwrap_or(1.0);
    mantissa * decade
}

/// The smallest of 1, 2, 5 times a power of ten at or above `value`.
fn round_up(value: f64) -> f64 {
    let decade = power_of_ten(value);
    let mantissa = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|m| m * decade >= value * 0.999_999)
        .unwrap_or(10.0);
    mantissa * decade
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks
            .iter()
            .map(|tick| axis.format_ext(tick))
            .collect()
    }

    #[test]
    fn a_quiet_run_fills_its_axis() {
        let axis = Axis::logarithmic(0.021, 0.083);
        assert_eq!(labels(&axis), ["0.01", "0.02", "0.05", "0.1"]);
    }

    #[test]
    fn a_broken_run_shows_decades() {
        let axis = Axis::logarithmic(0.05, 1_900.0);
        assert_eq!(labels(&axis), ["0.01", "0.1", "1", "10", "100", "1,000"]);
        assert!((axis.low() - 0.01).abs() < 1e-9 && (axis.high() - 2_000.0).abs() < 1e-6);
    }

    #[test]
    fn zero_lies_on_the_low_end_of_a_logarithmic_axis() {
        assert_eq!(Axis::logarithmic(0.01, 10.0).map(&0.0, (300, 100)), 300);
        assert_eq!(Axis::logarithmic(0.01, 10.0).map(&10.0, (300, 100)), 100);
    }

    #[test]
    fn time_is_told_in_a_unit_that_fits() {
        assert_eq!(
            labels(&Axis::time(60.0).0),
            [
                "0", "5", "10", "15", "20", "25", "30", "35", "40", "45", "50", "55", "60"
            ]
        );
        let (axis, label) = Axis::time(5_400.0);
        assert_eq!(
            (labels(&axis).last().map(String::as_str), label),
            (Some("90"), "min")
        );
        assert_eq!(Axis::time(12.0 * 3600.0).1, "h");
    }

    #[test]
    fn a_stretch_keeps_its_ends_and_has_round_ticks() {
        let axis = Axis::between(25.28, 27.9425);
        assert_eq!(
            labels(&axis),
            ["25.5", "26", "26.5", "27", "27.5"],
            "2.66 s in steps of 0.5 s"
        );
        assert!((axis.low() - 25.28).abs() < 1e-9 && (axis.high() - 27.9425).abs() < 1e-9);
    }

    #[test]
    fn samples_swing_about_zero() {
        assert_eq!(
            labels(&Axis::about_zero(17.3)),
            ["-20", "-10", "0", "10", "20"]
        );
    }

    #[test]
    fn the_first_lane_is_the_uppermost() {
        let axis = Axis::lanes(&["lost", "late", "not sent"]);
        assert_eq!(labels(&axis), ["not sent", "late", "lost"]);
        // 60 px of three lanes: each ends 20 px below the one before.
        let lower_ends: Vec<i32> = axis.ticks.iter().map(|t| axis.map(t, (60, 0))).collect();
        assert_eq!(lower_ends, [60, 40, 20]);
    }

    #[test]
    fn a_linear_axis_ends_at_a_round_value() {
        assert_eq!(
            labels(&Axis::linear(45.2)),
            ["0", "10", "20", "30", "40", "50"]
        );
    }
}
