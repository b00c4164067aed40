//! SRTP (RFC 3711) with its default transforms: AES in counter mode with keys of 128 bits, and HMAC-SHA1 with tags of
//! 80 bits (`AES_CM_128_HMAC_SHA1_80` of RFC 4568 6.2), for RTP and RTCP. Key derivation rate 0, no MKI, no re-keying:
//! a run is far below the 2^31 reports and 2^48 packets that one key may protect (9.2).
//!
//! * [`key`]: the secrets that the tester draws for a run, and each stream's master key.
//! * [`rtp`]: a stream's packets, protected and opened where they lie.
//! * [`rtcp`]: a stream's reports.
//! * [`replay`]: what came already.
//!
//! Packets are protected in the buffer that they are sent from: nothing is allocated a packet. The `webrtc-srtp` crate
//! is the other implementation in the tests. It is not what packets pass in a run: its contexts allocate and copy each
//! packet, cannot be told where a stream begins (one whose first packets are lost around a wrap of the sequence number
//! would never authenticate), and take reports whose encryption bit is off without looking at their tag.

mod derivation;
pub mod key;
pub mod replay;
pub mod rtcp;
pub mod rtp;
mod session;
#[cfg(test)]
mod tests;

/// Octets of an authentication tag (`n_tag` of RFC 3711 5.2: 80 bits).
pub const TAG_OCTETS: usize = 10;
/// Octets that an RTP packet grows by: the tag.
pub const RTP_GROWTH: usize = TAG_OCTETS;
/// Octets that an RTCP packet grows by: the encryption bit with the index, and the tag (3.4).
pub const RTCP_GROWTH: usize = 4 + TAG_OCTETS;

/// A packet that is not of its stream, or not as its sender made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Too short for its own header and a tag.
    #[error("too short for its header and a tag")]
    Short,
    /// The tag is not that of the packet under this stream's key.
    #[error("it does not authenticate")]
    Unauthentic,
    /// A report that came before, or is older than what is remembered.
    #[error("it came before, or is too old to tell")]
    Replayed,
}
