//! The capture of a run: headers of every packet, as pcapng, with the stamps that the metrics are
//! computed from. Each end writes its half while the run goes on; the guest's travels to the tester
//! when media is over.
//!
//! * [`pcapng`]: the blocks of the format.
//! * [`headers`]: the IP and UDP headers in front of what a socket shows.
//! * [`half`]: an end's packets on their way to its file, in order of time.
//! * [`disk`]: the file, or the parts of it, and how much of the disk they may have.
//! * [`writer`]: the thread between the media threads' rings and the file.

pub mod disk;
pub mod half;
pub mod headers;
pub mod pcapng;
pub mod writer;
