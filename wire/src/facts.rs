//! Facts: what each end saw, before any judgement. A run's `facts/` folder is a log of these, one
//! file an end; the scorecard, every plot and any later re-judgement are computed from nothing else.
//!
//! Clocks: every instant is run time by the clock of the end that wrote the fact. Transit is
//! arrival minus due departure, so across hosts it holds the offset that the start message left
//! and the skew since; [`Fact::Opened`] says whether both ends share one clock.

use crate::clock::SleepMode;
use crate::id::{CallId, End, Lane, Leg, StreamId};
use crate::load::LoadSpec;
use crate::step::{Step, StepKind};
use crate::time::RunTime;
use serde::{Deserialize, Serialize};

/// Version of the facts format: a reader refuses others.
pub const FACTS_VERSION: u8 = 4;

/// Packets later than this above the stream's reference transit are listed one by one, ns.
pub const LATE_LISTED_NS: i64 = 20_000_000;

/// Buckets of the coarse histograms: see [`Scale`].
pub const BUCKETS: usize = 256;

/// The scale of a coarse histogram of durations: 16 equal steps of one unit, then 16 steps an
/// octave, each value within 3.2 % of its bucket's middle; the last bucket is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    unit: i64,
}

impl Scale {
    /// For all streams of an end together, once a second: steps of 8 us.
    pub const LEG: Self = Self { unit: 8_000 };
    /// For each stream, once a second: steps of 32 us, since hundreds of these travel.
    pub const STREAM: Self = Self { unit: 32_000 };

    /// The bucket of a duration in ns; below zero counts as zero.
    #[must_use]
    #[inline]
    pub fn bucket(self, ns: i64) -> u8 {
        let units = u64::try_from(ns.max(0) / self.unit).unwrap_or(0);
        if units < 16 {
            return u8::try_from(units).unwrap_or(0);
        }
        let octave = 63 - u64::from(units.leading_zeros()); // >= 4
        let step = (units >> (octave - 4)) & 15;
        u8::try_from(((octave - 3) * 16 + step).min(BUCKETS as u64 - 1)).unwrap_or(u8::MAX)
    }

    /// The middle of a bucket, ns.
    #[must_use]
    pub fn middle(self, bucket: u8) -> i64 {
        let (octave, step) = (i64::from(bucket) / 16, i64::from(bucket) % 16);
        if octave == 0 {
            return step * self.unit + self.unit / 2;
        }
        let width = (1_i64 << (octave - 1)) * self.unit;
        (16 + step) * width + width / 2
    }
}

/// The part of a run that a second belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Load is rising.
    Ramp,
    /// All calls are up: the time that distributions and thresholds speak of.
    Full,
    /// Calls end, recordings are transferred.
    Drain,
}

/// What one end saw of one stream in one second (of arrival).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSecond {
    /// The stream.
    pub stream: StreamId,
    /// The second of run time.
    pub second: u32,
    /// Distinct packets that arrived.
    pub packets: u32,
    /// Further copies of packets already here.
    pub duplicates: u32,
    /// RFC 4737 reordered packets.
    pub reordered: u32,
    /// Packets that came after their playout time.
    pub discarded: u32,
    /// Least transit, ns (arrival minus due departure); meaningless when `packets` is 0. This and
    /// the other times of a second travel in whole microseconds, which halves the telemetry.
    #[serde(with = "whole_microseconds")]
    pub transit_min: i64,
    /// Largest transit, ns.
    #[serde(with = "whole_microseconds")]
    pub transit_max: i64,
    /// Sum over the packets of J (RFC 3550 A.8, floating point) after each, ns; from the stream's second packet on.
    #[serde(with = "whole_microseconds")]
    pub interarrival_jitter_sum: i64,
    /// How many values that sum has.
    pub interarrival_jitter_count: u32,
    /// Largest J, ns.
    #[serde(with = "whole_microseconds")]
    pub interarrival_jitter_max: i64,
    /// Coarse histogram of transit above `transit_min`: (bucket of [`Scale::STREAM`], count), ascending.
    pub pdv: Vec<(u8, u16)>,
}

