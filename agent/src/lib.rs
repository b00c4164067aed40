//! The guest side: takes the part of a media server, measures its own time keeping, and keeps its
//! facts until the tester has them.
//!
//! The way of a packet: [`engine`] reads it, plays it out on its own clock, sends it on and hands
//! the audio to [`recording`]. Everything else is off that path: [`server`] and [`session`] speak
//! with the tester, [`collector`] gathers facts, [`spool`] keeps them, [`telemetry`] watches the
//! host, [`limits`] says no, [`transfer`] sends files, [`capture`] writes headers of every packet when it is asked to.
//! Instead of all this, an agent may be a [`neighbour`]: load beside the calls of another.
//! [`engine`]'s ports, [`ports`], [`meter`], [`collector`], [`capture`],
//! [`transfer`], [`telemetry`] and [`http`] serve the tester's end as well.

pub mod capture;
pub mod collector;
pub mod engine;
pub mod http;
pub mod limits;
pub mod media;
pub mod meter;
pub mod neighbour;
mod output;
pub mod ports;
pub mod recording;
pub mod server;
pub mod session;
pub mod spool;
pub mod telemetry;
pub mod transfer;
