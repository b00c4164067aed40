//! The buffer between arrival and a 20 ms clock: packets go in as they come, each tick takes the
//! one whose time it is.

use milliwatt_wire::load::{PTIME_NS, SAMPLES_PER_PACKET};
use milliwatt_wire::time::RunTime;

/// Slots held: 1.28 s, far beyond any sensible depth.
const SLOTS: usize = 64;
/// A tick may come this much before the nominal depth is full: the grid's own granularity.
const TOLERANCE_NS: i64 = 1_000_000;

/// Memory for packets' audio that the buffers of many streams share: few packets of each wait at a time, and many
/// only after a stall.
#[derive(Debug)]
pub struct AudioPool {
    audio: Vec<[u8; SAMPLES_PER_PACKET]>,
    free: Vec<u32>,
}

impl AudioPool {
    /// Room for so many packets; it grows when more wait.
    #[must_use]
    pub fn new(packets: usize) -> Self {
        Self {
            audio: vec![[0; SAMPLES_PER_PACKET]; packets],
            free: (0..u32::try_from(packets).unwrap_or(0)).collect(),
        }
    }

    /// Stores audio; gives its place.
    fn put(&mut self, payload: &[u8]) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| self.grow());
        let octets = payload.len().min(SAMPLES_PER_PACKET);
        self.audio[place as usize][..octets].copy_from_slice(&payload[..octets]);
        place
    }

    /// One place more. Room is made for an eighth more at a time, not for twice as much: it stays, and few packets more
    /// than usual wait where a machine is busy.
    #[cold]
    fn grow(&mut self) -> u32 {
        if self.audio.len() == self.audio.capacity() {
            self.audio.reserve_exact(self.audio.len() / 8 + 1);
        }
        self.audio.push([0; SAMPLES_PER_PACKET]);
        u32::try_from(self.audio.len() - 1).unwrap_or(0)
    }

    /// The audio at a place, which is free from now on: it stays as it is until the next is stored.
    fn take(&mut self, place: u32) -> &[u8; SAMPLES_PER_PACKET] {
        self.free.push(place);
        &self.audio[place as usize]
    }
}

/// Audio of one stream waiting to be played; the audio itself lies in an [`AudioPool`].
#[derive(Debug)]
pub struct PlayoutBuffer {
    depth: i64,
    /// By slot: which one, and where its audio is.
    slots: [(u32, u32); SLOTS],
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
            slots: [(EMPTY, 0); SLOTS],
            played: None,
        }
    }

    /// Empties it for the next stream.
    pub fn clear(&mut self, pool: &mut AudioPool) {
        self.played = None;
        for (slot, place) in &mut self.slots {
            if std::mem::replace(slot, EMPTY) != EMPTY {
                pool.take(*place);
            }
        }
    }

    /// Stores a packet's audio. False when its turn has passed: too late to be heard.
    pub fn insert(&mut self, slot: u32, payload: &[u8], pool: &mut AudioPool) -> bool {
        if self.played.is_some_and(|played| slot <= played) {
            return false;
        }
        let held = &mut self.slots[slot as usize % SLOTS];
        if held.0 != EMPTY {
            pool.take(held.1);
        }
        *held = (slot, pool.put(payload));
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
    pub fn take<'p>(
        &mut self,
        slot: u32,
        pool: &'p mut AudioPool,
    ) -> Option<&'p [u8; SAMPLES_PER_PACKET]> {
        self.played = Some(self.played.map_or(slot, |played| played.max(slot)));
        let held = &mut self.slots[slot as usize % SLOTS];
        if held.0 != slot {
            return None;
        }
        held.0 = EMPTY;
        Some(pool.take(held.1))
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
        let (mut buffer, mut pool) = (PlayoutBuffer::new(60 * MS), AudioPool::new(4));
        assert!(buffer.insert(5, &[7; 160], &mut pool));
        assert_eq!(buffer.take(4, &mut pool), None);
        assert_eq!(buffer.take(5, &mut pool), Some(&[7; 160]));
        assert!(!buffer.insert(4, &[1; 160], &mut pool));
        assert!(!buffer.insert(5, &[1; 160], &mut pool));
        assert!(buffer.insert(6, &[1; 160], &mut pool));
    }

    #[test]
    fn a_slot_is_played_once() {
        let (mut buffer, mut pool) = (PlayoutBuffer::new(60 * MS), AudioPool::new(4));
        buffer.insert(1, &[9; 160], &mut pool);
        assert!(buffer.take(1, &mut pool).is_some());
        assert!(buffer.take(1, &mut pool).is_none());
    }

    /// Two streams share room for two packets. Ten of each wait, with a copy and one whose place a later slot takes;
    /// after they were played, or cleared, all room is free, and none of it twice.
    #[test]
    fn shared_room_grows_and_is_given_back_whole() {
        let mut pool = AudioPool::new(2);
        let mut buffers = [PlayoutBuffer::new(60 * MS), PlayoutBuffer::new(60 * MS)];
        for slot in [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 64] {
            for (code, buffer) in (0..).zip(&mut buffers) {
                assert!(buffer.insert(slot, &[code; 160], &mut pool));
            }
        }
        assert_eq!(buffers[1].take(8, &mut pool), Some(&[1; 160]));
        assert_eq!(buffers[0].take(64, &mut pool), Some(&[0; 160]));
        assert_eq!(
            buffers[0].take(0, &mut pool),
            None,
            "slot 64 took its place"
        );
        for buffer in &mut buffers {
            buffer.clear(&mut pool);
        }
        pool.free.sort_unstable();
        assert_eq!(
            pool.free,
            (0..18).collect::<Vec<u32>>(),
            "9 slots of each stream waited"
        );
        assert_eq!(pool.audio.len(), 18);
    }
}
