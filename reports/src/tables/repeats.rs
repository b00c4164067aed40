//! The table of what was done several times, a row a label, as text.

use super::dash;
use crate::figures::{self, number_or_dash};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::DisruptionSummary;

/// What a label did to live calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatLine {
    /// Its label.
    pub label: String,
    /// How often it was done.
    pub repeats: String,
    /// How often a disruption was its own.
    pub found: String,
    /// Common blackout p50 / p95 / max, ms.
    pub blackout: String,
    /// The scenario's limit on it, ms.
    pub blackout_limit: String,
    /// Recovered p50 / max, ms.
    pub recovered: String,
    /// The scenario's limit on it, ms.
    pub recovered_limit: String,
    /// Streams hit at most.
    pub streams: String,
}

/// A line a label; none where nothing was done twice, since what was done once is told as it is.
#[must_use]
pub fn repeats(scorecard: &Scorecard) -> Vec<RepeatLine> {
    let rows = &scorecard.disruption_summary;
    if rows.iter().all(|row| row.repeats < 2) {
        return Vec::new();
    }
    let limits = ["disruptions.blackout_ms", "disruptions.recovered_ms"];
    let limits = limits.map(|metric| limit(scorecard, metric));
    rows.iter()
        .map(|row| RepeatLine::of(row, &limits))
        .collect()
}

fn limit(scorecard: &Scorecard, metric: &str) -> String {
    let mut limits = scorecard.thresholds.iter();
    let limit = limits.find(|result| result.metric == metric && result.bound == "max");
    number_or_dash(limit.map(|result| result.limit))
}

impl RepeatLine {
    fn of(row: &DisruptionSummary, limits: &[String; 2]) -> Self {
        let blackout = row.blackout_ms;
        let recovered = [row.recovered_ms.p50, row.recovered_ms.max];
        let blackout = [blackout.p50, blackout.p95, blackout.max].map(whole_ms);
        let recovered = recovered.map(|ms| match ms {
            None if row.found > 0 => "never".to_owned(),
            ms => whole_ms(ms),
        });
        Self {
            label: row.label.clone(),
            repeats: figures::count(row.repeats),
            found: figures::count(row.found),
            blackout: blackout.join(" / "),
            blackout_limit: limits[0].clone(),
            recovered: recovered.join(" / "),
            recovered_limit: limits[1].clone(),
            streams: row.streams_affected.map_or_else(dash, figures::count),
        }
    }
}

fn whole_ms(ms: Option<f64>) -> String {
    number_or_dash(ms.map(f64::round))
}
