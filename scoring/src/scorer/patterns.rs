//! What the impairments of a stream look like together, and of a leg: runs, bursts, classes of dead air, other
//! playout buffers. Everything is recomputed from the facts, which list each impairment exactly.
//!
//! What the guest's playout clock missed is dead air in any buffer; losses, bursts and concealment speak of the
//! network and of the buffer alone.

use super::dead_air::{DeadRun, DeadSlots};
use super::end::{float, ms, ratio};
use crate::burst_gap::{BurstGapLog, BurstGapTotals};
use crate::dead_run::{ConcealmentLog, DeadRunTotals};
use crate::loss_pattern::LossPattern;
use crate::measured::{LegMeasured, PlayoutBuffer, Reordering};
use crate::playout::{DEPTHS, is_discarded};
use milliwatt_wire::facts::{DeadCause, LATE_LISTED_NS, LatePacket};
use milliwatt_wire::load::PTIME_NS;

/// Fewer live slots than these do not part two runs of one impairment event.
const JOINED_BELOW: u32 = 2;

/// A buffer of some depth and what it made of the arrivals.
#[derive(Clone, Copy, Debug, Default)]
struct Buffer {
    depth: i64,
    discarded: u64,
    dead: DeadRunTotals,
}

/// One stream's, or a leg's.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    dead: DeadRunTotals,
    buffers: Vec<Buffer>,
    lost: LossPattern,
    burst_gap: BurstGapTotals,
    concealment: ConcealmentLog,
}

/// What a stream's patterns are found in.
pub(super) struct Impairments<'a> {
    /// Without late packets, which each buffer tells for itself.
    pub dead: &'a DeadSlots,
    pub late: &'a [LatePacket],
    pub expected: u64,
    pub playout_buffer: i64,
    pub dead_air_min: i64,
}

impl Patterns {
    /// Of a stream.
    pub(super) fn of(found: &Impairments<'_>) -> Self {
        let own = found.with_late(found.playout_buffer);
        let mut patterns = Self {
            dead: totals(&own.all_runs(), found.dead_air_min),
            buffers: depths(found.playout_buffer)
                .map(|depth| found.buffer(depth))
                .collect(),
            ..Self::default()
        };
        patterns.place_losses(&own, found.expected);
        patterns.conceal(&own, found.expected);
        patterns
    }

    /// Losses and discards by their place among the packets: a slot that was never sent held none.
    fn place_losses(&mut self, dead: &DeadSlots, expected: u64) {
        let mut bursts = BurstGapLog::default();
        let mut not_sent = 0;
        for (slot, cause) in dead.all() {
            let place = u64::from(slot).saturating_sub(not_sent);
            match cause {
                DeadCause::NotSent => not_sent += 1,
                DeadCause::Lost => {
                    self.lost.lose(place);
                    bursts.impair(place);
                }
                DeadCause::Late => bursts.impair(place),
                DeadCause::GuestPlayout => {}
            }
        }
        self.burst_gap = bursts.finish(expected);
    }

    fn conceal(&mut self, dead: &DeadSlots, expected: u64) {
        let not_sent = dead.of(DeadCause::NotSent).count() as u64;
        let mut next = 0_u64;
        let concealed = dead
            .all()
            .filter(|(_, cause)| *cause != DeadCause::GuestPlayout);
        for (slot, _) in concealed {
            let live = u64::from(slot).saturating_sub(next);
            self.concealment.live(live, PTIME_NS);
            self.concealment.slot(true, PTIME_NS);
            next = u64::from(slot) + 1;
        }
        let left = (expected + not_sent).saturating_sub(next);
        self.concealment.live(left, PTIME_NS);
        self.concealment.close();
    }

    /// Adds another stream's.
    pub(super) fn add(&mut self, other: &Self) {
        self.dead.add(&other.dead);
        self.lost.add(&other.lost);
        self.burst_gap.add(&other.burst_gap);
        self.concealment.add(&other.concealment);
        if self.buffers.is_empty() {
            self.buffers.clone_from(&other.buffers);
            return;
        }
        for (buffer, more) in self.buffers.iter_mut().zip(&other.buffers) {
            buffer.discarded += more.discarded;
            buffer.dead.add(&more.dead);
        }
    }

