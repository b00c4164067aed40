//! RTP packets of one stream, protected and opened where they lie (RFC 3711 3.1, 3.3).

use super::key::MasterKey;
use super::replay::ReplayWindow;
use super::session::Session;
use super::{Refused, TAG_OCTETS};
use std::fmt;

/// Octets of the fixed RTP header.
const FIXED_HEADER: usize = 12;
/// A packet up to so many below the highest is taken for one that comes late, any other for one that comes early. RFC
/// 3711 3.3.1 gives both the same share of the 65,536 sequence numbers; but what is older than the replay window is of no
/// use, and an outage may be long: 20 minutes at 50 packets a second.
const LATE_MAX: u16 = 4096;

/// Octets of a packet's header, contributing sources and extension included; none when it is shorter than that.
fn header_octets(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let sources = FIXED_HEADER + usize::from(first & 15) * 4;
    let header = if first & 0x10 == 0 {
        sources
    } else {
        let words = packet.get(sources + 2..sources + 4)?;
        sources + 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4
    };
    (header <= packet.len()).then_some(header)
}

fn seq_of(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

fn ssrc_of(packet: &[u8]) -> u32 {
    u32::from_be_bytes([packet[8], packet[9], packet[10], packet[11]])
}

/// The rollover counter of an index: how often the sequence number had passed 65,535.
fn rollover(index: u64) -> [u8; 4] {
    u32::try_from(index >> 16 & 0xffff_ffff)
        .unwrap_or(0)
        .to_be_bytes()
}

/// Protects the packets of a stream.
pub struct RtpProtector {
    session: Session,
}

impl RtpProtector {
    /// Of the stream that has this master key.
    #[must_use]
    pub fn new(master: &MasterKey) -> Self {
        Self {
            session: Session::of_rtp(master),
        }
    }

    /// Encrypts the payload of the packet in `octets` and puts its tag into their last [`TAG_OCTETS`], which are no part of
    /// it. `index` is the packet's (3.3.1): its sequence number plus 65,536 for each time that this had wrapped since the
    /// stream's first packet. What is too short for an RTP packet and a tag is left as it is.
    #[inline]
    pub fn protect(&self, octets: &mut [u8], index: u64) {
        let Some(length) = octets.len().checked_sub(TAG_OCTETS) else {
            return;
        };
        let (packet, tag) = octets.split_at_mut(length);
        let Some(header) = header_octets(packet) else {
            return;
        };
        let ssrc = ssrc_of(packet);
        self.session
            .apply_key_stream(ssrc, index, &mut packet[header..]);
        tag.copy_from_slice(&self.session.tag(packet, &rollover(index)));
    }
}

impl fmt::Debug for RtpProtector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RtpProtector(hidden)")
    }
}

/// An authentic packet.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened<'o> {
    /// The packet as it was before it was protected.
    pub packet: &'o mut [u8],
    /// It came before, or is older than the replay window: 3.3.2 has it discarded.
    pub replayed: bool,
}

/// Opens the packets of a stream.
pub struct RtpOpener {
    session: Session,
    /// The highest index of an authentic packet; before the first, that of the stream's first.
    highest: u64,
    replay: ReplayWindow,
}

impl RtpOpener {
    /// Of the stream that has this master key and begins with this sequence number.
    #[must_use]
    pub fn new(master: &MasterKey, first_seq: u16) -> Self {
        Self {
            session: Session::of_rtp(master),
            highest: first_seq.into(),
            replay: ReplayWindow::default(),
        }
    }

    /// Checks the packet in `octets` and decrypts its payload where it lies. What is refused is left as it came, and
    /// changes nothing here.
    #[inline]
    pub fn open<'o>(&mut self, octets: &'o mut [u8]) -> Result<Opened<'o>, Refused> {
        let (index, replayed) = self.check(octets)?;
        let length = octets.len() - TAG_OCTETS;
        let packet = &mut octets[..length];
        if let Some(header) = header_octets(packet) {
            let ssrc = ssrc_of(packet);
            self.session
                .apply_key_stream(ssrc, index, &mut packet[header..]);
        }
        Ok(Opened { packet, replayed })
    }

    /// Checks the packet in `octets` and leaves its payload encrypted: for who needs its header only. Gives its index, and
    /// whether it is [replayed](Opened::replayed).
    #[inline]
    pub fn check(&mut self, octets: &[u8]) -> Result<(u64, bool), Refused> {
        let length = octets.len().checked_sub(TAG_OCTETS);
        let (packet, tag) = octets.split_at(length.ok_or(Refused::Short)?);
        header_octets(packet).ok_or(Refused::Short)?;
        let index = self.index_of(seq_of(packet));
        if !self.session.is_authentic(packet, &rollover(index), tag) {
            return Err(Refused::Unauthentic);
        }
        let replayed = !self.replay.is_new(index);
        self.replay.take(index);
        self.highest = self.highest.max(index);
        Ok((index, replayed))
    }

    /// The index that a packet with this sequence number most likely has.
    fn index_of(&self, seq: u16) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "its low 16 bits are the sequence number"
        )]
        let ahead = seq.wrapping_sub(self.highest as u16);
        let behind = u64::from(ahead.wrapping_neg());
        if behind != 0 && behind <= u64::from(LATE_MAX) && behind <= self.highest {
            self.highest - behind
        } else {
            self.highest + u64::from(ahead)
        }
    }
}

impl fmt::Debug for RtpOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RtpOpener(hidden)")
    }
}
