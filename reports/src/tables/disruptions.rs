//! The table of disruptions, a row each, as text.

use super::dash;
use crate::context::RunContext;
use crate::figures::{self, number_or_dash};
use crate::findings;
use milliwatt_scoring::measured::Disruption;

/// A disruption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisruptionLine {
    /// When it began.
    pub at: String,
    /// Loss, delay or pause.
    pub kind: &'static str,
    /// Legs.
    pub legs: String,
    /// Common blackout, ms.
    pub blackout: String,
    /// Of single streams, p50 / p95 / max of the leg with the longer one, ms.
    pub streams_ms: String,
    /// Hit of up.
    pub streams: String,
    /// Calls hit of up.
    pub calls: String,
    /// Packets lost, late, not sent.
    pub packets: String,
    /// Brownout, ms.
    pub brownout: String,
    /// ms.
    pub recovered: String,
    /// Its mark.
    pub mark: String,
}

/// A line each, in the order given.
#[must_use]
pub fn disruptions(rows: &[&Disruption], context: &RunContext) -> Vec<DisruptionLine> {
    rows.iter()
        .map(|row| DisruptionLine::of(row, context))
        .collect()
}

impl DisruptionLine {
    fn of(row: &Disruption, context: &RunContext) -> Self {
        let of_pair = |part: u64, whole: u64| {
            format!("{} of {}", figures::count(part), figures::count(whole))
        };
        let legs = [&row.by_leg.receive, &row.by_leg.sent];
        let longer = legs
            .into_iter()
            .flatten()
            .max_by(|a, b| a.blackout_ms.total_cmp(&b.blackout_ms));
        let streams_ms = longer.map_or_else(dash, |leg| {
            let of = leg.stream_blackout_ms;
            let parts = [of.p50, of.p95, of.max].map(whole_ms);
            parts.join(" / ")
        });
        let keys: Vec<&str> = row.legs.iter().map(|leg| leg.key()).collect();
        Self {
            at: findings::moment(row.at, context),
            kind: row.kind.name(),
            legs: keys.join(", "),
            blackout: whole_ms(Some(row.blackout_ms)),
            streams_ms,
            streams: of_pair(row.streams_affected, row.streams),
            calls: of_pair(row.calls_affected, row.calls),
            packets: [row.packets_lost, row.packets_late, row.packets_not_sent]
                .map(figures::count)
                .join(" / "),
            brownout: whole_ms(row.brownout_ms),
            recovered: row
                .recovered_ms
                .map_or_else(|| "never".to_owned(), |ms| whole_ms(Some(ms))),
            mark: row.mark.clone().unwrap_or_else(dash),
        }
    }
}

fn whole_ms(ms: Option<f64>) -> String {
    number_or_dash(ms.map(f64::round))
}