    /// Fills in what a leg measured.
    pub(super) fn measure(&self, leg: &mut LegMeasured) {
        leg.dead_air_at_least = self.dead.at_least();
        leg.impairment_events = self.dead.joined;
        leg.playout_buffers = self.buffers.iter().map(Buffer::figures).collect();
        leg.burst_gap = self.burst_gap.figures(ms(PTIME_NS));
        leg.loss_runs = self.lost.figures();
        leg.concealment = self.concealment.figures();
        leg.reordering = Reordering {
            ratio_percent: ratio(
                100.0 * float(leg.packets_reordered),
                float(leg.packets_received),
            ),
            extent_max: None,
        };
    }
}

impl Impairments<'_> {
    fn with_late(&self, depth: i64) -> DeadSlots {
        let mut dead = self.dead.clone();
        for packet in self.late_for(depth) {
            dead.mark(packet.slot, 1, DeadCause::Late);
        }
        dead
    }

    fn late_for(&self, depth: i64) -> impl Iterator<Item = &LatePacket> {
        self.late
            .iter()
            .filter(move |packet| is_discarded(i64::from(packet.above_us) * 1000, depth))
    }

    fn buffer(&self, depth: i64) -> Buffer {
        Buffer {
            depth,
            discarded: self.late_for(depth).count() as u64,
            dead: totals(&self.with_late(depth).all_runs(), self.dead_air_min),
        }
    }
}

impl Buffer {
    fn figures(&self) -> PlayoutBuffer {
        PlayoutBuffer {
            depth_ms: ms(self.depth),
            packets_discarded: self.discarded,
            dead_air_events: self.dead.events,
            dead_air_longest_ms: (self.dead.events > 0).then(|| ms(self.dead.longest)),
            dead_air_total_ms: ms(self.dead.total),
        }
    }
}

/// Depths that are compared: the run's own among them. Late packets are listed from 20 ms on, or from the run's own
/// depth where that is less: a shallower buffer cannot be told.
fn depths(own: i64) -> impl Iterator<Item = i64> {
    let mut depths: Vec<i64> = DEPTHS.into_iter().chain([own]).collect();
    depths.retain(|depth| *depth >= LATE_LISTED_NS.min(own));
    depths.sort_unstable();
    depths.dedup();
    depths.into_iter()
}

