//! The call model: from a load and its seed to every call of the run, the same at both ends.

use crate::steps::{FAR, LaneCalls, StepBook};
use milliwatt_wire::id::{CallId, Lane, Leg, Party, StreamId};
use milliwatt_wire::load::{Hold, LoadSpec, PTIME_NS};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// One call, placed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its number, counted in order of start.
    pub id: CallId,
    /// Its lane.
    pub lane: Lane,
    /// First packet time of the call, a multiple of the packet time.
    pub start: RunTime,
    /// Packets each stream of it is due to send.
    pub packets: u32,
    /// How long it had been up already at the start of the run, ns (steady start).
    pub age: i64,
    /// The run's end cut it short.
    pub cut: bool,
    /// It is recorded.
    pub recorded: bool,
}

impl Call {
    /// The end: when the packet after its last would be due.
    #[must_use]
    pub fn end(&self) -> RunTime {
        self.start + i64::from(self.packets) * PTIME_NS
    }

    /// Seconds that its recording weighs: what it lasted in the run and before.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "hours in ns fit 53 bits")]
    pub fn weighed_seconds(&self, until: RunTime) -> f64 {
        (self.age + (self.end().min(until) - self.start).max(0)) as f64 / 1e9
    }
}

/// What makes a stream's headers its own: random, from the seed and the stream's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamHeaders {
    /// Synchronisation source.
    pub ssrc: u32,
    /// First sequence number (RFC 3550 5.1: random).
    pub first_seq: u16,
    /// First timestamp (RFC 3550 5.1: random).
    pub first_timestamp: u32,
}

/// Draws a stream's headers.
#[must_use]
pub fn stream_headers(seed: u64, stream: StreamId) -> StreamHeaders {
    let leg = u64::from(stream.leg == Leg::Sent);
    let party = u64::from(stream.party == Party::B) * 2;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(1 + u64::from(stream.call.0) * 4 + leg + party);
    StreamHeaders {
        ssrc: random.random(),
        first_seq: random.random(),
        first_timestamp: random.random(),
    }
}

/// Every call of a run and its phases.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// In order of start; none of a stepped load.
    pub calls: Vec<Call>,
    /// Full load begins: the first whole second after every lane has a call.
    pub full_from: RunTime,
    /// Full load ends: by `full_for`, or when the first call cannot be replaced.
    pub full_until: RunTime,
    /// The calls of a stepped load, as they become known: its phases are those of its steps.
    pub steps: Option<Arc<StepBook>>,
}

impl CallPlan {
    /// Expands a load. A load with neither `total` nor `full_for` gives the calls of the ramp only.
    #[must_use]
    pub fn expand(load: &LoadSpec) -> Self {
        if load.stepped {
            return Self {
                calls: Vec::new(),
                full_from: FAR,
                full_until: FAR,
                steps: Some(Arc::new(StepBook::new(load))),
            };
        }
        Expansion::new(load).run()
    }

    /// Full load begins; that of a stepped load with its first step.
    #[must_use]
    pub fn full_from(&self) -> RunTime {
        let first = self.steps.as_ref().and_then(|steps| steps.get(0));
        first.map_or(self.full_from, |step| step.from)
    }

    /// A call by its number.
    #[must_use]
    pub fn call(&self, id: CallId) -> Option<Call> {
        match &self.steps {
            Some(steps) => steps.call(id),
            None => self.calls.get(id.0 as usize).copied(),
        }
    }

    /// From here on nothing is due until the next step; the far future when there is no such end.
    #[must_use]
    pub fn cut(&self) -> RunTime {
        self.steps
            .as_ref()
            .map_or(RunTime(i64::MAX), |steps| steps.cut())
    }

    /// When the last packet of the last call has been due. A stepped load goes on until it is stopped.
    #[must_use]
    pub fn end(&self) -> RunTime {
        if self.steps.is_some() {
            return FAR;
        }
        self.calls
            .iter()
            .map(Call::end)
            .max()
            .unwrap_or(RunTime::ZERO)
    }

    /// Calls of one lane, in order.
    #[must_use]
    pub fn by_lane(&self, lanes: u32) -> Vec<LaneCalls> {
        if let Some(steps) = &self.steps {
            let stepped = |lane| LaneCalls::Stepped(Lane(lane), Arc::clone(steps));
            return (0..lanes).map(stepped).collect();
        }
        let mut lists = vec![Vec::new(); lanes as usize];
        for call in &self.calls {
            lists[call.lane.0 as usize].push(*call);
        }
        lists
            .into_iter()
            .map(|list| LaneCalls::Planned(Arc::from(list)))
            .collect()
    }
}

