//! One sender's side of a stream: its sequence numbers, timestamps and ledger.

use crate::calls::{Call, StreamHeaders, stream_headers};
use crate::packet::PacketTemplate;
use milliwatt_wire::facts::{Fact, Ledger};
use milliwatt_wire::id::StreamId;
use milliwatt_wire::load::{LoadSpec, PTIME_NS, TICKS_PER_PACKET};
use milliwatt_wire::srtp::key::MasterKey;
use milliwatt_wire::srtp::rtp::RtpProtector;
use milliwatt_wire::time::RunTime;
use std::hint::black_box;

/// What became of a packet handed to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It left.
    Sent,
    /// The system refused it.
    Refused,
}

/// A stream being sent. Slots are counted from 0 at the stream's start; each is either
/// [`fill`](Self::fill)ed, [`protect`](Self::protect)ed and [`settle`](Self::settle)d, or [`skip`](Self::skip)ped, in
/// order.
#[derive(Debug)]
pub struct StreamSender {
    stream: StreamId,
    headers: StreamHeaders,
    due: RunTime,
    slots: u32,
    next_slot: u32,
    packet: PacketTemplate,
    /// Of an encrypted stream.
    protector: Option<Box<RtpProtector>>,
    ledger: Ledger,
    unsent_run: Option<(u32, u32)>,
}

impl StreamSender {
    /// A stream of `call` whose slot 0 is due at `due`.
    #[must_use]
    pub fn new(load: &LoadSpec, call: &Call, stream: StreamId, due: RunTime) -> Self {
        let headers = stream_headers(load.seed, stream);
        Self {
            stream,
            headers,
            due,
            slots: call.packets,
            next_slot: 0,
            packet: PacketTemplate::new(headers, load.codec.payload_type()),
            protector: None,
            ledger: Ledger {
                stream,
                sent: 0,
                not_sent: 0,
                refused: 0,
            },
            unsent_run: None,
        }
    }

    /// The same, encrypted with this key.
    #[must_use]
    pub fn with_key(mut self, key: &MasterKey) -> Self {
        self.protector = Some(Box::new(RtpProtector::new(key)));
        self
    }

    /// The fact that announces the stream.
    #[must_use]
    pub fn started(&self) -> Fact {
        Fact::StreamStarted {
            stream: self.stream,
            due: self.due,
            ssrc: self.headers.ssrc,
        }
    }

    /// Its identity.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// Its synchronisation source.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.headers.ssrc
    }

    /// When the next slot is due.
    #[must_use]
    pub fn next_due(&self) -> RunTime {
        self.due + i64::from(self.next_slot) * PTIME_NS
    }

    /// The next slot, or none when the stream is over.
    #[must_use]
    pub fn next_slot(&self) -> Option<u32> {
        (self.next_slot < self.slots).then_some(self.next_slot)
    }

    /// Packets sent so far.
    #[must_use]
    pub fn sent(&self) -> u32 {
        self.ledger.sent
    }

    /// RTP timestamp of the next slot.
    #[must_use]
    pub fn timestamp(&self) -> u32 {
        self.headers
            .first_timestamp
            .wrapping_add(self.next_slot.wrapping_mul(TICKS_PER_PACKET))
    }

    /// Touches what the next slot will need, so that it is in the processor's cache by then.
    #[inline]
    pub fn touch(&self) {
        black_box(self.next_slot);
        black_box(self.ledger.sent);
        self.packet.touch();
    }

    /// Prepares the packet of the next slot and gives its payload to fill.
    pub fn fill(&mut self) -> &mut [u8] {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "sequence numbers wrap at 16 bits"
        )]
        let seq = self.headers.first_seq.wrapping_add(self.ledger.sent as u16);
        self.packet
            .patch(seq, self.timestamp(), self.next_slot == 0);
        self.packet.payload_mut()
    }

    /// Encrypts the packet once its payload is there; a stream that has no key stays as it is. A packet that the system
    /// then refused leaves its sequence number, and so its part of the key stream, to the next: it was never seen.
    #[inline]
    pub fn protect(&mut self) {
        if let Some(protector) = &self.protector {
            let index = u64::from(self.headers.first_seq) + u64::from(self.ledger.sent);
            self.packet.protect(protector, index);
        }
    }

    /// The packet that [`fill`](Self::fill) prepared.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.packet.octets()
    }

    /// Counts what became of the filled packet and moves on. A refused packet never had a sequence
    /// number on the network, so it is not sent, and counted as such.
    pub fn settle(&mut self, handed: Handed, facts: &mut impl FnMut(Fact)) {
        match handed {
            Handed::Sent => {
                self.ledger.sent += 1;
                self.next_slot += 1;
                self.close_run(facts);
            }
            Handed::Refused => {
                self.ledger.refused += 1;
                self.skip();
            }
        }
    }

    /// Passes a slot that came too late to send: the timestamp moves on, the sequence number does not.
    pub fn skip(&mut self) {
        let run = self.unsent_run.get_or_insert((self.next_slot, 0));
        run.1 += 1;
        self.ledger.not_sent += 1;
        self.next_slot += 1;
    }

    /// Ends the stream: its last facts.
    pub fn finish(&mut self, facts: &mut impl FnMut(Fact)) {
        self.close_run(facts);
        facts(Fact::Ledger(self.ledger));
    }

    fn close_run(&mut self, facts: &mut impl FnMut(Fact)) {
        if let Some((first_slot, slots)) = self.unsent_run.take() {
            facts(Fact::NotSent {
                stream: self.stream,
                first_slot,
                slots,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::CallPlan;
    use milliwatt_wire::id::{Leg, Party};

    fn seq_and_timestamp(octets: &[u8]) -> (u16, u32) {
        (
            u16::from_be_bytes([octets[2], octets[3]]),
            u32::from_be_bytes([octets[4], octets[5], octets[6], octets[7]]),
        )
    }

    #[test]
    fn a_slot_not_sent_moves_the_timestamp_and_not_the_sequence_number() {
        let load = crate::test_load();
        let call = CallPlan::expand(&load).calls[0];
        let stream = StreamId {
            call: call.id,
            party: Party::A,
            leg: Leg::Receive,
        };
        let mut sender = StreamSender::new(&load, &call, stream, call.start);
        let mut facts = Vec::new();
        sender.fill();
        let (seq, timestamp) = seq_and_timestamp(sender.octets());
        sender.settle(Handed::Sent, &mut |f| facts.push(f));
        sender.skip();
        sender.skip();
        sender.fill();
        assert_eq!(
            seq_and_timestamp(sender.octets()),
            (seq.wrapping_add(1), timestamp.wrapping_add(480))
        );
        sender.settle(Handed::Sent, &mut |f| facts.push(f));
        sender.finish(&mut |f| facts.push(f));
        assert_eq!(
            facts,
            [
                Fact::NotSent {
                    stream,
                    first_slot: 1,
                    slots: 2
                },
                Fact::Ledger(Ledger {
                    stream,
                    sent: 2,
                    not_sent: 2,
                    refused: 0
                }),
            ]
        );
    }
}
