//! What is compared, and from which difference on it matters.

use super::sample::{GuestSecond, SecondSample, StreamSample};
use crate::percentile::Percentile;
use crate::scorer::end::{float, ratio};
use milliwatt_wire::id::Leg;
use milliwatt_wire::load::PTIME_NS;

/// A metric that two runs are compared by.
#[derive(Clone, Copy, Debug)]
pub struct ComparedMetric {
    /// Its name; inside the leg for a metric of a leg. As in `scorecard.json` where that has it.
    pub path: &'static str,
    /// Unit of its value and of differences.
    pub unit: &'static str,
    /// The legs it is compared on; of none, it is one figure of the run.
    pub legs: &'static [Leg],
    /// More is better.
    pub higher_is_better: bool,
    /// It bears on the overall verdict. What does not is shown: it costs, but nobody hears it.
    pub decides: bool,
    /// The least difference that matters.
    pub least: Least,
    /// How it is made.
    pub(super) figure: Figure,
}

/// The least difference that matters: the larger of an absolute one and a share of the baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Least {
    /// In the metric's unit.
    pub absolute: f64,
    /// Of the baseline's value.
    pub share: f64,
}

impl Least {
    /// In the metric's unit, at this value of the baseline.
    #[must_use]
    pub fn at(self, baseline: f64) -> f64 {
        self.absolute.max(self.share * baseline.abs())
    }
}

/// A unit's part of a ratio of sums.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) part: f64,
    pub(super) whole: f64,
}

impl Part {
    pub(super) fn plus(self, more: Self) -> Self {
        Self {
            part: self.part + more.part,
            whole: self.whole + more.whole,
        }
    }

    pub(super) fn ratio(self) -> Option<f64> {
        ratio(self.part, self.whole)
    }

    /// Percent of packets.
    fn percent(part: u64, whole: u64) -> Self {
        Self {
            part: 100.0 * float(part),
            whole: float(whole),
        }
    }

    /// Events in a thousand minutes of slots.
    fn rate(events: u64, slots: u64) -> Self {
        Self {
            part: 1000.0 * float(events),
            whole: float(slots) * PTIME_NS_F64 / 60e9,
        }
    }