struct Expansion<'a> {
    load: &'a LoadSpec,
    random: ChaCha8Rng,
    /// Residual hold times of the first calls, stratified so that a short run sees the mean rate
    /// of call ends, and shuffled over the lanes.
    strata: Vec<f64>,
    full_from: RunTime,
}

impl<'a> Expansion<'a> {
    fn new(load: &'a LoadSpec) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(load.seed);
        let lanes = load.concurrent.max(1);
        let mut strata: Vec<f64> = (0..lanes)
            .map(|i| (f64::from(i) + random.random::<f64>()) / f64::from(lanes))
            .collect();
        strata.shuffle(&mut random);
        let last_first = i64::from(lanes - 1) * load.arrival_interval + PTIME_NS;
        let full_from = RunTime(round_up(last_first, NS_PER_SECOND));
        Self {
            load,
            random,
            strata,
            full_from,
        }
    }

    fn run(mut self) -> CallPlan {
        let lanes = self.load.concurrent;
        let cut_at = self
            .load
            .full_for
            .map_or(RunTime(i64::MAX), |ns| self.full_from + ns);
        let total = match (self.load.total, self.load.full_for) {
            (Some(total), _) => total,
            (None, Some(_)) => u32::MAX,
            (None, None) => lanes,
        };
        let mut free: BinaryHeap<Reverse<(RunTime, u32)>> = (0..lanes)
            .map(|lane| Reverse((RunTime::ZERO, lane)))
            .collect();
        let mut calls = Vec::new();
        let mut next_arrival = RunTime::ZERO;
        while let Some(Reverse((free_at, lane))) = free.pop() {
            let arrival = free_at.max(next_arrival);
            let start = RunTime(round_up(arrival.0, PTIME_NS));
            let id = u32::try_from(calls.len()).unwrap_or(u32::MAX);
            if id >= total || start >= cut_at {
                break;
            }
            next_arrival = arrival + self.load.arrival_interval;
            let call = self.draw(CallId(id), Lane(lane), start, cut_at);
            free.push(Reverse((call.end() + PTIME_NS, lane)));
            calls.push(call);
        }
        let full_until = self.full_until(&calls, cut_at);
        CallPlan {
            calls,
            full_from: self.full_from,
            full_until,
            steps: None,
        }
    }

    fn draw(&mut self, id: CallId, lane: Lane, start: RunTime, cut_at: RunTime) -> Call {
        let stratum = self
            .strata
            .get(id.0 as usize)
            .copied()
            .filter(|_| self.load.steady_start);
        let (age, rest) = match stratum {
            Some(u) => self.residual(u),
            None => (0, draw_hold(self.load.hold, &mut self.random)),
        };
        let wanted = packets_in(rest.max(PTIME_NS * 10));
        let room = packets_in((cut_at.0).saturating_sub(start.0));
        let recorded = self.random.random::<f64>() < self.load.recording.share;
        Call {
            id,
            lane,
            start,
            packets: wanted.min(room),
            age,
            cut: room < wanted,
            recorded,
        }
    }

    /// Age and residual of a call met under way: the residual's distribution is S(r)/mean (renewal
    /// theory), `u` its quantile; the whole hold is then drawn given that it exceeds the residual.
    fn residual(&mut self, u: f64) -> (i64, i64) {
        let v: f64 = self.random.random();
        match self.load.hold {
            Hold::Fixed(ns) => {
                let rest = nanoseconds(seconds(ns) * u);
                (ns - rest, rest)
            }
            Hold::Uniform(low, high) => {
                let (a, b) = (seconds(low), seconds(high));
                let covered = u * f64::midpoint(a, b);
                let square = ((b - a) * (b - a) - 2.0 * (b - a) * (covered - a)).max(0.0);
                let rest = if covered <= a {
                    covered
                } else {
                    b - square.sqrt()
                };
                let whole = rest.max(a) + v * (b - rest.max(a));
                (nanoseconds(whole - rest), nanoseconds(rest))
            }
            Hold::Exponential(mean) => {
                let draw = |q: f64| nanoseconds(-seconds(mean) * (1.0 - q).ln());
                (draw(v), draw(u))
            }
        }
    }

    /// Full load lasts until the cut, or until a lane falls empty because all calls were made.
    fn full_until(&self, calls: &[Call], cut_at: RunTime) -> RunTime {
        let mut last_of_lane = vec![RunTime::ZERO; self.load.concurrent as usize];
        for call in calls {
            last_of_lane[call.lane.0 as usize] = call.end();
        }
        let first_empty = last_of_lane.into_iter().min().unwrap_or(RunTime::ZERO);
        first_empty.min(cut_at).max(self.full_from)
    }
}

