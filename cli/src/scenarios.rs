//! `milliwatt scenarios`: what tests there are, and whether a file is one.

use crate::args::{ScenariosAction, ScenariosArgs};
use crate::exit::{ExitCode, Failure};
use crate::output;
use crate::scenario::value::PortRange;
use crate::scenario::{Plan, Request, builtin, file::Scenario, resolve};
use serde::Serialize;
use std::path::Path;

/// Lists, shows, checks or describes.
pub fn execute(args: &ScenariosArgs) -> Result<ExitCode, Failure> {
    match &args.action {
        None => list(false),
        Some(ScenariosAction::List { json }) => list(*json),
        Some(ScenariosAction::Show { name }) => show(name),
        Some(ScenariosAction::Check { file }) => check(file),
        Some(ScenariosAction::Schema) => output::print_json(&schemars::schema_for!(Scenario)),
    }
    .map(|()| ExitCode::Pass)
}

#[derive(Serialize)]
struct Listed {
    name: String,
    title: String,
    source: Option<String>,
    /// What it needs that this version does not have.
    later: Vec<&'static str>,
}

fn list(json: bool) -> Result<(), Failure> {
    let listed = builtin::BUILTIN
        .iter()
        .map(|(name, _)| plan(name).map(Listed::from))
        .collect::<Result<Vec<_>, _>>()?;
    if json {
        return output::print_json(&listed);
    }
    let width = listed
        .iter()
        .map(|scenario| scenario.name.len())
        .max()
        .unwrap_or(0);
    let lines = listed.iter().map(|scenario| {
        let note = if scenario.later.is_empty() {
            ""
        } else {
            " (not in this version)"
        };
        format!("{:width$}  {}{note}\n", scenario.name, scenario.title)
    });
    output::print(&lines.collect::<String>())
}

impl From<Plan> for Listed {
    fn from(plan: Plan) -> Self {
        Self {
            name: plan.name,
            title: plan.title,
            source: plan.source,
            later: plan.later,
        }
    }
}

fn plan(scenario: &str) -> Result<Plan, Failure> {
    resolve(&Request {
        scenario,
        set: &[],
        full_for: None,
        media_ports: PortRange::MEDIA,
    })
}

fn show(name: &str) -> Result<(), Failure> {
    output::print(&resolve::find(name)?.text)
}

fn check(file: &Path) -> Result<(), Failure> {
    let path = file
        .to_str()
        .ok_or_else(|| Failure::usage("the file's name is not UTF-8"))?;
    let plan = plan(path)?;
    let later = output::lines("  not in this version: ", &plan.later);
    output::print(&format!(
        "{path}: a scenario, {} ({})\n{later}",
        plan.name, plan.title
    ))
}
