//! What happened, or was made to happen, to the guest.

use serde::{Deserialize, Serialize};

/// Who says that something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkSource {
    /// A person or a script: `milliwatt mark`.
    Told,
    /// The scenario, at a time of its own.
    Scenario,
    /// The scenario, as it starts a command.
    HookStarted,
    /// The scenario, as its command ended.
    HookEnded,
    /// The hypervisor, by the source named here.
    Hypervisor(String),
}

/// How a command of the scenario ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookOutcome {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It ran on past its time and was ended.
    TimedOut,
    /// It could not be started: why.
    NotStarted(String),
    /// It was killed and did not end: it hangs in the system, and is left.
    NotEnded,
}