/// The packets of a leg that were due in one second, as one receiving thread saw them: what delay
/// variation is attributed by. A packet's place is when it was due, so that what held it at the sender,
/// on the path or at the receiver lies in the same second. Several of these may speak of one second:
/// they add up.
///
/// *Above* is a packet's transit above its stream's least so far, drift taken off. *Common* is the part
/// of it that all streams shared at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueSecond {
    /// The leg.
    pub leg: Leg,
    /// The second of run time (of being due).
    pub second: u32,
    /// Distinct packets that arrived.
    pub packets: u32,
    /// Sum of above, ns.
    #[serde(with = "whole_microseconds")]
    pub above_sum: i64,
    /// Largest above, ns.
    #[serde(with = "whole_microseconds")]
    pub above_max: i64,
    /// Packets whose common part is known: enough others were due with them.
    pub common_packets: u32,
    /// Sum of their common parts, ns.
    #[serde(with = "whole_microseconds")]
    pub common_sum: i64,
    /// The common part of the packet with the largest above, ns; none when it is not known.
    pub common_at_max: Option<i64>,
    /// Sum of `taken` minus `arrived`, ns.
    #[serde(with = "whole_microseconds")]
    pub taken_after_sum: i64,
    /// Largest of those, ns.
    #[serde(with = "whole_microseconds")]
    pub taken_after_max: i64,
}

/// Nanoseconds kept as whole microseconds, rounded to the nearest.
mod whole_microseconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    pub(super) fn serialize<S: Serializer>(ns: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        ns.saturating_add(500)
            .div_euclid(1000)
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        i64::deserialize(deserializer).map(|us| us.saturating_mul(1000))
    }
}

/// Why a slot carried no audio to the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeadCause {
    /// The packet never arrived.
    Lost,
    /// It arrived after its playout time.
    Late,
    /// It was never sent: the timestamp moved on, the sequence number did not.
    NotSent,
    /// The guest's playout clock did not tick within one packet time of due, or read the packet,
    /// which was there, too late.
    GuestPlayout,
}

/// A packet that arrived long after the stream's reference transit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatePacket {
    /// Its media slot: RTP timestamp steps of one packet time since the stream's first.
    pub slot: u32,
    /// How far above the reference transit, us.
    pub above_us: u32,
}

/// The receiver's last word on a stream, one second after the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEnd {
    /// The stream.
    pub stream: StreamId,
    /// Distinct packets that arrived.
    pub received: u32,
    /// Further copies.
    pub duplicates: u32,
    /// RFC 4737 reordered packets.
    pub reordered: u32,
    /// Arrived after their playout time.
    pub discarded: u32,
    /// Packets lost between the first and the last that arrived.
    pub lost_inside: u32,
    /// Sequence index (0 = the sender's first packet) of the first and of the last that arrived;
    /// none when nothing did. What the ledger counts beyond is lost at head and tail.
    pub first_index: Option<u32>,
    /// See `first_index`.
    pub last_index: Option<u32>,
    /// Media slot of the first that arrived.
    pub first_slot: Option<u32>,
    /// Media slot of the last that arrived.
    pub last_slot: Option<u32>,
    /// The DSCP that arrived with the last packet, when the system told.
    pub dscp: Option<u8>,
}

/// The sender's last word on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The stream.
    pub stream: StreamId,
    /// Packets handed to the network.
    pub sent: u32,
    /// Slots that were not sent because they came more than one packet time late.
    pub not_sent: u32,
    /// Packets the operating system refused.
    pub refused: u32,
}

/// How an end kept its own time in one second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacingSecond {
    /// The second of run time (of being due).
    pub second: u32,
    /// Packets that were due.
    pub planned: u32,
    /// Packets sent.
    pub sent: u32,
    /// Slots not sent (tester) or ticks missed (guest).
    pub not_sent: u32,
    /// Coarse histogram of lateness, departure minus due: see [`Scale::LEG`].
    pub lateness: Vec<(u8, u32)>,
    /// Largest lateness, ns, sent or not.
    pub lateness_max: i64,
}

