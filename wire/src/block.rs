//! The facts log: blocks of facts, one a second, each whole and checked by itself, so that a
//! killed writer loses only the block it was writing.
//!
//! A block, integers big-endian:
//!
//! | octets | what |
//! |---|---|
//! | 4 | `MWFB` |
//! | 1 | [`FACTS_VERSION`] |
//! | 8 | sequence number, from 0 |
//! | 4 | length of the payload |
//! | 4 | CRC-32 of the payload |
//! | 4 | CRC-32 of the 21 octets before: a wrong length must not pass for a truncated file |
//! | length | payload: deflate (RFC 1951) of postcard of the facts |

use crate::facts::{FACTS_VERSION, Fact};
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use std::io::{self, Read, Write};

const MAGIC: [u8; 4] = *b"MWFB";
const HEADER: usize = 25;

/// Largest block before compression, octets: what a reader allows a block to unfold to.
pub const BLOCK_OCTETS_MAX: u64 = 64 << 20;

/// One block of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Its number in the log, from 0.
    pub sequence: u64,
    /// What was seen.
    pub facts: Vec<Fact>,
}

/// Why a facts log could not be read on.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The file itself failed.
    #[error("facts log, octet {offset}: {source}")]
    Read {
        /// Start of the block in the log.
        offset: u64,
        /// The system's answer.
        source: io::Error,
    },
    /// Not what a writer of this format leaves behind.
    #[error("facts log, block at octet {offset}: {found}; the file is damaged from here on")]
    Corrupt {
        /// Start of the block in the log.
        offset: u64,
        /// What is wrong.
        found: &'static str,
    },
    /// Another version of the format.
    #[error(
        "facts log, block at octet {offset}: format version {found}, expected {FACTS_VERSION}; \
         read it with the milliwatt that wrote it"
    )]
    Version {
        /// Start of the block in the log.
        offset: u64,
        /// The version found.
        found: u8,
    },
}

/// The octets of one block.
///
/// # Panics
/// Never for facts that fit a block ([`BLOCK_OCTETS_MAX`]): every fact has an encoding.
#[must_use]
pub fn encode_block(sequence: u64, facts: &[Fact]) -> Vec<u8> {
    let plain = postcard::to_allocvec(facts).expect("facts have no sequence of unknown length");
    let mut block = vec![0; HEADER];
    // Fast: this runs beside the packet path, and repeated field values compress well anyway.
    DeflateEncoder::new(plain.as_slice(), Compression::default())
        .read_to_end(&mut block)
        .expect("memory can be read and written");
    let length = u32::try_from(block.len() - HEADER).expect("a block is smaller than 4 GiB");
    let payload_check = crc32fast::hash(&block[HEADER..]);
    block[..4].copy_from_slice(&MAGIC);
    block[4] = FACTS_VERSION;
    block[5..13].copy_from_slice(&sequence.to_be_bytes());
    block[13..17].copy_from_slice(&length.to_be_bytes());
    block[17..21].copy_from_slice(&payload_check.to_be_bytes());
    let header_check = crc32fast::hash(&block[..21]);
    block[21..HEADER].copy_from_slice(&header_check.to_be_bytes());
    block
}

/// Reads a facts log block by block; ends at the end, at a truncated last block, or after an error.
#[derive(Debug)]
pub struct BlockReader<R> {
    source: R,
    offset: u64,
    truncated: bool,
    ended: bool,
}

impl<R: Read> BlockReader<R> {
    /// A reader from the log's first octet, or from the start of any block.
    pub fn new(source: R) -> Self {
        Self {
            source,
            offset: 0,
            truncated: false,
            ended: false,
        }
    }

    /// The log ended within a block: its writer was killed, or is still writing.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// Where the next block starts, octets from where reading began.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    fn read_block(&mut self) -> Result<Option<Block>, BlockError> {
        let header = self.read_up_to(HEADER as u64)?;
        let Ok(header) = <[u8; HEADER]>::try_from(header.as_slice()) else {
            self.truncated = !header.is_empty();
            return Ok(None);
        };
        let Header {
            sequence,
            length,
            payload_check,
        } = Header::parse(&header).map_err(|fault| fault.at(self.offset))?;
        let payload = self.read_up_to(length)?;
        if payload.len() as u64 != length {
            self.truncated = true;
            return Ok(None);
        }
        if crc32fast::hash(&payload) != payload_check {
            return Err(Fault::Corrupt("the payload does not match its checksum").at(self.offset));
        }
        let facts = decode_payload(&payload).map_err(|fault| fault.at(self.offset))?;
        self.offset += HEADER as u64 + length;
        Ok(Some(Block { sequence, facts }))
    }

    fn read_up_to(&mut self, octets: u64) -> Result<Vec<u8>, BlockError> {
        let mut read = Vec::new();
        match self.source.by_ref().take(octets).read_to_end(&mut read) {
            Ok(_) => Ok(read),
            Err(source) => Err(BlockError::Read {
                offset: self.offset,
                source,
            }),
        }
    }
}

