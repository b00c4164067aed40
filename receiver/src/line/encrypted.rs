//! Datagrams of encrypted streams: to which stream they belong, and what of them is to be read.

use super::{AHEAD_NS, LineReceiver, Taken};
use crate::opening::{Opened, StreamOpener, Workspace};
use crate::stream::{Placed, StreamReceiver};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::time::RunTime;

impl LineReceiver {
    /// What an RTP datagram holds: itself, or of an encrypted stream what it was before it was protected, in `space`. What
    /// is not to be read is counted, and belongs as it is said then.
    #[inline]
    pub fn open<'o>(
        &mut self,
        octets: &'o [u8],
        arrived: RunTime,
        space: &'o mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) -> Result<&'o [u8], Taken> {
        if self.keys.is_none() {
            return Ok(octets);
        }
        let (stream, opener) = self.encrypted(octets.get(8..12), arrived)?;
        let opened = opener.open(octets, arrived.second(), space, facts);
        to_be_read(opened, stream, arrived, facts)
    }

    /// The same where only the header is wanted: the payload of an encrypted stream stays as it came.
    #[inline]
    pub fn check<'o>(
        &mut self,
        octets: &'o [u8],
        arrived: RunTime,
        facts: &mut impl FnMut(Fact),
    ) -> Result<&'o [u8], Taken> {
        if self.keys.is_none() {
            return Ok(octets);
        }
        let (stream, opener) = self.encrypted(octets.get(8..12), arrived)?;
        let opened = opener.check(octets, arrived.second(), facts);
        to_be_read(opened, stream, arrived, facts)
    }

    /// What an RTCP datagram holds; none when it is not to be read.
    pub fn open_report<'o>(
        &mut self,
        octets: &'o [u8],
        arrived: RunTime,
        space: &'o mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) -> Option<&'o [u8]> {
        if self.keys.is_none() {
            return Some(octets);
        }
        let (_, opener) = self.encrypted(octets.get(4..8), arrived).ok()?;
        match opener.open_report(octets, arrived.second(), space, facts) {
            Opened::Packet(report) => Some(report),
            Opened::Replayed | Opened::Unauthentic => None,
        }
    }

    /// The encrypted stream that has this SSRC.
    #[inline]
    fn encrypted(
        &mut self,
        ssrc: Option<&[u8]>,
        arrived: RunTime,
    ) -> Result<(&mut StreamReceiver, &mut StreamOpener), Taken> {
        self.open_until(arrived + AHEAD_NS);
        let ssrc = ssrc.and_then(|octets| octets.try_into().ok());
        let ssrc = u32::from_be_bytes(ssrc.ok_or(Taken::Foreign)?);
        let mut open = self.open.iter_mut().rev();
        let stream = open.find(|stream| stream.receiver.plan().ssrc == ssrc);
        stream
            .and_then(|stream| Some((&mut stream.receiver, stream.opener.as_deref_mut()?)))
            .ok_or(Taken::Foreign)
    }
}

