//! What can be typed. Help is written for the engineer at two in the morning: units, defaults,
//! what happens.

use crate::scenario::value::{Duration, Octets, PortRange};
use clap::{Args as Flags, Parser, Subcommand, ValueEnum};
use milliwatt_agent::limits::Subnet;
use milliwatt_wire::clock::SleepMode;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

const EXIT_CODES: &str = "Exit codes: 0 pass or done, 1 could not run, 2 wrong command line or scenario, \
3 a threshold failed (score: a recording has a silence), 4 invalid run.";

/// Load tests for virtual machines that carry voice: RTP both ways, recordings, a verdict.
#[derive(Debug, Parser)]
#[command(name = "milliwatt", version, after_help = EXIT_CODES)]
pub struct Args {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a test from this machine (the tester) against a guest, and judge it
    Run(RunArgs),
    /// Be the machine under test: answer a tester's calls, record them, send the recordings back
    #[command(visible_alias = "guest")]
    Agent(AgentArgs),
    /// List, show and check scenarios
    Scenarios(ScenariosArgs),
    /// Measure the RTP streams in capture files (pcap, pcapng), offline
    Analyze(AnalyzeArgs),
    /// Look for silences in recordings (WAV), offline
    Score(ScoreArgs),
    /// Render and judge a finished or broken-off run again
    Report(ReportArgs),
    /// Say whether a change made it worse: runs after it against runs before it
    Compare(CompareArgs),
    /// Measure this machine's own noise floor and largest honest load; `run` prints it beside its results
    Calibrate(CalibrateArgs),
    /// Hold a guest against the document's requirements (not in this version)
    Preflight(PreflightArgs),
    /// Work out calls, guests and bandwidth by the document's sizing formulas
    Capacity(CapacityArgs),
    /// Put a labelled mark into the running test
    Mark(MarkArgs),
    /// End the running test: calls end, recordings are transferred, the verdict is given
    Stop(StopArgs),
}

/// `milliwatt run`.
#[derive(Debug, Flags)]
#[command(after_help = EXIT_CODES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct RunArgs {
    /// A built-in scenario's name (`milliwatt scenarios`) or the path of a scenario file
    pub scenario: String,
    /// The join line that `milliwatt agent` printed on the guest, or a file that holds it; may repeat.
    /// Without it an agent is started on this machine: that proves the harness, not a virtual machine
    #[arg(long, value_name = "JOIN")]
    pub guest: Vec<String>,
    /// The join line of an agent that makes the load of the scenario's [[neighbour]], or a file that holds it; may repeat.
    /// It is one that `milliwatt agent --allow-neighbour` printed in another guest of the host under test
    #[arg(long, value_name = "JOIN")]
    pub neighbour: Vec<String>,
    /// Time at full load, such as 30s, 10m, 1h30m; ramp and draining come on top [default: the scenario's]
    #[arg(long = "for", value_name = "DURATION")]
    pub full_for: Option<Duration>,
    /// Change a key of the scenario, such as calls.concurrent=100 or threshold.0.max=2; may repeat
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for the results; must be empty or not exist [default: runs/NAME-YYYYMMDD-HHMMSS]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Say what the run would do (bandwidth, ports, firewall rules, time, disk) and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the scorecard (with --dry-run: the forecast) as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// UDP ports of this machine to use for media
    #[arg(long, value_name = "FIRST-LAST", default_value_t = PortRange::MEDIA)]
    pub media_ports: PortRange,
    /// Local address for media [default: the control connection's]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Recordings to keep once scored: those with a silence plus 20 samples, all, or none
    #[arg(long, value_name = "WHICH", value_enum, default_value_t = KeepRecordings::Events)]
    pub keep_recordings: KeepRecordings,
    /// Capture the headers of every packet at both ends, never audio, to capture.pcapng in the results;
    /// `milliwatt analyze` makes the run's figures of it again. 7 kB/s a stream on either machine
    #[arg(long)]
    pub capture: bool,
    /// Go on even when the scenario's abort rule is met
    #[arg(long)]
    pub no_abort: bool,
    /// A packet more than 20 ms behind its time: leave it out and count it, or send it in a burst
    #[arg(long, value_name = "HOW", value_enum, default_value_t = OnLate::NotSent)]
    pub on_late: OnLate,
    /// How a pacing thread waits for its slot: sleep; hybrid sleeps, then spins the last 100 us; spin keeps a
    /// processor to itself [default: what `milliwatt calibrate` found, else sleep]
    #[arg(long, value_name = "MODE", value_enum)]
    pub pacing: Option<PacingMode>,
    /// Threads that pace, streams spread over them [default: one for each 2000 streams, at most half of the processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub pacing_threads: Option<u32>,
    /// Width of a pacing slot: all packets due in one leave in one wake-up, a stream keeps its place in its slot
    /// [default: 250us up to 1000 streams each way, 500us above]
    #[arg(long, value_name = "DURATION")]
    pub slot: Option<Duration>,
    /// Give the guest up after this long without a word from it
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub guest_lost_after: Duration,
}

