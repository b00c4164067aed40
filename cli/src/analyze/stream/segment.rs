//! A stretch of a stream between two restarts of its sender: one base, one reference of time.

use super::super::packet::{Content, Packet};
use super::playout::PlayoutLog;
use super::steps::Steps;
use super::totals::Totals;
use super::window::{ABSENT, Held, WINDOW, Window};
use milliwatt_scoring::delay_variation::PdvLog;
use milliwatt_scoring::interarrival_jitter::InterarrivalJitter;
use milliwatt_scoring::playout::AdaptivePlayout;
use milliwatt_scoring::reordering::ReorderingLog;
use milliwatt_wire::time::NS_PER_SECOND;

/// What a packet turned out to be, for those who count by time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// A distinct packet; J and PDV so far, ns, where its transit counts.
    Packet {
        /// J after it (RFC 3550 A.8), ns.
        interarrival_jitter: Option<f64>,
        /// Above the least transit so far, ns.
        above: Option<i64>,
        /// What a NIC counts for it.
        nic_octets: u32,
    },
    /// A further copy, of so many octets.
    Copy(u32),
    /// It is reordered.
    Reordered,
    /// A packet is lost for good.
    Lost,
    /// A packet came after its playout time in the default buffer.
    Discarded,
    /// A dead-air event of this length, ns, ended.
    DeadAir(i64),
}

/// What is known of a stretch.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    clock: MediaClock,
    /// Index of the highest packet, of the lowest, and of the lowest that is not settled.
    highest: i64,
    lowest: i64,
    settled: i64,
    window: Window,
    reordering: ReorderingLog,
    interarrival_jitter: InterarrivalJitter,
    adaptive: Option<AdaptivePlayout>,
    pdv: PdvLog,
    playout: PlayoutLog,
    /// Timestamp steps between neighbours.
    pub(super) steps: Steps,
    totals: Totals,
}

impl Segment {
    /// Before its first packet, which has this index.
    #[must_use]
    pub(super) fn new(clock_rate: u32, first: &Packet, index: i64) -> Self {
        Self {
            clock: MediaClock::new(clock_rate, first),
            highest: index - 1,
            lowest: index,
            settled: index,
            window: Window::new(),
            reordering: ReorderingLog::default(),
            interarrival_jitter: InterarrivalJitter::new(),
            adaptive: None,
            pdv: PdvLog::default(),
            playout: PlayoutLog::default(),
            steps: Steps::default(),
            totals: Totals::default(),
        }
    }

    /// Takes the packet with this index. Times that make no sense saturate: captures are written by others.
    pub(super) fn take(&mut self, packet: &Packet, index: i64, seen: &mut impl FnMut(Seen)) {
        if index > self.highest {
            self.make_room(index, seen);
        } else if self.is_copy(index) {
            self.totals.duplicated += 1;
            seen(Seen::Copy(packet.nic_octets));
            return;
        }
        if self.reordering.take(index).is_some() {
            seen(Seen::Reordered);
        }
        self.lowest = self.lowest.min(index);
        self.settled = self.settled.min(index);
        self.totals.received += 1;
        let held = self.measure(packet, index, seen);
        *self.window.at(index) = held;
    }

    /// One that is too old to be told from a copy is taken for one.
    fn is_copy(&mut self, index: i64) -> bool {
        let is_gone = index < self.settled && self.highest - index >= WINDOW;
        is_gone
            || self.window.at(index).is_here()
            || index < self.settled && self.playout.has_begun()
    }

    fn make_room(&mut self, index: i64, seen: &mut impl FnMut(Seen)) {
        while self.settled <= index - WINDOW {
            self.settle(seen);
        }
        self.highest = index;
    }

    fn measure(&mut self, packet: &Packet, index: i64, seen: &mut impl FnMut(Seen)) -> Held {
        let (mut interarrival_jitter, mut above) = (None, None);
        let mut held = Held::untimed();
        if packet.content == Content::Media {
            let transit = self.clock.transit(packet);
            self.note_ipdv(transit, index);
            interarrival_jitter = self.note_interarrival_jitter(transit);
            let ns = self.pdv.take(self.clock.since_first(packet.at), transit);
            held = Held::media(transit, ns, packet.timestamp, packet.marker);
            above = Some(ns);
        }
        seen(Seen::Packet {
            interarrival_jitter,
            above,
            nic_octets: packet.nic_octets,
        });
        held
    }

