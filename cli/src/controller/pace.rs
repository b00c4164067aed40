//! How the tester keeps time: chosen by what was asked, what calibration found, and what the machine has.

use milliwatt_wire::clock::SleepMode;
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::NS_PER_MS;

/// Streams that one pacing thread serves: two thirds of what one core of a virtual machine was found to carry.
const STREAMS_A_THREAD: u32 = 2000;
/// Streams each way up to which the finer pacing slots cost little CPU.
const FINE_SLOT_STREAMS: u32 = 1000;
/// The finer slots, ns: 500 streams have 6 or 7 packets in each.
const FINE_SLOT_NS: i64 = NS_PER_MS / 4;
/// Slots of larger loads, ns.
const SLOT_NS: i64 = NS_PER_MS / 2;

/// How pacing threads wait, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How to wait for a slot.
    pub mode: SleepMode,
    /// Pacing threads, at least 1.
    pub threads: u32,
}

impl Pace {
    /// What was asked goes first. A thread serves 2000 streams; half of the processors are left to receiving and to
    /// the kernel, and spinning is done only where that leaves one.
    #[must_use]
    pub fn choose(
        asked: (Option<SleepMode>, Option<u32>),
        found: Option<SleepMode>,
        streams: u32,
        processors: usize,
    ) -> Self {
        let most = u32::try_from(processors / 2).unwrap_or(1).max(1);
        let threads = asked
            .1
            .unwrap_or_else(|| streams.div_ceil(STREAMS_A_THREAD).clamp(1, most));
        let has_room = (threads as usize) < processors;
        let found = found.filter(|mode| *mode == SleepMode::Sleep || has_room);
        Self {
            mode: asked.0.or(found).unwrap_or_default(),
            threads: threads.max(1),
        }
    }
}

/// The width of a pacing slot by load: 250 us up to 1000 streams each way, 500 us above: fewer wake-ups where they
/// would fill a core.
#[must_use]
pub fn slot_width(streams: u32) -> i64 {
    if streams <= FINE_SLOT_STREAMS {
        FINE_SLOT_NS
    } else {
        SLOT_NS
    }
}

/// Whether slots can be so wide: whole ones make up a packet time, 50 us to 5 ms.
#[must_use]
pub fn is_slot_width(ns: i64) -> bool {
    (NS_PER_MS / 20..=5 * NS_PER_MS).contains(&ns) && PTIME_NS % ns == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_goes_before_what_was_found_and_that_before_the_default() {
        let choose = |asked, found, streams| Pace::choose(asked, found, streams, 8);
        let pace = |mode, threads| Pace { mode, threads };
        assert_eq!(choose((None, None), None, 500), pace(SleepMode::Sleep, 1));
        assert_eq!(
            choose((None, None), Some(SleepMode::Hybrid), 2001),
            pace(SleepMode::Hybrid, 2)
        );
        let asked = (Some(SleepMode::Spin), Some(3));
        assert_eq!(
            choose(asked, Some(SleepMode::Hybrid), 20_000),
            pace(SleepMode::Spin, 3)
        );
    }

    #[test]
    fn half_of_the_processors_pace_at_most_and_one_alone_never_spins_by_itself() {
        assert_eq!(Pace::choose((None, None), None, 20_000, 4).threads, 2);
        let alone = Pace::choose((None, None), Some(SleepMode::Spin), 100, 1);
        assert_eq!(
            alone,
            Pace {
                mode: SleepMode::Sleep,
                threads: 1
            }
        );
    }

    #[test]
    fn slots_are_fine_up_to_1000_streams_and_fill_the_packet_time() {
        assert_eq!((slot_width(1000), slot_width(1001)), (250_000, 500_000));
        assert!(is_slot_width(slot_width(1)) && is_slot_width(slot_width(1400)));
        assert!(!is_slot_width(300_000) && !is_slot_width(10_000) && !is_slot_width(20_000_000));
    }
}
