//! How fast octets may leave: a token bucket over all connections of an end, in octets as a network interface counts.

use milliwatt_wire::time::{MonoTime, NS_PER_MS};

/// Octets written to a connection at a time: one full TLS record (RFC 8446 5.1).
pub const WRITE_OCTETS: u64 = 16 * 1024;
/// What TLS 1.3 adds to a record: header 5, content type 1, tag 16 (RFC 8446 5.2).
const RECORD_OVERHEAD_OCTETS: u64 = 22;
/// Payload of a full TCP segment on Ethernet: 1500 less IPv4 20, TCP 20 and its time stamps 12.
const SEGMENT_OCTETS: u64 = 1448;
/// Ethernet 14, IPv4 20, TCP 20 with time stamps 12.
const SEGMENT_OVERHEAD_OCTETS: u64 = 66;
/// The bucket holds what the rate gives in this time, or one write where that is more.
const DEPTH_NS: i64 = 5 * NS_PER_MS;
/// Credit of one octet: a rate in bit/s times a time in ns is counted in these.
const OCTET: i128 = 8_000_000_000;

/// What a write of so many octets weighs on the network, about: with TLS, TCP, IP and Ethernet headers.
#[must_use]
pub fn network_octets(written: u64) -> u64 {
    let sealed = written + written.div_ceil(WRITE_OCTETS) * RECORD_OVERHEAD_OCTETS;
    sealed + sealed.div_ceil(SEGMENT_OCTETS) * SEGMENT_OVERHEAD_OCTETS
}

/// A token bucket whose rate can be changed while it runs. A write may go as soon as there is any credit, and may
/// leave a debt: in any time t at most rate x t, the bucket's depth and one write leave.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Bit/s; none is without a limit.
    rate: Option<u64>,
    /// In 1e-9 bit; below zero it is owed.
    credit: i128,
    /// When credit was last worked out.
    at: MonoTime,
    /// What the rate gave while it was counted, and was not told yet, in 1e-9 bit; none while nothing was paced.
    allowed: Option<i128>,
    /// There is something to send, so that what the rate gives is counted.
    is_counted: bool,
}

impl Pace {
    /// At this rate, bit/s, or without a limit; an empty bucket.
    #[must_use]
    pub fn new(rate: Option<u64>, now: MonoTime) -> Self {
        Self {
            rate,
            credit: 0,
            at: now,
            allowed: None,
            is_counted: false,
        }
    }

    /// Changes the rate from now on. Credit and debt of before stay, up to what the new bucket holds.
    pub fn set_rate(&mut self, rate: Option<u64>, now: MonoTime) {
        self.settle(now);
        self.credit = match (self.rate, rate) {
            (Some(_), Some(rate)) => self.credit.min(depth(rate)),
            _ => 0,
        };
        self.rate = rate;
    }

    /// Whether what the rate gives is counted as allowed from now on: while there is something to send.
    pub fn set_counted(&mut self, is_counted: bool, now: MonoTime) {
        self.settle(now);
        self.is_counted = is_counted;
    }

    /// Takes credit for a write of so many network octets. Where there is none: from when on it is worth asking again.
    pub fn take(&mut self, octets: u64, now: MonoTime) -> Result<(), MonoTime> {
        let Some(rate) = self.rate else { return Ok(()) };
        self.settle(now);
        if self.credit > 0 {
            self.credit -= i128::from(octets) * OCTET;
            return Ok(());
        }
        let wait = (1 - self.credit + i128::from(rate) - 1).checked_div(rate.into());
        let wait = wait.and_then(|ns| i64::try_from(ns).ok());
        Err(MonoTime(
            wait.map_or(i64::MAX, |ns| now.0.saturating_add(ns)),
        ))
    }

    /// Whole octets that the rate gave since the last time, while that was counted; none when nothing was paced.
    pub fn take_allowed(&mut self, now: MonoTime) -> Option<u64> {
        self.settle(now);
        let allowed = self.allowed?;
        let octets = allowed / OCTET;
        let goes_on = self.is_counted && self.rate.is_some();
        self.allowed = goes_on.then_some(allowed - octets * OCTET);
        u64::try_from(octets).ok()
    }

    fn settle(&mut self, now: MonoTime) {
        let passed = (now - self.at).max(0);
        self.at = self.at.max(now);
        let Some(rate) = self.rate else { return };
        let given = i128::from(rate) * i128::from(passed);
        self.credit = (self.credit + given).min(depth(rate));
        if self.is_counted {
            *self.allowed.get_or_insert(0) += given;
        }
    }
}

