//! What arrived behind a packet that is missing.

/// Packets that may be out of order before one is given up as lost: 2.56 s.
pub(super) const WINDOW: usize = 128;

/// A packet that arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) slot: u32,
    pub(super) transit: i64,
}

/// What arrived of the last [`WINDOW`] packets and is not settled, by sequence index. Slots and transits lie apart: a third less
/// memory.
#[derive(Debug)]
pub(super) struct Window {
    slots: [u32; WINDOW],
    transits: [i64; WINDOW],
}

/// A slot number no stream reaches: nothing arrived here.
const NOTHING: u32 = u32::MAX;

impl Window {
    pub(super) const EMPTY: Self = Self {
        slots: [NOTHING; WINDOW],
        transits: [0; WINDOW],
    };

    pub(super) fn get(&self, index: u64) -> Option<Held> {
        let (slot, transit) = (self.slots[ring(index)], self.transits[ring(index)]);
        (slot != NOTHING).then_some(Held { slot, transit })
    }

    pub(super) fn put(&mut self, index: u64, held: Held) {
        self.slots[ring(index)] = held.slot;
        self.transits[ring(index)] = held.transit;
    }

    pub(super) fn take(&mut self, index: u64) -> Option<Held> {
        let held = self.get(index);
        self.slots[ring(index)] = NOTHING;
        held
    }
}

fn ring(index: u64) -> usize {
    usize::try_from(index % WINDOW as u64).unwrap_or(0)
}
