//! A scenario file as written. Times, rates and sizes carry their unit; a key that is left out has
//! the default named here. The JSON Schema of `milliwatt scenarios schema` is made from these types.

mod course;
mod judged;
mod programme;

pub use course::{KnownSilence, Mode, Neighbour, Party, Quantity, Ramp, Search};
pub use judged::{Abort, Basis, Figure, Leg, Measured, Threshold};
pub use programme::{Event, Phase, Source, SourceKind};

use super::value::{Arrivals, BitRate, Duration, FileSize, Hold, TransferWhen};
use milliwatt_wire::load;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A test for a machine that carries voice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Short name: letters, digits and hyphens. The run directory is named by it.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What it reproduces: document and section.
    pub source: Option<String>,
    /// All randomness derives from it. Default 1.
    #[serde(default = "one")]
    pub seed: u64,
    /// Time at full load, at most where it has phases; the command line's --for goes first. Without it the run ends with its
    /// phases or at `calls.total`.
    #[serde(rename = "for")]
    pub full_for: Option<Duration>,
    /// Whatever is not media gives way to other programs, for a test beside live traffic: the tester runs at the lowest priority but
    /// for its media threads, and the agent is to be started with --background. Default false.
    #[serde(default)]
    pub background: bool,
    /// Judge by milliwatt's default thresholds too, where no `[[threshold]]` here has the same metric and leg. Default true;
    /// never with a `[ramp]`, which goes past them all.
    #[serde(default = "yes")]
    pub default_thresholds: bool,
    /// The calls.
    pub calls: Calls,
    /// What their RTP looks like.
    #[serde(default)]
    pub media: Media,
    /// How the guest records them.
    #[serde(default)]
    pub recording: Recording,
    /// How recordings leave the guest.
    #[serde(default)]
    pub transfer: Transfer,
    /// The playout buffer at both ends.
    #[serde(default)]
    pub playout: Playout,
    /// What counts as dead air.
    #[serde(default)]
    pub dead_air: DeadAir,
    /// When the tester itself is to be believed.
    #[serde(default)]
    pub validity: Validity,
    /// What the guest program does.
    #[serde(default)]
    pub agent: Agent,
    /// When to give up.
    #[serde(default)]
    pub abort: Abort,
    /// Load that rises in steps.
    pub ramp: Option<Ramp>,
    /// Search for the breaking point on the ramp.
    pub search: Option<Search>,
    /// Named parts of the full-load time.
    #[serde(default, rename = "phase", skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// Things that happen to the guest during the run.
    #[serde(default, rename = "event", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// What tells what happens to the guest, at its hypervisor.
    #[serde(default, rename = "hypervisor", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Load beside the calls, on the guest's host.
    #[serde(default, rename = "neighbour", skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// Silences put into the sent audio on purpose, to prove that the detectors find them.
    #[serde(
        default,
        rename = "known_silence",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub known_silences: Vec<KnownSilence>,
    /// Limits on what is measured.
    #[serde(default, rename = "threshold", skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    /// Published figures to show beside ours; never judged.
    #[serde(default, rename = "document", skip_serializing_if = "Vec::is_empty")]
    pub document: Vec<Figure>,
}

/// The calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Calls up at once. With a `[ramp]` of mode rtp that ramp says how many.
    pub concurrent: u32,
    /// Calls in all. Default: as many as the time allows.
    pub total: Option<u32>,
    /// New calls a time, during the ramp and when a call is replaced. Default 50/s.
    #[serde(default = "default_arrivals")]
    pub arrivals: Arrivals,
    /// How long calls last.
    pub hold: Hold,
    /// The first calls are already under way when the run starts. Default false.
    #[serde(default)]
    pub steady_start: bool,
    /// Legs a call, 1 or 2: parties with media. Default 2.
    #[serde(default = "two")]
    pub legs: u8,
}

/// What the RTP looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Codec of every stream. Default PCMU.
    pub codec: Codec,
    /// Audio a packet. Default 20ms, the only one in this version.
    pub ptime: Duration,
    /// What the parties say: "tone" (a different one each), "speech" (made up, with pauses, from the seed), or a file of
    /// speech, by its path from where milliwatt runs: a channel a party, or both the same half a file apart. Default
    /// tone, whose recordings weigh what they should: speech compresses little.
    pub audio: String,
    /// Encrypted media: SRTP and SRTCP with AES in counter mode of 128 bits and HMAC-SHA1 tags of 80 bits (RFC 3711), by keys
    /// that the tester draws for each run and tells the guest over TLS. Default false.
    pub srtp: bool,
    /// DSCP of media, 0 to 63. Default 46 (EF).
    pub dscp: u8,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            codec: Codec::Pcmu,
            ptime: Duration::from_ms(20),
            audio: "tone".to_owned(),
            srtp: false,
            dscp: 46,
        }
    }
}

/// Codecs that a file can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Codec {
    /// G.711 mu-law.
    #[serde(rename = "PCMU")]
    Pcmu,
    /// G.711 A-law.
    #[serde(rename = "PCMA")]
    Pcma,
    /// G.722, 64 kbit/s.
    G722,
    /// G.729, payload only (not in this version).
    G729,
}

