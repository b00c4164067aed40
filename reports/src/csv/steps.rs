//! `steps.csv`: a row a step and leg.

use super::{Column, number, table};
use crate::figures;
use crate::tables::step_leg;
use milliwatt_scoring::measured::{Measured, StepLeg, StepRow};
use milliwatt_wire::id::Leg;

/// What a step says of a leg.
struct Row {
    step: StepRow,
    leg: Leg,
}

impl Row {
    fn shown(&self) -> &StepLeg {
        step_leg(&self.step, self.leg)
    }
}

const STEPS: &[Column<Row>] = &[
    ("step", |r| r.step.index.to_string()),
    ("kind", |r| r.step.kind.name().to_owned()),
    ("from_s", |r| figures::plain(r.step.from_s)),
    ("until_s", |r| figures::plain(r.step.until_s)),
    ("calls", |r| r.step.calls.to_string()),
    ("target_mbps", |r| figures::plain(r.step.target_mbps)),
    ("leg", |r| r.leg.key().to_owned()),
    ("outcome", |r| r.shown().outcome.name().to_owned()),
    ("metric", |r| r.shown().metric.clone().unwrap_or_default()),
    ("at_s", |r| number(r.shown().at_s)),
    ("offered_mbps", |r| number(r.shown().offered_mbps)),
    ("carried_mbps", |r| number(r.shown().carried_mbps)),
    ("transfer_mbps", |r| number(r.shown().transfer_mbps)),
    ("pdv_p999_ms", |r| number(r.shown().pdv_p999_ms)),
    ("loss_percent", |r| number(r.shown().loss_percent)),
    ("discarded_percent", |r| number(r.shown().discarded_percent)),
    ("dead_air_events", |r| r.shown().dead_air_events.to_string()),
    ("transfer_goodput_percent", |r| {
        number(r.shown().transfer_goodput_percent)
    }),
];

/// `steps.csv`: a row a step and leg, of runs whose load came in steps.
#[must_use]
pub fn steps(measured: &Measured) -> String {
    let both = |step: &StepRow| {
        Leg::BOTH.map(|leg| Row {
            step: step.clone(),
            leg,
        })
    };
    let rows: Vec<Row> = measured.steps.iter().flat_map(both).collect();
    table(STEPS, &rows)
}
