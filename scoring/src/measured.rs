//! What a run measured: the part of the scorecard that scoring computes from facts, and the
//! series and rows that reports draw and list. Field names are those of `scorecard.json`.
//!
//! Null (none) where nothing was measured; never a default value in its place.

use milliwatt_wire::id::Leg;
use serde::{Deserialize, Serialize};

mod attribution;
mod breaking;
mod disruptions;
mod neighbours;
mod patterns;
mod repeats;
mod rows;
mod thresholds;
mod timers;
mod transfers;

pub use attribution::{Attribution, DelayParts, LegAttribution, Origin, WorstSecond};
pub use breaking::{BreakingPoint, BreakingPoints, Reached, StepLeg, StepOutcome, StepRow};
pub use disruptions::{
    ByLeg, Disruption, DisruptionKind, DisruptionTrace, HookRow, LegDisruption, MarkEffect,
    MarkRow, StreamBlackouts,
};
pub use neighbours::{
    Contention, LegContention, NeighbourAsked, NeighbourMade, NeighbourRow, NeighbourStretch, OnOff,
};
pub use patterns::{BurstGap, Concealment, DeadAirClasses, LossRuns, PlayoutBuffer, Reordering};
pub use repeats::{DisruptionSummary, RepeatBlackouts, RepeatRecoveries, summaries};
pub use rows::{EventRow, RecordingLayout, RecordingRow, SecondRow, SilenceOrigin, StreamRow};
pub use thresholds::{Outcome, ThresholdResult};
pub use timers::{EndTimers, Right, Timers};
pub use transfers::{LegTransfers, Transfers};

/// Pass, fail or invalid; invalid outranks fail outranks pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Every threshold that could be judged passed.
    Pass,
    /// A threshold failed.
    Fail,
    /// The tester, not the guest, decided the outcome: no finding.
    Invalid,
}

/// Everything that one run measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The outcome.
    pub verdict: Verdict,
    /// Facts are missing: an end did not finish in order.
    pub partial: bool,
    /// Whether the tester itself may be believed.
    pub validity: Validity,
    /// The two directions.
    pub legs: Legs,
    /// The recordings that came back.
    pub recordings: Recordings,
    /// Their transfer.
    pub transfers: Transfers,
    /// Every threshold with its outcome.
    pub thresholds: Vec<ThresholdResult>,
    /// Published figures beside ours.
    pub document: Vec<DocumentFigure>,
    /// The guest program's own time keeping and host.
    pub guest: GuestMeasured,
    /// The tester's host.
    pub host: HostMeasured,
    /// How both ends kept time.
    pub timers: Timers,
    /// Clock relation between the ends.
    pub clock: ClockMeasured,
    /// Whose doing delay variation was.
    pub attribution: Attribution,
    /// Where each leg breaks.
    pub breaking_point: BreakingPoints,
    /// The steps of a stepped load.
    pub steps: Vec<StepRow>,
    /// Interruptions of service that most streams had in common, in order of time.
    pub disruptions: Vec<Disruption>,
    /// What happened, or was made to happen, to the guest, in order of time.
    pub marks: Vec<MarkRow>,
    /// Commands of the scenario, in order of their ends.
    pub hooks: Vec<HookRow>,
    /// Load beside the calls, a row a neighbour.
    pub neighbours: Vec<NeighbourRow>,
    /// What it did to calls; none without neighbours.
    pub contention: Option<Contention>,
    /// Calls started, ended by their hold time, cut short by the run's end.
    pub calls: CallCounts,
    /// Seconds of run time: full load's first and the one after its last.
    pub full_load: Option<(u32, u32)>,
    /// What a reader should know beside the verdict, a sentence each.
    pub notes: Vec<String>,
    /// Control traffic of both directions, Mbit/s over full load.
    pub control_mbps: Option<f64>,
    /// A picture of each disruption.
    #[serde(skip)]
    pub disruption_traces: Vec<DisruptionTrace>,
    /// A row a second and leg.
    #[serde(skip)]
    pub seconds: Vec<SecondRow>,
    /// A row a stream.
    #[serde(skip)]
    pub streams: Vec<StreamRow>,
    /// Dead air, silences, marks, stalls, steps, breaking points, in order of time.
    #[serde(skip)]
    pub events: Vec<EventRow>,
    /// A row a recording.
    #[serde(skip)]
    pub recording_rows: Vec<RecordingRow>,
    /// How recordings hold what the guest received.
    #[serde(skip)]
    pub recording_layout: RecordingLayout,
    /// PDV distribution of each leg over full load: (ms, share of packets at or below), for the plot.
    #[serde(skip)]
    pub pdv_curves: [Vec<(f64, f64)>; 2],
    /// Delay and jitter distributions over full load by second, for `.hlog` files: (name, second, bucket counts in ns).
    #[serde(skip)]
    pub histograms: Vec<SecondHistogram>,
}

