//! Runs of lost packets, RFC 3357: a loss period is a run of consecutive lost packets, a loss distance how far a
//! lost packet's sequence number lies from that of the one lost before it.

use crate::measured::LossRuns;

/// Takes lost packets in order of their place in the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LossPattern {
    last: Option<u64>,
    run: u64,
    lost: u64,
    runs: u64,
    longest: u64,
}

impl LossPattern {
    /// The packet at this place is lost. Gives its loss distance (RFC 3357 5.2), 0 for the first.
    pub fn lose(&mut self, place: u64) -> u64 {
        let distance = self.last.map_or(0, |last| place.saturating_sub(last));
        self.run = if distance == 1 { self.run + 1 } else { 1 };
        self.runs += u64::from(self.run == 1);
        self.longest = self.longest.max(self.run);
        self.lost += 1;
        self.last = Some(place);
        distance
    }

    /// Packets lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Loss periods so far: the number of the period that the last lost packet belongs to (RFC 3357 5.3).
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds another stream's.
    pub fn add(&mut self, other: &Self) {
        self.lost += other.lost;
        self.runs += other.runs;
        self.longest = self.longest.max(other.longest);
    }

    /// As figures.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
    pub fn figures(&self) -> LossRuns {
        LossRuns {
            runs: self.runs,
            mean_packets: (self.runs > 0).then(|| self.lost as f64 / self.runs as f64),
            max_packets: (self.runs > 0).then_some(self.longest),
        }
    }
}

/// RFC 3357 5.2.1, noticeable rate: the share of lost packets at a distance of no more than `delta` from the one
/// lost before; none without a loss.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "packet counts below 2^53")]
pub fn noticeable_rate(distances: &[u64], delta: u64) -> Option<f64> {
    let near = distances
        .iter()
        .filter(|distance| (1..=delta).contains(*distance))
        .count();
    (!distances.is_empty()).then(|| near as f64 / distances.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 0 1 0 0 1 0 1 0 1 1, where 1 is lost: places 1, 4, 6, 8, 9. The last two are one period.
    #[test]
    fn distances_periods_and_lengths_of_a_hand_made_stream() {
        let mut pattern = LossPattern::default();
        let (distances, periods): (Vec<u64>, Vec<u64>) = [1, 4, 6, 8, 9]
            .into_iter()
            .map(|place| (pattern.lose(place), pattern.runs()))
            .unzip();
        assert_eq!(distances, [0, 3, 2, 2, 1]);
        assert_eq!(periods, [1, 2, 3, 4, 4]);
        let figures = pattern.figures();
        assert_eq!((figures.runs, figures.max_packets), (4, Some(2)));
        assert_eq!(figures.mean_packets, Some(1.25), "1, 1, 1 and 2");
        assert_eq!(noticeable_rate(&distances, 2), Some(0.6), "3 of 5");
        assert_eq!(noticeable_rate(&[], 2), None);
    }

    /// Distances 0, 1, 3: the first has none before it, and counts among the losses only.
    #[test]
    fn noticeable_rate_takes_distances_up_to_its_limit() {
        let rates = [0, 1, 2, 3].map(|delta| noticeable_rate(&[0, 1, 3, 1], delta));
        assert_eq!(rates, [Some(0.0), Some(0.5), Some(0.5), Some(0.75)]);
    }

    proptest! {
        /// Read backwards, a stream has the same runs; its distances sum to how far the losses lie apart.
        #[test]
        fn runs_are_the_same_backwards(places in prop::collection::btree_set(0_u64..300, 1..100)) {
            let (mut there, mut back) = (LossPattern::default(), LossPattern::default());
            let distances: Vec<u64> = places.iter().map(|place| there.lose(*place)).collect();
            for place in places.iter().rev() {
                back.lose(300 - place);
            }
            prop_assert_eq!(there.figures(), back.figures());
            let (first, last) = (places.first().unwrap(), places.last().unwrap());
            prop_assert_eq!(distances.iter().sum::<u64>(), last - first);
            prop_assert_eq!(there.lost(), places.len() as u64);
        }
    }

    #[test]
    fn several_streams_have_the_longest_run_of_all() {
        let mut all = LossPattern::default();
        for places in [&[0, 1, 2][..], &[7]] {
            let mut one = LossPattern::default();
            for place in places {
                one.lose(*place);
            }
            all.add(&one);
        }
        assert_eq!((all.lost(), all.runs()), (4, 2));
        assert_eq!(all.figures().max_packets, Some(3));
        let none = LossPattern::default().figures();
        assert_eq!((none.mean_packets, none.max_packets), (None, None));
    }
}
