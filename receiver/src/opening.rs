//! What comes of a datagram of an encrypted stream before it is read: authenticated, decrypted, or counted as neither.

use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::StreamId;
use milliwatt_wire::socket::DATAGRAM_OCTETS;
use milliwatt_wire::srtp::key::MasterKey;
use milliwatt_wire::srtp::rtcp::RtcpOpener;
use milliwatt_wire::srtp::rtp::RtpOpener;
use milliwatt_wire::srtp::{Refused, TAG_OCTETS};

/// Memory that a datagram is decrypted in: one for a thread.
pub struct Workspace([u8; DATAGRAM_OCTETS]);

impl Default for Workspace {
    fn default() -> Self {
        Self([0; DATAGRAM_OCTETS])
    }
}

impl Workspace {
    /// A copy of a datagram, to be changed; what it is longer than any is cut off.
    #[inline]
    fn copy(&mut self, octets: &[u8]) -> &mut [u8] {
        let copy = &mut self.0[..octets.len().min(DATAGRAM_OCTETS)];
        copy.copy_from_slice(&octets[..copy.len()]);
        copy
    }
}

/// What a datagram of an encrypted stream turned out to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opened<'o> {
    /// A packet that is to be read.
    Packet(&'o [u8]),
    /// One that came before, or is older than what is remembered: it is not read (RFC 3711 3.3.2).
    Replayed,
    /// Not the stream's, or not as its sender made it; counted.
    Unauthentic,
}

/// Opens what comes of one encrypted stream, and counts what does not authenticate.
pub(crate) struct StreamOpener {
    rtp: RtpOpener,
    rtcp: RtcpOpener,
    refused: RefusedSecond,
}

impl StreamOpener {
    pub(crate) fn new(stream: StreamId, key: MasterKey, first_seq: u16) -> Self {
        Self {
            rtp: RtpOpener::new(&key, first_seq),
            rtcp: RtcpOpener::new(key),
            refused: RefusedSecond {
                stream,
                second: 0,
                packets: 0,
                reports: 0,
            },
        }
    }

    /// An RTP datagram, decrypted in `space`.
    #[inline]
    pub(crate) fn open<'s>(
        &mut self,
        octets: &[u8],
        second: u32,
        space: &'s mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) -> Opened<'s> {
        match self.rtp.open(space.copy(octets)) {
            Ok(opened) if opened.replayed => Opened::Replayed,
            Ok(opened) => Opened::Packet(opened.packet),
            Err(_) => self.refuse_packet(second, facts),
        }
    }

    /// An RTP datagram without its tag, its payload as it came.
    #[inline]
    pub(crate) fn check<'o>(
        &mut self,
        octets: &'o [u8],
        second: u32,
        facts: &mut impl FnMut(Fact),
    ) -> Opened<'o> {
        match self.rtp.check(octets) {
            Ok((_, true)) => Opened::Replayed,
            Ok((_, false)) => Opened::Packet(&octets[..octets.len() - TAG_OCTETS]),
            Err(_) => self.refuse_packet(second, facts),
        }
    }

    #[cold]
    fn refuse_packet<'o>(&mut self, second: u32, facts: &mut impl FnMut(Fact)) -> Opened<'o> {
        self.refused.turn(second, facts);
        self.refused.packets += 1;
        Opened::Unauthentic
    }

    /// A report, decrypted in `space`.
    pub(crate) fn open_report<'s>(
        &mut self,
        octets: &[u8],
        second: u32,
        space: &'s mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) -> Opened<'s> {
        match self.rtcp.open(space.copy(octets)) {
            Ok(report) => Opened::Packet(report),
            Err(Refused::Replayed) => Opened::Replayed,
            Err(Refused::Short | Refused::Unauthentic) => {
                self.refused.turn(second, facts);
                self.refused.reports += 1;
                Opened::Unauthentic
            }
        }
    }

    /// The last word on what was refused.
    pub(crate) fn close(&mut self, facts: &mut impl FnMut(Fact)) {
        self.refused.turn(u32::MAX, facts);
    }
}

/// What was refused of a stream in one second.
struct RefusedSecond {
    stream: StreamId,
    second: u32,
    packets: u32,
    reports: u32,
}

impl RefusedSecond {
    /// Tells of the second under way when it is another, if it saw anything.
    fn turn(&mut self, second: u32, facts: &mut impl FnMut(Fact)) {
        if second == self.second {
            return;
        }
        if self.packets + self.reports > 0 {
            facts(Fact::Unauthentic {
                stream: self.stream,
                second: self.second,
                packets: self.packets,
                reports: self.reports,
            });
        }
        (self.second, self.packets, self.reports) = (second, 0, 0);
    }
}
