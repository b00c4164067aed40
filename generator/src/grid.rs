//! Slotted time. The packet time is cut into slots; every stream keeps one place, so all packets
//! of a slot leave in one wake-up and a stream's own spacing stays exact.

use milliwatt_wire::id::{Lane, Party};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::time::RunTime;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Keeps the places apart from everything else that is drawn from the seed.
const GRID_STREAM: u64 = 0x6772_6964;

/// Every lane and party's place on the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    width: i64,
    slots: u32,
    places: Vec<u32>,
}

impl Grid {
    /// Spreads the lanes and parties evenly over the slots, in an order drawn from the seed.
    #[must_use]
    pub fn new(load: &LoadSpec) -> Self {
        let mut order: Vec<u32> = (0..load.concurrent * 2).collect();
        let slots = load.slots();
        let mut random = ChaCha8Rng::seed_from_u64(load.seed ^ GRID_STREAM);
        // The first lanes alone are as even as all of them where steps use so many.
        let together = if load.stepped {
            slots as usize
        } else {
            order.len()
        };
        for lanes in order.chunks_mut(together.max(1)) {
            lanes.shuffle(&mut random);
        }
        let mut places = vec![0; order.len()];
        for (rank, index) in order.iter().enumerate() {
            places[*index as usize] = u32::try_from(rank).unwrap_or(0) % slots;
        }
        Self {
            width: load.slot_width,
            slots,
            places,
        }
    }

    /// Width of a slot, ns.
    #[must_use]
    pub fn width(&self) -> i64 {
        self.width
    }

    /// Slots in a packet time.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// The place of what `party` of a call on `lane` says, as ns into the packet time.
    #[must_use]
    pub fn place(&self, lane: Lane, party: Party) -> i64 {
        i64::from(self.places[lane.0 as usize * 2 + party.channel()]) * self.width
    }

    /// When slot `tick` (counted from run time zero) is due.
    #[must_use]
    pub fn due(&self, tick: i64) -> RunTime {
        RunTime(
            tick.div_euclid(i64::from(self.slots)) * PTIME_NS
                + tick.rem_euclid(i64::from(self.slots)) * self.width,
        )
    }

    /// The slot of the packet time that `offset` ns into it falls on, and whole packet times before it.
    #[must_use]
    pub fn slot_of(&self, offset: i64) -> (i64, u32) {
        let within = offset.rem_euclid(PTIME_NS);
        let slot = u32::try_from(within / self.width)
            .unwrap_or(0)
            .min(self.slots - 1);
        (offset.div_euclid(PTIME_NS), slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_hundred_streams_fill_forty_slots_with_twelve_or_thirteen_each() {
        let grid = Grid::new(&crate::test_load());
        let mut filled = vec![0; grid.slots() as usize];
        for place in &grid.places {
            filled[*place as usize] += 1;
        }
        assert_eq!(filled.len(), 40);
        assert!(filled.iter().all(|n| (12..=13).contains(n)), "{filled:?}");
    }

    /// The first 97 calls of a stepped load: 194 streams in 40 slots are 4 or 5 each, and one more where a pair is cut in two.
    #[test]
    fn the_first_lanes_of_a_stepped_load_are_spread_evenly_by_themselves() {
        let load = LoadSpec {
            stepped: true,
            ..crate::test_load()
        };
        let grid = Grid::new(&load);
        let mut filled = vec![0; grid.slots() as usize];
        for place in &grid.places[..194] {
            filled[*place as usize] += 1;
        }
        assert!(filled.iter().all(|n| (4..=5).contains(n)), "{filled:?}");
    }

    #[test]
    fn ticks_are_due_on_the_grid_before_and_after_zero() {
        let grid = Grid::new(&crate::test_load());
        assert_eq!(grid.due(0), RunTime(0));
        assert_eq!(grid.due(41), RunTime(20_500_000));
        assert_eq!(grid.due(-1), RunTime(-500_000));
        assert_eq!(grid.slot_of(20_600_000), (1, 1));
    }
}
