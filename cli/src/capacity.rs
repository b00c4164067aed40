//! `milliwatt capacity`: the document's sizing formulas, and nothing that is not in it.

use crate::args::CapacityArgs;
use crate::dry_run::{
    PACKET_OCTETS, PACKETS_PER_SECOND, RTCP_OCTETS_PER_SECOND, TRANSFER_OVERHEAD,
};
use crate::exit::{ExitCode, Failure};
use crate::output;
use serde::Serialize;

/// Calls recorded on both endpoints that one media engine carries as a guest.
const GUEST_CALLS_PER_ENGINE: u32 = 32;
/// The same on bare metal.
const NATIVE_CALLS_PER_ENGINE: u32 = 40;
/// Virtual processors that a guest should have at most: scale out, not up.
const GUEST_ENGINES: u32 = 8;
/// What a guest may send, Mbit/s.
const SENT_LIMIT_MBPS: f64 = 120.0;
/// Octets a second of a recording on the network (8533 bit/s).
const RECORDING_OCTETS_PER_SECOND: f64 = 8533.0 / 8.0;
/// The document, for the `source` of the figures.
const SOURCE: &str =
    "CIC Virtualization Technical Reference, Expectations and Virtual machine requirements";

/// The size of one server, and of as many as are asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Where the figures come from.
    pub source: &'static str,
    /// `guest` or `native`.
    pub server: &'static str,
    /// Media engines.
    pub engines: u32,
    /// Calls recorded on both endpoints that an engine carries.
    pub calls_per_engine: u32,
    /// Calls at once that the server carries.
    pub calls: u32,
    /// Streams each way of so many calls, two legs each.
    pub streams: u32,
    /// Mbit/s that the server receives (tester to guest) then, as its network interface counts.
    pub receive_mbps: f64,
    /// Mbit/s that it sends, recordings included.
    pub sent_mbps: f64,
    /// The limit on what a guest sends, Mbit/s.
    pub sent_limit_mbps: f64,
    /// One-way streams of RTP alone that reach it.
    pub streams_at_limit: u32,
    /// Two-legged calls without recordings that reach it.
    pub calls_at_limit: u32,
    /// More engines than a guest should have.
    pub over_guest_limit: bool,
    /// Calls that were asked for.
    pub wanted_calls: Option<u32>,
    /// Servers that carry them.
    pub servers: Option<u32>,
}

impl Capacity {
    /// By the formulas: calls = points an engine x engines, 1 point a recorded call.
    #[must_use]
    pub fn of(engines: u32, native: bool, wanted_calls: Option<u32>) -> Self {
        let calls_per_engine = if native {
            NATIVE_CALLS_PER_ENGINE
        } else {
            GUEST_CALLS_PER_ENGINE
        };
        let calls = engines.saturating_mul(calls_per_engine);
        let streams = calls.saturating_mul(2);
        let streams_at_limit = streams_at_limit();
        Self {
            source: SOURCE,
            server: if native { "native" } else { "guest" },
            engines,
            calls_per_engine,
            calls,
            streams,
            receive_mbps: media_mbps(streams),
            sent_mbps: media_mbps(streams)
                + f64::from(calls) * RECORDING_OCTETS_PER_SECOND * TRANSFER_OVERHEAD * 8.0 / 1e6,
            sent_limit_mbps: SENT_LIMIT_MBPS,
            streams_at_limit,
            calls_at_limit: streams_at_limit / 2,
            over_guest_limit: !native && engines > GUEST_ENGINES,
            wanted_calls,
            servers: wanted_calls.map(|wanted| wanted.div_ceil(calls.max(1))),
        }
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{} x {} calls an engine = {} calls at once, recorded on both endpoints ({})\n\
             they receive {:.1} and send {:.1} Mbit/s in {} streams each way ({PACKET_OCTETS} octets a packet)\n\
             {} Mbit/s, the most that a guest may send, is {} streams of RTP alone: {} calls of two legs\n\
             {}source: {}\n",
            self.engines,
            self.calls_per_engine,
            self.calls,
            self.server,
            self.receive_mbps,
            self.sent_mbps,
            self.streams,
            self.sent_limit_mbps,
            self.streams_at_limit,
            self.calls_at_limit,
            self.advice(),
            self.source,
        )
    }

    fn advice(&self) -> String {
        let servers = self.wanted_calls.zip(self.servers);
        let servers = servers
            .map(|(wanted, servers)| format!("{wanted} calls at once: {servers} such servers\n"));
        let out = format!(
            "more than {GUEST_ENGINES} vCPU in one guest: the document says to use more guests instead\n"
        );
        let out = self.over_guest_limit.then_some(out);
        servers.into_iter().chain(out).collect()
    }
}

/// RTP and RTCP of so many streams, Mbit/s.
fn media_mbps(streams: u32) -> f64 {
    f64::from(streams)
        * (f64::from(PACKETS_PER_SECOND * PACKET_OCTETS) + RTCP_OCTETS_PER_SECOND)
        * 8.0
        / 1e6
}

/// Whole streams of RTP, the last of which reaches the limit.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a constant of about 1402"
)]
fn streams_at_limit() -> u32 {
    (SENT_LIMIT_MBPS * 1e6 / 8.0 / f64::from(PACKETS_PER_SECOND * PACKET_OCTETS)).ceil() as u32
}

/// Prints the formulas' results.
pub fn execute(args: &CapacityArgs) -> Result<ExitCode, Failure> {
    let capacity = Capacity::of(args.engines, args.native, args.calls);
    let shown = if args.json {
        output::print_json(&capacity)
    } else {
        output::print(&capacity.text())
    };
    shown.map(|()| ExitCode::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_engines_carry_256_calls_as_a_guest_and_320_natively() {
        assert_eq!(Capacity::of(8, false, None).calls, 256);
        assert_eq!(Capacity::of(8, true, None).calls, 320);
        assert!(!Capacity::of(8, false, None).over_guest_limit);
        assert!(Capacity::of(9, false, None).over_guest_limit);
        assert!(!Capacity::of(9, true, None).over_guest_limit);
    }

    /// 120e6 / (50 x 214 x 8) = 1401.9: the 1402nd stream reaches it, 701 calls of two legs.
    #[test]
    fn the_limit_is_reached_by_1402_streams() {
        let capacity = Capacity::of(4, false, None);
        assert_eq!(
            (capacity.streams_at_limit, capacity.calls_at_limit),
            (1402, 701)
        );
    }

    /// 128 calls on 4 engines: 256 x 85.6 kbit/s = 21.9 Mbit/s of RTP each way.
    #[test]
    fn four_engines_exchange_22_mbps() {
        let capacity = Capacity::of(4, false, None);
        assert_eq!(capacity.calls, 128);
        assert!(
            (capacity.receive_mbps - 21.97).abs() < 0.01,
            "{}",
            capacity.receive_mbps
        );
    }

    #[test]
    fn servers_are_counted_up() {
        assert_eq!(Capacity::of(8, false, Some(512)).servers, Some(2));
        assert_eq!(Capacity::of(8, false, Some(513)).servers, Some(3));
    }
}
