//! How an end kept time: its own word on its threads and rights, and what was seen of them at full load.

use super::Summary;
use super::end::{EndRecord, largest, lateness_us, seconds_of};
use crate::measured::{EndTimers, Right, Timers};
use milliwatt_wire::facts::HostSecond;
use milliwatt_wire::id::End;
use std::ops::Range;

/// A packet thread that was ready and did not run for so much of a second is told of, percent.
const RUNNABLE_TOLD_PERCENT: f64 = 10.0;

impl Summary<'_> {
    pub(super) fn timers(&self) -> Timers {
        let full = seconds_of(self.full.as_ref());
        Timers {
            tester: of_end(self.end(End::Tester), &full),
            guest: of_end(self.end(End::Guest), &full),
        }
    }
}

fn of_end(end: &EndRecord, full: &Range<u32>) -> EndTimers {
    let opening = end.opening.as_ref();
    let timers = opening.map(|opening| &opening.timers);
    EndTimers {
        mode: timers.map(|timers| timers.mode.name().to_owned()),
        threads: timers.map(|timers| timers.threads),
        slot_us: opening.map(|opening| super::end::to_unit(opening.load.slot_width, 1e3)),
        rights: timers.map(rights).unwrap_or_default(),
        running_percent: largest_share(end, full, |host| host.running_percent),
        runnable_percent: largest_share(end, full, |host| host.runnable_percent),
        departures_stamped: end.departure_stamps.total(),
        departure_stamp_us: lateness_us(&end.departure_stamps),
    }
}

fn rights(timers: &milliwatt_wire::facts::Timers) -> Vec<Right> {
    let right = |asked: &milliwatt_wire::facts::Right| Right {
        name: asked.name.clone(),
        granted: asked.granted.is_ok(),
        refused: asked.granted.clone().err(),
    };
    timers.rights.iter().map(right).collect()
}

fn largest_share(
    end: &EndRecord,
    seconds: &Range<u32>,
    share: fn(&HostSecond) -> Option<f32>,
) -> Option<f64> {
    let shares = end
        .host
        .range(seconds.clone())
        .filter_map(|(_, host)| share(host));
    largest(shares.map(f64::from))
}

/// A processor short of time, in words.
pub(super) fn starved(name: &str, timers: &EndTimers) -> Option<String> {
    let percent = timers
        .runnable_percent
        .filter(|percent| *percent >= RUNNABLE_TOLD_PERCENT)?;
    Some(format!(
        "{name}: a packet thread was ready to run and did not for up to {percent:.0} % of a second: something else had its processor"
    ))
}
