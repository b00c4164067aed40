//! A file as it travels: compressed without loss, so that a recording is the audio itself, and padded
//! with noise, so that it weighs what the scenario's codec would make of it.

use super::shelf::Finished;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use milliwatt_wire::transfer::Offer;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, Read, Write};

/// Octets written to a connection at a time: one full TLS record.
pub const WRITE_OCTETS: usize = 16 * 1024;

/// A file ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What is said before it.
    pub offer: Offer,
    /// The compressed file.
    pub compressed: Vec<u8>,
}

/// The weight of a recording of `seconds` of call time, octets.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and a negative weight is none"
)]
pub fn weight_octets(rate_bits_per_second: u32, seconds: f64) -> u64 {
    (f64::from(rate_bits_per_second) * seconds / 8.0).round() as u64
}

impl Parcel {
    /// Reads and compresses a file. Takes a core for some ms: not for an async thread.
    pub fn pack(recording: &Finished, weight_octets: u64) -> io::Result<Self> {
        let mut file = File::open(&recording.path)?;
        let mut digest = Context::new(&SHA256);
        // Both tones repeat every half second, 8,000 octets, well within deflate's window. The
        // fastest level misses most of that: 58 kB a minute instead of 13.
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let mut piece = vec![0; 4 * WRITE_OCTETS];
        let mut file_octets = 0;
        loop {
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            file_octets += read as u64;
            digest.update(&piece[..read]);
            encoder.write_all(&piece[..read])?;
        }
        let compressed = encoder.finish()?;
        let compressed_octets = compressed.len() as u64;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest.finish().as_ref());
        let offer = Offer {
            item: recording.item,
            file_octets,
            compressed_octets,
            padding_octets: weight_octets.saturating_sub(compressed_octets),
            weight_octets,
            sha256,
        };
        Ok(Self { offer, compressed })
    }
}

/// Noise that nothing on the way can compress.
#[derive(Debug)]
pub struct Padding {
    noise: StdRng,
    left: u64,
    piece: Vec<u8>,
}

impl Padding {
    /// So many octets of it.
    #[must_use]
    pub fn new(octets: u64) -> Self {
        Self {
            noise: StdRng::from_os_rng(),
            left: octets,
            piece: vec![0; WRITE_OCTETS],
        }
    }

    /// The next octets, at most [`WRITE_OCTETS`]; none at the end.
    pub fn next_piece(&mut self) -> Option<&[u8]> {
        let length = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(WRITE_OCTETS);
        let piece = self
            .piece
            .get_mut(..length)
            .filter(|piece| !piece.is_empty())?;
        self.noise.fill_bytes(piece);
        self.left -= length as u64;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_load;
    use super::*;
    use milliwatt_generator::voice::Voices;
    use milliwatt_receiver::recorder::{AudioFrame, CallRecording};
    use milliwatt_wire::id::{CallId, Party};
    use milliwatt_wire::transfer::Item;

    /// Seconds of both parties' tones, in a file in `folder`.
    fn two_tones(folder: &std::path::Path, seconds: u32) -> Finished {
        let load = test_load();
        let mut recording = CallRecording::new(&load);
        let mut wav = recording.header().to_vec();
        let tones = Voices::tones(load.codec);
        for index in 0..seconds * 50 {
            for (channel, party) in (0..).zip(Party::BOTH) {
                let call = CallId(1);
                let payload = tones.packet(call, party, index).try_into().unwrap();
                recording
                    .handle_frame(
                        &AudioFrame {
                            call,
                            channel,
                            index,
                            payload,
                        },
                        &mut wav,
                    )
                    .unwrap();
            }
        }
        recording.finish(seconds * 50, &mut wav).unwrap();
        let path = folder.join("call.wav");
        std::fs::write(&path, &wav).unwrap();
        let octets = wav.len() as u64;
        Finished {
            item: Item::Recording(CallId(1)),
            path,
            octets,
        }
    }

    #[test]
    fn two_tones_shrink_to_a_few_percent_and_are_padded_to_their_weight() {
        let folder = tempfile::tempdir().unwrap();
        // 8533 x 60 / 8 = 63,997.5 and 8533 x 9 / 8 = 9,599.6; 16,000 octets a second and a header.
        for (seconds, weight, wav) in [(60, 63_998, 960_058), (9, 9_600, 144_058)] {
            assert_eq!(weight_octets(8533, f64::from(seconds)), weight);
            let parcel = Parcel::pack(&two_tones(folder.path(), seconds), weight).unwrap();
            assert_eq!(parcel.offer.file_octets, wav);
            // The first 8,000 octets are new, the rest repeats them.
            let compressed = parcel.offer.compressed_octets;
            assert!(
                compressed < 8_000 + wav / 100,
                "{compressed} octets for {seconds} s"
            );
            assert_eq!(parcel.offer.wire_octets(), weight);
        }
    }

    #[test]
    fn what_cannot_be_made_small_has_its_real_weight() {
        let folder = tempfile::tempdir().unwrap();
        let (path, mut noise) = (folder.path().join("noise.wav"), vec![0; 10_000]);
        StdRng::seed_from_u64(1).fill_bytes(&mut noise);
        std::fs::write(&path, &noise).unwrap();
        let parcel = Parcel::pack(
            &Finished {
                item: Item::Recording(CallId(2)),
                path,
                octets: 10_000,
            },
            1_067,
        )
        .unwrap();
        assert!(parcel.offer.compressed_octets >= 10_000);
        assert_eq!(
            (parcel.offer.padding_octets, parcel.offer.weight_octets),
            (0, 1_067)
        );
        assert_eq!(parcel.offer.wire_octets(), parcel.compressed.len() as u64);
    }

    #[test]
    fn padding_is_as_long_as_asked_and_does_not_repeat() {
        let mut padding = Padding::new(WRITE_OCTETS as u64 * 2 + 5);
        let mut pieces = Vec::new();
        while let Some(piece) = padding.next_piece() {
            pieces.push(piece.to_vec());
        }
        assert_eq!(
            pieces.iter().map(Vec::len).collect::<Vec<_>>(),
            [WRITE_OCTETS, WRITE_OCTETS, 5]
        );
        assert_ne!(pieces[0], pieces[1]);
    }

    #[test]
    fn a_weight_is_rate_times_time_and_never_negative() {
        assert_eq!(weight_octets(8533, 30.0), 31_999); // 31,998.75
        assert_eq!(weight_octets(8533, -1.0), 0);
    }
}
