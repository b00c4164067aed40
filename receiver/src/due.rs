//! What held the packets that were due together: how much of it all streams had in common.
//!
//! What holds all streams at once holds the packets due in the next moments too, until the instant at which
//! it lets go, or by as much as it holds this one. So the common part of a packet is told by those that were
//! due with it and within a packet time after it, in which every stream has one packet: the least that any of
//! them came late by, or the time to the first instant by which one of them was there, whichever is more.

use crate::stream::FirstCopy;
use milliwatt_wire::facts::{DueSecond, Fact};
use milliwatt_wire::id::Leg;
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::NS_PER_MS;

/// Packets due in the same millisecond are told apart no further.
const CELL_NS: i64 = NS_PER_MS;
const CELLS_A_SECOND: usize = 1000;
/// Cells of all seconds that are open.
const CELLS: usize = CELLS_A_SECOND * OPEN as usize;
/// A packet time.
const REACH: i64 = PTIME_NS / CELL_NS;
/// The common part of fewer packets than these would be chance.
const COMPANY_MIN: u32 = 10;
/// Seconds that packets may still belong to. A thread that stood still finds its sockets full, and reads
/// them one after the other.
const OPEN: u32 = 4;
/// A second is told when one so much later has begun.
const TOLD_AFTER: u32 = 2;

/// Packets that were due in the same millisecond.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    packets: u32,
    /// Least above, us.
    least: u32,
}

/// A second that packets may still belong to.
#[derive(Clone, Copy, Debug)]
struct OpenSecond {
    told: DueSecond,
    /// The cell of the packet with the largest above.
    cell_at_max: usize,
}

/// The last seconds of a leg. Packets that were due before them are left out.
#[derive(Clone, Debug)]
pub(crate) struct DueLog {
    leg: Leg,
    newest: u32,
    seconds: [OpenSecond; OPEN as usize],
    cells: Box<[Cell]>,
}

impl OpenSecond {
    fn new(leg: Leg, second: u32) -> Self {
        Self {
            told: DueSecond {
                leg,
                second,
                packets: 0,
                above_sum: 0,
                above_max: 0,
                common_packets: 0,
                common_sum: 0,
                common_at_max: None,
                taken_after_sum: 0,
                taken_after_max: 0,
            },
            cell_at_max: 0,
        }
    }
}

impl DueLog {
    pub(crate) fn new(leg: Leg) -> Self {
        Self {
            leg,
            newest: 0,
            seconds: [OpenSecond::new(leg, 0); OPEN as usize],
            cells: vec![Cell::default(); CELLS].into_boxed_slice(),
        }
    }

    /// Counts one packet that was read `taken_after` ns after it arrived.
    pub(crate) fn count(
        &mut self,
        packet: FirstCopy,
        taken_after: i64,
        facts: &mut impl FnMut(Fact),
    ) {
        let second = packet.due.second();
        if second > self.newest {
            self.open(second, facts);
        }
        if second <= self.newest.saturating_sub(OPEN) && self.newest >= OPEN {
            return;
        }
        let index = cell_of(packet.due.0);
        let open = &mut self.seconds[place(second)];
        let told = &mut open.told;
        if packet.above > told.above_max || told.packets == 0 {
            told.above_max = packet.above;
            open.cell_at_max = index;
        }
        told.packets += 1;
        told.above_sum += packet.above;
        told.taken_after_sum += taken_after;
        told.taken_after_max = told.taken_after_max.max(taken_after);
        let above = u32::try_from(packet.above / 1000).unwrap_or(u32::MAX);
        let cell = &mut self.cells[index % CELLS];
        cell.least = if cell.packets == 0 {
            above
        } else {
            cell.least.min(above)
        };
        cell.packets += 1;
    }

    /// Tells what is certain at the begin of second `next`.
    pub(crate) fn close(&mut self, next: u32, facts: &mut impl FnMut(Fact)) {
        let Some(last) = next.checked_sub(TOLD_AFTER) else {
            return;
        };
        let oldest = self.newest.saturating_sub(OPEN - 1);
        for second in oldest..=self.newest.min(last) {
            self.tell(second, facts);
        }
    }

