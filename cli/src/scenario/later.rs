//! What a scenario may ask for already and this version does not do.

use super::file::Scenario;

/// What `scenario` needs that this version does not have, a phrase each.
#[must_use]
pub fn later(scenario: &Scenario) -> Vec<&'static str> {
    let needs = [(
        scenario.agent.work.is_some(),
        "extra work in the guest program (agent.work)",
    )];
    needs
        .into_iter()
        .filter(|(needed, _)| *needed)
        .map(|(_, what)| what)
        .collect()
}
