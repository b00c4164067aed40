//! What is kept of a stream while it is up.

use milliwatt_wire::facts::{DeadCause, LatePacket, Ledger, StreamEnd};
use milliwatt_wire::time::RunTime;

/// How long a least transit counts where two clocks run apart, s: they part by 3 ms in it at 100 ppm.
const REFERENCE_SECONDS: u32 = 30;

/// A run of dead slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DeadRun {
    pub cause: DeadCause,
    pub first_slot: u32,
    pub slots: u32,
}

/// A stream that is up.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamState {
    /// When slot 0 was due, once its sender told.
    pub due: Option<RunTime>,
    /// Runs that were told of before that.
    pub waiting: Vec<DeadRun>,
    pub ledger: Option<Ledger>,
    pub end: Option<StreamEnd>,
    least: LeastTransit,
    /// First slot and number of the run of late slots that is under way.
    late: Option<(u32, u32)>,
}

/// The least transit so far, ns.
#[derive(Clone, Copy, Debug, Default)]
struct LeastTransit {
    /// Which stretch of [`REFERENCE_SECONDS`] `now` is of.
    stretch: u32,
    now: Option<i64>,
    before: Option<i64>,
}

impl StreamState {
    /// The least transit up to a second: of all seconds where both ends read one clock, else of the last 30 to 60 s.
    pub(super) fn least(&mut self, second: u32, transit_min: i64, same_clock: bool) -> i64 {
        let stretch = if same_clock {
            0
        } else {
            second / REFERENCE_SECONDS
        };
        let least = &mut self.least;
        if stretch > least.stretch {
            let follows = stretch == least.stretch + 1;
            least.before = least.now.take().filter(|_| follows);
            least.stretch = stretch;
        }
        let now = least.now.map_or(transit_min, |now| now.min(transit_min));
        least.now = Some(now);
        least.before.map_or(now, |before| before.min(now))
    }

    /// Takes late packets in order of slot; gives the runs of slots too late for the buffer that `least_slots` make long
    /// enough, each once.
    pub(super) fn late_runs(
        &mut self,
        packets: &[LatePacket],
        buffer_ns: i64,
        least_slots: u32,
    ) -> Vec<DeadRun> {
        let mut runs = Vec::new();
        let late = |packet: &&LatePacket| i64::from(packet.above_us) * 1000 > buffer_ns;
        for packet in packets.iter().filter(late) {
            let (first, slots) = match self.late {
                Some((first, slots)) if first.checked_add(slots) == Some(packet.slot) => {
                    (first, slots + 1)
                }
                _ => (packet.slot, 1),
            };
            self.late = Some((first, slots));
            if slots == least_slots {
                runs.push(DeadRun {
                    cause: DeadCause::Late,
                    first_slot: first,
                    slots,
                });
            }
        }
        runs
    }

    /// What neither end could see alone, once both have said their last word: the packets that were lost before the
    /// first and after the last that arrived.
    pub(super) fn lost_outside(&self) -> Option<Vec<DeadRun>> {
        let (ledger, end) = (self.ledger?, self.end?);
        let lost = |first_slot, slots| DeadRun {
            cause: DeadCause::Lost,
            first_slot,
            slots,
        };
        let (Some(first), Some(last)) = (end.first_index, end.last_index) else {
            return Some(vec![lost(0, ledger.sent)]);
        };
        let head_slot = end.first_slot.unwrap_or(first).saturating_sub(first);
        let tail = ledger.sent.saturating_sub(last.saturating_add(1));
        let tail_slot = end.last_slot.unwrap_or(last).saturating_add(1);
        let runs = [lost(head_slot, first), lost(tail_slot, tail)];
        Some(runs.into_iter().filter(|run| run.slots > 0).collect())
    }
}
