//! The load that a run puts on the guest, resolved: no option is open and no default is left to
//! choose. Both ends expand it to the same calls, ports and slots, so it travels once.

use crate::id::{CallId, Party};
use crate::time::NS_PER_MS;
use crate::{g711, g722};
use serde::{Deserialize, Serialize};

/// What the agent does with the media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Playout on its own clock, audio passed between the parties, calls recorded and transferred.
    MediaServer,
    /// Each packet goes back at once on the port it came to: the path alone.
    Echo,
}

/// How long calls last. All in 20 ms-free nanoseconds; the call model rounds to whole packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hold {
    /// Every call the same.
    Fixed(i64),
    /// Uniform between the two, both included.
    Uniform(i64, i64),
    /// Exponential with this mean.
    Exponential(i64),
}

impl Hold {
    /// The mean hold time in ns.
    #[must_use]
    pub fn mean(self) -> i64 {
        match self {
            Self::Fixed(ns) | Self::Exponential(ns) => ns,
            Self::Uniform(low, high) => low + (high - low) / 2,
        }
    }
}

/// What the parties say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Audio {
    /// A tone each, without a pause.
    Tone,
    /// Made-up speech with pauses, drawn from the seed.
    Speech,
    /// What is in a file that only the tester has.
    File,
}

/// What is played in place of a packet that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// The codec's code word of no signal.
    Silence,
    /// What G.711 Appendix I makes of the audio before: silence from 60 ms on.
    #[serde(rename = "g711-appendix-i")]
    G711AppendixI,
}

/// The codecs that streams can carry: each has 64 kbit/s, an RTP clock of 8000 Hz and packets of 160 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 mu-law, payload type 0.
    #[serde(rename = "PCMU")]
    Pcmu,
    /// G.711 A-law, payload type 8.
    #[serde(rename = "PCMA")]
    Pcma,
    /// G.722 at 64 kbit/s, payload type 9: audio of 16 kHz on an RTP clock of 8000 Hz (RFC 3551 4.5.2).
    G722,
}

impl Codec {
    /// The static payload type of RFC 3551 table 4.
    #[must_use]
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    /// The code word of (almost) no signal: what silence is made of.
    #[must_use]
    pub fn idle_code(self) -> u8 {
        match self {
            Self::Pcmu => 0xff,
            Self::Pcma => 0xd5,
            Self::G722 => g722::IDLE_CODE,
        }
    }

    /// Samples a second of its audio.
    #[must_use]
    pub fn sample_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma => CLOCK_RATE,
            Self::G722 => g722::SAMPLE_RATE,
        }
    }

    /// Samples of its audio in a packet of 20 ms.
    #[must_use]
    pub fn samples_a_packet(self) -> usize {
        match self {
            Self::Pcmu | Self::Pcma => SAMPLES_PER_PACKET,
            Self::G722 => 2 * SAMPLES_PER_PACKET,
        }
    }

    /// How a recording holds its audio: WAVE format tag and octets a sample. G.711 as it is, G.722 as 16-bit PCM.
    #[must_use]
    pub fn recorded_as(self) -> (u16, u16) {
        match self {
            Self::Pcma => (6, 1),
            Self::Pcmu => (7, 1),
            Self::G722 => (1, 2),
        }
    }

    /// Code words of 16-bit samples at [`Codec::sample_rate`], as an encoder in its first state makes them.
    #[must_use]
    pub fn encode(self, samples: &[i16]) -> Vec<u8> {
        match self {
            Self::Pcmu => samples.iter().map(|s| g711::encode_mu_law(*s)).collect(),
            Self::Pcma => samples.iter().map(|s| g711::encode_a_law(*s)).collect(),
            Self::G722 => g722::Encoder::new().encode(samples),
        }
    }

    /// Samples of code words, as a decoder in its first state makes them.
    #[must_use]
    pub fn decode(self, codes: &[u8]) -> Vec<i16> {
        match self {
            Self::Pcmu => codes.iter().map(|c| g711::decode_mu_law(*c)).collect(),
            Self::Pcma => codes.iter().map(|c| g711::decode_a_law(*c)).collect(),
            Self::G722 => g722::Decoder::new().decode(codes),
        }
    }
}

/// RTP clock of every codec, and samples a second of G.711.
pub const CLOCK_RATE: u32 = 8000;
/// Packet time of every stream, ns.
pub const PTIME_NS: i64 = 20 * NS_PER_MS;
/// RTP ticks and payload octets in one packet of 20 ms at 64 kbit/s; samples too, but of G.722, which has two an octet.
pub const SAMPLES_PER_PACKET: usize = 160;
/// RTP clock ticks in one packet: the clock is the sampling rate.
pub const TICKS_PER_PACKET: u32 = 160;
/// Frequency of party A's tone. 1004 Hz is telephony's own choice: no divisor of the sampling rate.
pub const TONE_A_HZ: u32 = 1004;
/// Frequency of party B's tone: 26.92 cycles a packet, so a spliced-out packet shows in the phase.
pub const TONE_B_HZ: u32 = 1346;

/// A stretch of one party's audio replaced by silence at the tester: a known truth to find again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSilence {
    /// The call.
    pub call: CallId,
    /// Who falls silent.
    pub party: Party,
    /// From here, ns after the call's start.
    pub from: i64,
    /// For so long, ns.
    pub length: i64,
}

