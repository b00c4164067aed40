//! What live calls went through when the service was interrupted, and what is known to have been done then.

use milliwatt_wire::facts::Phase;
use milliwatt_wire::id::Leg;
use serde::{Deserialize, Serialize};

/// What most streams were silent of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisruptionKind {
    /// Packets were lost.
    Loss,
    /// Packets came late, in a clump, and what was missed was made up for.
    Delay,
    /// The guest stood still: it did not send, or did not play what came, and did not make up for it.
    Pause,
}

impl DisruptionKind {
    /// As written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Pause => "pause",
        }
    }
}

/// An interruption of service that most streams of a leg had in common. Times are run time of the tester.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disruption {
    /// When it began, s.
    pub at: f64,
    /// Pause where the guest stood still on either leg; else that of the leg with the longer blackout.
    pub kind: DisruptionKind,
    /// The common blackout of the leg on which it was longer, ms.
    pub blackout_ms: f64,
    /// Seconds around it with much more delay variation than before, its own among them, ms; none where no packet told.
    pub brownout_ms: Option<f64>,
    /// Of these, those before it.
    pub brownout_before_ms: Option<f64>,
    /// Those after it had recovered.
    pub brownout_after_ms: Option<f64>,
    /// The largest 99th percentile of delay variation of a second of the brownout; none without one.
    pub brownout_pdv_p99_ms: Option<f64>,
    /// Streams that were hit on either leg: a stream is a party's, both ways.
    pub streams_affected: u64,
    /// Streams up when it began.
    pub streams: u64,
    /// Calls of which a stream was hit.
    pub calls_affected: u64,
    /// Calls up when it began.
    pub calls: u64,
    /// Calls of which a stream was not heard of again.
    pub calls_lost: u64,
    /// Packets sent and never arrived, from its begin until it had recovered.
    pub packets_lost: u64,
    /// Packets that arrived over 20 ms late, or that the guest read too late to play.
    pub packets_late: u64,
    /// Slots in which a sender that stood still sent nothing.
    pub packets_not_sent: u64,
    /// From its begin until 19 in 20 of the streams hit flowed as before, ms; null where more did not.
    pub recovered_ms: Option<f64>,
    /// The legs on which most streams were hit.
    pub legs: Vec<Leg>,
    /// What each of them went through.
    pub by_leg: ByLeg,
    /// By how much the guest's clock stepped against the tester's, ms; null where no exchange told.
    pub clock_step_ms: Option<f64>,
    /// Label of the mark that it belongs to; null where none is near.
    pub mark: Option<String>,
    /// When that mark was told, s.
    pub mark_at: Option<f64>,
    /// Named part of the run that it began in.
    pub part: Option<String>,
    /// Phase that it began in.
    pub phase: Phase,
    /// It began in a second in which the tester did not keep its own time, by less than would explain it.
    pub tainted: bool,
}

/// What a disruption did to each leg; null where most streams flowed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ByLeg {
    /// Tester to guest.
    pub receive: Option<LegDisruption>,
    /// Guest to tester.
    pub sent: Option<LegDisruption>,
}

impl ByLeg {
    /// The one named.
    #[must_use]
    pub fn get(&self, leg: Leg) -> Option<&LegDisruption> {
        match leg {
            Leg::Receive => self.receive.as_ref(),
            Leg::Sent => self.sent.as_ref(),
        }
    }
}

/// What a disruption did to a leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegDisruption {
    /// Of its own streams.
    pub kind: DisruptionKind,
    /// When its longest common blackout began, s.
    pub from_s: f64,
    /// When it ended, s; the end of what was recorded where it did not.
    pub until_s: f64,
    /// How long that is, ms: in it none of the streams hit, but one in twenty, had a packet or was played.
    pub blackout_ms: f64,
    /// Common blackouts near each other that are one disruption.
    pub blackouts: u64,
    /// Blackouts of the single streams, each its longest: from packet to packet, less a packet time.
    pub stream_blackout_ms: StreamBlackouts,
    /// Streams hit.
    pub streams_affected: u64,
    /// Streams up.
    pub streams: u64,
    /// See [`Disruption::packets_lost`].
    pub packets_lost: u64,
    /// See [`Disruption::packets_late`].
    pub packets_late: u64,
    /// See [`Disruption::packets_not_sent`].
    pub packets_not_sent: u64,
    /// From the disruption's begin, ms.
    pub recovered_ms: Option<f64>,
    /// By how much the least transit after it lies above that before it, ms: a clock that stood still or was set, or another
    /// path; null where too little was told.
    pub step_ms: Option<f64>,
    /// The largest 99th percentile of delay variation of a second of its brownout, ms; null without one.
    pub brownout_pdv_p99_ms: Option<f64>,
    /// The same of a second before it, in the median, ms.
    pub baseline_pdv_p99_ms: Option<f64>,
}

/// Nearest-rank percentiles over streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamBlackouts {
    /// Median.
    pub p50: Option<f64>,
    /// 95th.
    pub p95: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

/// What a mark did to live calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MarkEffect {
    /// No disruption is near it.
    None,
    /// One is.
    Disruption,
}

/// Something that happened, or was made to happen, to the guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MarkRow {
    /// Its name.
    pub label: String,
    /// When, s of run time.
    pub at: f64,
    /// Who told: `told`, `scenario`, `hook-started`, `hook-ended` or `hypervisor`.
    pub source: String,
    /// Which source of the hypervisor; null of others.
    pub detail: Option<String>,
    /// What live calls went through near it.
    pub effect: MarkEffect,
    /// When each disruption near it began, s.
    pub disruptions_at: Vec<f64>,
}

/// A command of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HookRow {
    /// Label of the event that ran it.
    pub label: String,
    /// When it was started, s of run time.
    pub started: f64,
    /// When it ended, s.
    pub ended: f64,
    /// How: `exited`, `signalled`, `timed-out`, `not-started` or `not-ended`.
    pub outcome: String,
    /// Its exit code, where it exited.
    pub exit_code: Option<i32>,
    /// The signal, or why it could not be started.
    pub detail: Option<String>,
    /// The end of what it wrote.
    pub output: String,
    /// What live calls went through while it ran and shortly after.
    pub effect: MarkEffect,
    /// When each disruption of that time began, s.
    pub disruptions_at: Vec<f64>,
}

/// How many streams were silent around a disruption, for its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct DisruptionTrace {
    /// When the picture begins, s of run time.
    pub from_s: f64,
    /// When it ends.
    pub until_s: f64,
    /// Of each leg, the most streams silent in each of equal parts of it; nothing of a leg that flowed.
    pub silent: [Vec<u32>; 2],
}
