//! `milliwatt run`: from the command line to the verdict.

use crate::args::{KeepRecordings, OnLate, RunArgs};
use crate::calibrate;
use crate::controller;
use crate::controller::pace::{Pace, is_slot_width};
use crate::dry_run::Forecast;
use crate::exit::{ExitCode, Failure};
use crate::output;
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
