//! What neighbours were asked for and what they made.

use super::end::{float, mean, ratio};
use crate::measured::{NeighbourAsked, NeighbourMade, NeighbourRow, NeighbourStretch, OnOff};
use milliwatt_wire::facts::{Fact, NeighbourFact, NeighbourPlace, NeighbourSecond};
use milliwatt_wire::neighbour::NeighbourLoad;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::{BTreeMap, BTreeSet};

/// Below this part of what was asked, percent, contention is not proven.
const PROVEN_PERCENT: f64 = 90.0;
/// A second that is told of has load on from begin to end, or off, but for this part of it: whoever tells is woken late where
/// processors are short.
const BUT: f64 = 0.05;

/// What was told of all neighbours.
#[derive(Clone, Debug, Default)]
pub(super) struct NeighbourLog {
    records: BTreeMap<u32, Record>,
}

#[derive(Clone, Debug, Default)]
struct Record {
    asked: Option<(NeighbourLoad, String, NeighbourPlace)>,
    switches: Vec<(RunTime, bool)>,
    seconds: Vec<NeighbourSecond>,
    problems: Vec<String>,
    closed: bool,
}

/// A line of the time line: when, its kind, its text.
type Line = (RunTime, String, String);

impl NeighbourLog {
    /// Takes a fact: what is to be told of it on the time line.
    pub(super) fn absorb(&mut self, fact: &Fact) -> Option<Line> {
        let Fact::Neighbour { neighbour, told } = fact else {
            return None;
        };
        let record = self.records.entry(*neighbour).or_default();
        let line = |at: &RunTime, kind: &str, text: &str| {
            let text = format!("neighbour {neighbour}: {text}");
            Some((*at, kind.to_owned(), text))
        };
        match told {
            NeighbourFact::Asked {
                load,
                address,
                place,
            } => record.asked = Some((*load, address.clone(), *place)),
            NeighbourFact::Switched { on, at } => {
                record.switches.push((*at, *on));
                return line(at, "neighbour", if *on { "load on" } else { "load off" });
            }
            NeighbourFact::Second(second) => record.seconds.push(*second),
            NeighbourFact::Failed { at, text } => {
                record.problems.push(text.clone());
                return line(at, "neighbour-failed", text);
            }
            NeighbourFact::Lost { at, text } => {
                record.problems.push(format!("it was lost: {text}"));
                return line(at, "neighbour-lost", &format!("lost: {text}"));
            }
            NeighbourFact::Closed { .. } => record.closed = true,
        }
        None
    }

    /// None takes part.
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// A row each.
    pub(super) fn rows(&self) -> Vec<NeighbourRow> {
        let records = self.records.iter();
        records
            .map(|(number, record)| record.row(*number))
            .collect()
    }

    /// Of some seconds of run time, those in which any load was on from begin to end, and those in which none was on.
    pub(super) fn split(&self, seconds: impl Iterator<Item = u32>) -> OnOff<BTreeSet<u32>> {
        let records = self.records.values();
        let loads: Vec<Vec<Stretch>> = records.map(Record::stretches).collect();
        let mut split: OnOff<BTreeSet<u32>> = OnOff::default();
        for second in seconds {
            let shares: Vec<Share> = loads.iter().map(|load| share(load, second)).collect();
            if shares.contains(&Share::Whole) {
                split.on.insert(second);
            } else if shares.iter().all(|share| *share == Share::Nothing) {
                split.off.insert(second);
            }
        }
        split
    }
}

/// A stretch of load.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    from: RunTime,
    until: RunTime,
    /// Its end was told: else it is the end of what was.
    ended: bool,
}

/// How much of a second load was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Nothing,
    Part,
    Whole,
    /// Its neighbour had fallen silent while it was on.
    Unknown,
}

impl Record {
    fn row(&self, neighbour: u32) -> NeighbourRow {
        let (load, address, place) = match &self.asked {
            Some((load, address, place)) => (*load, address.clone(), place_word(*place)),
            None => (NeighbourLoad::default(), String::new(), ""),
        };
        let share = |second: &NeighbourSecond| ratio(float(second.on_ns), float(second.span_ns));
        let of = |is_meant: fn(f64) -> bool| -> Vec<&NeighbourSecond> {
            let seconds = self.seconds.iter();
            seconds
                .filter(|second| share(second).is_some_and(is_meant))
                .collect()
        };
        let on = of(|share| share >= 1.0 - BUT);
        let off = of(|share| share <= BUT);
        let made = OnOff {
            on: made(&on, |second| second.on_ns, load),
            off: made(&off, |second| second.span_ns, load),
        };
        let mut problems = self.problems.clone();
        if !self.closed {
            problems.push("what it made is not known to its end".to_owned());
        }
        NeighbourRow {
            neighbour,
            address,
            place: place.to_owned(),
            asked: NeighbourAsked {
                cores: load.cores,
                percent: load.percent,
                memory_octets: load.memory_octets,
                disk_octets_per_second: load.disk_octets_per_second,
                network_mbps: float(load.network_bits_per_second) / 1e6,
            },
            reached_percent: reached_percent(&made.on, load),
            made,
            stretches: self.stretches().into_iter().map(told).collect(),
            problems,
        }
    }

