//! Whether runs may be compared: the same load, by the same program, for as long, and each whole and valid.

use crate::exit::{ExitCode, Failure};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// What must be alike.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    /// The run's folder.
    pub(super) directory: String,
    /// Name of its scenario.
    pub(super) scenario: String,
    /// The scenario as resolved.
    pub(super) scenario_file: Table,
    /// Version of milliwatt that measured.
    pub(super) milliwatt: String,
    /// Seconds of full load.
    pub(super) full_load_s: u32,
    /// An end did not finish in order.
    pub(super) partial: bool,
    /// Why it proves nothing, where it does not.
    pub(super) invalid: Option<Vec<String>>,
}

/// Keys of a scenario that put no other load on a guest: how it is called and judged, and where random numbers begin.
const NO_LOAD: [&str; 7] = [
    "seed",
    "title",
    "source",
    "out",
    "threshold",
    "document",
    "default_thresholds",
];
/// Full loads of lengths within this share of each other are of one length.
const LENGTHS_SHARE: f64 = 0.1;

/// Refuses runs that cannot be compared. What is different and is compared by `force` all the same is given back, a sentence
/// each; an invalid run never is.
pub(super) fn refuse(runs: &[&Identity], force: bool) -> Result<Vec<String>, Failure> {
    refuse_invalid(runs)?;
    let differences = differences(runs);
    if differences.is_empty() || force {
        return Ok(differences);
    }
    Err(Failure::could_not_run("these runs cannot be compared")
        .detail(differences.join("\n"))
        .hint("repeat one as the other was, or compare all the same with --force: the report then says what differs"))
}

fn refuse_invalid(runs: &[&Identity]) -> Result<(), Failure> {
    let invalid = runs
        .iter()
        .filter_map(|run| Some((run, run.invalid.as_ref()?)));
    let lines: Vec<String> = invalid
        .flat_map(|(run, reasons)| {
            reasons
                .iter()
                .map(|reason| format!("{}: {reason}", run.directory))
        })
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure {
        exit: ExitCode::Invalid,
        ..Failure::could_not_run(
            "an invalid run says nothing about the guest, so nothing can be compared with it",
        )
        .detail(lines.join("\n"))
        .hint("run it again as its report says, and compare that")
    })
}

/// Each run against the first.
fn differences(runs: &[&Identity]) -> Vec<String> {
    let Some((first, others)) = runs.split_first() else {
        return Vec::new();
    };
    let mut found: Vec<String> = runs
        .iter()
        .filter(|run| run.partial)
        .map(|run| {
            format!(
                "{} is partial: an end did not finish in order",
                run.directory
            )
        })
        .collect();
    for other in others {
        found.extend(differences_of(first, other));
    }
    found
}

fn differences_of(a: &Identity, b: &Identity) -> Vec<String> {
    let told = |what: &str, of_a: &str, of_b: &str| {
        format!(
            "{what}: {of_a} in {}, {of_b} in {}",
            a.directory, b.directory
        )
    };
    let mut found = Vec::new();
    if a.milliwatt != b.milliwatt {
        found.push(told("milliwatt", &a.milliwatt, &b.milliwatt));
    }
    let (of_a, of_b) = (leaves(&a.scenario_file), leaves(&b.scenario_file));
    let mut keys: Vec<&String> = of_a.keys().chain(of_b.keys()).collect();
    keys.sort();
    keys.dedup();
    let value = |leaves: &BTreeMap<String, String>, key: &String| {
        leaves
            .get(key)
            .cloned()
            .unwrap_or_else(|| "not set".to_owned())
    };
    for key in keys
        .into_iter()
        .filter(|key| of_a.get(*key) != of_b.get(*key))
    {
        found.push(told(
            &format!("scenario, {key}"),
            &value(&of_a, key),
            &value(&of_b, key),
        ));
    }
    let (shorter, longer) = (
        a.full_load_s.min(b.full_load_s),
        a.full_load_s.max(b.full_load_s),
    );
    if f64::from(shorter) < f64::from(longer) * (1.0 - LENGTHS_SHARE) {
        let seconds = |of: &Identity| format!("{} s", of.full_load_s);
        found.push(told("length of full load", &seconds(a), &seconds(b)));
    }
    found
}

