//! Slots in the order they are played: which are dead, in buffers of several depths, and what runs they make.

use super::segment::Seen;
use super::totals::Totals;
use super::window::Held;
use milliwatt_scoring::burst_gap::BurstGapLog;
use milliwatt_scoring::dead_run::{ConcealmentLog, DeadRunLog};
use milliwatt_scoring::loss_pattern::LossPattern;
use milliwatt_scoring::playout::{DEPTHS, is_discarded};
use milliwatt_wire::load::PTIME_NS;

/// The buffer that `packets_discarded` and `dead_air` speak of: 60 ms.
pub const DEFAULT_DEPTH: usize = 2;
/// Dead air is an event from this length on: the concealment of G.711 Appendix I has faded to silence.
const DEAD_AIR_NS: i64 = 60_000_000;
/// A timestamp that moved on by so much more than the arrival did is a new start of the sender's, not silence.
const SAME_TIME_NS: i64 = 1_000_000_000;

/// A settled packet that counts in time.
#[derive(Clone, Copy, Debug)]
struct Settled {
    place: u64,
    timestamp: u32,
    transit: i64,
}

/// Takes slots in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct PlayoutLog {
    last: Option<Settled>,
    /// The packet before was of media, and here.
    follows_media: bool,
    begun: bool,
    /// Live slots that no run has been told of.
    quiet: u64,
    runs: [DeadRunLog; DEPTHS.len()],
    discarded: [u64; DEPTHS.len()],
    concealment: ConcealmentLog,
    lost: LossPattern,
    impaired: LossPattern,
    burst_gap: BurstGapLog,
    packets: u64,
    not_sent: u64,
    usual_ticks: u32,
    ptime: i64,
}

impl PlayoutLog {
    /// A packet has been settled: none before it can be taken any more.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Ticks from the packet of media directly before; none where there is none.
    pub(super) fn step_to(&self, held: &Held, place: u64) -> Option<u32> {
        let last = self.last.filter(|last| last.place + 1 == place)?;
        let step = held.timestamp.wrapping_sub(last.timestamp);
        (step.cast_signed() > 0).then_some(step)
    }

    /// The next packet by sequence, lost when it is not here. `usual` is the packet time so far in ticks and ns.
    pub(super) fn settle(
        &mut self,
        held: &Held,
        place: u64,
        usual: Option<(u32, i64)>,
        seen: &mut impl FnMut(Seen),
    ) {
        self.begun = true;
        self.packets = place + 1;
        (self.usual_ticks, self.ptime) = usual.unwrap_or((0, PTIME_NS));
        if !held.is_here() {
            self.lost.lose(place);
            seen(Seen::Lost);
            self.impair(place);
            self.slot([true; DEPTHS.len()], seen);
        } else if held.is_media() {
            self.settle_media(held, place, seen);
        } else {
            self.slot([false; DEPTHS.len()], seen);
        }
        self.follows_media = held.is_media();
    }

    fn settle_media(&mut self, held: &Held, place: u64, seen: &mut impl FnMut(Seen)) {
        self.skip(self.not_sent_before(held, place));
        self.last = Some(Settled {
            place,
            timestamp: held.timestamp,
            transit: held.transit,
        });
        if held.above() <= DEPTHS[0] {
            return self.slot([false; DEPTHS.len()], seen);
        }
        let late = DEPTHS.map(|depth| is_discarded(held.above(), depth));
        for (count, late) in self.discarded.iter_mut().zip(late) {
            *count += u64::from(late);
        }
        if late[DEFAULT_DEPTH] {
            seen(Seen::Discarded);
            self.impair(place);
        }
        self.slot(late, seen);
    }

    /// Slots between this packet and the one of media directly before it, by sequence, that were never sent: the
    /// timestamp moved on by more than a packet time, and the arrival with it. A marker begins a talkspurt.
    fn not_sent_before(&self, held: &Held, place: u64) -> u64 {
        let Some(last) = self.last.filter(|last| last.place + 1 == place) else {
            return 0;
        };
        let same_time = held.transit.saturating_sub(last.transit).saturating_abs() < SAME_TIME_NS;
        let step = self.step_to(held, place).map_or(0, i64::from);
        let usual = i64::from(self.usual_ticks);
        if held.marker() || !self.follows_media || !same_time || step == 0 || usual == 0 {
            return 0;
        }
        // In packet times; one of them is this packet's own.
        u64::try_from((step + usual / 2) / usual - 1).unwrap_or(0)
    }

    /// So many slots that were never sent, which are dead in every buffer. A timestamp can claim two thousand million
    /// of them, so they are not walked over.
    fn skip(&mut self, slots: u64) {
        if slots == 0 {
            return;
        }
        self.not_sent = self.not_sent.saturating_add(slots);
        self.tell_quiet();
        self.concealment.dead(slots, self.ptime);
        let length =
            i64::try_from(slots).map_or(i64::MAX, |slots| slots.saturating_mul(self.ptime));
        for run in &mut self.runs {
            // Dead slots end no event.
            run.slot(true, length, DEAD_AIR_NS);
        }
    }

    fn impair(&mut self, place: u64) {
        self.impaired.lose(place);
        self.burst_gap.impair(place);
    }

    /// A slot, dead or not at each depth.
    #[inline]
    fn slot(&mut self, dead: [bool; DEPTHS.len()], seen: &mut impl FnMut(Seen)) {
        // What is dead in a deep buffer is dead in a shallow one.
        let none_open = !self.runs[0].is_open();
        if !dead[0] && none_open {
            self.quiet += 1;
            return;
        }
        self.tell_quiet();
        self.concealment.slot(dead[DEFAULT_DEPTH], self.ptime);
        for (depth, run) in self.runs.iter_mut().enumerate() {
            let ended = run.slot(dead[depth], self.ptime, DEAD_AIR_NS);
            if let (DEFAULT_DEPTH, Some(length)) = (depth, ended) {
                seen(Seen::DeadAir(length));
            }
        }
    }

    fn tell_quiet(&mut self) {
        let quiet = std::mem::take(&mut self.quiet);
        self.concealment.live(quiet, self.ptime);
        for run in &mut self.runs {
            run.live(quiet);
        }
    }

    pub(super) fn finish(mut self, totals: &mut Totals, seen: &mut impl FnMut(Seen)) {
        self.tell_quiet();
        self.concealment.close();
        for (depth, run) in self.runs.iter_mut().enumerate() {
            let ended = run.close(DEAD_AIR_NS);
            if let (DEFAULT_DEPTH, Some(length)) = (depth, ended) {
                seen(Seen::DeadAir(length));
            }
        }
        totals.dead = self.runs.map(|run| *run.totals());
        totals.discarded = self.discarded;
        totals.not_sent = self.not_sent;
        totals.lost = self.lost;
        totals.impaired = self.impaired;
        totals.burst_gap = self.burst_gap.finish(self.packets);
        totals.concealment = self.concealment;
    }
}
