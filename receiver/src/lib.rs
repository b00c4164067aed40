//! The receiving half: what arrived, when, and what of it could be played.
//!
//! * [`packet`]: a checked view of an RTP packet.
//! * [`stream`]: one known stream: sequence state, transit, discards, impairments.
//! * [`mod@line`]: all streams of one port pair, one after the other; tells them by SSRC.
//! * [`opening`]: what comes of an encrypted datagram before it is read.
//! * [`leg`]: what is counted over all streams of a leg.
//! * [`playout`]: the buffer between arrival and a 20 ms clock.
//! * [`concealment`]: what is played in place of a packet that is not there.
//! * [`recorder`]: a call's recording, from playout frames to the octets of a WAV file.
//!
//! * [`driver`]: reading the sockets of many ports.
//!
//! Sans-IO but for the driver: time is an argument.

mod anchor;
pub mod concealment;
pub mod driver;
mod due;
pub mod leg;
pub mod line;
pub mod opening;
pub mod packet;
pub mod playout;
pub mod recorder;
pub mod stream;
