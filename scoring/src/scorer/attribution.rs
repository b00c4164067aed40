//! Whose doing delay variation was, second by second: METRICS.md, Attribution.
//!
//! An end's own record comes first: what it says it was late is its own, and only the rest is the path's.

use super::Summary;
use super::end::{EndRecord, float, lateness_of, ms, ratio, seconds_of};
use crate::measured::{Attribution, DelayParts, LegAttribution, WorstSecond};
use milliwatt_wire::facts::{DueSecond, PacingSecond};
use milliwatt_wire::id::Leg;

/// How late a receiver without the kernel's stamps is: arrival is when it read, and how long it did not read is not told
/// from how long the packet was on its way.
const UNTOLD: i64 = i64::MAX;

/// What was told of the packets of a leg that were due in one second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DueTally {
    packets: u64,
    above_sum: i64,
    above_max: i64,
    common_packets: u64,
    common_sum: i64,
    common_at_max: Option<i64>,
    taken_after_sum: i64,
    taken_after_max: i64,
}

/// What held a packet, ns, before it is said whose doing it was.
#[derive(Clone, Copy, Debug)]
struct Held {
    above: i64,
    common: Option<i64>,
    sender_late: i64,
    receiver_late: i64,
    taken_after: i64,
}

/// How late an end was in one second, ns.
#[derive(Clone, Copy, Debug, Default)]
struct OwnLateness {
    /// Mean over what was sent.
    sent_mean: i64,
    /// Mean over all that was due.
    mean: i64,
    max: i64,
}

impl DueTally {
    pub(super) fn add(&mut self, more: &DueSecond) {
        if self.packets == 0 || more.above_max > self.above_max {
            self.above_max = more.above_max;
            self.common_at_max = more.common_at_max;
        }
        self.packets += u64::from(more.packets);
        self.above_sum += more.above_sum;
        self.common_packets += u64::from(more.common_packets);
        self.common_sum += more.common_sum;
        self.taken_after_sum += more.taken_after_sum;
        self.taken_after_max = self.taken_after_max.max(more.taken_after_max);
    }

    /// The mean over the packets of the second; none without any.
    fn mean(&self, sender: OwnLateness, receiver: OwnLateness) -> Option<Held> {
        Some(Held {
            above: quotient(self.above_sum, self.packets)?,
            common: quotient(self.common_sum, self.common_packets),
            sender_late: sender.sent_mean,
            receiver_late: receiver.mean,
            taken_after: quotient(self.taken_after_sum, self.packets)?,
        })
    }

    fn most(&self, sender: OwnLateness, receiver: OwnLateness) -> Held {
        Held {
            above: self.above_max,
            common: self.common_at_max,
            sender_late: sender.max,
            receiver_late: receiver.max,
            taken_after: self.taken_after_max,
        }
    }

    /// The largest delay that bears on the guest: how late the tester reads is its own matter.
    fn extent(&self, leg: Leg) -> i64 {
        match leg {
            Leg::Receive => self.above_max.max(self.taken_after_max),
            Leg::Sent => self.above_max,
        }
    }
}

impl Held {
    fn parts(self, leg: Leg) -> DelayParts {
        let sender = self.sender_late.clamp(0, self.above);
        let path = self.above - sender;
        let common = self.common.filter(|_| self.receiver_late != UNTOLD);
        let common = common.map(|common| (common - sender).clamp(0, path));
        // A machine that stands still with its kernel stamps late all that comes meanwhile.
        let receiver = self.receiver_late.clamp(0, common.unwrap_or(path));
        let (tester, guest) = match leg {
            Leg::Receive => (sender, receiver + self.taken_after),
            Leg::Sent => (receiver, sender),
        };
        DelayParts {
            pdv_ms: ms(self.above),
            tester_ms: ms(tester),
            guest_ms: ms(guest),
            path_ms: ms(path - receiver),
            path_common_ms: common.map(|common| ms(common - receiver)),
            path_stream_ms: common.map(|common| ms(path - common)),
        }
    }
}

impl OwnLateness {
    fn of(end: &EndRecord, second: u32) -> Self {
        end.pacing
            .get(&second)
            .map_or_else(Self::default, |pacing| Self {
                sent_mean: mean_of_first(pacing, pacing.sent.into()),
                mean: mean_of_first(pacing, u64::MAX),
                max: pacing.lateness_max,
            })
    }
}