    /// Makes `second` the newest.
    fn open(&mut self, second: u32, facts: &mut impl FnMut(Fact)) {
        self.close(second, facts);
        let oldest = second.saturating_sub(OPEN - 1);
        for new in oldest.max(self.newest + 1)..=second {
            self.seconds[place(new)] = OpenSecond::new(self.leg, new);
        }
        self.newest = second;
    }

    /// Tells a second, if it saw anything. What of it still comes is told apart.
    fn tell(&mut self, second: u32, facts: &mut impl FnMut(Fact)) {
        let empty = OpenSecond::new(self.leg, second);
        let open = std::mem::replace(&mut self.seconds[place(second)], empty);
        let mut told = open.told;
        if told.packets == 0 || told.second != second {
            return;
        }
        let first = second as usize * CELLS_A_SECOND;
        for index in first..first + CELLS_A_SECOND {
            let packets = self.cell(index).packets;
            if let (Some(common), 1..) = (self.common(index), packets) {
                told.common_packets += packets;
                told.common_sum += i64::from(packets) * common;
            }
        }
        told.common_at_max = self.common(open.cell_at_max);
        facts(Fact::Due(told));
        let from = first % CELLS;
        self.cells[from..from + CELLS_A_SECOND].fill(Cell::default());
    }

    /// The common part of packets due in a cell, ns; none when too few were due with them.
    fn common(&self, index: usize) -> Option<i64> {
        let (mut packets, mut least, mut there_after) = (0, i64::MAX, i64::MAX);
        for (ahead, index) in (0..REACH).zip(index..) {
            let cell = self.cell(index);
            if cell.packets > 0 {
                let above = i64::from(cell.least) * 1000;
                packets += cell.packets;
                least = least.min(above);
                there_after = there_after.min(ahead * CELL_NS + above);
            }
            if packets >= COMPANY_MIN {
                return Some(least.max(there_after));
            }
        }
        None
    }

    fn cell(&self, index: usize) -> Cell {
        self.cells[index % CELLS]
    }
}

/// Where an open second lies.
fn place(second: u32) -> usize {
    (second % OPEN) as usize
}

