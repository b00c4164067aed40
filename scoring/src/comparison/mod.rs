//! Whether a change made it worse: runs after it against runs before it.
//!
//! The units are streams, never packets, since packets of a stream are not independent. Streams are not either: one stall
//! of the host hits them all at once. So an interval takes three kinds of noise together:
//!
//! - streams: the streams of a run are drawn again (bootstrap);
//! - time: full load is cut into at most [`BLOCKS`] blocks, and those are drawn again;
//! - runs: with several runs a side, runs are drawn again before what is in them. A side of one run borrows the other
//!   side's noise between runs; with one run on either side that noise is not known, and is taken to be as large as what
//!   streams and time show.
//!
//! Delays are compared by their ratio, since their noise grows with them.
//!
//! What decides is where the interval lies against the least difference that matters: wholly beyond it is worse (or
//! better), wholly within it on both sides is the same, all else cannot be told. Since many metrics are looked at, worse
//! and better are told by an interval so wide that the 95 % hold for all of them together (Bonferroni).
//!
//! - [`sample`]: what one run gives. - [`metric`]: what is compared, and what matters. - [`drawn`]: one run's figures and
//!   their noise. - [`verdict`]: the verdicts. - [`rank`]: Mann and Whitney's test, Hodges and Lehmann's shift.

mod bootstrap;
pub mod drawn;
pub mod metric;
pub mod rank;
pub mod sample;
mod side;
#[cfg(test)]
mod tests;
pub mod verdict;

pub use drawn::RunDraws;
pub use metric::{ComparedMetric, Least, compared_metrics};
pub use sample::RunSample;
pub use verdict::{Change, Comparison, Location, MetricComparison, Needed, compare};

/// Blocks of time at most.
pub const BLOCKS: usize = 30;
/// Resamples of a figure.
pub const RESAMPLES: usize = 10_000;
/// Streams that a side of a comparison must have. Of eight against eight all in order the rank test's exact level is
/// 2 / 12,870, and of six 2 / 924: too little where some twenty metrics share 5 %.
pub const STREAMS_MIN: usize = 8;
/// Seconds of full load that it must have.
pub const SECONDS_MIN: usize = 8;
