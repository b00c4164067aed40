//! What one end said of itself: its opening, its pacing, what it sent, its host.

use crate::measured::Lateness;
use crate::percentile::{Distribution, Percentile};
use milliwatt_wire::facts::{
    Fact, HostSecond, PacingSecond, Scale, SentSecond, Timers, TransferSecond,
};
use milliwatt_wire::load::LoadSpec;
use std::collections::BTreeMap;
use std::ops::Range;

/// An end's first fact.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub load: LoadSpec,
    pub same_clock: bool,
    pub timers: Timers,
    pub kernel_timestamps: bool,
    pub guest_named: bool,
    pub judgement: String,
}

/// One end.
#[derive(Clone, Debug, Default)]
pub(super) struct EndRecord {
    pub opening: Option<Opening>,
    pub closed: bool,
    pub pacing: BTreeMap<u32, PacingSecond>,
    pub sent: BTreeMap<u32, SentSecond>,
    pub host: BTreeMap<u32, HostSecond>,
    /// Seconds in which it transferred anything.
    pub transfers: BTreeMap<u32, TransferSecond>,
    /// What it said of facts that it lost.
    pub facts_lost: Option<String>,
    /// How long after its departure was read off the clock the kernel handed a packet on, over the whole run.
    pub departure_stamps: Distribution,
}

impl EndRecord {
    /// Whether arrivals at it are the kernel's, and not when the process came to read them.
    pub(super) fn stamps_arrivals(&self) -> bool {
        let opening = self.opening.as_ref();
        opening.is_none_or(|opening| opening.kernel_timestamps)
    }

    /// Takes what concerns an end; other facts are not its own.
    pub(super) fn absorb(&mut self, fact: &Fact) {
        match fact {
            Fact::Opened {
                load,
                same_clock,
                timers,
                kernel_timestamps,
                guest_named,
                judgement,
                ..
            } => {
                self.opening = Some(Opening {
                    load: load.as_ref().clone(),
                    same_clock: *same_clock,
                    timers: timers.clone(),
                    kernel_timestamps: *kernel_timestamps,
                    guest_named: *guest_named,
                    judgement: judgement.clone(),
                });
            }
            Fact::Closed { .. } => self.closed = true,
            Fact::Event { kind, text, .. } if kind == "facts-lost" => {
                self.facts_lost = Some(text.clone());
            }
            Fact::Pacing(second) => self.absorb_pacing(second),
            Fact::Sent(second) => self.absorb_sent(second),
            Fact::DepartureStamps {
                after, after_max, ..
            } => {
                self.departure_stamps.record_coarse(Scale::LEG, after, 0);
                self.departure_stamps.raise_max(*after_max);
            }
            Fact::Host(second) => {
                self.host.insert(second.second, *second);
            }
            Fact::Transfers(second) => {
                self.transfers.insert(second.second, *second);
            }
            _ => {}
        }
    }

    /// Several threads of an end may each tell of the same second.
    fn absorb_pacing(&mut self, more: &PacingSecond) {
        add_pacing(self.pacing.entry(more.second).or_default(), more);
    }

    /// What no figure is made of stays behind.
    fn absorb_sent(&mut self, more: &SentSecond) {
        let second = self.sent.entry(more.second).or_default();
        second.second = more.second;
        second.rtp_packets += more.rtp_packets;
        second.rtp_octets += more.rtp_octets;
        second.rtcp_octets += more.rtcp_octets;
        second.transfer_octets += more.transfer_octets;
        second.control_octets += more.control_octets;
        second.nic_octets = more.nic_octets.or(second.nic_octets);
    }

    /// The latest second this end has told of.
    pub(super) fn reported(&self) -> Option<u32> {
        let pacing = self.pacing.keys().next_back();
        let sent = self.sent.keys().next_back();
        pacing.max(sent).max(self.host.keys().next_back()).copied()
    }

    /// Own socket drops so far.
    pub(super) fn socket_drops(&self) -> Option<u64> {
        self.host.values().map(|second| second.socket_drops).max()
    }

    /// How far a counter of the host rose in a second.
    pub(super) fn rise(&self, second: u32, counter: impl Fn(&HostSecond) -> u64) -> Option<u64> {
        let now = counter(self.host.get(&second)?);
        let before = self
            .host
            .range(..second)
            .next_back()
            .map_or(0, |(_, host)| counter(host));
        Some(now.saturating_sub(before))
    }

    /// Lateness over some seconds.
    pub(super) fn lateness(&self, seconds: impl Iterator<Item = u32>) -> Distribution {
        let mut all = Distribution::default();
        for second in seconds.filter_map(|second| self.pacing.get(&second)) {
            all.add(&lateness_of(second));
        }
        all
    }
}

/// Adds what another thread told of the same second.
pub(crate) fn add_pacing(second: &mut PacingSecond, more: &PacingSecond) {
    second.second = more.second;
    second.planned += more.planned;
    second.sent += more.sent;
    second.not_sent += more.not_sent;
    second.lateness.extend(&more.lateness);
    second.lateness_max = second.lateness_max.max(more.lateness_max);
}

/// Lateness of one second.
pub(crate) fn lateness_of(second: &PacingSecond) -> Distribution {
    let mut lateness = Distribution::default();
    lateness.record_coarse(Scale::LEG, &second.lateness, 0);
    if lateness.total() > 0 || second.lateness_max > 0 {
        lateness.raise_max(second.lateness_max);
    }
    lateness
}

/// Its percentiles, us.
pub(super) fn lateness_us(lateness: &Distribution) -> Lateness {
    let us = |ns: Option<i64>| ns.map(|ns| to_unit(ns, 1e3));
    Lateness {
        p50: us(lateness.percentile(Percentile::P50)),
        p99: us(lateness.percentile(Percentile::P99)),
        p999: us(lateness.percentile(Percentile::P999)),
        max: us(lateness.max()),
    }
}

/// Nanoseconds in a larger unit.
#[expect(
    clippy::cast_precision_loss,
    reason = "durations below 2^53 ns (104 days)"
)]
pub(crate) fn to_unit(ns: i64, ns_per_unit: f64) -> f64 {
    ns as f64 / ns_per_unit
}

/// Milliseconds.
pub(crate) fn ms(ns: i64) -> f64 {
    to_unit(ns, 1e6)
}

/// A count as a number to compute with.
#[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// A ratio, none over nothing.
pub(crate) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Mean of what was there.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    ratio(sum, float(count))
}

/// Largest of what was there.
pub(super) fn largest(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.fold(None, |most: Option<f64>, value| {
        Some(most.map_or(value, |most| most.max(value)))
    })
}

/// A range that may be missing, as seconds.
pub(super) fn seconds_of(range: Option<&Range<u32>>) -> Range<u32> {
    range.cloned().unwrap_or(0..0)
}
