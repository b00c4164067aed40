//! The value of any metric over any seconds: what thresholds are judged on.

use super::Summary;
use super::end::{EndRecord, float, largest, mean, ms, ratio, to_unit};
use super::leg::{
    ALL_OCTETS, DeadAirEvent, LegSecond, LegSeries, NIC_OCTETS, Octets, RTP_OCTETS,
    TRANSFER_OCTETS, mbps_of, merged, per_1000_minutes,
};
use crate::percentile::{Distribution, Percentile};
use milliwatt_wire::facts::HostSecond;
use milliwatt_wire::id::{End, Leg};
use std::collections::BTreeSet;
use std::ops::Range;

/// A metric's value over some seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Observation {
    /// In the metric's unit; none where nothing was measured.
    pub value: Option<f64>,
    /// The percentile's rank falls among packets that never reached playout: larger than any limit.
    pub beyond: bool,
}

impl Observation {
    pub(super) fn is_empty(&self) -> bool {
        self.value.is_none() && !self.beyond
    }
}

impl From<Option<f64>> for Observation {
    fn from(value: Option<f64>) -> Self {
        Self {
            value,
            beyond: false,
        }
    }
}

/// The seconds that count.
#[derive(Clone, Debug)]
pub(super) struct Seconds<'a> {
    pub range: Range<u32>,
    pub left_out: &'a BTreeSet<u32>,
}

impl Seconds<'_> {
    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.range
            .clone()
            .filter(|second| !self.left_out.contains(second))
    }

    /// Whether a dead-air event begins in them and touches none that is left out.
    fn hold(&self, event: &DeadAirEvent) -> bool {
        self.range.contains(&event.at.second())
            && event
                .seconds()
                .all(|second| !self.left_out.contains(&second))
    }
}

impl Summary<'_> {
    /// The value of a metric of [`crate::metric::known_metrics`].
    pub(super) fn observe(&self, metric: &str, leg: Option<Leg>, seconds: &Seconds) -> Observation {
        match leg {
            Some(leg) => observe_leg(self.leg(leg), metric, seconds),
            None => self.observe_run(metric, seconds).into(),
        }
    }

    fn observe_run(&self, metric: &str, seconds: &Seconds) -> Option<f64> {
        let (tester, guest) = (self.end(End::Tester), self.end(End::Guest));
        match metric {
            "recordings.with_silence" => self
                .silent_recordings(seconds.left_out)
                .map(|(recordings, _)| float(recordings)),
            "recordings.silence_events" => self
                .silent_recordings(seconds.left_out)
                .map(|(_, events)| float(events)),
            "recordings.upper_bound_95_percent" => self.recordings.upper_bound_95_percent,
            "control_mbps" => control_mbps(&[tester, guest], seconds),
            "guest.ticks_missed" => total(seconds, |s| {
                guest.pacing.get(&s).map(|p| u64::from(p.not_sent))
            }),
            "guest.cpu_percent" => host_mean(guest, seconds, |host| host.cpu_percent),
            "guest.steal_percent" => host_mean(guest, seconds, |host| host.steal_percent),
            "guest.socket_drops" => total(seconds, |s| guest.rise(s, |host| host.socket_drops)),
            "guest.recorder_drops" => total(seconds, |s| guest.rise(s, |host| host.recorder_drops)),
            "guest.clock_step_ms" => clock_step_ms(guest, seconds.iter()),
            "host.cpu_percent" => host_mean(tester, seconds, |host| host.cpu_percent),
            "host.clock_step_ms" => clock_step_ms(tester, seconds.iter()),
            "clock.round_trip_min_ms" => self.clock.round_trip_min_ms,
            _ => {
                let of = metric.strip_prefix("guest.tick_lateness_us.")?;
                let lateness = guest.lateness(seconds.iter());
                at(of, &lateness).map(|ns| to_unit(ns, 1e3))
            }
        }
    }
}

