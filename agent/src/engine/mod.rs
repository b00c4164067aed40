//! The media engine: a thread that receives, plays out on its own 20 ms clock, and sends. One
//! thread a vCPU, calls spread over them; a packet is never handed from thread to thread.

mod driver;
mod line;
mod listener;
mod outgoing;
mod port;
mod recorded;
mod rest;
mod sent;
mod status;

pub use driver::{Engine, EngineSetup};
pub use port::{Heard, PortPair, RtcpPort, heard, line_receiver, port_calls, stream_plan};
pub use sent::SentLog;
pub use status::{FactRing, MediaStatus, SocketDrops};
