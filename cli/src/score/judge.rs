//! By what recordings are judged: rules, and the audio that was sent where that is known.

use crate::audio_file::AudioFile;
use crate::exit::Failure;
use milliwatt_scoring::recording::{
    Pauses, Reference, Rules, ScoredRecording, WavError, score_against, score_recording,
};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A recording may begin so much after the audio did, ms (below zero), or before.
const DELAYS_MS: std::ops::RangeInclusive<f64> = -5_000.0..=10_000.0;

/// The judge of recordings.
#[derive(Debug)]
pub struct Judge {
    rules: Rules,
    reference: Option<ReferenceAudio>,
}

/// The audio that was sent, and its pauses at each sampling rate that recordings have had so far.
#[derive(Debug)]
struct ReferenceAudio {
    audio: AudioFile,
    pauses: Mutex<BTreeMap<u32, Vec<Arc<Pauses>>>>,
}

impl Judge {
    /// By rules alone, or beside the audio in a file.
    ///
    /// # Errors
    /// The file cannot be used: which, and why.
    pub fn new(rules: Rules, reference: Option<&Path>) -> Result<Self, Failure> {
        let read = |path: &Path| {
            AudioFile::read(path).map_err(|why| {
                Failure::usage(format!("--reference {}: {why}", path.display()))
                    .hint("give the file of 1 s to 60 min that was played into the calls")
            })
        };
        let reference = reference
            .map(read)
            .transpose()?
            .map(|audio| ReferenceAudio {
                audio,
                pauses: Mutex::default(),
            });
        Ok(Self { rules, reference })
    }

    /// Scores a WAVE file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn score(&self, source: impl Read) -> Result<ScoredRecording, WavError> {
        let Some(reference) = &self.reference else {
            return score_recording(source, &self.rules);
        };
        score_against(source, &self.rules, |sample_rate| Reference {
            channels: reference.at(sample_rate, &self.rules),
            first_s: 0.0,
            delay_ms: DELAYS_MS,
        })
    }
}

impl ReferenceAudio {
    /// The pauses at a sampling rate, found once. Of a rate that cannot be reached there are none.
    fn at(&self, sample_rate: u32, rules: &Rules) -> Vec<Arc<Pauses>> {
        let mut known = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let find = || {
            let audio = self.audio.at_rate(sample_rate).ok();
            let channels = audio.into_iter().flat_map(|audio| audio.channels);
            let pauses =
                channels.map(|own| Pauses::find(&own, (sample_rate, 0), &rules.silence, false));
            pauses.map(Arc::new).collect()
        };
        known.entry(sample_rate).or_insert_with(find).clone()
    }
}