fn observe_leg(leg: &LegSeries, metric: &str, seconds: &Seconds) -> Observation {
    if let Some(of) = metric.strip_prefix("pdv_ms.") {
        return observe_pdv(&inside(leg, seconds), of);
    }
    if let Some(of) = metric.strip_prefix("ipdv_ms.") {
        let all = merged(inside(leg, seconds).iter().map(|second| &second.ipdv));
        return at(of, &all).map(ms).into();
    }
    if let Some(of) = metric.strip_prefix("dead_air.") {
        return observe_dead_air(leg, of, seconds).into();
    }
    observe_traffic(leg, metric, seconds)
        .or_else(|| observe_packets(&inside(leg, seconds), metric))
        .or_else(|| observe_mos(leg, metric))
        .or_else(|| observe_authenticity(leg, metric))
        .into()
}

fn inside<'a>(leg: &'a LegSeries, seconds: &Seconds) -> Vec<&'a LegSecond> {
    seconds
        .iter()
        .filter_map(|second| leg.seconds.get(&second))
        .collect()
}

/// PDV; on the high percentiles packets lost, not sent or discarded count as exceeding any limit
/// (RFC 7679 4: an undefined delay is infinite).
fn observe_pdv(seconds: &[&LegSecond], of: &str) -> Observation {
    let all = merged(seconds.iter().map(|second| &second.pdv));
    let value = at(of, &all).map(ms);
    let never_came: u64 = seconds
        .iter()
        .map(|second| second.lost + second.not_sent)
        .sum();
    let discarded: u64 = seconds.iter().map(|second| second.discarded).sum();
    let beyond = percentile(of).is_some_and(|percentile| {
        percentile.is_high()
            && percentile.rank(all.total() + never_came) > all.total().saturating_sub(discarded)
    });
    Observation { value, beyond }
}

fn observe_packets(seconds: &[&LegSecond], metric: &str) -> Option<f64> {
    let sum =
        |count: fn(&LegSecond) -> u64| seconds.iter().map(|second| count(second)).sum::<u64>();
    let counted = |count| (!seconds.is_empty()).then(|| float(sum(count)));
    match metric {
        "loss_percent" => ratio(100.0 * float(sum(|s| s.lost)), float(sum(|s| s.expected))),
        "packets_lost" => counted(|s| s.lost),
        "packets_duplicated" => counted(|s| s.duplicated),
        "packets_reordered" => counted(|s| s.reordered),
        "packets_discarded" => counted(|s| s.discarded),
        "packets_not_sent" => counted(|s| s.not_sent),
        "interarrival_jitter_ms.mean" => {
            let count = sum(|s| s.interarrival_jitter_count);
            let total: i64 = seconds.iter().map(|s| s.interarrival_jitter_sum).sum();
            ratio(ms(total), float(count))
        }
        "interarrival_jitter_ms.max" => {
            let measured = seconds.iter().filter(|s| s.interarrival_jitter_count > 0);
            measured.map(|s| s.interarrival_jitter_max).max().map(ms)
        }
        _ => None,
    }
}

/// Mbit/s; a window's figure is its mean, so that `mbps.max` over 10 s is the largest 10 s mean.
fn observe_traffic(leg: &LegSeries, metric: &str, seconds: &Seconds) -> Option<f64> {
    let mbps = |octets: Octets| {
        let sent = seconds
            .iter()
            .filter_map(|second| leg.seconds.get(&second)?.sent);
        sent.filter_map(move |sent| octets(&sent)).map(mbps_of)
    };
    match metric {
        "mbps.mean" | "mbps.max" => mean(mbps(ALL_OCTETS)),
        "rtp_mbps" => mean(mbps(RTP_OCTETS)),
        "transfer_mbps" => mean(mbps(TRANSFER_OCTETS)),
        "nic_mbps" => mean(mbps(NIC_OCTETS)),
        _ => None,
    }
}

