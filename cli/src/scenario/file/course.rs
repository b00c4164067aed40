//! What changes in the course of a run: load, neighbours, known silences.

use super::super::value::{BitRate, Duration, OctetRate, Octets};
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

/// Load beside the calls, made by an agent on another virtual machine of the guest's host (`--neighbour`). Of one such
/// section each `--neighbour` takes this load; of several, each its own, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Processors it uses. Default 0: none.
    #[serde(default)]
    pub cores: u32,
    /// How much of each, 1 to 100. Default 100.
    #[serde(default = "hundred_percent")]
    pub percent: u8,
    /// Memory that it touches and holds, such as "2 GiB". Default none.
    pub memory: Option<Octets>,
    /// Written to a file of at most 1 GiB in its agent's folder, in a circle, such as "100 MiB/s". Default none.
    pub disk: Option<OctetRate>,
    /// Sent to the tester, such as "200 Mbit/s", over TCP. Default none.
    pub network: Option<BitRate>,
    /// It makes load in the phase of this name, and in no other.
    pub phase: Option<String>,
    /// It begins at this time of full load. Default at once.
    pub on: Option<Duration>,
    /// It ends at this time of full load. Default with the run.
    pub off: Option<Duration>,
    /// Within that time, it makes load for so long, then none for `idle`, and so on. Default: load all the time.
    pub busy: Option<Duration>,
    /// See `busy`.
    pub idle: Option<Duration>,
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

fn hundred_percent() -> u8 {
    100
}

fn three_percent() -> f64 {
    3.0
}
