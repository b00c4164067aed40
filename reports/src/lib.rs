//! Reports: the scorecard and what is made of it. Every renderer is a pure function of a finished
//! run; [`directory::write_all`] alone touches the disk.
//!
//! - [`scorecard`]: `scorecard.json`, the contract with users' scripts; its schema is
//!   `scorecard.schema.json` beside this crate.
//! - [`terminal`], [`html`]: for people. Their text is no contract.
//! - [`junit`], [`csv`], [`events`], [`hlog`]: for machines.
//! - [`plots`]: SVG, each threshold drawn in.
//! - [`excerpts`]: the silences that tell most, to be seen and heard.
//! - [`analysis`]: the same for captures that `milliwatt analyze` read.
//! - [`comparison`]: runs after a change against runs before it; the schema of its `comparison.json` is
//!   `comparison.schema.json` beside this crate.

pub mod analysis;
pub mod comparison;
pub mod context;
pub mod csv;
pub mod directory;
pub mod events;
pub mod excerpts;
pub mod figures;
pub mod findings;
pub mod hlog;
pub mod html;
pub mod incidents;
pub mod junit;
pub mod plots;
pub mod scorecard;
pub mod tables;
pub mod terminal;

pub use context::RunContext;
pub use directory::{ReportError, write_all};
pub use scorecard::Scorecard;