/// The cell, counted from run time zero.
fn cell_of(due: i64) -> usize {
    usize::try_from(due / CELL_NS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::RunTime;

    const MS: i64 = 1_000_000;

    /// Streams of one packet each 20 ms, spread over it evenly, from second 0 to the end of second 3: above in ns
    /// by (stream, due ns). Gives what was told, by second.
    fn told(streams: i64, above: impl Fn(i64, i64) -> i64) -> Vec<DueSecond> {
        let mut log = DueLog::new(Leg::Receive);
        let mut told = Vec::new();
        for due in (0..4000 * MS).step_by(usize::try_from(20 * MS / streams).unwrap()) {
            let stream = due * streams / (20 * MS) % streams;
            log.count(packet(due, above(stream, due)), 0, &mut |f| told.push(f));
        }
        log.close(6, &mut |f| told.push(f));
        told.into_iter().map(second_of).collect()
    }

    fn packet(due: i64, above: i64) -> FirstCopy {
        FirstCopy {
            slot: 0,
            due: RunTime(due),
            above,
            is_anchored_anew: false,
            ipdv: [None; 2],
        }
    }

    fn second_of(fact: Fact) -> DueSecond {
        match fact {
            Fact::Due(second) => second,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_clean_second_has_nothing_common() {
        let seconds = told(40, |_, _| 0);
        let held: Vec<_> = seconds.iter().map(|s| (s.second, s.packets)).collect();
        assert_eq!(held, [(0, 2000), (1, 2000), (2, 2000), (3, 2000)]);
        assert!(
            seconds
                .iter()
                .all(|s| s.common_sum == 0 && s.above_sum == 0)
        );
    }

    /// Nothing gets through from 400 to 500 ms of second 1. Of 2 packets a millisecond, one each half: the 200 that
    /// are due then wait 100, 99.5, .. 0.5 ms, 10,050 ms in all. Each millisecond's two are told apart no further, so
    /// that the earlier counts like the later: 2 x (99.5 + 98.5 + .. + 0.5) = 10,000 ms are common.
    #[test]
    fn a_freeze_of_all_streams_is_common_from_its_first_packet_to_its_last() {
        let let_go = 1500 * MS;
        let seconds = told(40, |_, due| {
            if (1400 * MS..let_go).contains(&due) {
                let_go - due
            } else {
                0
            }
        });
        let held = seconds[1];
        assert_eq!((held.above_sum, held.above_max), (10_050 * MS, 100 * MS));
        assert_eq!((held.common_packets, held.common_sum), (2000, 10_000 * MS));
        assert_eq!(held.common_at_max, Some(99 * MS + MS / 2));
        assert_eq!(seconds[0].above_sum + seconds[2].above_sum, 0);
    }

    /// One of 40 streams comes 30 ms late throughout: 50 packets a second.
    #[test]
    fn what_holds_one_stream_is_not_common() {
        let seconds = told(40, |stream, _| if stream == 7 { 30 * MS } else { 0 });
        assert_eq!(
            (seconds[1].above_sum, seconds[1].common_sum),
            (1500 * MS, 0)
        );
        assert_eq!(seconds[1].common_at_max, Some(0));
    }

    /// A queue that stands 3 ms high for all of seconds 1 and 2. Of its last ten packets the company is due
    /// after it, and there at once: what is common to them ends with it.
    #[test]
    fn a_standing_queue_is_common() {
        let seconds = told(40, |_, due| {
            if (1000 * MS..3000 * MS).contains(&due) {
                3 * MS
            } else {
                0
            }
        });
        assert_eq!(seconds[1].above_sum, 2000 * 3 * MS);
        assert_eq!(seconds[1].common_sum, 2000 * 3 * MS);
        let missing = 2000 * 3 * MS - seconds[2].common_sum;
        assert!((0..=10 * 3 * MS).contains(&missing), "{missing}");
    }

    #[test]
    fn of_nine_streams_nothing_is_called_common() {
        let seconds = told(8, |_, _| 5 * MS);
        assert_eq!((seconds[1].packets, seconds[1].common_packets), (400, 0));
        assert_eq!(seconds[1].common_at_max, None);
    }

    /// A thread that stood still for 3 s reads each stream's packets of all that time at once: what is told of a second
    /// comes in parts, and they add up.
    #[test]
    fn packets_read_stream_by_stream_are_all_counted() {
        let mut log = DueLog::new(Leg::Sent);
        let mut facts = Vec::new();
        for stream in 0..40_i64 {
            for slot in 0..150 {
                let due = slot * 20 * MS + stream * MS / 2;
                log.count(packet(due, MS), 7 * MS, &mut |f| facts.push(f));
            }
        }
        log.close(5, &mut |f| facts.push(f));
        let seconds: Vec<DueSecond> = facts.into_iter().map(second_of).collect();
        for second in 0..3 {
            let parts = || seconds.iter().filter(|part| part.second == second);
            assert_eq!(parts().map(|part| part.packets).sum::<u32>(), 2000);
            assert_eq!(parts().map(|part| part.above_sum).sum::<i64>(), 2000 * MS);
            assert_eq!(parts().map(|part| part.taken_after_max).max(), Some(7 * MS));
        }
        assert_eq!(
            seconds.len(),
            4,
            "second 0 was told once before the rest of it came"
        );
    }

    #[test]
    fn what_was_due_long_ago_is_left_out() {
        let mut log = DueLog::new(Leg::Sent);
        let mut facts = Vec::new();
        log.count(packet(9000 * MS, 0), 0, &mut |f| facts.push(f));
        log.count(packet(5999 * MS, 0), 0, &mut |f| facts.push(f));
        log.count(packet(6000 * MS, 0), 0, &mut |f| facts.push(f));
        log.close(20, &mut |f| facts.push(f));
        let seconds: Vec<u32> = facts.into_iter().map(|f| second_of(f).second).collect();
        assert_eq!(seconds, [6, 9]);
    }
}
