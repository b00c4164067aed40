//! From a scenario, as named or written, to a plan in which nothing is open.

use super::abort::{self, AbortRule};
use super::diagnostic::{self, Source};
use super::file::{self, Scenario};
use super::value::{Duration, PortRange};
use super::{builtin, check, measure, overrides};
use crate::exit::Failure;
use milliwatt_scoring::judgement::{
    Basis, Bound, FigureKey, Judgement, PublishedFigure, Threshold, Window, default_thresholds,
};
use milliwatt_scoring::metric::find_metric;
use milliwatt_wire::id::{CallId, Leg, Party};
use milliwatt_wire::load::{Codec, KnownSilence, LoadSpec, RecordingSpec, Role, TransferSpec};
use milliwatt_wire::time::NS_PER_SECOND;

/// Streams each way up to which the finer pacing slots cost little CPU.
const FINE_SLOT_STREAMS: u64 = 200;
/// Default of [`LoadSpec::onward_offset`]: a local path and its scheduling, ns.
const ONWARD_OFFSET: i64 = 2_000_000;

/// What to resolve.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// A built-in name, or a path.
    pub scenario: &'r str,
    /// `--set`, in order.
    pub set: &'r [String],
    /// `--for`.
    pub full_for: Option<Duration>,
    /// This machine's ports for media.
    pub media_ports: PortRange,
}

/// A test with nothing left to choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Short name.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What it reproduces.
    pub source: Option<String>,
    /// The load, as both ends will know it.
    pub load: LoadSpec,
    /// By what it is judged.
    pub judgement: Judgement,
    /// When to give up; none is never.
    pub abort: Option<AbortRule>,
    /// What the scenario needs that this version does not have, a phrase each: such a plan cannot run.
    pub later: Vec<&'static str>,
    /// The scenario as resolved, TOML: it resolves to this same plan again.
    pub text: String,
}

/// Finds, reads and checks a scenario.
pub fn resolve(request: &Request<'_>) -> Result<Plan, Failure> {
    let source = overrides::apply(find(request.scenario)?, request.set)?;
    let mut scenario = read(&source)?;
    scenario.full_for = request.full_for.or(scenario.full_for);
    let problems = check::problems(&scenario, request.media_ports);
    if problems.is_empty() {
        plan(&scenario)
    } else {
        Err(diagnostic::failure(&source, &problems))
    }
}

/// The text of a scenario, by built-in name or by path.
pub fn find(name: &str) -> Result<Source, Failure> {
    if let Some(text) = builtin::find(name) {
        return Ok(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        });
    }
    let text = std::fs::read_to_string(name).map_err(|error| unknown(name, &error))?;
    Ok(Source {
        name: name.to_owned(),
        text,
    })
}

fn unknown(name: &str, error: &std::io::Error) -> Failure {
    let names = builtin::BUILTIN.map(|(name, _)| name);
    let failure = Failure::usage(format!("there is no scenario `{name}`")).detail(format!(
        "built in: {}\nas a file: {error}",
        builtin::names()
    ));
    match diagnostic::nearest(name, names) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("give a built-in name or the path of a scenario file"),
    }
}

/// Reads the types; what they cannot say is for [`check::problems`].
pub fn read(source: &Source) -> Result<Scenario, Failure> {
    toml::from_str(&source.text).map_err(|error| diagnostic::unreadable(source, &error))
}

fn plan(scenario: &Scenario) -> Result<Plan, Failure> {
    let text = toml::to_string(scenario).map_err(|error| {
        Failure::usage("the resolved scenario cannot be written").detail(error.to_string())
    })?;
    Ok(Plan {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        source: scenario.source.clone(),
        load: load(scenario),
        judgement: judgement(scenario),
        abort: abort::parse(&scenario.abort.when).ok().flatten(),
        later: check::later(scenario),
        text,
    })
}

fn load(scenario: &Scenario) -> LoadSpec {
    let Scenario {
        calls,
        media,
        transfer,
        ..
    } = scenario;
    LoadSpec {
        seed: scenario.seed,
        role: role(scenario.agent.role),
        concurrent: calls.concurrent,
        total: calls.total,
        arrival_interval: calls.arrivals.interval,
        hold: calls.hold.0,
        steady_start: calls.steady_start,
        legs: calls.legs,
        full_for: scenario
            .full_for
            .map(|duration| duration.0)
            .or_else(|| ramp_time(scenario)),
        codec: if media.codec == file::Codec::Pcma {
            Codec::Pcma
        } else {
            Codec::Pcmu
        },
        dscp: media.dscp,
        transfer_dscp: transfer.dscp,
        playout_buffer: scenario.playout.buffer.0,
        dead_air_min: scenario.dead_air.min.0,
        slot_width: slot_width(calls.concurrent, calls.legs),
        onward_offset: ONWARD_OFFSET,
        recording: recording(scenario),
        transfer: TransferSpec {
            parallel: transfer.parallel,
        },
        known_silences: scenario.known_silences.iter().map(known_silence).collect(),
    }
}

