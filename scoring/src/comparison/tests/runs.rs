//! Simulated runs: streams on one host, whose noise they share, and hosts that are not the same from run to run.

use crate::comparison::sample::{
    GuestSecond, LegSample, RecordingSample, RunSample, SecondSample, StreamSample,
};
use crate::emodel::{Equipment, mos_lq};
use crate::percentile::Distribution;
use crate::scorer::end::float;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A system under test.
#[derive(Clone, Copy, Debug)]
pub(super) struct System {
    pub(super) streams: usize,
    pub(super) seconds: usize,
    /// Mean PDV of a packet, ms; exponential.
    pub(super) pdv_ms: f64,
    /// Standard deviation of the logarithm of the mean from run to run.
    pub(super) between_runs: f64,
    /// The same from second to second, all streams alike.
    pub(super) between_seconds: f64,
    /// The same from stream to stream.
    pub(super) between_streams: f64,
    /// Share of packets that are lost one by one.
    pub(super) loss: f64,
    /// Chance in a second of a stall that takes three packets of every stream.
    pub(super) stall: f64,
}

impl System {
    /// A quiet host.
    pub(super) const QUIET: Self = Self {
        streams: 40,
        seconds: 30,
        pdv_ms: 0.1,
        between_runs: 0.1,
        between_seconds: 0.3,
        between_streams: 0.1,
        loss: 0.000_1,
        stall: 0.0,
    };
    /// A virtual machine that shares its host: p99 of 6 ms, runs and seconds unlike each other, a stall now and then.
    pub(super) const SHARED: Self = Self {
        pdv_ms: 1.2,
        between_runs: 0.15,
        between_seconds: 0.4,
        stall: 0.01,
        ..Self::QUIET
    };
    /// A host whose every run is another day, and which stalls more often.
    pub(super) const NOISY: Self = Self {
        pdv_ms: 2.0,
        between_runs: 0.15,
        between_seconds: 0.6,
        loss: 0.001,
        stall: 0.02,
        ..Self::QUIET
    };

    /// A run on it whose sent leg carries transfers of so many Mbit/s, as fast as they go.
    pub(super) fn run_with_transfers(&self, seed: u64, mbps: f64) -> RunSample {
        let mut run = self.run(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7f);
        let level = mbps * noise(&mut rng, self.between_runs);
        for second in &mut run.legs[1].seconds {
            second.transfer_goodput_mbps = Some(level * noise(&mut rng, self.between_seconds));
        }
        run
    }

    /// A run on it.
    pub(super) fn run(&self, seed: u64) -> RunSample {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let level = self.pdv_ms * noise(&mut rng, self.between_runs);
        let load = noise(&mut rng, self.between_runs);
        let legs = [self.leg(level, &mut rng), self.leg(level, &mut rng)];
        let second = |rng: &mut ChaCha8Rng| GuestSecond {
            cpu_percent: Some(30.0 * load * noise(rng, 0.1)),
            steal_percent: Some(1.0 * load * noise(rng, 0.3)),
        };
        let recordings = vec![
            RecordingSample {
                silence_events: 0,
                minutes: 0.5,
            };
            self.streams / 2
        ];
        RunSample {
            guest: (0..self.seconds).map(|_| second(&mut rng)).collect(),
            tick_lateness: legs[0].pdv_of_seconds.clone(),
            silences: vec![
                RecordingSample {
                    silence_events: 0,
                    minutes: float(self.streams as u64) / 120.0,
                };
                self.seconds
            ],
            recordings,
            legs,
        }
    }

    fn leg(&self, level: f64, rng: &mut ChaCha8Rng) -> LegSample {
        let of_second: Vec<(f64, bool)> = (0..self.seconds)
            .map(|_| {
                (
                    noise(rng, self.between_seconds),
                    rng.random_bool(self.stall),
                )
            })
            .collect();
        let mut leg = LegSample {
            streams: Vec::new(),
            pdv_of_streams: vec![Distribution::default(); self.streams],
            seconds: vec![SecondSample::default(); self.seconds],
            pdv_of_seconds: vec![Distribution::default(); self.seconds],
            equipment: Some(Equipment::G711_CONCEALED),
        };
        for stream in 0..self.streams {
            let own = level * noise(rng, self.between_streams);
            let mut sample = StreamSample::default();
            for (second, (at, stalls)) in of_second.iter().enumerate() {
                let lost = self.lost(*stalls, rng);
                leg.pdv(stream, second, own * at, rng);
                leg.count(&mut sample, second, lost, *stalls);
            }
            let ppl = 100.0 * float(sample.lost) / float(sample.expected);
            sample.mos_lq = Some(mos_lq(ppl, 1.0));
            sample.interarrival_jitter_mean_ms = Some(own);
            leg.streams.push(sample);
        }
        for (second, (at, _)) in leg.seconds.iter_mut().zip(&of_second) {
            second.interarrival_jitter_mean_ms = Some(level * at);
        }
        leg
    }

    fn lost(&self, stalls: bool, rng: &mut ChaCha8Rng) -> u64 {
        let alone = (0..50).filter(|_| rng.random_bool(self.loss)).count() as u64;
        alone + if stalls { 3 } else { 0 }
    }
}

impl LegSample {
    /// Ten values, five packets each, for a stream's second.
    fn pdv(&mut self, stream: usize, second: usize, mean_ms: f64, rng: &mut ChaCha8Rng) {
        for _ in 0..10 {
            let ns = nanoseconds(-mean_ms * (1.0 - rng.random::<f64>()).ln());
            for of in [
                &mut self.pdv_of_streams[stream],
                &mut self.pdv_of_seconds[second],
            ] {
                of.record(ns, 5);
                of.raise_max(ns);
            }
        }
    }

    fn count(&mut self, stream: &mut StreamSample, second: usize, lost: u64, stalls: bool) {
        let second = &mut self.seconds[second];
        second.expected += 50;
        second.received += 50 - lost;
        second.lost += lost;
        second.dead_air_events += u64::from(stalls);
        stream.expected += 50;
        stream.lost += lost;
        stream.dead_air_events += u64::from(stalls);
    }
}

/// A factor whose logarithm is normal.
fn noise(rng: &mut ChaCha8Rng, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * rng.random::<f64>()).cos();
    (deviation * normal).exp()
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of a test")]
fn nanoseconds(ms: f64) -> i64 {
    (ms * 1e6) as i64
}
