//! What a run gives to a comparison: its streams, its seconds of full load, its guest.

use super::Scorer;
use super::end::{lateness_of, seconds_of};
use super::spread::{LegSpread, Spread};
use crate::comparison::RunSample;
use crate::comparison::sample::{
    GuestSecond, LegSample, RecordingSample, SecondSample, StreamSample,
};
use crate::emodel::Equipment;
use crate::measured::{Measured, SecondRow, StreamRow};
use crate::percentile::Distribution;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::{LoadSpec, TransferWhen};
use std::collections::BTreeMap;
use std::ops::Range;

/// What does not stand in [`Measured`].
pub(super) struct Beside {
    full: Range<u32>,
    /// Transfers are as fast as the network lets them.
    unbound_transfers: bool,
    equipment: Option<Equipment>,
    pdv_of_streams: [Vec<Distribution>; 2],
    guest: Vec<GuestSecond>,
    tick_lateness: Vec<Distribution>,
}

impl Beside {
    pub(super) fn of(scorer: &Scorer, spread: &mut Spread, full: Option<&Range<u32>>) -> Self {
        let full = seconds_of(full);
        let guest = scorer.end(End::Guest);
        let host = guest.host.range(full.clone());
        let unbound = |load: &LoadSpec| {
            load.transfer.when == TransferWhen::Backlog
                && load.transfer.rate_bits_per_second.is_none()
        };
        Self {
            unbound_transfers: scorer.load().is_some_and(unbound),
            equipment: super::equipment(scorer.load()),
            pdv_of_streams: spread.legs.each_mut().map(LegSpread::take_streams),
            guest: host
                .map(|(_, second)| GuestSecond {
                    cpu_percent: second.cpu_percent.map(f64::from),
                    steal_percent: second.steal_percent.map(f64::from),
                })
                .collect(),
            tick_lateness: guest
                .pacing
                .range(full.clone())
                .map(|(_, second)| lateness_of(second))
                .collect(),
            full,
        }
    }

    pub(super) fn sample(self, measured: &Measured) -> RunSample {
        let silences = self.silences(measured);
        let recordings = measured.recording_rows.iter().filter_map(|row| {
            Some(RecordingSample {
                silence_events: row.silence_events,
                minutes: row.seconds? / 60.0,
            })
        });
        let recordings = recordings.collect();
        let [of_receive, of_sent] = Leg::BOTH.map(|leg| self.seconds(measured, leg));
        let [receive, sent] = self.pdv_of_streams;
        let leg = |leg, pdv_of_streams, seconds| LegSample {
            streams: streams(measured, leg),
            pdv_of_streams,
            seconds,
            pdv_of_seconds: pdv_of_seconds(measured, leg),
            equipment: self.equipment,
        };
        RunSample {
            legs: [
                leg(Leg::Receive, receive, of_receive),
                leg(Leg::Sent, sent, of_sent),
            ],
            guest: self.guest,
            tick_lateness: self.tick_lateness,
            recordings,
            silences,
        }
    }

    fn seconds(&self, measured: &Measured, leg: Leg) -> Vec<SecondSample> {
        let rows = measured.seconds.iter();
        rows.filter(|row| row.leg == leg && self.full.contains(&row.second))
            .map(|row| second(row, self.unbound_transfers))
            .collect()
    }

    /// Where recordings are silent, and how many minutes of call there were; none without recordings.
    fn silences(&self, measured: &Measured) -> Vec<RecordingSample> {
        let mut seconds: BTreeMap<u32, RecordingSample> = measured
            .seconds
            .iter()
            .filter(|row| row.leg == Leg::Receive && self.full.contains(&row.second))
            .map(|row| {
                let minutes = f64::from(row.calls) / 60.0;
                let second = RecordingSample {
                    silence_events: 0,
                    minutes,
                };
                (row.second, second)
            })
            .collect();
        for event in measured
            .events
            .iter()
            .filter(|event| event.kind == "silence")
        {
            if let Some(second) = seconds.get_mut(&whole(event.at_s)) {
                second.silence_events += 1;
            }
        }
        seconds.into_values().collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a second of run time; the cast saturates"
)]
fn whole(at_s: f64) -> u32 {
    at_s as u32
}

fn streams(measured: &Measured, leg: Leg) -> Vec<StreamSample> {
    let rows = measured.streams.iter().filter(|row| row.stream.leg == leg);
    rows.map(stream).collect()
}

fn stream(row: &StreamRow) -> StreamSample {
    StreamSample {
        expected: row.expected,
        lost: row.lost,
        discarded: row.discarded,
        not_sent: row.not_sent,
        dead_air_events: row.dead_air_events,
        interarrival_jitter_mean_ms: row.interarrival_jitter_mean_ms,
        mos_lq: row.mos_lq,
    }
}

fn second(row: &SecondRow, unbound_transfers: bool) -> SecondSample {
    SecondSample {
        expected: row.expected,
        received: row.received,
        lost: row.lost,
        discarded: row.discarded,
        not_sent: row.not_sent,
        dead_air_events: row.dead_air_events,
        interarrival_jitter_mean_ms: row.interarrival_jitter_mean_ms,
        transfer_goodput_mbps: row.transfer_goodput_mbps.filter(|_| unbound_transfers),
    }
}

fn pdv_of_seconds(measured: &Measured, leg: Leg) -> Vec<Distribution> {
    let name = format!("{}-pdv", leg.key());
    let histograms = measured.histograms.iter().filter(|of| of.name == name);
    histograms
        .map(|histogram| {
            let mut distribution = Distribution::default();
            for (ns, count) in &histogram.counts {
                distribution.record(*ns, *count);
                distribution.raise_max(*ns);
            }
            distribution
        })
        .collect()
}
