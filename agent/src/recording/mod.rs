//! Recordings on the guest: written to disk while the call runs, kept on a shelf when it is over,
//! transferred until the tester confirms, then deleted.
//!
//! * [`writer`]: the thread between the media engine's rings and the files.
//! * [`shelf`]: finished recordings that wait.
//! * [`parcel`]: a recording as it travels: compressed, and padded to its weight.
//!
//! They travel as [`crate::transfer`] says.

pub mod frames;
pub mod parcel;
pub mod shelf;
pub mod writer;

#[cfg(test)]
use milliwatt_wire::load::{Audio, Codec, Fill, Hold, LoadSpec, RecordingSpec, Role, TransferSpec};

/// One call at a time, recorded in stereo PCMU at 8533 bit/s.
#[cfg(test)]
pub(crate) fn test_load() -> LoadSpec {
    LoadSpec {
        seed: 1,
        role: Role::MediaServer,
        concurrent: 1,
        total: None,
        arrival_interval: 20_000_000,
        hold: Hold::Fixed(60_000_000_000),
        steady_start: false,
        legs: 2,
        full_for: None,
        codec: Codec::Pcmu,
        srtp: false,
        dscp: 46,
        transfer_dscp: 0,
        playout_buffer: 60_000_000,
        dead_air_min: 60_000_000,
        slot_width: 500_000,
        onward_offset: 0,
        recording: RecordingSpec {
            share: 1.0,
            rate_bits_per_second: 8533,
            stereo: true,
        },
        transfer: TransferSpec {
            parallel: 1,
            ..TransferSpec::default()
        },
        known_silences: Vec::new(),
        audio: Audio::Tone,
        fill: Fill::Silence,
        rated_fill: Fill::G711AppendixI,
        stepped: false,
    }
}
