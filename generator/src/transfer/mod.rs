//! Files that load the path as recordings do: when, how fast, how large, and what is in them.
//!
//! * [`pace`]: how fast octets may leave, over all connections.
//! * [`made_up`]: files of noise, drawn from the seed.
//! * [`course`]: when made-up files flow and when recordings are released, for loads whose course is known.

pub mod course;
pub mod made_up;
pub mod pace;

pub use course::Course;
pub use made_up::{Content, MadeUpFile, MadeUpFiles};
pub use pace::{Pace, network_octets};
