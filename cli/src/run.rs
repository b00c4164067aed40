//! `milliwatt run`: from the command line to the verdict.

use crate::args::{KeepRecordings, OnLate, RunArgs};
use crate::calibrate;
use crate::controller;
use crate::controller::pace::{Pace, is_slot_width};
use crate::dry_run::Forecast;
use crate::exit::{ExitCode, Failure};
use crate::output;
use crate::scenario::neighbours::NeighbourPlan;
use crate::scenario::value::{Duration, PortRange};
use crate::scenario::{self, Plan};
use crate::speakers::Speakers;
use milliwatt_reports::context::NoiseFloor;
use milliwatt_wire::socket::allowed_processors;
use std::net::IpAddr;
use std::path::PathBuf;

/// A run that is ready to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRequest {
    /// What to do.
    pub plan: Plan,
    /// Join lines, or files that hold them; empty starts an agent on this machine.
    pub guests: Vec<String>,
    /// Join lines of neighbours, or files that hold them, and what each is to do.
    pub neighbours: Vec<(String, NeighbourPlan)>,
    /// Where results go; none picks `runs/NAME-YYYYMMDD-HHMMSS`.
    pub out: Option<PathBuf>,
    /// Print the scorecard as JSON on standard output.
    pub json: bool,
    /// This machine's UDP ports for media.
    pub media_ports: PortRange,
    /// This machine's address for media; none is the control connection's.
    pub bind: Option<IpAddr>,
    /// Which recordings stay.
    pub keep_recordings: KeepRecordings,
    /// What becomes of a packet whose slot came too late.
    pub on_late: OnLate,
    /// How the tester keeps time.
    pub pace: Pace,
    /// What calibration found on this machine.
    pub floor: Option<NoiseFloor>,
    /// The guest is given up after this long without a word.
    pub guest_lost_after: Duration,
    /// Headers of every packet go to `capture.pcapng`.
    pub capture: bool,
}

/// Resolves the command line and does what it says.
pub fn execute(args: &RunArgs) -> Result<ExitCode, Failure> {
    let request = request(args)?;
    let speakers = Speakers::of(&request.plan)?;
    let forecast = Forecast::of(
        &request.plan,
        speakers.recorded_bits_per_second(&request.plan.load),
        request.media_ports,
        request.capture,
    );
    if args.dry_run {
        let shown = if args.json {
            output::print_json(&forecast)
        } else {
            output::print(&forecast.text())
        };
        return shown.map(|()| ExitCode::Pass);
    }
    refuse_later(&request.plan)?;
    refuse_without_neighbours(&request)?;
    output::complain(&forecast.text());
    controller::run(&request, speakers).map(ExitCode::from)
}

fn request(args: &RunArgs) -> Result<RunRequest, Failure> {
    let mut plan = scenario::resolve(&scenario::Request {
        scenario: &args.scenario,
        set: &args.set,
        full_for: args.full_for,
        media_ports: args.media_ports,
    })?;
    if args.no_abort {
        plan.abort = None;
    }
    if let Some(slot) = args.slot {
        plan.load.slot_width = checked_slot(slot)?;
    }
    let streams = plan.load.concurrent * u32::from(plan.load.legs);
    let asked = (args.pacing.map(Into::into), args.pacing_threads);
    let (calibration, problem) = calibrate::record::load();
    let warning = calibration
        .as_ref()
        .and_then(|found| found.warning(streams));
    for text in problem.into_iter().chain(warning) {
        output::complain(&format!("warning: {text}"));
    }
    let found = calibration.as_ref().map(|found| found.mode);
    let pace = Pace::choose(asked, found, streams, allowed_processors().len());
    Ok(RunRequest {
        neighbours: assign_neighbours(&plan, &args.neighbour)?,
        plan,
        guests: args.guest.clone(),
        out: args.out.clone(),
        json: args.json,
        media_ports: args.media_ports,
        bind: args.bind,
        keep_recordings: args.keep_recordings,
        on_late: args.on_late,
        pace,
        floor: calibration.and_then(|found| found.floor_at(streams)),
        guest_lost_after: args.guest_lost_after,
        capture: args.capture,
    })
}