    /// In order of time.
    fn stretches(&self) -> Vec<Stretch> {
        let begun = self.switches.iter().enumerate();
        let begun = begun.filter(|(_, (_, on))| *on);
        let last = self.seconds.last();
        let last = last.map(|last| RunTime((i64::from(last.second) + 1) * NS_PER_SECOND));
        let stretch = |(index, (from, _)): (usize, &(RunTime, bool))| {
            let end = self.switches.get(index + 1).map(|(at, _)| *at);
            Stretch {
                from: *from,
                until: end.or(last).unwrap_or(*from).max(*from),
                ended: end.is_some(),
            }
        };
        begun.map(stretch).collect()
    }
}

fn share(stretches: &[Stretch], second: u32) -> Share {
    let from = RunTime(i64::from(second) * NS_PER_SECOND);
    let to = from + NS_PER_SECOND;
    let over = stretches.partition_point(|stretch| stretch.ended && stretch.until <= from);
    let Some(stretch) = stretches.get(over) else {
        return Share::Nothing;
    };
    if to <= stretch.from {
        Share::Nothing
    } else if stretch.from <= from && to <= stretch.until {
        Share::Whole
    } else if stretch.ended {
        Share::Part
    } else {
        Share::Unknown
    }
}

fn told(stretch: Stretch) -> NeighbourStretch {
    NeighbourStretch {
        from_s: stretch.from.as_seconds(),
        until_s: stretch.until.as_seconds(),
    }
}

fn place_word(place: NeighbourPlace) -> &'static str {
    match place {
        NeighbourPlace::OwnMachine => "own-machine",
        NeighbourPlace::Guest => "guest",
        NeighbourPlace::Tester => "tester",
        NeighbourPlace::All => "all",
    }
}

fn made(
    seconds: &[&NeighbourSecond],
    time: fn(&NeighbourSecond) -> u64,
    load: NeighbourLoad,
) -> NeighbourMade {
    const NS: f64 = 1e9;
    let sum = |of: fn(&NeighbourSecond) -> u64| float(seconds.iter().map(|s| of(s)).sum());
    let time = sum(time);
    let share = |of: fn(&NeighbourSecond) -> Option<f32>| {
        mean(seconds.iter().filter_map(|s| of(s)).map(f64::from))
    };
    let cores = f64::from(load.cores);
    let a_second = |octets: f64| ratio(octets * NS, time);
    NeighbourMade {
        seconds: u32::try_from(seconds.len()).unwrap_or(u32::MAX),
        cpu_percent: ratio(100.0 * sum(|second| second.cpu_ns), cores * time),
        machine_cpu_percent: share(|second| second.cpu_percent),
        steal_percent: share(|second| second.steal_percent),
        memory_octets: mean(seconds.iter().map(|second| float(second.memory_octets))),
        disk_octets_per_second: a_second(sum(|second| second.disk_octets)),
        network_mbps: a_second(sum(|second| second.network_octets)).map(|of| of * 8.0 / 1e6),
    }
}

/// What was asked for and reached least.
fn reached_percent(made: &NeighbourMade, load: NeighbourLoad) -> Option<f64> {
    let percent = if load.cores > 0 { load.percent } else { 0 };
    let parts = [
        (made.cpu_percent, f64::from(percent)),
        (made.memory_octets, float(load.memory_octets)),
        (
            made.disk_octets_per_second,
            float(load.disk_octets_per_second),
        ),
        (made.network_mbps, float(load.network_bits_per_second) / 1e6),
    ];
    let reached = parts
        .into_iter()
        .filter_map(|(made, asked)| ratio(100.0 * made?, asked));
    reached.reduce(f64::min)
}

/// What a reader should know of neighbours, a sentence each.
pub(super) fn notes(rows: &[NeighbourRow]) -> Vec<String> {
    rows.iter().flat_map(notes_of).collect()
}

fn notes_of(row: &NeighbourRow) -> Vec<String> {
    let name = format!("neighbour {}", row.neighbour);
    let reached = match row.reached_percent {
        None => Some(format!(
            "{name} had its load on for no whole second: contention is not proven"
        )),
        Some(reached) if reached < PROVEN_PERCENT => Some(format!(
            "{name} reached {reached:.1} % of the load that was asked of it{}: contention is not proven as asked",
            stolen(row)
        )),
        Some(_) => None,
    };
    let place = match row.place.as_str() {
        "guest" => Some("the guest's own kernel: it is no neighbour on the guest's host"),
        "tester" => Some("the tester's kernel: it disturbs what measures"),
        "all" => Some(
            "the one kernel of tester, guest program and neighbour: this proves the harness, not a host",
        ),
        _ => None,
    };
    let place = place.map(|place| format!("{name} runs on {place}"));
    let problems = row.problems.iter();
    let problems = problems.map(|problem| format!("{name}: {problem}"));
    reached.into_iter().chain(place).chain(problems).collect()
}

/// A neighbour that is short of time itself is a sign of what it was to make.
fn stolen(row: &NeighbourRow) -> String {
    match row.made.on.steal_percent {
        Some(percent) if percent >= 1.0 => {
            format!(" (the hypervisor took {percent:.1} % of its own machine's time)")
        }
        _ => String::new(),
    }
}
