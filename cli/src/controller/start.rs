//! From a request to a verdict: the run's folder, the guest, the run itself, its conclusion.

use super::conclusion::{Conclusion, conclude};
use super::dial::Dial;
use super::directory;
use super::neighbours::Neighbours;
use super::own_agent::OwnAgent;
use super::run::Run;
use super::setup::set_up;
use crate::background;
use crate::exit::Failure;
use crate::output;
use crate::run::RunRequest;
use crate::speakers::Speakers;
use milliwatt_agent::meter::TcpMeter;
use milliwatt_scoring::measured::{Measured, Verdict};
use milliwatt_wire::clock::SleepMode;
use milliwatt_wire::join::Join;
use milliwatt_wire::socket::raise_file_limit;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Carries out the plan, judges it, and prints the outcome.
pub fn run(request: &RunRequest, speakers: Speakers) -> Result<Verdict, Failure> {
    let conclusion = carry_out(request, speakers)?;
    if request.json {
        output::print_json(&conclusion.scorecard)?;
    } else {
        output::print(&format!("{}\n", conclusion.summary.trim_end()))?;
    }
    Ok(conclusion.measured.verdict)
}

/// Carries out the plan and gives what was measured.
pub fn measure(request: &RunRequest) -> Result<Measured, Failure> {
    let speakers = Speakers::of(&request.plan)?;
    carry_out(request, speakers).map(|conclusion| conclusion.measured)
}

fn carry_out(request: &RunRequest, speakers: Speakers) -> Result<Conclusion, Failure> {
    if request.plan.background {
        give_way(request);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Failure::could_not_run(format!("cannot start: {e}")))?;
    let folder = out_folder(request);
    directory::create(&folder)?;
    let outcome = runtime.block_on(watch(request, speakers, &folder));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.inspect_err(|_| directory::discard(&folder))?;
    conclude(&folder, None)
}

/// Before anything is started, so that all that is starts so. A thread that spins asks for no real-time priority.
fn give_way(request: &RunRequest) {
    let lowered = match request.pace.mode {
        SleepMode::Spin => Err("pacing threads that spin would give way too (--pacing)".to_owned()),
        SleepMode::Sleep | SleepMode::Hybrid => background::give_way(),
    };
    if let Err(why) = lowered {
        output::complain(&format!(
            "warning: the tester does not give way to other programs: {why}"
        ));
    }
}

fn out_folder(request: &RunRequest) -> PathBuf {
    let now = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    request
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/{}-{now}", request.plan.name)))
}

async fn watch(request: &RunRequest, speakers: Speakers, folder: &Path) -> Result<(), Failure> {
    let (_, files) = raise_file_limit();
    let needed = u64::from(request.plan.load.concurrent) * 4 + 100;
    if files < needed {
        return Err(Failure::could_not_run(format!(
            "this process may open {files} files, the run needs about {needed}"
        ))
        .hint("raise the limit: `ulimit -n 65536`, or LimitNOFILE of the service"));
    }
    let run: u64 = rand::random();
    let own = match request.guests.first() {
        Some(_) => None,
        None => Some(OwnAgent::start(&folder.join("agent")).await?),
    };
    let join = match (&own, request.guests.as_slice()) {
        (Some(own), _) => own.join.clone(),
        (None, [guest]) => Join::read(guest).map_err(|e| {
            Failure::usage(e.to_string()).hint(
                "--guest takes the line that `milliwatt agent` printed, or a file that holds it",
            )
        })?,
        (None, _) => {
            return Err(
                Failure::could_not_run("this version tests one guest at a time")
                    .hint("give --guest once"),
            );
        }
    };
    let meter = Arc::new(TcpMeter::default());
    let dial = Dial {
        join,
        run,
        bind: request.bind,
        meter: Arc::clone(&meter),
        neighbour: None,
    };
    let lost_after = Duration::from_nanos(u64::try_from(request.guest_lost_after.0).unwrap_or(0));
    let range = request.media_ports.range();
    let ready = set_up(
        &dial,
        request.plan.load.clone(),
        (own.is_none(), request.bind, request.capture),
        &range,
        lost_after,
    )
    .await?;
    let neighbours = Neighbours::set_up(request, run, (&dial.join, &ready), lost_after).await?;
    let outcome = Run::start(
        request,
        folder,
        (run, own.is_some()),
        speakers,
        (ready, neighbours),
        &dial,
    )?
    .watch(lost_after)
    .await;
    if let Some(own) = own {
        own.stop().await;
        // Its certificate and nothing else; if it stays, it is no harm.
        std::fs::remove_dir_all(folder.join("agent")).unwrap_or_default();
    }
    outcome
}