    fn note_ipdv(&mut self, transit: i64, index: i64) {
        for neighbour in [index - 1, index + 1] {
            // Beyond the highest and below the lowest that is kept lie places of other packets.
            if neighbour > self.highest || neighbour < self.settled {
                continue;
            }
            if let Some(other) = self.window.transit(neighbour) {
                let ns = transit.saturating_sub(other).saturating_abs();
                self.totals.ipdv.record(ns, 1);
                self.totals.ipdv.raise_max(ns);
            }
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "transits below 2^53 ns (104 days)"
    )]
    fn note_interarrival_jitter(&mut self, transit: i64) -> Option<f64> {
        let ns = transit as f64;
        self.adaptive
            .get_or_insert(AdaptivePlayout::new(ns))
            .take(ns);
        let j = self.interarrival_jitter.update(transit)?;
        let (sum, count, max) = &mut self.totals.interarrival_jitter;
        *sum += j;
        *count += 1;
        *max = max.max(j);
        Some(j)
    }

    /// Settles the lowest index: it came, or it is lost for good.
    fn settle(&mut self, seen: &mut impl FnMut(Seen)) {
        let held = std::mem::replace(self.window.at(self.settled), ABSENT);
        let place = u64::try_from(self.settled - self.lowest).unwrap_or(0);
        if held.is_media()
            && let Some(step) = self.playout.step_to(&held, place)
        {
            self.steps.count(step);
        }
        let usual = self.steps.usual();
        let usual = usual.map(|ticks| (ticks, self.clock.ns(ticks.into())));
        self.playout.settle(&held, place, usual, seen);
        self.settled += 1;
    }

    /// Ends it; what it came to.
    pub(super) fn finish(mut self, seen: &mut impl FnMut(Seen)) -> (Totals, Steps) {
        while self.settled <= self.highest {
            self.settle(seen);
        }
        let mut totals = self.totals;
        totals.expected = u64::try_from(self.highest - self.lowest + 1).unwrap_or(0);
        totals.reordered = self.reordering.reordered();
        totals.extent_max = self.reordering.extent_max();
        totals.skew = self.pdv.skew();
        totals.adaptive_playout = self.adaptive.zip(self.pdv.reference()).map(
            #[expect(clippy::cast_precision_loss, reason = "transits below 2^53 ns")]
            |(adaptive, least)| adaptive.playout_delay() - least as f64,
        );
        totals.pdv = self.pdv.finish();
        self.playout.finish(&mut totals, seen);
        (totals, self.steps)
    }
}

/// The sender's clock against the capturing one.
#[derive(Clone, Copy, Debug)]
struct MediaClock {
    rate: i64,
    /// A tick, where it is a whole number of ns.
    tick_ns: Option<i64>,
    first_at: i64,
    timestamp: u32,
    ticks: i64,
}

impl MediaClock {
    fn new(rate: u32, first: &Packet) -> Self {
        let rate = i64::from(rate.max(1));
        Self {
            rate,
            tick_ns: (NS_PER_SECOND % rate == 0).then_some(NS_PER_SECOND / rate),
            first_at: first.at,
            timestamp: first.timestamp,
            ticks: 0,
        }
    }

    #[inline]
    fn since_first(&self, at: i64) -> i64 {
        at.saturating_sub(self.first_at)
    }

    #[inline]
    fn ns(&self, ticks: i64) -> i64 {
        match self.tick_ns {
            Some(tick) => ticks.saturating_mul(tick),
            None => ticks.saturating_mul(NS_PER_SECOND) / self.rate,
        }
    }

    /// The transit against the first packet's, ns. Timestamps go on across wraps of 32 bits: a step is less than
    /// half of them.
    #[inline]
    fn transit(&mut self, packet: &Packet) -> i64 {
        let step = packet.timestamp.wrapping_sub(self.timestamp).cast_signed();
        self.timestamp = packet.timestamp;
        self.ticks += i64::from(step);
        self.since_first(packet.at)
            .saturating_sub(self.ns(self.ticks))
    }
}
