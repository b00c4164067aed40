//! What changes in the course of a run: load, phases, events, neighbours, known silences.

use super::super::value::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Load that rises in steps, or is searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// What rises.
    pub quantity: Quantity,
    /// First step.
    pub from: f64,
    /// Last step.
    pub to: f64,
    /// From one step to the next. Needed where nothing is searched.
    pub step: Option<f64>,
    /// Time on each step, whole seconds. Default: 6s; of a search with --for 4s to 8s, so that it fits.
    pub hold: Option<Duration>,
    /// By what the load rises. Default rtp.
    #[serde(default)]
    pub mode: Mode,
    /// Calls up where the transfer rises. Default: the guest's rating, 32 a processor of it, at most `calls.concurrent`.
    pub calls: Option<u32>,
}

/// What a ramp raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Quantity {
    /// Concurrent calls.
    Calls,
    /// Mbit/s of the sent leg, transfers included.
    Mbps,
}

/// By what a load rises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Calls, past any rating, with transfers at the rate at which they would fill recordings: `calls.concurrent` says nothing.
    #[default]
    Rtp,
    /// Transfers, beside calls whose number stays.
    Backlog,
}

/// Search for the breaking point of each leg, between `ramp.from` and `ramp.to`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// It ends when good and bad are this close, percent of the bad load. Default 3.
    #[serde(default = "three_percent")]
    pub precision: f64,
    /// Times that the last good and the first bad load are tried with the same outcome. Default 2.
    #[serde(default = "two_times")]
    pub repeats: u32,
    /// Then the last good load of both legs is offered once more with transfers as TCP goes: shown, not judged. Default false.
    #[serde(default)]
    pub bursts: bool,
    /// At last the last good load is held for so long: a leg may fail only after some time at load. Left out with a shorter
    /// --for. Default: not at all.
    pub confirm: Option<Duration>,
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

fn two_times() -> u32 {
    2
}

fn three_percent() -> f64 {
    3.0
}
