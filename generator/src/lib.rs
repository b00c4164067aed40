//! The sending half: which calls there are, when each packet is due, and what is in it.
//!
//! * [`calls`]: the call model, from a load and its seed to every call of the run.
//! * [`grid`]: slotted time: each stream's place in the packet time.
//! * [`voice`], [`speech`]: the two parties' audio, encoded once.
//! * [`packet`]: a prebuilt RTP packet, patched in place.
//! * [`stream`]: one sender's sequence numbers, timestamps and ledger.
//! * [`report`]: RTCP sender and receiver reports and their interval.
//! * [`pacer`]: which streams are due in a slot, for all lanes of an end.
//! * [`steps`]: the calls of a load whose course is not known beforehand.
//! * [`driver`]: the pacing thread, which has a clock.
//! * [`transfer`]: files that load the path as recordings do.
//!
//! Sans-IO but for the driver: time is an argument.

pub mod calls;
pub mod driver;
pub mod grid;
pub mod pacer;
pub mod packet;
pub mod report;
pub mod speech;
pub mod steps;
pub mod stream;
pub mod transfer;
pub mod voice;

#[cfg(test)]
use milliwatt_wire::load::{Audio, Codec, Fill, Hold, LoadSpec, RecordingSpec, Role, TransferSpec};

/// The 250-call test for a minute.
#[cfg(test)]
pub(crate) fn test_load() -> LoadSpec {
    LoadSpec {
        seed: 1,
        role: Role::MediaServer,
        concurrent: 250,
        total: None,
        arrival_interval: 20_000_000,
        hold: Hold::Uniform(
            120 * milliwatt_wire::time::NS_PER_SECOND,
            300 * milliwatt_wire::time::NS_PER_SECOND,
        ),
        steady_start: true,
        legs: 2,
        full_for: Some(60 * milliwatt_wire::time::NS_PER_SECOND),
        codec: Codec::Pcmu,
        srtp: false,
        dscp: 46,
        transfer_dscp: 0,
        playout_buffer: 60_000_000,
        dead_air_min: 60_000_000,
        slot_width: 500_000,
        onward_offset: 1_000_000,
        recording: RecordingSpec {
            share: 1.0,
            rate_bits_per_second: 8533,
            stereo: true,
        },
        transfer: TransferSpec {
            parallel: 2,
            ..TransferSpec::default()
        },
        known_silences: Vec::new(),
        audio: Audio::Tone,
        fill: Fill::Silence,
        rated_fill: Fill::G711AppendixI,
        stepped: false,
    }
}
