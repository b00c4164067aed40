//! What a reader should know beside the verdict: markings bleached on the way, counters that
//! disagree, rights refused, weights not met.

use super::end::EndRecord;
use super::timers::starved;
use crate::clock::Skew;
use crate::measured::{LegMeasured, Legs, Recordings, Timers};
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::LoadSpec;

/// Our own count and the interface's may differ by so much, percent, without a word.
const NIC_DIFFERENCE_PERCENT: f64 = 2.0;
/// A step of transit where the skew changes is told from this size on, ms: less is what noise leaves.
const STEP_TOLD_MS: f64 = 1.0;

/// The notes, a sentence each.
pub(super) fn notes(
    load: Option<&LoadSpec>,
    ends: [&EndRecord; 2],
    legs: &Legs,
    recordings: &Recordings,
    timers: &Timers,
) -> Vec<String> {
    let of_legs = Leg::BOTH.iter().flat_map(|leg| {
        let measured = legs.get(*leg);
        [
            load.and_then(|load| marking(load.dscp, *leg, measured)),
            counter(*leg, measured),
        ]
    });
    let of_ends = [End::Tester, End::Guest]
        .into_iter()
        .zip(ends)
        .flat_map(|(end, record)| rights(end, record));
    let weight = (recordings.heavier_than_asked > 0).then(|| {
        format!(
            "{} recordings could not be made as light as the scenario asks: their real weight was sent",
            recordings.heavier_than_asked
        )
    });
    let starved = [("tester", &timers.tester), ("guest", &timers.guest)]
        .into_iter()
        .filter_map(|(name, timers)| starved(name, timers));
    of_legs
        .flatten()
        .chain(of_ends)
        .chain(starved)
        .chain(weight)
        .collect()
}

fn marking(sent: u8, leg: Leg, measured: &LegMeasured) -> Option<String> {
    match measured.dscp_arrived {
        Some(arrived) if arrived == sent => None,
        Some(arrived) => Some(format!(
            "media left marked DSCP {sent} and arrived marked {arrived} on the {}: something on the way changes it",
            leg.title()
        )),
        None if measured.packets_received > 0 => Some(format!(
            "the DSCP that arrived on the {} is not known, or not the same for all streams",
            leg.title()
        )),
        None => None,
    }
}

/// A clock that was slewed or set while the run lasted, or what looks like it.
pub(super) fn skew_change(leg: Leg, skew: Skew) -> Option<String> {
    let change = skew.change()?;
    let step_ms = change.step_ns / 1e6;
    let stays = (step_ms.abs() >= STEP_TOLD_MS).then(|| {
        format!("; transit stepped by {step_ms:+.3} ms there (a clock that was set, another path or a standing queue), which stays in PDV")
    });
    Some(format!(
        "the clocks of the {} part by {:+.1} ppm until second {:.0} and by {:+.1} ppm from then on: each part's own drift is taken off PDV{}",
        leg.title(),
        skew.ppm(),
        change.at_s,
        change.ppm(),
        stays.unwrap_or_default()
    ))
}

fn counter(leg: Leg, measured: &LegMeasured) -> Option<String> {
    let (ours, nic) = (measured.mbps.mean?, measured.nic_mbps?);
    let percent = (nic - ours) / ours * 100.0;
    (percent.abs() > NIC_DIFFERENCE_PERCENT).then(|| {
        format!(
            "the interface's own counter differs from what this run sent on the {} by {percent:+.1} % ({nic:.3} against {ours:.3} Mbit/s): \
             other traffic was on it (on loopback, the other direction)",
            leg.title()
        )
    })
}

fn rights(end: End, record: &EndRecord) -> Vec<String> {
    let Some(opening) = &record.opening else {
        return Vec::new();
    };
    let name = match end {
        End::Tester => "tester",
        End::Guest => "guest",
    };
    let stamps = (!opening.kernel_timestamps).then(|| {
        format!(
            "{name}: no kernel receive timestamps; arrivals are stamped when the process reads them, and delay of the way counts as the {name}'s"
        )
    });
    let refused = opening.timers.rights.iter().filter_map(|right| {
        let why = right.granted.as_ref().err()?;
        Some(format!("{name}: {} was refused: {why}", right.name))
    });
    refused.chain(stamps).collect()
}
