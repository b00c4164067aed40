//! Seconds of a leg summed up, and held against the limits.

use super::second::LegTally;
use crate::judgement::StepLimits;
use crate::percentile::{Distribution, Percentile};
use crate::scorer::end::{float, ms, ratio};

/// Slots of a minute of call leg.
const SLOTS_A_MINUTE: u64 = 3000;
/// Minutes of call leg that the limit of dead air is for.
const MINUTES_A_LOT: u64 = 1000;
/// Octets of a TCP segment as a network interface counts, and of what it carries: 1500 octets of IP packet with 20 of IP and
/// 32 of TCP header, time stamps included (RFC 7323).
const SEGMENT_OCTETS: (f64, f64) = (1514.0, 1448.0);
/// Octets of an RTP packet of 160 octets as a network interface counts, where the sender told nothing.
const PACKET_OCTETS: f64 = 214.0;

/// A limit of a step, in the order in which equals are named: a queue shows in PDV before it loses anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Pdv,
    Loss,
    Discarded,
    DeadAir,
    Transfer,
}

impl Limit {
    pub(super) const ALL: [Self; 5] = [
        Self::Pdv,
        Self::Loss,
        Self::Discarded,
        Self::DeadAir,
        Self::Transfer,
    ];

    /// The metric's name in the scorecard.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Pdv => "pdv_ms.p999",
            Self::Loss => "loss_percent",
            Self::Discarded => "discarded_percent",
            Self::DeadAir => "dead_air.events",
            Self::Transfer => "transfer.goodput_percent",
        }
    }
}

/// Some seconds of a leg.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    seconds: u64,
    /// Of which the sender told what it sent.
    sent_seconds: u64,
    octets: u64,
    transfer_octets: u64,
    rtp_octets: u64,
    rtp_packets: u64,
    unsent: u64,
    expected: u64,
    received: u64,
    lost: u64,
    discarded: u64,
    pub dead_air: u64,
    dead_air_of_playout: u64,
    pdv: Distribution,
    acknowledged: u64,
    /// Where there was a pace: octets allowed, and acknowledged without headers.
    paced: Option<(u64, u64)>,
}

impl<'a> FromIterator<&'a LegTally> for Sums {
    fn from_iter<I: IntoIterator<Item = &'a LegTally>>(tallies: I) -> Self {
        let mut sums = Self::default();
        tallies.into_iter().for_each(|tally| sums.add(tally));
        sums
    }
}

impl Sums {
    fn add(&mut self, tally: &LegTally) {
        self.seconds += 1;
        self.expected += tally.expected();
        self.received += tally.received;
        self.lost += tally.lost;
        self.discarded += tally.discarded;
        self.dead_air += tally.dead_air;
        self.dead_air_of_playout += tally.dead_air_of_playout;
        self.pdv.add(&tally.pdv);
        if let Some(sent) = tally.sent {
            self.sent_seconds += 1;
            self.rtp_packets += u64::from(sent.rtp_packets);
            self.rtp_octets += sent.rtp_octets;
            self.transfer_octets += sent.transfer_octets;
            // What the pace allowed was offered, also where TCP held some of it back; and what was due, also where an
            // overloaded guest left it out.
            let allowed = tally.transferred.and_then(|(allowed, _)| allowed);
            let transfer = sent.transfer_octets.max(allowed.unwrap_or(0));
            self.octets += sent.rtp_octets + sent.rtcp_octets + transfer + sent.control_octets;
            self.unsent += tally.unsent;
        }
        if let Some((allowed, acknowledged)) = tally.transferred {
            self.acknowledged += acknowledged;
            if let Some(allowed) = allowed {
                let paced = self.paced.get_or_insert_default();
                *paced = (paced.0 + allowed, paced.1 + acknowledged);
            }
        }
    }

    /// The same, had the guest's playout missed nothing.
    pub(super) fn without_missed_playout(mut self) -> Self {
        self.dead_air -= std::mem::take(&mut self.dead_air_of_playout);
        self
    }

