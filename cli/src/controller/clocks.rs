//! The relation between the two hosts' clocks, from the exchanges on the control channel.

use milliwatt_wire::time::{MonoTime, NS_PER_SECOND};

/// One four-timestamp exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    pub(super) t1: MonoTime,
    pub(super) t2: MonoTime,
    pub(super) t3: MonoTime,
    pub(super) t4: MonoTime,
}

impl Exchange {
    /// Agent minus tester, ns; wrong by at most half the round trip.
    pub(super) fn offset(&self) -> i64 {
        i64::midpoint(self.t2 - self.t1, self.t3 - self.t4)
    }

    /// Time on the way, both ways together, ns.
    pub(super) fn round_trip(&self) -> i64 {
        (self.t4 - self.t1) - (self.t3 - self.t2)
    }
}

/// Best exchange of the first ten seconds and of the last: their slope is the skew. What an offset stepped by from one ten
/// seconds to the next is none: a clock was set, or stood still with its machine.
#[derive(Clone, Debug, Default)]
pub(super) struct SkewEstimate {
    first: Option<Exchange>,
    /// Of the ten seconds before the last.
    before: Option<Exchange>,
    last: Option<Exchange>,
    /// What the offset stepped by since the first, ns.
    stepped: i64,
}

/// No clock runs faster or slower by more, ns each second: NTP slews at most so much.
const SKEW_MAX_NS: i64 = 500_000;

/// Exchanges of one such window are compared by round trip, the fastest counts.
const WINDOW_NS: i64 = 10 * NS_PER_SECOND;
/// Below this span the offsets' own error is larger than any skew worth correcting.
const SPAN_MIN_NS: i64 = 30 * NS_PER_SECOND;

impl SkewEstimate {
    /// Takes an exchange; gives the skew in parts per billion when it is known anew.
    pub(super) fn take(&mut self, exchange: Exchange) -> Option<i64> {
        let window = |e: &Exchange| e.t1.0.div_euclid(WINDOW_NS);
        match &mut self.last {
            Some(last) if window(last) == window(&exchange) => {
                if exchange.round_trip() < last.round_trip() {
                    *last = exchange;
                }
                None
            }
            _ => {
                self.note_step();
                let skew = self.skew();
                self.first = self.first.or(self.last);
                self.before = self.last.replace(exchange);
                skew
            }
        }
    }

    /// An offset that moved further than any skew and the error of both exchanges explain stepped.
    fn note_step(&mut self) {
        let (Some(before), Some(last)) = (self.before, self.last) else {
            return;
        };
        let moved = last.offset() - before.offset();
        let span = (last.t1 - before.t1) / NS_PER_SECOND + 1;
        let error = i64::midpoint(last.round_trip(), before.round_trip());
        if moved.abs() > span * SKEW_MAX_NS + error {
            self.stepped += moved;
        }
    }

    fn skew(&self) -> Option<i64> {
        let (first, last) = (self.first?, self.last?);
        let span = last.t1 - first.t1;
        if span < SPAN_MIN_NS {
            return None;
        }
        let moved = i128::from(last.offset() - first.offset() - self.stepped);
        i64::try_from(moved * i128::from(NS_PER_SECOND) / i128::from(span)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(t1: i64, there: i64, back: i64, offset: i64) -> Exchange {
        let (t2, t3) = (t1 + there + offset, t1 + there + offset + 1000);
        Exchange {
            t1: MonoTime(t1),
            t2: MonoTime(t2),
            t3: MonoTime(t3),
            t4: MonoTime(t3 - offset + back),
        }
    }

    #[test]
    fn the_worked_exchange_gives_its_offset_and_round_trip() {
        let ms = |x: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "small test values")]
            let ns = (x * 1e6) as i64;
            MonoTime(ns)
        };
        let e = Exchange {
            t1: ms(100_000.0),
            t2: ms(150_012.0),
            t3: ms(150_013.0),
            t4: ms(100_030.0),
        };
        assert_eq!((e.offset(), e.round_trip()), (49_997_500_000, 29_000_000));
    }

    /// The guest's clock stands still for a second at 47 s, with its machine; before and after it gains 0.1 ms a second.
    #[test]
    fn a_clock_that_stood_still_has_no_other_skew() {
        let mut estimate = SkewEstimate::default();
        let mut known = Vec::new();
        for second in 0..200_i64 {
            let stood = if second < 47 { 0 } else { NS_PER_SECOND };
            let offset = second * 100_000 - stood;
            let e = exchange(second * NS_PER_SECOND, 100_000, 100_000, offset);
            known.extend(estimate.take(e));
        }
        assert!(known.len() > 10);
        // Of the ten seconds in which it stepped, what it gained is taken for a part of the step: 1 ms of 200 s.
        for ppb in known {
            assert!((70_000..=101_000).contains(&ppb), "{ppb} ppb");
        }
    }

    #[test]
    fn a_hundred_parts_per_million_are_found_through_queueing() {
        let mut estimate = SkewEstimate::default();
        let mut known = None;
        for second in 0..120_i64 {
            let queue = (second % 7) * 900_000;
            let e = exchange(
                second * NS_PER_SECOND,
                100_000 + queue,
                100_000,
                second * 100_000,
            );
            known = estimate.take(e).or(known);
        }
        let ppb = known.expect("two minutes are enough");
        assert!((99_000..=101_000).contains(&ppb), "{ppb} ppb");
    }
}