/// Octets and packets one end put on the network in one second, as a NIC counts them: the IP packet plus 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentSecond {
    /// The second of run time.
    pub second: u32,
    /// RTP packets.
    pub rtp_packets: u32,
    /// RTP octets.
    pub rtp_octets: u64,
    /// RTCP octets.
    pub rtcp_octets: u64,
    /// Transfer octets, with TCP headers, acknowledgements and retransmissions.
    pub transfer_octets: u64,
    /// Control octets, likewise.
    pub control_octets: u64,
    /// TCP segments retransmitted on the transfer connections.
    pub retransmissions: u32,
    /// Octets the interface itself counted as sent, when it was known.
    pub nic_octets: Option<u64>,
    /// Octets the interface counted as received.
    pub nic_received_octets: Option<u64>,
}

/// Transfers of files from one end in one second, by that end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferSecond {
    /// The second of run time.
    pub second: u32,
    /// Transfers under way at its end.
    pub under_way: u32,
    /// Files that the other end confirmed, their checksums right.
    pub completed: u32,
    /// Transfers that broke off or were refused: such a file is sent again, and counts as completed only then.
    pub broken: u32,
    /// What the pace allowed, octets as a network interface counts; none where files go as TCP does.
    pub allowed_octets: Option<u64>,
    /// What the other end's TCP acknowledged, octets without headers.
    pub acknowledged_octets: u64,
    /// Segments sent again.
    pub retransmissions: u32,
    /// The longest of any connection's times without an acknowledgement while something was outstanding, ms.
    pub stalled_ms: u32,
    /// The largest smoothed round trip of any connection, us; none when nothing was sent.
    pub round_trip_us: Option<u32>,
}

/// How an end's packet threads keep time: what was chosen, what was asked of the system, what it granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timers {
    /// How they wait for a slot.
    pub mode: SleepMode,
    /// Threads that send by the clock.
    pub threads: u32,
    /// What was asked of the system.
    pub rights: Vec<Right>,
}

/// Something asked of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// What: `SCHED_FIFO`, `timer slack of 1 ns`, `locked memory`, `processor of its own`, `kernel departure stamps`.
    pub name: String,
    /// Granted; the reason and the remedy when refused.
    pub granted: Result<(), String>,
}

/// State of an end's host in one second; null where it could not be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HostSecond {
    /// The second of run time.
    pub second: u32,
    /// CPU in use over all cores, percent.
    pub cpu_percent: Option<f32>,
    /// Time stolen by the hypervisor, percent.
    pub steal_percent: Option<f32>,
    /// This process's CPU, percent of one core.
    pub process_cpu_percent: Option<f32>,
    /// The largest share of the second that a packet thread ran, percent.
    pub running_percent: Option<f32>,
    /// The largest share of the second that a packet thread was runnable and did not run, percent: a processor short
    /// of time, whatever its use is. Time that a thread sleeps, or spins on purpose, is no part of it.
    pub runnable_percent: Option<f32>,
    /// Packets dropped at our sockets since the run began (`SO_RXQ_OVFL`, `SO_MEMINFO`).
    pub socket_drops: u64,
    /// Recorder frames dropped since the run began because the disk did not keep up.
    pub recorder_drops: u64,
    /// Largest realtime clock step seen against the monotonic clock in this second, ns.
    pub clock_step: i64,
}

/// A recording, as the tester received and the scorer judged it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingFact {
    /// The call.
    pub call: CallId,
    /// File name in `recordings/`, kept or not.
    pub file: String,
    /// Arrived whole, checksum verified, at this run time.
    pub received_at: RunTime,
    /// Octets that travelled, before TCP headers.
    pub wire_octets: u64,
    /// The weight that the scenario asked for; when smaller than `wire_octets` the real weight was sent.
    pub weight_octets: u64,
    /// Transfers it took until confirmed.
    pub attempts: u32,
    /// Length of the audio, ms.
    pub audio_ms: u32,
    /// Silence events found: (channel, start ms, length ms).
    pub silences: Vec<SilenceFact>,
    /// Why it could not be scored, when it could not.
    pub error: Option<String>,
}

