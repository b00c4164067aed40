//! A capture of the run's own packets, headers only: what a media thread hands over of each packet,
//! and what a capture file says of itself beside the packets ([`note`]).
//!
//! On the packet path a packet costs one push into a ring; nothing is allocated, formatted or
//! asked of the system there. A ring that is full loses the packet for the capture and counts it.

pub mod note;

use crate::id::{End, Leg};
use crate::socket::Datagram;
use crate::time::RunTime;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most octets kept of a UDP payload: a whole RTCP report of ours. Of RTP only the fixed header is
/// kept, never audio.
pub const CAPTURED_OCTETS: usize = 88;
/// Octets kept of an RTP packet: its fixed header (RFC 3550 5.1).
const RTP_HEADER_OCTETS: usize = 12;
/// Octets kept of an encrypted RTCP packet: header and sender, which alone are clear (RFC 3711 3.4).
const SRTCP_CLEAR_OCTETS: usize = 8;

/// Whether a packet was sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Handed to the system.
    Departure,
    /// Received from it.
    Arrival,
}

/// Which socket of a port pair it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The even port.
    Rtp,
    /// The odd port.
    Rtcp,
}

/// How a packet arrived, and how the receiver took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When, by the kernel's stamp: the time that the metrics are computed from.
    pub arrived: RunTime,
    /// When it was read.
    pub taken: RunTime,
    /// How far the clocks had moved apart by then, ns, as taken off the transit.
    pub drift: i64,
    /// No stream took it: it belongs to none, or its stream was over.
    pub foreign: bool,
}

/// What is captured of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedPacket {
    /// Its departure, or its arrival by the kernel.
    pub at: RunTime,
    /// When it was read; of a departure, `at`.
    pub taken: RunTime,
    /// See [`Taken::drift`].
    pub drift: i64,
    /// The thread's number of the port pair.
    pub port: u32,
    /// Octets of the whole UDP payload.
    pub length: u16,
    /// How many of `octets` are the payload's.
    pub kept: u8,
    /// The DSCP that it arrived with.
    pub dscp: Option<u8>,
    /// Sent or received.
    pub way: Way,
    /// RTP or RTCP.
    pub channel: Channel,
    /// See [`Taken::foreign`].
    pub foreign: bool,
    /// The first octets of the UDP payload.
    pub octets: [u8; CAPTURED_OCTETS],
}

impl CapturedPacket {
    /// The octets that were kept.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.octets[..usize::from(self.kept).min(CAPTURED_OCTETS)]
    }
}

/// Packets that an end could not capture, by [`Way`].
#[derive(Debug, Default)]
pub struct Missed([AtomicU64; 2]);

impl Missed {
    /// Counts packets.
    pub fn count(&self, way: Way, packets: u64) {
        self.0[way as usize].fetch_add(packets, Ordering::Relaxed);
    }

    /// Departures and arrivals so far.
    #[must_use]
    pub fn total(&self) -> [u64; 2] {
        [0, 1].map(|way: usize| self.0[way].load(Ordering::Relaxed))
    }
}

/// Where a media thread hands its packets over; off unless a capture was asked for.
#[derive(Debug, Default)]
pub struct Tap(Option<Open>);

/// A tap that is on.
#[derive(Debug)]
struct Open {
    ring: rtrb::Producer<CapturedPacket>,
    missed: Arc<Missed>,
    /// Octets kept of an RTCP packet.
    report_octets: usize,
}

impl Tap {
    /// A tap into `ring`; what finds it full is counted in `missed`.
    #[must_use]
    pub fn open(ring: rtrb::Producer<CapturedPacket>, missed: &Arc<Missed>) -> Self {
        Self(Some(Open {
            ring,
            missed: Arc::clone(missed),
            report_octets: CAPTURED_OCTETS,
        }))
    }

    /// The same of media that is encrypted or not: of an encrypted report only what is clear is kept.
    #[must_use]
    pub fn of_media(mut self, srtp: bool) -> Self {
        if let Some(open) = self.0.as_mut().filter(|_| srtp) {
            open.report_octets = SRTCP_CLEAR_OCTETS;
        }
        self
    }

    /// Packets are captured.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// A packet was handed to the system at `at`.
    #[inline]
    pub fn departure(&mut self, port: usize, channel: Channel, payload: &[u8], at: RunTime) {
        if let Some(open) = &mut self.0 {
            let how = Taken {
                arrived: at,
                taken: at,
                drift: 0,
                foreign: false,
            };
            let payload = (payload, payload.len(), None);
            open.push(Way::Departure, (port, channel), payload, how);
        }
    }

    /// A datagram was received and taken.
    #[inline]
    pub fn arrival(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, how: Taken) {
        if let Some(open) = &mut self.0 {
            let Datagram {
                octets,
                length,
                dscp,
                ..
            } = *datagram;
            let payload = (octets, length, dscp);
            open.push(Way::Arrival, (port, channel), payload, how);
        }
    }
}