fn checked_slot(slot: Duration) -> Result<i64, Failure> {
    if is_slot_width(slot.0) {
        return Ok(slot.0);
    }
    Err(Failure::usage(format!("--slot {slot}: whole slots do not make up a packet time of 20ms, or it is too narrow or too wide"))
        .hint("give 50us to 5ms, such as 100us, 250us or 500us; without --slot the load decides"))
}

fn refuse_later(plan: &Plan) -> Result<(), Failure> {
    if plan.later.is_empty() {
        return Ok(());
    }
    Err(Failure::could_not_run(format!("scenario {} needs what this version does not have", plan.name))
        .detail(plan.later.join("\n"))
        .hint("meanwhile: `milliwatt run 250-calls`, or a copy of the scenario without those parts (`milliwatt scenarios show NAME`)"))
}

/// Whose load each neighbour makes: of one section each that of it, of several each its own. None are named where a run is
/// only to be forecast.
fn assign_neighbours(
    plan: &Plan,
    joins: &[String],
) -> Result<Vec<(String, NeighbourPlan)>, Failure> {
    let (asked, named) = (plan.neighbours.len(), joins.len());
    if named == 0 {
        return Ok(Vec::new());
    }
    let plans: Vec<&NeighbourPlan> = match plan.neighbours.as_slice() {
        [] => {
            return Err(Failure::usage(format!(
                "scenario {} asks for no load beside the calls, and --neighbour was given",
                plan.name
            ))
            .hint("add a [[neighbour]] to the scenario, or leave --neighbour out"));
        }
        [one] => vec![one; named],
        all if asked == named => all.iter().collect(),
        _ => {
            return Err(Failure::usage(format!(
                "scenario {} asks for {asked} neighbours, --neighbour was given {named} times",
                plan.name
            ))
            .hint("give --neighbour once for each [[neighbour]], in their order"));
        }
    };
    Ok(joins
        .iter()
        .cloned()
        .zip(plans.into_iter().cloned())
        .collect())
}

/// Without its neighbours such a run would find nothing, and say so in green.
fn refuse_without_neighbours(request: &RunRequest) -> Result<(), Failure> {
    if request.plan.neighbours.is_empty() || !request.neighbours.is_empty() {
        return Ok(());
    }
    let loads = request.plan.neighbours.iter().map(NeighbourPlan::text);
    Err(Failure::usage(format!(
        "scenario {} needs load beside the calls, and no --neighbour was given",
        request.plan.name
    ))
    .detail(loads.collect::<Vec<_>>().join("\n"))
    .hint("start `milliwatt agent --allow-neighbour` in ANOTHER guest of the same host as the guest under test, and give the line that it prints: --neighbour JOIN (once for each such guest)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(neighbours: usize) -> Plan {
        let set = format!(
            "neighbour=[{}]",
            vec!["{cores = 1, percent = 50}"; neighbours].join(", ")
        );
        scenario::resolve(&scenario::Request {
            scenario: "smoke",
            set: &[set],
            full_for: None,
            media_ports: PortRange::MEDIA,
        })
        .unwrap()
    }

    #[test]
    fn one_load_goes_to_all_neighbours_and_several_each_to_its_own() {
        let joins = |count: usize| vec!["line".to_owned(); count];
        let assigned = |loads, named| assign_neighbours(&plan(loads), &joins(named));
        assert_eq!(assigned(1, 3).unwrap().len(), 3);
        assert_eq!(assigned(2, 2).unwrap().len(), 2);
        assert_eq!(assigned(2, 0).unwrap().len(), 0, "a forecast");
        let said = assigned(2, 3).unwrap_err().to_string();
        assert!(said.contains("asks for 2 neighbours"), "{said}");
        let said = assigned(0, 1).unwrap_err().to_string();
        assert!(said.contains("asks for no load beside the calls"), "{said}");
    }
}
