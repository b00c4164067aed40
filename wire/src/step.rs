//! A load whose course is not known beforehand: steps, one after the other, that the tester decides on while the run
//! goes on and tells the agent some time before each begins.

use crate::time::RunTime;
use serde::{Deserialize, Serialize};

/// Most steps of a run.
pub const STEPS_MAX: u32 = 1000;

/// One step: so many calls, all at once, for so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 0, none left out.
    pub index: u32,
    /// First packet time of its calls, and the begin of its transfers: a whole second.
    pub from: RunTime,
    /// The end of both, a whole second too.
    pub until: RunTime,
    /// Calls up: those of lanes 0 to this, exclusive.
    pub calls: u32,
    /// Number of its first call: lane n has call `first_call` + n.
    pub first_call: u32,
    /// What is transferred beside the calls.
    pub flow: Flow,
}

/// How fast files are transferred beside the calls of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// Not at all.
    None,
    /// All connections together at this many bit/s, as a network interface counts: with headers, IP packet plus 14 octets.
    Paced(u64),
    /// As TCP goes.
    Unpaced,
}

/// Why a step is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// One step of a ramp.
    Ramp,
    /// A load of a search that was not offered before.
    Search,
    /// A load that was offered before: an edge that is made sure of, or a step that the tester spoilt.
    Repeat,
    /// The last good load with transfers as TCP goes.
    Bursts,
    /// The last good load, for long.
    Confirm,
}

impl StepKind {
    /// The written name: `ramp`, `search`, `repeat`, `bursts`, `confirm`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ramp => "ramp",
            Self::Search => "search",
            Self::Repeat => "repeat",
            Self::Bursts => "bursts",
            Self::Confirm => "confirm",
        }
    }
}
