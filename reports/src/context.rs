//! What a report must know of a run beside its measurements.

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
