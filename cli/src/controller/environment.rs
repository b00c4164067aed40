//! `environment.json`: what both ends' machines were when the run started and when it ended, and what changed.

use milliwatt_agent::telemetry::environment::with_unknown;
use milliwatt_reports::comparison::environment::Facts;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Value by name; none where it could not be learned.
type Values = BTreeMap<String, Option<String>>;

/// Both ends' machines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// This machine.
    pub tester: EndEnvironment,
    /// The machine under test.
    pub guest: EndEnvironment,
    /// What was not at the end as at the start.
    pub changed: Vec<ChangedFact>,
}

/// One end's machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndEnvironment {
    /// Before the run.
    pub start: Values,
    /// After it; none before its end, and where the end never told.
    pub end: Option<Values>,
}

/// A fact that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedFact {
    /// `tester` or `guest`.
    pub of: String,
    /// Its name.
    pub name: String,
    /// At the start.
    pub start: Option<String>,
    /// At the end.
    pub end: Option<String>,
}

impl Environment {
    /// As told before the run.
    #[must_use]
    pub fn at_start(tester: &[(String, String)], guest: &[(String, String)]) -> Self {
        let start = |values| EndEnvironment {
            start: with_unknown(values),
            end: None,
        };
        Self {
            tester: start(tester),
            guest: start(guest),
            changed: Vec::new(),
        }
    }

    /// Takes what an end told at its end; other facts say nothing of it.
    pub fn absorb(&mut self, end: End, fact: &Fact) {
        if let Fact::Environment {
            whole: true,
            values,
            ..
        } = fact
        {
            let of = match end {
                End::Tester => &mut self.tester,
                End::Guest => &mut self.guest,
            };
            of.end = Some(with_unknown(values));
        }
    }

    /// Says what changed, once both ends were heard.
    pub fn compare(&mut self) {
        self.changed = [("tester", &self.tester), ("guest", &self.guest)]
            .into_iter()
            .flat_map(|(of, end)| end.changed(of))
            .collect();
    }

    /// Every fact of the start by its end and name.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let named = |end: &'static str, values: &Values| -> Vec<(String, Option<String>)> {
            let values = values.iter();
            values
                .map(|(name, value)| (format!("{end}: {name}"), value.clone()))
                .collect()
        };
        let guest = named("guest", &self.guest.start);
        guest
            .into_iter()
            .chain(named("tester", &self.tester.start))
            .collect()
    }

    /// For people: what is known of the start, and what changed.
    #[must_use]
    pub fn listed(&self) -> Vec<(String, String)> {
        let ends = [("tester", &self.tester.start), ("guest", &self.guest.start)];
        let known = ends.into_iter().flat_map(|(end, values)| {
            let known = values.iter();
            known.filter_map(move |(name, value)| Some((format!("{end}: {name}"), value.clone()?)))
        });
        let changed = self.changed.iter().map(|fact| {
            let said =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
            (
                format!("changed: {}: {}", fact.of, fact.name),
                format!("{} -> {}", said(&fact.start), said(&fact.end)),
            )
        });
        known.chain(changed).collect()
    }
}

impl EndEnvironment {
    fn changed(&self, of: &str) -> Vec<ChangedFact> {
        let Some(end) = &self.end else {
            return Vec::new();
        };
        let at_end = |name: &String| end.get(name).cloned().flatten();
        let facts = self.start.iter().map(|(name, start)| ChangedFact {
            of: of.to_owned(),
            name: name.clone(),
            start: start.clone(),
            end: at_end(name),
        });
        facts.filter(|fact| fact.start != fact.end).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_agent::telemetry::environment::{IDENTITY, NAMES};
    use milliwatt_reports::comparison::environment::differences;
    use milliwatt_scoring::scorer::score;
    use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    fn values(mac: &str) -> Vec<(String, String)> {
        [("kernel", "6.1"), ("nic_mac", mac)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    fn told(whole: bool, mac: &str) -> Fact {
        Fact::Environment {
            at: RunTime(0),
            whole,
            values: values(mac),
        }
    }

    #[test]
    fn what_is_not_at_the_end_as_at_the_start_is_told_of_its_end() {
        let mut environment = Environment::at_start(&values("a"), &values("b"));
        environment.absorb(End::Tester, &told(true, "a"));
        environment.absorb(End::Guest, &told(false, "d"));
        environment.absorb(End::Guest, &told(true, "c"));
        environment.compare();
        let expected = ChangedFact {
            of: "guest".into(),
            name: "nic_mac".into(),
            start: Some("b".into()),
            end: Some("c".into()),
        };
        assert_eq!(environment.changed, [expected]);
        let listed = environment.listed();
        assert!(listed.contains(&("changed: guest: nic_mac".to_owned(), "b -> c".to_owned())));
    }

    /// Every fact is another: of each end one does not count as a change of the system, by a name that there is.
    #[test]
    fn what_changes_by_itself_is_set_apart_by_a_name_that_there_is() {
        let all = |value: &str| {
            let named = NAMES.map(|name| (name.to_owned(), value.to_owned()));
            Environment::at_start(&named, &named).facts()
        };
        let found = differences(&[all("a")], &[all("b")]);
        assert_eq!(found.len(), 2 * NAMES.len());
        let incidental = found.iter().filter(|difference| difference.incidental);
        let names: Vec<&str> = incidental.map(|of| of.name.as_str()).collect();
        assert_eq!(names, ["guest: boot_id", "tester: boot_id"]);
    }

    /// What an agent looks at every few seconds, and what the scorer takes a change of for a finding, is one and the same.
    #[test]
    fn a_change_of_all_that_is_watched_is_a_finding() {
        let told = |second: i64, value: &str| Fact::Environment {
            at: RunTime(second * NS_PER_SECOND),
            whole: second > 0,
            values: NAMES
                .map(|name| (name.to_owned(), value.to_owned()))
                .to_vec(),
        };
        let facts = [told(0, "a"), told(9, "b")];
        let measured = score(None, |take| {
            for fact in &facts {
                take(End::Guest, fact);
            }
            Ok::<_, Infallible>(())
        });
        let changed = measured.unwrap().notes.into_iter().filter_map(|note| {
            let (name, _) = note
                .strip_prefix("guest: ")?
                .split_once(" changed from a to b")?;
            Some(name.to_owned())
        });
        let watched = IDENTITY.map(str::to_owned);
        assert_eq!(changed.collect::<BTreeSet<_>>(), BTreeSet::from(watched));
    }

    /// A guest that never came back told no end.
    #[test]
    fn without_an_end_nothing_changed_and_unknown_facts_are_null() {
        let mut environment = Environment::at_start(&values("a"), &values("b"));
        environment.compare();
        assert_eq!(
            (environment.guest.end.as_ref(), environment.changed.len()),
            (None, 0)
        );
        let json = serde_json::to_value(&environment).unwrap();
        assert_eq!(json["guest"]["start"]["vm_id"], serde_json::Value::Null);
        assert_eq!(json["guest"]["start"]["nic_mac"], "b");
        assert_eq!(environment.facts()["tester: nic_mac"].as_deref(), Some("a"));
    }
}
