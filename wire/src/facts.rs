//! Facts: what each end saw, before any judgement. A run's `facts/` folder is a log of these, one
//! file an end and one a neighbour; the scorecard, every plot and any later re-judgement are computed from nothing else.
//!
//! Clocks: every instant is run time by the clock of the end that wrote the fact. Transit is
//! arrival minus due departure, so across hosts it holds the offset that the start message left
//! and the skew since; [`Fact::Opened`] says whether both ends share one clock.

mod marks;
mod neighbours;
mod recordings;
mod scale;
mod seconds;
mod streams;

pub use marks::{HookOutcome, MarkSource};
pub use neighbours::{NeighbourFact, NeighbourPlace, NeighbourSecond};
pub use recordings::{RecordingEventFact, RecordingFact, SilenceFact};
pub use scale::{BUCKETS, Scale};
pub use seconds::{DueSecond, HostSecond, PacingSecond, SentSecond, StreamSecond, TransferSecond};
pub use streams::{DeadCause, LatePacket, Ledger, StreamEnd};

use crate::clock::SleepMode;
use crate::id::{CallId, End, Lane, Leg, StreamId};
use crate::load::LoadSpec;
use crate::step::{Step, StepKind};
use crate::time::RunTime;
use serde::{Deserialize, Serialize};

/// Version of the facts format: a reader refuses others.
pub const FACTS_VERSION: u8 = 7;

/// Packets later than this above the stream's reference transit are listed one by one, ns.
pub const LATE_LISTED_NS: i64 = 20_000_000;

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
    /// A recording came (tester only). Boxed: of the many facts that rings hold none is longer than a stream's second.
    Recording(Box<RecordingFact>),
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
    /// Something happened, or was made to happen, to the guest (tester only).
    Mark {
        /// When it was told.
        at: RunTime,
        /// Its name.
        label: String,
        /// Who says so.
        source: MarkSource,
    },
    /// A command of the scenario ended, or was ended (tester only).
    HookEnded {
        /// Label of the event that ran it.
        label: String,
        /// When it was started.
        started: RunTime,
        /// When it ended.
        at: RunTime,
        /// How.
        outcome: HookOutcome,
        /// The end of what it wrote to standard output and standard error.
        output: String,
    },
    /// A named part of the full-load time begins (tester only).
    PartStarted {
        /// Its name.
        name: String,
        /// From here on, until the next.
        at: RunTime,
    },
    /// Packets of an encrypted stream that did not authenticate in one second, by the receiver: they are not the stream's,
    /// or another than its sender made, and count nowhere else.
    Unauthentic {
        /// The stream whose SSRC they have.
        stream: StreamId,
        /// The second of run time (of arrival).
        second: u32,
        /// RTP packets.
        packets: u32,
        /// RTCP packets.
        reports: u32,
    },
    /// What the end's machine is: at the beginning and when it changed what identifies it, at the end everything.
    Environment {
        /// When it was read.
        at: RunTime,
        /// All that is known; else what identifies the machine only.
        whole: bool,
        /// (name, value), as in `environment.json`; what is not known is left out.
        values: Vec<(String, String)>,
    },
    /// What was asked of a neighbour, or what it did: load beside the calls. Of a neighbour's own log it is all that counts.
    Neighbour {
        /// Its number, from 1, in the order in which they were named.
        neighbour: u32,
        /// What is told of it.
        told: NeighbourFact,
    },
    /// The receiver anchored its playout of a stream anew: from the next packet on the reference transit is a longer one, since
    /// after a gap none came in time any more and all came evenly.
    AnchoredAnew {
        /// The stream.
        stream: StreamId,
        /// Slot of the packet that made it certain: it and those before it were judged by the old reference.
        slot: u32,
        /// By how much the reference rose, us.
        rose_us: u32,
    },
}
