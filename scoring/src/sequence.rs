//! Sequence numbers of one RTP source: RFC 3550 A.1 (validity and extension) and A.3 (expected and lost).

/// Sequential packets that make an unknown source valid (A.1).
pub const MIN_SEQUENTIAL: u8 = 2;
/// A step forward of this many or more is a jump, not a gap (A.1).
pub const MAX_DROPOUT: u16 = 3000;
/// A step back of this many or more is a jump, not reordering (A.1).
pub const MAX_MISORDER: u16 = 100;

/// The state of A.1. `max_seq` and `cycles` are kept as one number, the index of the highest packet
/// counted from the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    known: bool,
    base_seq: u16,
    /// Index of the highest packet; -1 before the first.
    highest: i64,
    /// The sequence number that would confirm a jump.
    bad_seq: Option<u16>,
    probation: u8,
    received: u64,
    restarts: u32,
    expected_prior: u64,
    received_prior: u64,
}

impl SourceState {
    /// A stream whose first sequence number was agreed: no probation, so that no packet is held back.
    /// Its sender never restarts: a jump that the next packet confirms goes forward (an outage of more
    /// than [`MAX_DROPOUT`] packets).
    #[must_use]
    pub fn known(first_seq: u16) -> Self {
        Self {
            known: true,
            ..Self::starting_at(first_seq, 0)
        }
    }

    /// A source seen for the first time with this sequence number, which is then passed to
    /// [`Self::update`]; valid after [`MIN_SEQUENTIAL`] packets in order.
    #[must_use]
    pub fn unknown(seq: u16) -> Self {
        Self::starting_at(seq, MIN_SEQUENTIAL)
    }

    fn starting_at(base_seq: u16, probation: u8) -> Self {
        Self {
            known: false,
            base_seq,
            highest: -1,
            bad_seq: None,
            probation,
            received: 0,
            restarts: 0,
            expected_prior: 0,
            received_prior: 0,
        }
    }

    /// Takes a packet. Returns its index, extended across wraps, 0 for the packet at the base (a known
    /// stream's first); a reordered packet or a duplicate gets its own, smaller index. None when A.1
    /// does not count it: probation, a jump that nothing confirmed yet, or a number before the base.
    #[inline]
    pub fn update(&mut self, seq: u16) -> Option<u64> {
        let step = seq.wrapping_sub(self.max_seq());
        if self.probation > 0 {
            return self.update_on_probation(seq, step);
        }
        if step < MAX_DROPOUT {
            self.highest += i64::from(step);
            self.count(self.highest)
        } else if u32::from(step) <= 65_536 - u32::from(MAX_MISORDER) {
            self.update_after_jump(seq, step)
        } else {
            self.count(self.highest - i64::from(step.wrapping_neg()))
        }
    }

    fn update_on_probation(&mut self, seq: u16, step: u16) -> Option<u64> {
        self.probation = if step == 1 {
            self.probation - 1
        } else {
            MIN_SEQUENTIAL - 1
        };
        self.base_seq = seq;
        self.highest = 0;
        if self.probation == 0 {
            self.count(0)
        } else {
            None
        }
    }

    fn update_after_jump(&mut self, seq: u16, step: u16) -> Option<u64> {
        if self.bad_seq != Some(seq) {
            self.bad_seq = Some(seq.wrapping_add(1));
            return None;
        }
        self.bad_seq = None;
        if self.known {
            self.highest += i64::from(step);
        } else {
            *self = Self {
                highest: 0,
                restarts: self.restarts + 1,
                ..Self::starting_at(seq, 0)
            };
        }
        self.count(self.highest)
    }

    fn count(&mut self, index: i64) -> Option<u64> {
        let index = u64::try_from(index).ok();
        if index.is_some() || !self.known {
            self.received += 1;
        }
        index
    }

