//! The thread that tells each second what was made.

use super::{Account, NeighbourFact, Work};
use crate::output::complain;
use crate::spool::Spool;
use crate::telemetry::HostProbe;
use milliwatt_wire::block::FactsWriter;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::facts::{Fact, NeighbourSecond};
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock};
use std::io;
use std::sync::atomic::Ordering;

/// Tells from run time zero until all is over, and completes the spool.
pub(super) fn tell(work: &Work, spool: &Spool) {
    if let Some(clock) = wait_for_zero(work) {
        Teller::new(work, spool, clock).tell();
    }
    spool.complete();
}

fn wait_for_zero(work: &Work) -> Option<RunClock> {
    loop {
        let seen = work.until(MonoTime(i64::MAX));
        let now = mono_now();
        let clock = work.orders().clock();
        match clock {
            _ if work.is_over(now) => return None,
            Some(clock) if now >= clock.zero => return Some(clock),
            Some(clock) => work.wait(seen.no_later(clock.zero)),
            None => work.wait(seen),
        }
    }
}

struct Teller<'a> {
    work: &'a Work,
    spool: &'a Spool,
    clock: RunClock,
    writer: FactsWriter<io::Sink>,
    probe: HostProbe,
    account: Account,
    /// When the last second was told.
    told: MonoTime,
    cpu: u64,
    disk: u64,
    network: u64,
}

impl<'a> Teller<'a> {
    fn new(work: &'a Work, spool: &'a Spool, clock: RunClock) -> Self {
        let now = mono_now();
        Self {
            work,
            spool,
            clock,
            writer: FactsWriter::new(io::sink()),
            probe: HostProbe::new(None),
            account: Account::new(now, work.state(now)),
            told: now,
            cpu: work.made.cpu_ns(),
            disk: 0,
            network: 0,
        }
    }

    fn tell(&mut self) {
        if self.work.state(self.told).on {
            self.switched(self.told, true);
        }
        loop {
            let seen = self.work.until(MonoTime(i64::MAX));
            let now = mono_now();
            let state = self.work.state(now);
            if let Some((at, on)) = self.account.take(now, state) {
                self.switched(at, on);
            }
            let over = self.work.is_over(now);
            let next = self.next_second();
            if now >= next || over {
                self.second(now);
                for text in self.work.take_failed() {
                    let at = self.clock.run(now);
                    self.push(NeighbourFact::Failed { at, text });
                }
            }
            if over {
                let at = self.clock.run(now);
                self.push(NeighbourFact::Closed { at });
                return self.flush();
            }
            if now >= next {
                self.flush();
            }
            let stopped = self.work.orders().stopped();
            let seen = seen.no_later(self.next_second()).no_later(stopped);
            self.work.wait(seen.no_later(state.until));
        }
    }

    /// The end of the second in which the last was told.
    fn next_second(&self) -> MonoTime {
        let seconds = (self.told - self.clock.zero).div_euclid(NS_PER_SECOND) + 1;
        self.clock.zero + seconds * NS_PER_SECOND
    }

    fn second(&mut self, now: MonoTime) {
        let second = self.clock.run(now + -1).second();
        // A look that came within a second tells of that one, a late one of the last that is whole.
        let whole = self.clock.run(now).second().saturating_sub(1);
        let second = if now >= self.next_second() {
            whole
        } else {
            second
        };
        let made = &self.work.made;
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (cpu, disk, network) = (made.cpu_ns(), load(&made.disk), load(&made.network));
        let (host, _) = self.probe.sample(second);
        let told = NeighbourSecond {
            second,
            span_ns: u64::try_from(now - self.told).unwrap_or(0),
            on_ns: u64::try_from(self.account.take_on()).unwrap_or(0),
            cpu_ns: cpu.saturating_sub(self.cpu),
            steal_percent: host.steal_percent,
            cpu_percent: host.cpu_percent,
            memory_octets: load(&made.memory),
            disk_octets: disk - self.disk,
            network_octets: network - self.network,
        };
        (self.cpu, self.disk, self.network, self.told) = (cpu, disk, network, now);
        self.push(NeighbourFact::Second(told));
    }

    fn switched(&mut self, at: MonoTime, on: bool) {
        let at = self.clock.run(at);
        self.push(NeighbourFact::Switched { on, at });
    }

    fn push(&mut self, told: NeighbourFact) {
        let neighbour = self.work.asked.neighbour;
        self.writer.push(Fact::Neighbour { neighbour, told });
    }

    /// What the disk has no room for is kept in memory by the spool.
    fn flush(&mut self) {
        match self.writer.flush_block() {
            Ok(Some((_, octets))) => drop(self.spool.append(&octets)),
            Ok(None) => {}
            Err(error) => complain(&format!("what the neighbour made was not told: {error}")),
        }
    }
}
