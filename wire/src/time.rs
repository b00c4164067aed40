//! Time as data. Nothing here reads a clock: see [`crate::clock`] for that.
//!
//! Two kinds exist and never mix: [`MonoTime`] is one host's `CLOCK_MONOTONIC`, [`RunTime`] counts
//! from the start of the run and means the same on both ends once the clock exchange has related
//! the two hosts (the residual error is part of what is measured).

use serde::{Deserialize, Serialize};
use std::ops::{Add, Sub};

/// Nanoseconds in one millisecond.
pub const NS_PER_MS: i64 = 1_000_000;
/// Nanoseconds in one second.
pub const NS_PER_SECOND: i64 = 1_000_000_000;

/// A reading of this host's monotonic clock, nanoseconds since an arbitrary start.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct MonoTime(pub i64);

/// Nanoseconds since the start of the run; negative before it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct RunTime(pub i64);

impl RunTime {
    /// The start of the run.
    pub const ZERO: Self = Self(0);

    /// The second of the run this instant lies in; instants before the start belong to second 0.
    #[must_use]
    #[inline]
    pub fn second(self) -> u32 {
        u32::try_from(self.0.max(0) / NS_PER_SECOND).unwrap_or(u32::MAX)
    }

    /// Run time in seconds, for labels and plots.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a label; 2^53 ns is 104 days")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add<i64> for MonoTime {
    type Output = Self;
    fn add(self, ns: i64) -> Self {
        Self(self.0 + ns)
    }
}

impl Sub for MonoTime {
    type Output = i64;
    fn sub(self, other: Self) -> i64 {
        self.0 - other.0
    }
}

/// Saturates, so that the far future, `i64::MAX`, stays there.
impl Add<i64> for RunTime {
    type Output = Self;
    fn add(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }
}

impl Sub for RunTime {
    type Output = i64;
    fn sub(self, other: Self) -> i64 {
        self.0 - other.0
    }
}

/// The constant relation between one host's monotonic clock and run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunClock {
    /// This host's monotonic clock at run time zero.
    pub zero: MonoTime,
}

impl RunClock {
    /// Converts a monotonic reading of this host.
    #[must_use]
    pub fn run(self, at: MonoTime) -> RunTime {
        RunTime(at - self.zero)
    }

    /// The monotonic reading of this host at `at`.
    #[must_use]
    pub fn mono(self, at: RunTime) -> MonoTime {
        self.zero + at.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_its_first_nanosecond_and_not_its_last_plus_one() {
        assert_eq!(RunTime(0).second(), 0);
        assert_eq!(RunTime(NS_PER_SECOND - 1).second(), 0);
        assert_eq!(RunTime(NS_PER_SECOND).second(), 1);
        assert_eq!(RunTime(-1).second(), 0);
    }

    #[test]
    fn run_and_mono_are_inverse() {
        let clock = RunClock {
            zero: MonoTime(5_000),
        };
        assert_eq!(clock.run(MonoTime(5_020)), RunTime(20));
        assert_eq!(clock.mono(clock.run(MonoTime(77))), MonoTime(77));
    }
}
