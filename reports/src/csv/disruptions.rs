//! `disruptions.csv`: a row a disruption and leg that it hit.

use super::{Column, number, table};
use crate::figures;
use milliwatt_scoring::measured::{Disruption, LegDisruption, Measured};
use milliwatt_wire::id::Leg;

/// What a disruption did to a leg.
struct Row {
    of: Disruption,
    leg: Leg,
    own: LegDisruption,
}

const DISRUPTIONS: &[Column<Row>] = &[
    ("at_s", |r| figures::plain(r.of.at)),
    ("kind", |r| r.of.kind.name().to_owned()),
    ("leg", |r| r.leg.key().to_owned()),
    ("leg_kind", |r| r.own.kind.name().to_owned()),
    ("from_s", |r| figures::plain(r.own.from_s)),
    ("until_s", |r| figures::plain(r.own.until_s)),
    ("blackout_ms", |r| figures::plain(r.own.blackout_ms)),
    ("blackouts", |r| r.own.blackouts.to_string()),
    ("stream_blackout_p50_ms", |r| {
        number(r.own.stream_blackout_ms.p50)
    }),
    ("stream_blackout_p95_ms", |r| {
        number(r.own.stream_blackout_ms.p95)
    }),
    ("stream_blackout_max_ms", |r| {
        number(r.own.stream_blackout_ms.max)
    }),
    ("streams_affected", |r| r.own.streams_affected.to_string()),
    ("streams", |r| r.own.streams.to_string()),
    ("calls_affected", |r| r.of.calls_affected.to_string()),
    ("calls", |r| r.of.calls.to_string()),
    ("calls_lost", |r| r.of.calls_lost.to_string()),
    ("packets_lost", |r| r.own.packets_lost.to_string()),
    ("packets_late", |r| r.own.packets_late.to_string()),
    ("packets_not_sent", |r| r.own.packets_not_sent.to_string()),
    ("recovered_ms", |r| number(r.own.recovered_ms)),
    ("step_ms", |r| number(r.own.step_ms)),
    ("clock_step_ms", |r| number(r.of.clock_step_ms)),
    ("brownout_ms", |r| number(r.of.brownout_ms)),
    ("brownout_pdv_p99_ms", |r| number(r.own.brownout_pdv_p99_ms)),
    ("baseline_pdv_p99_ms", |r| number(r.own.baseline_pdv_p99_ms)),
    ("mark", |r| r.of.mark.clone().unwrap_or_default()),
    ("part", |r| r.of.part.clone().unwrap_or_default()),
    ("tainted", |r| r.of.tainted.to_string()),
];

/// `disruptions.csv`: a row a disruption and leg that it hit, of runs that had any.
#[must_use]
pub fn disruptions(measured: &Measured) -> String {
    let both = |of: &Disruption| {
        let legs = Leg::BOTH.into_iter();
        let own = legs.filter_map(|leg| Some((leg, of.by_leg.get(leg)?.clone())));
        let row = |(leg, own)| Row {
            of: of.clone(),
            leg,
            own,
        };
        own.map(row).collect::<Vec<Row>>()
    };
    let rows: Vec<Row> = measured.disruptions.iter().flat_map(both).collect();
    table(DISRUPTIONS, &rows)
}
