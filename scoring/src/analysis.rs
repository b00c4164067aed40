//! What captures hold: the model of `milliwatt analyze`, its JSON and its report.
//!
//! Names of a stream's figures are those of a leg in `scorecard.json`. Null where a capture does not tell.

use crate::measured::{
    BurstGap, Concealment, DeadAir, DeadAirClasses, Legs, LossRuns, MeanMax, MosSpread,
    PdvPercentiles, Percentiles, PlayoutBuffer, Reordering, SkewChange,
};
use milliwatt_wire::id::Leg;
use serde::Serialize;

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything found in a set of captures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Analysis {
    /// Version of this form.
    pub schema_version: u32,
    /// A capture was not read to its end, or changed while it was read.
    pub partial: bool,
    /// The captures, in the order they were read.
    pub captures: Vec<CaptureRow>,
    /// RTP streams, in order of their first packet.
    pub streams: Vec<AnalyzedStream>,
    /// Calls: streams that belong together.
    pub calls: Vec<AnalyzedCall>,
    /// What else the captures hold: what it is, and how many packets. Descending.
    pub other_traffic: Vec<(String, u64)>,
    /// The address that most streams lead to or come from: legs are named from it.
    pub centre: Option<String>,
    /// What a reader should know, a sentence each.
    pub notes: Vec<String>,
    /// A capture of `milliwatt run --capture`: the run's own figures, from its packets and its ledger.
    pub run: Option<CapturedRun>,
    /// A row a second and leg, for plots and `seconds.csv`.
    #[serde(skip)]
    pub seconds: Vec<AnalyzedSecond>,
    /// PDV distribution of each leg, receive and sent: (ms, share of packets at or below).
    #[serde(skip)]
    pub pdv_curves: [Vec<(f64, f64)>; 2],
}

/// One capture file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaptureRow {
    /// Its path, as given.
    pub file: String,
    /// Frames read.
    pub frames: u64,
    /// First frame, ns since 1970.
    pub first_ns: Option<i64>,
    /// Last frame, ns since 1970.
    pub last_ns: Option<i64>,
    /// Frames stamped before the one that stands before them on the same interface.
    pub clock_steps_back: u64,
    /// What went wrong with it, when something did.
    pub error: Option<String>,
}

/// One RTP stream of a capture: source, destination and SSRC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnalyzedStream {
    /// Sender.
    pub source: String,
    /// Receiver.
    pub destination: String,
    /// Synchronisation source, `0x` and eight digits.
    pub ssrc: String,
    /// All payload types, ascending.
    pub payload_types: Vec<u8>,
    /// The audio codec, by SDP or by a static payload type (RFC 3551); null when neither tells.
    pub codec: Option<String>,
    /// RTP clock that media time was taken by, Hz.
    pub clock_rate: u32,
    /// Where the clock rate comes from: `sdp`; `static`, RFC 3551; `inferred`, from timestamps against arrivals;
    /// `assumed`, where there were too few packets for that.
    pub clock_rate_from: &'static str,
    /// Most frequent timestamp step, ms.
    pub ptime_ms: Option<f64>,
    /// Sequence number of the first packet.
    pub first_seq: Option<u16>,
    /// Times the sender began again at another sequence number.
    pub restarts: u32,
    /// Where the receive leg leads to the centre, the sent leg from it; null for other streams.
    pub leg: Option<Leg>,
    /// Index in `calls`.
    pub call: Option<usize>,
    /// First packet, ns since 1970.
    pub first_ns: i64,
    /// Last packet, ns since 1970.
    pub last_ns: i64,
    /// `sequence-numbers`, or `ledger` where the capture holds the sender's own count.
    pub expected_from: &'static str,
    /// From the first to the last that came, or the sender's count.
    pub packets_expected: u64,
    /// Distinct packets.
    pub packets_received: u64,
    /// Expected minus received.
    pub packets_lost: u64,
    /// Further copies.
    pub packets_duplicated: u64,
    /// RFC 4737.
    pub packets_reordered: u64,
    /// After their playout time in a fixed buffer of 60 ms.
    pub packets_discarded: u64,
    /// Slots never sent: the timestamp advanced by more than a packet time without a sequence gap, a marker,
    /// comfort noise or a telephone-event.
    pub packets_not_sent: u64,
    /// Lost of expected, percent.
    pub loss_percent: Option<f64>,
    /// RFC 3550 A.8.
    pub interarrival_jitter_ms: MeanMax,
    /// RFC 5481 4.1, absolute values.
    pub ipdv_ms: Percentiles,
    /// RFC 5481 4.2.
    pub pdv_ms: PdvPercentiles,
    /// E-model with what was lost and discarded; null for a codec without G.113 values.
    pub mos_lq: Option<MosSpread>,
    /// Dead-air events.
    pub dead_air: DeadAir,
    /// Those by length.
    pub dead_air_at_least: DeadAirClasses,
    /// Other buffers.
    pub playout_buffers: Vec<PlayoutBuffer>,
    /// Delay that the adaptive buffer of Ramjee et al. (1994) came to at the end, above the least transit, ms.
    pub adaptive_playout_ms: Option<f64>,
    /// RFC 3611 4.7.2.
    pub burst_gap: BurstGap,
    /// RFC 3357.
    pub loss_runs: LossRuns,
    /// RFC 4737.
    pub reordering: Reordering,
    /// RFC 7294.
    pub concealment: Concealment,
    /// Capturing clock against the sender's media clock, parts per million; null below a minute.
    pub media_clock_skew_ppm: Option<f64>,
    /// Where that changed, when it did.
    pub media_clock_skew_change: Option<SkewChange>,
    /// Octets a NIC counts (IP packet plus 14), as Mbit/s over the stream's life.
    pub mbps: Option<f64>,
    /// Packets of telephone-events, which have no part in variation of delay.
    pub telephone_event_packets: u64,
    /// Packets of comfort noise, likewise.
    pub comfort_noise_packets: u64,
    /// DSCP that its packets carry, when it is one.
    pub dscp: Option<u8>,
    /// The last that RTCP in the capture says of this stream's reception.
    pub reported: Option<Reported>,
}

