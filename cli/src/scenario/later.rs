//! What a scenario may ask for already and this version does not do.

use super::file::Scenario;
use milliwatt_wire::time::NS_PER_SECOND;

/// What `scenario` needs that this version does not have, a phrase each.
#[must_use]
pub fn later(scenario: &Scenario) -> Vec<&'static str> {
    const LONGEST: i64 = 12 * 3600 * NS_PER_SECOND;
    let needs = [
        (!scenario.phases.is_empty(), "phases ([[phase]])"),
        (
            !scenario.events.is_empty(),
            "events and disruptions ([[event]])",
        ),
        (
            !scenario.neighbours.is_empty(),
            "neighbour load ([[neighbour]])",
        ),
        (scenario.media.srtp, "encrypted media (media.srtp)"),
        (
            scenario.agent.work.is_some(),
            "extra work in the guest program (agent.work)",
        ),
        (
            scenario.full_for.is_some_and(|full| full.0 > LONGEST),
            "runs of more than 12 hours",
        ),
    ];
    needs
        .into_iter()
        .filter(|(needed, _)| *needed)
        .map(|(_, what)| what)
        .collect()
}
