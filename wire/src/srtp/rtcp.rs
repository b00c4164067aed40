//! RTCP packets of one stream's sender (RFC 3711 3.4). They are few: what protects one is made for each.

use super::key::MasterKey;
use super::replay::ReplayWindow;
use super::session::Session;
use super::{RTCP_GROWTH, Refused, TAG_OCTETS};

/// The header and the sender's SSRC, which stay clear.
const CLEAR: usize = 8;
/// The encryption bit, before the index.
const ENCRYPTED: u32 = 1 << 31;

fn ssrc_of(packet: &[u8]) -> u32 {
    u32::from_be_bytes([packet[4], packet[5], packet[6], packet[7]])
}

/// Protects the reports of a stream's sender.
#[derive(Debug)]
pub struct RtcpProtector {
    master: MasterKey,
    /// Index of the next, 31 bits.
    next: u32,
}

impl RtcpProtector {
    /// Of the stream that has this master key; nothing was protected with it yet.
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        Self { master, next: 0 }
    }

    /// Encrypts a compound packet and appends index and tag. What is too short for one is left as it is.
    pub fn protect(&mut self, packet: &mut Vec<u8>) {
        if packet.len() < CLEAR {
            return;
        }
        let session = Session::of_rtcp(&self.master);
        let index = self.next;
        session.apply_key_stream(ssrc_of(packet), index.into(), &mut packet[CLEAR..]);
        packet.extend((ENCRYPTED | index).to_be_bytes());
        packet.extend(session.tag(packet, &[]));
        self.next = (index + 1) & !ENCRYPTED;
    }
}

/// Opens the reports of a stream's sender.
#[derive(Debug)]
pub struct RtcpOpener {
    master: MasterKey,
    replay: ReplayWindow,
}

impl RtcpOpener {
    /// Of the stream that has this master key.
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        Self {
            master,
            replay: ReplayWindow::default(),
        }
    }

    /// Checks the report in `octets` and decrypts it where it lies; one that came before is refused (3.3.2). What is
    /// refused is left as it came.
    pub fn open<'o>(&mut self, octets: &'o mut [u8]) -> Result<&'o mut [u8], Refused> {
        let length = octets.len().checked_sub(RTCP_GROWTH);
        let length = length
            .filter(|length| *length >= CLEAR)
            .ok_or(Refused::Short)?;
        let session = Session::of_rtcp(&self.master);
        let (covered, tag) = octets.split_at(octets.len() - TAG_OCTETS);
        if !session.is_authentic(covered, &[], tag) {
            return Err(Refused::Unauthentic);
        }
        let word = covered.last_chunk().copied().map_or(0, u32::from_be_bytes);
        let index = u64::from(word & !ENCRYPTED);
        if !self.replay.is_new(index) {
            return Err(Refused::Replayed);
        }
        self.replay.take(index);
        let packet = &mut octets[..length];
        if word & ENCRYPTED != 0 {
            session.apply_key_stream(ssrc_of(packet), index, &mut packet[CLEAR..]);
        }
        Ok(packet)
    }
}