/// What was opened of a stream, when it is to be read; else what it is. A packet that came before is a copy.
#[inline]
fn to_be_read<'o>(
    opened: Opened<'o>,
    stream: &mut StreamReceiver,
    arrived: RunTime,
    facts: &mut impl FnMut(Fact),
) -> Result<&'o [u8], Taken> {
    match opened {
        Opened::Packet(packet) => Ok(packet),
        Opened::Replayed => {
            stream.take_copy(arrived, facts);
            Err(Taken::Stream {
                plan: *stream.plan(),
                placed: Placed::Duplicate,
            })
        }
        Opened::Unauthentic => Err(Taken::Unauthentic),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::Arrival;
    use crate::packet::RtpView;
    use crate::stream::StreamPlan;
    use milliwatt_wire::id::{CallId, Leg, Party, StreamId};
    use milliwatt_wire::srtp::RTP_GROWTH;
    use milliwatt_wire::srtp::key::MediaKeys;
    use milliwatt_wire::srtp::rtcp::RtcpProtector;
    use milliwatt_wire::srtp::rtp::RtpProtector;
    use std::sync::Arc;

    const FIRST_SEQ: u16 = 65_533;

    fn plan() -> StreamPlan {
        StreamPlan {
            stream: StreamId {
                call: CallId(3),
                party: Party::A,
                leg: Leg::Receive,
            },
            ssrc: 0x0102_0304,
            first_seq: FIRST_SEQ,
            first_timestamp: 0,
            due: RunTime(0),
            slots: 500,
            playout_buffer: 60_000_000,
        }
    }

    /// A stream at both of its ends.
    struct Bench {
        protector: RtpProtector,
        line: LineReceiver,
        space: Workspace,
        facts: Vec<Fact>,
    }

    impl Bench {
        fn new(sender: &MediaKeys, receiver: &MediaKeys) -> Self {
            Self {
                protector: RtpProtector::new(&sender.stream(plan().stream)),
                line: LineReceiver::new([plan()]).with_keys(Some(Arc::new(receiver.clone()))),
                space: Workspace::default(),
                facts: Vec::new(),
            }
        }

        /// Packet `slot`, of 160 times its number, as it leaves.
        fn packet(&self, slot: u8) -> Vec<u8> {
            let index = u64::from(FIRST_SEQ) + u64::from(slot);
            let seq = FIRST_SEQ.wrapping_add(slot.into());
            let mut octets = vec![0x80, 0];
            octets.extend(seq.to_be_bytes());
            octets.extend((u32::from(slot) * 160).to_be_bytes());
            octets.extend(plan().ssrc.to_be_bytes());
            octets.extend([slot; 160]);
            octets.extend([0; RTP_GROWTH]);
            self.protector.protect(&mut octets, index);
            octets
        }

        /// What becomes of a datagram, by both ways of opening it, which agree; its audio where it is new.
        fn arrive(&mut self, octets: &[u8], slot: u8) -> (Taken, Vec<u8>) {
            let arrived = RunTime(i64::from(slot) * 20_000_000);
            let facts = &mut |fact| self.facts.push(fact);
            let opened = self.line.open(octets, arrived, &mut self.space, facts);
            let packet = match opened {
                Ok(packet) => packet.to_vec(),
                Err(taken) => return (taken, Vec::new()),
            };
            let arrival = Arrival {
                arrived,
                drift: 0,
                dscp: None,
            };
            let view = RtpView::parse(&packet).unwrap();
            let taken = self.line.take(&view, arrival, facts);
            (taken, view.payload().to_vec())
        }

        fn close(mut self) -> Vec<Fact> {
            self.line.close(&mut |fact| self.facts.push(fact));
            self.facts
        }
    }

    fn is_new(taken: Taken) -> bool {
        matches!(taken, Taken::Stream { plan: of, placed: Placed::New(_) } if of == plan())
    }

    fn unauthentic(facts: &[Fact]) -> Vec<(u32, u32, u32)> {
        let told = facts.iter().filter_map(|fact| match fact {
            Fact::Unauthentic {
                stream,
                second,
                packets,
                reports,
            } => {
                assert_eq!(*stream, plan().stream);
                Some((*second, *packets, *reports))
            }
            _ => None,
        });
        told.collect()
    }

    /// Ten packets across the wrap of the sequence number, of which three come twice, out of order and out of the replay
    /// window's sight alike: each is heard once, with the audio that was sent.
    #[test]
    fn each_packet_is_heard_once_and_its_copies_are_copies() {
        let keys = MediaKeys::draw().unwrap();
        let mut bench = Bench::new(&keys, &keys);
        for slot in [1, 0, 2, 3, 5, 4, 6, 7, 8, 9] {
            let (taken, audio) = bench.arrive(&bench.packet(slot), slot);
            assert!(is_new(taken), "{slot}: {taken:?}");
            assert_eq!(audio, [slot; 160]);
        }
        for slot in [9, 0, 4] {
            let (taken, _) = bench.arrive(&bench.packet(slot), 9);
            assert!(
                matches!(
                    taken,
                    Taken::Stream {
                        placed: Placed::Duplicate,
                        ..
                    }
                ),
                "{slot}: {taken:?}"
            );
        }
        let facts = bench.close();
        let end = facts.iter().find_map(|fact| match fact {
            Fact::StreamEnd(end) => Some((end.received, end.duplicates, end.lost_inside)),
            _ => None,
        });
        assert_eq!(end, Some((10, 3, 0)));
        assert_eq!(unauthentic(&facts), []);
    }

    /// The other end has another key of this leg: 60 packets in the first second and a bit, none is heard, all are told.
    #[test]
    fn what_another_key_made_is_counted_by_the_second_and_heard_by_nobody() {
        let keys = MediaKeys::draw().unwrap();
        let mut bench = Bench::new(&keys.clone().altered(Leg::Receive), &keys);
        for slot in 0..60 {
            let (taken, _) = bench.arrive(&bench.packet(slot), slot);
            assert_eq!(taken, Taken::Unauthentic);
        }
        let facts = bench.close();
        assert_eq!(unauthentic(&facts), [(0, 50, 0), (1, 10, 0)]);
        let end = facts.iter().find_map(|fact| match fact {
            Fact::StreamEnd(end) => Some((end.received, end.first_index)),
            _ => None,
        });
        assert_eq!(end, Some((0, None)));
    }

    /// An SSRC that no stream has, and what is too short to have one, are nobody's.
    #[test]
    fn what_belongs_to_no_stream_is_foreign() {
        let keys = MediaKeys::draw().unwrap();
        let mut bench = Bench::new(&keys, &keys);
        let mut octets = bench.packet(0);
        octets[8] ^= 1;
        assert_eq!(bench.arrive(&octets, 0).0, Taken::Foreign);
        assert_eq!(bench.arrive(&octets[..11], 0).0, Taken::Foreign);
        assert_eq!(
            bench.arrive(&bench.packet(0)[..20], 0).0,
            Taken::Unauthentic
        );
        assert_eq!(unauthentic(&bench.close()), [(0, 1, 0)]);
    }

    /// A check leaves the payload as it came, and refuses and doubles what opening does.
    #[test]
    fn a_check_tells_the_same_and_decrypts_nothing() {
        let keys = MediaKeys::draw().unwrap();
        let mut bench = Bench::new(&keys, &keys);
        let octets = bench.packet(0);
        let mut broken = octets.clone();
        broken[100] ^= 1;
        let facts = &mut |fact| bench.facts.push(fact);
        let at = RunTime(0);
        assert_eq!(
            bench.line.check(&broken, at, facts),
            Err(Taken::Unauthentic)
        );
        assert_eq!(bench.line.check(&octets, at, facts), Ok(&octets[..172]));
        let copy = Taken::Stream {
            plan: plan(),
            placed: Placed::Duplicate,
        };
        assert_eq!(bench.line.check(&octets, at, facts), Err(copy));
        assert_eq!(unauthentic(&bench.close()), [(0, 1, 0)]);
    }

    #[test]
    fn reports_are_opened_and_refused_with_their_stream() {
        let keys = MediaKeys::draw().unwrap();
        let mut bench = Bench::new(&keys, &keys);
        let mut report = vec![0x80, 200, 0, 6];
        report.extend(plan().ssrc.to_be_bytes());
        report.extend([7; 20]);
        let mut protector = RtcpProtector::new(keys.stream(plan().stream));
        let mut octets = report.clone();
        protector.protect(&mut octets);
        let mut broken = octets.clone();
        broken[20] ^= 1;
        let facts = &mut |fact| bench.facts.push(fact);
        let mut open = |octets| {
            let (line, space) = (&mut bench.line, &mut bench.space);
            line.open_report(octets, RunTime(0), space, facts)
                .map(<[u8]>::to_vec)
        };
        assert_eq!(open(&broken), None);
        assert_eq!(open(&octets), Some(report));
        assert_eq!(open(&octets), None, "it came before");
        assert_eq!(unauthentic(&bench.close()), [(0, 0, 1)]);
    }
}
