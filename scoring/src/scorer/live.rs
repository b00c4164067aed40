//! The run while it goes on: for progress and for aborting. Cheap, and rougher than the scorecard.

use super::Scorer;
use super::end::{float, lateness_of, ms, ratio, to_unit};
use crate::percentile::Percentile;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::time::RunTime;
use std::ops::Range;

/// Seconds over which loss is watched.
const WATCHED_SECONDS: u32 = 10;

/// What is known of the run so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// Run time at which this was asked.
    pub at: RunTime,
    /// Calls up.
    pub calls_up: u64,
    /// Calls begun.
    pub calls_started: u64,
    /// Receive leg.
    pub receive: LiveLeg,
    /// Sent leg.
    pub sent: LiveLeg,
    /// Recordings that should come.
    pub recordings_expected: u64,
    /// Recordings that came.
    pub recordings_received: u64,
    /// Of those, with silence.
    pub recordings_with_silence: u64,
    /// 99.9th percentile of the tester's lateness in the last second it told of, us.
    pub lateness_p999_us: Option<f64>,
}

/// One leg of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LiveLeg {
    /// Distinct packets so far.
    pub packets_received: u64,
    /// Packets that came after their playout time, so far.
    pub packets_discarded: u64,
    /// Lost of sent, percent, over the last 10 s that both ends told of; none before there are 10. A
    /// pause of telemetry is no loss: it only ages the figure.
    pub loss_percent: Option<f64>,
    /// Second of run time that `loss_percent` reaches to, exclusive.
    pub loss_until: Option<u32>,
    /// Dead-air runs of one cause so far.
    pub dead_air_events: u64,
    /// Largest PDV of any stream in the last second with packets, ms; skew is not taken off.
    pub pdv_max_ms: Option<f64>,
}

impl Live {
    /// The leg named.
    #[must_use]
    pub fn leg(&self, leg: Leg) -> &LiveLeg {
        match leg {
            Leg::Receive => &self.receive,
            Leg::Sent => &self.sent,
        }
    }
}

impl Scorer {
    /// What is known at `now`.
    #[must_use]
    pub fn live(&self, now: RunTime) -> Live {
        let counts = self.timeline.counts;
        let recordings = self.recordings.measured(None);
        let pacing = self.end(End::Tester).pacing.values().next_back();
        let lateness = pacing.and_then(|second| lateness_of(second).percentile(Percentile::P999));
        Live {
            at: now,
            calls_up: counts.started.saturating_sub(counts.completed + counts.cut),
            calls_started: counts.started,
            receive: self.live_leg(Leg::Receive),
            sent: self.live_leg(Leg::Sent),
            recordings_expected: recordings.expected,
            recordings_received: recordings.received,
            recordings_with_silence: recordings.with_silence,
            lateness_p999_us: lateness.map(|ns| to_unit(ns, 1e3)),
        }
    }

    fn live_leg(&self, leg: Leg) -> LiveLeg {
        let record = self.leg(leg);
        let watched = self.watched_seconds();
        LiveLeg {
            packets_received: record.packets_received,
            packets_discarded: record.packets_discarded,
            loss_percent: watched
                .clone()
                .and_then(|seconds| self.live_loss_percent(leg, seconds)),
            loss_until: watched.map(|seconds| seconds.end),
            dead_air_events: record.dead_air_now,
            pdv_max_ms: record.pdv_now.map(|(_, ns)| ms(ns)),
        }
    }

    /// The last ten seconds that both ends are through with.
    fn watched_seconds(&self) -> Option<Range<u32>> {
        let end = self
            .end(End::Tester)
            .reported()?
            .min(self.end(End::Guest).reported()?);
        Some(end.checked_sub(WATCHED_SECONDS)?..end)
    }

    fn live_loss_percent(&self, leg: Leg, seconds: Range<u32>) -> Option<f64> {
        let sent: u64 = self
            .sender(leg)
            .sent
            .range(seconds.clone())
            .map(|(_, sent)| u64::from(sent.rtp_packets))
            .sum();
        let received: u64 = self
            .leg(leg)
            .seconds
            .range(seconds)
            .map(|(_, tally)| tally.received)
            .sum();
        ratio(100.0 * float(sent.saturating_sub(received)), float(sent))
    }
}
