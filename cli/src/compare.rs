//! `milliwatt compare`: runs after a change against runs before it.

mod alike;
mod least;

use crate::analyze::check_empty;
use crate::args::CompareArgs;
use crate::controller::directory::RecordedFacts;
use crate::controller::record::{RunRecord, read_environment, read_json};
use crate::exit::{ExitCode, Failure};
use crate::output;
use alike::Identity;
use least::Leasts;
use milliwatt_reports::comparison::{self, Compared, ComparedRun, Document, environment, terminal};
use milliwatt_scoring::comparison::{Change, RESAMPLES, RunDraws, compare};
use milliwatt_scoring::measured::Measured;
use milliwatt_scoring::scorer::score_for_comparison;
use std::path::{Path, PathBuf};

/// Seed of all draws: the same runs give the same intervals.
const SEED: u64 = 0x6d69_6c6c_6977_6174;

/// A run's folder, read and drawn again.
struct Read {
    run: ComparedRun,
    identity: Identity,
    environment: environment::Facts,
    draws: RunDraws,
}

/// Compares, prints, writes: exit code 3 where it is worse.
pub fn execute(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let leasts = Leasts::parse(&args.least)?;
    if let Some(dir) = &args.out {
        check_empty(dir)?;
    }
    let compared = compared(args, &leasts)?;
    if let Some(dir) = &args.out {
        comparison::write_all(dir, &compared).map_err(|e| {
            Failure::could_not_run(e.to_string())
                .hint("the runs are as they were: repeat with another --out")
        })?;
    }
    print(args, &compared)?;
    Ok(match compared.comparison.verdict {
        Change::Worse => ExitCode::ThresholdFailed,
        Change::Better | Change::Same | Change::CannotTell => ExitCode::Pass,
    })
}

fn print(args: &CompareArgs, compared: &Compared) -> Result<(), Failure> {
    if args.json {
        return output::print_json(&Document::of(compared));
    }
    output::print(&terminal::render(compared))?;
    let Some(dir) = &args.out else {
        return Ok(());
    };
    let page = dir.join("comparison.html");
    output::print(&format!("\nReport: {}\n", page.display()))
}

fn compared(args: &CompareArgs, leasts: &Leasts) -> Result<Compared, Failure> {
    let baselines: Vec<&PathBuf> = std::iter::once(&args.baseline)
        .chain(&args.more_baselines)
        .collect();
    refuse_repeats(baselines.iter().copied().chain(&args.runs))?;
    let read_all = |folders: &[&PathBuf], side: u64| -> Result<Vec<Read>, Failure> {
        let folders = (0_u64..).zip(folders);
        folders
            .map(|(n, folder)| read(folder, SEED ^ (side << 32) ^ n))
            .collect()
    };
    let before = read_all(&baselines, 1)?;
    let after = read_all(&args.runs.iter().collect::<Vec<_>>(), 2)?;
    let identities: Vec<&Identity> = before
        .iter()
        .chain(&after)
        .map(|read| &read.identity)
        .collect();
    let forced = alike::refuse(&identities, args.force)?;
    let facts = |reads: &[Read]| {
        reads
            .iter()
            .map(|read| read.environment.clone())
            .collect::<Vec<_>>()
    };
    let draws = |reads: &[Read]| {
        reads
            .iter()
            .map(|read| read.draws.clone())
            .collect::<Vec<_>>()
    };
    let (before_draws, after_draws) = (draws(&before), draws(&after));
    Ok(Compared {
        scenario: identities
            .first()
            .map_or_else(String::new, |identity| identity.scenario.clone()),
        comparison: compare(
            &before_draws,
            &after_draws,
            |metric| leasts.of(metric),
            SEED,
        ),
        environment: environment::differences(&facts(&before), &facts(&after)),
        forced,
        baseline: before.into_iter().map(|read| read.run).collect(),
        runs: after.into_iter().map(|read| read.run).collect(),
    })
}

/// A run that stands on both sides, or twice on one, would be taken for runs that are alike.
fn refuse_repeats<'a>(folders: impl Iterator<Item = &'a PathBuf>) -> Result<(), Failure> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if seen.contains(&real) {
            return Err(
                Failure::usage(format!("{} is named twice", folder.display()))
                    .hint("each run counts once: name different folders"),
            );
        }
        seen.push(real);
    }
    Ok(())
}

fn read(folder: &Path, seed: u64) -> Result<Read, Failure> {
    let record: RunRecord = read_json(folder, "run.json")?;
    let environment = read_environment(folder)?;
    let scenario = read_scenario(folder)?;
    let mut facts = RecordedFacts::open(folder)?;
    let (mut measured, sample) = score_for_comparison(|take| facts.read(take))?;
    // Millions of buckets that nothing here is made of any more.
    measured.histograms = Vec::new();
    Ok(Read {
        identity: identity(folder, &record, scenario, (&measured, facts.notes())),
        run: ComparedRun {
            directory: folder.display().to_string(),
            started: record.started,
            measured,
        },
        environment: environment.facts(),
        draws: RunDraws::of(&sample, seed, RESAMPLES),
    })
}

fn identity(
    folder: &Path,
    record: &RunRecord,
    scenario_file: toml::Table,
    (measured, notes): (&Measured, &[String]),
) -> Identity {
    Identity {
        directory: folder.display().to_string(),
        scenario: record.scenario.clone(),
        scenario_file,
        milliwatt: record.milliwatt.clone(),
        full_load_s: measured.full_load.map_or(0, |(from, to)| to - from),
        partial: measured.partial,
        // Facts of another version's format, say, before what follows from it.
        invalid: (!measured.validity.valid).then(|| [notes, &measured.validity.reasons].concat()),
    }
}

fn read_scenario(folder: &Path) -> Result<toml::Table, Failure> {
    let path = folder.join("scenario.toml");
    let failed = |e: String| {
        Failure::could_not_run(format!("cannot read {}: {e}", path.display()))
            .hint("give the folder of a run of this version of milliwatt (--out, or runs/...)")
    };
    let text = std::fs::read_to_string(&path).map_err(|e| failed(e.to_string()))?;
    text.parse()
        .map_err(|e: toml::de::Error| failed(e.message().to_owned()))
}
