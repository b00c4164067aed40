//! Bursts and gaps of impaired packets (lost, or discarded at playout), RFC 3611 4.7.1 and 4.7.2, by the direct
//! definition: a burst is the longest run that begins and ends with an impaired packet and holds no Gmin or more
//! received ones in a row; all else is gap, and so is an impaired packet that stands alone. The session counts as
//! preceded and followed by Gmin received packets. (The counters of appendix A.2 miscount the first isolated loss
//! and leave out the tail.)

use crate::measured::BurstGap;

/// Received packets in a row that end a burst: what RFC 3611 4.7.2 recommends.
pub const GMIN: u64 = 16;

/// Sums of one stream or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BurstGapTotals {
    /// Bursts.
    pub bursts: u64,
    /// Packets in them.
    pub burst_packets: u64,
    /// Impaired packets in them.
    pub burst_impaired: u64,
    /// Stretches between, before and after bursts.
    pub gaps: u64,
    /// Packets in them.
    pub gap_packets: u64,
    /// Impaired packets in them.
    pub gap_impaired: u64,
}

/// Impaired packets that may still become one burst.
#[derive(Clone, Copy, Debug)]
struct Group {
    first: u64,
    last: u64,
    impaired: u64,
}

/// Takes impaired packets in order of their place in the stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct BurstGapLog {
    totals: BurstGapTotals,
    group: Option<Group>,
    /// One past the last packet of the last burst.
    burst_end: u64,
}

impl BurstGapLog {
    /// The packet at this place, counted from 0, was lost or discarded.
    pub fn impair(&mut self, place: u64) {
        match &mut self.group {
            Some(group) if place.saturating_sub(group.last + 1) < GMIN => {
                group.last = place;
                group.impaired += 1;
            }
            _ => {
                self.close();
                self.group = Some(Group {
                    first: place,
                    last: place,
                    impaired: 1,
                });
            }
        }
    }

    fn close(&mut self) {
        let Some(group) = self.group.take() else {
            return;
        };
        if group.impaired == 1 {
            self.totals.gap_impaired += 1;
            return;
        }
        self.totals.bursts += 1;
        self.totals.burst_packets += group.last + 1 - group.first;
        self.totals.burst_impaired += group.impaired;
        self.add_gap(group.first);
        self.burst_end = group.last + 1;
    }

    fn add_gap(&mut self, end: u64) {
        let packets = end.saturating_sub(self.burst_end);
        self.totals.gaps += u64::from(packets > 0);
        self.totals.gap_packets += packets;
    }

    /// The sums of a stream of so many packets, received and lost.
    #[must_use]
    pub fn finish(mut self, packets: u64) -> BurstGapTotals {
        self.close();
        self.add_gap(packets);
        self.totals
    }
}

impl BurstGapTotals {
    /// Adds another stream's.
    pub fn add(&mut self, other: &Self) {
        self.bursts += other.bursts;
        self.burst_packets += other.burst_packets;
        self.burst_impaired += other.burst_impaired;
        self.gaps += other.gaps;
        self.gap_packets += other.gap_packets;
        self.gap_impaired += other.gap_impaired;
    }

