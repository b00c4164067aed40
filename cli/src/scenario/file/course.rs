//! What changes in the course of a run: load, phases, events, neighbours, known silences.

use super::super::value::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Load that rises in steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// What rises.
    pub quantity: Quantity,
    /// First step.
    pub from: f64,
    /// Last step.
    pub to: f64,
    /// From one step to the next.
    pub step: f64,
    /// Time on each step.
    pub hold: Duration,
}

/// What a ramp raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Concurrent calls.
    Calls,
    /// Mbit/s of the sent leg.
    Mbps,
}

/// Search for the breaking point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Stop when good and bad are this close, in the ramp's quantity.
    pub precision: f64,
    /// Times each candidate is tried. Default 1.
    #[serde(default = "one_time")]
    pub repeats: u32,
    /// Time at the found load, to confirm it.
    pub confirm: Duration,
}

/// A named part of the full-load time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long it lasts; this or `until`.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// The label of the event that ends it; this or `for`.
    pub until: Option<String>,
}

/// Something that happens to the guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, of full load; left out, it comes from `milliwatt mark`.
    pub at: Option<Duration>,
    /// Its name in plots and in the report.
    pub label: String,
    /// A command of the tester that makes it happen.
    pub run: Option<String>,
}

/// CPU load beside the calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Cores it uses.
    pub cores: u32,
    /// How much of each, 1 to 100.
    pub percent: u8,
    /// It begins at this time of full load. Default at once.
    pub on: Option<Duration>,
    /// It ends at this time of full load. Default with the run.
    pub off: Option<Duration>,
}

/// A silence put into the sent audio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownSilence {
    /// The call's number, from 0.
    pub call: u32,
    /// Who falls silent.
    pub party: Party,
    /// From here on, after the call's start.
    pub at: Duration,
    /// For so long.
    #[serde(rename = "for")]
    pub length: Duration,
}

/// One of the two people of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Party {
    /// The first: left channel.
    A,
    /// The second: right channel.
    B,
}

fn one_time() -> u32 {
    1
}
