//! `milliwatt report`: renders and judges a finished run again, from its facts.

use crate::args::ReportArgs;
use crate::exit::{ExitCode, Failure};

/// Renders again what `RUN_DIR` holds.
pub fn execute(args: &ReportArgs) -> Result<ExitCode, Failure> {
    Err(Failure::could_not_run(format!("no renderer in this build for {}", args.run_dir.display())))
}
