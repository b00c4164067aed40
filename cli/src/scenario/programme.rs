//! The programme of a run: the named parts of its full-load time and what happens in them, with nothing left to choose.

use super::file::{Event, Phase, Scenario};
use super::sources::{SourcePlan, source};
use super::value::Duration;
use milliwatt_wire::time::NS_PER_SECOND;

/// A part that waits for a word ends after so long, unless its scenario says otherwise, ns.
pub const WAIT: i64 = 2 * 3600 * NS_PER_SECOND;
/// A command is ended after so long, unless its scenario says otherwise, ns.
pub const TIMEOUT: i64 = 10 * 60 * NS_PER_SECOND;

/// Characters of a name at most.
pub const NAME_MAX: usize = 200;

/// What a label's command does when a part of the run ends with its begin.
const STARTED: &str = " started";
/// The same of its end; also what its end is called.
const ENDED: &str = " ended";

/// Parts and events of a run, in the order of its scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgrammePlan {
    /// The parts of full load, one after the other; none is one without a name.
    pub parts: Vec<Part>,
    /// What happens.
    pub events: Vec<PlannedEvent>,
    /// Who tells of it.
    pub sources: Vec<SourcePlan>,
}

/// A named part of full load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its end.
    pub end: PartEnd,
}

/// What ends a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartEnd {
    /// Time, ns.
    After(i64),
    /// A word.
    Told(Word),
}

/// The word that ends a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As the scenario has it: a mark of this name ends the part.
    pub text: String,
    /// Place of its event among the programme's.
    pub event: usize,
    /// The begin of the event's command ends the part, not its end.
    pub at_begin: bool,
    /// The part ends after so long in any case, ns.
    pub max: i64,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedEvent {
    /// Its name.
    pub label: String,
    /// When; none is told from outside.
    pub at: Option<Moment>,
    /// What makes it happen.
    pub command: Option<HookCommand>,
    /// How many times it happens, 1 or more.
    pub times: u32,
    /// From one time to the next, ns.
    pub every: i64,
}

/// A moment of full load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Place of the part after whose end it counts; none counts from the begin of full load.
    pub after: Option<usize>,
    /// So long after that, ns.
    pub offset: i64,
}

/// A command of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    /// The program and its arguments; one or more.
    pub words: Vec<String>,
    /// It is ended after so long, ns.
    pub timeout: i64,
}

impl ProgrammePlan {
    /// The programme of a scenario that [`super::check`] found right.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            parts: scenario
                .phases
                .iter()
                .filter_map(|phase| part(phase, scenario))
                .collect(),
            events: scenario
                .events
                .iter()
                .map(|event| planned(event, scenario))
                .collect(),
            sources: scenario.sources.iter().filter_map(source).collect(),
        }
    }

    /// The longest that its parts can take, ns; none where it has none.
    #[must_use]
    pub fn longest(&self) -> Option<i64> {
        let lengths = self.parts.iter().map(|part| part.end.longest());
        lengths.reduce(i64::saturating_add)
    }

    /// All of it is known beforehand: no part waits for a word.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        let timed = |part: &Part| matches!(part.end, PartEnd::After(_));
        self.parts.iter().all(timed)
    }
}

impl PartEnd {
    /// The longest that the part lasts, ns.
    #[must_use]
    pub fn longest(&self) -> i64 {
        match self {
            Self::After(ns) => *ns,
            Self::Told(word) => word.max,
        }
    }
}

impl Word {
    /// A mark of this name, told from outside, is the word: the event's own name, or that of its begin or its end.
    #[must_use]
    pub fn is(&self, mark: &str, events: &[PlannedEvent]) -> bool {
        let what = if self.at_begin { STARTED } else { ENDED };
        let label = events.get(self.event).map(|event| event.label.as_str());
        let rest = label.and_then(|label| mark.strip_prefix(label));
        mark == self.text || rest.is_some_and(|rest| rest.is_empty() || rest == what)
    }
}

impl HookCommand {
    /// Its words as a shell would have to be given them, on one line.
    #[must_use]
    pub fn text(&self) -> String {
        let quoted: Vec<String> = self.words.iter().map(|word| quote(word)).collect();
        let text = quoted.join(" ");
        text.replace(char::is_control, " ")
    }
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A label that a mark can have: it travels as a line, and stands in one.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= NAME_MAX && !name.contains(char::is_control)
}

/// Full load at the longest, ns; none where only the number of calls ends it.
#[must_use]
pub fn full_for(scenario: &Scenario) -> Option<i64> {
    let parts = ProgrammePlan::of(scenario).longest();
    let given = scenario.full_for.map(|full| full.0);
    given.into_iter().chain(parts).min()
}

/// The words that a part can wait for.
pub(super) fn words(scenario: &Scenario) -> impl Iterator<Item = String> {
    let of = |event: &Event| {
        let label = &event.label;
        [
            label.clone(),
            format!("{label}{STARTED}"),
            format!("{label}{ENDED}"),
        ]
    };
    scenario.events.iter().flat_map(of)
}

fn part(phase: &Phase, scenario: &Scenario) -> Option<Part> {
    let end = match (phase.lasts, &phase.until) {
        (Some(lasts), None) => PartEnd::After(lasts.0),
        (None, Some(until)) => PartEnd::Told(word(until, phase.max, scenario)?),
        _ => return None,
    };
    Some(Part {
        name: phase.name.clone(),
        end,
    })
}

/// An event called just so goes before one that starts or ends.
fn word(text: &str, max: Option<Duration>, scenario: &Scenario) -> Option<Word> {
    let labelled = |label: &str| {
        let mut events = scenario.events.iter();
        events.position(|event| event.label == label)
    };
    let started = || labelled(text.strip_suffix(STARTED)?);
    let ended = || labelled(text.strip_suffix(ENDED)?);
    let (event, at_begin) = labelled(text)
        .map(|event| (event, false))
        .or_else(|| started().map(|event| (event, true)))
        .or_else(|| ended().map(|event| (event, false)))?;
    Some(Word {
        text: text.to_owned(),
        event,
        at_begin,
        max: max.map_or(WAIT, |max| max.0),
    })
}

fn planned(event: &Event, scenario: &Scenario) -> PlannedEvent {
    let timeout = event.timeout.map_or(TIMEOUT, |timeout| timeout.0);
    PlannedEvent {
        label: event.label.clone(),
        at: moment(event, scenario),
        command: event.run.as_ref().map(|words| HookCommand {
            words: words.clone(),
            timeout,
        }),
        times: event.repeat.unwrap_or(1),
        every: event.every.map_or(0, |every| every.0),
    }
}

fn moment(event: &Event, scenario: &Scenario) -> Option<Moment> {
    let offset = event.at.map(|at| at.0);
    let Some(name) = &event.after else {
        return offset.map(|offset| Moment {
            after: None,
            offset,
        });
    };
    let after = scenario
        .phases
        .iter()
        .position(|phase| phase.name == *name)?;
    Some(Moment {
        after: Some(after),
        offset: offset.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_more_into_them() {
        let words = ["sh", "-c", "echo it's", "", "a\nb"].map(str::to_owned);
        let command = HookCommand {
            words: words.to_vec(),
            timeout: TIMEOUT,
        };
        assert_eq!(command.text(), r"sh -c 'echo it'\''s' '' 'a b'");
    }
}