/// Each value of a scenario that bears on the load, as written, by its path.
fn leaves(scenario: &Table) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    for (key, value) in scenario
        .iter()
        .filter(|(key, _)| !NO_LOAD.contains(&key.as_str()))
    {
        walk(key.clone(), value, &mut leaves);
    }
    leaves
}

fn walk(path: String, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                walk(format!("{path}.{key}"), value, leaves);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                walk(format!("{path}.{place}"), value, leaves);
            }
        }
        Value::String(text) => {
            leaves.insert(path, text.clone());
        }
        _ => {
            leaves.insert(path, value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(directory: &str, scenario: &str) -> Identity {
        Identity {
            directory: directory.to_owned(),
            scenario: "smoke".to_owned(),
            scenario_file: scenario.parse().unwrap(),
            milliwatt: "0.1.0".to_owned(),
            full_load_s: 60,
            partial: false,
            invalid: None,
        }
    }

    const SCENARIO: &str =
        "name = 'smoke'\nseed = 1\nfor = '60s'\n[calls]\nconcurrent = 10\n[[threshold]]\nmax = 1\n";

    #[test]
    fn runs_that_differ_in_seed_and_thresholds_only_are_alike() {
        let other = SCENARIO
            .replace("seed = 1", "seed = 2")
            .replace("max = 1", "max = 9");
        let (a, b) = (run("a", SCENARIO), run("b", &other));
        assert_eq!(refuse(&[&a, &b], false), Ok(Vec::new()));
    }

    #[test]
    fn another_load_is_refused_by_the_name_and_both_values_of_its_key() {
        let other = SCENARIO.replace("concurrent = 10", "concurrent = 20\nlegs = 2");
        let (a, b) = (run("a", SCENARIO), run("b", &other));
        let failure = refuse(&[&a, &b], false).unwrap_err();
        assert_eq!(
            failure.detail.as_deref(),
            Some(
                "scenario, calls.concurrent: 10 in a, 20 in b\nscenario, calls.legs: not set in a, 2 in b"
            )
        );
        assert_eq!(failure.exit, ExitCode::CouldNotRun);
        assert_eq!(refuse(&[&a, &b], true).unwrap().len(), 2);
    }

    /// 54 of 60 s are a tenth less, 53 are more than that.
    #[test]
    fn another_length_and_another_version_are_refused() {
        let (a, mut b) = (run("a", SCENARIO), run("b", SCENARIO));
        b.full_load_s = 54;
        assert_eq!(differences(&[&a, &b]), Vec::<String>::new());
        b.full_load_s = 53;
        b.milliwatt = "0.2.0".to_owned();
        assert_eq!(
            differences(&[&a, &b]),
            [
                "milliwatt: 0.1.0 in a, 0.2.0 in b",
                "length of full load: 60 s in a, 53 s in b"
            ]
        );
    }

    #[test]
    fn an_invalid_run_is_refused_whatever_is_asked_for_and_a_partial_one_unless_it_is() {
        let (a, mut b) = (run("a", SCENARIO), run("b", SCENARIO));
        b.partial = true;
        assert!(refuse(&[&a, &b], false).is_err());
        assert_eq!(
            refuse(&[&a, &b], true),
            Ok(vec![
                "b is partial: an end did not finish in order".to_owned()
            ])
        );
        b.invalid = Some(vec!["the tester was late".to_owned()]);
        let failure = refuse(&[&a, &b], true).unwrap_err();
        assert_eq!(failure.exit, ExitCode::Invalid);
        assert_eq!(failure.detail.as_deref(), Some("b: the tester was late"));
    }
}
