//! From a frame's first octet to the payload of its IP packet.

use super::super::capture::{Frame, Link};
use super::fragments::Part;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// Tags of VLANs: customer, service, and an older number for the latter.
const VLAN: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// More headers than these are no packet of anybody's.
const HEADERS_MAX: usize = 8;

/// A protocol over IP, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Protocol(u8);

impl Protocol {
    pub(super) const UDP: Self = Self(17);

    pub(super) fn name(self) -> &'static str {
        match self.0 {
            1 | 58 => "ICMP",
            2 => "IGMP",
            6 => "TCP",
            47 => "GRE",
            50 => "ESP",
            132 => "SCTP",
            _ => "other IP",
        }
    }
}

/// An IP packet, as much of it as was captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: Protocol,
    pub(super) dscp: u8,
    pub(super) payload: &'a [u8],
    /// Octets of payload on the wire.
    pub(super) length: usize,
    /// The whole packet plus 14.
    pub(super) nic_octets: u32,
    /// Where it is a fragment.
    pub(super) part: Option<Part>,
}

/// The IP packet in a frame; the name of what it is instead.
pub(super) fn find<'a>(frame: &Frame<'a>) -> Result<Network<'a>, &'static str> {
    let (ether_type, header) = link(frame)?;
    let octets = frame.octets.get(header..).unwrap_or_default();
    let on_wire = usize::try_from(frame.length).unwrap_or(0);
    let on_wire = on_wire.saturating_sub(header).max(octets.len());
    match ether_type {
        IPV4 => ipv4(octets, on_wire).ok_or("damaged IPv4"),
        IPV6 => ipv6(octets, on_wire).ok_or("damaged IPv6"),
        0x0806 => Err("ARP"),
        0x88cc => Err("LLDP"),
        0x8847 | 0x8848 => Err("MPLS"),
        0x8863 | 0x8864 => Err("PPPoE"),
        0..=1500 => Err("LLC, such as spanning tree"),
        _ => Err("other Ethernet"),
    }
}

/// What a frame carries, and how long the headers before it are.
fn link(frame: &Frame<'_>) -> Result<(u16, usize), &'static str> {
    let octets = frame.octets;
    let short = "cut short before its IP header";
    match frame.link {
        Link::ETHERNET => ethernet(octets).ok_or(short),
        // The protocol stands last in the 16 octets of version 1, first in the 20 of version 2.
        Link::LINUX_SLL => Ok((half(octets, 14).ok_or(short)?, 16)),
        Link::LINUX_SLL2 => Ok((half(octets, 0).ok_or(short)?, 20)),
        // IP tells its own version. 12 is what OpenBSD wrote for it.
        Link::RAW | Link::IPV4 | Link::IPV6 | Link(12 | 14) => Ok((version(octets, 0)?, 0)),
        // The address family, in 4 octets of either order.
        Link::NULL | Link::LOOP => Ok((version(octets, 4)?, 4)),
        _ => Err("a link type that is not read"),
    }
}

fn version(octets: &[u8], place: usize) -> Result<u16, &'static str> {
    match octets.get(place).map(|octet| octet >> 4) {
        Some(4) => Ok(IPV4),
        Some(6) => Ok(IPV6),
        _ => Err("no IP"),
    }
}

#[inline]
fn ethernet(octets: &[u8]) -> Option<(u16, usize)> {
    let mut header = 14;
    let mut ether_type = half(octets, 12)?;
    while VLAN.contains(&ether_type) && header < 14 + 4 * HEADERS_MAX {
        ether_type = half(octets, header + 2)?;
        header += 4;
    }
    Some((ether_type, header))
}

#[inline]
fn half(octets: &[u8], place: usize) -> Option<u16> {
    octets
        .get(place..)?
        .first_chunk()
        .copied()
        .map(u16::from_be_bytes)
}

#[inline]
fn ipv4(octets: &[u8], on_wire: usize) -> Option<Network<'_>> {
    let header: &[u8; 20] = octets.first_chunk()?;
    let header_octets = usize::from(header[0] & 15) * 4;
    let told = usize::from(u16::from_be_bytes([header[2], header[3]]));
    // 0 where the segmentation was left to the card.
    let total = if told == 0 { on_wire } else { told };
    let length = total.checked_sub(header_octets.max(20))?;
    let payload = octets.get(header_octets.max(20)..).unwrap_or_default();
    let fragment = u16::from_be_bytes([header[6], header[7]]);
    let (more, offset) = (fragment & 0x2000 != 0, usize::from(fragment & 0x1fff) * 8);
    Some(Network {
        source: Ipv4Addr::new(header[12], header[13], header[14], header[15]).into(),
        destination: Ipv4Addr::new(header[16], header[17], header[18], header[19]).into(),
        protocol: Protocol(header[9]),
        dscp: header[1] >> 2,
        payload: &payload[..payload.len().min(length)],
        length,
        nic_octets: u32::try_from(total).ok()?.saturating_add(14),
        part: (more || offset > 0).then(|| Part {
            id: u16::from_be_bytes([header[4], header[5]]).into(),
            offset,
            more,
        }),
    })
}

fn ipv6(octets: &[u8], on_wire: usize) -> Option<Network<'_>> {
    let header: &[u8; 40] = octets.first_chunk()?;
    let told = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let total = if told == 0 { on_wire } else { told + 40 };
    let address = |place: usize| -> Option<IpAddr> {
        let octets: [u8; 16] = header.get(place..)?.first_chunk().copied()?;
        Some(Ipv6Addr::from(octets).into())
    };
    let (protocol, headers, part) = extensions(header[6], octets)?;
    let length = total.checked_sub(headers)?;
    let payload = octets.get(headers..).unwrap_or_default();
    Some(Network {
        source: address(8)?,
        destination: address(24)?,
        protocol,
        dscp: (header[0] & 15) << 2 | header[1] >> 6,
        payload: &payload[..payload.len().min(length)],
        length,
        nic_octets: u32::try_from(total).ok()?.saturating_add(14),
        part,
    })
}

/// The protocol behind IPv6's extension headers (RFC 8200 4), where it begins, and its place in a fragment.
fn extensions(first: u8, octets: &[u8]) -> Option<(Protocol, usize, Option<Part>)> {
    let (mut next, mut place) = (first, 40);
    for _ in 0..HEADERS_MAX {
        let header = || octets.get(place..).and_then(<[u8]>::first_chunk::<8>);
        match next {
            // Hop by hop, routing, destination options: in units of 8 octets, the first not counted.
            0 | 43 | 60 => {
                let header = header()?;
                next = header[0];
                place += (usize::from(header[1]) + 1) * 8;
            }
            44 => {
                let header = header()?;
                next = header[0];
                let offset = u16::from_be_bytes([header[2], header[3]]);
                let part = Some(Part {
                    id: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
                    offset: usize::from(offset & !7),
                    more: offset & 1 != 0,
                })
                // A "fragment" that is the whole packet (RFC 6946).
                .filter(|part| part.more || part.offset > 0);
                place += 8;
                // What follows may be the middle of a header.
                if part.is_some() {
                    return Some((Protocol(next), place, part));
                }
            }
            // Authentication: in units of 4 octets, the first two not counted.
            51 => {
                let header = header()?;
                next = header[0];
                place += (usize::from(header[1]) + 2) * 4;
            }
            protocol => return Some((Protocol(protocol), place, None)),
        }
    }
    None
}
