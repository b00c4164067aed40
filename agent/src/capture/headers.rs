//! IP and UDP headers as a packet of a socket has them. What a socket does not show, the time to live and
//! the identification above all, is filled in; checksums of payloads that are not there are left out.

use std::net::{IpAddr, SocketAddr};

const UDP: u8 = 17;
const UDP_OCTETS: u16 = 8;
const TIME_TO_LIVE: u8 = 64;
/// Don't fragment.
const FLAGS: [u8; 2] = [0x40, 0];

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The sender.
    pub source: SocketAddr,
    /// The receiver.
    pub destination: SocketAddr,
}

impl Route {
    /// The way back.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
        }
    }

    /// Puts the headers of a packet with so many octets of UDP payload into `out`, which is emptied
    /// before; gives the octets of the whole packet.
    pub fn headers(&self, dscp: u8, payload: u16, out: &mut Vec<u8>) -> u32 {
        out.clear();
        let udp = UDP_OCTETS.saturating_add(payload);
        match (self.source.ip(), self.destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let total = udp.saturating_add(20).to_be_bytes();
                out.extend([0x45, dscp << 2, total[0], total[1], 0, 0]);
                out.extend(FLAGS);
                out.extend([TIME_TO_LIVE, UDP, 0, 0]);
                out.extend(source.octets());
                out.extend(destination.octets());
                let sum = checksum(out).to_be_bytes();
                out[10..12].copy_from_slice(&sum);
            }
            (source, destination) => {
                let class = dscp << 2;
                out.extend([0x60 | class >> 4, class << 4, 0, 0]);
                out.extend(udp.to_be_bytes());
                out.extend([UDP, TIME_TO_LIVE]);
                out.extend(in_ipv6(source));
                out.extend(in_ipv6(destination));
            }
        }
        let ip = out.len();
        out.extend(self.source.port().to_be_bytes());
        out.extend(self.destination.port().to_be_bytes());
        out.extend(udp.to_be_bytes());
        out.extend([0, 0]);
        u32::try_from(ip).unwrap_or(0) + u32::from(udp)
    }
}

fn in_ipv6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// RFC 1071.
fn checksum(header: &[u8]) -> u16 {
    let words = header
        .chunks_exact(2)
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    !u16::try_from(folded).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_packet_of_g_711_is_200_octets_long_and_its_checksum_holds() {
        let route = Route {
            source: "10.99.0.1:16384".parse().unwrap(),
            destination: "10.99.0.2:16386".parse().unwrap(),
        };
        let mut out = Vec::new();
        assert_eq!(route.headers(46, 172, &mut out), 200);
        assert_eq!(out.len(), 28);
        assert_eq!(out[..4], [0x45, 46 << 2, 0, 200]);
        assert_eq!(checksum(&out[..20]), 0, "RFC 1071: the sum over all is 0");
        assert_eq!(out[20..], [0x40, 0, 0x40, 2, 0, 180, 0, 0]);
    }

    #[test]
    fn an_ipv6_packet_carries_its_class_across_two_octets() {
        let route = Route {
            source: "[fd00::1]:16384".parse().unwrap(),
            destination: "[fd00::2]:16386".parse().unwrap(),
        };
        let mut out = Vec::new();
        assert_eq!(route.reversed().headers(46, 172, &mut out), 220);
        // 46 << 2 is 0xb8, behind the version's 6.
        assert_eq!(out[..8], [0x6b, 0x80, 0, 0, 0, 180, 17, 64]);
        assert_eq!((out[23], out[39], out.len()), (2, 1, 48));
    }
}
