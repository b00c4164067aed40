//! Load beside the calls, with nothing left to choose: how much, and when.

use super::file::{Neighbour, Scenario};
use super::value::Duration;
use milliwatt_wire::neighbour::NeighbourLoad;

/// What a neighbour is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighbourPlan {
    /// The load while it is on.
    pub load: NeighbourLoad,
    /// When it may be on.
    pub window: Window,
    /// On and off by turns within the window; none is on all the time.
    pub rhythm: Option<Rhythm>,
}

/// A stretch of full load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Window {
    /// From a time of it to another, ns; to the run's end without that.
    Time {
        /// Its begin.
        on: i64,
        /// Its end.
        off: Option<i64>,
    },
    /// The part of this name.
    Part(String),
}

/// On and off by turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// On for so long, ns.
    pub busy: i64,
    /// Then off for so long, ns.
    pub idle: i64,
}

/// The neighbours of a scenario that [`super::check`] found right, in its order.
#[must_use]
pub fn neighbours(scenario: &Scenario) -> Vec<NeighbourPlan> {
    scenario.neighbours.iter().map(NeighbourPlan::of).collect()
}

impl NeighbourPlan {
    fn of(neighbour: &Neighbour) -> Self {
        let window = match &neighbour.phase {
            Some(name) => Window::Part(name.clone()),
            None => Window::Time {
                on: neighbour.on.map_or(0, |on| on.0),
                off: neighbour.off.map(|off| off.0),
            },
        };
        let rhythm = neighbour.busy.zip(neighbour.idle);
        Self {
            load: NeighbourLoad {
                cores: neighbour.cores,
                percent: neighbour.percent,
                memory_octets: neighbour.memory.map_or(0, |size| size.0),
                disk_octets_per_second: neighbour.disk.map_or(0, |rate| rate.0),
                network_bits_per_second: neighbour.network.map_or(0, |rate| rate.0.into()),
            },
            window,
            rhythm: rhythm.map(|(busy, idle)| Rhythm {
                busy: busy.0,
                idle: idle.0,
            }),
        }
    }

    /// How much, and when, in words.
    #[must_use]
    pub fn text(&self) -> String {
        let when = match &self.window {
            Window::Part(name) => format!("in phase `{name}`"),
            Window::Time { on, off: None } => format!("from {} of full load on", Duration(*on)),
            Window::Time { on, off: Some(off) } => {
                format!("from {} to {} of full load", Duration(*on), Duration(*off))
            }
        };
        let turns = self.rhythm.map_or_else(String::new, |rhythm| {
            let (busy, idle) = (Duration(rhythm.busy), Duration(rhythm.idle));
            format!(", {busy} on and {idle} off by turns")
        });
        format!("{} {when}{turns}", load_text(&self.load))
    }
}

/// How much, in words: `8 processors at 95 %, 2147 MB of memory`.
#[must_use]
pub fn load_text(load: &NeighbourLoad) -> String {
    let mega = |octets: u64| octets.div_ceil(1_000_000);
    let parts = [
        (load.cores > 0).then(|| format!("{} processors at {} %", load.cores, load.percent)),
        (load.memory_octets > 0).then(|| format!("{} MB of memory", mega(load.memory_octets))),
        (load.disk_octets_per_second > 0)
            .then(|| format!("{} MB/s to disk", mega(load.disk_octets_per_second))),
        (load.network_bits_per_second > 0).then(|| {
            format!(
                "{} Mbit/s to the tester",
                mega(load.network_bits_per_second)
            )
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
