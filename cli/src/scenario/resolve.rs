//! From a scenario, as named or written, to a plan in which nothing is open.

use super::abort::{self, AbortRule};
use super::course::CoursePlan;
use super::diagnostic::{self, Source};
use super::file::{self, Scenario};
use super::neighbours::NeighbourPlan;
use super::programme::ProgrammePlan;
use super::value::{Duration, PortRange};
use super::{builtin, check, course, later, load, neighbours, overrides, thresholds};
use crate::exit::Failure;
use milliwatt_scoring::judgement::Judgement;
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::time::NS_PER_SECOND;
use std::path::PathBuf;

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
    /// The course of a load that comes in steps.
    pub course: Option<CoursePlan>,
    /// The parts of full load and what happens in them.
    pub programme: ProgrammePlan,
    /// The file of the parties' audio, where it is one.
    pub audio: Option<PathBuf>,
    /// Whatever is not media gives way to other programs.
    pub background: bool,
    /// By what it is judged.
    pub judgement: Judgement,
    /// When to give up; none is never.
    pub abort: Option<AbortRule>,
    /// Load beside the calls.
    pub neighbours: Vec<NeighbourPlan>,
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
    checked(&scenario, &source, request.media_ports)
}

fn checked(scenario: &Scenario, source: &Source, media_ports: PortRange) -> Result<Plan, Failure> {
    let problems = check::problems(scenario, media_ports);
    if problems.is_empty() {
        plan(scenario)
    } else {
        Err(diagnostic::failure(source, &problems))
    }
}

/// Checks a scenario that this program made itself, under the name given.
pub fn resolve_text(name: &str, text: &str, media_ports: PortRange) -> Result<Plan, Failure> {
    let source = Source {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    checked(&read(&source)?, &source, media_ports)
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
    let course = course::course(scenario);
    Ok(Plan {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        source: scenario.source.clone(),
        load: load::load(scenario, course.as_ref()),
        programme: ProgrammePlan::of(scenario),
        background: scenario.background,
        audio: load::audio_file(&scenario.media),
        judgement: judgement(scenario, course.as_ref()),
        abort: abort_rule(scenario),
        neighbours: neighbours::neighbours(scenario),
        later: later::later(scenario),
        course,
        text,
    })
}

/// A load that is held for long is judged in pieces as long as the other steps.
fn judgement(scenario: &Scenario, course: Option<&CoursePlan>) -> Judgement {
    let mut judgement = thresholds::judgement(scenario);
    if let Some(course) = course {
        let seconds = u32::try_from(course.hold / NS_PER_SECOND);
        judgement.steps.confirm_window_s = seconds.unwrap_or(u32::MAX);
    }
    judgement
}

/// A load that is raised until it breaks is not given up for that, unless its scenario asks for it.
fn abort_rule(scenario: &Scenario) -> Option<AbortRule> {
    if scenario.ramp.is_some() && scenario.abort == file::Abort::default() {
        return None;
    }
    abort::parse(&scenario.abort.when).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_scoring::judgement::default_thresholds;
    use milliwatt_wire::id::{CallId, Party};
    use milliwatt_wire::load::{
        FileSize, Fill, KnownSilence, Role, TransferDirection, TransferSpec, TransferWhen,
    };

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
        for name in [
            "smoke",
            "250-calls",
            "azure",
            "120-mbps",
            "vmotion",
            "backup",
            "canary",
            "host-contention",
        ] {
            assert_eq!(
                plan_of(name, &[]).unwrap().later,
                Vec::<&str>::new(),
                "{name}"
            );
        }
        let worked = plan_of("smoke", &["agent.work=decode"]).unwrap();
        assert_eq!(worked.later.len(), 1);
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
    fn defaults_can_be_left_out() {
        let plan = plan_of("250-calls", &["default_thresholds=false"]).unwrap();
        assert_eq!(plan.judgement.thresholds.len(), 2, "the scenario's own");
    }

    #[test]
    fn an_echo_records_nothing() {
        let load = plan_of("smoke", &["agent.role=echo"]).unwrap().load;
        assert_eq!(load.role, Role::Echo);
        assert!(load.recording.share.abs() < f64::EPSILON);
    }

    /// What the guest plays for a missing packet, and what phones are taken to do when quality is estimated, are two keys.
    #[test]
    fn what_fills_gaps_and_what_quality_assumes_reach_the_load_apart() {
        let of = |set: &[&str]| {
            let plan = plan_of("smoke", set).unwrap();
            assert_eq!(plan.later, Vec::<&str>::new(), "{set:?}");
            (plan.load.fill, plan.load.rated_fill)
        };
        let (silence, concealed) = (Fill::Silence, Fill::G711AppendixI);
        assert_eq!(of(&[]), (silence, concealed), "the defaults");
        assert_eq!(
            of(&["playout.fill=g711-appendix-i"]),
            (concealed, concealed)
        );
        assert_eq!(of(&["playout.concealment=none"]), (silence, silence));
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

    #[test]
    fn transfers_reach_the_load_as_they_are_written() {
        let set = [
            "transfer.when=every 90s",
            "transfer.rate=30 Mbit/s",
            "transfer.parallel=7",
        ];
        let plan = plan_of("smoke", &set).unwrap();
        assert_eq!(plan.later, Vec::<&str>::new());
        let expected = TransferSpec {
            parallel: 7,
            when: TransferWhen::Every(90_000_000_000),
            rate_bits_per_second: Some(30_000_000),
            direction: TransferDirection::ToTester,
            size: FileSize::Recording,
        };
        assert_eq!(plan.load.transfer, expected);
        let set = [
            "transfer.when=continuous",
            "transfer.direction=to-guest",
            "transfer.size=1 MB..5 MB",
        ];
        let expected = TransferSpec {
            parallel: 4,
            when: TransferWhen::Continuous,
            rate_bits_per_second: None,
            direction: TransferDirection::ToGuest,
            size: FileSize::Uniform(1_000_000, 5_000_000),
        };
        assert_eq!(plan_of("smoke", &set).unwrap().load.transfer, expected);
        let default = plan_of("smoke", &[]).unwrap().load.transfer;
        assert_eq!(default, TransferSpec::default());
    }

    #[test]
    fn a_transfer_that_is_not_possible_is_refused_with_what_is() {
        for (set, allowed) in [
            ("transfer.parallel=0", "1 to 1000"),
            ("transfer.parallel=1001", "1 to 1000"),
            ("transfer.when=every 999ms", "1s or more between two"),
            ("transfer.when=at night", "\"continuous\""),
            ("transfer.rate=0 bit/s", "1 bit/s or more"),
            ("transfer.size=0 B", "1 B to 691201024 B"),
            ("transfer.size=0 B..1 B", "1 B to 691201024 B"),
            ("transfer.size=691201025 B", "1 B to 691201024 B"),
            ("transfer.size=2 B..1 B", "the smaller one comes first"),
            (
                "transfer.direction=to-guest",
                "\"backlog\" or \"continuous\"",
            ),
        ] {
            let said = format!("{:?}", plan_of("smoke", &[set]).unwrap_err());
            let plain = said.replace('\\', "");
            assert!(plain.contains(allowed), "{set}: {said}");
        }
        assert!(plan_of("smoke", &["transfer.size=691201024 B"]).is_ok());
    }
}
