//! `milliwatt report`: renders and judges a finished run again, from its facts.

use crate::args::ReportArgs;
use crate::controller::conclusion::conclude;
use crate::exit::{ExitCode, Failure};
use crate::output;
use crate::scenario;
use crate::scenario::value::PortRange;

/// Renders again what `RUN_DIR` holds, under its own thresholds or those of another scenario.
pub fn execute(args: &ReportArgs) -> Result<ExitCode, Failure> {
    let other = args
        .thresholds
        .as_ref()
        .map(|path| path.display().to_string());
    let judgement = other.as_deref().map(judgement_of).transpose()?;
    let conclusion = conclude(&args.run_dir, judgement)?;
    if args.json {
        output::print_json(&conclusion.scorecard)?;
    } else {
        output::print(&format!("{}\n", conclusion.summary.trim_end()))?;
    }
    Ok(conclusion.measured.verdict.into())
}

fn judgement_of(scenario: &str) -> Result<milliwatt_scoring::judgement::Judgement, Failure> {
    let request = scenario::Request {
        scenario,
        set: &[],
        full_for: None,
        media_ports: PortRange::MEDIA,
    };
    scenario::resolve(&request).map(|plan| plan.judgement)
}
