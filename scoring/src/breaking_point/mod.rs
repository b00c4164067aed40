//! Where a leg breaks: what the steps of a stepped load show, and which load is offered next.
//!
//! [`Evidence`] takes the facts of both ends, while the run goes on and again from its logs, and judges each step on each leg;
//! [`Search`] takes what a step said and decides on the next one; [`breaking_points`] is what all steps say together.
//! A load is what a step is to put on the sent leg, in whole kbit/s as [`milliwatt_wire::facts::Fact::StepStarted`] holds it.

mod board;
mod evidence;
mod judge;
mod point;
mod search;
mod second;
mod stream;
mod sums;
#[cfg(test)]
mod tests;

pub use evidence::Evidence;
pub use point::{breaking_points, guest_limited_mbps};
pub(crate) use point::{highest_mbps, tester_failed_mbps, untold_mbps};
pub use search::{Course, LegEdge, Request, Search, SearchPlan};