/// A second's distribution, kept apart so that interval logs can be written.
#[derive(Clone, Debug, PartialEq)]
pub struct SecondHistogram {
    /// `receive-pdv`, `sent-pdv`, `receive-ipdv`, `sent-ipdv`, `tester-lateness`, `guest-lateness`.
    pub name: &'static str,
    /// The second of run time.
    pub second: u32,
    /// (value ns, count).
    pub counts: Vec<(i64, u64)>,
}

/// The tester's own record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    /// False makes the verdict invalid.
    pub valid: bool,
    /// What is wrong and what to do, a sentence each.
    pub reasons: Vec<String>,
    /// Full-load seconds that are no evidence.
    pub tainted_seconds: u32,
    /// Which ones.
    pub tainted: Vec<u32>,
    /// Packets the tester should have sent.
    pub departures_planned: u64,
    /// Packets it sent.
    pub departures_sent: u64,
    /// Slots it did not send.
    pub departures_not_sent: u64,
    /// Packets the tester's own sockets dropped.
    pub socket_drops: u64,
    /// Departure minus due at the tester.
    pub lateness_us: Lateness,
}

/// Lateness over full load, us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lateness {
    /// Median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// 99.9th percentile.
    pub p999: Option<f64>,
    /// Largest, exact.
    pub max: Option<f64>,
}

/// Both directions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Legs {
    /// Tester to guest.
    pub receive: LegMeasured,
    /// Guest to tester.
    pub sent: LegMeasured,
}

impl Legs {
    /// The one named.
    #[must_use]
    pub fn get(&self, leg: Leg) -> &LegMeasured {
        match leg {
            Leg::Receive => &self.receive,
            Leg::Sent => &self.sent,
        }
    }
}

/// One direction. Counts cover the whole run, distributions full load only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LegMeasured {
    /// Streams with at least one packet expected.
    pub streams: u32,
    /// `ledger` when the senders' own counts were there, `sequence-numbers` when they were not.
    pub expected_from: String,
    /// Packets the senders sent.
    pub packets_expected: u64,
    /// Distinct packets that arrived.
    pub packets_received: u64,
    /// Expected minus received.
    pub packets_lost: u64,
    /// Further copies.
    pub packets_duplicated: u64,
    /// RFC 4737.
    pub packets_reordered: u64,
    /// Late at playout.
    pub packets_discarded: u64,
    /// Slots never sent.
    pub packets_not_sent: u64,
    /// Packets of encrypted streams that did not authenticate: they count as nothing else.
    #[serde(default)]
    pub packets_unauthentic: u64,
    /// How often playout of a stream was anchored to a longer transit than before, after a gap: what stays late is played later.
    #[serde(default)]
    pub playout_anchored_anew: u64,
    /// Lost of expected, percent.
    pub loss_percent: Option<f64>,
    /// RFC 3550 A.8.
    pub interarrival_jitter_ms: MeanMax,
    /// RFC 5481 4.1, absolute values.
    pub ipdv_ms: Percentiles,
    /// RFC 5481 4.2.
    pub pdv_ms: PdvPercentiles,
    /// E-model over each stream's life, then over streams.
    pub mos_lq: MosSpread,
    /// Dead-air events.
    pub dead_air: DeadAir,
    /// Those by length.
    pub dead_air_at_least: DeadAirClasses,
    /// Runs of dead slots of any length, with fewer than two live slots between them counted as one.
    pub impairment_events: u64,
    /// What buffers of other depths would have made of the same arrivals; the run's own is among them.
    pub playout_buffers: Vec<PlayoutBuffer>,
    /// RFC 3611 4.7.2.
    pub burst_gap: BurstGap,
    /// RFC 3357.
    pub loss_runs: LossRuns,
    /// RFC 4737.
    pub reordering: Reordering,
    /// RFC 7294.
    pub concealment: Concealment,
    /// Everything the run sent this way, as a NIC counts it.
    pub mbps: MeanMax,
    /// RTP and RTCP of that, mean.
    pub rtp_mbps: Option<f64>,
    /// Recording transfer of that, mean.
    pub transfer_mbps: Option<f64>,
    /// The interface's own counter, mean.
    pub nic_mbps: Option<f64>,
    /// DSCP that arrived, when all streams agree of which the system told.
    pub dscp_arrived: Option<u8>,
}

/// Mean and largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MeanMax {
    /// Mean.
    pub mean: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// Nearest-rank percentiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Median.
    pub p50: Option<f64>,
    /// 99th.
    pub p99: Option<f64>,
    /// 99.9th.
    pub p999: Option<f64>,
    /// Largest, exact.
    pub max: Option<f64>,
}

/// Nearest-rank percentiles of PDV.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PdvPercentiles {
    /// Median.
    pub p50: Option<f64>,
    /// 95th.
    pub p95: Option<f64>,
    /// 99th.
    pub p99: Option<f64>,
    /// 99.9th.
    pub p999: Option<f64>,
    /// Largest, exact.
    pub max: Option<f64>,
}

