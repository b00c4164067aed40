//! Messages on a transfer connection, after the hellos. The guest says [`TransferMessage`]s, the
//! tester answers each offer, once all its octets came, with a [`Receipt`].
//!
//! After an [`Offer`] follow `compressed_octets` of raw deflate (RFC 1951), which inflate to the
//! file, and `padding_octets` of noise that give the transfer the weight of the scenario's
//! codec. No length in a message is to be believed by its reader: each is bounded first.

use crate::id::CallId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest file, octets: a recording of 12 hours of stereo G.711, the agent's longest run, and its header.
pub const FILE_OCTETS_MAX: u64 = 12 * 3600 * 16_000 + 1024;

/// What is transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Item {
    /// A call's recording, a WAV file.
    Recording(CallId),
    /// A part of the guest's half of the run's capture, a pcapng file, by its number from 0.
    Capture(u32),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recording(call) => write!(f, "recording of call {}", call.0),
            Self::Capture(part) => write!(f, "part {part} of the capture"),
        }
    }
}

/// What the guest says.
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
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

impl Offer {
    /// Octets that travel after the offer: the weight on the wire, before TLS and TCP headers.
    #[must_use]
    pub fn wire_octets(&self) -> u64 {
        self.compressed_octets.saturating_add(self.padding_octets)
    }
}

/// The tester's answer to an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// What was offered.
    pub item: Item,
    /// None confirms: the guest deletes its copy. Otherwise the guest keeps it and tries again.
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
