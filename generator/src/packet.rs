//! A G.711 RTP packet, built once by the `rtp` crate and patched in place: nothing is allocated
//! or formatted when it is sent.

use crate::calls::StreamHeaders;
use milliwatt_wire::load::SAMPLES_PER_PACKET;
use milliwatt_wire::srtp::RTP_GROWTH;
use milliwatt_wire::srtp::rtp::RtpProtector;
use rtp::header::Header;
use std::hint::black_box;
use webrtc_util::marshal::Marshal;
use webrtc_util::marshal::MarshalSize;

/// Octets of an RTP header without contributing sources or extension.
pub const RTP_HEADER_OCTETS: usize = 12;
/// Octets of a G.711 packet of 20 ms.
pub const PACKET_OCTETS: usize = RTP_HEADER_OCTETS + SAMPLES_PER_PACKET;
/// What a NIC counts beside the UDP payload on IPv4: 8 UDP, 20 IP, 14 Ethernet.
pub const IPV4_OVERHEAD_OCTETS: u64 = 42;
/// The same on IPv6.
pub const IPV6_OVERHEAD_OCTETS: u64 = 62;

/// What a processor fetches of memory at a time.
const CACHE_LINE_OCTETS: usize = 64;

/// A packet to send, in place.
#[derive(Clone, Debug)]
pub struct PacketTemplate {
    /// With room for a tag.
    octets: [u8; PACKET_OCTETS + RTP_GROWTH],
    /// How many of them are sent.
    length: usize,
}

impl PacketTemplate {
    /// Builds the headers of a stream.
    #[must_use]
    pub fn new(headers: StreamHeaders, payload_type: u8) -> Self {
        let header = Header {
            version: 2,
            payload_type,
            ssrc: headers.ssrc,
            ..Header::default()
        };
        let mut octets = [0; PACKET_OCTETS + RTP_GROWTH];
        let built = header.marshal_to(&mut octets[..RTP_HEADER_OCTETS]);
        debug_assert!(
            matches!(built, Ok(RTP_HEADER_OCTETS)) && header.marshal_size() == RTP_HEADER_OCTETS
        );
        Self {
            octets,
            length: PACKET_OCTETS,
        }
    }

    /// Sets sequence number, timestamp and marker; the octets are then ready but for the payload.
    pub fn patch(&mut self, seq: u16, timestamp: u32, marker: bool) {
        self.octets[1] = (self.octets[1] & 0x7f) | (u8::from(marker) << 7);
        self.octets[2..4].copy_from_slice(&seq.to_be_bytes());
        self.octets[4..8].copy_from_slice(&timestamp.to_be_bytes());
    }

    /// The payload, 160 octets.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        &mut self.octets[RTP_HEADER_OCTETS..PACKET_OCTETS]
    }

    /// Encrypts the payload and adds the tag: the last thing before the packet is sent. `index` is RFC 3711's, of which the
    /// sequence number is the low 16 bits.
    pub fn protect(&mut self, protector: &RtpProtector, index: u64) {
        protector.protect(&mut self.octets, index);
        self.length = self.octets.len();
    }

    /// Touches it, so that it is in the processor's cache when it is patched and sent.
    #[inline]
    pub fn touch(&self) {
        for octet in self.octets.iter().step_by(CACHE_LINE_OCTETS) {
            black_box(*octet);
        }
    }

    /// The whole packet.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patched_packet_has_the_octets_of_rfc_3550_5_1() {
        let headers = StreamHeaders {
            ssrc: 0xaabb_ccdd,
            first_seq: 0,
            first_timestamp: 0,
        };
        let mut packet = PacketTemplate::new(headers, 8);
        packet.patch(0x1234, 0x0102_0304, true);
        packet.payload_mut().fill(0xd5);
        assert_eq!(
            packet.octets()[..12],
            [0x80, 0x88, 0x12, 0x34, 1, 2, 3, 4, 0xaa, 0xbb, 0xcc, 0xdd]
        );
        packet.patch(0x1235, 0x0102_0304, false);
        assert_eq!(packet.octets()[1], 0x08);
        assert_eq!(packet.octets().len(), 172);
    }
}
