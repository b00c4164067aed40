//! How long a run takes, and how much disk.

use super::bandwidth::PACKETS_PER_SECOND;
use crate::scenario::Plan;
use milliwatt_generator::calls::CallPlan;
use milliwatt_wire::load::LoadSpec;

/// Octets of facts a stream, leg and second: generous, they are compressed.
const FACTS_OCTETS: f64 = 40.0;
/// Receivers wait so long for packets after the sender's last, s.
const RECEIVERS_WAIT: f64 = 1.0;
/// Recordings kept as samples beside those with a silence.
const SAMPLES_KEPT: f64 = 20.0;

/// Seconds of each part of a run, by the calls that both ends will expand the load to.
pub(super) struct Time {
    pub(super) ramp: f64,
    pub(super) full: f64,
    pub(super) drain: f64,
}

impl Time {
    pub(super) fn of_plan(plan: &Plan, calls: &CallPlan) -> Self {
        plan.course.as_ref().map_or_else(
            || Self::of(calls),
            |course| Self {
                ramp: 0.0,
                full: course.seconds(),
                drain: RECEIVERS_WAIT,
            },
        )
    }

    fn of(calls: &CallPlan) -> Self {
        let full_until = calls.full_until.as_seconds();
        Self {
            ramp: calls.full_from.as_seconds(),
            full: full_until - calls.full_from.as_seconds(),
            drain: (calls.end().as_seconds() - full_until).max(0.0) + RECEIVERS_WAIT,
        }
    }

    pub(super) fn wall(&self) -> f64 {
        self.ramp + self.full + self.drain
    }
}

/// Sizes on disk, octets.
pub(super) struct Disk {
    pub(super) guest: f64,
    pub(super) tester: f64,
    pub(super) tester_all_recordings: f64,
}

impl Disk {
    pub(super) fn of(load: &LoadSpec, calls: &CallPlan, streams: u32, wall: f64) -> Self {
        let channels = if load.recording.stereo { 2.0 } else { 1.0 };
        let (_, sample) = load.codec.recorded_as();
        let octets_a_second = f64::from(load.codec.sample_rate()) * f64::from(sample) * channels;
        let audio = octets_a_second / f64::from(PACKETS_PER_SECOND);
        let recorded: Vec<f64> = calls
            .calls
            .iter()
            .filter(|call| call.recorded)
            .map(|call| f64::from(call.packets) * audio)
            .collect();
        let all: f64 = recorded.iter().sum();
        let longest = recorded.iter().copied().fold(0.0, f64::max);
        let facts = f64::from(streams) * wall * FACTS_OCTETS;
        Self {
            guest: f64::from(load.concurrent) * longest + facts,
            tester: 2.0 * facts + all.min(SAMPLES_KEPT * longest),
            tester_all_recordings: 2.0 * facts + all,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates; a forecast"
)]
pub(super) fn octets(value: f64) -> u64 {
    value.round() as u64
}

/// A length of time for people: `5.0 s`, `2 min 30 s`, `1 h 11 min`.
pub(super) fn span(seconds: f64) -> String {
    let whole = octets(seconds);
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A size for people.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(super) fn size(octets: u64) -> String {
    let octets = octets as f64;
    match octets {
        ..1e6 => format!("{:.0} kB", octets / 1e3),
        1e6..1e9 => format!("{:.0} MB", octets / 1e6),
        _ => format!("{:.1} GB", octets / 1e9),
    }
}
