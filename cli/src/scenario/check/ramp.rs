//! What can be wrong with a ramp or a search.

use super::super::course::course;
use super::super::file::{Mode, Quantity, Ramp, Scenario, Search};
use super::super::value::{Duration, PortRange};
use super::{Findings, check_ports};
use milliwatt_wire::step::STEPS_MAX;
use milliwatt_wire::time::NS_PER_SECOND;

/// The first second of a step is left out, and two are needed for a judgement.
const HOLD_LEAST_S: i64 = 3;

/// Checks `[ramp]` and `[search]`.
pub(super) fn check(scenario: &Scenario, ports: PortRange, found: &mut Findings) {
    if let Some(search) = &scenario.search {
        let message = "nothing to search on";
        found.require(
            scenario.ramp.is_some(),
            "search",
            message,
            "a [ramp] beside it",
        );
        check_search(search, found);
    }
    let Some(ramp) = &scenario.ramp else { return };
    let rises = is_range(ramp);
    let message = format!("from {} to {}: the load does not rise", ramp.from, ramp.to);
    found.require(rises, "ramp", message, "0 < from < to, both finite");
    check_steps(ramp, scenario.search.is_some(), found);
    if let Some(hold) = ramp.hold {
        check_whole(hold, HOLD_LEAST_S, "ramp.hold", found);
    }
    check_mode(scenario, ramp, found);
    if let Some(course) = course(scenario).filter(|_| rises) {
        check_ports(
            (course.mix.lanes, scenario.calls.legs),
            "ramp.to",
            ports,
            found,
        );
    }
}

fn is_range(ramp: &Ramp) -> bool {
    ramp.from > 0.0 && ramp.to > ramp.from && ramp.to.is_finite()
}

fn check_search(search: &Search, found: &mut Findings) {
    let message = format!("{} %", search.precision);
    let within = (0.5..=50.0).contains(&search.precision);
    found.require(
        within,
        "search.precision",
        message,
        "0.5 to 50, percent of the bad load",
    );
    let message = format!("{} tries of an edge", search.repeats);
    found.require(
        (1..=5).contains(&search.repeats),
        "search.repeats",
        message,
        "1 to 5",
    );
    if let Some(confirm) = search.confirm {
        check_whole(confirm, 2 * HOLD_LEAST_S, "search.confirm", found);
    }
}

/// Seconds are what is judged.
fn check_whole(time: Duration, least: i64, path: &str, found: &mut Findings) {
    let whole = time.0 % NS_PER_SECOND == 0 && time.0 >= least * NS_PER_SECOND;
    found.require(
        whole,
        path,
        format!("{time} on a load"),
        format!("whole seconds, {least}s or more"),
    );
}

fn check_steps(ramp: &Ramp, searched: bool, found: &mut Findings) {
    let Some(step) = ramp.step else {
        let message = "a ramp without steps";
        found.require(
            searched,
            "ramp",
            message,
            "`step` in it, or a [search] beside it",
        );
        return;
    };
    let count = ((ramp.to - ramp.from) / step).floor() + 1.0;
    let within = step > 0.0 && (2.0..=f64::from(STEPS_MAX)).contains(&count);
    let message = if step > 0.0 {
        format!(
            "steps of {step} from {} to {}: {count} steps",
            ramp.from, ramp.to
        )
    } else {
        format!("steps of {step}")
    };
    let allowed = format!("above 0, for 2 to {STEPS_MAX} steps");
    found.require(searched || within, "ramp.step", message, allowed);
}

fn check_mode(scenario: &Scenario, ramp: &Ramp, found: &mut Findings) {
    let message = "calls are what does not rise with mode backlog";
    let rises = ramp.mode == Mode::Rtp || ramp.quantity == Quantity::Mbps;
    found.require(rises, "ramp.quantity", message, "mbps, or mode rtp");
    let message = "with mode rtp the ramp says how many calls";
    let has_calls = ramp.calls.is_none() || ramp.mode == Mode::Backlog;
    found.require(
        has_calls,
        "ramp.calls",
        message,
        "left out, or mode backlog",
    );
    found.require(
        ramp.calls != Some(0),
        "ramp.calls",
        "a test without calls",
        "1 or more",
    );
    let together = scenario.calls.total.is_none();
    let message = "a load in steps ends with its steps";
    found.require(together, "calls.total", message, "left out with a [ramp]");
}
