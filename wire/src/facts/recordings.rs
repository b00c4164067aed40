//! What is told of a recording.

use crate::id::CallId;
use crate::time::RunTime;
use serde::{Deserialize, Serialize};

/// A recording, as the tester received and the scorer judged it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingFact {
    /// The call.
    pub call: CallId,
    /// File name in `recordings/`, kept or not.
    pub file: String,
    /// Arrived whole, checksum verified, at this run time.
    pub received_at: RunTime,
    /// Octets that travelled, before TCP headers.
    pub wire_octets: u64,
    /// The weight that the scenario asked for; when smaller than `wire_octets` the real weight was sent.
    pub weight_octets: u64,
    /// Transfers it took until confirmed.
    pub attempts: u32,
    /// Length of the audio, ms.
    pub audio_ms: u32,
    /// Silence events found: (channel, start ms, length ms).
    pub silences: Vec<SilenceFact>,
    /// Why it could not be scored, when it could not.
    pub error: Option<String>,
}

/// One silence event in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SilenceFact {
    /// Channel, 0 is party A.
    pub channel: u8,
    /// Start in the recording, ms.
    pub start_ms: f64,
    /// Length, ms.
    pub length_ms: f64,
}

/// Something in a recording that is no silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingEventFact {
    /// What: `dropout`, `splice`, `clipping`, `one-way` or `crossed`, as `milliwatt score --json` says it.
    pub kind: String,
    /// Channel, 0 is party A.
    pub channel: u8,
    /// Start in the recording, ms.
    pub start_ms: f64,
    /// Length, ms; of a splice, what is missing.
    pub length_ms: f64,
    /// Of a splice: samples that are missing, below zero that were put in; none when that cannot be told.
    pub missing_samples: Option<i64>,
}
