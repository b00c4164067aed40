//! `milliwatt calibrate`: what this machine adds by itself, and how much it can carry honestly. Each measurement is a
//! run of its own over the product's own path, with nothing in the way.

pub mod record;
pub mod search;
mod trial;

use crate::args::CalibrateArgs;
use crate::exit::{ExitCode, Failure};
use crate::output;
use milliwatt_reports::figures;
use milliwatt_wire::clock::{SleepMode, wall_now};
use milliwatt_wire::socket::allowed_processors;
use record::{Calibration, Floor, Machine};
use search::LoadSearch;
use trial::Trial;

/// Streams each way at which ways to wait are compared: the 250-call test's.
const COMPARED_AT: u32 = 500;
/// Another way to wait is taken when its lateness is at most so much of `sleep`'s: it costs processor time.
const WORTH_IT: f64 = 0.7;

/// Measures, prints and stores.
pub fn execute(args: &CalibrateArgs) -> Result<ExitCode, Failure> {
    let file = match &args.out {
        Some(file) => file.clone(),
        None => record::default_file().ok_or_else(|| {
            Failure::could_not_run(
                "there is no place to keep the calibration: neither XDG_STATE_HOME nor HOME is set",
            )
            .hint("name a file with --out")
        })?,
    };
    let calibration = measure(args)?;
    record::store(&file, &calibration)?;
    if args.json {
        output::print_json(&calibration)?;
    } else {
        output::print(&calibration.text(&file))?;
    }
    Ok(ExitCode::Pass)
}

fn measure(args: &CalibrateArgs) -> Result<Calibration, Failure> {
    let trial = Trial::new(args)?;
    let mode = choose_mode(&trial, args)?;
    let mut search = LoadSearch::new(&args.streams, args.max_streams);
    let mut floors: Vec<Floor> = Vec::new();
    let mut limited_by = None;
    while let Some(streams) = search.next_load() {
        let floor = match trial.run(streams, mode) {
            Ok(floor) => floor,
            // What cannot even be set up is a limit too, unless nothing can.
            Err(failure) if floors.is_empty() => return Err(failure),
            Err(failure) => Floor::not_set_up(streams, &failure.to_string()),
        };
        if !floor.carried {
            limited_by.clone_from(&floor.limited_by);
        }
        search.took(streams, floor.carried);
        floors.retain(|known| known.streams != streams);
        floors.push(floor);
    }
    floors.sort_by_key(|floor| floor.streams);
    Ok(Calibration {
        schema_version: record::SCHEMA_VERSION,
        at: figures::rfc3339(wall_now()),
        milliwatt: env!("CARGO_PKG_VERSION").into(),
        machine: Machine::this(),
        path: trial.path(),
        mode,
        largest_streams: search.largest(),
        limited_by: limited_by.filter(|_| search.largest() < args.max_streams),
        floors,
    })
}

/// `sleep`, unless another way to wait that leaves a processor to others is much better here.
fn choose_mode(trial: &Trial, args: &CalibrateArgs) -> Result<SleepMode, Failure> {
    if let Some(asked) = args.pacing {
        return Ok(asked.into());
    }
    let processors = allowed_processors().len();
    let others = [(SleepMode::Hybrid, 2), (SleepMode::Spin, 4)];
    let streams = COMPARED_AT.min(args.max_streams);
    let mut best = (
        SleepMode::Sleep,
        trial.run(streams, SleepMode::Sleep)?.lateness_p999(),
    );
    let bar = best.1 * WORTH_IT;
    for (mode, needed) in others {
        if processors < needed {
            continue;
        }
        let lateness = trial.run(streams, mode)?.lateness_p999();
        if lateness < bar && lateness < best.1 {
            best = (mode, lateness);
        }
    }
    Ok(best.0)
}
