//! `events.jsonl`: dead air, silences, disruptions, marks, commands, stalls, a JSON object a line, in order of time.

use milliwatt_scoring::measured::{EventRow, Measured};

/// The whole file.
pub fn render(measured: &Measured) -> Result<String, serde_json::Error> {
    measured.events.iter().map(line).collect()
}

fn line(event: &EventRow) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(event)? + "\n")
}
