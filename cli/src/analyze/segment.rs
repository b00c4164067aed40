//! A stretch of a stream between two restarts of its sender: one base, one reference of time.

use super::stream::Packet;
use milliwatt_scoring::clock::Skew;
use milliwatt_scoring::interarrival_jitter::InterarrivalJitter;
use milliwatt_wire::time::NS_PER_SECOND;
use std::collections::BTreeMap;

/// Packets behind the highest that are remembered; RFC 3550 A.1 takes none further behind than 100.
const WINDOW: u8 = 128;

/// What is known of a stretch.
pub struct Segment {
    clock_rate: u32,
    /// Index of the highest packet; the packet that confirmed the stretch has 0, the one before it -1.
    highest: i64,
    lowest: i64,
    /// Bit i: the packet i behind the highest has come.
    seen: u128,
    /// The same for those whose transit counts.
    timed: u128,
    transits: [i64; WINDOW as usize],
    /// Arrival and timestamp of the first, and the timestamp of the last, unwrapped.
    first: Option<(i64, u32)>,
    timestamp: (u32, i64),
    interarrival_jitter: InterarrivalJitter,
    /// What it measured.
    pub measured: Measured,
}

/// Sums and samples of a stretch.
#[derive(Default)]
pub struct Measured {
    /// Distinct packets.
    pub received: u64,
    /// Further copies.
    pub duplicated: u64,
    /// RFC 4737.
    pub reordered: u64,
    /// J after each packet: sum, count, largest, ns.
    pub interarrival_jitter: (f64, u64, f64),
    /// |IPDV| (RFC 5481 4.1) of neighbours by sequence that both came, ns.
    pub ipdv: Vec<i64>,
    /// Transit against the first packet's (second since then, ns).
    pub transits: Vec<(u32, i64)>,
    /// Timestamp steps between neighbours: (ticks, how often).
    pub steps: BTreeMap<u32, u64>,
}

impl Segment {
    /// Before its first packet.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            highest: -2,
            lowest: i64::MAX,
            seen: 0,
            timed: 0,
            transits: [0; WINDOW as usize],
            first: None,
            timestamp: (0, 0),
            interarrival_jitter: InterarrivalJitter::new(),
            measured: Measured::default(),
        }
    }

    /// Packets from the lowest to the highest that came.
    #[must_use]
    pub fn expected(&self) -> u64 {
        u64::try_from(self.highest.saturating_sub(self.lowest).saturating_add(1)).unwrap_or(0)
    }

    /// Takes the packet with this index. Timestamps and times that make no sense saturate: captures are
    /// written by others.
    pub fn take(&mut self, packet: &Packet, index: i64) {
        let behind = self.highest - index;
        if behind < 0 {
            self.advance(-behind);
        } else if self.has(self.seen, index) {
            self.measured.duplicated += 1;
            return;
        } else {
            self.measured.reordered += 1;
        }
        self.seen |= self.bit(index);
        self.lowest = self.lowest.min(index);
        self.measured.received += 1;
        if packet.timed {
            self.time(packet, index);
        }
    }

    fn advance(&mut self, steps: i64) {
        let shift = u32::try_from(steps).unwrap_or(u32::MAX);
        self.seen = self.seen.checked_shl(shift).unwrap_or(0);
        self.timed = self.timed.checked_shl(shift).unwrap_or(0);
        self.highest += steps;
    }

    /// The bit of a packet at or behind the highest; none is set for one beyond the window.
    fn bit(&self, index: i64) -> u128 {
        u32::try_from(self.highest - index)
            .ok()
            .and_then(|behind| 1_u128.checked_shl(behind))
            .unwrap_or(0)
    }

    fn has(&self, set: u128, index: i64) -> bool {
        set & self.bit(index) != 0
    }

    fn time(&mut self, packet: &Packet, index: i64) {
        let (first_arrival, first_timestamp) =
            *self.first.get_or_insert((packet.arrived, packet.timestamp));
        if self.measured.transits.is_empty() {
            self.timestamp = (first_timestamp, 0);
        }
        let ticks = self.unwrapped(packet.timestamp);
        let since_first = packet.arrived.saturating_sub(first_arrival);
        let media_time = ticks.saturating_mul(NS_PER_SECOND) / i64::from(self.clock_rate);
        let transit = since_first.saturating_sub(media_time);
        if self.has(self.timed, index - 1) {
            self.note_ipdv(transit, index - 1);
        }
        if self.has(self.timed, index + 1) {
            self.note_ipdv(transit, index + 1);
        }
        self.timed |= self.bit(index);
        self.transits[place(index)] = transit;
        self.measured.transits.push((
            u32::try_from(since_first / NS_PER_SECOND).unwrap_or(0),
            transit,
        ));
        if let Some(ns) = self.interarrival_jitter.update(transit) {
            let (sum, count, max) = self.measured.interarrival_jitter;
            self.measured.interarrival_jitter = (sum + ns, count + 1, max.max(ns));
        }
    }

    fn note_ipdv(&mut self, transit: i64, neighbour: i64) {
        let difference = transit.saturating_sub(self.transits[place(neighbour)]);
        self.measured.ipdv.push(difference.saturating_abs());
    }

    /// Ticks since the first packet, across wraps of 32 bits: a step is less than half of them.
    fn unwrapped(&mut self, timestamp: u32) -> i64 {
        let (last, ticks) = self.timestamp;
        let step = timestamp.wrapping_sub(last);
        self.timestamp = (timestamp, ticks + i64::from(step.cast_signed()));
        if step.cast_signed() > 0 {
            *self.measured.steps.entry(step).or_default() += 1;
        }
        self.timestamp.1
    }
}

/// Where in the window an index has its place.
fn place(index: i64) -> usize {
    usize::try_from(index.rem_euclid(i64::from(WINDOW))).unwrap_or(0)
}

impl Measured {
    /// PDV (RFC 5481 4.2) of each packet, ns, unordered: above the least of the stretch, without the skew of
    /// the sender's clock against the capturing one where it can be told.
    #[must_use]
    pub fn pdv(&self) -> Vec<i64> {
        let mut minima: BTreeMap<u32, i64> = BTreeMap::new();
        for (second, transit) in &self.transits {
            minima
                .entry(*second)
                .and_modify(|least| *least = (*least).min(*transit))
                .or_insert(*transit);
        }
        let skew = Skew::of_minima(minima.into_iter()).unwrap_or_default();
        let straight: Vec<i64> = self
            .transits
            .iter()
            .map(|(second, transit)| transit.saturating_sub(skew.at(*second)))
            .collect();
        let least = straight.iter().copied().min().unwrap_or(0);
        straight
            .into_iter()
            .map(|transit| transit.saturating_sub(least))
            .collect()
    }
}