impl<R: Read> Iterator for BlockReader<R> {
    type Item = Result<Block, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let block = self.read_block().transpose();
        self.ended = !matches!(block, Some(Ok(_)));
        block
    }
}

struct Header {
    sequence: u64,
    length: u64,
    payload_check: u32,
}

/// What is wrong with a block, before it is known where it lies.
enum Fault {
    Corrupt(&'static str),
    Version(u8),
}

impl Fault {
    fn at(self, offset: u64) -> BlockError {
        match self {
            Self::Corrupt(found) => BlockError::Corrupt { offset, found },
            Self::Version(found) => BlockError::Version { offset, found },
        }
    }
}

impl Header {
    fn parse(octets: &[u8; HEADER]) -> Result<Self, Fault> {
        let u32_at = |at: usize| {
            octets[at..]
                .first_chunk()
                .map_or(0, |chunk| u32::from_be_bytes(*chunk))
        };
        if octets[..4] != MAGIC {
            return Err(Fault::Corrupt("it does not start with MWFB"));
        }
        // Before the checksum: another version may have another header.
        if octets[4] != FACTS_VERSION {
            return Err(Fault::Version(octets[4]));
        }
        if crc32fast::hash(&octets[..21]) != u32_at(21) {
            return Err(Fault::Corrupt("the header does not match its checksum"));
        }
        let length = u64::from(u32_at(13));
        if length > BLOCK_OCTETS_MAX {
            return Err(Fault::Corrupt("it is longer than 64 MiB"));
        }
        let sequence = u64::from(u32_at(5)) << 32 | u64::from(u32_at(9));
        Ok(Self {
            sequence,
            length,
            payload_check: u32_at(17),
        })
    }
}

fn decode_payload(payload: &[u8]) -> Result<Vec<Fact>, Fault> {
    let mut plain = Vec::new();
    DeflateDecoder::new(payload)
        .take(BLOCK_OCTETS_MAX + 1)
        .read_to_end(&mut plain)
        .map_err(|_| Fault::Corrupt("it does not decompress"))?;
    if plain.len() as u64 > BLOCK_OCTETS_MAX {
        return Err(Fault::Corrupt("it decompresses to more than 64 MiB"));
    }
    match postcard::take_from_bytes(&plain) {
        Ok((facts, [])) => Ok(facts),
        Ok(_) => Err(Fault::Corrupt("octets follow its last fact")),
        Err(_) => Err(Fault::Corrupt("it does not hold facts")),
    }
}

/// Collects facts and appends them to a log, a block at a time.
#[derive(Debug)]
pub struct FactsWriter<W> {
    sink: W,
    next: u64,
    facts: Vec<Fact>,
}

impl<W: Write> FactsWriter<W> {
    /// A writer of a new log.
    pub fn new(sink: W) -> Self {
        Self {
            sink,
            next: 0,
            facts: Vec::new(),
        }
    }

