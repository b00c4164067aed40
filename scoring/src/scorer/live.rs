//! The run while it goes on: for progress and for aborting. Cheap, and rougher than the scorecard: it
//! keeps counters, the streams that are up and the seconds that loss is watched over, so it does not
//! grow with the run.

use super::end::{add_pacing, float, lateness_of, ms, ratio, to_unit};
use super::leg_of;
use super::stream::lesser;
use crate::percentile::Percentile;
use milliwatt_wire::facts::{Fact, PacingSecond, StreamSecond};
use milliwatt_wire::id::{CallId, End, Leg, Party};
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::RunTime;
use std::collections::BTreeMap;
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

/// Takes facts, tells the state of the run at any time.
#[derive(Clone, Debug, Default)]
pub struct LiveView {
    /// Latest second that each end told of.
    reported: [Option<u32>; 2],
    /// The tester's last.
    pacing: Option<PacingSecond>,
    legs: [LiveRecord; 2],
    dead_air_min: Option<i64>,
    playout_buffer: Option<i64>,
    calls_started: u64,
    calls_ended: u64,
    recordings_expected: u64,
    recordings_received: u64,
    recordings_with_silence: u64,
}

/// What is kept of a leg.
#[derive(Clone, Debug, Default)]
struct LiveRecord {
    /// (sent, received) by second, from the first that is watched on.
    packets: BTreeMap<u32, (u64, u64)>,
    /// Seconds before this one are forgotten.
    packets_from: u32,
    packets_received: u64,
    packets_discarded: u64,
    /// Least transit so far of the streams that are up.
    transit_min: BTreeMap<(CallId, Party), i64>,
    /// Second and largest PDV in it, ns.
    pdv_now: Option<(u32, i64)>,
    dead_air_events: u64,
}

impl LiveView {
    /// Takes a fact from the log of `end`.
    pub fn absorb(&mut self, end: End, fact: &Fact) {
        match fact {
            Fact::Opened { load, .. } => {
                self.dead_air_min = Some(load.dead_air_min);
                self.playout_buffer = Some(load.playout_buffer);
            }
            Fact::CallStarted { .. } => self.calls_started += 1,
            Fact::CallEnded { .. } => self.calls_ended += 1,
            Fact::RecordingExpected { .. } => self.recordings_expected += 1,
            Fact::Recording(recording) => {
                self.recordings_received += 1;
                let silent = recording.error.is_none() && !recording.silences.is_empty();
                self.recordings_with_silence += u64::from(silent);
            }
            Fact::Pacing(second) => self.absorb_pacing(end, second),
            Fact::Sent(second) => {
                let leg = &mut self.legs[end.sends() as usize];
                leg.count(second.second, second.rtp_packets, 0);
                self.report(end, second.second);
            }
            Fact::Host(second) => self.report(end, second.second),
            _ => self.absorb_media(fact),
        }
    }

    fn absorb_pacing(&mut self, end: End, second: &PacingSecond) {
        self.report(end, second.second);
        if end == End::Guest {
            return;
        }
        let last = self.pacing.get_or_insert_default();
        if second.second > last.second {
            *last = PacingSecond::default();
        }
        if second.second >= last.second {
            add_pacing(last, second);
        }
    }

    /// An end is through with the seconds before one that it tells of: what both are through with and
    /// is not watched any more goes.
    fn report(&mut self, end: End, second: u32) {
        let reported = &mut self.reported[end as usize];
        *reported = (*reported).max(Some(second));
        let Some(watched) = self.watched_seconds() else {
            return;
        };
        for leg in &mut self.legs {
            leg.packets_from = watched.start;
            leg.packets = leg.packets.split_off(&watched.start);
        }
    }

    fn absorb_media(&mut self, fact: &Fact) {
        let Some(leg) = leg_of(fact) else {
            return;
        };
        let dead_air = self.is_dead_air(fact);
        let leg = &mut self.legs[leg as usize];
        leg.dead_air_events += u64::from(dead_air);
        match fact {
            Fact::StreamSecond(second) => leg.absorb_second(second),
            Fact::StreamEnd(end) => {
                leg.transit_min.remove(&(end.stream.call, end.stream.party));
            }
            _ => {}
        }
    }

    /// A run of slots of one cause that is long enough.
    fn is_dead_air(&self, fact: &Fact) -> bool {
        let buffer = self.playout_buffer.unwrap_or(i64::MAX);
        let slots = match fact {
            Fact::DeadSlots { slots, .. } => i64::from(*slots),
            Fact::LatePackets { packets, .. } => {
                let late = packets
                    .iter()
                    .filter(|packet| i64::from(packet.above_us) * 1000 > buffer);
                i64::try_from(late.count()).unwrap_or(0)
            }
            _ => return false,
        };
        slots * PTIME_NS >= self.dead_air_min.unwrap_or(i64::MAX)
    }

    /// What is known at `now`.
    #[must_use]
    pub fn at(&self, now: RunTime) -> Live {
        let lateness = self
            .pacing
            .as_ref()
            .and_then(|second| lateness_of(second).percentile(Percentile::P999));
        Live {
            at: now,
            calls_up: self.calls_started.saturating_sub(self.calls_ended),
            calls_started: self.calls_started,
            receive: self.leg(Leg::Receive),
            sent: self.leg(Leg::Sent),
            recordings_expected: self.recordings_expected,
            recordings_received: self.recordings_received,
            recordings_with_silence: self.recordings_with_silence,
            lateness_p999_us: lateness.map(|ns| to_unit(ns, 1e3)),
        }
    }

    fn leg(&self, leg: Leg) -> LiveLeg {
        let record = &self.legs[leg as usize];
        let watched = self.watched_seconds();
        LiveLeg {
            packets_received: record.packets_received,
            packets_discarded: record.packets_discarded,
            loss_percent: watched
                .clone()
                .and_then(|seconds| record.loss_percent(seconds)),
            loss_until: watched.map(|seconds| seconds.end),
            dead_air_events: record.dead_air_events,
            pdv_max_ms: record.pdv_now.map(|(_, ns)| ms(ns)),
        }
    }

    /// The last ten seconds that both ends are through with.
    fn watched_seconds(&self) -> Option<Range<u32>> {
        let [tester, guest] = self.reported;
        let end = tester?.min(guest?);
        Some(end.checked_sub(WATCHED_SECONDS)?..end)
    }
}

impl LiveRecord {
    fn count(&mut self, second: u32, sent: u32, received: u32) {
        if second >= self.packets_from {
            let counted = self.packets.entry(second).or_default();
            counted.0 += u64::from(sent);
            counted.1 += u64::from(received);
        }
    }

    fn absorb_second(&mut self, fact: &StreamSecond) {
        self.packets_received += u64::from(fact.packets);
        self.packets_discarded += u64::from(fact.discarded);
        self.count(fact.second, 0, fact.packets);
        if fact.packets == 0 {
            return;
        }
        let key = (fact.stream.call, fact.stream.party);
        let held = self.transit_min.get(&key).copied();
        let least = lesser(held, fact.transit_min);
        self.transit_min.insert(key, least);
        let pdv = (fact.second, fact.transit_max - least);
        // The largest of the latest second.
        self.pdv_now = self.pdv_now.max(Some(pdv));
    }

    fn loss_percent(&self, seconds: Range<u32>) -> Option<f64> {
        let (sent, received) = self
            .packets
            .range(seconds)
            .fold((0, 0), |(sent, received), (_, more)| {
                (sent + more.0, received + more.1)
            });
        ratio(100.0 * float(sent.saturating_sub(received)), float(sent))
    }
}
