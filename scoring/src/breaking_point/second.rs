//! What is kept of one second of a step.

use crate::percentile::{Distribution, Percentile};
use crate::scorer::end::{add_pacing, lateness_of, to_unit};
use milliwatt_wire::facts::{PacingSecond, SentSecond, TransferSecond};

/// A leg in one second: what arrived is by the second of arrival, what was lost and what fell silent by when it was due.
#[derive(Clone, Debug, Default)]
pub(super) struct LegTally {
    pub received: u64,
    pub discarded: u64,
    pub lost: u64,
    /// Runs of dead slots that begin in it and are long enough.
    pub dead_air: u64,
    /// Of those, what the guest's playout missed.
    pub dead_air_of_playout: u64,
    /// Transit above each stream's least so far, ns.
    pub pdv: Distribution,
    /// What the sending end sent, once it told.
    pub sent: Option<SentSecond>,
    /// Packets that were due and that the sending end came too late for.
    pub unsent: u64,
    /// What the sending end transferred: octets allowed, where there was a pace, and acknowledged.
    pub transferred: Option<(Option<u64>, u64)>,
}

impl LegTally {
    pub(super) fn add_sent(&mut self, more: &SentSecond) {
        let sent = self.sent.get_or_insert_default();
        sent.rtp_packets += more.rtp_packets;
        sent.rtp_octets += more.rtp_octets;
        sent.rtcp_octets += more.rtcp_octets;
        sent.transfer_octets += more.transfer_octets;
        sent.control_octets += more.control_octets;
    }

    pub(super) fn add_transferred(&mut self, more: &TransferSecond) {
        let (allowed, acknowledged) = self.transferred.get_or_insert_default();
        *acknowledged += more.acknowledged_octets;
        if let Some(octets) = more.allowed_octets {
            *allowed.get_or_insert_default() += octets;
        }
    }

    /// Packets sent; without the sender's word, those that are known of.
    pub(super) fn expected(&self) -> u64 {
        let known = self.received + self.lost;
        self.sent
            .map_or(known, |sent| u64::from(sent.rtp_packets).max(self.lost))
    }
}

/// An end in one second.
#[derive(Clone, Debug, Default)]
pub(super) struct EndTally {
    /// It told something of it.
    pub told: bool,
    /// Its sockets dropped packets.
    pub dropped: bool,
    pacing: PacingSecond,
}

impl EndTally {
    pub(super) fn add_pacing(&mut self, more: &PacingSecond) {
        add_pacing(&mut self.pacing, more);
    }

    /// It did not keep its own time, or dropped packets itself.
    pub(super) fn is_tainted(&self, lateness_bound_us: f64) -> bool {
        let p999 = lateness_of(&self.pacing).percentile(Percentile::P999);
        let late = p999.is_some_and(|ns| to_unit(ns, 1e3) > lateness_bound_us);
        self.dropped || self.pacing.not_sent > 0 || late
    }
}

/// Both legs and both ends in one second.
#[derive(Clone, Debug, Default)]
pub(super) struct StepSecond {
    pub legs: [LegTally; 2],
    pub ends: [EndTally; 2],
}
