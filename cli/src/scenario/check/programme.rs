//! What can be wrong with phases and events.

use super::Findings;
use crate::scenario::file::{Event, Phase, Scenario};
use crate::scenario::programme::{NAME_MAX, full_for, is_name, words};
use crate::scenario::value::Duration;

/// Times that an event can happen in a run.
const TIMES_MAX: u32 = 1000;

/// Checks `[[phase]]` and `[[event]]`.
pub(super) fn check(scenario: &Scenario, found: &mut Findings) {
    let steps = scenario.ramp.is_some() && !scenario.phases.is_empty();
    let message = "the time of a load in steps is that of its steps";
    found.require(!steps, "phase", message, "phases, or a [ramp]");
    let names = scenario.phases.iter().map(|phase| phase.name.as_str());
    check_names(&names, ("phase", "name"), found);
    for (index, phase) in scenario.phases.iter().enumerate() {
        check_phase(phase, index, scenario, found);
    }
    let labels = scenario.events.iter().map(|event| event.label.as_str());
    check_names(&labels, ("event", "label"), found);
    for (index, event) in scenario.events.iter().enumerate() {
        let mut event = EventCheck {
            event,
            index,
            found,
        };
        event.moment(scenario);
        event.command();
        event.repeats();
    }
}

/// Each has one, and no two the same.
fn check_names<'s>(
    names: &(impl Iterator<Item = &'s str> + Clone),
    (table, key): (&str, &str),
    found: &mut Findings,
) {
    for (index, name) in names.clone().enumerate() {
        let path = format!("{table}.{index}.{key}");
        let plain = is_name(name);
        let message = format!("`{}` cannot be told on a line", name.escape_debug());
        let allowed = format!("1 to {NAME_MAX} characters, none of them a control character");
        found.require(plain, path.clone(), message, allowed);
        let first = names.clone().position(|other| other == name) == Some(index);
        let message = format!("the {key} `{name}` is taken");
        found.require(first, path, message, format!("a {key} of its own"));
    }
}

fn check_phase(phase: &Phase, index: usize, scenario: &Scenario, found: &mut Findings) {
    let path = format!("phase.{index}");
    let one_end = phase.lasts.is_some() != phase.until.is_some();
    let message = format!("the end of phase `{}` is not clear", phase.name);
    let allowed = "exactly one of `for` and `until`";
    found.require(one_end, path.clone(), message, allowed);
    check_length(phase.lasts, format!("{path}.for"), "a phase", found);
    check_length(phase.max, format!("{path}.max"), "a phase", found);
    let bounded = phase.max.is_none() || phase.until.is_some();
    let message = "`for` is its length already";
    found.require(bounded, format!("{path}.max"), message, "with `until`");
    let Some(until) = &phase.until else { return };
    let known: Vec<String> = words(scenario).collect();
    let allowed = if known.is_empty() {
        "the label of an [[event]], of which there is none".to_owned()
    } else {
        format!("the label of an [[event]]: {}", known.join(", "))
    };
    let message = format!("no event is labelled `{until}`");
    found.require(
        known.contains(until),
        format!("{path}.until"),
        message,
        allowed,
    );
}

fn check_length(length: Option<Duration>, path: String, of: &str, found: &mut Findings) {
    found.require(
        length.is_none_or(|length| length.0 > 0),
        path,
        format!("{of} without length"),
        "more than 0s",
    );
}

struct EventCheck<'c> {
    event: &'c Event,
    index: usize,
    found: &'c mut Findings,
}

impl EventCheck<'_> {
    fn require(&mut self, holds: bool, key: &str, message: impl Into<String>, allowed: &str) {
        let path = format!("event.{}.{key}", self.index);
        self.found.require(holds, path, message, allowed);
    }

    fn moment(&mut self, scenario: &Scenario) {
        if let Some(after) = &self.event.after {
            let names: Vec<&str> = scenario
                .phases
                .iter()
                .map(|phase| phase.name.as_str())
                .collect();
            let allowed = match names.as_slice() {
                [] => "the name of a [[phase]], of which there is none".to_owned(),
                names => format!("the name of a [[phase]]: {}", names.join(", ")),
            };
            let message = format!("no phase is called `{after}`");
            self.require(names.contains(&after.as_str()), "after", message, &allowed);
            let message = format!("`{after}` is the last phase: the run ends with it");
            let earlier = names.last() != Some(&after.as_str());
            let allowed = "an earlier phase, or a [[phase]] more behind it";
            self.require(earlier, "after", message, allowed);
            return;
        }
        if let (Some(at), Some(full)) = (self.event.at, full_for(scenario)) {
            let full = Duration(full);
            let message = format!("{at} lies past the end of full load");
            self.require(at < full, "at", message, &format!("below {full}"));
            let last = Duration(at.0.saturating_add(self.last_again()));
            let message = format!("its last time, at {last}, lies past the end of full load");
            let fits = last < full || at >= full;
            self.require(fits, "repeat", message, &format!("the last below {full}"));
        }
    }

    /// From its first time to its last, ns.
    fn last_again(&self) -> i64 {
        let again = i64::from(self.event.repeat.unwrap_or(1)) - 1;
        self.event
            .every
            .map_or(0, |every| every.0.saturating_mul(again))
    }

    fn command(&mut self) {
        let event = self.event;
        let named = |words: &Vec<String>| words.first().is_some_and(|word| !word.is_empty());
        self.require(
            event.run.as_ref().is_none_or(named),
            "run",
            "no command",
            "the program and each argument: [\"govc\", \"vm.migrate\", \"-host\", \"esx2\", \"guest\"]",
        );
        let whole = |words: &Vec<String>| !words.iter().any(|word| word.contains('\0'));
        let message = "a word with a NUL character";
        self.require(
            event.run.as_ref().is_none_or(whole),
            "run",
            message,
            "none of it",
        );
        let timed = event.run.is_none() || event.at.is_some() || event.after.is_some();
        let message = "nothing says when this command is to run";
        self.require(timed, "run", message, "`at` or `after` beside it");
        let bounded = event.timeout.is_none() || event.run.is_some();
        self.require(
            bounded,
            "timeout",
            "no command to end",
            "with `run`, or left out",
        );
        let path = format!("event.{}.timeout", self.index);
        check_length(event.timeout, path, "a command", self.found);
    }

    fn repeats(&mut self) {
        let event = self.event;
        let times = event.repeat.unwrap_or(1);
        let message = format!("an event that happens {times} times");
        let allowed = format!("1 to {TIMES_MAX}");
        self.require(
            (1..=TIMES_MAX).contains(&times),
            "repeat",
            message,
            &allowed,
        );
        let timed = event.repeat.is_none() || event.at.is_some() || event.after.is_some();
        let message = "an event that is told from outside happens as often as it is told";
        self.require(timed, "repeat", message, "`at` or `after` beside it");
        let spaced = (times > 1) == event.every.is_some();
        self.require(
            spaced,
            if event.every.is_some() {
                "every"
            } else {
                "repeat"
            },
            "it is not clear when it happens again",
            "`repeat` (2 or more) and `every`, or neither",
        );
        let path = format!("event.{}.every", self.index);
        check_length(event.every, path, "a time to the next", self.found);
    }
}