/// Time that the steps of a ramp take, ns.
fn ramp_time(scenario: &Scenario) -> Option<i64> {
    let ramp = scenario.ramp.as_ref()?;
    let steps = measure::whole(((ramp.to - ramp.from) / ramp.step).floor())? + 1;
    Some(steps.saturating_mul(ramp.hold.0))
}

fn role(role: file::Role) -> Role {
    match role {
        file::Role::MediaServer => Role::MediaServer,
        file::Role::Echo => Role::Echo,
    }
}

/// 250 us up to 200 streams each way, 500 us above: fewer wake-ups where they would fill a core.
fn slot_width(concurrent: u32, legs: u8) -> i64 {
    if u64::from(concurrent) * u64::from(legs) <= FINE_SLOT_STREAMS {
        250_000
    } else {
        500_000
    }
}

fn recording(scenario: &Scenario) -> RecordingSpec {
    let recorded = scenario.agent.role == file::Role::MediaServer;
    RecordingSpec {
        share: if recorded {
            scenario.recording.share
        } else {
            0.0
        },
        rate_bits_per_second: scenario.recording.rate.0,
        stereo: scenario.recording.channels == file::Channels::Stereo,
    }
}

fn known_silence(silence: &file::KnownSilence) -> KnownSilence {
    KnownSilence {
        call: CallId(silence.call),
        party: if silence.party == file::Party::A {
            Party::A
        } else {
            Party::B
        },
        from: silence.at.0,
        length: silence.length.0,
    }
}

fn judgement(scenario: &Scenario) -> Judgement {
    let own: Vec<Threshold> = scenario.thresholds.iter().filter_map(threshold).collect();
    let defaults = if scenario.default_thresholds {
        default_thresholds()
    } else {
        Vec::new()
    };
    let mut thresholds: Vec<Threshold> = defaults
        .iter()
        .filter_map(|default| left_of(default, &own))
        .collect();
    thresholds.extend(own);
    Judgement {
        thresholds,
        document: scenario.document.iter().map(figure).collect(),
        ..Judgement::default()
    }
}

/// What remains of a default where the scenario sets the same metric on some or all of its legs.
fn left_of(default: &Threshold, own: &[Threshold]) -> Option<Threshold> {
    let legs_of = |threshold: &Threshold| {
        find_metric(&threshold.metric)
            .map_or_else(Vec::new, |metric| metric.judged_legs(threshold.leg))
    };
    let replaced: Vec<Option<Leg>> = own
        .iter()
        .filter(|other| other.metric == default.metric)
        .flat_map(legs_of)
        .collect();
    let legs = legs_of(default);
    let left: Vec<Option<Leg>> = legs
        .iter()
        .copied()
        .filter(|leg| !replaced.contains(leg))
        .collect();
    match left.as_slice() {
        [] => None,
        all if all.len() == legs.len() => Some(default.clone()),
        some => Some(Threshold {
            leg: some[0],
            ..default.clone()
        }),
    }
}

fn threshold(written: &file::Threshold) -> Option<Threshold> {
    let (bound, limit) = match (written.max, written.min) {
        (Some(max), _) => (Bound::Max, max),
        (None, min) => (Bound::Min, min?),
    };
    Some(Threshold {
        metric: written.metric.clone(),
        leg: written.leg.map(|leg| {
            if leg == file::Leg::Receive {
                Leg::Receive
            } else {
                Leg::Sent
            }
        }),
        bound,
        limit,
        per: written.per.map(u64::from),
        window: window(written.window.as_deref())?,
        unit: find_metric(&written.metric)?.unit.to_owned(),
        basis: written.basis.map_or(Basis::Own, basis),
        source: written
            .source
            .clone()
            .unwrap_or_else(|| "this scenario".to_owned()),
        warns_only: written.warns_only,
    })
}

fn basis(written: file::Basis) -> Basis {
    match written {
        file::Basis::Document => Basis::Document,
        file::Basis::Standard => Basis::Standard,
        file::Basis::Own => Basis::Own,
        file::Basis::Practice => Basis::Practice,
    }
}

/// `run` (also when left out), or whole seconds; none when it is neither.
pub(super) fn window(written: Option<&str>) -> Option<Window> {
    match written {
        None | Some("run") => Some(Window::Run),
        Some(text) => {
            let ns = text.parse::<Duration>().ok()?.0;
            let seconds = u32::try_from(ns / NS_PER_SECOND).ok()?;
            (seconds > 0 && ns % NS_PER_SECOND == 0).then_some(Window::Seconds(seconds))
        }
    }
}

