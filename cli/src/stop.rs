//! `milliwatt stop`: ends the test that is running on this machine.

use crate::args::StopArgs;
use crate::exit::{ExitCode, Failure};

/// Asks the running test to drain, or with `--now` to end all media within a second.
pub fn execute(args: &StopArgs) -> Result<ExitCode, Failure> {
    let how = if args.now { "at once" } else { "in order" };
    Err(Failure::could_not_run(format!("no test to stop {how}: this build cannot run one")))
}
