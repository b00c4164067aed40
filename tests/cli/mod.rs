//! The command line as a user meets it: the built binary, its output and its exit codes.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod analyze;
mod compare;
mod help;
mod program;
mod scenarios;
mod score;

pub(crate) use program::{milliwatt_in, milliwatt_without_programs};
