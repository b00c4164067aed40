//! `milliwatt agent`: the guest's side.

use crate::args::AgentArgs;
use crate::exit::{ExitCode, Failure};

/// Serves testers until it is stopped.
pub fn execute(args: &AgentArgs) -> Result<ExitCode, Failure> {
    Err(Failure::could_not_run(format!("no agent in this build to listen at {}", args.listen)))
}