    /// As figures, for packets of so many ms.
    #[must_use]
    pub fn figures(&self, ptime_ms: f64) -> BurstGap {
        let percent = |part, whole| share(part, whole).map(|share| share * 100.0);
        BurstGap {
            bursts: self.bursts,
            burst_density_percent: percent(self.burst_impaired, self.burst_packets),
            burst_duration_ms: share(self.burst_packets, self.bursts).map(|mean| mean * ptime_ms),
            gap_density_percent: percent(self.gap_impaired, self.gap_packets),
            gap_duration_ms: share(self.gap_packets, self.gaps).map(|mean| mean * ptime_ms),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A share as RFC 3611 4.7 carries it: in 1/256, rounded down, 255 at most.
#[must_use]
pub fn rate_256(part: u64, whole: u64) -> u8 {
    if whole == 0 {
        return 0;
    }
    u8::try_from(part.saturating_mul(256) / whole).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `1` received, `0` lost, `X` discarded; `1^n` n of it.
    fn pattern(text: &str) -> Vec<char> {
        let mut slots = Vec::new();
        for word in text.split(' ') {
            match word.split_once('^') {
                Some((slot, n)) => slots.extend(slot.repeat(n.parse().unwrap()).chars()),
                None => slots.extend(word.chars()),
            }
        }
        slots
    }

    fn totals(slots: &[char]) -> BurstGapTotals {
        let mut log = BurstGapLog::default();
        for (place, _) in (0..).zip(slots).filter(|(_, slot)| **slot != '1') {
            log.impair(place);
        }
        log.finish(slots.len() as u64)
    }

    /// (burst density, burst ms, gap density, mean gap ms, loss rate, discard rate), densities and rates in 1/256.
    fn report(text: &str, ptime_ms: u64) -> (u8, u64, u8, u64, u8, u8) {
        let slots = pattern(text);
        let all = totals(&slots);
        let count = |wanted| slots.iter().filter(|slot| **slot == wanted).count() as u64;
        let mean = |packets: u64, runs: u64| packets * ptime_ms / runs.max(1);
        (
            rate_256(all.burst_impaired, all.burst_packets),
            mean(all.burst_packets, all.bursts),
            rate_256(all.gap_impaired, all.gap_packets),
            mean(all.gap_packets, all.gaps),
            rate_256(count('0'), slots.len() as u64),
            rate_256(count('X'), slots.len() as u64),
        )
    }

    /// The string of RFC 3611 4.7.2, which has 63 packets for the 64 it names, with one received packet more: a
    /// burst of slots 23 to 34 (4 of 12 impaired: 256 / 3 is 85), gaps of 23 and 29 slots with 2 impaired (9).
    #[test]
    fn the_example_of_rfc_3611() {
        let example = "11110111111111111111111X111X1011110111111111111111111X1111111111";
        assert_eq!(report(example, 10), (85, 120, 9, 260, 12, 12));
    }

    /// 309 slots, 6 lost. The burst 00011 01 has its last loss at slot 208: 8 slots, 5 lost (160 of 256).
    #[test]
    fn a_burst_between_single_losses() {
        let text = "1^100 0 1^100 0001101 0 1^100";
        assert_eq!(report(text, 20), (160, 160, 0, 3010, 4, 0));
    }

    #[test]
    fn an_outage_is_a_burst_without_a_received_packet() {
        assert_eq!(report("1^50 0^13 1^50", 20), (255, 260, 0, 1000, 29, 0));
    }

    /// 15 received between two losses: one burst of 17. 16 between the second and the third: a gap loss.
    #[test]
    fn gmin_received_packets_end_a_burst() {
        let (density, ms, gap_density, gap_ms, loss, _) = report("1^16 0 1^15 0 1^16 0 1^16", 20);
        assert_eq!((density, ms, gap_density, loss), (30, 340, 5, 11));
        assert_eq!(gap_ms, 490, "gaps of 16 and 33");
    }

    /// V4 as percent: 2 of 17 in the burst, 1 of 49 in the gaps; three such streams have the same means.
    #[test]
    fn figures_are_means_over_all_bursts_and_gaps() {
        let once = totals(&pattern("1^16 0 1^15 0 1^16 0 1^16"));
        let mut thrice = once;
        thrice.add(&once);
        thrice.add(&once);
        assert_eq!(
            (thrice.bursts, thrice.burst_packets, thrice.burst_impaired),
            (3, 51, 6)
        );
        assert_eq!(
            (thrice.gaps, thrice.gap_packets, thrice.gap_impaired),
            (6, 147, 3)
        );
        let figures = thrice.figures(20.0);
        assert_eq!(
            figures,
            BurstGap {
                bursts: 3,
                ..once.figures(20.0)
            }
        );
        let close =
            |found: Option<f64>, wanted: f64| assert!((found.unwrap() - wanted).abs() < 1e-9);
        close(figures.burst_density_percent, 200.0 / 17.0);
        close(figures.burst_duration_ms, 340.0);
        close(figures.gap_density_percent, 100.0 / 49.0);
        close(figures.gap_duration_ms, 490.0);
    }

    /// A burst at either end leaves no gap there; the field of 8 bits holds 255 at most.
    #[test]
    fn a_stream_that_is_all_burst_has_no_gap() {
        let all = totals(&pattern("0^5"));
        assert_eq!((all.bursts, all.gaps, all.gap_packets), (1, 0, 0));
        assert_eq!(all.figures(20.0).gap_duration_ms, None);
        assert_eq!(
            (rate_256(5, 5), rate_256(0, 0), rate_256(1, 256)),
            (255, 0, 1)
        );
    }

    #[test]
    fn without_impairment_all_is_one_gap() {
        let clean = totals(&pattern("1^100"));
        assert_eq!((clean.bursts, clean.gaps, clean.gap_packets), (0, 1, 100));
        let figures = clean.figures(20.0);
        assert_eq!(figures.gap_duration_ms, Some(2000.0));
        assert_eq!(figures.burst_density_percent, None);
    }

    proptest! {
        #[test]
        fn a_stream_read_backwards_has_the_same_bursts(slots in prop::collection::vec(prop_oneof![8 => Just('1'), 1 => Just('0'), 1 => Just('X')], 0..300)) {
            let backwards: Vec<char> = slots.iter().rev().copied().collect();
            prop_assert_eq!(totals(&slots), totals(&backwards));
        }

        #[test]
        fn every_packet_is_in_a_burst_or_a_gap(slots in prop::collection::vec(prop_oneof![5 => Just('1'), 1 => Just('0')], 1..300)) {
            let all = totals(&slots);
            prop_assert_eq!(all.burst_packets + all.gap_packets, slots.len() as u64);
            let impaired = slots.iter().filter(|slot| **slot == '0').count() as u64;
            prop_assert_eq!(all.burst_impaired + all.gap_impaired, impaired);
        }
    }
}
