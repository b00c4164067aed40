//! Gaps, as facts tell of them: kept until all facts are known, since when a packet was due is told by the other end.

use milliwatt_wire::facts::{DeadCause, Fact};
use milliwatt_wire::id::{Leg, StreamId};
use milliwatt_wire::load::PTIME_NS;

/// A stream that is silent for less is no part of a disruption, us: two packet times from packet to packet.
pub(crate) const LEAST_US: u32 = 40_000;
/// Gaps kept at most; of more, the longest.
const GAPS_MAX: usize = 500_000;

/// What tells of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Two packets came so far apart; `slot` ended the gap.
    Arrival,
    /// Packets were lost from `slot` on: seen even where the receiver's clock stood still with the receiver.
    Lost,
    /// The guest's playout did not play what was there, from `slot` on.
    Playout,
}

/// A gap of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub stream: StreamId,
    pub source: Source,
    /// See [`Source`].
    pub slot: u32,
    /// From packet to packet, or tick to tick, us.
    pub length_us: u32,
    /// Slots: that are missing by sequence number, that were lost, that were not played.
    pub slots: u32,
}

/// The gaps of a run, in bounded memory.
#[derive(Clone, Debug)]
pub(crate) struct GapLog {
    gaps: Vec<Gap>,
    least_us: u32,
    most: usize,
}

impl Default for GapLog {
    fn default() -> Self {
        Self::holding(GAPS_MAX)
    }
}

impl GapLog {
    /// An empty log of so many gaps at most.
    pub(crate) fn holding(most: usize) -> Self {
        Self {
            gaps: Vec::new(),
            least_us: LEAST_US,
            most,
        }
    }

    /// Takes a fact of either end. Whatever the order, the same gaps stay: all that are at least as long as the least of the
    /// lengths 40, 80, 160, ... ms at which they fit; none where that would be more than a length can be, as no run has them.
    pub(crate) fn absorb(&mut self, fact: &Fact) {
        let is_held = |gap: &Gap, least_us| gap.length_us >= least_us && least_us < u32::MAX;
        let Some(gap) = gap_of(fact).filter(|gap| is_held(gap, self.least_us)) else {
            return;
        };
        self.gaps.push(gap);
        while self.gaps.len() > self.most {
            self.least_us = self.least_us.saturating_mul(2);
            let least_us = self.least_us;
            self.gaps.retain(|gap| is_held(gap, least_us));
        }
    }

    /// The gaps of a leg, as they were told.
    pub(crate) fn of(&self, leg: Leg) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(move |gap| gap.stream.leg == leg)
    }

    /// Gaps shorter than this were not kept, us, because there were so many; none where all were.
    pub(crate) fn forgotten_below_us(&self) -> Option<u32> {
        (self.least_us > LEAST_US).then_some(self.least_us)
    }
}

fn gap_of(fact: &Fact) -> Option<Gap> {
    match fact {
        Fact::ArrivalGap {
            stream,
            slot,
            gap_us,
            missing,
        } => Some(Gap {
            stream: *stream,
            source: Source::Arrival,
            slot: *slot,
            length_us: *gap_us,
            slots: *missing,
        }),
        Fact::DeadSlots {
            stream,
            cause,
            first_slot,
            slots,
        } => Some(Gap {
            stream: *stream,
            source: source_of(*cause)?,
            slot: *first_slot,
            length_us: spanned_us(*slots),
            slots: *slots,
        }),
        _ => None,
    }
}

fn source_of(cause: DeadCause) -> Option<Source> {
    match cause {
        DeadCause::Lost => Some(Source::Lost),
        DeadCause::GuestPlayout => Some(Source::Playout),
        // Late packets and slots not sent show as gaps between arrivals.
        DeadCause::Late | DeadCause::NotSent => None,
    }
}

/// From the slot before a run of so many to the one after it.
fn spanned_us(slots: u32) -> u32 {
    let us = (i64::from(slots) + 1) * PTIME_NS / 1000;
    u32::try_from(us).unwrap_or(u32::MAX)
}
