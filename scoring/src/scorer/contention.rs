//! What calls went through with neighbours' load on, beside what they went through without.

use super::Summary;
use super::end::{float, mean, ms, ratio, seconds_of};
use super::leg::{LegSecond, merged};
use crate::measured::{Contention, LegContention, OnOff};
use crate::percentile::Percentile;
use milliwatt_wire::id::{End, Leg};
use std::collections::BTreeSet;

impl Summary<'_> {
    /// Seconds of full load with load on against those without; none where no neighbour takes part.
    pub(super) fn contention(&self) -> Option<Contention> {
        let neighbours = &self.scorer.neighbours;
        if neighbours.is_empty() {
            return None;
        }
        let split = neighbours.split(seconds_of(self.full.as_ref()));
        let count = |seconds: &BTreeSet<u32>| u32::try_from(seconds.len()).unwrap_or(u32::MAX);
        let tainted = |seconds: &BTreeSet<u32>| {
            let tainted = seconds.intersection(&self.tainted).count();
            u32::try_from(tainted).unwrap_or(u32::MAX)
        };
        Some(Contention {
            seconds: both(&split, count),
            tainted_seconds: both(&split, tainted),
            receive: self.leg_contention(Leg::Receive, &split),
            sent: self.leg_contention(Leg::Sent, &split),
            ticks_missed: both(&split, |seconds| self.ticks_missed(seconds)),
            guest_steal_percent: both(&split, |seconds| self.guest_steal(seconds)),
        })
    }

    fn leg_contention(&self, leg: Leg, split: &OnOff<BTreeSet<u32>>) -> LegContention {
        let told = &self.leg(leg).seconds;
        let of = |seconds: &BTreeSet<u32>| -> Vec<&LegSecond> {
            let told = seconds.iter().filter_map(|second| told.get(second));
            told.collect()
        };
        let sum = |seconds: &[&LegSecond], count: fn(&LegSecond) -> u64| -> u64 {
            seconds.iter().map(|second| count(second)).sum()
        };
        LegContention {
            pdv_ms_p999: both(split, |seconds| {
                let pdv = merged(of(seconds).into_iter().map(|second| &second.pdv));
                pdv.percentile(Percentile::P999).map(ms)
            }),
            lost_or_late_percent: both(split, |seconds| {
                let seconds = of(seconds);
                let bad = sum(&seconds, |second| second.lost + second.discarded);
                let expected = sum(&seconds, |second| second.expected);
                ratio(100.0 * float(bad), float(expected))
            }),
            dead_air_events: both(split, |seconds| {
                sum(&of(seconds), |second| second.dead_air_events)
            }),
        }
    }

    fn ticks_missed(&self, seconds: &BTreeSet<u32>) -> Option<u64> {
        let guest = self.end(End::Guest);
        let told = seconds.iter().filter_map(|second| guest.pacing.get(second));
        let missed = told.map(|second| u64::from(second.not_sent));
        missed.reduce(|sum, next| sum + next)
    }

    fn guest_steal(&self, seconds: &BTreeSet<u32>) -> Option<f64> {
        let guest = self.end(End::Guest);
        let told = seconds.iter().filter_map(|second| guest.host.get(second));
        mean(
            told.filter_map(|second| second.steal_percent)
                .map(f64::from),
        )
    }
}

fn both<T>(split: &OnOff<BTreeSet<u32>>, of: impl Fn(&BTreeSet<u32>) -> T) -> OnOff<T> {
    OnOff {
        on: of(&split.on),
        off: of(&split.off),
    }
}