fn totals(runs: &[DeadRun], least: i64) -> DeadRunTotals {
    let mut totals = DeadRunTotals::default();
    let mut end = None;
    for run in runs {
        totals.count(run.length(), least);
        let apart = end.is_none_or(|end| run.first_slot >= end + JOINED_BELOW);
        totals.joined += u64::from(apart);
        end = Some(run.first_slot + run.slots);
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(slot: u32, above_ms: u32) -> LatePacket {
        LatePacket {
            slot,
            above_us: above_ms * 1000,
        }
    }

    fn patterns(dead: &DeadSlots, late: &[LatePacket]) -> LegMeasured {
        let mut leg = LegMeasured::default();
        Patterns::of(&Impairments {
            dead,
            late,
            expected: 1000,
            playout_buffer: 60_000_000,
            dead_air_min: 60_000_000,
        })
        .measure(&mut leg);
        leg
    }

    /// Slots 10 to 12 lost; 20 to 23 late by 30, 50, 70, 110 ms. In a buffer of 20 ms all four are late, in one of
    /// 40 three, of 60 two, of 100 one, of 200 none.
    #[test]
    fn each_depth_discards_what_is_late_for_it() {
        let mut dead = DeadSlots::default();
        dead.mark(10, 3, DeadCause::Lost);
        let leg = patterns(
            &dead,
            &[late(20, 30), late(21, 50), late(22, 70), late(23, 110)],
        );
        let of = |figure: fn(&PlayoutBuffer) -> u64| -> Vec<u64> {
            leg.playout_buffers.iter().map(figure).collect()
        };
        assert_eq!(of(|buffer| buffer.packets_discarded), [4, 3, 2, 1, 0]);
        assert_eq!(of(|buffer| buffer.dead_air_events), [2, 2, 1, 1, 1]);
        assert_eq!(leg.playout_buffers[0].dead_air_longest_ms, Some(80.0));
        assert_eq!(
            (leg.dead_air_at_least.ms_40, leg.dead_air_at_least.ms_60),
            (2, 1)
        );
        assert_eq!(
            (leg.loss_runs.runs, leg.loss_runs.max_packets),
            (1, Some(3))
        );
        assert!(
            (leg.concealment.concealed_ms - 100.0).abs() < 1e-9,
            "3 lost and 2 late"
        );
        assert_eq!(leg.concealment.severely_concealed_seconds, 1);
        assert_eq!(
            leg.concealment.unimpaired_seconds, 19,
            "1000 slots are 20 s"
        );
    }

    /// Losses on either side of slots that were never sent are one run of packets; 7 and 8 lie next to it in a burst.
    #[test]
    fn slots_never_sent_part_no_run_of_losses() {
        let mut dead = DeadSlots::default();
        dead.mark(5, 1, DeadCause::Lost);
        dead.mark(6, 4, DeadCause::NotSent);
        dead.mark(10, 1, DeadCause::Lost);
        let leg = patterns(&dead, &[]);
        assert_eq!(
            (leg.loss_runs.runs, leg.loss_runs.max_packets),
            (1, Some(2))
        );
        assert_eq!(leg.burst_gap.bursts, 1);
        assert_eq!(leg.burst_gap.burst_duration_ms, Some(40.0));
        assert_eq!(leg.impairment_events, 1);
    }

    #[test]
    fn the_guest_s_playout_is_dead_air_and_no_loss() {
        let mut dead = DeadSlots::default();
        dead.mark(50, 10, DeadCause::GuestPlayout);
        let leg = patterns(&dead, &[]);
        assert_eq!((leg.dead_air_at_least.ms_200, leg.loss_runs.runs), (1, 0));
        assert_eq!(leg.burst_gap.bursts, 0);
        assert!(leg.concealment.concealed_ms.abs() < 1e-9);
    }

    #[test]
    fn a_shallow_buffer_of_the_run_s_own_is_the_shallowest_that_can_be_told() {
        assert_eq!(depths(10_000_000).next(), Some(10_000_000));
        assert_eq!(depths(80_000_000).count(), 6);
    }

    /// Runs at 10 to 11, 13 and 16: one live slot between the first two, two before the third.
    #[test]
    fn runs_with_one_live_slot_between_them_are_one_impairment() {
        let mut dead = DeadSlots::default();
        dead.mark(10, 2, DeadCause::Lost);
        dead.mark(13, 1, DeadCause::Lost);
        dead.mark(16, 1, DeadCause::Lost);
        assert_eq!(patterns(&dead, &[]).impairment_events, 2);
    }

    /// Slots 0 to 3 never sent, 4 lost: 100 ms concealed of 1004 slots, which begin a 21st second. Packet 0 is lost, and
    /// 999 more come.
    #[test]
    fn slots_never_sent_last_and_hold_no_packet() {
        let mut dead = DeadSlots::default();
        dead.mark(0, 4, DeadCause::NotSent);
        dead.mark(4, 1, DeadCause::Lost);
        let leg = patterns(&dead, &[]);
        assert!((leg.concealment.concealed_ms - 100.0).abs() < 1e-9);
        assert_eq!(
            (
                leg.concealment.unimpaired_seconds,
                leg.concealment.severely_concealed_seconds
            ),
            (20, 1)
        );
        assert_eq!(leg.concealment.mean_interrupt_ms, Some(100.0));
        assert_eq!(
            (leg.burst_gap.bursts, leg.burst_gap.gap_density_percent),
            (0, Some(0.1))
        );
    }

    #[test]
    fn without_dead_air_there_is_no_longest() {
        let leg = patterns(&DeadSlots::default(), &[]);
        let longest = |buffer: &PlayoutBuffer| buffer.dead_air_longest_ms.is_none();
        assert!(leg.playout_buffers.iter().all(longest));
        assert_eq!(leg.playout_buffers.len(), 5);
    }
}
