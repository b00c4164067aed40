//! `milliwatt stop` and `milliwatt mark`: words to the test that is running on this machine.

use crate::args::{MarkArgs, StopArgs};
use crate::controller::record::{RunRecord, read_json};
use crate::controller::remote::{Command, tell};
use crate::exit::{ExitCode, Failure};
use crate::scenario::programme::{NAME_MAX, is_name};
use std::path::Path;

/// Asks the running test to drain, or with `--now` to end all media within a second.
pub fn execute(args: &StopArgs) -> Result<ExitCode, Failure> {
    let run = run_of(args.run_dir.as_deref())?;
    let command = if args.now {
        Command::StopNow
    } else {
        Command::Stop
    };
    tell(run.as_deref(), &command).map(|()| ExitCode::Pass)
}

/// Puts a mark on the running test's time line.
pub fn mark(args: &MarkArgs) -> Result<ExitCode, Failure> {
    if !is_name(&args.label) {
        let message = format!("`{}` is no label", args.label.escape_debug());
        let allowed =
            format!("give 1 to {NAME_MAX} characters on one line, such as \"vMotion started\"");
        return Err(Failure::usage(message).hint(allowed));
    }
    tell(
        run_of(args.run_dir.as_deref())?.as_deref(),
        &Command::Mark(args.label.clone()),
    )
    .map(|()| ExitCode::Pass)
}

/// The run that writes to a folder; none is the only one there is.
fn run_of(folder: Option<&Path>) -> Result<Option<String>, Failure> {
    let record = folder.map(|folder| read_json::<RunRecord>(folder, "run.json"));
    Ok(record.transpose()?.map(|record| record.run))
}
