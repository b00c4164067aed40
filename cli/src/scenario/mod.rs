//! Scenarios: the file as written, its values, its resolution into a plan, and what is said when
//! something in it is wrong.

pub mod abort;
pub mod builtin;
pub mod check;
pub mod course;
pub mod diagnostic;
pub mod file;
pub mod later;
pub mod load;
pub mod measure;
pub mod neighbours;
pub mod overrides;
pub mod programme;
pub mod resolve;
pub mod sources;
pub mod thresholds;
pub mod value;

pub use resolve::{Plan, Request, resolve, resolve_text};