/// Recording of calls on the guest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingSpec {
    /// Share of calls recorded, 0 to 1.
    pub share: f64,
    /// Weight on the wire, bit/s of call time (8533 is `TrueSpeech`'s).
    pub rate_bits_per_second: u32,
    /// Two channels, a party each; false mixes both parties to one.
    pub stereo: bool,
}

/// When recordings are transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferWhen {
    /// Each when its call has ended.
    AtCallEnd,
    /// In batches: those that are there at each whole multiple of this many ns after the start of full load, and at the end.
    Every(i64),
    /// As calls end; and beside them a backlog of earlier recordings is worked off without a pause, from the start of full
    /// load to its end: files of noise, made up as they are sent.
    Backlog,
    /// As calls end; and beside them files of noise at the rate at which the calls that are up would fill recordings.
    Continuous,
}

/// Which way the files of a transfer load go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferDirection {
    /// Guest to tester: the tester plays the storage server.
    ToTester,
    /// Tester to guest: made-up files only; recordings always go to the tester.
    ToGuest,
}

/// How large the made-up files are, octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileSize {
    /// As a recording would be: the recordings' rate times a hold time drawn as the calls' are.
    Recording,
    /// All the same.
    Fixed(u64),
    /// Uniform between the two, both included.
    Uniform(u64, u64),
}

/// Most files in flight at once.
pub const TRANSFERS_MAX: u32 = 1000;

/// Transfer of recordings, and of made-up files that load the path as recordings would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferSpec {
    /// How many files may be in flight at once, a connection each.
    pub parallel: u32,
    /// When.
    pub when: TransferWhen,
    /// All connections together at most this many bit/s, as a network interface counts (IP packet plus 14 octets); none is
    /// as TCP goes.
    pub rate_bits_per_second: Option<u64>,
    /// Which way made-up files go.
    pub direction: TransferDirection,
    /// How large they are.
    pub size: FileSize,
}

impl Default for TransferSpec {
    /// Four at a time, each when its call has ended, as TCP goes.
    fn default() -> Self {
        Self {
            parallel: 4,
            when: TransferWhen::AtCallEnd,
            rate_bits_per_second: None,
            direction: TransferDirection::ToTester,
            size: FileSize::Recording,
        }
    }
}

/// Everything both ends need to know of the load before it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadSpec {
    /// All randomness derives from it.
    pub seed: u64,
    /// The agent's role.
    pub role: Role,
    /// Calls up at once: lanes.
    pub concurrent: u32,
    /// Calls in all; none means as many as the time allows.
    pub total: Option<u32>,
    /// Least time between two call starts, ns (50/s is 20 ms).
    pub arrival_interval: i64,
    /// How long calls last.
    pub hold: Hold,
    /// The first calls are already under way when the run starts: residual hold times.
    pub steady_start: bool,
    /// Call legs a call: 1 or 2.
    pub legs: u8,
    /// End of full load, ns of run time measured from its start; none runs until `total`.
    pub full_for: Option<i64>,
    /// The codec of every stream.
    pub codec: Codec,
    /// RTP and RTCP are protected ([`crate::srtp`]). The keys are told beside the load: this is kept in the facts.
    pub srtp: bool,
    /// DSCP of media, 0 to 63.
    pub dscp: u8,
    /// DSCP of recording transfer.
    pub transfer_dscp: u8,
    /// Nominal depth of the playout buffer, ns.
    pub playout_buffer: i64,
    /// Least length of a dead-air event, ns.
    pub dead_air_min: i64,
    /// Width of a pacing slot, ns; divides the packet time.
    pub slot_width: i64,
    /// How much later than the party's packets its audio's onward stream has its place on the
    /// grid, ns: the path's delay and a margin, so that the playout buffer is its nominal depth.
    pub onward_offset: i64,
    /// Recording.
    pub recording: RecordingSpec,
    /// Transfer of recordings.
    pub transfer: TransferSpec,
    /// The calls come in steps that the tester tells of as the run goes on ([`crate::step`]): `total`, `hold`, `steady_start`
    /// and `arrival_interval` say nothing, `concurrent` is the most of any step, and `full_for` a bound on all of it.
    pub stepped: bool,
    /// Silences put into the sent audio on purpose.
    pub known_silences: Vec<KnownSilence>,
    /// What the parties say.
    pub audio: Audio,
    /// What the guest puts in place of a packet that is not there.
    pub fill: Fill,
    /// What a phone is taken to put there where the quality at it is estimated: nothing that is heard in this run.
    pub rated_fill: Fill,
}

impl LoadSpec {
    /// Parties with a media stream in each call: one or two.
    #[must_use]
    pub fn parties(&self) -> &'static [Party] {
        if self.legs >= 2 {
            &Party::BOTH
        } else {
            &Party::BOTH[..1]
        }
    }

    /// Slots on the grid of one packet time.
    #[must_use]
    pub fn slots(&self) -> u32 {
        u32::try_from(PTIME_NS / self.slot_width.max(1))
            .unwrap_or(1)
            .max(1)
    }
}
