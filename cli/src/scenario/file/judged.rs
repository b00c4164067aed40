//! By what a run is judged, given up and compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When to give up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Abort {
    /// "METRIC > NUMBER for DURATION", or "never". Default "`loss_percent` > 5 for 10s".
    pub when: String,
}

impl Default for Abort {
    fn default() -> Self {
        Self {
            when: "loss_percent > 5 for 10s".to_owned(),
        }
    }
}

/// A limit on what is measured: exactly one of `max` and `min`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// A path of scorecard.json, inside the leg (`loss_percent`) or from the top (`recordings.with_silence`).
    pub metric: String,
    /// For metrics of a leg: which. Default both.
    pub leg: Option<Leg>,
    /// At most this, in the metric's unit.
    pub max: Option<f64>,
    /// At least this, in the metric's unit.
    pub min: Option<f64>,
    /// For counts: the limit holds for each so many, `max` x ceil(n / per).
    pub per: Option<u32>,
    /// Any stretch of full load so long, such as "10s", or "run". Default "run".
    pub window: Option<String>,
    /// Exceeding it only warns. Default false.
    #[serde(default)]
    pub warns_only: bool,
    /// What the limit rests on. Default own.
    pub basis: Option<Basis>,
    /// Section or clause that the limit comes from.
    pub source: Option<String>,
}

/// A direction, named from the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Leg {
    /// Tester to guest.
    Receive,
    /// Guest to tester.
    Sent,
}

/// What a limit rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The document that the test reproduces.
    Document,
    /// A standard.
    Standard,
    /// Milliwatt's own: adjust to your agreement.
    Own,
    /// What is done in the field.
    Practice,
}

/// A published figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it is.
    pub figure: String,
    /// As published.
    pub published: f64,
    /// Its unit.
    pub unit: String,
    /// What of ours stands beside it.
    pub measured: Measured,
}

/// What of ours stands beside a published figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Measured {
    /// Receive leg, mean over full load, 1e6 octets a second.
    ReceiveMegabytesPerSecond,
    /// Sent leg, likewise.
    SentMegabytesPerSecond,
    /// Recordings with at least one silence event.
    SilentRecordings,
    /// CPU of the guest, percent of all cores, mean over full load.
    GuestCpuPercent,
}
