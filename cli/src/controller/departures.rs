//! The kernel's own stamps on a sample of what the tester sends: how long after the pacing thread read its clock a
//! packet was handed to the driver. The pacing thread notes when; the receiving thread reads the stamps.

use milliwatt_agent::engine::PortPair;
use milliwatt_wire::clock::StampClock;
use milliwatt_wire::facts::{BUCKETS, Fact, Right, Scale};
use milliwatt_wire::time::{RunClock, RunTime};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

/// One port in so many is sampled: stamps on every packet cost a fifth of the sending rate.
const EVERY: usize = 64;
/// Packets of a port whose stamps may be under way: 1.28 s.
const UNDER_WAY: usize = 64;

/// The sampled ports.
pub(super) struct DepartureSample {
    ports: Vec<SampledPort>,
}

/// When the last packets of one port left by the pacing thread's clock.
pub(super) struct SampledPort {
    left: AtomicU32,
    at: [AtomicI64; UNDER_WAY],
}

impl DepartureSample {
    /// Has the kernel stamp what leaves by every 64th port from now on, and says whether it will.
    pub(super) fn start(ports: &[PortPair]) -> (Self, Right) {
        let stamping = ports
            .iter()
            .step_by(EVERY)
            .all(|port| port.rtp.stamp_departures());
        let sampled = if stamping {
            ports.len().div_ceil(EVERY)
        } else {
            0
        };
        let refused = || Err("the kernel does not stamp what leaves these sockets".to_owned());
        let right = Right {
            name: "kernel departure stamps".into(),
            granted: if stamping { Ok(()) } else { refused() },
        };
        let ports = (0..sampled).map(|_| SampledPort::new()).collect();
        (Self { ports }, right)
    }

    /// A port, when it is sampled.
    pub(super) fn of(&self, port: usize) -> Option<&SampledPort> {
        self.ports
            .get(port / EVERY)
            .filter(|_| port.is_multiple_of(EVERY))
    }
}

impl SampledPort {
    fn new() -> Self {
        Self {
            left: AtomicU32::new(0),
            at: [const { AtomicI64::new(0) }; UNDER_WAY],
        }
    }

    /// The next packet is about to be handed to the system. Said before it is: its stamp may be read at once.
    pub(super) fn leaves(&self, at: RunTime) {
        let number = self.left.load(Ordering::Relaxed);
        self.at[place(number)].store(at.0, Ordering::Release);
    }

    /// The system took it. One that it refused has no number.
    pub(super) fn left(&self) {
        self.left.fetch_add(1, Ordering::Relaxed);
    }

    fn departure(&self, number: u32) -> RunTime {
        RunTime(self.at[place(number)].load(Ordering::Acquire))
    }
}

fn place(number: u32) -> usize {
    number as usize % UNDER_WAY
}

/// Reads stamps, tells of each second's.
pub(super) struct DepartureLog {
    second: u32,
    buckets: [u32; BUCKETS],
    max: i64,
}

impl DepartureLog {
    pub(super) fn new() -> Self {
        Self {
            second: 0,
            buckets: [0; BUCKETS],
            max: 0,
        }
    }

    /// Takes the stamps that wait at a port.
    pub(super) fn read(
        &mut self,
        (port, sampled): (&PortPair, &SampledPort),
        (stamps, clock): (&StampClock, RunClock),
        facts: &mut impl FnMut(Fact),
    ) {
        for (number, wall) in port.rtp.departures() {
            let departure = sampled.departure(number);
            self.take(departure, clock.run(stamps.mono_of(wall)), facts);
        }
    }

    fn take(&mut self, departure: RunTime, stamp: RunTime, facts: &mut impl FnMut(Fact)) {
        if departure.second() > self.second {
            self.close(departure.second(), facts);
        }
        let after = stamp - departure;
        self.buckets[usize::from(Scale::LEG.bucket(after))] += 1;
        self.max = self.max.max(after);
    }

    /// Closes the second under way, if it saw anything, and starts `next`.
    pub(super) fn close(&mut self, next: u32, facts: &mut impl FnMut(Fact)) {
        let counted = (0..=u8::MAX)
            .zip(self.buckets)
            .filter(|(_, count)| *count > 0);
        let after: Vec<(u8, u32)> = counted.collect();
        if !after.is_empty() {
            facts(Fact::DepartureStamps {
                second: self.second,
                after,
                after_max: self.max,
            });
        }
        *self = Self {
            second: next,
            ..Self::new()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::NS_PER_SECOND;

    #[test]
    fn a_stamp_finds_its_packet_and_a_refused_one_had_no_number() {
        let port = SampledPort::new();
        for number in 0..70 {
            port.leaves(RunTime(-1));
            port.leaves(RunTime(i64::from(number) * 20));
            port.left();
        }
        assert_eq!(port.departure(69), RunTime(1380));
        assert_eq!(
            port.departure(6),
            RunTime(120),
            "64 packets are under way at most"
        );
    }

    #[test]
    fn each_second_tells_of_its_own_packets() {
        let mut log = DepartureLog::new();
        let mut facts = Vec::new();
        let mut tell = |fact| facts.push(fact);
        log.take(RunTime(10), RunTime(20_010), &mut tell);
        log.take(
            RunTime(NS_PER_SECOND),
            RunTime(NS_PER_SECOND + 5000),
            &mut tell,
        );
        log.close(2, &mut tell);
        let second = |second, ns| Fact::DepartureStamps {
            second,
            after: vec![(Scale::LEG.bucket(ns), 1)],
            after_max: ns,
        };
        assert_eq!(facts, [second(0, 20_000), second(1, 5000)]);
    }
}