    /// The highest sequence number seen (`max_seq` of A.1).
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "modulo 65536 is meant"
    )]
    pub fn max_seq(&self) -> u16 {
        self.base_seq.wrapping_add(self.highest as u16)
    }

    /// The first sequence number counted from (`base_seq` of A.1).
    #[must_use]
    pub fn base_seq(&self) -> u16 {
        self.base_seq
    }

    /// Extended highest sequence number: `cycles + max_seq`; its low 32 bits go into a reception report.
    #[must_use]
    pub fn extended_max(&self) -> u64 {
        (i64::from(self.base_seq) + self.highest)
            .try_into()
            .unwrap_or(0)
    }

    /// Packets counted by A.1, duplicates and reordered ones included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Times an unknown source began again at another sequence number; each begins a segment of its own.
    #[must_use]
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Packets expected: `extended_max - base_seq + 1` (A.3).
    #[must_use]
    pub fn packets_expected(&self) -> u64 {
        u64::try_from(self.highest + 1).unwrap_or(0)
    }

    /// Cumulative number of packets lost, as a reception report carries it: negative with duplicates,
    /// clamped to 24 bits (A.3, 6.4.1).
    #[must_use]
    pub fn cumulative_lost(&self) -> i32 {
        let lost = self.packets_expected().cast_signed() - self.received.cast_signed();
        i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0)
    }

    /// Fraction lost since the last call of this, in 1/256 (A.3).
    pub fn fraction_lost(&mut self) -> u8 {
        let expected = self.packets_expected();
        let interval = (
            expected - self.expected_prior,
            self.received - self.received_prior,
        );
        (self.expected_prior, self.received_prior) = (expected, self.received);
        fraction_lost(interval.0, interval.1)
    }
}

