//! The pacing thread: wakes once a slot in which something is due, sends it, and keeps a record of how late every
//! packet was. It does nothing else, so that its lateness is the system's.
//!
//! Each packet is a call of `send(2)`: `sendmmsg(2)` serves one socket, and here every stream has its own, with ports of its own as
//! the calls of a Media Server have. So the clock is read for each packet too: by the last of a slot's it is late by what the others took.

use crate::calls::{Call, CallPlan};
use crate::pacer::{Line, NOT_SENT_AFTER_NS, Pacer, PacingLog};
use crate::stream::Handed;
use milliwatt_wire::clock::{SleepMode, mono_now};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Lane, Leg, Party};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::socket::SendOutcome;
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{RunClock, RunTime};
use std::sync::Arc;

/// One packet about to leave, as the pacing thread knows it.
#[derive(Clone, Copy, Debug)]
pub struct Departure<'c> {
    /// The port pair it leaves by: lanes in order, in each the parties in order.
    pub port: usize,
    /// Its call.
    pub call: &'c Call,
    /// Who speaks.
    pub party: Party,
    /// Its media slot in the call.
    pub slot: u32,
    /// When it was due.
    pub due: RunTime,
}

/// What a pacing thread asks of the end it sends for.
pub trait Departures {
    /// From here on nothing is due: the run was stopped. The far future while it goes on.
    fn cut(&self) -> RunTime;

    /// All media ends at once.
    fn is_halted(&self) -> bool;

    /// Touches what sending by a port will need, so that it is in the processor's cache by then.
    fn expect(&self, _port: usize) {}

    /// Puts a packet's audio in place, 160 octets.
    fn fill(&mut self, departure: &Departure<'_>, payload: &mut [u8]);

    /// Hands a packet to the system; `at` is the clock's reading just before.
    fn send(
        &mut self,
        departure: &Departure<'_>,
        octets: &[u8],
        at: RunTime,
        facts: &mut impl FnMut(Fact),
    ) -> SendOutcome;

    /// Packets that the current stream of a port has sent so far.
    fn told_sent(&mut self, port: usize, packets: u32);
}

/// A pacing thread's work: the streams of every `of`-th lane, from `index` on.
#[derive(Clone, Copy, Debug)]
pub struct Pacing<'a> {
    /// The load.
    pub load: &'a LoadSpec,
    /// Its calls.
    pub plan: &'a CallPlan,
    /// What its streams are encrypted with.
    pub keys: Option<&'a Arc<MediaKeys>>,
    /// Run time on this host.
    pub clock: RunClock,
    /// How to wait for a slot.
    pub mode: SleepMode,
    /// What is more than a packet time late is sent all the same, in a burst.
    pub burst: bool,
    /// Which pacing thread this is, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

impl Pacing<'_> {
    /// Sends on the receive leg until the plan, or its cut, is over. Allocates nothing a packet.
    pub fn run(&self, end: &mut impl Departures, facts: &mut impl FnMut(Fact)) {
        let mut pacer = Pacer::new(self.load, self.plan, Leg::Receive, |lane| {
            lane.0 % self.of.max(1) == self.index
        })
        .with_keys(self.keys.cloned());
        let ports: Vec<usize> = pacer
            .lines()
            .iter()
            .map(|line| self.port_of(line))
            .collect();
        let mut log = PacingLog::default();
        let mut over = self.plan.end() + PTIME_NS;
        let mut tick = pacer.next_used(0);
        while pacer.grid().due(tick) <= over && !end.is_halted() {
            let due = pacer.grid().due(tick);
            // Before the wait, so that no packet of the slot waits for memory.
            for index in pacer.lines_in(tick) {
                let index = *index as usize;
                pacer.lines()[index].touch();
                end.expect(ports[index]);
            }
            self.mode.wait_until(self.clock.mono(due));
            let cut = end.cut();
            if cut < over {
                over = cut + PTIME_NS;
                pacer.cut(cut);
            }
            pacer.cut_step(self.plan.cut());
            pacer.visit(tick, facts, |index, line, facts| {
                self.depart(ports[index], line, due, end, &mut log, facts);
            });
            tick = pacer.next_used(tick + 1);
        }
        pacer.finish(facts);
        log.close(self.clock.run(mono_now()).second() + 1, facts);
    }

    fn port_of(&self, line: &Line) -> usize {
        let Lane(lane) = line.lane();
        lane as usize * self.load.parties().len() + line.party().channel()
    }

    /// Sends the packet that is due on a line, or passes it over when its time is past.
    fn depart(
        &self,
        port: usize,
        line: &mut Line,
        due: RunTime,
        end: &mut impl Departures,
        log: &mut PacingLog,
        facts: &mut impl FnMut(Fact),
    ) {
        let party = line.party();
        let Some((call, sender)) = line.sending() else {
            return;
        };
        let at = self.clock.run(mono_now());
        let in_time = self.burst || at - due <= NOT_SENT_AFTER_NS;
        log.count(due, at, in_time, facts);
        if in_time {
            let slot = sender.next_slot().unwrap_or(0);
            let departure = Departure {
                port,
                call,
                party,
                slot,
                due,
            };
            end.fill(&departure, sender.fill());
            sender.protect();
            let handed = match end.send(&departure, sender.octets(), at, facts) {
                SendOutcome::Sent => Handed::Sent,
                SendOutcome::WouldBlock | SendOutcome::Refused(_) => Handed::Refused,
            };
            sender.settle(handed, facts);
        } else {
            sender.skip();
        }
        end.told_sent(port, sender.sent());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::load::Hold;
    use milliwatt_wire::time::NS_PER_SECOND;

    /// Takes everything, and counts it.
    #[derive(Default)]
    struct Counted {
        sent: u64,
    }

    impl Departures for Counted {
        fn cut(&self) -> RunTime {
            RunTime(i64::MAX)
        }

        fn is_halted(&self) -> bool {
            false
        }

        fn fill(&mut self, _departure: &Departure<'_>, _payload: &mut [u8]) {}

        fn send(
            &mut self,
            _departure: &Departure<'_>,
            _octets: &[u8],
            _at: RunTime,
            _facts: &mut impl FnMut(Fact),
        ) -> SendOutcome {
            self.sent += 1;
            SendOutcome::Sent
        }

        fn told_sent(&mut self, _port: usize, _packets: u32) {}
    }

    /// Sent, and told as not sent, of two streams of ten packets that were all due half a minute ago.
    fn paced_late(burst: bool) -> (u64, u64) {
        let load = LoadSpec {
            concurrent: 1,
            total: Some(1),
            steady_start: false,
            hold: Hold::Fixed(10 * PTIME_NS),
            full_for: Some(NS_PER_SECOND),
            ..crate::test_load()
        };
        let plan = CallPlan::expand(&load);
        let pacing = Pacing {
            load: &load,
            plan: &plan,
            keys: None,
            clock: RunClock {
                zero: mono_now() + -30 * NS_PER_SECOND,
            },
            mode: SleepMode::Sleep,
            burst,
            index: 0,
            of: 1,
        };
        let (mut end, mut not_sent) = (Counted::default(), 0);
        pacing.run(&mut end, &mut |fact| {
            if let Fact::Pacing(second) = fact {
                not_sent += u64::from(second.not_sent);
                assert!(second.lateness_max > 20 * NS_PER_SECOND, "{second:?}");
            }
        });
        (end.sent, not_sent)
    }

    #[test]
    fn what_is_late_by_more_than_a_packet_time_is_left_out_or_sent_in_a_burst() {
        assert_eq!(paced_late(false), (0, 20));
        assert_eq!(paced_late(true), (20, 0));
    }
}
