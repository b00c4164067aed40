//! Packets of a short while by their streams. Hundreds of streams take turns in a capture; measured in that order, the
//! figures of each would be fetched from memory again for every packet.

use super::packet::Packet;
use milliwatt_wire::time::NS_PER_SECOND;

/// Packets of a round: so many that a stream has several among hundreds, so few that they stay in the cache.
const PACKETS_MAX: usize = 4096;
/// A round lasts no longer, ns, so that what is counted by the second is counted before its second is summed up.
const LENGTH_NS: i64 = NS_PER_SECOND;
const NONE: u32 = u32::MAX;

/// The packets of one round: those of a stream in the order they were captured.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Each with the place of the next of its stream.
    packets: Vec<(Packet, u32)>,
    /// Places of each stream's first and last packet.
    chains: Vec<(u32, u32)>,
    /// Streams in the order of their first packets.
    streams: Vec<usize>,
}

impl Round {
    /// Can a packet captured at `at` still be in it?
    #[inline]
    pub(super) fn has_room(&self, at: i64) -> bool {
        let is_near = |first: &(Packet, u32)| at.abs_diff(first.0.at) < LENGTH_NS.unsigned_abs();
        self.packets.len() < PACKETS_MAX && self.packets.first().is_none_or(is_near)
    }

    /// Puts a packet of the stream numbered `stream` into it.
    #[inline]
    pub(super) fn put(&mut self, stream: usize, packet: Packet) {
        let place = u32::try_from(self.packets.len()).unwrap_or(NONE);
        self.packets.push((packet, NONE));
        if stream >= self.chains.len() {
            self.chains.resize(stream + 1, (NONE, NONE));
        }
        let (first, last) = &mut self.chains[stream];
        if let Some((_, next)) = self.packets.get_mut(*last as usize) {
            *next = place;
        } else {
            *first = place;
            self.streams.push(stream);
        }
        *last = place;
    }

    /// Empties it, stream by stream.
    pub(super) fn empty(&mut self, mut take: impl FnMut(usize, &Packet)) {
        for stream in self.streams.drain(..) {
            let (mut place, _) = std::mem::replace(&mut self.chains[stream], (NONE, NONE));
            while let Some((packet, next)) = self.packets.get(place as usize) {
                take(stream, packet);
                place = *next;
            }
        }
        self.packets.clear();
    }
}
