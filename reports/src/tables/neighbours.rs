//! The tables of load beside the calls, as text: what neighbours made, and what calls went through with it on and off.

use super::dash;
use crate::figures::{count, number_or_dash};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::{Contention, LegContention, NeighbourMade, NeighbourRow, OnOff};

/// A figure with load on, and with it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnOffLine {
    /// What it is, with its unit.
    pub label: String,
    /// With load on.
    pub on: String,
    /// With it off.
    pub off: String,
}

/// A line a figure: of each neighbour what was asked and made, then of the calls.
#[must_use]
pub fn neighbours(scorecard: &Scorecard) -> Vec<OnOffLine> {
    let made = scorecard.neighbours.iter().flat_map(made);
    let calls = scorecard.contention.iter().flat_map(calls);
    made.chain(calls).collect()
}

fn made(row: &NeighbourRow) -> Vec<OnOffLine> {
    let asked = &row.asked;
    let name = format!("neighbour {}", row.neighbour);
    let mega = |octets: Option<f64>| number_or_dash(octets.map(|octets| octets / 1e6));
    let of = |label: String, text: &dyn Fn(&NeighbourMade) -> String| OnOffLine {
        label: format!("{name}: {label}"),
        on: text(&row.made.on),
        off: text(&row.made.off),
    };
    let mut lines = vec![of("whole seconds".into(), &|made| {
        count(made.seconds.into())
    })];
    if asked.cores > 0 {
        let label = format!("CPU of {} cores, % (asked {})", asked.cores, asked.percent);
        lines.push(of(label, &|made| number_or_dash(made.cpu_percent)));
    }
    if asked.memory_octets > 0 {
        let label = format!("memory, MB (asked {})", megabytes(asked.memory_octets));
        lines.push(of(label, &|made| mega(made.memory_octets)));
    }
    if asked.disk_octets_per_second > 0 {
        let asked = megabytes(asked.disk_octets_per_second);
        let label = format!("disk, MB/s (asked {asked})");
        lines.push(of(label, &|made| mega(made.disk_octets_per_second)));
    }
    if asked.network_mbps > 0.0 {
        let asked = number_or_dash(Some(asked.network_mbps));
        let label = format!("network, Mbit/s (asked {asked})");
        lines.push(of(label, &|made| number_or_dash(made.network_mbps)));
    }
    lines.push(of("stolen from it, %".into(), &|made| {
        number_or_dash(made.steal_percent)
    }));
    lines
}

fn megabytes(octets: u64) -> String {
    count(octets / 1_000_000)
}

fn calls(contention: &Contention) -> Vec<OnOffLine> {
    let counted = |label: &str, of: OnOff<u32>| line(label, of, |n| count(n.into()));
    let mut lines = vec![
        counted("calls: seconds of full load", contention.seconds),
        counted("calls: tainted seconds of them", contention.tainted_seconds),
    ];
    for (leg, of) in [("receive", &contention.receive), ("sent", &contention.sent)] {
        lines.extend(leg_lines(leg, of));
    }
    lines.push(line(
        "guest: playout ticks missed",
        contention.ticks_missed,
        |ticks| ticks.map_or_else(dash, count),
    ));
    lines.push(line(
        "guest: stolen from it, %",
        contention.guest_steal_percent,
        number_or_dash,
    ));
    lines
}

fn leg_lines(leg: &str, of: &LegContention) -> [OnOffLine; 3] {
    [
        line(
            &format!("{leg}: PDV p99.9, ms"),
            of.pdv_ms_p999,
            number_or_dash,
        ),
        line(
            &format!("{leg}: packets lost or late, %"),
            of.lost_or_late_percent,
            number_or_dash,
        ),
        line(
            &format!("{leg}: dead-air events"),
            of.dead_air_events,
            count,
        ),
    ]
}

fn line<T>(label: &str, of: OnOff<T>, text: impl Fn(T) -> String) -> OnOffLine {
    OnOffLine {
        label: label.to_owned(),
        on: text(of.on),
        off: text(of.off),
    }
}
