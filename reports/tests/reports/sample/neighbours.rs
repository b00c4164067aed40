//! A run beside busy neighbours.

use super::runs::pass;
use milliwatt_scoring::measured::{
    Contention, EventRow, LegContention, Measured, NeighbourAsked, NeighbourMade, NeighbourRow,
    NeighbourStretch, OnOff,
};

/// One neighbour made what it was asked for, and calls suffered by it; another was short of time itself.
pub(crate) fn contended() -> Measured {
    let mut m = pass();
    m.neighbours = vec![busy(), starved()];
    m.contention = Some(contention());
    m.events = [(20.0, "on"), (40.0, "off")]
        .map(|(at_s, state)| switched(at_s, state))
        .into();
    m
}

fn switched(at_s: f64, state: &str) -> EventRow {
    EventRow {
        at_s,
        kind: "neighbour".into(),
        stream: None,
        call: None,
        channel: None,
        duration_ms: None,
        cause: None,
        origin: None,
        file: None,
        start_s: None,
        tainted: false,
        text: format!("neighbour 1: load {state}"),
    }
}

fn busy() -> NeighbourRow {
    NeighbourRow {
        neighbour: 1,
        address: "192.0.2.17:7700".into(),
        place: "own-machine".into(),
        asked: NeighbourAsked {
            cores: 8,
            percent: 95,
            memory_octets: 2_147_483_648,
            disk_octets_per_second: 104_857_600,
            network_mbps: 200.0,
        },
        made: OnOff {
            on: NeighbourMade {
                seconds: 19,
                cpu_percent: Some(94.8),
                machine_cpu_percent: Some(97.1),
                steal_percent: Some(2.5),
                memory_octets: Some(2_147_483_648.0),
                disk_octets_per_second: Some(104_100_000.0),
                network_mbps: Some(199.7),
            },
            off: NeighbourMade {
                seconds: 40,
                cpu_percent: Some(0.0),
                machine_cpu_percent: Some(1.1),
                steal_percent: Some(0.0),
                memory_octets: Some(0.0),
                disk_octets_per_second: Some(0.0),
                network_mbps: Some(0.0),
            },
        },
        reached_percent: Some(99.3),
        stretches: vec![NeighbourStretch {
            from_s: 20.0,
            until_s: 40.0,
        }],
        problems: Vec::new(),
    }
}

fn starved() -> NeighbourRow {
    NeighbourRow {
        neighbour: 2,
        asked: NeighbourAsked {
            cores: 4,
            percent: 50,
            ..NeighbourAsked::default()
        },
        made: OnOff {
            on: NeighbourMade {
                cpu_percent: Some(31.0),
                steal_percent: Some(35.0),
                ..busy().made.on
            },
            off: NeighbourMade::default(),
        },
        reached_percent: Some(62.0),
        problems: vec!["what it made is not known to its end".into()],
        ..busy()
    }
}

fn contention() -> Contention {
    let leg = LegContention {
        pdv_ms_p999: OnOff {
            on: Some(41.2),
            off: Some(1.3),
        },
        lost_or_late_percent: OnOff {
            on: Some(0.21),
            off: Some(0.0),
        },
        dead_air_events: OnOff { on: 17, off: 0 },
    };
    Contention {
        seconds: OnOff { on: 19, off: 28 },
        tainted_seconds: OnOff { on: 1, off: 0 },
        receive: leg,
        sent: leg,
        ticks_missed: OnOff {
            on: Some(310),
            off: Some(2),
        },
        guest_steal_percent: OnOff {
            on: Some(18.2),
            off: None,
        },
    }
}
