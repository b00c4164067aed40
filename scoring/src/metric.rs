//! The metrics that a threshold can name: paths of the scorecard.

use milliwatt_wire::id::Leg;

/// A metric that a threshold can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Path in `scorecard.json`, inside the leg for a metric of a leg.
    pub path: &'static str,
    /// Unit of its value.
    pub unit: &'static str,
    /// Exists for each leg.
    pub of_leg: bool,
    /// Can be judged over windows shorter than the run.
    pub windowed: bool,
}

const fn leg(path: &'static str, unit: &'static str, windowed: bool) -> Metric {
    Metric {
        path,
        unit,
        of_leg: true,
        windowed,
    }
}

const fn top(path: &'static str, unit: &'static str, windowed: bool) -> Metric {
    Metric {
        path,
        unit,
        of_leg: false,
        windowed,
    }
}

/// The highest load that a leg held below its breaking point: the one metric of a leg that does not lie inside `legs`.
pub(crate) const BREAKING_POINT: &str = "breaking_point.last_good_mbps";
/// The same, spelt as in the scorecard, by [`Leg`].
const BREAKING_POINTS: [&str; 2] = [
    "breaking_point.receive.last_good_mbps",
    "breaking_point.sent.last_good_mbps",
];

const KNOWN: [Metric; 62] = [
    leg("loss_percent", "percent", true),
    leg("packets_lost", "count", true),
    leg("packets_duplicated", "count", true),
    leg("packets_reordered", "count", true),
    leg("packets_discarded", "count", true),
    leg("packets_not_sent", "count", true),
    leg("packets_unauthentic", "count", false),
    leg("interarrival_jitter_ms.mean", "ms", true),
    leg("interarrival_jitter_ms.max", "ms", true),
    leg("ipdv_ms.p50", "ms", true),
    leg("ipdv_ms.p99", "ms", true),
    leg("ipdv_ms.p999", "ms", true),
    leg("ipdv_ms.max", "ms", true),
    leg("pdv_ms.p50", "ms", true),
    leg("pdv_ms.p95", "ms", true),
    leg("pdv_ms.p99", "ms", true),
    leg("pdv_ms.p999", "ms", true),
    leg("pdv_ms.max", "ms", true),
    leg("mos_lq.min", "MOS", false),
    leg("mos_lq.p5", "MOS", false),
    leg("mos_lq.median", "MOS", false),
    leg("dead_air.events", "count", false),
    leg("dead_air.events_200ms", "count", false),
    leg("dead_air.longest_ms", "ms", false),
    leg("dead_air.total_ms", "ms", false),
    leg("dead_air.streams_affected", "count", false),
    leg(
        "dead_air.per_1000_call_minutes",
        "per 1000 call-minutes",
        false,
    ),
    leg("mbps.mean", "Mbit/s", true),
    leg("mbps.max", "Mbit/s", true),
    leg("rtp_mbps", "Mbit/s", true),
    leg("transfer_mbps", "Mbit/s", true),
    leg("nic_mbps", "Mbit/s", true),
    leg(BREAKING_POINT, "Mbit/s", false),
    top(BREAKING_POINTS[0], "Mbit/s", false),
    top(BREAKING_POINTS[1], "Mbit/s", false),
    top("disruptions.count", "count", false),
    top("disruptions.blackout_ms", "ms", false),
    top("disruptions.brownout_ms", "ms", false),
    top("disruptions.recovered_ms", "ms", false),
    top("disruptions.streams_affected", "count", false),
    top("disruptions.calls_affected", "count", false),
    top("disruptions.calls_lost", "count", false),
    top("disruptions.packets_lost", "count", false),
    top("disruptions.packets_late", "count", false),
    top("recordings.with_silence", "count", false),
    top("recordings.silence_events", "count", false),
    top("recordings.upper_bound_95_percent", "share", false),
    top("control_mbps", "Mbit/s", true),
    top("guest.ticks_missed", "count", true),
    top("guest.tick_lateness_us.p50", "us", true),
    top("guest.tick_lateness_us.p99", "us", true),
    top("guest.tick_lateness_us.p999", "us", true),
    top("guest.tick_lateness_us.max", "us", true),
    top("guest.cpu_percent", "percent", true),
    top("guest.steal_percent", "percent", true),
    top("guest.socket_drops", "count", true),
    top("guest.recorder_drops", "count", true),
    top("guest.clock_step_ms", "ms", true),
    top("host.cpu_percent", "percent", true),
    top("host.clock_step_ms", "ms", true),
    top("clock.round_trip_min_ms", "ms", false),
    // The hypervisor's own: cannot be read from inside a guest, so it stays not measured here.
    top("hypervisor.cpu_percent", "percent", true),
];

/// Every metric that a threshold can name.
#[must_use]
pub fn known_metrics() -> &'static [Metric] {
    &KNOWN
}

/// The metric of this path.
#[must_use]
pub fn find_metric(path: &str) -> Option<&'static Metric> {
    KNOWN.iter().find(|metric| metric.path == path)
}

impl Metric {
    /// The leg whose breaking point this is; none of another metric. `leg` is the one that is judged.
    pub(crate) fn breaking_leg(&self, leg: Option<Leg>) -> Option<Leg> {
        let spelt = Leg::BOTH
            .into_iter()
            .find(|leg| BREAKING_POINTS[*leg as usize] == self.path);
        spelt.or(leg.filter(|_| self.path == BREAKING_POINT))
    }

    /// What of a disruption this is; none of another metric.
    pub(crate) fn of_disruption(&self) -> Option<&'static str> {
        self.path.strip_prefix("disruptions.")
    }

    /// The legs a threshold on this metric is judged on: both when none is named.
    #[must_use]
    pub fn judged_legs(&self, named: Option<Leg>) -> Vec<Option<Leg>> {
        match (self.of_leg, named) {
            (false, _) => vec![None],
            (true, Some(leg)) => vec![Some(leg)],
            (true, None) => Leg::BOTH.map(Some).to_vec(),
        }
    }
}