/// Which recordings stay on the tester.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepRecordings {
    /// Those with a silence event, and 20 samples.
    Events,
    /// Every one.
    All,
    /// Not one.
    None,
}

/// What becomes of a packet whose slot came more than one packet time late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnLate {
    /// Not sent, and counted.
    NotSent,
    /// Sent at once with those that wait.
    Burst,
}

/// How a pacing thread waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PacingMode {
    /// The kernel's timer wakes it.
    Sleep,
    /// It sleeps, then spins the last 100 us.
    Hybrid,
    /// It spins.
    Spin,
}

impl From<PacingMode> for SleepMode {
    fn from(mode: PacingMode) -> Self {
        match mode {
            PacingMode::Sleep => Self::Sleep,
            PacingMode::Hybrid => Self::Hybrid,
            PacingMode::Spin => Self::Spin,
        }
    }
}

/// `milliwatt agent`.
#[derive(Debug, Flags)]
pub struct AgentArgs {
    /// Address and TCP port for control and recording transfer; the tester dials it
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:7700")]
    pub listen: SocketAddr,
    /// Folder for recordings and facts on their way to the tester; nothing is written outside it
    #[arg(long, value_name = "DIR", default_value = "milliwatt-agent")]
    pub dir: PathBuf,
    /// File with the token that the tester must know [default: a new random one at each start]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Address for the join line, when the tester sees this machine under another one; may repeat
    #[arg(long, value_name = "ADDRESS")]
    pub advertise: Vec<String>,
    /// UDP ports to use for media
    #[arg(long, value_name = "FIRST-LAST", default_value_t = PortRange::MEDIA)]
    pub media_ports: PortRange,
    /// Local address for media [default: the control connection's]
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// Refuse a load of more streams each way than this
    #[arg(long, value_name = "N", default_value_t = 4000)]
    pub max_streams: u32,
    /// Refuse a load of more packets a second each way than this
    #[arg(long, value_name = "N", default_value_t = 250_000)]
    pub max_pps: u32,
    /// End any test after this long
    #[arg(long, value_name = "DURATION", default_value = "12h")]
    pub max_duration: Duration,
    /// Disk space to use at most, such as "5 GB" [default: 20 GB or half of what is free, the smaller]
    #[arg(long, value_name = "SIZE")]
    pub max_disk: Option<Octets>,
    /// Serve only testers in this subnet, such as 192.0.2.0/24; may repeat [default: any, with the token]
    #[arg(long, value_name = "SUBNET")]
    pub allow: Vec<Subnet>,
    /// End a session whose tester has said nothing for this long, and serve another; media ends 15 s
    /// after the tester's last packet in any case
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub tester_lost_after: Duration,
    /// End when standard input closes: for a tester that starts an agent of its own
    #[arg(long, hide = true)]
    pub with_stdin: bool,
    /// Give way to other programs: all but media runs at the lowest priority, for a test beside live traffic
    #[arg(long)]
    pub background: bool,
    /// Let a tester ask for load instead of calls (`run --neighbour`): processors, half of the free memory, disk within
    /// --max-disk, network towards the tester; it ends when the tester's connection does
    #[arg(long)]
    pub allow_neighbour: bool,
}

