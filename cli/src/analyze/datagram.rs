//! The UDP datagram in a captured frame.

use super::capture::Frame;
use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice};
use pcap_parser::Linktype;
use std::net::{IpAddr, SocketAddr};

/// A UDP datagram, as much of it as was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'f> {
    /// From here.
    pub source: SocketAddr,
    /// To here.
    pub destination: SocketAddr,
    /// What it carries.
    pub payload: &'f [u8],
}

/// Finds it behind Ethernet with or without VLAN tags, Linux cooked headers, or no link header at all.
#[must_use]
pub fn find<'f>(frame: &Frame<'f>) -> Option<Datagram<'f>> {
    let packet = slice(frame)?;
    let (source, destination): (IpAddr, IpAddr) = match packet.net? {
        LaxNetSlice::Ipv4(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        LaxNetSlice::Ipv6(ip) => (
            ip.header().source_addr().into(),
            ip.header().destination_addr().into(),
        ),
        LaxNetSlice::Arp(_) => return None,
    };
    let Some(TransportSlice::Udp(udp)) = packet.transport else {
        return None;
    };
    Some(Datagram {
        source: SocketAddr::new(source, udp.source_port()),
        destination: SocketAddr::new(destination, udp.destination_port()),
        payload: udp.payload(),
    })
}

fn slice<'f>(frame: &Frame<'f>) -> Option<LaxSlicedPacket<'f>> {
    let octets = frame.octets;
    match frame.link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(octets).ok(),
        // The protocol stands last in the 16 octets of version 1, first in the 20 of version 2.
        Linktype::LINUX_SLL => cooked(octets, 14, 16),
        Linktype::LINUX_SLL2 => cooked(octets, 0, 20),
        Linktype::RAW | Linktype::IPV4 | Linktype(229) => LaxSlicedPacket::from_ip(octets).ok(),
        // BSD loopback: the address family in 4 octets of either order; IP tells its own version.
        Linktype::NULL | Linktype::LOOP => LaxSlicedPacket::from_ip(octets.get(4..)?).ok(),
        _ => None,
    }
}

fn cooked(octets: &[u8], protocol: usize, header: usize) -> Option<LaxSlicedPacket<'_>> {
    let ether_type = octets
        .get(protocol..)?
        .first_chunk()
        .copied()
        .map(u16::from_be_bytes)?;
    Some(LaxSlicedPacket::from_ether_type(
        EtherType(ether_type),
        octets.get(header..)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn ethernet(tagged: bool) -> Vec<u8> {
        let link = PacketBuilder::ethernet2([2; 6], [4; 6]);
        let mut octets = Vec::new();
        if tagged {
            let packet = link
                .single_vlan(etherparse::VlanId::try_new(7).unwrap())
                .ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
            packet.udp(5000, 6000).write(&mut octets, b"voice").unwrap();
        } else {
            link.ipv6([1; 16], [2; 16], 64)
                .udp(5000, 6000)
                .write(&mut octets, b"voice")
                .unwrap();
        }
        octets
    }

    fn payload(link: Linktype, octets: &[u8]) -> Option<&[u8]> {
        find(&Frame {
            at: 0,
            link,
            octets,
        })
        .map(|datagram| datagram.payload)
    }

    #[test]
    fn the_datagram_is_found_behind_every_link_header() {
        let (tagged, plain) = (ethernet(true), ethernet(false));
        let ip = &plain[14..];
        assert_eq!(payload(Linktype::ETHERNET, &tagged), Some(&b"voice"[..]));
        assert_eq!(payload(Linktype::ETHERNET, &plain), Some(&b"voice"[..]));
        assert_eq!(payload(Linktype::RAW, ip), Some(&b"voice"[..]));
        let cooked = [&[0; 14][..], &[0x86, 0xdd], ip].concat();
        assert_eq!(payload(Linktype::LINUX_SLL, &cooked), Some(&b"voice"[..]));
        let cooked = [&[0x86, 0xdd][..], &[0; 18], ip].concat();
        assert_eq!(payload(Linktype::LINUX_SLL2, &cooked), Some(&b"voice"[..]));
        assert_eq!(
            payload(Linktype::NULL, &[&[30, 0, 0, 0], ip].concat()),
            Some(&b"voice"[..])
        );
    }

    #[test]
    fn a_frame_that_was_not_captured_whole_gives_what_there_is() {
        let octets = ethernet(false);
        assert_eq!(
            payload(Linktype::ETHERNET, &octets[..octets.len() - 2]),
            Some(&b"voi"[..])
        );
        assert_eq!(payload(Linktype::ETHERNET, &octets[..30]), None);
    }
}
