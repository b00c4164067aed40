//! The media-engine thread: wakes once a slot, sends what is due there, then reads what came
//! until the next slot. Here, and nowhere else in the engine, are clocks and sockets.

use super::line::{ARRIVING, EngineLine, Moment};
use super::outgoing::{fill, hand_over, reflect, report};
use super::port::{PortPair, RtcpPort, line_receiver, port_calls};
use super::recorded::{RecordedLanes, record};
use super::sent::SentLog;
use super::status::{FactRing, MediaStatus, SocketDrops};
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::pacer::{NOT_SENT_AFTER_NS, Pacer, PacingLog};
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, DRAIN_NS};
use milliwatt_receiver::recorder::RecorderInput;
use milliwatt_wire::clock::{ClockPair, mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Lane, Leg};
use milliwatt_wire::load::{LoadSpec, PTIME_NS, Role};
use milliwatt_wire::socket::{Poller, ReceiveBatch};
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock, RunTime};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Everything an engine needs to start.
#[derive(Debug)]
pub struct EngineSetup {
    /// The load.
    pub load: LoadSpec,
    /// Its calls.
    pub plan: Arc<CallPlan>,
    /// Which engine this is, from 0.
    pub index: u32,
    /// How many there are: lane modulo this is the engine's.
    pub engines: u32,
    /// Its port pairs, by lane and party.
    pub ports: Vec<PortPair>,
    /// Run time on this host.
    pub clock: RunClock,
    /// Shared with the session.
    pub status: Arc<MediaStatus>,
    /// Facts out.
    pub facts: rtrb::Producer<Fact>,
    /// Audio out.
    pub recorder: rtrb::Producer<RecorderInput>,
}

/// The engine, run by its own thread.
pub struct Engine {
    load: LoadSpec,
    clock: RunClock,
    status: Arc<MediaStatus>,
    pacer: Pacer,
    lines: Vec<EngineLine>,
    poller: Poller,
    pacing: PacingLog,
    leg: LegLog,
    sent: SentLog,
    facts: FactRing,
    recorder: rtrb::Producer<RecorderInput>,
    recorded: RecordedLanes,
    end: RunTime,
    drops: Vec<SocketDrops>,
}

impl Engine {
    /// Joins ports and plan.
    pub fn new(setup: EngineSetup) -> io::Result<Self> {
        let EngineSetup {
            load,
            plan,
            index,
            engines,
            ports,
            clock,
            status,
            facts,
            recorder,
        } = setup;
        let serves = move |lane: Lane| lane.0 % engines == index;
        let pacer = Pacer::new(&load, &plan, Leg::Sent, serves);
        let poller = Poller::new()?;
        let ipv6 = ports.first().is_some_and(|p| p.rtp.local_addr().is_ipv6());
        let mut lines = Vec::with_capacity(ports.len());
        for (token, (port, (_, party, calls))) in
            (0_u32..).zip(ports.into_iter().zip(port_calls(&load, &plan, serves)))
        {
            poller.add(&port.rtp, token * 2)?;
            poller.add(&port.rtcp, token * 2 + 1)?;
            let receiver = line_receiver(&load, pacer.grid(), &calls, party, ARRIVING);
            let start = calls.first().map_or(RunTime::ZERO, |c| c.start);
            let rtcp = RtcpPort::new(load.seed ^ u64::from(port.rtp.local_addr().port()), start);
            lines.push(EngineLine::new(&load, port, rtcp, receiver));
        }
        let drops = vec![SocketDrops::default(); lines.len()];
        Ok(Self {
            clock,
            pacer,
            lines,
            poller,
            pacing: PacingLog::default(),
            leg: LegLog::new(ARRIVING),
            sent: SentLog::new(ipv6),
            facts: FactRing::new(facts, &status),
            recorder,
            recorded: RecordedLanes::new(drops.len(), load.legs),
            end: plan.end() + 2 * PTIME_NS,
            load,
            status,
            drops,
        })
    }

    /// Runs until the plan, or its cut, is over and drained.
    pub fn run(mut self) {
        let mut batch = ReceiveBatch::new(16);
        let mut tick = 0_i64;
        while !self.status.halt.load(Ordering::Relaxed) {
            let due = self.pacer.grid().due(tick);
            if due > self.end + DRAIN_NS + 3 * PTIME_NS {
                break;
            }
            sleep_until(self.clock.mono(due));
            self.send(tick, due);
            self.receive(&mut batch, self.clock.mono(self.pacer.grid().due(tick + 1)));
            self.keep_house(tick, due);
            tick += 1;
        }
        self.finish();
    }

