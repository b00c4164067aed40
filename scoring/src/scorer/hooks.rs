//! Marks, commands and named parts of a run on its time line; commands that did not do what they were there for.

use milliwatt_wire::facts::{Fact, HookOutcome, MarkSource};
use milliwatt_wire::time::RunTime;

/// Characters of a command's output that are told with its end.
const SAID_MAX: usize = 400;

/// A line of the time line: when, its kind, its text.
pub(super) type Line = (RunTime, String, String);

/// What is told of a mark, a command or a part; none of other facts, and none of what is told already.
pub(super) fn line(fact: &Fact) -> Option<Line> {
    let (at, kind, text) = match fact {
        Fact::Mark { at, label, source } => {
            let (kind, text) = mark(label, source)?;
            (at, kind, text)
        }
        Fact::HookEnded { at, .. } => (at, "hook", ended(fact)?),
        Fact::PartStarted { at, name } => (at, "phase", name.clone()),
        _ => return None,
    };
    Some((*at, kind.to_owned(), text))
}

fn mark(label: &str, source: &MarkSource) -> Option<(&'static str, String)> {
    match source {
        MarkSource::Told | MarkSource::Scenario => Some(("mark", label.to_owned())),
        MarkSource::HookStarted => Some(("hook", format!("{label}: its command was started"))),
        MarkSource::HookEnded => None,
        MarkSource::Hypervisor(source) => Some(("hypervisor", format!("{source}: {label}"))),
    }
}

/// Why a run whose command did not succeed makes no pass; none of a command that did.
pub(super) fn failure(fact: &Fact) -> Option<String> {
    let Fact::HookEnded { outcome, .. } = fact else {
        return None;
    };
    if *outcome == HookOutcome::Exited(0) {
        return None;
    }
    let text = ended(fact)?;
    Some(format!(
        "what was to be tested did not happen, or not as it should ({text}): mend the command and run again"
    ))
}

fn ended(fact: &Fact) -> Option<String> {
    let Fact::HookEnded {
        label,
        started,
        at,
        outcome,
        output,
    } = fact
    else {
        return None;
    };
    let how = match outcome {
        HookOutcome::Exited(code) => format!("ended with exit code {code}"),
        HookOutcome::Signalled(signal) => format!("was ended by signal {signal}"),
        HookOutcome::TimedOut => "did not end in its time and was ended".to_owned(),
        HookOutcome::NotStarted(why) => {
            return Some(format!("{label}: its command did not start: {why}"));
        }
        HookOutcome::NotEnded => "was killed, did not end, and was left".to_owned(),
    };
    let seconds = RunTime(*at - *started).as_seconds();
    Some(format!(
        "{label}: its command {how} after {seconds:.1} s{}",
        said(output)
    ))
}

/// The end of what it said, on one line.
fn said(output: &str) -> String {
    let lines: Vec<&str> = output
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let text = lines.join(" / ");
    let skip = text.chars().count().saturating_sub(SAID_MAX);
    let hint = if skip > 0 { "..." } else { "" };
    let end: String = text
        .chars()
        .skip(skip)
        .filter(|c| !c.is_control())
        .collect();
    format!("; it said: {hint}{end}")
}
