//! What a stream, or a stretch of one, came to.

use milliwatt_scoring::burst_gap::BurstGapTotals;
use milliwatt_scoring::clock::Skew;
use milliwatt_scoring::dead_run::{ConcealmentLog, DeadRunTotals};
use milliwatt_scoring::loss_pattern::LossPattern;
use milliwatt_scoring::percentile::Distribution;
use milliwatt_scoring::playout::DEPTHS;

/// Sums and distributions. Those of several stretches of a stream are added up.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// From the first to the last that came.
    pub expected: u64,
    /// Distinct packets.
    pub received: u64,
    /// Further copies.
    pub duplicated: u64,
    /// RFC 4737.
    pub reordered: u64,
    /// Largest extent of those.
    pub extent_max: Option<u64>,
    /// Slots never sent.
    pub not_sent: u64,
    /// J after each packet (RFC 3550 A.8): sum, count, largest, ns.
    pub interarrival_jitter: (f64, u64, f64),
    /// |IPDV| (RFC 5481 4.1) of neighbours by sequence that both came.
    pub ipdv: Distribution,
    /// PDV (RFC 5481 4.2) above the stretch's least transit.
    pub pdv: Distribution,
    /// Packets discarded in a buffer of each depth.
    pub discarded: [u64; DEPTHS.len()],
    /// Dead air in each.
    pub dead: [DeadRunTotals; DEPTHS.len()],
    /// Lost packets.
    pub lost: LossPattern,
    /// Lost and discarded ones, in the default buffer.
    pub impaired: LossPattern,
    /// The same as bursts and gaps.
    pub burst_gap: BurstGapTotals,
    /// What the default buffer had to conceal.
    pub concealment: ConcealmentLog,
    /// Skew of the media clock, of the last stretch that told.
    pub skew: Option<Skew>,
    /// Where the adaptive buffer came to, above the least transit, ns.
    pub adaptive_playout: Option<f64>,
}

impl Totals {
    /// Adds another stretch's.
    pub fn add(&mut self, other: &Self) {
        self.expected += other.expected;
        self.received += other.received;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.extent_max = self.extent_max.max(other.extent_max);
        self.not_sent += other.not_sent;
        let (sum, count, max) = other.interarrival_jitter;
        self.interarrival_jitter.0 += sum;
        self.interarrival_jitter.1 += count;
        self.interarrival_jitter.2 = self.interarrival_jitter.2.max(max);
        self.ipdv.add(&other.ipdv);
        self.pdv.add(&other.pdv);
        for depth in 0..DEPTHS.len() {
            self.discarded[depth] += other.discarded[depth];
            self.dead[depth].add(&other.dead[depth]);
        }
        self.lost.add(&other.lost);
        self.impaired.add(&other.impaired);
        self.burst_gap.add(&other.burst_gap);
        self.concealment.add(&other.concealment);
        self.skew = other.skew.or(self.skew);
        self.adaptive_playout = other.adaptive_playout.or(self.adaptive_playout);
    }
}