/// One silence event in a recording.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SilenceFact {
    /// Channel, 0 is party A.
    pub channel: u8,
    /// Start in the recording, ms.
    pub start_ms: f64,
    /// Length, ms.
    pub length_ms: f64,
}

/// Something in a recording that is no silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingEventFact {
    /// What: `dropout`, `splice`, `clipping`, `one-way` or `crossed`, as `milliwatt score --json` says it.
    pub kind: String,
    /// Channel, 0 is party A.
    pub channel: u8,
    /// Start in the recording, ms.
    pub start_ms: f64,
    /// Length, ms; of a splice, what is missing.
    pub length_ms: f64,
    /// Of a splice: samples that are missing, below zero that were put in; none when that cannot be told.
    pub missing_samples: Option<i64>,
}

/// One thing that an end saw. Order within a file is by writing, not by time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// First fact of each file.
    Opened {
        /// Who writes.
        end: End,
        /// The run's random identity, the same at both ends.
        run: u64,
        /// The load as both ends know it.
        load: Box<LoadSpec>,
        /// Both ends read one kernel's clock: no offset, no skew.
        same_clock: bool,
        /// Run time zero by this end's wall clock, ns since 1970.
        wall_at_zero: i64,
        /// How its packet threads keep time.
        timers: Timers,
        /// Kernel receive timestamps in use.
        kernel_timestamps: bool,
        /// A guest was named (`--guest`): the other end's stalls are findings, not taint.
        guest_named: bool,
        /// The scenario's thresholds, document figures and bounds, as JSON text for the scorer.
        judgement: String,
    },
    /// The phase changed (tester only).
    Phase {
        /// To this one.
        phase: Phase,
        /// From here on.
        at: RunTime,
    },
    /// A call began, at its planned time (tester only).
    CallStarted {
        /// The call.
        call: CallId,
        /// Its lane.
        lane: Lane,
        /// When.
        at: RunTime,
    },
    /// A call ended (tester only).
    CallEnded {
        /// The call.
        call: CallId,
        /// When.
        at: RunTime,
        /// It was cut short by the run's end rather than by its hold time.
        cut: bool,
    },
    /// Due time of a stream's first packet (slot 0), by the sender.
    StreamStarted {
        /// The stream.
        stream: StreamId,
        /// When slot 0 is due.
        due: RunTime,
        /// Its SSRC.
        ssrc: u32,
    },
    /// One stream, one second, by the receiver.
    StreamSecond(StreamSecond),
    /// Slots that never reached playout, by the end that found out. A run of lost or unsent slots
    /// comes from the receiver; `GuestPlayout` runs only from the guest, about the receive leg.
    DeadSlots {
        /// The stream.
        stream: StreamId,
        /// Why.
        cause: DeadCause,
        /// First dead slot.
        first_slot: u32,
        /// How many.
        slots: u32,
    },
    /// Packets far above the reference transit; whether one is dead depends on the buffer.
    LatePackets {
        /// The stream.
        stream: StreamId,
        /// In order of slot.
        packets: Vec<LatePacket>,
    },
    /// Two packets of a stream more than 1.5 packet times apart on arrival.
    ArrivalGap {
        /// The stream.
        stream: StreamId,
        /// Slot of the packet that ended the gap.
        slot: u32,
        /// Length, us.
        gap_us: u32,
        /// Packets missing inside, by sequence number.
        missing: u32,
    },
    /// The receiver's last word on a stream.
    StreamEnd(StreamEnd),
    /// The sender's last word on a stream.
    Ledger(Ledger),
    /// Slots that the sender of a stream did not send.
    NotSent {
        /// The stream.
        stream: StreamId,
        /// First slot not sent.
        first_slot: u32,
        /// How many.
        slots: u32,
    },
    /// All streams of a leg, one second: absolute IPDV (RFC 5481 4.1) of consecutive packets, coarse buckets with exact maximum.
    LegSecond {
        /// The leg.
        leg: Leg,
        /// The second of run time.
        second: u32,
        /// Histogram of |IPDV|: (bucket of [`Scale::LEG`], count).
        ipdv: Vec<(u8, u32)>,
        /// Largest |IPDV|, ns.
        ipdv_max: i64,
        /// Histogram of `taken` minus `arrived`: how long packets lay in the kernel.
        taken_after: Vec<(u8, u32)>,
        /// Largest of those, ns.
        taken_after_max: i64,
    },
    /// What held the packets that were due in one second.
    Due(DueSecond),
    /// The end's own pacing: departures at the tester, playout ticks at the guest.
    Pacing(PacingSecond),
    /// How long after its departure was read off the clock the kernel handed a packet to the driver, for the packets
    /// of a sample of the streams that left in one second.
    DepartureStamps {
        /// The second of run time.
        second: u32,
        /// Histogram: (bucket of [`Scale::LEG`], count).
        after: Vec<(u8, u32)>,
        /// The longest, ns.
        after_max: i64,
    },
    /// What the end sent.
    Sent(SentSecond),
    /// State of the end's host.
    Host(HostSecond),
    /// One four-timestamp exchange on the control channel (tester only), each by its own host's clock in run time.
    Clock {
        /// Tester sends, run time of the tester.
        t1: RunTime,
        /// Guest receives, run time of the guest.
        t2: RunTime,
        /// Guest answers.
        t3: RunTime,
        /// Tester receives.
        t4: RunTime,
    },
    /// A recording came (tester only).
    Recording(RecordingFact),
    /// A recording was expected of this call (tester only).
    RecordingExpected {
        /// The call.
        call: CallId,
    },
    /// Something worth a line in `events.jsonl`: a mark, a lost connection, a stop.
    Event {
        /// When.
        at: RunTime,
        /// A short stable word: `mark`, `control-lost`, `control-resumed`, `abort`, `stop`, `guest-lost`, `disk-full`, `clock-step`,
        /// `capture-incomplete`.
        kind: String,
        /// For people.
        text: String,
    },
    /// The end finished in order: without it the file is partial.
    Closed {
        /// When.
        at: RunTime,
    },
    /// A step begins (tester only), told before it does.
    StepStarted {
        /// The step.
        step: Step,
        /// Why it is made.
        kind: StepKind,
        /// What it is to put on the sent leg, recordings included, kbit/s as a network interface counts.
        target_kbps: u32,
    },
    /// A step ended (tester only).
    StepEnded {
        /// Which.
        index: u32,
        /// When: before its time where going on would only have harmed.
        at: RunTime,
    },
    /// What an end transferred.
    Transfers(TransferSecond),
    /// What else was found in a recording, told with it (tester only).
    RecordingEvents {
        /// The call.
        call: CallId,
        /// By channel and time; of many the first.
        events: Vec<RecordingEventFact>,
        /// Events past those, by kind.
        unlisted: Vec<(String, u64)>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket_middle_by_the_promised_share() {
        for scale in [Scale::LEG, Scale::STREAM] {
            let mut ns = 1_i64;
            while ns < 4_000_000_000 {
                let error = (scale.middle(scale.bucket(ns)) - ns).abs();
                let most = (scale.unit / 2).max(ns / 31);
                assert!(
                    error <= most,
                    "{ns} ns lies {error} ns from the middle of its bucket"
                );
                ns += ns / 7 + 1;
            }
        }
    }

    #[test]
    fn buckets_ascend() {
        for scale in [Scale::LEG, Scale::STREAM] {
            assert!((1..=u8::MAX).all(|bucket| scale.middle(bucket) > scale.middle(bucket - 1)));
        }
    }
}
