//! The last packets of a stream by their index: what may still be reordered.

/// Packets behind the highest that are remembered; RFC 3550 A.1 takes none further behind than 100.
pub(super) const WINDOW: i64 = 128;
const PLACES: usize = 128;

/// The highest variation that is told apart, us: 9 minutes.
const ABOVE_MAX_US: u32 = (1 << 29) - 1;
const HERE: u32 = 1 << 29;
const MEDIA: u32 = 1 << 30;
const MARKER: u32 = 1 << 31;

/// What is remembered of a packet. Sixteen octets: with hundreds of streams in turn, each is a line of memory that
/// the processor has to fetch again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Transit, ns; counts only for media.
    pub(super) transit: i64,
    /// RTP timestamp.
    pub(super) timestamp: u32,
    /// How far above the least transit, us, and what it is.
    above_us: u32,
}

/// No packet.
pub(super) const ABSENT: Held = Held {
    transit: 0,
    timestamp: 0,
    above_us: 0,
};

impl Held {
    /// A packet whose timing does not count.
    pub(super) fn untimed() -> Self {
        Self {
            above_us: HERE,
            ..ABSENT
        }
    }

    /// A packet of media; `above` in ns.
    #[inline]
    pub(super) fn media(transit: i64, above: i64, timestamp: u32, marker: bool) -> Self {
        // Rounded up, so that a packet barely late stays late.
        let us = u32::try_from(above.saturating_add(999) / 1000).unwrap_or(ABOVE_MAX_US);
        let marker = if marker { MARKER } else { 0 };
        Self {
            transit,
            timestamp,
            above_us: us.min(ABOVE_MAX_US) | HERE | MEDIA | marker,
        }
    }

    #[inline]
    pub(super) fn is_here(&self) -> bool {
        self.above_us & HERE != 0
    }

    #[inline]
    pub(super) fn is_media(&self) -> bool {
        self.above_us & MEDIA != 0
    }

    pub(super) fn marker(&self) -> bool {
        self.above_us & MARKER != 0
    }

    /// How far above the least transit, ns, rounded up to whole us.
    #[inline]
    pub(super) fn above(&self) -> i64 {
        i64::from(self.above_us & ABOVE_MAX_US) * 1000
    }
}

/// A ring of them.
#[derive(Clone, Debug)]
pub(super) struct Window {
    ring: Box<[Held; PLACES]>,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            ring: Box::new([ABSENT; PLACES]),
        }
    }

    #[inline]
    pub(super) fn at(&mut self, index: i64) -> &mut Held {
        &mut self.ring[place(index)]
    }

    /// The transit of the packet at this index, where it is here and counts.
    #[inline]
    pub(super) fn transit(&self, index: i64) -> Option<i64> {
        let held = &self.ring[place(index)];
        held.is_media().then_some(held.transit)
    }
}

#[inline]
fn place(index: i64) -> usize {
    usize::try_from(index.rem_euclid(WINDOW)).unwrap_or(0)
}
