//! `milliwatt stop` and `milliwatt mark`: words to the test that is running on this machine.

use crate::args::{MarkArgs, StopArgs};
use crate::controller::record::{RunRecord, read_json};
use crate::controller::remote::{Command, tell};
use crate::exit::{ExitCode, Failure};

/// Asks the running test to drain, or with `--now` to end all media within a second.
pub fn execute(args: &StopArgs) -> Result<ExitCode, Failure> {
    let record = args
        .run_dir
        .as_deref()
        .map(|folder| read_json::<RunRecord>(folder, "run.json"))
        .transpose()?;
    let command = if args.now {
        Command::StopNow
    } else {
        Command::Stop
    };
    tell(record.as_ref().map(|r| r.run.as_str()), &command).map(|()| ExitCode::Pass)
}

/// Puts a mark on the running test's time line.
pub fn mark(args: &MarkArgs) -> Result<ExitCode, Failure> {
    tell(None, &Command::Mark(args.label.clone())).map(|()| ExitCode::Pass)
}
