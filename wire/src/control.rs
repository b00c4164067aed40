//! Control messages, free of transport: what the tester and the agent say to each other beside
//! the media. The tester speaks first; nothing on the media path waits for an answer.

use crate::load::LoadSpec;
use crate::neighbour::NeighbourLoad;
use crate::srtp::key::MediaKeys;
use crate::step::Step;
use crate::time::{MonoTime, RunTime};
use serde::{Deserialize, Serialize};

/// From the tester.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// First on every connection: who may speak, and for which run.
    Join {
        /// The token of the join line.
        token: String,
        /// The run's random identity; a connection that names a living run takes it up again.
        run: u64,
        /// Facts blocks that are safe at the tester: the next one wanted. 0 at first.
        next_block: u64,
    },
    /// The load, to be checked against the agent's limits and made ready.
    Prepare {
        /// The load.
        load: Box<LoadSpec>,
        /// What its media is protected with; none when it is not.
        keys: Option<MediaKeys>,
        /// A guest was named: copied into the facts.
        guest_named: bool,
        /// Both ends read one kernel's clock.
        same_clock: bool,
        /// Headers of every packet are to be captured.
        capture: bool,
    },
    /// Time exchange: the tester's clock when it sent.
    Clock {
        /// Tester's monotonic clock.
        t1: MonoTime,
    },
    /// Every port has been tried long enough: say which are proven.
    ProbesDone,
    /// The run begins.
    Start {
        /// Run time zero by the agent's clock.
        zero: MonoTime,
    },
    /// How fast the agent's clock runs against the tester's, parts per billion, as now known.
    Skew {
        /// Positive when the agent's is fast.
        parts_per_billion: i64,
    },
    /// A step of a stepped load, in order, some time before it begins. All known ones are said again on each new connection.
    Step {
        /// The step.
        step: Step,
    },
    /// A step ends before its time.
    EndStep {
        /// Which.
        index: u32,
        /// When: a few slots from now.
        at: RunTime,
    },
    /// End all calls at this run time, record, transfer.
    Stop {
        /// When.
        at: RunTime,
    },
    /// End all media at once.
    StopNow,
    /// Facts are safe up to and including this block.
    Received {
        /// Its sequence.
        block: u64,
    },
    /// Everything has come: the session is over.
    Finish,
    /// Instead of `Prepare`: be a neighbour, and make this load in the stretches told later. It is checked against the
    /// agent's limits; without its leave to make any, it is refused.
    PrepareNeighbour {
        /// Its number, from 1: copied into the facts.
        neighbour: u32,
        /// The load while it is on.
        load: NeighbourLoad,
    },
    /// Load is on in this stretch of run time. Without a word from the tester for [`NEIGHBOUR_LEASH_NS`], or with the end of
    /// the connection, it ends before its time.
    LoadOn {
        /// From here on, or from now on.
        from: RunTime,
        /// Until then at the latest.
        until: RunTime,
    },
    /// The stretch of load that holds this time ends at it.
    LoadOff {
        /// When.
        at: RunTime,
    },
}

/// A neighbour that has heard nothing from its tester for so long makes no load until it does, ns. The tester says
/// something each second.
pub const NEIGHBOUR_LEASH_NS: i64 = 5_000_000_000;

/// From the agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The token is right.
    Accept(Accept),
    /// No, and why.
    Refuse {
        /// What was refused.
        reason: String,
        /// What to do; names the flag.
        hint: String,
    },
    /// The media ports, in order of lane and party, RTP then RTCP, and what to prove them with.
    Ports {
        /// Port numbers, two a line.
        ports: Vec<u16>,
        /// Secret of the address proof; only the peer inside TLS knows it.
        secret: [u8; 16],
    },
    /// Which ports have heard the tester at all, and which are proven.
    Proven {
        /// Ports that got a probe.
        heard: u32,
        /// Ports whose peer answered the challenge.
        proven: u32,
    },
    /// Time exchange: the tester's stamp and the agent's two.
    Clock {
        /// As it came.
        t1: MonoTime,
        /// Agent's clock at arrival.
        t2: MonoTime,
        /// Agent's clock at the answer.
        t3: MonoTime,
    },
    /// A block of facts as `facts/guest.facts` keeps it.
    Block {
        /// Its sequence, from 0.
        sequence: u64,
        /// The encoded block.
        octets: Vec<u8>,
    },
    /// The last block has been sent and every recording been confirmed or given up.
    Done,
    /// The neighbour's load is ready to be begun.
    NeighbourReady,
}

/// The agent's introduction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accept {
    /// Program version.
    pub program: String,
    /// Boot identity, to know when both ends share one kernel.
    pub boot_id: Option<String>,
    /// Media-engine threads: one a vCPU.
    pub engines: u32,
    /// What it knows of its machine, (name, value).
    pub environment: Vec<(String, String)>,
    /// The session was living already: this connection takes it up.
    pub resumed: bool,
}
