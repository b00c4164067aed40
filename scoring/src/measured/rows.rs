//! Rows of the tables that a run leaves: seconds, streams, events, recordings.

use super::DelayParts;
use milliwatt_wire::facts::{DeadCause, Phase};
use milliwatt_wire::id::{Leg, Party, StreamId};
use serde::{Deserialize, Serialize};

/// A second of one leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecondRow {
    /// Second of run time.
    pub second: u32,
    /// The leg.
    pub leg: Leg,
    /// Phase.
    pub phase: Phase,
    /// No evidence against the guest.
    pub tainted: bool,
    /// Calls up at its start.
    pub calls: u32,
    /// Packets due to arrive in it (sent slots).
    pub expected: u64,
    /// Distinct packets that arrived in it.
    pub received: u64,
    /// Lost, placed at their due time.
    pub lost: u64,
    /// Discarded at playout.
    pub discarded: u64,
    /// Not sent.
    pub not_sent: u64,
    /// Duplicates.
    pub duplicated: u64,
    /// Reordered.
    pub reordered: u64,
    /// Mean over packets of J, ms.
    pub interarrival_jitter_mean_ms: Option<f64>,
    /// Largest J, ms.
    pub interarrival_jitter_max_ms: Option<f64>,
    /// Median PDV, ms.
    pub pdv_p50_ms: Option<f64>,
    /// 99th percentile.
    pub pdv_p99_ms: Option<f64>,
    /// 99.9th percentile.
    pub pdv_p999_ms: Option<f64>,
    /// Largest, exact.
    pub pdv_max_ms: Option<f64>,
    /// Dead slots of events of at least `dead_air.min`, placed at their time, ms of all streams together.
    pub dead_air_ms: f64,
    /// Dead-air events begun in it.
    pub dead_air_events: u64,
    /// Mbit/s sent this way.
    pub mbps: Option<f64>,
    /// RTP and RTCP of it.
    pub rtp_mbps: Option<f64>,
    /// Transfer of it.
    pub transfer_mbps: Option<f64>,
    /// The interface's own count.
    pub nic_mbps: Option<f64>,
    /// 99.9th percentile of the sender's lateness, us.
    pub sender_lateness_p999_us: Option<f64>,
    /// What held the packets due in it, in the mean.
    pub delay: Option<DelayParts>,
    /// What the receiver's TCP acknowledged of transfers this way, Mbit/s without headers; this and what follows is none
    /// where the sender told of no transfer in it.
    pub transfer_goodput_mbps: Option<f64>,
    /// The longest time of any connection without an acknowledgement while something was outstanding, ms.
    pub transfer_stalled_ms: Option<f64>,
    /// TCP segments sent again.
    pub transfer_retransmissions: Option<u64>,
}

/// A stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamRow {
    /// Which.
    pub stream: StreamId,
    /// SSRC as `0x` and eight digits.
    pub ssrc: Option<u32>,
    /// First packet due, s of run time.
    pub start_s: Option<f64>,
    /// By the ledger, when there is one.
    pub expected: u64,
    /// Distinct packets.
    pub received: u64,
    /// Lost.
    pub lost: u64,
    /// Discarded.
    pub discarded: u64,
    /// Not sent.
    pub not_sent: u64,
    /// Duplicates.
    pub duplicated: u64,
    /// Reordered.
    pub reordered: u64,
    /// Mean J, ms.
    pub interarrival_jitter_mean_ms: Option<f64>,
    /// Largest J, ms.
    pub interarrival_jitter_max_ms: Option<f64>,
    /// Largest PDV, ms.
    pub pdv_max_ms: Option<f64>,
    /// Dead-air events.
    pub dead_air_events: u64,
    /// Longest, ms.
    pub dead_air_longest_ms: Option<f64>,
    /// E-model.
    pub mos_lq: Option<f64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRow {
    /// Run time, s.
    pub at_s: f64,
    /// `dead-air`, `silence`, `stall`, `step` (its begin), `breaking-point` (where a leg broke), what else a recording holds,
    /// `mark`, `hook` (a command's begin and end), `hypervisor`, `phase` (its begin), or an event of the control plane.
    pub kind: String,
    /// The stream, for dead air.
    pub stream: Option<StreamId>,
    /// The call, for a silence in its recording.
    pub call: Option<u32>,
    /// Channel of the recording.
    pub channel: Option<u8>,
    /// Length, ms.
    pub duration_ms: Option<f64>,
    /// Main cause of dead air.
    pub cause: Option<DeadCause>,
    /// Where a silence came from; not written where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<SilenceOrigin>,
    /// Name in `recordings/` of the recording that a silence lies in; not written where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Start of a silence in its recording, s; not written where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_s: Option<f64>,
    /// In a tainted second.
    pub tainted: bool,
    /// For people.
    pub text: String,
}

/// Where a silence in a recording came from. The words are those of `events.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SilenceOrigin {
    /// Packets that should have filled it were dead; `cause` says why.
    DeadAir,
    /// The scenario asked for it.
    Known,
    /// No packet explains it: the guest's own doing.
    Unexplained,
}

/// How recordings hold what the guest received: ties the run time of dead air to the place in a recording where it is heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordingLayout {
    /// A packet is heard so long after its due time, ms.
    pub playout_buffer_ms: f64,
    /// A channel a party, 0 for party A; otherwise the channel holds both.
    pub channel_a_party: bool,
}

impl Default for RecordingLayout {
    /// What is taken for granted where no scenario is known: 60 ms, mixed.
    fn default() -> Self {
        Self {
            playout_buffer_ms: 60.0,
            channel_a_party: false,
        }
    }
}

impl RecordingLayout {
    /// Whether a channel holds a party.
    #[must_use]
    pub fn holds(&self, channel: u8, party: Party) -> bool {
        !self.channel_a_party || party as u8 == channel
    }
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingRow {
    /// The call.
    pub call: u32,
    /// File name.
    pub file: String,
    /// Received whole.
    pub received: bool,
    /// Length, s.
    pub seconds: Option<f64>,
    /// Octets on the wire before TCP headers.
    pub wire_octets: Option<u64>,
    /// Transfers until confirmed.
    pub attempts: Option<u32>,
    /// Silence events.
    pub silence_events: u64,
    /// Longest, ms.
    pub longest_ms: Option<f64>,
    /// Why not scored.
    pub error: Option<String>,
}
