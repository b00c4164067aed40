//! One stream of a capture: RFC 3550 A.1 decides what belongs to it, packets that A.1 holds back are
//! counted once the source, or its restart, is confirmed.

use super::segment::Segment;
use milliwatt_receiver::packet::RtpView;
use milliwatt_scoring::sequence::SourceState;
use std::collections::BTreeSet;

/// Comfort noise (RFC 3389).
const COMFORT_NOISE: u8 = 13;
/// Payload of a telephone-event (RFC 4733 2.3): all packets of an event have its first timestamp.
const TELEPHONE_EVENT_OCTETS: usize = 4;
/// The first dynamic payload type (RFC 3551).
const DYNAMIC: u8 = 96;

/// What is kept of a packet.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Sequence number.
    pub seq: u16,
    /// RTP timestamp.
    pub timestamp: u32,
    /// Captured, ns since 1970.
    pub arrived: i64,
    /// Payload type.
    pub payload_type: u8,
    /// Its transit counts: it is neither comfort noise nor a telephone-event.
    pub timed: bool,
}

impl Packet {
    /// Of a packet captured at `arrived`.
    #[must_use]
    pub fn of(rtp: &RtpView<'_>, arrived: i64) -> Self {
        let payload_type = rtp.payload_type();
        let event = payload_type >= DYNAMIC && rtp.payload().len() == TELEPHONE_EVENT_OCTETS;
        let timed = payload_type != COMFORT_NOISE && !event;
        Self {
            seq: rtp.seq(),
            timestamp: rtp.timestamp(),
            arrived,
            payload_type,
            timed,
        }
    }
}

/// A stream, or what may become one.
pub struct Stream {
    state: SourceState,
    /// The last packet that A.1 did not count.
    held: Option<Packet>,
    /// Stretches between restarts.
    pub segments: Vec<Segment>,
    /// RTP clock, Hz.
    pub clock_rate: u32,
    /// Payload types of counted packets.
    pub payload_types: BTreeSet<u8>,
    /// Sequence number of the first counted packet.
    pub first_seq: Option<u16>,
}

impl Stream {
    /// A source seen for the first time with this sequence number and payload type.
    #[must_use]
    pub fn new(seq: u16, payload_type: u8) -> Self {
        Self {
            state: SourceState::unknown(seq),
            held: None,
            segments: Vec::new(),
            clock_rate: clock_rate(payload_type),
            payload_types: BTreeSet::new(),
            first_seq: None,
        }
    }

    /// A.1 found it valid.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !self.segments.is_empty()
    }

    /// Times its sender began again at another sequence number.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.state.restarts()
    }

    /// Takes the next packet in order of arrival.
    pub fn take(&mut self, packet: Packet) {
        let before = (self.state.received(), self.state.restarts());
        self.state.update(packet.seq);
        let confirmed =
            self.state.restarts() != before.1 || before.0 == 0 && self.state.received() > 0;
        if confirmed {
            self.segments.push(Segment::new(self.clock_rate));
            if let Some(held) = self.held.take() {
                self.count(held, -1);
            }
            self.count(packet, 0);
        } else if self.state.received() > before.0 {
            self.count(packet, self.index(packet.seq));
        } else {
            self.held = Some(packet);
        }
    }

    /// The index of a counted packet: 0 is the one that confirmed the stretch.
    fn index(&self, seq: u16) -> i64 {
        let highest = self.state.packets_expected().cast_signed() - 1;
        highest - i64::from(self.state.max_seq().wrapping_sub(seq))
    }

    fn count(&mut self, packet: Packet, index: i64) {
        self.payload_types.insert(packet.payload_type);
        self.first_seq.get_or_insert(packet.seq);
        if let Some(segment) = self.segments.last_mut() {
            segment.take(&packet, index);
        }
    }
}

