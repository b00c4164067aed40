//! Whether what is amiss on a leg follows the transfer of recordings on it.

use super::Summary;
use super::end::{float, mean, ms, ratio};
use super::leg::{LegSecond, TRANSFER_OCTETS, mbps_of, merged};
use crate::judgement::StepLimits;
use crate::percentile::Percentile;
use crate::rank_correlation::spearman;
use milliwatt_wire::id::Leg;

/// A second has transfer where there is more of it than this part of the largest second's.
const RUNS_ABOVE: f64 = 0.1;
/// So many of the bad seconds must have transfer, percent.
const FOLLOWS_PERCENT: usize = 90;
/// Fewer seconds without transfer than these are no comparison.
const APART_LEAST: usize = 2;
/// Fewer bad seconds than these are chance.
const BAD_LEAST: usize = 3;
/// That so many bad seconds all fall among those with transfer must be less likely than this, were they anywhere.
const CHANCE_MOST: f64 = 0.05;
/// Where transfer never pauses: so many seconds, and ranks that correlate so much.
const TOGETHER_LEAST: usize = 10;
const CORRELATED: f64 = 0.7;

/// What is amiss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amiss {
    Delay,
    Loss,
}

/// A second that is no tester's fault.
struct Second<'a> {
    number: u32,
    tally: &'a LegSecond,
    transfer_mbps: f64,
}

/// Seconds by whether transfer ran in them; those right after it, in which its queue drains, are neither.
struct Parted<'a> {
    with: Vec<&'a Second<'a>>,
    without: Vec<&'a Second<'a>>,
}

impl Summary<'_> {
    /// The note about the leg that transfers, where its delay variation or loss is past the limits; none where it cannot
    /// be told whether it follows the transfer.
    pub(super) fn transfer_note(&self, limits: &StepLimits) -> Option<String> {
        let [receive, sent] = Leg::BOTH.map(|leg| self.transfer_seconds(leg));
        let sum = |seconds: &[Second]| {
            seconds
                .iter()
                .map(|second| second.transfer_mbps)
                .sum::<f64>()
        };
        // The other way only acknowledgements go.
        let (leg, seconds) = if sum(&receive) > sum(&sent) {
            (Leg::Receive, receive)
        } else {
            (Leg::Sent, sent)
        };
        let all: Vec<&Second> = seconds.iter().collect();
        let amiss = [Amiss::Delay, Amiss::Loss]
            .into_iter()
            .find(|amiss| amiss.is_past(&all, limits))?;
        let parted = part(&seconds)?;
        if parted.without.len() >= APART_LEAST {
            return amiss.compared(leg, &parted, limits);
        }
        (!self.is_stepped())
            .then(|| amiss.correlated(leg, &all))
            .flatten()
    }

    /// Seconds of full load with packets, without those that the tester spoilt; of steps, all but their first.
    fn transfer_seconds(&self, leg: Leg) -> Vec<Second<'_>> {
        let full = super::seconds_of(self.full.as_ref());
        let tallies = self.leg(leg).seconds.range(full);
        let clean = tallies.filter(|(second, tally)| {
            tally.expected > 0 && !self.tainted.contains(second) && self.is_held(**second)
        });
        clean
            .filter_map(|(number, tally)| {
                Some(Second {
                    number: *number,
                    transfer_mbps: mbps_of(TRANSFER_OCTETS(tally.sent.as_ref()?)?),
                    tally,
                })
            })
            .collect()
    }

    /// Load is held in this second: in a step, but for its first; always where there are none.
    fn is_held(&self, second: u32) -> bool {
        let at = f64::from(second);
        let mut steps = self.steps.iter();
        self.steps.is_empty()
            || steps.any(|step| at >= step.from_s + 1.0 && at + 1.0 <= step.until_s)
    }
}

