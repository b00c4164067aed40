//! What is wrong with load beside the calls.

use super::super::file::{Neighbour, Scenario};
use super::Findings;
use milliwatt_wire::time::NS_PER_SECOND;

/// More processors than any machine has are a slip.
const CORES_MAX: u32 = 1024;

/// Looks at each neighbour.
pub(super) fn check(scenario: &Scenario, found: &mut Findings) {
    for (index, neighbour) in scenario.neighbours.iter().enumerate() {
        let path = |key: &str| format!("neighbour.{index}.{key}");
        check_load(neighbour, &path, found);
        check_time(neighbour, &path, found);
        let Some(name) = &neighbour.phase else {
            continue;
        };
        let mut phases = scenario.phases.iter();
        let names: Vec<&str> = scenario
            .phases
            .iter()
            .map(|phase| phase.name.as_str())
            .collect();
        found.require(
            phases.any(|phase| phase.name == *name),
            path("phase"),
            format!("there is no phase `{name}`"),
            if names.is_empty() {
                "the name of a [[phase]] of this scenario, which has none".to_owned()
            } else {
                format!("one of {}", names.join(", "))
            },
        );
        found.require(
            neighbour.on.is_none() && neighbour.off.is_none(),
            path("phase"),
            "a phase and times of its own",
            "`phase`, or `on` and `off`",
        );
    }
}

fn check_load(neighbour: &Neighbour, path: &impl Fn(&str) -> String, found: &mut Findings) {
    let asks = neighbour.cores > 0
        || neighbour.memory.is_some()
        || neighbour.disk.is_some()
        || neighbour.network.is_some();
    found.require(
        asks,
        path("cores"),
        "a neighbour that makes no load",
        "cores (1 or more), memory, disk or network",
    );
    found.require(
        neighbour.cores <= CORES_MAX,
        path("cores"),
        format!("{} processors", neighbour.cores),
        format!("{CORES_MAX} at most"),
    );
    found.require(
        (1..=100).contains(&neighbour.percent),
        path("percent"),
        format!("{} %", neighbour.percent),
        "1 to 100",
    );
    let amounts = [
        ("memory", neighbour.memory.map(|size| size.0)),
        ("disk", neighbour.disk.map(|rate| rate.0)),
        ("network", neighbour.network.map(|rate| rate.0.into())),
    ];
    for (key, amount) in amounts {
        found.require(
            amount != Some(0),
            path(key),
            "nothing of it",
            "more than 0, or left out",
        );
    }
}

fn check_time(neighbour: &Neighbour, path: &impl Fn(&str) -> String, found: &mut Findings) {
    let ordered = neighbour
        .on
        .zip(neighbour.off)
        .is_none_or(|(on, off)| on < off);
    found.require(
        ordered,
        path("off"),
        "off before on",
        "a later time than `on`",
    );
    found.require(
        neighbour.busy.is_some() == neighbour.idle.is_some(),
        path("busy"),
        "one of `busy` and `idle`",
        "both, or neither",
    );
    for (key, time) in [("busy", neighbour.busy), ("idle", neighbour.idle)] {
        // Each needs a whole second to be compared in.
        found.require(
            time.is_none_or(|time| time.0 >= 2 * NS_PER_SECOND),
            path(key),
            "too short to measure",
            "2s or more",
        );
    }
}
