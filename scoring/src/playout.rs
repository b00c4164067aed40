//! Playout buffers: which packets come too late to be heard.
//!
//! A fixed buffer plays the packet of media time `t` at `anchor transit + depth + t`, so it discards one whose
//! transit lies above the anchor's by more than the depth; equality plays. The anchor here is the least transit so
//! far ([`crate::delay_variation::PdvLog`]): a late first packet then hides nothing.

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

    fn played(depth: i64) -> String {
        let anchor = ARRIVALS[0].unwrap();
        let slots = (0..).zip(ARRIVALS).map(|(slot, arrival)| match arrival {
            None => '0',
            Some(at) if is_discarded(at - 20 * slot - anchor, depth) => 'X',
            Some(_) => '1',
        });
        slots.collect()
    }

    /// Anchored at the first packet. Transits: 0 0 1 35 16 -1 0 - 0 65 0 0 ms.
    #[test]
    fn fixed_buffers_of_the_worked_example() {
        assert_eq!(played(40), "111111101X11");
        assert_eq!(played(60), "111111101X11", "slot 9 is 65 ms late");
        assert_eq!(played(0), "11XXX1101X11");
        assert_eq!(played(65), "111111101111", "equality plays");
    }

    #[test]
    fn the_adaptive_buffer_of_the_worked_example() {
        let mut buffer = AdaptivePlayout::new(50.0);
        let expected = [50.099_740_32, 50.159_480_72, 50.189_051_92];
        buffer.take(50.0);
        for (transit, delay) in [60.0, 40.0, 45.0].into_iter().zip(expected) {
            buffer.take(transit);
            assert!((buffer.playout_delay() - delay).abs() < 1e-7, "{buffer:?}");
        }
    }
}