/// Mean lateness of the `count` that were least late: what was not sent was later than what was.
fn mean_of_first(pacing: &PacingSecond, count: u64) -> i64 {
    let (mut sum, mut counted) = (0, 0);
    for (ns, more) in lateness_of(pacing).counts() {
        let more = more.min(count - counted);
        sum += ns * i64::try_from(more).unwrap_or(0);
        counted += more;
    }
    quotient(sum, counted).unwrap_or(0)
}

fn quotient(sum: i64, count: u64) -> Option<i64> {
    sum.checked_div(i64::try_from(count).ok()?)
}

impl Summary<'_> {
    /// Both legs, over full load.
    pub(super) fn attribution(&self) -> Attribution {
        Attribution {
            receive: self.attribution_of(Leg::Receive),
            sent: self.attribution_of(Leg::Sent),
        }
    }

    /// What held the packets due in a second, in the mean.
    pub(super) fn delay(&self, leg: Leg, second: u32) -> Option<DelayParts> {
        let due = self.leg(leg).seconds.get(&second)?.due;
        let (sender, receiver) = self.lateness(leg, second);
        Some(due.mean(sender, receiver)?.parts(leg))
    }

    /// The sender's and the receiver's.
    fn lateness(&self, leg: Leg, second: u32) -> (OwnLateness, OwnLateness) {
        let receiver = self.end(super::receiver_of(leg));
        let received = if receiver.stamps_arrivals() {
            OwnLateness::of(receiver, second)
        } else {
            OwnLateness {
                sent_mean: UNTOLD,
                mean: UNTOLD,
                max: UNTOLD,
            }
        };
        (OwnLateness::of(self.sender(leg), second), received)
    }

    fn attribution_of(&self, leg: Leg) -> LegAttribution {
        let full = seconds_of(self.full.as_ref());
        let weighed = full.clone().filter_map(|second| {
            let packets = self.leg(leg).seconds.get(&second)?.due.packets;
            Some((float(packets), self.delay(leg, second)?))
        });
        let mut shares = Shares::default();
        weighed.for_each(|(packets, parts)| shares.add(packets, &parts));
        LegAttribution {
            worst: self.worst_second(leg, full),
            ..shares.percent()
        }
    }

    fn worst_second(&self, leg: Leg, full: std::ops::Range<u32>) -> Option<WorstSecond> {
        let seconds = self.leg(leg).seconds.range(full);
        let told = seconds.filter(|(_, tally)| tally.due.packets > 0);
        let worst = told.reduce(|worst, next| {
            if next.1.due.extent(leg) > worst.1.due.extent(leg) {
                next
            } else {
                worst
            }
        });
        let (second, tally) = worst?;
        let (sender, receiver) = self.lateness(leg, *second);
        let parts = tally.due.most(sender, receiver).parts(leg);
        Some(WorstSecond {
            at_s: f64::from(*second),
            tainted: self.tainted.contains(second),
            origin: parts.origin(),
            parts,
        })
    }
}

/// Parts summed over packets, ms.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    packets: f64,
    sum: DelayParts,
    /// A second in which the path's part could not be divided.
    undivided: bool,
}

impl Shares {
    fn add(&mut self, packets: f64, parts: &DelayParts) {
        let add = |sum: &mut f64, more: f64| *sum += packets * more;
        self.packets += packets;
        add(&mut self.sum.pdv_ms, parts.pdv_ms);
        add(&mut self.sum.tester_ms, parts.tester_ms);
        add(&mut self.sum.guest_ms, parts.guest_ms);
        add(&mut self.sum.path_ms, parts.path_ms);
        let common = self.sum.path_common_ms.get_or_insert_default();
        add(common, parts.path_common_ms.unwrap_or(0.0));
        let stream = self.sum.path_stream_ms.get_or_insert_default();
        add(stream, parts.path_stream_ms.unwrap_or(0.0));
        self.undivided |= parts.path_common_ms.is_none();
    }

    fn percent(&self) -> LegAttribution {
        let all = self.sum.tester_ms + self.sum.guest_ms + self.sum.path_ms;
        let percent = |part: f64| ratio(100.0 * part, all);
        let divided = |part: Option<f64>| percent(part.filter(|_| !self.undivided)?);
        LegAttribution {
            pdv_mean_ms: ratio(self.sum.pdv_ms, self.packets),
            tester_percent: percent(self.sum.tester_ms),
            guest_percent: percent(self.sum.guest_ms),
            path_percent: percent(self.sum.path_ms),
            path_common_percent: divided(self.sum.path_common_ms),
            path_stream_percent: divided(self.sum.path_stream_ms),
            worst: None,
        }
    }
}