/// Seconds with and without transfer; none where nothing was transferred.
fn part<'a>(seconds: &'a [Second<'a>]) -> Option<Parted<'a>> {
    let largest = super::end::largest(seconds.iter().map(|second| second.transfer_mbps))?;
    let runs = |second: &Second| second.transfer_mbps > RUNS_ABOVE * largest;
    let running: Vec<u32> = seconds
        .iter()
        .filter(|second| runs(second))
        .map(|second| second.number)
        .collect();
    let drains = |second: &&Second| {
        let before = second.number.checked_sub(1);
        before.is_some_and(|before| running.binary_search(&before).is_ok())
    };
    let (with, rest): (Vec<&Second>, Vec<&Second>) =
        seconds.iter().partition(|second| runs(second));
    (!with.is_empty()).then(|| Parted {
        with,
        without: rest.into_iter().filter(|second| !drains(second)).collect(),
    })
}

impl Amiss {
    /// Its measure over some seconds: PDV p99.9 in ms, or percent lost.
    fn over(self, seconds: &[&Second]) -> f64 {
        let tallies = || seconds.iter().map(|second| second.tally);
        match self {
            Self::Delay => merged(tallies().map(|tally| &tally.pdv))
                .percentile(Percentile::P999)
                .map_or(0.0, ms),
            Self::Loss => {
                let (lost, expected) = tallies().fold((0, 0), |(lost, expected), tally| {
                    (lost + tally.lost, expected + tally.expected)
                });
                ratio(100.0 * float(lost), float(expected)).unwrap_or(0.0)
            }
        }
    }

    fn is_past(self, seconds: &[&Second], limits: &StepLimits) -> bool {
        let limit = match self {
            Self::Delay => limits.pdv_p999_ms,
            Self::Loss => limits.loss_percent,
        };
        self.over(seconds) > limit
    }

    /// In words; and its measure over some seconds.
    fn name(self) -> &'static str {
        match self {
            Self::Delay => "delay variation",
            Self::Loss => "loss",
        }
    }

    fn told(self, seconds: &[&Second]) -> String {
        match self {
            Self::Delay => format!("PDV p99.9 is {} ms", short(self.over(seconds))),
            Self::Loss => format!("{} % is lost", short(self.over(seconds))),
        }
    }

    /// It follows where the bad seconds have transfer, and those without it are good all together.
    fn compared(self, leg: Leg, parted: &Parted, limits: &StepLimits) -> Option<String> {
        let Parted { with, without } = parted;
        let bad = |seconds: &[&Second]| {
            let bad = seconds
                .iter()
                .filter(|second| self.is_past(&[**second], limits));
            bad.count()
        };
        let (bad_with, bad_without) = (bad(with), bad(without));
        let all_bad = bad_with + bad_without;
        if all_bad < BAD_LEAST {
            return None;
        }
        let follows = 100 * bad_with >= FOLLOWS_PERCENT * all_bad && !self.is_past(without, limits);
        if follows && chance(with.len(), without.len(), bad_with) > CHANCE_MOST {
            return None;
        }
        let figures = format!(
            "{} in the {} s with transfer ({} Mbit/s in the mean) and {} in the {} s without",
            self.told(with),
            with.len(),
            short(mean(with.iter().map(|second| second.transfer_mbps)).unwrap_or(0.0)),
            short_of(self, without),
            without.len()
        );
        Some(if follows {
            format!(
                "{}: {} follows recording transfer: {figures}: {}",
                leg.title(),
                self.name(),
                advice(leg)
            )
        } else {
            format!(
                "{}: {} does not follow recording transfer: {figures}: look for its cause elsewhere first",
                leg.title(),
                self.name()
            )
        })
    }

    /// Transfer never pauses: it follows where it rises and falls with it.
    fn correlated(self, leg: Leg, all: &[&Second]) -> Option<String> {
        let pairs: Vec<(f64, f64)> = all
            .iter()
            .map(|second| (second.transfer_mbps, self.over(&[*second])))
            .collect();
        let correlation = spearman(&pairs).filter(|_| pairs.len() >= TOGETHER_LEAST)?;
        (correlation >= CORRELATED).then(|| {
            format!(
                "{}: {} follows recording transfer: over {} s it rises and falls with it (rank correlation {correlation:.2}): {}",
                leg.title(),
                self.name(),
                pairs.len(),
                advice(leg)
            )
        })
    }
}

/// How likely it is that `bad` seconds, were they anywhere, are all among those with transfer.
fn chance(with: usize, without: usize, bad: usize) -> f64 {
    let share = ratio(float(with as u64), float((with + without) as u64)).unwrap_or(1.0);
    share.powi(i32::try_from(bad).unwrap_or(i32::MAX))
}

fn advice(leg: Leg) -> &'static str {
    match leg {
        Leg::Receive => {
            "the transfer shares the receive path with RTP; pace it (transfer.rate) or give it less"
        }
        Leg::Sent => {
            "the transfer shares the send path with RTP; pace it (transfer.rate) or give it less"
        }
    }
}

fn short_of(amiss: Amiss, seconds: &[&Second]) -> String {
    let unit = match amiss {
        Amiss::Delay => "ms",
        Amiss::Loss => "%",
    };
    format!("{} {unit}", short(amiss.over(seconds)))
}

/// A number for people: whole from 10 on, else to a tenth.
fn short(value: f64) -> String {
    if value >= 10.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}
