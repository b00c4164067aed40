//! The buffer between arrival and a 20 ms clock: packets go in as they come, each tick takes the
//! one whose time it is.

use milliwatt_wire::load::{PTIME_NS, SAMPLES_PER_PACKET};
use milliwatt_wire::time::RunTime;

const SLOTS: usize = PlayoutBuffer::SLOTS as usize;
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
    /// By slot: of which round through these places the one held here is, and where its audio lies. There is one of these a
    /// stream: a round takes half of the octets of a slot's number.
    rounds: [u16; SLOTS],
    places: [u32; SLOTS],
    /// The slot whose turn came last.
    played: Option<u32>,
}

/// What became of a packet that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits for its turn.
    Waits,
    /// The same, and what waited of this slot does not any more: so much came before its turn that there is no room for it.
    InPlaceOf(u32),
    /// Its turn has passed: too late to be heard.
    Past,
}

/// No round: an empty place.
const EMPTY: u16 = u16::MAX;
/// Rounds are counted up to here and from 0 again: 23 hours, where 1.28 s are held.
const ROUNDS: u16 = EMPTY;

/// Where a slot is held, and its round.
fn place_of(slot: u32) -> (usize, u16) {
    let round = slot / PlayoutBuffer::SLOTS % u32::from(ROUNDS);
    (slot as usize % SLOTS, u16::try_from(round).unwrap_or(0))
}

/// The slot of round `other` in the place of `slot`, which is of round `round`: the nearest before or after it.
fn slot_of(slot: u32, round: u16, other: u16) -> u32 {
    let ahead = (i32::from(other) - i32::from(round)).rem_euclid(i32::from(ROUNDS));
    let nearest = if ahead > i32::from(ROUNDS) / 2 {
        ahead - i32::from(ROUNDS)
    } else {
        ahead
    };
    slot.saturating_add_signed(nearest * PlayoutBuffer::SLOTS.cast_signed())
}

impl PlayoutBuffer {
    /// Slots held: 1.28 s, far beyond any sensible depth.
    pub const SLOTS: u32 = 64;

    /// An empty buffer of a nominal depth in ns.
    #[must_use]
    pub fn new(depth: i64) -> Self {
        Self {
            depth,
            rounds: [EMPTY; SLOTS],
            places: [0; SLOTS],
            played: None,
        }
    }

    /// Empties it for the next stream.
    pub fn clear(&mut self, pool: &mut AudioPool) {
        self.played = None;
        for (round, place) in self.rounds.iter_mut().zip(&self.places) {
            if std::mem::replace(round, EMPTY) != EMPTY {
                pool.take(*place);
            }
        }
    }

    /// The slot whose turn came last, or none yet. Slots up to it are past, and those after it are not: also where it is
    /// an earlier one than before, since the stream is played later from now on.
    pub fn set_played(&mut self, played: Option<u32>) {
        self.played = played;
    }

    /// Stores a packet's audio.
    pub fn insert(&mut self, slot: u32, payload: &[u8], pool: &mut AudioPool) -> Inserted {
        if self.played.is_some_and(|played| slot <= played) {
            return Inserted::Past;
        }
        let (index, round) = place_of(slot);
        let before = std::mem::replace(&mut self.rounds[index], round);
        if before != EMPTY {
            pool.take(self.places[index]);
        }
        self.places[index] = pool.put(payload);
        if before == EMPTY || before == round {
            Inserted::Waits
        } else {
            Inserted::InPlaceOf(slot_of(slot, round, before))
        }
    }

    fn holds(&self, slot: u32) -> bool {
        let (index, round) = place_of(slot);
        self.rounds[index] == round
    }

