//! What a report must know of a run beside its measurements.

use serde::{Deserialize, Serialize};

/// The identity of one run, as its reports print it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunContext {
    /// The scenario's name.
    pub scenario: String,
    /// Its title; empty when it has none.
    pub title: String,
    /// The published test it reproduces; none when it reproduces none.
    pub source: Option<String>,
    /// The run directory, as the user would type it.
    pub directory: String,
    /// Run time zero by the tester's wall clock, ns since 1970.
    pub started: i64,
    /// Version of milliwatt that measured.
    pub version: String,
    /// The command line that started the run.
    pub command: String,
    /// Length of the run from zero to the end of draining, s.
    pub duration_s: f64,
    /// What was in the path and what was not, a sentence each.
    pub scope: Vec<String>,
    /// The guest program: address, system, or that it was this machine's own.
    pub guest: String,
    /// Facts about both ends' environment, (name, value), when they are known.
    pub environment: Vec<(String, String)>,
    /// What calibration found on the tester; none when it was not calibrated.
    pub floor: Option<NoiseFloor>,
}

/// What `milliwatt calibrate` found on the tester with nothing in the path, for the load next above a run's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseFloor {
    /// When, RFC 3339 UTC.
    pub at: String,
    /// What was in the path.
    pub path: String,
    /// Streams each way that it was measured with.
    pub streams: u32,
    /// 99.9th percentile of the tester's lateness, us.
    pub lateness_p999_us: Option<f64>,
    /// 99.9th percentile of the receive leg's PDV, ms: what is measured where nothing varies.
    pub pdv_p999_ms: Option<f64>,
    /// The largest load, streams each way, that the machine carried in time.
    pub largest_streams: u32,
}

impl RunContext {
    /// The wall time at `at_s` seconds of run time, ns since 1970.
    #[must_use]
    pub fn wall_at(&self, at_s: f64) -> i64 {
        self.started.saturating_add(nanoseconds(at_s))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates; a label")]
fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}
