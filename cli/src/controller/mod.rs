//! The tester's side of a run.
//!
//! `start` leads through it: `setup` makes both ends ready; `media` starts the pacing and receiving threads; `run`
//! then only watches: facts of both ends come in as blocks, are stored and judged as they come,
//! recordings come over connections of their own. [`conclusion`] scores what is in the folder, the
//! same way as a later `milliwatt report`.

mod calendar;
pub mod capture;
mod clocks;
pub mod conclusion;
mod course;
mod departures;
mod dial;
pub mod directory;
pub mod environment;
mod hooks;
mod link;
mod live;
pub mod media;
mod neighbours;
mod own_agent;
pub mod pace;
mod programme;
mod receiving;
pub mod record;
pub mod recordings;
pub mod remote;
mod run;
mod scope;
mod sending;
mod setup;
mod sources;
mod start;
pub mod transfer;
mod uploads;

pub use hooks::RUN_DIR;
pub use start::{measure, run};