fn observe_dead_air(leg: &LegSeries, of: &str, seconds: &Seconds) -> Option<f64> {
    let events: Vec<&DeadAirEvent> = leg
        .events
        .iter()
        .filter(|event| seconds.hold(event))
        .collect();
    let slots: u64 = inside(leg, seconds)
        .iter()
        .map(|second| second.expected + second.not_sent)
        .sum();
    if slots == 0 {
        return None;
    }
    let lengths = || events.iter().map(|event| event.length);
    match of {
        "events" => Some(float(events.len() as u64)),
        "events_200ms" => Some(float(
            events.iter().filter(|event| event.is_long()).count() as u64
        )),
        "longest_ms" => Some(ms(lengths().max().unwrap_or(0))),
        "total_ms" => Some(ms(lengths().sum())),
        "streams_affected" => {
            let streams: BTreeSet<_> = events.iter().map(|event| event.stream).collect();
            Some(float(streams.len() as u64))
        }
        "per_1000_call_minutes" => per_1000_minutes(events.len() as u64, slots),
        _ => None,
    }
}

/// Each stream over its whole life: no second can be left out of it.
fn observe_mos(leg: &LegSeries, metric: &str) -> Option<f64> {
    let mut mos: Vec<f64> = leg
        .streams
        .iter()
        .filter_map(|stream| stream.row.mos_lq)
        .collect();
    mos.sort_by(f64::total_cmp);
    match metric {
        "mos_lq.min" => mos.first().copied(),
        "mos_lq.p5" => Percentile::P5.of_sorted(&mos),
        "mos_lq.median" => Percentile::P50.of_sorted(&mos),
        _ => None,
    }
}

/// Over the whole run, as the scorecard has it: a key that is wrong is so before full load too.
fn observe_authenticity(leg: &LegSeries, metric: &str) -> Option<f64> {
    (metric == "packets_unauthentic" && !leg.streams.is_empty())
        .then(|| float(leg.packets_unauthentic()))
}

fn percentile(of: &str) -> Option<Percentile> {
    match of {
        "p50" => Some(Percentile::P50),
        "p95" => Some(Percentile::P95),
        "p99" => Some(Percentile::P99),
        "p999" => Some(Percentile::P999),
        _ => None,
    }
}

fn at(of: &str, distribution: &Distribution) -> Option<i64> {
    match of {
        "max" => distribution.max(),
        _ => distribution.percentile(percentile(of)?),
    }
}

fn total(seconds: &Seconds, count: impl Fn(u32) -> Option<u64>) -> Option<f64> {
    seconds
        .iter()
        .filter_map(count)
        .fold(None, |sum: Option<u64>, more| Some(sum.unwrap_or(0) + more))
        .map(float)
}

fn host_mean(
    end: &EndRecord,
    seconds: &Seconds,
    figure: impl Fn(&HostSecond) -> Option<f32>,
) -> Option<f64> {
    mean(
        seconds
            .iter()
            .filter_map(|second| figure(end.host.get(&second)?))
            .map(f64::from),
    )
}

/// Largest step of an end's realtime clock in either direction, ms.
pub(super) fn clock_step_ms(end: &EndRecord, seconds: impl Iterator<Item = u32>) -> Option<f64> {
    largest(
        seconds
            .filter_map(|second| end.host.get(&second))
            .map(|host| ms(host.clock_step.saturating_abs())),
    )
}

/// Control traffic of both directions, Mbit/s.
fn control_mbps(ends: &[&EndRecord], seconds: &Seconds) -> Option<f64> {
    let of = |end: &EndRecord| {
        mean(
            seconds
                .iter()
                .filter_map(|second| end.sent.get(&second))
                .map(|sent| mbps_of(sent.control_octets)),
        )
    };
    let both: Vec<f64> = ends.iter().filter_map(|end| of(end)).collect();
    (!both.is_empty()).then(|| both.iter().sum())
}
