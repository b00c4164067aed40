//! What goes each way with all calls up.

use milliwatt_generator::transfer::course::full_flow;
use milliwatt_wire::load::{LoadSpec, TransferDirection};
use milliwatt_wire::step::Flow;
use serde::Serialize;

/// Octets of a G.711 packet of 20 ms on IPv4 as a network interface counts them: 160 of audio, 12 RTP,
/// 8 UDP, 20 IP, 14 Ethernet.
pub const PACKET_OCTETS: u32 = 214;
/// Octets that an encrypted packet has more: its tag (RFC 3711 3.1).
const TAG_OCTETS: u32 = 10;
/// Packets a second of one stream.
pub const PACKETS_PER_SECOND: u32 = 50;
/// Octets a second of a stream's RTCP: 122 each 4.104 s, the mean interval of RFC 3550 6.3.1.
pub const RTCP_OCTETS_PER_SECOND: f64 = 122.0 / 4.104;
/// Octets a second that encrypted RTCP has more: index and tag of each report, 14 (RFC 3711 3.4).
const RTCP_GROWTH_PER_SECOND: f64 = 14.0 / 4.104;
/// What TCP, IP and Ethernet headers add to a transfer.
pub const TRANSFER_OVERHEAD: f64 = 1.037;
/// Octets of acknowledgement that go back for each octet of transfer.
const ACKNOWLEDGEMENT_SHARE: f64 = 0.0206;

/// Octets of a packet as a network interface counts them: [`PACKET_OCTETS`], and a tag where media is encrypted.
#[must_use]
pub fn packet_octets(srtp: bool) -> u32 {
    PACKET_OCTETS + if srtp { TAG_OCTETS } else { 0 }
}

/// Octets a second of a stream's RTCP: [`RTCP_OCTETS_PER_SECOND`], and what encryption adds.
#[must_use]
pub fn rtcp_octets_per_second(srtp: bool) -> f64 {
    RTCP_OCTETS_PER_SECOND + if srtp { RTCP_GROWTH_PER_SECOND } else { 0.0 }
}

/// What goes one way with all calls up, Mbit/s.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bandwidth {
    /// RTP.
    pub rtp_mbps: f64,
    /// RTCP.
    pub rtcp_mbps: f64,
    /// Recording transfer (sent) or its acknowledgements (receive), mean of a steady state, and made-up files that have a
    /// rate.
    pub transfer_mbps: f64,
    /// All of it.
    pub total_mbps: f64,
}

impl Bandwidth {
    pub(super) fn of((streams, srtp): (u32, bool), transfer_mbps: f64) -> Self {
        let media = mbps(f64::from(streams) * f64::from(PACKETS_PER_SECOND * packet_octets(srtp)));
        let reports = mbps(f64::from(streams) * rtcp_octets_per_second(srtp));
        Self {
            rtp_mbps: media,
            rtcp_mbps: reports,
            transfer_mbps,
            total_mbps: media + reports + transfer_mbps,
        }
    }

    pub(super) fn text(&self, packet_octets: u32, transfer: &str) -> String {
        format!(
            "{:.2} Mbit/s: RTP {:.2} ({packet_octets} octets a packet), RTCP {:.2}, {transfer} {:.2}",
            self.total_mbps, self.rtp_mbps, self.rtcp_mbps, self.transfer_mbps
        )
    }
}

fn mbps(octets_per_second: f64) -> f64 {
    octets_per_second * 8.0 / 1e6
}

/// What files take, Mbit/s each way.
pub(super) struct TransferForecast {
    pub(super) receive: f64,
    pub(super) sent: f64,
    /// The way on which made-up files take what they can get.
    pub(super) as_tcp_goes: Option<TransferDirection>,
}

impl TransferForecast {
    /// Mean recording transfer of a steady state, and its acknowledgements the other way; the same of made-up files. A
    /// rate holds for recordings and made-up files of the guest together.
    pub(super) fn of(load: &LoadSpec, bits_per_second: u32) -> Self {
        let weight =
            f64::from(load.concurrent) * load.recording.share * f64::from(bits_per_second) / 8.0;
        let mut forecast = Self {
            receive: mbps(weight * ACKNOWLEDGEMENT_SHARE),
            sent: mbps(weight * TRANSFER_OVERHEAD),
            as_tcp_goes: None,
        };
        let direction = load.transfer.direction;
        match full_flow(load) {
            None | Some(Flow::None) => {}
            Some(Flow::Unpaced) => forecast.as_tcp_goes = Some(direction),
            Some(Flow::Paced(rate)) => forecast.add(load, rate),
        }
        forecast
    }

    #[expect(clippy::cast_precision_loss, reason = "a forecast")]
    fn add(&mut self, load: &LoadSpec, rate: u64) {
        let made_up = rate as f64 / 1e6;
        let back = made_up / TRANSFER_OVERHEAD * ACKNOWLEDGEMENT_SHARE;
        match load.transfer.direction {
            TransferDirection::ToGuest => {
                self.receive += made_up;
                self.sent += back;
            }
            TransferDirection::ToTester if load.transfer.rate_bits_per_second.is_some() => {
                (self.receive, self.sent) = (back, made_up);
            }
            TransferDirection::ToTester => {
                self.receive += back;
                self.sent += made_up;
            }
        }
    }
}
