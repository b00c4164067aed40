//! The UDP datagram in a captured frame: behind Ethernet with or without VLAN tags, Linux cooked and BSD loopback
//! headers or none; over IPv4 or IPv6; put together where it came in fragments.

mod fragments;
mod network;

use super::capture::Frame;
use fragments::Fragments;
pub use fragments::OPEN_MAX;
use network::{Network, Protocol};
use std::net::SocketAddr;

/// A UDP datagram, as much of it as was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// From here.
    pub source: SocketAddr,
    /// To here.
    pub destination: SocketAddr,
    /// What was captured of what it carries.
    pub payload: &'a [u8],
    /// Octets that it carried on the wire.
    pub length: usize,
    /// What a NIC counts for it: its IP packet, or packets, plus 14 each.
    pub nic_octets: u32,
    /// Differentiated services code point (RFC 2474).
    pub dscp: u8,
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// A datagram.
    Udp(Datagram<'a>),
    /// A part of one, the rest of which has not come.
    Fragment,
    /// Something else, by name.
    Other(&'static str),
}

/// Finds datagrams; holds fragments that wait for others.
#[derive(Debug, Default)]
pub struct Datagrams {
    fragments: Fragments,
}

impl Datagrams {
    /// Looks into a frame.
    pub fn take<'a>(&'a mut self, frame: &Frame<'a>) -> Content<'a> {
        let network = match network::find(frame) {
            Ok(network) => network,
            Err(name) => return Content::Other(name),
        };
        if network.protocol != Protocol::UDP {
            return Content::Other(network.protocol.name());
        }
        let Some(part) = network.part else {
            return match udp(
                &network,
                network.payload,
                network.length,
                network.nic_octets,
            ) {
                Some(datagram) => Content::Udp(datagram),
                None => Content::Other("damaged UDP"),
            };
        };
        match self.fragments.take(&network, part) {
            Some((octets, nic_octets)) => match udp(&network, octets, octets.len(), nic_octets) {
                Some(datagram) => Content::Udp(datagram),
                None => Content::Other("damaged UDP"),
            },
            None => Content::Fragment,
        }
    }

    #[cfg(test)]
    fn waiting_octets(&self) -> usize {
        self.fragments.waiting_octets()
    }

    /// Fragments whose datagram never became whole, so far.
    #[must_use]
    pub fn lost_fragments(&self) -> u64 {
        self.fragments.lost()
    }
}

/// A datagram in the payload of an IP packet, of which `length` octets were on the wire.
#[inline]
fn udp<'a>(
    network: &Network<'_>,
    octets: &'a [u8],
    length: usize,
    nic_octets: u32,
) -> Option<Datagram<'a>> {
    let header: &[u8; 8] = octets.first_chunk()?;
    let port = |place: usize| u16::from_be_bytes([header[place], header[place + 1]]);
    let told = usize::from(port(4));
    // 0 in a jumbogram (RFC 2675), or where the segmentation was left to the card.
    let length = if told < 8 { length } else { told.min(length) };
    let payload = &octets[8..];
    let carried = length.checked_sub(8)?;
    Some(Datagram {
        source: SocketAddr::new(network.source, port(0)),
        destination: SocketAddr::new(network.destination, port(2)),
        payload: &payload[..payload.len().min(carried)],
        length: carried,
        nic_octets,
        dscp: network.dscp,
    })
}

#[cfg(test)]
mod tests;
