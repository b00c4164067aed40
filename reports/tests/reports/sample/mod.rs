//! Runs as the scorer would hand them over: one that passes, one whose guest stalled for 700 ms,
//! one whose tester could not keep pace, one that measured nothing; one of a whole day; searches for a
//! breaking point; and captures.

mod analyses;
pub(crate) mod day;
pub(crate) mod disruptions;
pub(crate) mod events;
pub(crate) mod neighbours;
pub(crate) mod recordings;
mod rows;
mod runs;
pub(crate) mod steps;
mod totals;

pub(crate) use analyses::{capture, captured_run, nothing};
pub(crate) use recordings::write_recordings;
pub(crate) use runs::{context, empty, fail, invalid, pass};