    /// Slots before `slot` whose turn has not come and that are there all the same, in order: they will not be heard once
    /// it has been taken.
    pub fn passed_over(&self, slot: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.played.map_or(slot, |played| played + 1);
        let first = first.max(slot.saturating_sub(Self::SLOTS));
        (first..slot).filter(|slot| self.holds(*slot))
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
        if !self.holds(slot) {
            return None;
        }
        let (index, _) = place_of(slot);
        self.rounds[index] = EMPTY;
        Some(pool.take(self.places[index]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// Also where rounds are counted from 0 again, and for a slot that is before the one that takes its place.
    #[test]
    fn what_is_displaced_is_known_by_its_round() {
        let again = u32::from(ROUNDS) * PlayoutBuffer::SLOTS;
        for (held, slot) in [
            (7, 71),
            (71, 7),
            (again - 60, again + 4),
            (again + 4, again - 60),
        ] {
            let (mut buffer, mut pool) = (PlayoutBuffer::new(60 * MS), AudioPool::new(1));
            buffer.insert(held, &[1; 160], &mut pool);
            let displaced = buffer.insert(slot, &[2; 160], &mut pool);
            assert_eq!(displaced, Inserted::InPlaceOf(held));
            assert!(buffer.take(held, &mut pool).is_none());
            let played = buffer.take(slot.max(held), &mut pool).map(|audio| audio[0]);
            assert_eq!(played, (slot > held).then_some(2));
        }
    }

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
        assert_eq!(buffer.insert(5, &[7; 160], &mut pool), Inserted::Waits);
        assert_eq!(buffer.take(4, &mut pool), None);
        assert_eq!(buffer.take(5, &mut pool), Some(&[7; 160]));
        assert_eq!(buffer.insert(4, &[1; 160], &mut pool), Inserted::Past);
        assert_eq!(buffer.insert(5, &[1; 160], &mut pool), Inserted::Past);
        assert_eq!(buffer.insert(6, &[1; 160], &mut pool), Inserted::Waits);
    }

    #[test]
    fn a_slot_is_played_once() {
        let (mut buffer, mut pool) = (PlayoutBuffer::new(60 * MS), AudioPool::new(4));
        buffer.insert(1, &[9; 160], &mut pool);
        assert!(buffer.take(1, &mut pool).is_some());
        assert!(buffer.take(1, &mut pool).is_none());
    }

    /// 3 was played; of 4 to 9 all but 6 are there, and then it is 8's turn, for a stream that is played earlier from now on.
    /// Played later again, 5 has its turn once more.
    #[test]
    fn what_is_passed_over_was_there_and_is_not_heard() {
        let (mut buffer, mut pool) = (PlayoutBuffer::new(60 * MS), AudioPool::new(4));
        assert_eq!(buffer.passed_over(9).count(), 0, "nothing is there");
        buffer.take(3, &mut pool);
        for slot in [4, 5, 7, 8, 9] {
            buffer.insert(slot, &[9; 160], &mut pool);
        }
        assert_eq!(buffer.passed_over(4).count(), 0, "its own turn");
        assert_eq!(buffer.passed_over(8).collect::<Vec<_>>(), [4, 5, 7]);
        assert!(buffer.take(8, &mut pool).is_some());
        assert_eq!(buffer.insert(5, &[1; 160], &mut pool), Inserted::Past);
        buffer.set_played(Some(4));
        assert_eq!(buffer.insert(5, &[1; 160], &mut pool), Inserted::Waits);
        assert_eq!(buffer.take(5, &mut pool), Some(&[1; 160]));
    }

    /// Two streams share room for two packets. Ten of each wait, with a copy and one whose place a later slot takes;
    /// after they were played, or cleared, all room is free, and none of it twice.
    #[test]
    fn shared_room_grows_and_is_given_back_whole() {
        let mut pool = AudioPool::new(2);
        let mut buffers = [PlayoutBuffer::new(60 * MS), PlayoutBuffer::new(60 * MS)];
        for slot in [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 64] {
            for (code, buffer) in (0..).zip(&mut buffers) {
                let inserted = match slot {
                    64 => Inserted::InPlaceOf(0),
                    _ => Inserted::Waits,
                };
                assert_eq!(buffer.insert(slot, &[code; 160], &mut pool), inserted);
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