    /// No packet is known of.
    pub(super) fn is_empty(&self) -> bool {
        self.expected == 0
    }

    /// Past a limit, when these were the only seconds of a step to be told of and the rest of `whole` had nothing amiss:
    /// with as many as there are, as they are.
    pub(super) fn is_past(&self, limit: Limit, limits: &StepLimits, whole: u64) -> bool {
        let more = float(whole.max(self.seconds)) / float(self.seconds.max(1));
        let share = |part: u64, percent: f64| {
            part > 0 && 100.0 * float(part) > percent * float(self.expected) * more
        };
        match limit {
            Limit::Pdv => self.is_pdv_past(limits.pdv_p999_ms, more),
            Limit::Loss => share(self.lost, limits.loss_percent),
            Limit::Discarded => share(self.discarded, limits.discarded_percent),
            Limit::DeadAir => self.dead_air > self.dead_air_allowed(limits, more),
            Limit::Transfer => self.goodput().is_some_and(|percent| {
                (percent + 100.0 * (more - 1.0)) / more < limits.transfer_goodput_percent
            }),
        }
    }

    /// The nearest rank of the 99.9th percentile lies above the limit.
    fn is_pdv_past(&self, limit_ms: f64, more: f64) -> bool {
        let above = self.pdv.counts().filter(|(ns, _)| ms(*ns) > limit_ms);
        let above: u64 = above.map(|(_, count)| count).sum();
        let all = whole(float(self.pdv.total()) * more);
        above > all - Percentile::P999.rank(all)
    }

    fn dead_air_allowed(&self, limits: &StepLimits, more: f64) -> u64 {
        let minutes = whole(float(self.expected) * more).div_ceil(SLOTS_A_MINUTE);
        limits.dead_air_events * minutes.div_ceil(MINUTES_A_LOT).max(1)
    }

    /// Sent, what was due and left out, and what the pace of transfers allowed beyond that, Mbit/s as a network interface counts.
    pub(super) fn offered_mbps(&self) -> Option<f64> {
        let unsent = float(self.unsent) * self.packet_octets();
        mbps(float(self.octets) + unsent, self.sent_seconds)
    }

    /// Octets of a packet of RTP, in the mean.
    fn packet_octets(&self) -> f64 {
        ratio(float(self.rtp_octets), float(self.rtp_packets)).unwrap_or(PACKET_OCTETS)
    }

    /// Of that, transfer.
    pub(super) fn transfer_mbps(&self) -> Option<f64> {
        mbps(float(self.transfer_octets), self.sent_seconds)
    }

    /// RTP and transfer that arrived, Mbit/s likewise.
    pub(super) fn carried_mbps(&self) -> Option<f64> {
        let media = float(self.received) * self.packet_octets();
        mbps(media + with_headers(self.acknowledged), self.seconds)
    }

    pub(super) fn loss_percent(&self) -> Option<f64> {
        ratio(100.0 * float(self.lost), float(self.expected))
    }

    pub(super) fn discarded_percent(&self) -> Option<f64> {
        ratio(100.0 * float(self.discarded), float(self.expected))
    }

    pub(super) fn pdv_p999_ms(&self) -> Option<f64> {
        self.pdv.percentile(Percentile::P999).map(ms)
    }

    /// Transferred of what the pace allowed, percent.
    pub(super) fn goodput(&self) -> Option<f64> {
        let (allowed, acknowledged) = self.paced?;
        ratio(100.0 * with_headers(acknowledged), float(allowed))
    }
}

fn mbps(octets: f64, seconds: u64) -> Option<f64> {
    ratio(octets * 8.0 / 1e6, float(seconds))
}

fn with_headers(octets: u64) -> f64 {
    float(octets) * SEGMENT_OCTETS.0 / SEGMENT_OCTETS.1
}

/// A count that was scaled, to the nearest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "packets of a step: below 2^53, never negative"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}
