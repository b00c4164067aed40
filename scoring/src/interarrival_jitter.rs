//! Interarrival jitter, RFC 3550 6.4.1 and A.8: the mean deviation of the transit difference of
//! packets in order of arrival, smoothed with gain 1/16.
//!
//! A low pass over about 320 ms: a single stall of 260 ms raises it by 16 ms at most and is forgotten
//! within a second, so no verdict rests on it alone.

/// The floating-point form of A.8, on nanoseconds: of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct InterarrivalJitter {
    transit_ns: Option<i64>,
    smoothed_ns: f64,
}

impl InterarrivalJitter {
    /// Before the first packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next packet in order of arrival: `transit_ns` is its arrival minus its media time,
    /// with any constant offset. Returns J after it, ns; none for the first packet, which only sets
    /// the reference.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a transit difference below 2^53 ns (104 days)"
    )]
    #[inline]
    pub fn update(&mut self, transit_ns: i64) -> Option<f64> {
        let before = self.transit_ns.replace(transit_ns)?;
        let difference = transit_ns.abs_diff(before) as f64;
        self.smoothed_ns += (difference - self.smoothed_ns) / 16.0;
        Some(self.smoothed_ns)
    }

    /// What a reception report carries of it (6.4.1): whole ticks, of so many ns each, of the RTP clock.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "J is never below 0; the cast cuts off as A.8 does, and saturates"
    )]
    pub fn report_ticks(&self, tick_ns: u32) -> u32 {
        (self.smoothed_ns / f64::from(tick_ns)) as u32
    }

    /// Starts again, as after a change of SSRC or a restart of the sender.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TICK_NS: i64 = 125_000;
    const TRANSIT_TICKS: [i64; 8] = [1000, 1000, 1020, 990, 1000, 1160, 1010, 1000];

    #[test]
    fn floating_point_form_gives_the_values_derived_from_a_8() {
        let expected = [
            0.0,
            1.25,
            3.046_875,
            3.481_445_313,
            13.263_854_980,
            21.809_864_044,
            21.071_747_541,
        ];
        let mut jitter = InterarrivalJitter::new();
        assert_eq!(
            jitter.update(TRANSIT_TICKS[0] * TICK_NS),
            None,
            "the first packet has no predecessor"
        );
        for (transit, ticks) in TRANSIT_TICKS[1..].iter().zip(expected) {
            let ns = jitter.update(transit * TICK_NS).unwrap();
            assert!(
                (ns / 125_000.0 - ticks).abs() < 1e-9,
                "{ns} ns is not {ticks} ticks"
            );
        }
    }

    #[test]
    fn constant_difference_is_approached_with_gain_one_sixteenth() {
        let mut jitter = InterarrivalJitter::new();
        jitter.update(0);
        let values: Vec<f64> = (1..=100)
            .map(|n| jitter.update(i64::from(n % 2) * 16_000).unwrap() / 1_000.0)
            .collect();
        for (packets, ticks) in [
            (1, 1.0),
            (16, 10.302_813_913),
            (32, 13.971_379_418),
            (100, 15.974_808_872),
        ] {
            assert!(
                (values[packets - 1] - ticks).abs() < 1e-9,
                "after {packets} packets"
            );
        }
    }

    /// The integer form of A.8 reports the same of these transits.
    #[test]
    fn whole_ticks_are_reported() {
        let mut jitter = InterarrivalJitter::new();
        let reported = TRANSIT_TICKS.map(|ticks| {
            jitter.update(ticks * TICK_NS);
            jitter.report_ticks(125_000)
        });
        assert_eq!(reported, [0, 0, 1, 3, 3, 13, 21, 21]);
    }

    /// J after the eighth packet of the worked example, at 8 ticks a millisecond.
    #[test]
    fn the_worked_example_ends_at_2_634_ms() {
        let mut jitter = InterarrivalJitter::new();
        let last = TRANSIT_TICKS.map(|ticks| jitter.update(ticks * TICK_NS))[7].unwrap();
        assert!((last / 1e6 - 2.633_968_443).abs() < 1e-9, "{last} ns");
    }

    proptest! {
        #[test]
        fn a_constant_added_to_all_transits_changes_nothing(
            transits in prop::collection::vec(0_u32..100_000, 2..200),
            constant in any::<u32>(),
        ) {
            let (mut here, mut there) = (InterarrivalJitter::new(), InterarrivalJitter::new());
            for transit in transits {
                let ns = i64::from(transit) * TICK_NS;
                prop_assert_eq!(here.update(ns), there.update(ns - i64::from(constant) * TICK_NS));
            }
        }
    }

    #[test]
    fn reset_forgets_the_reference_and_the_value() {
        let mut jitter = InterarrivalJitter::new();
        jitter.update(0);
        jitter.update(1_000_000);
        jitter.reset();
        assert_eq!(jitter, InterarrivalJitter::new());
    }
}
