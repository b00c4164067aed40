//! Files on their way, at the end that sends them and at the end that takes them: either of a run's two.
//!
//! * [`load`]: how files flow over all connections of an end, and what became of them.
//! * [`switch`]: turns made-up files on and off, and releases recordings, by the run's course.
//! * [`sender`]: one connection over which this end sends.
//! * [`made_up`]: a made-up file on a connection, sent and received.

pub mod load;
pub mod made_up;
pub mod sender;
pub mod switch;

pub use load::TransferLoad;
