//! What changed besides what was meant to change: the difference of the sides' `environment.json`.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of both ends of a run when it started: value by name, such as `guest: nic_driver`; none where it cannot be
/// learned.
pub type Facts = BTreeMap<String, Option<String>>;

/// A fact that is not the same in all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EnvironmentDifference {
    /// Which, such as `guest: nic_driver`.
    pub name: String,
    /// Its values in the runs before the change, each once, in order of the runs; none where it could not be learned.
    pub baseline: Vec<Option<String>>,
    /// The same of those after it.
    pub run: Vec<Option<String>>,
    /// It changes by itself with every boot: no change of the system.
    pub incidental: bool,
}

/// Names, without the end, of what changes by itself.
const INCIDENTAL: [&str; 1] = ["boot_id"];

/// Facts whose values are not one and the same in all runs: what a change of the system is first, each by name.
#[must_use]
pub fn differences(baseline: &[Facts], runs: &[Facts]) -> Vec<EnvironmentDifference> {
    let names: BTreeSet<&String> = baseline
        .iter()
        .chain(runs)
        .flat_map(BTreeMap::keys)
        .collect();
    let mut found: Vec<EnvironmentDifference> = names
        .into_iter()
        .filter_map(|name| difference(name, baseline, runs))
        .collect();
    found.sort_by_key(|difference| difference.incidental);
    found
}

fn difference(name: &str, baseline: &[Facts], runs: &[Facts]) -> Option<EnvironmentDifference> {
    let values = |side: &[Facts]| {
        let mut values: Vec<Option<String>> = Vec::new();
        for run in side {
            let value = run.get(name).cloned().flatten();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    };
    let (baseline, run) = (values(baseline), values(runs));
    let short = name.rsplit(": ").next().unwrap_or(name);
    (baseline != run || baseline.len() > 1).then(|| EnvironmentDifference {
        name: name.to_owned(),
        incidental: INCIDENTAL.contains(&short),
        baseline,
        run,
    })
}

/// The values of a side in words.
pub(super) fn values(values: &[Option<String>]) -> String {
    let words = values.iter().map(|value| match value {
        Some(value) => value.as_str(),
        None => "not known",
    });
    words.collect::<Vec<_>>().join(" / ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(values: &[(&str, Option<&str>)]) -> Facts {
        let owned =
            |(name, value): &(&str, Option<&str>)| ((*name).to_owned(), value.map(str::to_owned));
        values.iter().map(owned).collect()
    }

    #[test]
    fn what_is_equal_everywhere_is_no_difference_and_what_every_boot_changes_comes_last() {
        let before = facts(&[
            ("guest: boot_id", Some("1")),
            ("guest: kernel", Some("6.1")),
            ("guest: nic_driver", Some("virtio_net")),
            ("guest: nic_speed", None),
        ]);
        let after = facts(&[
            ("guest: boot_id", Some("2")),
            ("guest: kernel", Some("6.1")),
            ("guest: nic_driver", Some("e1000")),
            ("guest: nic_speed", None),
        ]);
        let found = differences(&[before], &[after]);
        let names: Vec<&str> = found
            .iter()
            .map(|difference| difference.name.as_str())
            .collect();
        assert_eq!(names, ["guest: nic_driver", "guest: boot_id"]);
        assert_eq!(values(&found[0].baseline), "virtio_net");
        assert!(found[1].incidental);
    }

    /// A side that is not the same in itself is told even where the other has the same values.
    #[test]
    fn a_side_that_differs_in_itself_is_a_difference() {
        let (a, b) = (
            facts(&[("guest: mtu", Some("1500"))]),
            facts(&[("guest: mtu", None)]),
        );
        let found = differences(&[a.clone(), b.clone(), a.clone()], &[a, b]);
        assert_eq!(values(&found[0].baseline), "1500 / not known");
        assert_eq!(found[0].baseline, found[0].run);
    }
}