/// Fraction lost of an interval, in 1/256; saturates at 255, as nothing received computes to 256, which
/// the field of 8 bits cannot hold (A.3).
#[must_use]
pub fn fraction_lost(packets_expected: u64, packets_received: u64) -> u8 {
    let lost = packets_expected.saturating_sub(packets_received);
    if lost == 0 {
        return 0;
    }
    u8::try_from((lost << 8) / packets_expected).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Sequence numbers; which are counted; base, max, received, expected, cumulative lost.
    type Vector = (&'static [u16], &'static [u8], u16, u16, u64, u64, i32);

    /// Derived from A.1 by hand.
    const UNKNOWN: [Vector; 8] = [
        (
            &[65533, 65534, 65535, 0, 1, 3],
            &[0, 1, 1, 1, 1, 1],
            65534,
            3,
            5,
            6,
            1,
        ),
        (
            &[10, 11, 12, 13, 12, 14],
            &[0, 1, 1, 1, 1, 1],
            11,
            14,
            5,
            4,
            -1,
        ),
        (
            &[1000, 1001, 1002, 950, 1003],
            &[0, 1, 1, 1, 1],
            1001,
            1003,
            4,
            3,
            -1,
        ),
        (
            &[1000, 1001, 1002, 899, 1003],
            &[0, 1, 1, 0, 1],
            1001,
            1003,
            3,
            3,
            0,
        ),
        (
            &[100, 101, 102, 40000, 40001, 40002],
            &[0, 1, 1, 0, 1, 1],
            40001,
            40002,
            2,
            2,
            0,
        ),
        (
            &[100, 101, 4000, 102, 103],
            &[0, 1, 0, 1, 1],
            101,
            103,
            3,
            3,
            0,
        ),
        (
            &[10, 11, 3010, 12, 3011],
            &[0, 1, 1, 0, 1],
            11,
            3011,
            3,
            3001,
            2998,
        ),
        (&[5, 7, 8, 9], &[0, 0, 1, 1], 8, 9, 2, 2, 0),
    ];

    #[test]
    fn unknown_sources_pass_the_vectors_of_a_1() {
        for (seqs, counted, base, max, received, expected, lost) in UNKNOWN {
            let mut source = SourceState::unknown(seqs[0]);
            for (seq, counts) in seqs.iter().zip(counted) {
                let before = (source.received(), source.restarts());
                source.update(*seq);
                let grew = source.received() > before.0 || source.restarts() > before.1;
                assert_eq!(grew, *counts == 1, "{seq} of {seqs:?}");
            }
            let state = (source.base_seq(), source.max_seq(), source.received());
            assert_eq!(state, (base, max, received), "{seqs:?}");
            assert_eq!(
                (source.packets_expected(), source.cumulative_lost()),
                (expected, lost),
                "{seqs:?}"
            );
        }
    }

    #[test]
    fn extended_maximum_counts_a_cycle() {
        let mut source = SourceState::unknown(65533);
        for seq in UNKNOWN[0].0 {
            source.update(*seq);
        }
        assert_eq!(source.extended_max(), 65_539);
    }

    #[test]
    fn known_stream_counts_its_very_first_packet_and_a_lost_head() {
        let mut source = SourceState::known(65534);
        let indices: Vec<_> = [65534, 65535, 1, 0, 2]
            .iter()
            .map(|seq| source.update(*seq))
            .collect();
        assert_eq!(
            indices,
            [Some(0), Some(1), Some(3), Some(2), Some(4)],
            "reordered 0 keeps its place"
        );
        let mut headless = SourceState::known(0);
        assert_eq!(
            headless.update(7),
            Some(7),
            "seven packets lost at the head"
        );
        assert_eq!(
            (headless.packets_expected(), headless.cumulative_lost()),
            (8, 7)
        );
    }

    #[test]
    fn known_stream_refuses_what_lies_before_its_first_packet() {
        let mut source = SourceState::known(100);
        source.update(100);
        assert_eq!(source.update(99), None);
        assert_eq!(source.received(), 1);
    }

    #[test]
    fn known_stream_refuses_a_wild_packet_and_goes_forward_on_a_confirmed_jump() {
        let mut source = SourceState::known(10);
        source.update(10);
        assert_eq!(
            source.update(5010),
            None,
            "wild until the next one confirms it"
        );
        assert_eq!(source.update(11), Some(1), "the wild one changed nothing");
        assert_eq!(source.update(5010), None);
        assert_eq!(
            source.update(5011),
            Some(5001),
            "an outage of 5000 packets, indices go on"
        );
    }

    #[test]
    fn lost_and_fraction_follow_a_3() {
        let mut source = SourceState::known(65530);
        for seq in (65530..=65535).chain(2..=9) {
            source.update(seq);
        }
        assert_eq!(
            (
                source.packets_expected(),
                source.received(),
                source.cumulative_lost()
            ),
            (16, 14, 2)
        );
        assert_eq!(source.fraction_lost(), 32, "2 of 16 is 32/256");
        assert_eq!(source.fraction_lost(), 0, "nothing since");
        let intervals = [(50, 49, 5), (256, 250, 6), (50, 51, 0), (100, 0, 255)];
        for (expected, received, fraction) in intervals {
            assert_eq!(
                fraction_lost(expected, received),
                fraction,
                "{expected} {received}"
            );
        }
    }

    /// 130 outages of 65000 packets are 8,450,000 lost, more than 2^23 - 1; 2^23 + 10 copies beyond the first packet
    /// are as many less than nothing.
    #[test]
    fn cumulative_lost_is_clamped_to_24_bits_with_a_sign() {
        let mut outages = SourceState::known(0);
        let mut seq = 0_u16;
        outages.update(seq);
        for _ in 0..130 {
            seq = seq.wrapping_add(65_000);
            assert_eq!(outages.update(seq), None);
            seq = seq.wrapping_add(1);
            assert!(outages.update(seq).is_some());
        }
        assert_eq!(outages.packets_expected(), 130 * 65_001 + 1);
        assert_eq!(outages.cumulative_lost(), 0x7f_ffff);
        let mut copies = SourceState::known(0);
        for _ in 0..0x80_0000 + 11 {
            copies.update(0);
        }
        assert_eq!(copies.cumulative_lost(), -0x80_0000);
    }

    /// 200 expected of which 150 came: 50 of 200 are 64/256. Then 100 expected and 99 came: 2/256.
    #[test]
    fn fraction_lost_is_of_the_interval_since_the_last_report() {
        let mut source = SourceState::known(0);
        for seq in (0..200).filter(|seq| seq % 4 > 0) {
            source.update(seq);
        }
        assert_eq!(source.fraction_lost(), 64);
        for seq in (200..300).filter(|seq| *seq != 250) {
            source.update(seq);
        }
        assert_eq!(source.fraction_lost(), 2);
    }

    /// A step of 2999 is a gap, of 3000 a jump; a step back of 99 a late packet, of 100 a jump.
    #[test]
    fn gaps_end_at_max_dropout_and_reordering_at_max_misorder() {
        let taken = |step: u16| {
            let mut source = SourceState::known(0);
            source.update(2000);
            source.update(2000_u16.wrapping_add(step))
        };
        assert_eq!([taken(2999), taken(3000)], [Some(4999), None]);
        let back = |step: u16| taken(step.wrapping_neg());
        assert_eq!([back(99), back(100), back(101)], [Some(1901), None, None]);
    }

    /// Two wild packets in order are a restart; the second begins a segment of its own.
    #[test]
    fn an_unknown_source_that_restarts_counts_from_its_new_base() {
        let mut source = SourceState::unknown(100);
        let indices = [100, 101, 102, 40_000, 40_001].map(|seq| source.update(seq));
        assert_eq!(indices, [None, Some(0), Some(1), None, Some(0)]);
        assert_eq!((source.restarts(), source.base_seq()), (1, 40_001));
        assert_eq!(source.update(40_000), None, "before the new base");
        assert_eq!(source.received(), 2, "A.1 counts it all the same");
        assert_eq!(source.fraction_lost(), 0);
        for seq in [100, 101] {
            source.update(seq);
        }
        assert_eq!(source.restarts(), 2);
    }

    proptest! {
        /// Of packets sent in order some are lost, some doubled, and each may fall behind by up to 40 places.
        #[test]
        fn distinct_and_never_arrived_together_are_those_expected(
            first in any::<u16>(),
            fates in prop::collection::vec((0_u8..10, 0_usize..40), 1..400),
        ) {
            let mut arrivals: Vec<(usize, u16)> = Vec::new();
            for (index, (fate, late)) in fates.iter().enumerate() {
                let seq = first.wrapping_add(u16::try_from(index).unwrap());
                let copies = match fate { 0 => 0, 1 => 2, _ => 1 };
                arrivals.extend(std::iter::repeat_n((index + late, seq), copies));
            }
            arrivals.sort_by_key(|(at, _)| *at);
            let mut source = SourceState::known(first);
            let distinct: BTreeSet<u64> = arrivals.iter().filter_map(|(_, seq)| source.update(*seq)).collect();
            let last = fates.iter().rposition(|(fate, _)| *fate > 0).map_or(0, |index| index + 1);
            let never_arrived = fates[..last].iter().filter(|(fate, _)| *fate == 0).count();
            prop_assert_eq!(source.packets_expected(), last as u64);
            prop_assert_eq!(distinct.len() + never_arrived, last);
            prop_assert_eq!(source.received(), arrivals.len() as u64);
        }

        #[test]
        fn an_unknown_source_does_not_depend_on_where_its_numbers_start(
            shift in any::<u16>(),
            steps in prop::collection::vec(prop_oneof![20 => 0_u16..40, 1 => any::<u16>()], 1..200),
        ) {
            let (mut here, mut there) = (SourceState::unknown(0), SourceState::unknown(shift));
            let mut seq = 0_u16;
            for step in steps {
                seq = seq.wrapping_add(step);
                prop_assert_eq!(here.update(seq), there.update(seq.wrapping_add(shift)));
                prop_assert_eq!(here.restarts(), there.restarts());
            }
            prop_assert_eq!(
                (here.received(), here.packets_expected(), here.cumulative_lost()),
                (there.received(), there.packets_expected(), there.cumulative_lost())
            );
        }

        #[test]
        fn indices_do_not_depend_on_where_the_numbers_start(
            first in any::<u16>(),
            steps in proptest::collection::vec(0_u16..40, 1..200),
        ) {
            let (mut here, mut at_zero) = (SourceState::known(first), SourceState::known(0));
            let mut offset = 0_u16;
            for step in steps {
                offset = offset.wrapping_add(step);
                prop_assert_eq!(here.update(first.wrapping_add(offset)), at_zero.update(offset));
            }
        }
    }
}
