//! Messages on a transfer connection, after the hellos. The end that sends files, mostly the guest, says
//! [`TransferMessage`]s; the other answers each offer, once all its octets came, with a [`Receipt`].
//!
//! After an [`Offer`] follow `compressed_octets` of raw deflate (RFC 1951), which inflate to the
//! file, and `padding_octets` of noise that give the transfer the weight of the scenario's
//! codec. No length in a message is to be believed by its reader: each is bounded first.
//!
//! A made-up file ([`Item::MadeUp`], sent by either end) is all noise, and may be broken off. Its `padding_octets` come
//! in pieces, each behind its length (u16, big-endian, at most [`PIECE_OCTETS`]), and after the last its [`Closing`],
//! since the checksum is known only then. A length of 0 breaks the file off: nothing follows, and no receipt is due.

use crate::id::CallId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest file, octets: a recording of 12 hours of stereo G.711, the agent's longest run, and its header.
pub const FILE_OCTETS_MAX: u64 = 12 * 3600 * 16_000 + 1024;

/// Most octets of a piece of a made-up file: with its length it fills a TLS record (RFC 8446 5.1).
pub const PIECE_OCTETS: usize = 16 * 1024 - PIECE_HEADER_OCTETS;
/// Octets of a piece's length.
pub const PIECE_HEADER_OCTETS: usize = 2;

/// What is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Item {
    /// A call's recording, a WAV file.
    Recording(CallId),
    /// A part of the guest's half of the run's capture, a pcapng file, by its number from 0.
    Capture(u32),
    /// Noise that stands for a recording, by its number from 0: it is checked and thrown away.
    MadeUp(u32),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording(call) => write!(f, "recording of call {}", call.0),
            Self::Capture(part) => write!(f, "part {part} of the capture"),
            Self::MadeUp(number) => write!(f, "made-up file {number}"),
        }
    }
}

/// What the sending end says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferMessage {
    /// A file follows.
    Offer(Offer),
    /// Every file has been confirmed and none will come.
    NoMore,
}

/// A file that follows at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What it is.
    pub item: Item,
    /// Length of the file, octets.
    pub file_octets: u64,
    /// Length of the compressed file, octets.
    pub compressed_octets: u64,
    /// Noise after it, octets.
    pub padding_octets: u64,
    /// The weight that the scenario asks for, octets; less than `compressed_octets` when the
    /// recording could not be made so small: then it has its real weight and no padding.
    pub weight_octets: u64,
    /// SHA-256 of the file; zeros for a made-up one, whose [`Closing`] says it.
    pub sha256: [u8; 32],
}

/// Said after the last piece of a made-up file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// SHA-256 of the noise of all pieces.
    pub sha256: [u8; 32],
}

impl Offer {
    /// The offer of a made-up file of so many octets.
    #[must_use]
    pub fn made_up(number: u32, octets: u64) -> Self {
        Self {
            item: Item::MadeUp(number),
            file_octets: octets,
            compressed_octets: 0,
            padding_octets: octets,
            weight_octets: octets,
            sha256: [0; 32],
        }
    }

    /// Octets that travel after the offer: the weight on the wire, before TLS and TCP headers.
    #[must_use]
    pub fn wire_octets(&self) -> u64 {
        self.compressed_octets.saturating_add(self.padding_octets)
    }
}

/// The receiving end's answer to an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What was offered.
    pub item: Item,
    /// None confirms: the sender deletes its copy. Otherwise it keeps it and tries again.
    pub refused: Option<Refusal>,
}

/// Why the tester did not take a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// The octets are not those that the checksum was made of.
    #[error("it came damaged: {0}")]
    Damaged(String),
    /// The tester could not keep it: its disk is full.
    #[error("the tester could not keep it: {0}")]
    NotKept(String),
}
