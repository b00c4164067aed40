//! What identifies a machine and must stay as it is while it is moved or disturbed: a change is a finding.

use milliwatt_wire::id::End;
use milliwatt_wire::time::RunTime;
use std::collections::BTreeMap;

/// Kind of the event that tells of a change.
const CHANGED: &str = "environment-changed";

/// Names in `environment.json`, and what a change of each means.
const WATCHED: [(&str, &str); 8] = [
    ("boot_id", "it was started again"),
    (
        "clocksource",
        "time may run at another rate or cost more to read",
    ),
    (
        "cpu_signature",
        "licences may be bound to it, and programs chose their instructions by it",
    ),
    ("host_name", "it runs on another host"),
    ("hypervisor", "it runs under another hypervisor"),
    (
        "nic_mac",
        "licences may be bound to it, and switches must learn it",
    ),
    ("system_serial", "licences may be bound to it"),
    ("system_uuid", "licences may be bound to it"),
];

/// One end's machine, as last told.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    known: BTreeMap<&'static str, String>,
}

impl Identity {
    /// Takes what was told at a time; gives an event for each fact that is not what it was. What is not told of is not known
    /// to have changed.
    pub(super) fn changes(
        &mut self,
        end: End,
        at: RunTime,
        values: &[(String, String)],
    ) -> Vec<(RunTime, String, String)> {
        let who = match end {
            End::Tester => "tester",
            End::Guest => "guest",
        };
        let mut changes = Vec::new();
        for (name, meaning) in WATCHED {
            let Some((_, now)) = values.iter().find(|(told, _)| told == name) else {
                continue;
            };
            let before = self.known.insert(name, now.clone());
            if let Some(before) = before.filter(|before| before != now) {
                let text = format!("{who}: {name} changed from {before} to {now}: {meaning}");
                changes.push((at, CHANGED.to_owned(), text));
            }
        }
        changes
    }
}

/// A sentence a change.
pub(super) fn notes(told: &[(RunTime, String, String)]) -> Vec<String> {
    let changes = told.iter().filter(|(_, kind, _)| kind == CHANGED);
    changes
        .map(|(at, _, text)| format!("{text} (seen {:.0} s into the run)", at.as_seconds()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(identity: &mut Identity, second: i64, values: &[(&str, &str)]) -> Vec<String> {
        let values: Vec<(String, String)> = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        notes(&identity.changes(End::Guest, RunTime(second * 1_000_000_000), &values))
    }

    #[test]
    fn a_mac_that_changes_is_told_once_and_what_is_not_told_again_has_not_changed() {
        let mut identity = Identity::default();
        let mac = |mac| [("nic_mac", mac), ("kernel", mac)];
        assert!(told(&mut identity, 0, &[("clocksource", "tsc")]).is_empty());
        assert!(told(&mut identity, 0, &mac("a")).is_empty(), "first told");
        assert_eq!(
            told(&mut identity, 34, &mac("b")),
            [
                "guest: nic_mac changed from a to b: licences may be bound to it, and switches must learn it (seen 34 s into the run)"
            ]
        );
        assert!(told(&mut identity, 60, &mac("b")).is_empty());
        assert_eq!(
            told(&mut identity, 60, &[("clocksource", "kvm-clock")]).len(),
            1
        );
    }
}
