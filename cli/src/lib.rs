//! `milliwatt`: the command line, and the tester's side of a run.
//!
//! - [`args`]: what can be typed; [`exit`]: how a command ends.
//! - [`scenario`]: the file that a person writes, resolved into a plan.
//! - [`speakers`]: what the parties of a run say.
//! - [`dry_run`]: what a plan will do, said before it is done.
//! - [`run`], [`agent`], [`stop`], [`report`]: the measuring itself; [`controller`]: the tester's side of it.
//! - [`score`], [`analyze`], [`compare`], [`capacity`]: work on files and figures, offline.
//! - [`later`]: commands that this version names but does not have.

pub mod agent;
pub mod analyze;
pub mod args;
mod audio_file;
mod background;
pub mod calibrate;
pub mod capacity;
pub mod compare;
pub mod controller;
pub mod dry_run;
pub mod exit;
mod ffmpeg;
pub mod later;
pub mod output;
pub mod report;
pub mod run;
pub mod scenario;
pub mod scenarios;
pub mod score;
mod signals;
pub mod speakers;
pub mod stop;

use args::{Args, Command};
use clap::Parser;
use exit::{ExitCode, Failure};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error).into(),
    };
    let exit = execute(args).unwrap_or_else(|failure| {
        output::complain(&failure.to_string());
        failure.exit
    });
    exit.into()
}

/// Help and version go to standard output and are no failure; the rest is.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = error.print().is_ok();
    if shown && !error.use_stderr() {
        ExitCode::Pass
    } else {
        ExitCode::Usage
    }
}

fn execute(args: Args) -> Result<ExitCode, Failure> {
    match args.command {
        Command::Run(args) => run::execute(&args),
        Command::Agent(args) => agent::execute(args),
        Command::Scenarios(args) => scenarios::execute(&args),
        Command::Report(args) => report::execute(&args),
        Command::Capacity(args) => capacity::execute(&args),
        Command::Stop(args) => stop::execute(&args),
        Command::Analyze(args) => analyze::execute(&args),
        Command::Score(args) => score::execute(&args),
        Command::Compare(args) => compare::execute(&args),
        Command::Calibrate(args) => calibrate::execute(&args),
        Command::Preflight(_) => Err(later::failure("preflight")),
        Command::Mark(args) => stop::mark(&args),
    }
}
