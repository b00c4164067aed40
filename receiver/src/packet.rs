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

/// An RTP packet (RFC 3550 5.1), borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpView<'a> {
    octets: &'a [u8],
    header: usize,
    padding: usize,
}

impl<'a> RtpView<'a> {
    /// Checks version, contributing sources, extension and padding against the octets there are.
    pub fn parse(octets: &'a [u8]) -> Result<Self, RtpError> {
        let need = |expected: usize| {
            if octets.len() < expected {
                Err(RtpError::Short {
                    expected,
                    actual: octets.len(),
                })
            } else {
                Ok(expected)
            }
        };
        need(12)?;
        if octets[0] >> 6 != 2 {
            return Err(RtpError::Version(octets[0] >> 6));
        }
        let mut header = need(12 + usize::from(octets[0] & 15) * 4)?;
        if octets[0] & 0x10 != 0 {
            let words = need(header + 4)
                .map(|end| u16::from_be_bytes([octets[end - 2], octets[end - 1]]))?;
            header = need(header + 4 + usize::from(words) * 4)?;
        }
        let padding = if octets[0] & 0x20 == 0 {
            0
        } else {
            octets[octets.len() - 1]
        };
        if octets[0] & 0x20 != 0 && (padding == 0 || header + usize::from(padding) > octets.len()) {
            return Err(RtpError::Padding(padding));
        }
        Ok(Self {
            octets,
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

    /// Payload without padding.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        &self.octets[self.header..self.octets.len() - self.padding]
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