/// How calls are recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recording {
    /// Share of calls recorded, 0 to 1. Default 1.
    pub share: f64,
    /// Weight on the network, of call time. Default 8533 bit/s (`TrueSpeech`).
    pub rate: BitRate,
    /// A channel a party, or both in one. Default stereo.
    pub channels: Channels,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            share: 1.0,
            rate: BitRate(8533),
            channels: Channels::Stereo,
        }
    }
}

/// Channels of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// A channel a party.
    Stereo,
    /// Both parties mixed: two tones can cancel, and one hides the other's gap.
    Mono,
}

/// How recordings leave the guest, and what other files load the path as they do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Transfer {
    /// "at-call-end": each recording when its call has ended. "every 5m": those that are there, in batches, 1s or more
    /// apart, from the start of full load, and the rest at the end. "backlog": as calls end, and beside them made-up
    /// files without a pause, as if earlier recordings were worked off, from the start of full load to its end.
    /// "continuous": the same, at the rate at which the calls fill recordings where no `rate` is given. Default
    /// at-call-end.
    pub when: TransferWhen,
    /// Files in flight at once, each way, a connection each: 1 to 1000. Default 4.
    pub parallel: u32,
    /// Speed limit of all files of an end together, with headers, as a network interface counts. Default none: as TCP
    /// goes; made-up files of `when = "continuous"` go at `calls.concurrent` times `recording.rate`.
    pub rate: Option<BitRate>,
    /// Which way made-up files go: "to-tester", or "to-guest", which needs a `when` that has such files. Recordings go to
    /// the tester. Default to-tester.
    pub direction: Direction,
    /// How large made-up files are: "recording" (`recording.rate` times a hold time drawn as `calls.hold` says), a size such
    /// as "2 MB", or "1 MB..5 MB" (uniform); 1 B to 691.2 MB. Default recording.
    pub size: FileSize,
    /// DSCP of the transfer, 0 to 63. Default 0.
    pub dscp: u8,
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            when: TransferWhen(load::TransferWhen::AtCallEnd),
            parallel: 4,
            rate: None,
            direction: Direction::ToTester,
            size: FileSize(load::FileSize::Recording),
            dscp: 0,
        }
    }
}

/// Which way made-up files go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Guest to tester.
    ToTester,
    /// Tester to guest.
    ToGuest,
}

/// The playout buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Playout {
    /// Nominal depth. Default 60ms.
    pub buffer: Duration,
    /// What the guest plays on, and records, in place of a packet that is not there: "silence", or "g711-appendix-i" as a
    /// media server with concealment does. That changes what is in recordings and on the sent leg, and delays both by
    /// 3.75 ms; no figure of packets. Default silence.
    pub fill: Fill,
    /// What the phones at both ends are taken to do about a missing packet when the quality there is estimated
    /// (`mos_lq`): nothing that is heard or recorded in the run. Default g711-appendix-i.
    pub concealment: Concealment,
}

impl Default for Playout {
    fn default() -> Self {
        Self {
            buffer: Duration::from_ms(60),
            fill: Fill::Silence,
            concealment: Concealment::G711AppendixI,
        }
    }
}

/// What the guest puts in place of a missing packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fill {
    /// The codec's code word of no signal.
    Silence,
    /// G.711 Appendix I: the audio before goes on, and has faded to silence after 60 ms. Silence where the codec is not G.711.
    #[serde(rename = "g711-appendix-i")]
    G711AppendixI,
}

/// Packet loss concealment of phones, by its packet-loss robustness factor in G.113 Appendix I.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Concealment {
    /// G.711 Appendix I, which fades to silence within 60 ms: Bpl 25.1.
    #[serde(rename = "g711-appendix-i")]
    G711AppendixI,
    /// Silence for each packet: Bpl 4.3.
    None,
}

/// Dead air.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeadAir {
    /// Least length of an event, whole packets. Default 60ms: concealment has faded to silence.
    pub min: Duration,
}

impl Default for DeadAir {
    fn default() -> Self {
        Self {
            min: Duration::from_ms(60),
        }
    }
}

/// Validity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Validity {
    /// The 99.9th percentile of the tester's lateness that a second may have and still be evidence.
    /// Default 5ms; at most 20ms, since a packet later than that is not sent.
    pub lateness: Duration,
}

impl Default for Validity {
    fn default() -> Self {
        Self {
            lateness: Duration::from_ms(5),
        }
    }
}

/// The guest program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// What it does with the media. Default media-server.
    pub role: Role,
    /// Extra work a call, to stand for features of a real server (not in this version).
    pub work: Option<String>,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            role: Role::MediaServer,
            work: None,
        }
    }
}

/// What the guest program does with the media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Plays out on its own clock, passes audio between the parties, records, transfers.
    MediaServer,
    /// Sends each packet back at once: the path alone. Nothing is recorded.
    Echo,
}

fn one() -> u64 {
    1
}

fn two() -> u8 {
    2
}

fn yes() -> bool {
    true
}

fn default_arrivals() -> Arrivals {
    Arrivals {
        interval: 20_000_000,
    }
}
