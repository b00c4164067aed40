//! What is to happen during full load: its named parts, what happens to the guest, who tells of it.

use super::super::value::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A named part of the full-load time. Full load ends with the last of them, or before, where `for` at the top or --for says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// How long it lasts; this or `until`.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// It ends with the event of this label: with the end of its command, with its time where it has no command, or with
    /// `milliwatt mark LABEL`. "LABEL started" and "LABEL ended" tell a command's begin from its end. This or `for`.
    pub until: Option<String>,
    /// With `until`: it ends after so long in any case. Default 2h.
    pub max: Option<Duration>,
}

/// Something that happens to the guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, of full load, or of the time after `after`; without both it comes from `milliwatt mark`.
    pub at: Option<Duration>,
    /// The phase after whose end `at` counts; `at` is then 0s by default.
    pub after: Option<String>,
    /// Its name in plots and in the report.
    pub label: String,
    /// A command of the tester's machine that makes it happen: the program and each argument, no shell.
    pub run: Option<Vec<String>>,
    /// The command, and all that it started, is ended after so long. Default 10m.
    pub timeout: Option<Duration>,
    /// How many times it happens. Default once.
    pub repeat: Option<u32>,
    /// From one time to the next; a command that still runs is waited for.
    pub every: Option<Duration>,
}

/// Something at the hypervisor that tells what happens to the guest; each word of it is a mark. One that cannot be reached, or
/// breaks, is told of and tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is.
    pub kind: SourceKind,
    /// Of qmp: QEMU's QMP socket. It serves one client at a time: give the guest a second one (`-qmp unix:PATH,server=on,wait=off`),
    /// or forward one from another host (`ssh -L PATH:PATH host`).
    pub socket: Option<PathBuf>,
    /// Of log: the file, read from its end on, also when another takes its name.
    pub file: Option<PathBuf>,
    /// Of log: the regular expression that finds lines; the label is what its first group holds, or all that it finds.
    pub pattern: Option<String>,
    /// Of azure: where the Metadata Service answers. Default `http://169.254.169.254`, which a machine of the same availability set
    /// or scale set can ask; from elsewhere a port forwarded from the guest, such as `http://127.0.0.1:8169`.
    pub address: Option<String>,
}

/// What tells of the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// Events of QEMU's machine protocol: stopped, resumed, migration, jobs of disks, power.
    Qmp,
    /// A log: of libvirt, of a backup program, of whatever writes one.
    Log,
    /// Azure's scheduled events.
    Azure,
}