/// RTP clock of a payload type by RFC 3551; 8000 Hz for dynamic ones, which a capture does not explain.
fn clock_rate(payload_type: u8) -> u32 {
    match payload_type {
        6 => 16_000,
        10 | 11 => 44_100,
        14 | 25..=34 => 90_000,
        16 => 11_025,
        17 => 22_050,
        _ => 8_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(packets: &[(u16, i64)]) -> Stream {
        let mut stream = Stream::new(packets[0].0, 0);
        for (seq, arrived_ms) in packets {
            let timestamp = u32::from(*seq) * 160;
            stream.take(Packet {
                seq: *seq,
                timestamp,
                arrived: arrived_ms * 1_000_000,
                payload_type: 0,
                timed: true,
            });
        }
        stream
    }

    /// Packets with these sequence numbers, 20 ms apart: (expected, received, duplicated, reordered).
    #[track_caller]
    fn counts(seqs: &[u16]) -> (u64, u64, u64, u64) {
        let packets: Vec<(u16, i64)> = seqs
            .iter()
            .zip((0..).step_by(20))
            .map(|(seq, ms)| (*seq, ms))
            .collect();
        let segments = stream(&packets).segments;
        segments.iter().fold((0, 0, 0, 0), |sum, segment| {
            let measured = &segment.measured;
            (
                sum.0 + segment.expected(),
                sum.1 + measured.received,
                sum.2 + measured.duplicated,
                sum.3 + measured.reordered,
            )
        })
    }

    #[test]
    fn a_clean_stream_of_n_packets_shows_n() {
        assert_eq!(counts(&[10, 11, 12, 13]), (4, 4, 0, 0));
        assert_eq!(
            counts(&[65534, 65535, 0, 1]),
            (4, 4, 0, 0),
            "across the wrap"
        );
    }

    #[test]
    fn losses_copies_and_reordered_packets_are_told_apart() {
        assert_eq!(counts(&[10, 11, 13, 14]), (5, 4, 0, 0), "12 is lost");
        assert_eq!(counts(&[10, 11, 12, 12, 13]), (4, 4, 1, 0));
        assert_eq!(counts(&[10, 11, 13, 12, 14]), (5, 5, 0, 1));
        assert_eq!(
            counts(&[10, 11, 13, 12, 12, 14]),
            (5, 5, 1, 1),
            "a copy of the reordered one"
        );
        assert_eq!(
            counts(&[10, 11, 9, 12]),
            (4, 4, 0, 1),
            "9 comes before the first that was seen"
        );
    }

    #[test]
    fn a_restart_counts_both_stretches_whole() {
        assert_eq!(counts(&[100, 101, 102, 40000, 40001, 40002]), (6, 6, 0, 0));
        assert_eq!(
            counts(&[100, 101, 4000, 102, 103]),
            (4, 4, 0, 0),
            "4000 was wild"
        );
    }

    #[test]
    fn one_packet_is_no_stream() {
        assert!(!stream(&[(7, 0)]).is_valid());
        assert!(
            !stream(&[(7, 0), (9, 20), (5, 40)]).is_valid(),
            "no two in a row"
        );
    }

    /// Transits against the first: 0, 2.5, -0.5, 15, 0.5 ms. IPDV 2.5, 3, 15.5, 14.5 ms; PDV above -0.5.
    #[test]
    fn ipdv_and_pdv_follow_rfc_5481() {
        let mut stream = Stream::new(0, 0);
        for (seq, arrived_us) in [
            (0_u16, 0_i64),
            (1, 22_500),
            (2, 39_500),
            (3, 75_000),
            (4, 80_500),
        ] {
            let timestamp = u32::from(seq) * 160;
            stream.take(Packet {
                seq,
                timestamp,
                arrived: arrived_us * 1000,
                payload_type: 0,
                timed: true,
            });
        }
        let measured = &stream.segments[0].measured;
        assert_eq!(
            measured.ipdv,
            [2_500_000, 3_000_000, 15_500_000, 14_500_000]
        );
        assert_eq!(
            measured.pdv(),
            [500_000, 3_000_000, 0, 15_500_000, 1_000_000]
        );
    }

    #[test]
    fn times_that_make_no_sense_saturate() {
        let mut stream = Stream::new(0, 0);
        for (seq, arrived) in [
            (0, i64::MIN),
            (1, i64::MAX),
            (2, i64::MIN),
            (3, 0),
            (4, i64::MAX),
        ] {
            let timestamp = u32::from(seq) * 0x7fff_ffff;
            stream.take(Packet {
                seq,
                timestamp,
                arrived,
                payload_type: 0,
                timed: true,
            });
        }
        let measured = &stream.segments[0].measured;
        assert_eq!((measured.received, measured.pdv().len()), (5, 5));
    }

    #[test]
    fn ipdv_needs_both_neighbours_whatever_their_order() {
        let lost = stream(&[(0, 0), (1, 20), (3, 60), (4, 81)]);
        assert_eq!(
            lost.segments[0].measured.ipdv,
            [0, 1_000_000],
            "none across the lost packet"
        );
        let swapped = stream(&[(0, 0), (1, 20), (3, 60), (2, 61)]);
        assert_eq!(
            swapped.segments[0].measured.ipdv,
            [0, 21_000_000, 21_000_000],
            "2 against 1 and 3"
        );
    }
}
