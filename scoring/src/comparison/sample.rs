//! What one run gives to a comparison: its streams, its seconds, its guest.

use crate::emodel::Equipment;
use crate::percentile::Distribution;

/// One run.
#[derive(Clone, Debug, Default)]
pub struct RunSample {
    /// The directions, by [`milliwatt_wire::id::Leg`].
    pub legs: [LegSample; 2],
    /// The guest over full load.
    pub guest: Vec<GuestSecond>,
    /// Lateness of the guest's playout ticks, a second of full load each.
    pub tick_lateness: Vec<Distribution>,
    /// A recording each that was scored.
    pub recordings: Vec<RecordingSample>,
    /// Silence events and minutes of call, a second of full load each.
    pub silences: Vec<RecordingSample>,
}

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct LegSample {
    /// A stream each.
    pub streams: Vec<StreamSample>,
    /// PDV over full load, a stream each or, of many, a group of streams each.
    pub pdv_of_streams: Vec<Distribution>,
    /// A second of full load each, in order.
    pub seconds: Vec<SecondSample>,
    /// PDV of each of those.
    pub pdv_of_seconds: Vec<Distribution>,
    /// What the quality at the phone is estimated for; none of a codec that is not rated.
    pub equipment: Option<Equipment>,
}

/// A stream over its life.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StreamSample {
    /// Packets its sender sent.
    pub expected: u64,
    /// Of those, lost.
    pub lost: u64,
    /// Late at playout.
    pub discarded: u64,
    /// Slots not sent.
    pub not_sent: u64,
    /// Dead-air events.
    pub dead_air_events: u64,
    /// Mean interarrival jitter over full load, ms.
    pub interarrival_jitter_mean_ms: Option<f64>,
    /// E-model.
    pub mos_lq: Option<f64>,
}

/// A second of a leg.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SecondSample {
    /// Packets due to arrive in it.
    pub expected: u64,
    /// Arrived in it.
    pub received: u64,
    /// Lost.
    pub lost: u64,
    /// Late at playout.
    pub discarded: u64,
    /// Slots not sent.
    pub not_sent: u64,
    /// Dead-air events begun in it.
    pub dead_air_events: u64,
    /// Mean interarrival jitter over its packets, ms.
    pub interarrival_jitter_mean_ms: Option<f64>,
    /// What the receiver's TCP acknowledged of transfers this way, Mbit/s; none where something else than the network, a pace
    /// or the calls, says how much there is to carry.
    pub transfer_goodput_mbps: Option<f64>,
}

/// The guest in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GuestSecond {
    /// CPU in use, percent of all cores.
    pub cpu_percent: Option<f64>,
    /// Stolen by the hypervisor, percent.
    pub steal_percent: Option<f64>,
}

/// A recording, or a second of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RecordingSample {
    /// Silence events.
    pub silence_events: u64,
    /// Minutes of call.
    pub minutes: f64,
}