fn figure(written: &file::Figure) -> PublishedFigure {
    PublishedFigure {
        figure: written.figure.clone(),
        key: match written.measured {
            file::Measured::ReceiveMegabytesPerSecond => FigureKey::ReceiveMegabytesPerSecond,
            file::Measured::SentMegabytesPerSecond => FigureKey::SentMegabytesPerSecond,
            file::Measured::SilentRecordings => FigureKey::SilentRecordings,
            file::Measured::GuestCpuPercent => FigureKey::GuestCpuPercent,
        },
        published: written.published,
        unit: written.unit.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(scenario: &str, set: &[&str]) -> Result<Plan, Failure> {
        let set: Vec<String> = set.iter().map(|change| (*change).to_owned()).collect();
        resolve(&Request {
            scenario,
            set: &set,
            full_for: None,
            media_ports: PortRange::MEDIA,
        })
    }

    #[test]
    fn every_built_in_scenario_resolves_to_a_plan_of_its_own_name() {
        for (name, _) in builtin::BUILTIN {
            assert_eq!(
                plan_of(name, &[]).map(|plan| plan.name),
                Ok(name.to_owned())
            );
        }
    }

    #[test]
    fn those_that_this_version_can_run_need_nothing_of_a_later_one() {
        for name in ["smoke", "250-calls", "azure"] {
            assert_eq!(
                plan_of(name, &[]).unwrap().later,
                Vec::<&str>::new(),
                "{name}"
            );
        }
        for name in ["120-mbps", "host-contention", "vmotion", "backup", "canary"] {
            assert!(!plan_of(name, &[]).unwrap().later.is_empty(), "{name}");
        }
    }

    #[test]
    fn the_250_call_test_shows_the_published_figures() {
        let judgement = plan_of("250-calls", &[]).unwrap().judgement;
        assert_eq!(
            judgement.document,
            milliwatt_scoring::judgement::published_250_calls()
        );
    }

    #[test]
    fn the_resolved_text_resolves_to_the_same_plan() {
        for (name, _) in builtin::BUILTIN {
            let plan = plan_of(name, &["seed=7"]).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("scenario.toml");
            std::fs::write(&file, &plan.text).unwrap();
            assert_eq!(plan_of(file.to_str().unwrap(), &[]).unwrap(), plan);
        }
    }

    #[test]
    fn a_threshold_of_the_scenario_replaces_the_default_of_the_same_metric() {
        let defaults = default_thresholds();
        let plan = plan_of("250-calls", &["threshold.1.max=100"]).unwrap();
        let sent: Vec<_> = plan
            .judgement
            .thresholds
            .iter()
            .filter(|limit| limit.metric == "mbps.max")
            .collect();
        assert_eq!(sent.len(), 1);
        assert!((sent[0].limit - 100.0).abs() < f64::EPSILON, "{sent:?}");
        assert_eq!(plan.judgement.thresholds.len(), defaults.len());
    }

    #[test]
    fn a_threshold_on_one_leg_leaves_the_default_to_the_other() {
        let own = Threshold {
            leg: Some(Leg::Sent),
            limit: 1.0,
            ..default_of("loss_percent")
        };
        assert_eq!(
            left_of(&default_of("loss_percent"), &[own]).and_then(|left| left.leg),
            Some(Leg::Receive)
        );
        assert_eq!(
            left_of(&default_of("loss_percent"), &[default_of("loss_percent")]),
            None
        );
        let other = default_of("pdv_ms.p999");
        assert_eq!(
            left_of(&default_of("loss_percent"), &[other]),
            Some(default_of("loss_percent"))
        );
    }

    fn default_of(metric: &str) -> Threshold {
        default_thresholds()
            .into_iter()
            .find(|threshold| threshold.metric == metric)
            .unwrap()
    }

    #[test]
    fn defaults_can_be_left_out() {
        let plan = plan_of("250-calls", &["default_thresholds=false"]).unwrap();
        assert_eq!(plan.judgement.thresholds.len(), 2, "the scenario's own");
    }

    #[test]
    fn slots_are_fine_up_to_200_streams() {
        assert_eq!((slot_width(100, 2), slot_width(200, 1)), (250_000, 250_000));
        assert_eq!((slot_width(101, 2), slot_width(250, 2)), (500_000, 500_000));
    }

    #[test]
    fn an_echo_records_nothing() {
        let load = plan_of("smoke", &["agent.role=echo"]).unwrap().load;
        assert_eq!(load.role, Role::Echo);
        assert!(load.recording.share.abs() < f64::EPSILON);
    }

    #[test]
    fn a_known_silence_reaches_the_load() {
        let load = plan_of(
            "smoke",
            &["known_silence=[{call = 1, party = \"B\", at = \"2s\", for = \"300ms\"}]"],
        )
        .unwrap()
        .load;
        let silence = KnownSilence {
            call: CallId(1),
            party: Party::B,
            from: 2_000_000_000,
            length: 300_000_000,
        };
        assert_eq!(load.known_silences, [silence]);
    }
}
