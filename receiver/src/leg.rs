//! What is counted over all streams of a leg, second by second.

use crate::due::DueLog;
use crate::stream::FirstCopy;
use milliwatt_wire::facts::{Fact, Scale};
use milliwatt_wire::id::Leg;
use milliwatt_wire::time::RunTime;

/// Distribution of |IPDV| and of how long packets lay in the kernel before they were read; and what held
/// the packets that were due together.
#[derive(Clone, Debug)]
pub struct LegLog {
    leg: Leg,
    second: u32,
    ipdv: Distribution,
    taken_after: Distribution,
    due: DueLog,
}

#[derive(Clone, Debug)]
struct Distribution {
    buckets: Box<[u32; 256]>,
    max: i64,
    count: u64,
}

impl Distribution {
    fn new() -> Self {
        Self {
            buckets: Box::new([0; 256]),
            max: 0,
            count: 0,
        }
    }

    #[inline]
    fn add(&mut self, ns: i64) {
        self.buckets[usize::from(Scale::LEG.bucket(ns))] += 1;
        self.max = self.max.max(ns);
        self.count += 1;
    }

    fn drain(&mut self) -> (Vec<(u8, u32)>, i64) {
        let counted = (0..=u8::MAX)
            .zip(self.buckets.iter())
            .filter(|(_, n)| **n > 0)
            .map(|(b, n)| (b, *n))
            .collect();
        let max = self.max;
        self.buckets.fill(0);
        (self.max, self.count) = (0, 0);
        (counted, max)
    }
}

impl LegLog {
    /// A log of nothing yet.
    #[must_use]
    pub fn new(leg: Leg) -> Self {
        Self {
            leg,
            second: 0,
            ipdv: Distribution::new(),
            taken_after: Distribution::new(),
            due: DueLog::new(leg),
        }
    }

    /// Counts one packet: its IPDV values, what it was late by, and how long after `arrived` it was `taken`.
    #[inline]
    pub fn count(
        &mut self,
        packet: FirstCopy,
        arrived: RunTime,
        taken: RunTime,
        facts: &mut impl FnMut(Fact),
    ) {
        if taken.second() > self.second {
            self.close(taken.second(), facts);
        }
        for value in packet.ipdv.into_iter().flatten() {
            self.ipdv.add(value.abs());
        }
        self.taken_after.add(taken - arrived);
        self.due.count(packet, taken - arrived, facts);
    }

    /// Closes the second under way, if it saw anything, and starts `next`.
    pub fn close(&mut self, next: u32, facts: &mut impl FnMut(Fact)) {
        if self.taken_after.count > 0 {
            let (ipdv, ipdv_max) = self.ipdv.drain();
            let (taken_after, taken_after_max) = self.taken_after.drain();
            facts(Fact::LegSecond {
                leg: self.leg,
                second: self.second,
                ipdv,
                ipdv_max,
                taken_after,
                taken_after_max,
            });
        }
        self.due.close(next, facts);
        self.second = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    /// A packet due a millisecond before it arrived.
    fn packet(arrived: i64, ipdv: [Option<i64>; 2]) -> FirstCopy {
        FirstCopy {
            slot: 0,
            due: RunTime(arrived - MS),
            above: 0,
            is_anchored_anew: false,
            ipdv,
        }
    }

    #[test]
    fn a_second_holds_its_own_values_and_exact_maxima() {
        let mut log = LegLog::new(Leg::Sent);
        let mut facts = Vec::new();
        for (arrived, taken, ipdv) in [
            (10 * MS, 12 * MS, [Some(-3 * MS), None]),
            (20 * MS, 21 * MS, [Some(MS), Some(2 * MS)]),
            (1000 * MS, 1000 * MS, [None, None]),
        ] {
            log.count(
                packet(arrived, ipdv),
                RunTime(arrived),
                RunTime(taken),
                &mut |f| facts.push(f),
            );
        }
        let [
            Fact::LegSecond {
                second: 0,
                ipdv,
                ipdv_max,
                taken_after,
                taken_after_max,
                ..
            },
        ] = facts.as_slice()
        else {
            panic!("{facts:?}");
        };
        assert_eq!(ipdv.iter().map(|(_, n)| n).sum::<u32>(), 3);
        assert_eq!(taken_after.iter().map(|(_, n)| n).sum::<u32>(), 2);
        assert_eq!((*ipdv_max, *taken_after_max), (3 * MS, 2 * MS));
    }
}