    fn send(&mut self, tick: i64, due: RunTime) {
        let Self {
            load,
            clock,
            status,
            pacer,
            lines,
            pacing,
            sent,
            facts,
            recorder,
            recorded,
            end,
            ..
        } = self;
        if load.role == Role::Echo {
            return;
        }
        let now = clock.run(mono_now());
        let drift = status.drift(now);
        let in_time = now - due <= NOT_SENT_AFTER_NS;
        pacer.visit(tick, &mut facts.sink(), |index, line, facts| {
            let Some(call) = line.call().copied() else {
                return;
            };
            let speaker = speaker_of(load, index);
            pacing.count(due, now, in_time, facts);
            let Some(sender) = line.sender() else { return };
            if in_time {
                let frame = fill(
                    load,
                    sender,
                    &call,
                    due,
                    drift,
                    (&mut lines[speaker], speaker),
                );
                let ended = recorded.begin(index, &call, *end);
                let frame = call.recorded.then_some(RecorderInput::Frame(frame));
                ended
                    .into_iter()
                    .chain(frame)
                    .for_each(|input| record(recorder, input, status));
                hand_over(sender, &lines[index].port.rtp, sent, now, facts);
            } else {
                lines[speaker].miss(&call, due, drift, facts);
                sender.skip();
            }
            report(line, &mut lines[index], &call, now, sent, facts);
        });
    }

    /// Reads what came until the next slot is due.
    fn receive(&mut self, batch: &mut ReceiveBatch, until: MonoTime) {
        let Self {
            load,
            clock,
            status,
            pacer,
            lines,
            poller,
            leg,
            sent,
            facts,
            drops,
            ..
        } = self;
        let pair = ClockPair::read();
        let mut sink = facts.sink();
        loop {
            let Ok(tokens) = poller.wait(Some(0)) else {
                return;
            };
            if tokens.is_empty() {
                return;
            }
            for token in tokens {
                let (index, rtcp) = ((token / 2) as usize, token % 2 == 1);
                let socket = if rtcp {
                    &lines[index].port.rtcp
                } else {
                    &lines[index].port.rtp
                };
                let Ok(count) = batch.receive(socket) else {
                    continue;
                };
                let taken = clock.run(mono_now());
                for datagram in (0..count).map(|i| batch.datagram(i)) {
                    let arrived = datagram
                        .arrived_wall_ns
                        .map_or(taken, |wall| clock.run(pair.mono_of(wall)));
                    let line = &mut lines[index];
                    if rtcp {
                        if line.rtcp.take(datagram.octets, arrived) {
                            status
                                .last_valid
                                .store(clock.mono(taken).0, Ordering::Relaxed);
                        }
                        continue;
                    }
                    let arrival = Arrival {
                        arrived,
                        drift: status.drift(arrived),
                        dscp: datagram.dscp,
                    };
                    let moment = Moment { arrival, taken };
                    let Some((plan, slot)) = line.take(datagram.octets, moment, leg, &mut sink)
                    else {
                        continue;
                    };
                    status
                        .last_valid
                        .store(clock.mono(taken).0, Ordering::Relaxed);
                    drops[index].note(datagram.drops, status);
                    if load.role == Role::Echo
                        && let Some(sender) = pacer.stream_of(index, plan.stream.call, &mut sink)
                    {
                        reflect(
                            sender,
                            slot,
                            datagram.octets,
                            &line.port.rtp,
                            sent,
                            taken,
                            &mut sink,
                        );
                    }
                }
            }
            if mono_now() >= until {
                return;
            }
        }
    }

    /// Once a packet time for each line: closes streams that are over, follows a cut.
    fn keep_house(&mut self, tick: i64, due: RunTime) {
        let cut = RunTime(self.status.cut.load(Ordering::Relaxed));
        if cut < self.end {
            self.end = cut;
            self.pacer.cut(cut);
            self.lines.iter_mut().for_each(|line| line.cut(cut));
        }
        let slots = usize::try_from(self.pacer.grid().slots()).unwrap_or(1);
        let slot = usize::try_from(tick).unwrap_or(0) % slots;
        let mut sink = self.facts.sink();
        for line in self.lines.iter_mut().skip(slot).step_by(slots) {
            line.sweep(due, &mut sink);
        }
        let margin = self.load.onward_offset + PTIME_NS;
        for lane in (slot..self.recorded.len()).step_by(slots) {
            if let Some(input) = self.recorded.end(lane, due, self.end, margin) {
                record(&mut self.recorder, input, &self.status);
            }
        }
        if due.0 % NS_PER_SECOND == 0 {
            self.leg.close(due.second(), &mut sink);
        }
    }

    fn finish(mut self) {
        for lane in 0..self.recorded.len() {
            if let Some(input) = self.recorded.end(lane, RunTime(i64::MAX), self.end, 0) {
                record(&mut self.recorder, input, &self.status);
            }
        }
        let mut sink = self.facts.sink();
        self.pacer.finish(&mut sink);
        for line in &mut self.lines {
            line.close(&mut sink);
        }
        let last = self.clock.run(mono_now()).second() + 1;
        self.leg.close(last, &mut sink);
        self.pacing.close(last, &mut sink);
        self.sent.turn(last, &mut sink);
        for (line, drops) in self.lines.iter().zip(&mut self.drops) {
            drops.conclude(&line.port.rtp, &self.status);
        }
    }
}

/// Line of the party whose audio goes out on line `index`: lines are in order of lane and party.
fn speaker_of(load: &LoadSpec, index: usize) -> usize {
    if load.legs >= 2 { index ^ 1 } else { index }
}