    /// Keeps a fact for the next block.
    pub fn push(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// Appends what was pushed since the last block and flushes: the block's number and octets,
    /// none when nothing was pushed. After an error the log may end within a block: write no more.
    pub fn flush_block(&mut self) -> io::Result<Option<(u64, Vec<u8>)>> {
        if self.facts.is_empty() {
            return Ok(None);
        }
        let (sequence, encoded) = (self.next, encode_block(self.next, &self.facts));
        self.facts.clear();
        self.next += 1;
        self.sink.write_all(&encoded)?;
        self.sink.flush()?;
        Ok(Some((sequence, encoded)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, Lane, Leg, Party, StreamId};
    use crate::time::RunTime;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn some_fact() -> impl Strategy<Value = Fact> {
        let stream = |call| StreamId {
            call: CallId(call),
            party: Party::B,
            leg: Leg::Sent,
        };
        prop_oneof![
            (any::<u32>(), any::<u32>(), any::<i64>()).prop_map(|(call, lane, at)| {
                Fact::CallStarted {
                    call: CallId(call),
                    lane: Lane(lane),
                    at: RunTime(at),
                }
            }),
            (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(
                move |(call, first_slot, slots)| Fact::NotSent {
                    stream: stream(call),
                    first_slot,
                    slots
                }
            ),
            (any::<i64>(), ".*").prop_map(|(at, text)| Fact::Event {
                at: RunTime(at),
                kind: "mark".to_owned(),
                text
            }),
        ]
    }

    fn log_of(blocks: &[Vec<Fact>]) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut writer = FactsWriter::new(&mut octets);
        for facts in blocks {
            facts.iter().cloned().for_each(|fact| writer.push(fact));
            writer.flush_block().unwrap();
        }
        octets
    }

    fn closed() -> Fact {
        Fact::Closed { at: RunTime(7) }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_was_written_is_read_again(blocks in vec(vec(some_fact(), 1..20), 0..5)) {
            let log = log_of(&blocks);
            let mut reader = BlockReader::new(log.as_slice());
            let read: Vec<Block> = reader.by_ref().map(Result::unwrap).collect();
            prop_assert!(!reader.truncated());
            prop_assert_eq!(reader.offset(), log.len() as u64);
            prop_assert!(read.iter().map(|block| block.sequence).eq(0..blocks.len() as u64));
            prop_assert!(read.into_iter().map(|block| block.facts).eq(blocks));
        }

        #[test]
        fn a_log_cut_anywhere_yields_its_whole_blocks(blocks in vec(vec(some_fact(), 1..4), 1..4)) {
            let log = log_of(&blocks);
            let ends: Vec<usize> = (0..=blocks.len()).map(|count| log_of(&blocks[..count]).len()).collect();
            for cut in 0..log.len() {
                let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
                let mut reader = BlockReader::new(&log[..cut]);
                let read: Vec<Vec<Fact>> = reader.by_ref().map(|block| block.unwrap().facts).collect();
                prop_assert_eq!(&read, &blocks[..whole]);
                prop_assert_eq!(reader.truncated(), !ends.contains(&cut), "cut at {}", cut);
            }
        }

        #[test]
        fn a_flipped_bit_anywhere_is_an_error_at_its_block(at: prop::sample::Index, bit in 0..8_u8) {
            let mut log = log_of(&[vec![closed()], vec![closed(), closed()], vec![closed()]]);
            let second = log_of(&[vec![closed()]]).len();
            let third = log_of(&[vec![closed()], vec![closed(), closed()]]).len();
            let flipped = second + at.index(third - second);
            log[flipped] ^= 1 << bit;
            let read: Vec<_> = BlockReader::new(log.as_slice()).collect();
            prop_assert_eq!(read.len(), 2);
            prop_assert!(read[0].is_ok());
            let text = read[1].as_ref().unwrap_err().to_string();
            prop_assert!(text.contains(&format!("block at octet {second}:")), "{}", text);
        }

        #[test]
        fn any_octets_are_read_without_panic(octets: Vec<u8>) {
            prop_assert!(BlockReader::new(octets.as_slice()).count() <= 1);
        }
    }

    #[test]
    fn nothing_pushed_writes_no_block_and_takes_no_number() {
        let mut writer = FactsWriter::new(Vec::new());
        assert_eq!(writer.flush_block().unwrap(), None);
        writer.push(closed());
        let (sequence, encoded) = writer.flush_block().unwrap().unwrap();
        assert_eq!((sequence, &encoded), (0, &encode_block(0, &[closed()])));
        assert_eq!(writer.sink, encoded);
    }

    #[test]
    fn a_block_that_unfolds_beyond_its_bound_is_refused() {
        let mut bomb = Vec::new();
        let zeros = io::repeat(0).take(BLOCK_OCTETS_MAX + 1);
        DeflateEncoder::new(zeros, Compression::default())
            .read_to_end(&mut bomb)
            .unwrap();
        let fault = decode_payload(&bomb).unwrap_err().at(0);
        assert!(fault.to_string().contains("more than 64 MiB"), "{fault}");
    }

    #[test]
    fn another_version_is_named() {
        let mut block = encode_block(0, &[closed()]);
        block[4] = FACTS_VERSION + 1;
        let error = BlockReader::new(block.as_slice())
            .next()
            .unwrap()
            .unwrap_err();
        assert!(
            matches!(error, BlockError::Version { offset: 0, found } if found == FACTS_VERSION + 1)
        );
    }
}
