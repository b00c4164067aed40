//! What the types of a scenario file cannot say: values out of bounds and combinations that are
//! impossible. Every problem is found, not only the first.

mod neighbours;
mod programme;
mod ramp;

use super::diagnostic::Problem;
use super::file::{Codec, Scenario};
use super::programme::full_for;
use super::value::{Duration, PortRange};
use super::{abort, thresholds};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND};

mod sources;
mod transfers;

/// Reports hold 48 h of a run, and it takes time to begin and to end.
const FULL_MAX_NS: i64 = 47 * 3600 * NS_PER_SECOND;

/// Everything wrong with `scenario` when its media are to use `ports` of this machine.
#[must_use]
pub fn problems(scenario: &Scenario, ports: PortRange) -> Vec<Problem> {
    let mut found = Findings(Vec::new());
    check_name(scenario, &mut found);
    check_calls(scenario, ports, &mut found);
    check_media(scenario, &mut found);
    check_recording(scenario, &mut found);
    transfers::check(&scenario.transfer, &mut found);
    check_playout(scenario, &mut found);
    check_validity(scenario, &mut found);
    check_end(scenario, &mut found);
    ramp::check(scenario, ports, &mut found);
    programme::check(scenario, &mut found);
    sources::check(scenario, &mut found);
    neighbours::check(scenario, &mut found);
    check_known_silences(scenario, &mut found);
    for (index, threshold) in scenario.thresholds.iter().enumerate() {
        thresholds::check(threshold, index, &mut found);
    }
    found.0
}

/// What was found wrong so far.
pub(super) struct Findings(Vec<Problem>);

impl Findings {
    /// Notes a problem unless `holds`.
    pub(super) fn require(
        &mut self,
        holds: bool,
        path: impl Into<String>,
        message: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        if !holds {
            self.0.push(Problem {
                path: path.into(),
                message: message.into(),
                allowed: allowed.into(),
            });
        }
    }
}

fn check_name(scenario: &Scenario, found: &mut Findings) {
    let name = &scenario.name;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    found.require(
        plain,
        "name",
        format!("`{name}` cannot name a folder"),
        "letters, digits and hyphens",
    );
}

fn check_calls(scenario: &Scenario, ports: PortRange, found: &mut Findings) {
    let calls = &scenario.calls;
    found.require(
        calls.concurrent > 0,
        "calls.concurrent",
        "a test without calls",
        "1 or more",
    );
    found.require(
        calls.total != Some(0),
        "calls.total",
        "a test without calls",
        "1 or more, or left out",
    );
    found.require(
        (1..=2).contains(&calls.legs),
        "calls.legs",
        format!("{} legs", calls.legs),
        "1 or 2",
    );
    let shortest = shortest_hold(calls.hold.0);
    found.require(
        shortest >= PTIME_NS,
        "calls.hold",
        "a call shorter than one packet",
        "20ms or more",
    );
    check_ports(
        (calls.concurrent, calls.legs),
        "calls.concurrent",
        ports,
        found,
    );
}

/// So many calls have a pair of ports for each of their streams.
fn check_ports((calls, legs): (u32, u8), path: &str, ports: PortRange, found: &mut Findings) {
    let needed = u64::from(calls) * u64::from(legs);
    let message = format!(
        "{needed} streams each way need {} ports, and {ports} holds {} pairs",
        needed * 2,
        ports.pairs()
    );
    found.require(
        needed <= u64::from(ports.pairs()),
        path,
        message,
        format!(
            "{} calls at most, or a wider --media-ports",
            u64::from(ports.pairs()) / u64::from(legs.max(1))
        ),
    );
}

fn shortest_hold(hold: milliwatt_wire::load::Hold) -> i64 {
    match hold {
        milliwatt_wire::load::Hold::Uniform(low, _) => low,
        fixed_or_mean => fixed_or_mean.mean(),
    }
}