fn depth(rate: u64) -> i128 {
    let write = i128::from(network_octets(WRITE_OCTETS)) * OCTET;
    write.max(i128::from(rate) * i128::from(DEPTH_NS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::NS_PER_SECOND;
    use proptest::prelude::*;

    /// 16,384 + 22 = 16,406 in 12 segments of 66 more: 17,198.
    const WRITE: u64 = 17_198;

    #[test]
    fn headers_are_those_of_each_record_and_each_segment() {
        assert_eq!(network_octets(WRITE_OCTETS), WRITE);
        assert_eq!(network_octets(1), 1 + 22 + 66);
        // Two records: 32,769 + 66 = 32,835, in 23 segments.
        assert_eq!(network_octets(2 * WRITE_OCTETS + 1), 32_835 + 23 * 66);
        assert_eq!(network_octets(0), 0);
    }

    /// Sends writes as soon as they may go, woken `late` ns after that; gives when each went.
    fn greedy(pace: &mut Pace, from: MonoTime, until: MonoTime, late: i64) -> Vec<MonoTime> {
        let (mut now, mut sent) = (from, Vec::new());
        while now < until {
            match pace.take(WRITE, now) {
                Ok(()) => sent.push(now),
                Err(at) => now = at + late,
            }
        }
        sent
    }

    fn octets(sent: &[MonoTime]) -> u64 {
        sent.len() as u64 * WRITE
    }

    /// Timers that wake 2 ms late cost nothing: the bucket holds 5 ms.
    #[test]
    fn a_rate_is_kept_to_one_percent_over_a_second() {
        for rate in [8_000_000_u64, 20_000_000, 100_000_000, 1_000_000_000] {
            for late in [0, 2 * NS_PER_MS] {
                let mut pace = Pace::new(Some(rate), MonoTime(5));
                let sent = greedy(&mut pace, MonoTime(5), MonoTime(5 + NS_PER_SECOND), late);
                let (octets, expected) = (octets(&sent), rate / 8);
                // One write is 1.4 % of a second at 10 Mbit/s: allowed beside the 1 %.
                assert!(
                    octets.abs_diff(expected) <= expected / 100 + WRITE,
                    "{octets} octets at {rate} bit/s, {late} ns late"
                );
            }
        }
    }

    /// 20 Mbit/s for a second are 2.5 MB, then 60 Mbit/s 7.5 MB: a change counts from its time on, to the write.
    #[test]
    fn a_changed_rate_holds_from_its_time_on() {
        let mut pace = Pace::new(Some(20_000_000), MonoTime(0));
        let second = |n: i64| MonoTime(n * NS_PER_SECOND);
        let first = octets(&greedy(&mut pace, second(0), second(1), 0));
        pace.set_rate(Some(60_000_000), second(1));
        let then = octets(&greedy(&mut pace, second(1), second(2), 0));
        assert!(first.abs_diff(2_500_000) <= WRITE, "{first}");
        assert!(then.abs_diff(7_500_000) <= 2 * WRITE, "{then}");
        pace.set_rate(None, second(2));
        assert_eq!(pace.take(u64::MAX, second(2)), Ok(()), "no limit");
        pace.set_rate(Some(8), second(2));
        assert_eq!(
            pace.take(1, second(2)),
            Err(MonoTime(2 * NS_PER_SECOND + 1)),
            "nothing was saved up"
        );
    }

    /// After an hour's rest 5 ms' worth of 100 Mbit/s, 62,500 octets, and one write may go at once: 3.6 writes, and
    /// what there is credit left for, 4 in all. At 1 Mbit/s the bucket holds one write: it, and no second one.
    #[test]
    fn rest_earns_no_more_than_the_bucket_holds() {
        let rested = |rate| {
            let mut pace = Pace::new(Some(rate), MonoTime(0));
            let now = MonoTime(3600 * NS_PER_SECOND);
            (0..100)
                .take_while(|_| pace.take(WRITE, now).is_ok())
                .count()
        };
        assert_eq!(rested(100_000_000), 4);
        assert_eq!(rested(1_000_000), 1);
    }

    #[test]
    fn a_rate_of_zero_lets_nothing_go_ever() {
        let mut pace = Pace::new(Some(0), MonoTime(0));
        assert_eq!(
            pace.take(1, MonoTime(NS_PER_SECOND)),
            Err(MonoTime(i64::MAX))
        );
    }

    /// Half a second of rest, half a second at 8 Mbit/s, another at 16: 0.5 + 1.0 MB, whatever was sent of them.
    #[test]
    fn what_was_allowed_is_the_rate_over_the_time_in_which_something_was_to_be_sent() {
        let mut pace = Pace::new(Some(8_000_000), MonoTime(0));
        let half = |n: i64| MonoTime(n * NS_PER_SECOND / 2);
        assert_eq!(pace.take_allowed(half(0)), None);
        pace.set_counted(true, half(1));
        pace.set_rate(Some(16_000_000), half(2));
        assert_eq!(pace.take_allowed(half(3)), Some(1_500_000));
        assert_eq!(pace.take_allowed(half(3)), Some(0), "paced, and no time");
        pace.set_rate(None, half(3));
        assert_eq!(pace.take_allowed(half(4)), Some(0));
        assert_eq!(pace.take_allowed(half(5)), None, "not paced at all");
    }

    proptest! {
        /// Whenever it is asked: between any two writes at most rate x time, the bucket and one write have gone.
        #[test]
        fn no_stretch_of_time_holds_more_than_its_share_and_the_bucket(
            rate in 100_000_u64..2_000_000_000, waits in proptest::collection::vec(0_i64..20_000_000, 1..40)
        ) {
            let mut pace = Pace::new(Some(rate), MonoTime(0));
            let (mut now, mut sent) = (MonoTime(0), Vec::new());
            for wait in waits {
                now = now + wait;
                for _ in 0..50 {
                    if pace.take(WRITE, now).is_err() { break }
                    sent.push(now);
                }
            }
            for (first, from) in sent.iter().enumerate() {
                for (last, until) in sent.iter().enumerate().skip(first) {
                    let gone = (last - first + 1) as i128 * i128::from(WRITE) * OCTET;
                    let share = i128::from(rate) * i128::from(*until - *from);
                    prop_assert!(gone <= share + depth(rate) + i128::from(WRITE) * OCTET);
                }
            }
        }
    }
}
