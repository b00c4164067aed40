//! What impairments look like together: runs, bursts, lengths of dead air, concealment. The same for a leg
//! of a run and for a stream of a capture; over several streams counts are summed and maxima are maxima.

use serde::{Deserialize, Serialize};

/// Dead-air events of at least so many ms; the classes contain each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadAirClasses {
    /// 40 ms: 2 packets of 20 ms.
    pub ms_40: u64,
    /// 60 ms: the concealment of G.711 Appendix I has faded to silence.
    pub ms_60: u64,
    /// 100 ms.
    pub ms_100: u64,
    /// 200 ms.
    pub ms_200: u64,
    /// 400 ms.
    pub ms_400: u64,
    /// 1 s.
    pub ms_1000: u64,
}

/// What a fixed playout buffer of another depth would have made of the same arrivals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlayoutBuffer {
    /// Depth, ms.
    pub depth_ms: f64,
    /// Packets that arrived after their playout time.
    pub packets_discarded: u64,
    /// Runs of dead slots of at least the least dead air.
    pub dead_air_events: u64,
    /// Longest, ms; none when there is none.
    pub dead_air_longest_ms: Option<f64>,
    /// Sum, ms.
    pub dead_air_total_ms: f64,
}

/// Bursts and gaps of lost and discarded packets, RFC 3611 4.7.2 with Gmin 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BurstGap {
    /// Bursts.
    pub bursts: u64,
    /// Lost and discarded of the packets in bursts, percent; none without a burst.
    pub burst_density_percent: Option<f64>,
    /// Mean length of a burst, ms; none without a burst.
    pub burst_duration_ms: Option<f64>,
    /// Lost and discarded of the packets in gaps, percent; none without a packet.
    pub gap_density_percent: Option<f64>,
    /// Mean length of a gap, ms; none without one.
    pub gap_duration_ms: Option<f64>,
}

/// Runs of consecutive lost packets: loss periods of RFC 3357.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LossRuns {
    /// Runs.
    pub runs: u64,
    /// Mean length, packets; none without a run.
    pub mean_packets: Option<f64>,
    /// Longest, packets; none without a run.
    pub max_packets: Option<u64>,
}

/// Reordering, RFC 4737.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reordering {
    /// Reordered of received, percent; none when nothing was received.
    pub ratio_percent: Option<f64>,
    /// Largest extent, packets; none when nothing was reordered or, in a run, where it was not recorded.
    pub extent_max: Option<u64>,
}

/// What concealment had to fill in, RFC 7294: slots lost or discarded, and those never sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Concealment {
    /// Concealed, ms.
    pub concealed_ms: f64,
    /// Stream-seconds without a concealed slot.
    pub unimpaired_seconds: u64,
    /// Stream-seconds with at least one.
    pub concealed_seconds: u64,
    /// Stream-seconds with more than 50 ms concealed.
    pub severely_concealed_seconds: u64,
    /// Mean length of an interruption, ms; none without one.
    pub mean_interrupt_ms: Option<f64>,
}
