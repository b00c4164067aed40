//! What a capture file says of the run beside its packets, in custom blocks of its own.
//!
//! The data of such a block: [`MAGIC`], one octet [`NOTE_VERSION`], postcard of a [`Note`]. Beside a
//! packet, where the receiver's own reading of it cannot be told from the packet, stands a
//! [`PacketNote`].

use crate::id::End;
use crate::time::RunTime;
use serde::{Deserialize, Serialize};

/// What the data of our own blocks begins with.
pub const MAGIC: &[u8] = b"milliwatt";
/// Version of the notes: a reader refuses others.
pub const NOTE_VERSION: u8 = 1;

/// A block of our own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// First in the half that one end writes.
    Half {
        /// The run's random identity.
        run: u64,
        /// Who writes.
        end: End,
        /// What the stamps of this file call run time zero, ns since 1970.
        wall_at_zero: i64,
    },
    /// First in the capture of a whole run.
    Run {
        /// The run's random identity.
        run: u64,
        /// The scenario's name.
        scenario: String,
        /// What the stamps of this file call run time zero, ns since 1970: the tester's clock.
        wall_at_zero: i64,
        /// RTP ports of each line, tester's and guest's, in order of lane and party.
        ports: Vec<[u16; 2]>,
    },
    /// The plan and the ledgers: facts of one end, as blocks of the facts log have them.
    Facts {
        /// Whose.
        end: End,
        /// A block of [`crate::block`].
        block: Vec<u8>,
    },
    /// Last: how much an end has captured.
    Done {
        /// Whose half.
        end: End,
        /// Frames of its half.
        frames: u64,
        /// Departures and arrivals that were not captured.
        missed: [u64; 2],
        /// Why it stopped before the end, when it did.
        stopped: Option<String>,
    },
}

impl Note {
    /// The data of its block.
    ///
    /// # Panics
    /// Never: every note has an encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut data = [MAGIC, &[NOTE_VERSION]].concat();
        data.extend(postcard::to_allocvec(self).expect("notes have no sequence of unknown length"));
        data
    }

    /// Reads what follows the magic; none for another version, or what is no note. Octets that
    /// follow it are a block's filling.
    #[must_use]
    pub fn decode(data: &[u8]) -> Option<Self> {
        let (version, data) = data.split_first()?;
        let known = *version == NOTE_VERSION;
        known
            .then(|| postcard::take_from_bytes(data).ok())?
            .map(|(note, _)| note)
    }
}

/// What a receiver knew of a packet that the packet does not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketNote {
    /// When it was read: IPDV is counted in this second.
    pub taken: RunTime,
    /// See [`super::Taken::drift`].
    pub drift: i64,
    /// See [`super::Taken::foreign`].
    pub foreign: bool,
}

impl PacketNote {
    /// None where the packet tells all: read in the second of its arrival, by one clock, for a stream.
    #[must_use]
    pub fn of(packet: &super::CapturedPacket) -> Option<Self> {
        let is_plain =
            packet.taken.second() == packet.at.second() && packet.drift == 0 && !packet.foreign;
        (!is_plain).then_some(Self {
            taken: packet.taken,
            drift: packet.drift,
            foreign: packet.foreign,
        })
    }

    /// Run time read, drift, and 1 where it is foreign, little-endian.
    #[must_use]
    pub fn encode(&self) -> [u8; 17] {
        let mut octets = [0; 17];
        octets[..8].copy_from_slice(&self.taken.0.to_le_bytes());
        octets[8..16].copy_from_slice(&self.drift.to_le_bytes());
        octets[16] = u8::from(self.foreign);
        octets
    }

    /// Reads it again; none for other lengths.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; 17] = octets.try_into().ok()?;
        let long = |place: usize| {
            let octets = octets[place..].first_chunk().copied();
            i64::from_le_bytes(octets.unwrap_or_default())
        };
        Some(Self {
            taken: RunTime(long(0)),
            drift: long(8),
            foreign: octets[16] != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_note_is_read_again_behind_its_magic_whatever_fills_the_block(run: u64, scenario: String, ports: Vec<[u16; 2]>, filling in 0..4_usize) {
            let note = Note::Run { run, scenario, wall_at_zero: 5, ports };
            let mut data = note.encode();
            data.extend(std::iter::repeat_n(0, filling));
            prop_assert_eq!(Note::decode(data.strip_prefix(MAGIC).unwrap()), Some(note));
        }

        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>) {
            drop(Note::decode(&octets));
            prop_assert_eq!(PacketNote::decode(&octets).is_some(), octets.len() == 17);
        }

        #[test]
        fn a_packets_note_is_read_again(taken: i64, drift: i64, foreign: bool) {
            let note = PacketNote { taken: RunTime(taken), drift, foreign };
            prop_assert_eq!(PacketNote::decode(&note.encode()), Some(note));
        }
    }

    #[test]
    fn another_version_is_no_note() {
        let done = Note::Done {
            end: End::Guest,
            frames: 1,
            missed: [0, 0],
            stopped: None,
        };
        let mut data = done.encode();
        data[MAGIC.len()] += 1;
        assert_eq!(Note::decode(&data[MAGIC.len()..]), None);
    }
}
