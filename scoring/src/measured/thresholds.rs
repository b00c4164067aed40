//! What became of the thresholds of a run.

use milliwatt_wire::id::Leg;
use serde::{Deserialize, Serialize};

/// A threshold and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdResult {
    /// Path in the scorecard.
    pub metric: String,
    /// Which leg, for metrics of a leg.
    pub leg: Option<Leg>,
    /// The limit, in `unit`.
    pub limit: f64,
    /// `max` or `min`.
    pub bound: String,
    /// Unit of limit and measured.
    pub unit: String,
    /// Window, as written: `15s`, `run`.
    pub window: String,
    /// The worst value in any window.
    pub measured: Option<f64>,
    /// The window's place, seconds of run time.
    pub at_s: Option<f64>,
    /// How it ended.
    pub outcome: Outcome,
    /// The same with tainted seconds left out.
    pub outcome_without_tainted: Outcome,
    /// A failure only warns.
    pub warns_only: bool,
    /// `document`, `standard`, `own`, `practice`.
    pub basis: String,
    /// Section or clause.
    pub source: String,
    /// What a person should read beside it: what n proves, that loss decided.
    pub note: Option<String>,
}

impl ThresholdResult {
    /// It fails the run.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.outcome == Outcome::Fail && !self.warns_only
    }
}

/// Outcome of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Within the limit.
    Pass,
    /// Outside it.
    Fail,
    /// Nothing to judge.
    NotMeasured,
}