/// What the far end reported of a stream, RFC 3550 6.4.1 and RFC 3611 4.7.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Reported {
    /// Reports with a block of this stream.
    pub reports: u64,
    /// Cumulative number of packets lost.
    pub packets_lost: Option<i32>,
    /// Interarrival jitter, ms.
    pub interarrival_jitter_ms: Option<f64>,
    /// Round trip by LSR and DLSR, as seen at the capture's place, ms: only the reporter's side of it.
    pub round_trip_ms: Option<f64>,
    /// MOS-LQ of an XR block of `VoIP` metrics.
    pub mos_lq: Option<f64>,
    /// R factor of an XR block of `VoIP` metrics.
    pub r_factor: Option<u8>,
}

/// Streams that belong together: by SIP, or by mirrored addresses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnalyzedCall {
    /// `sip`, or `addresses`.
    pub paired_by: &'static str,
    /// Caller and callee, telephone numbers masked; null without SIP.
    pub parties: Option<(String, String)>,
    /// Indices in `streams`.
    pub streams: Vec<usize>,
}

/// What a capture of a run says of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapturedRun {
    /// The run's name.
    pub scenario: String,
    /// Both legs as the run's own scorer makes them of the captured packets, the plan and the ledgers; the guest's
    /// playout has no part in them.
    pub legs: Legs,
}

/// A second of one leg of a capture.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnalyzedSecond {
    /// Second since the first frame.
    pub second: u32,
    /// The leg.
    pub leg: Leg,
    /// Streams that were heard in it.
    pub streams: u32,
    /// Distinct packets.
    pub received: u64,
    /// Lost, placed where they were missed.
    pub lost: u64,
    /// Discarded at playout.
    pub discarded: u64,
    /// Further copies.
    pub duplicated: u64,
    /// RFC 4737.
    pub reordered: u64,
    /// Mean over packets of J, ms.
    pub interarrival_jitter_mean_ms: Option<f64>,
    /// Largest J, ms.
    pub interarrival_jitter_max_ms: Option<f64>,
    /// Median PDV, ms.
    pub pdv_p50_ms: Option<f64>,
    /// 99th percentile.
    pub pdv_p99_ms: Option<f64>,
    /// 99.9th percentile.
    pub pdv_p999_ms: Option<f64>,
    /// Largest.
    pub pdv_max_ms: Option<f64>,
    /// Dead slots of events, ms of all streams together.
    pub dead_air_ms: f64,
    /// Dead-air events begun in it.
    pub dead_air_events: u64,
    /// RTP as a NIC counts it, Mbit/s.
    pub mbps: f64,
}