/// A hold time of a call that starts now, ns.
pub(crate) fn draw_hold(hold: Hold, random: &mut ChaCha8Rng) -> i64 {
    let u: f64 = random.random();
    match hold {
        Hold::Fixed(ns) => ns,
        Hold::Uniform(low, high) => low + nanoseconds(u * seconds(high - low)),
        Hold::Exponential(mean) => nanoseconds(-seconds(mean) * (1.0 - u).ln()),
    }
}

fn round_up(ns: i64, step: i64) -> i64 {
    (ns + step - 1).div_euclid(step) * step
}

fn packets_in(ns: i64) -> u32 {
    u32::try_from((ns.max(0) / PTIME_NS).min(i64::from(u32::MAX))).unwrap_or(u32::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "hold times are far below 2^53 ns"
)]
fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "hold times are far below 2^53 ns; the cast saturates"
)]
fn nanoseconds(seconds: f64) -> i64 {
    (seconds * 1e9) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_load as load;
    use proptest::prelude::*;

    #[test]
    fn the_250_call_test_is_at_full_load_after_five_seconds_and_stays_there() {
        let plan = CallPlan::expand(&load());
        assert_eq!(plan.full_from, RunTime(5 * NS_PER_SECOND));
        assert_eq!(plan.full_until, RunTime(65 * NS_PER_SECOND));
        for second in 5..65 {
            let at = RunTime(second * NS_PER_SECOND + 10_000_000);
            let up = plan
                .calls
                .iter()
                .filter(|c| c.start <= at && at < c.end())
                .count();
            assert!(
                (247..=250).contains(&up),
                "{up} calls up in second {second}"
            );
        }
    }

    #[test]
    fn steady_start_ends_calls_at_the_mean_rate_from_the_first_minute() {
        // 250 calls of 210 s on average: 60/210*250 = 71.4 end in a minute; stratified, so within
        // a few of that for every seed.
        for seed in 0..20 {
            let plan = CallPlan::expand(&LoadSpec { seed, ..load() });
            let window = plan.full_from..plan.full_until;
            let ended: Vec<&Call> = plan
                .calls
                .iter()
                .filter(|c| !c.cut && window.contains(&c.end()))
                .collect();
            assert!(
                (68..=75).contains(&ended.len()),
                "seed {seed}: {} calls ended",
                ended.len()
            );
            let weighed: f64 = ended
                .iter()
                .map(|c| c.weighed_seconds(RunTime(i64::MAX)))
                .sum();
            let share = weighed / (250.0 * 60.0);
            assert!(
                (0.9..=1.1).contains(&share),
                "seed {seed}: recordings weigh {share} of equilibrium"
            );
        }
    }

    #[test]
    fn five_thousand_short_calls_are_all_made() {
        let plan = CallPlan::expand(&LoadSpec {
            total: Some(5000),
            full_for: None,
            hold: Hold::Uniform(8 * NS_PER_SECOND, 10 * NS_PER_SECOND),
            ..load()
        });
        assert_eq!(plan.calls.len(), 5000);
        assert!(plan.calls.iter().all(|c| !c.cut));
        assert!(plan.full_until > plan.full_from + 150 * NS_PER_SECOND);
    }

    #[test]
    fn the_same_seed_gives_the_same_calls_and_another_gives_others() {
        let calls = |load: &LoadSpec| CallPlan::expand(load).calls;
        assert_eq!(calls(&load()), calls(&load()));
        assert_ne!(calls(&load()), calls(&LoadSpec { seed: 2, ..load() }));
    }

    proptest! {
        #[test]
        fn a_lane_never_holds_two_calls_and_starts_keep_the_arrival_rate(seed: u64, lanes in 1_u32..40, hold in 1_i64..30) {
            let plan = CallPlan::expand(&LoadSpec {
                seed, concurrent: lanes, hold: Hold::Exponential(hold * NS_PER_SECOND), full_for: Some(20 * NS_PER_SECOND), ..load()
            });
            for list in plan.by_lane(lanes) {
                let LaneCalls::Planned(list) = list else { panic!("calls that were planned") };
                for pair in list.windows(2) {
                    prop_assert!(pair[0].end() < pair[1].start);
                }
            }
            for pair in plan.calls.windows(2) {
                prop_assert!(pair[1].start >= pair[0].start);
            }
            prop_assert!(plan.calls.iter().all(|c| c.end() <= plan.full_until.max(plan.full_from + 20 * NS_PER_SECOND)));
        }

        #[test]
        fn residual_and_age_never_exceed_the_longest_hold(u in 0.0_f64..1.0, seed: u64) {
            let load = LoadSpec { seed, ..load() };
            let mut expansion = Expansion::new(&load);
            let (age, rest) = expansion.residual(u);
            let whole = age + rest;
            prop_assert!(age >= 0 && rest >= 0);
            prop_assert!((120 * NS_PER_SECOND - 10..=300 * NS_PER_SECOND + 10).contains(&whole));
        }
    }
}
