//! A checked view of an RTP packet: after [`RtpView::parse`] nothing about it can panic.

use thiserror::Error;

/// Why octets are not an RTP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtpError {
    /// Shorter than its own header.
    #[error("{actual} octets, at least {expected} expected")]
    Short {
        /// Octets needed.
        expected: usize,
        /// Octets there.
        actual: usize,
    },
    /// The version field is not 2.
    #[error("RTP version {0}, 2 expected")]
    Version(u8),
    /// The padding count exceeds the payload or is zero.
    #[error("padding of {0} octets does not fit the payload")]
    Padding(u8),
}

/// Octets of a packet that [`RtpView::parse_captured`] needs: the fixed header, and the first word of a header extension. What a
/// milliwatt sends has no contributing sources; with headers of the network before it, it is within one line of the cache.
pub const HEAD_OCTETS: usize = 12 + 4;

/// An RTP packet (RFC 3550 5.1), borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpView<'a> {
    octets: &'a [u8],
    /// Octets on the wire.
    length: usize,
    header: usize,
    padding: usize,
}

impl<'a> RtpView<'a> {
    /// Checks version, contributing sources, extension and padding against the octets there are.
    pub fn parse(octets: &'a [u8]) -> Result<Self, RtpError> {
        Self::parse_captured(octets, octets.len())
    }

    /// The same of a packet of which only the first octets were captured; `length` is what it had on the wire. At
    /// least the fixed header must be there; padding that was not captured counts as payload.
    #[inline]
    pub fn parse_captured(octets: &'a [u8], length: usize) -> Result<Self, RtpError> {
        let length = length.max(octets.len());
        let need = |expected: usize, actual: usize| {
            if actual < expected {
                Err(RtpError::Short { expected, actual })
            } else {
                Ok(expected)
            }
        };
        need(12, octets.len())?;
        if octets[0] >> 6 != 2 {
            return Err(RtpError::Version(octets[0] >> 6));
        }
        let mut header = need(12 + usize::from(octets[0] & 15) * 4, length)?;
        if octets[0] & 0x10 != 0 {
            let end = need(header + 4, octets.len())?;
            let words = u16::from_be_bytes([octets[end - 2], octets[end - 1]]);
            header = need(end + usize::from(words) * 4, length)?;
        }
        let padded = octets[0] & 0x20 != 0 && octets.len() == length;
        let padding = if padded { octets[length - 1] } else { 0 };
        if padded && (padding == 0 || header + usize::from(padding) > length) {
            return Err(RtpError::Padding(padding));
        }
        Ok(Self {
            octets,
            length,
            header,
            padding: usize::from(padding),
        })
    }

    /// Sequence number.
    #[must_use]
    pub fn seq(&self) -> u16 {
        u16::from_be_bytes([self.octets[2], self.octets[3]])
    }

    /// Timestamp.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        u32::from_be_bytes([
            self.octets[4],
            self.octets[5],
            self.octets[6],
            self.octets[7],
        ])
    }

    /// Synchronisation source.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        u32::from_be_bytes([
            self.octets[8],
            self.octets[9],
            self.octets[10],
            self.octets[11],
        ])
    }

    /// Payload type, 0 to 127.
    #[must_use]
    pub fn payload_type(&self) -> u8 {
        self.octets[1] & 0x7f
    }

    /// Marker bit.
    #[must_use]
    pub fn marker(&self) -> bool {
        self.octets[1] & 0x80 != 0
    }

    /// Payload without padding, as much of it as was captured.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        let end = self.octets.len().min(self.length - self.padding);
        self.octets.get(self.header..end).unwrap_or_default()
    }

    /// Octets of payload that it had on the wire.
    #[must_use]
    pub fn payload_octets(&self) -> usize {
        self.length - self.padding - self.header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;
    use webrtc_util::marshal::Unmarshal;

    #[test]
    fn extension_sources_and_padding_are_left_out_of_the_payload() {
        let mut octets = vec![0xb1, 0x88, 0, 9, 0, 0, 0, 160, 1, 2, 3, 4, 9, 9, 9, 9];
        octets.extend([0xbe, 0xde, 0, 1, 0x10, 7, 0, 0, 0xaa, 0xbb, 0, 2]);
        let view = RtpView::parse(&octets).unwrap();
        assert_eq!(
            (view.seq(), view.timestamp(), view.ssrc()),
            (9, 160, 0x0102_0304)
        );
        assert_eq!((view.payload_type(), view.marker()), (8, true));
        assert_eq!(view.payload(), [0xaa, 0xbb]);
    }

    #[test]
    fn a_packet_cut_short_by_its_capture_keeps_what_its_header_says() {
        let octets = [0xa0, 8, 0, 9, 0, 0, 0, 160, 1, 2, 3, 4, 0xaa, 0xbb];
        let view = RtpView::parse_captured(&octets, 172).unwrap();
        assert_eq!((view.seq(), view.payload()), (9, &[0xaa, 0xbb][..]));
        assert_eq!(view.payload_octets(), 160, "its padding was not captured");
        let sources = RtpView::parse_captured(&[0x8f; 12], 172).unwrap();
        assert_eq!(
            (sources.payload(), sources.payload_octets()),
            (&[][..], 100),
            "15 sources were not captured"
        );
        assert!(RtpView::parse_captured(&octets[..11], 172).is_err());
    }

    #[test]
    fn what_is_not_rtp_is_told_apart() {
        assert_eq!(
            RtpView::parse(&[0x80; 11]),
            Err(RtpError::Short {
                expected: 12,
                actual: 11
            })
        );
        assert_eq!(RtpView::parse(&[0; 20]), Err(RtpError::Version(0)));
        let mut padded = [0; 14];
        padded[0] = 0xa0;
        assert_eq!(RtpView::parse(&padded), Err(RtpError::Padding(0)));
        padded[13] = 3;
        assert_eq!(RtpView::parse(&padded), Err(RtpError::Padding(3)));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic_and_as_the_rtp_crate_reads_them(mut octets in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(first) = octets.first_mut() {
                *first = 0x80 | (*first & 0x2f); // version 2, no extension: the crate panics on broken ones
            }
            if let Ok(view) = RtpView::parse(&octets) {
                let packet = rtp::packet::Packet::unmarshal(&mut Bytes::copy_from_slice(&octets)).unwrap();
                prop_assert_eq!(view.seq(), packet.header.sequence_number);
                prop_assert_eq!(view.ssrc(), packet.header.ssrc);
                prop_assert_eq!(view.payload(), &packet.payload[..]);
            }
        }

        #[test]
        fn extensions_never_panic(octets in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(view) = RtpView::parse(&octets) {
                prop_assert!(view.payload().len() <= octets.len());
            }
        }
    }
}
