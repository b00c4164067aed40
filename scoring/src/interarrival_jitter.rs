//! Interarrival jitter, RFC 3550 6.4.1 and A.8: the mean deviation of the transit difference of
//! packets in order of arrival, smoothed with gain 1/16.
//!
//! A low pass over about 320 ms: a single stall of 260 ms raises it by 16 ms at most and is forgotten
//! within a second, so no verdict rests on it alone.

/// The floating-point form of A.8, on nanoseconds.
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

    /// Starts again, as after a change of SSRC or a restart of the sender.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// The integer form of A.8, on RTP clock ticks: what a reception report carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterarrivalJitterTicks {
    transit_ticks: Option<u32>,
    scaled_ticks: u32,
}

impl InterarrivalJitterTicks {
    /// Before the first packet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next packet in order of arrival: `transit_ticks` is its arrival, in RTP ticks, minus
    /// its RTP timestamp, modulo 2^32.
    pub fn update(&mut self, transit_ticks: u32) {
        let Some(before) = self.transit_ticks.replace(transit_ticks) else {
            return;
        };
        let difference = transit_ticks
            .wrapping_sub(before)
            .cast_signed()
            .unsigned_abs();
        let decay = self.scaled_ticks.saturating_add(8) >> 4;
        self.scaled_ticks = self.scaled_ticks.saturating_add(difference) - decay;
    }

    /// The report's interarrival jitter field, RTP ticks.
    #[must_use]
    pub fn report_ticks(&self) -> u32 {
        self.scaled_ticks >> 4
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

    #[test]
    fn integer_form_gives_the_reported_values_of_a_8() {
        let mut jitter = InterarrivalJitterTicks::new();
        let (state, reported): (Vec<u32>, Vec<u32>) = TRANSIT_TICKS
            .iter()
            .map(|ticks| {
                jitter.update(u32::try_from(*ticks).unwrap());
                (jitter.scaled_ticks, jitter.report_ticks())
            })
            .unzip();
        assert_eq!(state, [0, 0, 20, 49, 56, 212, 349, 337]);
        assert_eq!(reported, [0, 0, 1, 3, 3, 13, 21, 21]);
    }

    #[test]
    fn integer_form_survives_the_wrap_of_the_timestamp() {
        let mut jitter = InterarrivalJitterTicks::new();
        jitter.update(u32::MAX - 7);
        jitter.update(8);
        assert_eq!(jitter.report_ticks(), 1, "a step of 16 ticks across 2^32");
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
        fn a_constant_added_to_all_transits_changes_neither_form(
            transits in prop::collection::vec(0_u32..100_000, 2..200),
            constant in any::<u32>(),
        ) {
            let (mut here, mut there) = (InterarrivalJitter::new(), InterarrivalJitter::new());
            let (mut ticks, mut shifted) = (InterarrivalJitterTicks::new(), InterarrivalJitterTicks::new());
            for transit in transits {
                let ns = i64::from(transit) * TICK_NS;
                prop_assert_eq!(here.update(ns), there.update(ns - i64::from(constant) * TICK_NS));
                ticks.update(transit);
                shifted.update(transit.wrapping_add(constant));
                prop_assert_eq!(ticks.report_ticks(), shifted.report_ticks());
            }
        }

        /// The integer form rounds by less than a tick (A.8: "the noise from rounding").
        #[test]
        fn the_two_forms_agree_to_a_tick(transits in prop::collection::vec(0_u32..20_000, 2..300)) {
            let (mut exact, mut ticks) = (InterarrivalJitter::new(), InterarrivalJitterTicks::new());
            for transit in transits {
                let j = exact.update(i64::from(transit) * TICK_NS).map_or(0.0, |ns| ns / 125_000.0);
                ticks.update(transit);
                let apart = j - f64::from(ticks.report_ticks());
                prop_assert!((-1.0..2.0).contains(&apart), "{} ticks apart", apart);
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
