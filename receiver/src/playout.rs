//! The buffer between arrival and a 20 ms clock: packets go in as they come, each tick takes the
//! one whose time it is.

use milliwatt_wire::load::{PTIME_NS, SAMPLES_PER_PACKET};
use milliwatt_wire::time::RunTime;

/// Slots held: 1.28 s, far beyond any sensible depth.
const SLOTS: usize = 64;
/// A tick may come this much before the nominal depth is full: the grid's own granularity.
const TOLERANCE_NS: i64 = 1_000_000;

/// Audio of one stream waiting to be played.
#[derive(Debug)]
pub struct PlayoutBuffer {
    depth: i64,
    slots: Box<[(u32, [u8; SAMPLES_PER_PACKET]); SLOTS]>,
    /// The slot whose turn came last.
    played: Option<u32>,
}

/// A slot number no stream reaches: an empty place.
const EMPTY: u32 = u32::MAX;

impl PlayoutBuffer {
    /// An empty buffer of a nominal depth in ns.
    #[must_use]
    pub fn new(depth: i64) -> Self {
        Self {
            depth,
            slots: Box::new([(EMPTY, [0; SAMPLES_PER_PACKET]); SLOTS]),
            played: None,
        }
    }

    /// Empties it for the next stream.
    pub fn clear(&mut self) {
        self.played = None;
        for slot in self.slots.iter_mut() {
            slot.0 = EMPTY;
        }
    }

    /// Stores a packet's audio. False when its turn has passed: too late to be heard.
    pub fn insert(&mut self, slot: u32, payload: &[u8]) -> bool {
        if self.played.is_some_and(|played| slot <= played) {
            return false;
        }
        let place = &mut self.slots[slot as usize % SLOTS];
        let octets = payload.len().min(SAMPLES_PER_PACKET);
        place.0 = slot;
        place.1[..octets].copy_from_slice(&payload[..octets]);
        true
    }

    /// The slot whose turn is at a tick due at `due`, for a stream whose slot 0 was due at `start`
    /// and whose fastest packets take `reference` ns; none before its first.
    #[must_use]
    pub fn slot_at(&self, due: RunTime, start: RunTime, reference: i64) -> Option<u32> {
        let played_until = due - start - reference - self.depth + TOLERANCE_NS;
        u32::try_from(played_until.div_euclid(PTIME_NS)).ok()
    }

    /// Takes the audio of `slot`, none when it is not there. From now on it, and all before it, is
    /// past.
    pub fn take(&mut self, slot: u32) -> Option<&[u8; SAMPLES_PER_PACKET]> {
        self.played = Some(self.played.map_or(slot, |played| played.max(slot)));
        let place = &mut self.slots[slot as usize % SLOTS];
        if place.0 != slot {
            return None;
        }
        place.0 = EMPTY;
        Some(&place.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn a_packet_is_played_its_depth_after_it_arrived() {
        let buffer = PlayoutBuffer::new(60 * MS);
        // Slot 0 due at 0.5 ms, 0.2 ms on the way; ticks at 1.5 ms and every 20 ms.
        let at = |tick: i64| {
            buffer.slot_at(
                RunTime(tick * 20 * MS + 3 * MS / 2),
                RunTime(MS / 2),
                MS / 5,
            )
        };
        assert_eq!([at(0), at(2), at(3), at(4)], [None, None, Some(0), Some(1)]);
    }

    #[test]
    fn what_comes_after_its_turn_is_refused() {
        let mut buffer = PlayoutBuffer::new(60 * MS);
        assert!(buffer.insert(5, &[7; 160]));
        assert_eq!(buffer.take(4), None);
        assert_eq!(buffer.take(5), Some(&[7; 160]));
        assert!(!buffer.insert(4, &[1; 160]));
        assert!(!buffer.insert(5, &[1; 160]));
        assert!(buffer.insert(6, &[1; 160]));
    }

    #[test]
    fn a_slot_is_played_once() {
        let mut buffer = PlayoutBuffer::new(60 * MS);
        buffer.insert(1, &[9; 160]);
        assert!(buffer.take(1).is_some());
        assert!(buffer.take(1).is_none());
    }
}