/// `milliwatt scenarios`.
#[derive(Debug, Flags)]
pub struct ScenariosArgs {
    /// What to do; without it: list
    #[command(subcommand)]
    pub action: Option<ScenariosAction>,
}

/// What `milliwatt scenarios` can do.
#[derive(Debug, Subcommand)]
pub enum ScenariosAction {
    /// The built-in scenarios, a line each
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// A built-in scenario's file, to read or to copy
    Show {
        /// Its name
        name: String,
    },
    /// Check a scenario file without running it
    Check {
        /// The file
        file: PathBuf,
    },
    /// The JSON Schema of scenario files, for editors
    Schema,
}

/// `milliwatt analyze`.
#[derive(Debug, Flags)]
#[command(
    after_help = "Expected packets come from sequence numbers: a capture holds no sender's ledger.\n\
                  Exit codes: 0 measured, in part where it says PARTIAL, 1 nothing could be read, 2 wrong command line."
)]
pub struct AnalyzeArgs {
    /// Capture files, pcap or pcapng; several are read as one, in this order
    #[arg(required = true, value_name = "CAPTURE")]
    pub captures: Vec<PathBuf>,
    /// Write report.html, plots/, streams.csv, seconds.csv and analysis.json into this folder, new or empty
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt score`.
#[derive(Debug, Flags)]
#[command(
    after_help = "Exit codes: 0 no silence, 1 nothing could be scored, 2 wrong command line, 3 a recording has a silence."
)]
pub struct ScoreArgs {
    /// Recordings, or folders that are searched for them. WAV is read with PCM, float, G.711, IMA and MS ADPCM; what else
    /// there is (GSM, Truespeech, G.722, G.729, Opus, MP3, FLAC) where ffmpeg is installed
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Silence is below this level, dBov (a full-scale sine is -3)
    #[arg(long, value_name = "DBOV", default_value_t = -50.0, allow_negative_numbers = true)]
    pub level: f64,
    /// Silence lasts at least this long [default: 60ms; with --speech: 4s]
    #[arg(long, value_name = "DURATION")]
    pub least: Option<Duration>,
    /// No silence or dropout is looked for this close to either end of a recording
    #[arg(long, value_name = "DURATION", default_value = "500ms")]
    pub guard: Duration,
    /// The recordings hold people's speech, with its pauses: silence is when nobody says anything on any channel
    #[arg(long, conflicts_with = "reference")]
    pub speech: bool,
    /// The audio that was played into the calls: only where it sounds is a silence or a dropout one. Of two channels each is
    /// one of the recording's. The recordings may begin up to 5 s after it or 10 s before
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,
    /// Digital silence between sound and sound is a dropout from this length on
    #[arg(long, value_name = "DURATION", default_value = "5ms")]
    pub dropout: Duration,
    /// Follow a tone of this frequency in each channel, and tell how many samples are missing where its phase steps; several,
    /// for channel after channel: 1004,1346
    #[arg(long, value_name = "HZ", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub tone: Vec<u32>,
    /// Measure levels: active speech level (ITU-T P.56), activity, noise floor, peak
    #[arg(long)]
    pub levels: bool,
    /// The claim that is judged: at most one recording in so many has a silence
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u64).range(1..))]
    pub claim: u64,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt report`.
#[derive(Debug, Flags)]
#[command(after_help = EXIT_CODES)]
pub struct ReportArgs {
    /// The folder that `milliwatt run` made
    pub run_dir: PathBuf,
    /// Judge by the thresholds of this scenario file instead of the run's own
    #[arg(long, value_name = "FILE")]
    pub thresholds: Option<PathBuf>,
    /// Print the scorecard as JSON on standard output
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt compare`.
#[derive(Debug, Flags)]
#[command(
    after_help = "One run a side tells large differences; several a side also hold the noise from run to run.\n\
                  Exit codes: 0 better, same, or it cannot tell, 1 the runs cannot be compared, 2 wrong command line, 3 worse, \
                  4 an invalid run."
)]
pub struct CompareArgs {
    /// The folder of the run before the change
    pub baseline: PathBuf,
    /// The folder of the run after it; several are several runs of the same
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The folder of a further run before the change; may repeat
    #[arg(long = "baseline", value_name = "DIR")]
    pub more_baselines: Vec<PathBuf>,
    /// The least difference that matters, in the metric's unit, such as `pdv_ms.p99=2`; may repeat
    /// [default: `pdv_ms.p99` 1 ms or a quarter of the baseline, `loss_percent` 0.05 or a tenth, and so on: the report
    /// names each]
    #[arg(long, value_name = "METRIC=VALUE")]
    pub least: Vec<String>,
    /// Compare runs of different scenarios, versions or lengths, and partial ones; the report says so
    #[arg(long)]
    pub force: bool,
    /// Write comparison.html, comparison.json, junit.xml and plots/ into this folder, new or empty
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt calibrate`.
#[derive(Debug, Flags)]
pub struct CalibrateArgs {
    /// The join line of an agent to measure against, or a file that holds it [default: an agent on this machine,
    /// over loopback]
    #[arg(long, value_name = "JOIN")]
    pub guest: Option<String>,
    /// Loads to measure, streams each way
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "50,250,500,1000,2000"
    )]
    pub streams: Vec<u32>,
    /// Look no further than this for the largest load, streams each way; the agent may allow less (--max-streams)
    #[arg(long, value_name = "N", default_value_t = 4000)]
    pub max_streams: u32,
    /// Time at each load
    #[arg(long = "for", value_name = "DURATION", default_value = "5s")]
    pub full_for: Duration,
    /// Measure with this way to wait only [default: sleep, and what is much better where it leaves a processor]
    #[arg(long, value_name = "MODE", value_enum)]
    pub pacing: Option<PacingMode>,
    /// UDP ports of this machine to use for media; on loopback both ends share them
    #[arg(long, value_name = "FIRST-LAST", default_value_t = PortRange::MEDIA)]
    pub media_ports: PortRange,
    /// File to keep the result in [default: milliwatt/calibration.json in the user's state folder]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt preflight`.
#[derive(Debug, Flags)]
pub struct PreflightArgs {
    /// The join line that `milliwatt agent` printed on the guest, or a file that holds it
    #[arg(long, value_name = "JOIN")]
    pub guest: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt capacity`.
#[derive(Debug, Flags)]
pub struct CapacityArgs {
    /// Media engines of one server: one a vCPU
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub engines: u32,
    /// Size a server on bare metal (40 calls an engine) instead of a guest (32)
    #[arg(long)]
    pub native: bool,
    /// Calls at once that are wanted: says how many such servers carry them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub calls: Option<u32>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `milliwatt mark`.
#[derive(Debug, Flags)]
pub struct MarkArgs {
    /// What happened, such as "vMotion started"
    pub label: String,
    /// The run's folder, when several tests run on this machine; a command of a scenario has its own run's here
    #[arg(value_name = "RUN_DIR", env = crate::controller::RUN_DIR, hide_env_values = true)]
    pub run_dir: Option<PathBuf>,
}

/// `milliwatt stop`.
#[derive(Debug, Flags)]
pub struct StopArgs {
    /// End all media within 1 s instead of draining
    #[arg(long)]
    pub now: bool,
    /// The run's folder, when several tests run on this machine
    #[arg(value_name = "RUN_DIR")]
    pub run_dir: Option<PathBuf>,
}
