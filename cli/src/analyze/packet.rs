//! What is kept of an RTP packet of a capture.

use super::datagram::Datagram;
use milliwatt_receiver::packet::RtpView;

/// Comfort noise (RFC 3389).
const COMFORT_NOISE: u8 = 13;
/// Payload of a telephone-event (RFC 4733 2.3).
const TELEPHONE_EVENT_OCTETS: usize = 4;
/// The first dynamic payload type (RFC 3551).
pub const DYNAMIC: u8 = 96;

/// What a packet carries, as far as its timing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Media: its transit counts.
    Media,
    /// Comfort noise, which is sent when the sender likes.
    Noise,
    /// A telephone-event: all its packets have the timestamp of its start.
    Event,
}

/// One packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Sequence number.
    pub seq: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Captured, ns since 1970.
    pub at: i64,
    /// Payload type.
    pub payload_type: u8,
    /// Marker bit: the first of a talkspurt.
    pub marker: bool,
    /// What it carries.
    pub content: Content,
    /// What a NIC counts for it.
    pub nic_octets: u32,
    /// DSCP.
    pub dscp: u8,
}

impl Packet {
    /// Of a datagram captured at `at`, as far as it tells by itself.
    #[inline]
    #[must_use]
    pub fn of(rtp: &RtpView<'_>, datagram: &Datagram<'_>, at: i64) -> Self {
        let payload_type = rtp.payload_type();
        let looks_like_event =
            payload_type >= DYNAMIC && rtp.payload_octets() == TELEPHONE_EVENT_OCTETS;
        let content = match payload_type {
            COMFORT_NOISE => Content::Noise,
            _ if looks_like_event => Content::Event,
            _ => Content::Media,
        };
        Self {
            seq: rtp.seq(),
            timestamp: rtp.timestamp(),
            at,
            payload_type,
            marker: rtp.marker(),
            content,
            nic_octets: datagram.nic_octets,
            dscp: datagram.dscp,
        }
    }
}