/// MOS over streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MosSpread {
    /// Worst stream.
    pub min: Option<f64>,
    /// 5th percentile.
    pub p5: Option<f64>,
    /// Median.
    pub median: Option<f64>,
}

/// Dead air of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeadAir {
    /// Events of at least `dead_air.min`.
    pub events: u64,
    /// Of those, events of at least 200 ms.
    pub events_200ms: u64,
    /// Longest, ms; none when there is none.
    pub longest_ms: Option<f64>,
    /// Sum, ms.
    pub total_ms: f64,
    /// Streams with at least one.
    pub streams_affected: u64,
    /// Events a thousand minutes of call leg.
    pub per_1000_call_minutes: Option<f64>,
}

/// Recordings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recordings {
    /// Calls whose recording should come.
    pub expected: u64,
    /// Came whole.
    pub received: u64,
    /// Could be scored.
    pub scored: u64,
    /// Have at least one silence event.
    pub with_silence: u64,
    /// Silence events.
    pub silence_events: u64,
    /// Of those, silences that no dead air of their stream covers and no scenario asked for: the guest's own doing.
    #[serde(default)]
    pub silence_events_unexplained: u64,
    /// Stretches of digital silence between sound and sound, too short for a silence.
    #[serde(default)]
    pub dropout_events: u64,
    /// Places at which a tone goes on with another phase: samples are missing or were put in.
    #[serde(default)]
    pub splice_events: u64,
    /// Stretches with samples at the largest magnitude there is.
    #[serde(default)]
    pub clipping_events: u64,
    /// Channels that are silent from beginning to end.
    #[serde(default)]
    pub one_way_channels: u64,
    /// Channels that hold the other party's audio.
    #[serde(default)]
    pub crossed_channels: u64,
    /// One-sided exact 95 % upper bound of the share with silence, as a share; none without recordings.
    pub upper_bound_95_percent: Option<f64>,
    /// Mean weight on the wire, bit/s of call time.
    pub weight_bits_per_second: Option<f64>,
    /// Recordings that could not be made as small as asked.
    pub heavier_than_asked: u64,
}

/// A figure the document publishes, beside ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentFigure {
    /// What it is.
    pub figure: String,
    /// As published.
    pub published: f64,
    /// As measured here; null where nothing was.
    pub measured: Option<f64>,
    /// Unit of both.
    pub unit: String,
}

/// The guest program's time keeping and host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GuestMeasured {
    /// Playout ticks due.
    pub ticks_planned: Option<u64>,
    /// Ticks that did not run within one packet time.
    pub ticks_missed: Option<u64>,
    /// Tick lateness over full load.
    pub tick_lateness_us: Lateness,
    /// Mean CPU over full load, percent of all cores.
    pub cpu_percent: Option<f64>,
    /// Mean time stolen by the hypervisor.
    pub steal_percent: Option<f64>,
    /// Packets its own sockets dropped (never counted as network loss).
    pub socket_drops: Option<u64>,
    /// Recorder frames it dropped.
    pub recorder_drops: Option<u64>,
    /// Largest step of its realtime clock against its monotonic clock, ms.
    pub clock_step_ms: Option<f64>,
    /// Real-time scheduling: `granted`, or the reason.
    pub real_time: Option<String>,
}

/// The tester's host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostMeasured {
    /// Mean CPU over full load, percent of all cores.
    pub cpu_percent: Option<f64>,
    /// Largest step of its realtime clock, ms.
    pub clock_step_ms: Option<f64>,
    /// Real-time scheduling: `granted`, or the reason.
    pub real_time: Option<String>,
}

/// Clock relation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClockMeasured {
    /// Both ends read one kernel's clock.
    pub same_clock: bool,
    /// Least round trip of the control channel, ms.
    pub round_trip_min_ms: Option<f64>,
    /// Offset at the least round trip, guest minus tester, ms.
    pub offset_ms: Option<f64>,
    /// Skew by the lower hull, guest minus tester, parts per million; before the change, where there is one.
    pub skew_ppm: Option<f64>,
    /// Where it changed, when it did.
    pub skew_change: Option<SkewChange>,
}

/// Where a clock began to run at another rate, or the transit stepped for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SkewChange {
    /// When, s of run time; in a capture, since the first packet after the sender last began.
    pub at_s: f64,
    /// Skew from there on, parts per million.
    pub ppm: f64,
    /// By how much the transit stepped there, ms; it stays in PDV.
    pub step_ms: f64,
}

impl From<crate::clock::SkewChange> for SkewChange {
    fn from(change: crate::clock::SkewChange) -> Self {
        Self {
            at_s: change.at_s,
            ppm: change.ppm(),
            step_ms: change.step_ns / 1e6,
        }
    }
}

/// Calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallCounts {
    /// Begun.
    pub started: u64,
    /// Ended at their hold time.
    pub completed: u64,
    /// Cut short by the run's end.
    pub cut: u64,
}