    /// A mean of values of this weight.
    fn weighted(value: f64, weight: f64) -> Self {
        Self {
            part: value * weight,
            whole: weight,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "20 ms in ns")]
const PTIME_NS_F64: f64 = PTIME_NS as f64;

/// How a metric is made of a run's units.
#[derive(Clone, Copy, Debug)]
pub(super) enum Figure {
    /// A ratio of sums, over streams and over seconds.
    Ratio(
        fn(&StreamSample) -> Option<Part>,
        fn(&SecondSample) -> Option<Part>,
    ),
    /// A percentile of PDV over all packets.
    Pdv(Percentile),
    /// A percentile of MOS over streams.
    Mos(Percentile),
    /// A mean over seconds of the guest.
    Guest(fn(&GuestSecond) -> Option<f64>),
    /// A percentile of the lateness of the guest's playout ticks.
    TickLateness(Percentile),
    /// The mean over seconds of what transfers carried.
    Goodput,
    /// Silences of recordings in a thousand call-minutes.
    Silences,
}

const BOTH: &[Leg] = &Leg::BOTH;

const fn of_legs(
    path: &'static str,
    unit: &'static str,
    (absolute, share): (f64, f64),
    figure: Figure,
) -> ComparedMetric {
    ComparedMetric {
        path,
        unit,
        legs: BOTH,
        higher_is_better: false,
        decides: true,
        least: Least { absolute, share },
        figure,
    }
}

const METRICS: [ComparedMetric; 15] = [
    of_legs(
        "loss_percent",
        "percent",
        (0.05, 0.1),
        Figure::Ratio(
            |s| Some(Part::percent(s.lost, s.expected)),
            |s| Some(Part::percent(s.lost, s.expected)),
        ),
    ),
    of_legs(
        "discarded_percent",
        "percent",
        (0.05, 0.1),
        Figure::Ratio(
            |s| Some(Part::percent(s.discarded, s.expected)),
            |s| Some(Part::percent(s.discarded, s.expected)),
        ),
    ),
    ComparedMetric {
        // Of the receive leg it is the tester that does not send.
        legs: &[Leg::Sent],
        ..of_legs(
            "not_sent_percent",
            "percent",
            (0.05, 0.1),
            Figure::Ratio(
                |s| Some(Part::percent(s.not_sent, s.expected + s.not_sent)),
                |s| Some(Part::percent(s.not_sent, s.expected + s.not_sent)),
            ),
        )
    },
    of_legs(
        "interarrival_jitter_ms.mean",
        "ms",
        (0.5, 0.2),
        Figure::Ratio(
            |s| Some(Part::weighted(s.interarrival_jitter_mean_ms?, 1.0)),
            |s| {
                Some(Part::weighted(
                    s.interarrival_jitter_mean_ms?,
                    float(s.received),
                ))
            },
        ),
    ),
    of_legs("pdv_ms.p50", "ms", (0.5, 0.2), Figure::Pdv(Percentile::P50)),
    of_legs(
        "pdv_ms.p99",
        "ms",
        (1.0, 0.25),
        Figure::Pdv(Percentile::P99),
    ),
    of_legs(
        "pdv_ms.p999",
        "ms",
        (2.0, 0.5),
        Figure::Pdv(Percentile::P999),
    ),
    of_legs(
        "dead_air.per_1000_call_minutes",
        "per 1000 call-minutes",
        (1.0, 0.25),
        Figure::Ratio(
            |s| Some(Part::rate(s.dead_air_events, s.expected + s.not_sent)),
            |s| Some(Part::rate(s.dead_air_events, s.expected + s.not_sent)),
        ),
    ),
    ComparedMetric {
        higher_is_better: true,
        ..of_legs(
            "mos_lq.median",
            "MOS",
            (0.1, 0.0),
            Figure::Mos(Percentile::P50),
        )
    },
    ComparedMetric {
        higher_is_better: true,
        ..of_legs("mos_lq.p5", "MOS", (0.1, 0.0), Figure::Mos(Percentile::P5))
    },
    ComparedMetric {
        higher_is_better: true,
        // It moves from run to run by more than one run can tell, and nobody hears it.
        decides: false,
        ..of_legs(
            "transfer.goodput_mbps",
            "Mbit/s",
            (0.5, 0.1),
            Figure::Goodput,
        )
    },
    ComparedMetric {
        legs: &[],
        ..of_legs(
            "recordings.silence_per_1000_call_minutes",
            "per 1000 call-minutes",
            (1.0, 0.25),
            Figure::Silences,
        )
    },
    ComparedMetric {
        legs: &[],
        ..of_legs(
            "guest.tick_lateness_us.p99",
            "us",
            (2000.0, 0.25),
            Figure::TickLateness(Percentile::P99),
        )
    },
    ComparedMetric {
        legs: &[],
        decides: false,
        ..of_legs(
            "guest.cpu_percent",
            "percent",
            (2.0, 0.1),
            Figure::Guest(|s| s.cpu_percent),
        )
    },
    ComparedMetric {
        legs: &[],
        decides: false,
        ..of_legs(
            "guest.steal_percent",
            "percent",
            (1.0, 0.1),
            Figure::Guest(|s| s.steal_percent),
        )
    },
];

/// Everything that is compared, in the order of reports.
#[must_use]
pub fn compared_metrics() -> &'static [ComparedMetric] {
    &METRICS
}

impl ComparedMetric {
    /// Its noise is a share of its value rather than an amount: what is a delay on a quiet host is a multiple of it on a busy
    /// one, and so it is with what a transfer carries. Such metrics are compared by their ratio.
    pub(super) fn is_of_scale(&self) -> bool {
        match self.figure {
            Figure::Pdv(_) | Figure::TickLateness(_) | Figure::Goodput => true,
            Figure::Ratio(..) => self.unit == "ms",
            Figure::Mos(_) | Figure::Guest(_) | Figure::Silences => false,
        }
    }

    /// The legs as they are listed; none for a figure of the run.
    pub(super) fn places(&self) -> Vec<Option<Leg>> {
        if self.legs.is_empty() {
            vec![None]
        } else {
            self.legs.iter().copied().map(Some).collect()
        }
    }
}