fn check_media(scenario: &Scenario, found: &mut Findings) {
    let media = &scenario.media;
    let message = format!("{} a packet", media.ptime);
    found.require(
        media.ptime.0 == PTIME_NS,
        "media.ptime",
        message,
        "only 20ms is possible in this version",
    );
    let possible = media.codec != Codec::G729;
    let message = format!("{:?} streams", media.codec);
    found.require(
        possible,
        "media.codec",
        message,
        "only PCMU, PCMA and G722 are possible in this version",
    );
    check_dscp(media.dscp, "media.dscp", found);
    check_dscp(scenario.transfer.dscp, "transfer.dscp", found);
}

fn check_dscp(dscp: u8, path: &str, found: &mut Findings) {
    found.require(
        dscp < 64,
        path,
        format!("{dscp} is no DSCP"),
        "0 to 63; EF, for voice, is 46",
    );
}

fn check_recording(scenario: &Scenario, found: &mut Findings) {
    let recording = &scenario.recording;
    let share = (0.0..=1.0).contains(&recording.share);
    found.require(
        share,
        "recording.share",
        format!("a share of {}", recording.share),
        "0 (none) to 1 (every call)",
    );
    found.require(
        recording.rate.0 > 0,
        "recording.rate",
        "recordings without weight",
        "1 bit/s or more",
    );
}

fn check_playout(scenario: &Scenario, found: &mut Findings) {
    for (path, duration) in [
        ("playout.buffer", scenario.playout.buffer),
        ("dead_air.min", scenario.dead_air.min),
    ] {
        let whole = duration.0 > 0 && duration.0 % PTIME_NS == 0;
        found.require(
            whole,
            path,
            format!("{duration} is not whole packets"),
            "a multiple of 20ms, 20ms or more",
        );
    }
}

fn check_validity(scenario: &Scenario, found: &mut Findings) {
    let lateness = scenario.validity.lateness;
    found.require(
        (NS_PER_MS / 10..=PTIME_NS).contains(&lateness.0),
        "validity.lateness",
        format!("{lateness} says nothing about pacing"),
        "100us to 20ms",
    );
}

fn check_end(scenario: &Scenario, found: &mut Findings) {
    let ends = scenario.full_for.is_some()
        || scenario.calls.total.is_some()
        || scenario.ramp.is_some()
        || !scenario.phases.is_empty();
    found.require(
        ends,
        "calls",
        "this test would never end",
        "give `for` at the top, calls.total, phases, or --for",
    );
    if let Some(full) = scenario.full_for {
        found.require(
            full.0 >= NS_PER_SECOND && full.0 <= FULL_MAX_NS,
            "for",
            format!("{full} at full load"),
            "1s to 47h",
        );
    }
    let longest = full_for(scenario).unwrap_or(0);
    found.require(
        scenario.phases.is_empty() || longest <= FULL_MAX_NS,
        "phase",
        format!("phases of up to {}", Duration(longest)),
        "47h in all at most",
    );
    if let Err(message) = abort::parse(&scenario.abort.when) {
        found.require(false, "abort.when", message, abort::ALLOWED);
    }
}

fn check_known_silences(scenario: &Scenario, found: &mut Findings) {
    for (index, silence) in scenario.known_silences.iter().enumerate() {
        let path = format!("known_silence.{index}");
        let exists = scenario
            .calls
            .total
            .is_none_or(|total| silence.call < total);
        found.require(
            exists,
            format!("{path}.call"),
            format!("there is no call {}", silence.call),
            "below calls.total",
        );
        let speaks = silence.party == super::file::Party::A || scenario.calls.legs == 2;
        found.require(
            speaks,
            format!("{path}.party"),
            "party B has no media in one-legged calls",
            "A, or calls.legs = 2",
        );
        found.require(
            silence.length.0 > 0,
            format!("{path}.for"),
            "a silence without length",
            "more than 0s",
        );
    }
}