impl Open {
    fn push(
        &mut self,
        way: Way,
        of: (usize, Channel),
        payload: (&[u8], usize, Option<u8>),
        how: Taken,
    ) {
        let most = match of.1 {
            Channel::Rtp => RTP_HEADER_OCTETS,
            Channel::Rtcp => self.report_octets,
        };
        let packet = captured(way, of, payload, (most, how));
        if self.ring.push(packet).is_err() {
            self.missed.count(way, 1);
        }
    }
}

fn captured(
    way: Way,
    (port, channel): (usize, Channel),
    (payload, length, dscp): (&[u8], usize, Option<u8>),
    (most, how): (usize, Taken),
) -> CapturedPacket {
    let kept = payload.len().min(most);
    let mut octets = [0; CAPTURED_OCTETS];
    octets[..kept].copy_from_slice(&payload[..kept]);
    CapturedPacket {
        at: how.arrived,
        taken: how.taken,
        drift: how.drift,
        port: u32::try_from(port).unwrap_or(u32::MAX),
        length: u16::try_from(length).unwrap_or(u16::MAX),
        kept: u8::try_from(kept).unwrap_or(0),
        dscp,
        way,
        channel,
        foreign: how.foreign,
        octets,
    }
}

/// The name of a capture's interface: one for what leaves and one for what arrives, of each leg.
#[must_use]
pub fn interface_name(end: End, way: Way) -> &'static str {
    match (end, way) {
        (End::Tester, Way::Departure) => "receive-leg-departures (tester)",
        (End::Guest, Way::Arrival) => "receive-leg-arrivals (guest)",
        (End::Guest, Way::Departure) => "sent-leg-departures (guest)",
        (End::Tester, Way::Arrival) => "sent-leg-arrivals (tester)",
    }
}

/// End, direction and leg of an interface by its name; none for another's.
#[must_use]
pub fn interface_named(name: &str) -> Option<(End, Way, Leg)> {
    let all = [
        (End::Tester, Way::Departure, Leg::Receive),
        (End::Guest, Way::Arrival, Leg::Receive),
        (End::Guest, Way::Departure, Leg::Sent),
        (End::Tester, Way::Arrival, Leg::Sent),
    ];
    all.into_iter()
        .find(|(end, way, _)| interface_name(*end, *way) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rtp_the_fixed_header_is_kept_and_of_rtcp_the_whole_report() {
        let (ring, mut out) = rtrb::RingBuffer::new(4);
        let missed = Arc::new(Missed::default());
        let mut tap = Tap::open(ring, &missed);
        tap.departure(3, Channel::Rtp, &[7; 172], RunTime(5));
        tap.departure(3, Channel::Rtcp, &[9; 80], RunTime(6));
        let rtp = out.pop().unwrap();
        assert_eq!((rtp.payload(), rtp.length), (&[7; 12][..], 172));
        assert!(rtp.octets[12..].iter().all(|octet| *octet == 0), "no audio");
        let rtcp = out.pop().unwrap();
        assert_eq!((rtcp.payload(), rtcp.length), (&[9; 80][..], 80));
        assert_eq!(missed.total(), [0, 0]);
    }

    #[test]
    fn of_encrypted_media_what_is_clear_is_kept() {
        let (ring, mut out) = rtrb::RingBuffer::new(4);
        let mut tap = Tap::open(ring, &Arc::default()).of_media(true);
        tap.departure(3, Channel::Rtp, &[7; 182], RunTime(5));
        tap.departure(3, Channel::Rtcp, &[9; 86], RunTime(6));
        let kept: Vec<_> = std::iter::from_fn(|| out.pop().ok())
            .map(|packet| (packet.kept, packet.length))
            .collect();
        assert_eq!(kept, [(12, 182), (8, 86)]);
    }

    #[test]
    fn what_finds_the_ring_full_is_counted_by_its_way() {
        let (ring, out) = rtrb::RingBuffer::new(1);
        let missed = Arc::new(Missed::default());
        let mut tap = Tap::open(ring, &missed);
        let octets = [0x80; 172];
        let datagram = Datagram {
            octets: &octets,
            source: None,
            arrived_wall_ns: None,
            dscp: Some(46),
            drops: None,
            length: octets.len(),
        };
        let how = Taken {
            arrived: RunTime(1),
            taken: RunTime(2),
            drift: 0,
            foreign: false,
        };
        tap.departure(0, Channel::Rtp, &octets, RunTime(0));
        tap.departure(0, Channel::Rtp, &octets, RunTime(1));
        tap.arrival(0, Channel::Rtp, &datagram, how);
        tap.arrival(0, Channel::Rtp, &datagram, how);
        assert_eq!(missed.total(), [1, 2]);
        drop(out);
        Tap::default().arrival(0, Channel::Rtp, &datagram, how);
        assert_eq!(missed.total(), [1, 2], "a tap that is off takes nothing");
    }

    #[test]
    fn an_interface_is_known_by_its_name() {
        for end in [End::Tester, End::Guest] {
            for way in [Way::Departure, Way::Arrival] {
                let leg = match way {
                    Way::Departure => end.sends(),
                    Way::Arrival => end.receives(),
                };
                assert_eq!(
                    interface_named(interface_name(end, way)),
                    Some((end, way, leg))
                );
            }
        }
        assert_eq!(interface_named("eth0"), None);
    }
}
