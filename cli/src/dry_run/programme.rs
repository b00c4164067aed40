//! What is said of a run's programme before it begins: its phases, its events, the commands that will be run.

use crate::scenario::programme::{Moment, Part, PartEnd, PlannedEvent, ProgrammePlan};
use crate::scenario::sources::SourcePlan;
use crate::scenario::value::Duration;

/// Before a time that a phase may take and need not.
pub(super) const AT_MOST: &str = "at most ";

/// The agent refuses longer runs unless it is told otherwise, s.
const AGENT_LONGEST: f64 = 12.0 * 3600.0;

/// A phrase a phase.
pub(super) fn phases(plan: &ProgrammePlan) -> Vec<String> {
    plan.parts.iter().map(phase).collect()
}

fn phase(part: &Part) -> String {
    match &part.end {
        PartEnd::After(ns) => format!("`{}`: {}", part.name, Duration(*ns)),
        PartEnd::Told(word) => format!(
            "`{}`: until `{}`, {AT_MOST}{}",
            part.name,
            word.text,
            Duration(word.max)
        ),
    }
}

/// A phrase an event.
pub(super) fn events(plan: &ProgrammePlan) -> Vec<String> {
    let event = |event| format!("{}: {}", when(event, plan), what(event));
    plan.events.iter().map(event).collect()
}

fn when(event: &PlannedEvent, plan: &ProgrammePlan) -> String {
    let Some(moment) = event.at else {
        return format!("when told (`milliwatt mark '{}'`)", event.label);
    };
    let again = if event.times > 1 {
        format!(", {} times, every {}", event.times, Duration(event.every))
    } else {
        String::new()
    };
    moment_text(moment, plan) + &again
}

fn moment_text(moment: Moment, plan: &ProgrammePlan) -> String {
    let offset = Duration(moment.offset);
    let after = moment.after.and_then(|part| plan.parts.get(part));
    match after {
        None => format!("at {offset} of full load"),
        Some(part) if moment.offset == 0 => format!("after phase `{}`", part.name),
        Some(part) => format!("{offset} after phase `{}`", part.name),
    }
}

fn what(event: &PlannedEvent) -> String {
    let Some(command) = &event.command else {
        return format!("`{}`", event.label);
    };
    format!(
        "`{}`: runs {} ({AT_MOST}{})",
        event.label,
        command.text(),
        Duration(command.timeout)
    )
}

/// A phrase a source.
pub(super) fn sources(plan: &ProgrammePlan) -> Vec<String> {
    plan.sources.iter().map(source).collect()
}

fn source(source: &SourcePlan) -> String {
    let from = match source {
        SourcePlan::Qmp { socket } => format!("QEMU's events from {}", socket.display()),
        SourcePlan::Log { file, pattern } => {
            format!("lines of {} with `{pattern}`", file.display())
        }
        SourcePlan::Azure { host, port } => {
            format!("Azure's scheduled events from http://{host}:{port}")
        }
    };
    format!("{from} (source {})", source.kind())
}

/// How the agent is to be started for a run of so many seconds, beside other programs or not; none where its defaults do.
pub(super) fn agent(wall: f64, background: bool) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "hours of a run")]
    let hours = (wall / 3600.0).floor() as i64 + 1;
    let longer = (wall > AGENT_LONGEST).then(|| format!(" --max-duration {hours}h"));
    let flags = longer.unwrap_or_default() + if background { " --background" } else { "" };
    (!flags.is_empty()).then(|| format!("start it as `milliwatt agent{flags}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 h of full load, a ramp of 10 s and a drain.
    #[test]
    fn a_longer_run_than_the_agent_allows_says_how_to_start_it() {
        assert_eq!(agent(43_200.0, false), None);
        let canary = agent(86_412.0, true).unwrap();
        assert!(
            canary.contains("--max-duration 25h --background`"),
            "{canary}"
        );
    }
}
