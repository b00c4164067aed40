//! `scorecard.json`: the outcome of a run for scripts. Field names are fixed and only ever added
//! to; `scorecard.schema.json` describes them.

use crate::context::{NoiseFloor, RunContext};
use crate::figures;
use milliwatt_scoring::measured::{
    Attribution, BreakingPoints, CallCounts, ClockMeasured, Contention, Disruption,
    DisruptionSummary, DocumentFigure, GuestMeasured, HookRow, HostMeasured, Legs, MarkRow,
    Measured, NeighbourRow, Recordings, StepRow, ThresholdResult, Timers, Transfers, Validity,
    Verdict, summaries,
};
use serde::{Deserialize, Serialize};

/// Version of the scorecard's format. It rises only when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// The scorecard. Null (none) where nothing was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The outcome; invalid outranks fail outranks pass.
    pub verdict: Verdict,
    /// The scenario's name.
    pub scenario: String,
    /// Facts are missing: an end did not finish in order.
    pub partial: bool,
    /// Which run this is.
    pub run: RunIdentity,
    /// What the test says something about.
    pub scope: Scope,
    /// Whether the tester itself may be believed.
    pub validity: Validity,
    /// The two directions.
    pub legs: Legs,
    /// The recordings that came back; here `upper_bound_95_percent` is in percent.
    pub recordings: Recordings,
    /// Their transfer each way; null where nothing was transferred.
    #[serde(default)]
    pub transfers: Transfers,
    /// Every threshold with its outcome.
    pub thresholds: Vec<ThresholdResult>,
    /// Published figures beside ours: shown, not judged.
    pub document: Vec<DocumentFigure>,
    /// Calls started, completed, cut short.
    pub calls: CallCounts,
    /// Seconds of run time: full load's first and the one after its last.
    pub full_load: Option<(u32, u32)>,
    /// Control traffic of both directions, Mbit/s over full load.
    pub control_mbps: Option<f64>,
    /// What a reader should know beside the verdict.
    pub notes: Vec<String>,
    /// The load at which each leg breaks.
    pub breaking_point: BreakingPoints,
    /// The steps of a load that rose in steps or was searched.
    pub steps: Vec<StepRow>,
    /// Interruptions of service that most streams had in common, in order of time.
    #[serde(default)]
    pub disruptions: Vec<Disruption>,
    /// What happened, or was made to happen, to the guest, and what live calls went through then.
    #[serde(default)]
    pub marks: Vec<MarkRow>,
    /// Commands of the scenario, and how they ended.
    #[serde(default)]
    pub hooks: Vec<HookRow>,
    /// Load beside the calls: what was asked of each neighbour, and what it made.
    #[serde(default)]
    pub neighbours: Vec<NeighbourRow>,
    /// What calls went through with that load on and with it off; null without neighbours.
    #[serde(default)]
    pub contention: Option<Contention>,
    /// What each mark and command did to live calls, over all times that it was done.
    #[serde(default)]
    pub disruption_summary: Vec<DisruptionSummary>,
    /// The guest program's own time keeping and host.
    pub guest: GuestMeasured,
    /// The tester's host.
    pub host: HostMeasured,
    /// Clock relation between the ends.
    pub clock: ClockMeasured,
    /// Timers of both ends.
    pub timers: Timers,
    /// What calibration found on the tester; null when it was not calibrated.
    pub noise_floor: Option<NoiseFloor>,
    /// Where delay variation came from.
    pub attribution: Attribution,
    /// Several guests in one test.
    pub guests: Vec<Reserved>,
}

/// Which run a scorecard belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// The run directory.
    pub directory: String,
    /// Run time zero, RFC 3339 UTC.
    pub started: String,
    /// Length of the run, s.
    pub duration_s: f64,
    /// Version of milliwatt that measured.
    pub milliwatt: String,
    /// The command line.
    pub command: String,
    /// The guest program.
    pub guest: String,
}

/// What was in the path and what was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// A sentence each.
    pub lines: Vec<String>,
}

/// The value of a field whose name is fixed and that this version never measures: it cannot be
/// made, so such a field is always null or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reserved {}

impl Scorecard {
    /// The scorecard of a run.
    #[must_use]
    pub fn new(context: &RunContext, measured: &Measured) -> Self {
        // Without the rows, which a long run has many of.
        let m = measured;
        Self {
            schema_version: SCHEMA_VERSION,
            verdict: m.verdict,
            scenario: context.scenario.clone(),
            partial: m.partial,
            run: RunIdentity::new(context),
            scope: Scope {
                lines: context.scope.clone(),
            },
            validity: m.validity.clone(),
            legs: m.legs.clone(),
            recordings: Recordings {
                upper_bound_95_percent: m
                    .recordings
                    .upper_bound_95_percent
                    .map(|share| share * 100.0),
                ..m.recordings
            },
            transfers: m.transfers,
            thresholds: m.thresholds.clone(),
            document: m.document.clone(),
            calls: m.calls,
            full_load: m.full_load,
            control_mbps: m.control_mbps,
            notes: m.notes.clone(),
            breaking_point: m.breaking_point.clone(),
            steps: m.steps.clone(),
            disruptions: m.disruptions.clone(),
            marks: m.marks.clone(),
            hooks: m.hooks.clone(),
            neighbours: m.neighbours.clone(),
            contention: m.contention,
            disruption_summary: summaries(&m.marks, &m.hooks, &m.disruptions),
            guest: m.guest.clone(),
            host: m.host.clone(),
            clock: m.clock.clone(),
            timers: m.timers.clone(),
            noise_floor: context.floor.clone(),
            attribution: m.attribution,
            guests: Vec::new(),
        }
    }

    /// `scorecard.json`, indented, with a last newline.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl RunIdentity {
    fn new(context: &RunContext) -> Self {
        Self {
            directory: context.directory.clone(),
            started: figures::rfc3339(context.started),
            duration_s: context.duration_s,
            milliwatt: context.version.clone(),
            command: context.command.clone(),
            guest: context.guest.clone(),
        }
    }
}
