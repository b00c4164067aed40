//! Playout buffers: which packets come too late to be heard.
//!
//! A fixed buffer plays the packet of media time `t` at `anchor transit + depth + t`, so it discards one whose
//! transit lies above the anchor's by more than the depth; equality plays. Phones anchor at the first packet, which
//! hides what follows a late one. The anchor here is the least transit so far
//! ([`crate::delay_variation::PdvLog`]): from the first second on, of a stream without skew, the least of that second.

use milliwatt_wire::time::NS_PER_MS;

/// Depths that are compared with each other, ns: 20, 40, 60, 100 and 200 ms.
pub const DEPTHS: [i64; 5] = [
    20 * NS_PER_MS,
    40 * NS_PER_MS,
    60 * NS_PER_MS,
    100 * NS_PER_MS,
    200 * NS_PER_MS,
];

/// A fixed buffer of this depth discards a packet so far above its anchor, both ns.
#[must_use]
pub fn is_discarded(above: i64, depth: i64) -> bool {
    above > depth
}

/// The adaptive buffer of Ramjee, Kurose, Towsley and Schulzrinne (INFOCOM 1994), algorithm 1: exponential means of
/// the delay and of its deviation, with the weight 0.998002. Applied at the start of a talkspurt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptivePlayout {
    mean: f64,
    deviation: f64,
}

/// The weight of what was before.
const WEIGHT: f64 = 0.998_002;

impl AdaptivePlayout {
    /// Begins with the delay of the first packet, in any unit.
    #[must_use]
    pub fn new(first: f64) -> Self {
        Self {
            mean: first,
            deviation: 0.0,
        }
    }

    /// Takes the delay of the next packet.
    #[inline]
    pub fn take(&mut self, transit: f64) {
        self.mean = WEIGHT * self.mean + (1.0 - WEIGHT) * transit;
        let apart = (self.mean - transit).abs();
        self.deviation = WEIGHT * self.deviation + (1.0 - WEIGHT) * apart;
    }

    /// The delay from sending to playing that the next talkspurt is given: the mean and four deviations.
    #[must_use]
    pub fn playout_delay(&self) -> f64 {
        self.mean + 4.0 * self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sent each 20 ms, slot 7 lost; arrivals in ms.
    const ARRIVALS: [Option<i64>; 12] = [
        Some(0),
        Some(20),
        Some(41),
        Some(95),
        Some(96),
        Some(99),
        Some(120),
        None,
        Some(160),
        Some(245),
        Some(200),
        Some(220),
    ];

    /// Transits: 0 0 1 35 16 -1 0 - 0 65 0 0 ms. At each depth, anchored at a transit, what is played.
    fn played_from(anchor: i64, depth: i64) -> String {
        let slots = (0..).zip(ARRIVALS).map(|(slot, arrival)| match arrival {
            None => '0',
            Some(at) if is_discarded(at - 20 * slot - anchor, depth) => 'X',
            Some(_) => '1',
        });
        slots.collect()
    }

    #[test]
    fn fixed_buffers_anchored_at_the_first_packet() {
        let played = |depth| played_from(0, depth);
        assert_eq!(played(40), "111111101X11");
        assert_eq!(played(60), "111111101X11", "slot 9 is 65 ms late");
        assert_eq!(played(0), "11XXX1101X11");
        assert_eq!(played(65), "111111101111", "equality plays");
    }

    /// The least transit is slot 5's, -1 ms: every other packet lies a millisecond further above it.
    #[test]
    fn fixed_buffers_anchored_at_the_least_transit() {
        let played = |depth| played_from(-1, depth);
        assert_eq!(played(60), "111111101X11");
        assert_eq!(played(35), "111X11101X11", "slot 3 is 36 ms late");
        assert_eq!(played(0), "XXXXX1X0XXXX");
        assert_eq!(played(65), "111111101X11");
        assert_eq!(played(66), "111111101111");
    }

    #[test]
    fn depths_are_those_that_are_published() {
        assert_eq!(
            DEPTHS.map(|depth| depth / 1_000_000),
            [20, 40, 60, 100, 200]
        );
    }

    #[test]
    fn the_adaptive_buffer_of_the_worked_example() {
        let mut buffer = AdaptivePlayout::new(50.0);
        let expected = [
            (50.019_98, 0.019_940_08, 50.099_740_32),
            (49.999_960_08, 0.039_880_16, 50.159_480_72),
            (49.989_970_16, 0.049_770_44, 50.189_051_92),
        ];
        buffer.take(50.0);
        for (transit, (mean, deviation, delay)) in [60.0, 40.0, 45.0].into_iter().zip(expected) {
            buffer.take(transit);
            let of = [
                buffer.mean - mean,
                buffer.deviation - deviation,
                buffer.playout_delay() - delay,
            ];
            assert!(of.iter().all(|error| error.abs() < 6e-9), "{buffer:?}");
        }
    }

    proptest! {
        #[test]
        fn the_adaptive_buffer_follows_a_constant_added_to_all_delays(
            transits in prop::collection::vec(0.0_f64..100.0, 1..200),
            constant in -1000.0_f64..1000.0,
        ) {
            let mut here = AdaptivePlayout::new(transits[0]);
            let mut there = AdaptivePlayout::new(transits[0] + constant);
            for transit in transits {
                here.take(transit);
                there.take(transit + constant);
                prop_assert!((there.playout_delay() - here.playout_delay() - constant).abs() < 1e-6);
            }
        }
    }
}
