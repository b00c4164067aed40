//! The media-engine thread: wakes once a slot, sends what is due there, then reads what came
//! until the next slot. Here, and nowhere else in the engine, are clocks and sockets.

use super::line::{ARRIVING, EngineLine, Tick};
use super::listener::EngineListener;
use super::outgoing::{fill, hand_over, report};
use super::port::{PortPair, RtcpPort, line_receiver, port_calls};
use super::recorded::{RecordedLanes, record};
use super::rest::Rest;
use super::sent::SentLog;
use super::status::{FactRing, MediaStatus, SocketDrops};
use crate::recording::frames::FrameSender;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::pacer::{NOT_SENT_AFTER_NS, Pacer, PacingLog};
use milliwatt_receiver::driver::{SocketReader, Until};
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::DRAIN_NS;
use milliwatt_receiver::opening::Workspace;
use milliwatt_receiver::playout::AudioPool;
use milliwatt_receiver::recorder::RecorderInput;
use milliwatt_wire::capture::Tap;
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Lane, Leg};
use milliwatt_wire::load::{LoadSpec, PTIME_NS, Role};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock, RunTime};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What still waits in our sockets when all is over is read for so long at most. It did arrive.
const LAST_READING_NS: i64 = NS_PER_SECOND;

/// A slot whose successor is due already is read in for this part of a slot.
const READ_BEHIND: i64 = 4;

/// Everything an engine needs to start.
#[derive(Debug)]
pub struct EngineSetup {
    /// The load.
    pub load: LoadSpec,
    /// Its calls.
    pub plan: Arc<CallPlan>,
    /// What its media is encrypted with.
    pub keys: Option<Arc<MediaKeys>>,
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
    pub recorder: FrameSender,
    /// Captured packets out.
    pub tap: Tap,
}

/// The engine, run by its own thread.
pub struct Engine {
    load: LoadSpec,
    clock: RunClock,
    status: Arc<MediaStatus>,
    pacer: Pacer,
    lines: Vec<EngineLine>,
    reader: SocketReader,
    /// It stood still, and what came meanwhile is not all read yet.
    is_behind: bool,
    /// Lines whose slot is next, while it is behind.
    next: Vec<u32>,
    pacing: PacingLog,
    leg: LegLog,
    sent: SentLog,
    facts: FactRing,
    pool: AudioPool,
    recorder: FrameSender,
    tap: Tap,
    space: Workspace,
    recorded: RecordedLanes,
    plan: Arc<CallPlan>,
    /// Steps whose streams the lines know.
    steps: u32,
    end: RunTime,
    /// Everything that arrived before this has been read.
    read_until: RunTime,
    drops: Vec<SocketDrops>,
}

impl Engine {
    /// Joins ports and plan.
    pub fn new(setup: EngineSetup) -> io::Result<Self> {
        let EngineSetup {
            load,
            plan,
            keys,
            index,
            engines,
            ports,
            clock,
            status,
            facts,
            recorder,
            tap,
        } = setup;
        let serves = move |lane: Lane| lane.0 % engines == index;
        let pacer = Pacer::new(&load, &plan, Leg::Sent, serves).with_keys(keys.clone());
        let sockets = ports.iter().map(|port| (&port.rtp, &port.rtcp));
        let until = match load.role {
            Role::Echo => Until::Empty,
            Role::MediaServer => Until::Begun,
        };
        let reader = SocketReader::new(sockets, 1, until, clock)?;
        let ipv6 = ports.first().is_some_and(|p| p.rtp.local_addr().is_ipv6());
        let mut lines = Vec::with_capacity(ports.len());
        let (shared, grid) = (Arc::new(load.clone()), Arc::new(pacer.grid().clone()));
        for (port, (_, party, calls)) in ports.into_iter().zip(port_calls(&load, &plan, serves)) {
            let receiver = line_receiver((&shared, &grid), &calls, party, ARRIVING);
            let start = calls.start();
            let rtcp = RtcpPort::new(load.seed ^ u64::from(port.rtp.local_addr().port()), start);
            let (rtcp, receiver) = (
                rtcp.with_keys(keys.clone()),
                receiver.with_keys(keys.clone()),
            );
            lines.push(EngineLine::new(&load, port, rtcp, receiver));
        }
        let drops = vec![SocketDrops::default(); lines.len()];
        Ok(Self {
            clock,
            pacer,
            lines,
            reader,
            is_behind: false,
            next: Vec::with_capacity(drops.len()),
            pacing: PacingLog::default(),
            leg: LegLog::new(ARRIVING),
            sent: SentLog::new(ipv6),
            facts: FactRing::new(facts, &status),
            pool: AudioPool::new(drops.len() * waiting(&load)),
            recorder,
            tap,
            space: Workspace::default(),
            recorded: RecordedLanes::new(drops.len(), load.legs),
            end: plan.end() + 2 * PTIME_NS,
            steps: 0,
            plan,
            read_until: RunTime::ZERO,
            load,
            status,
            drops,
        })
    }

    /// Runs until the plan, or its cut, is over and drained.
    pub fn run(mut self) {
        let mut tick = 0_i64;
        let mut rest = Rest::new(mono_now());
        while !self.status.halt.load(Ordering::Relaxed) {
            let due = self.pacer.grid().due(tick);
            if due > self.end + DRAIN_NS + 3 * PTIME_NS {
                break;
            }
            sleep_until(rest.until(mono_now(), self.clock.mono(due)));
            if self.send(tick, due) {
                let until = self.reading_until(tick);
                if self.receive_next(tick + 1, until) {
                    self.is_behind &= !self.receive(until);
                }
            } else {
                self.is_behind = true;
            }
            self.keep_house(tick, due);
            tick += 1;
        }
        let last = mono_now() + LAST_READING_NS;
        while !self.receive(last) && mono_now() < last {}
        self.finish();
    }

    /// Until when slot `tick`'s reading goes on: to the next slot. Where that is due already, for a part of a slot, so that
    /// the engine catches up, and what waits is read all the same.
    fn reading_until(&self, tick: i64) -> MonoTime {
        let next = self.clock.mono(self.pacer.grid().due(tick + 1));
        next.max(mono_now() + self.load.slot_width / READ_BEHIND)
    }

    /// Sends what is due in a slot. False when the slot is so late that nothing of it is sent: after a stall those are gone
    /// through first, without reading what came meanwhile, so that what is due now leaves at once.
    fn send(&mut self, tick: i64, due: RunTime) -> bool {
        let Self {
            load,
            clock,
            status,
            pacer,
            lines,
            pacing,
            sent,
            facts,
            pool,
            recorder,
            tap,
            recorded,
            end,
            plan,
            ..
        } = self;
        if load.role == Role::Echo {
            return true;
        }
        pacer.cut_step(plan.cut());
        let end = (*end).min(plan.cut());
        let now = clock.run(mono_now());
        let drift = status.drift(now);
        let in_time = now - due <= NOT_SENT_AFTER_NS;
        pacer.visit(tick, &mut facts.sink(), |index, line, facts| {
            let Some(call) = line.call().copied() else {
                return;
            };
            let speaker = speaker_of(load, index);
            let playing = Tick {
                call: &call,
                due,
                drift,
            };
            pacing.count(due, now, in_time, facts);
            let Some(sender) = line.sender() else { return };
            if in_time {
                let speaking = (&mut lines[speaker], speaker);
                let frame = fill(load, sender, playing, speaking, pool, facts);
                let ended = recorded.begin(index, &call, end);
                let frame = call.recorded.then_some(RecorderInput::Frame(frame));
                ended
                    .into_iter()
                    .chain(frame)
                    .for_each(|input| record(recorder, input, status));
                hand_over(
                    sender,
                    (&lines[index].port.rtp, index),
                    (sent, tap),
                    now,
                    facts,
                );
            } else {
                lines[speaker].miss(playing, pool, facts);
                sender.skip();
            }
            report(
                line,
                (&mut lines[index], index),
                &call,
                now,
                (sent, tap),
                facts,
            );
        });
        in_time
    }

    /// After a stall reads what waits for the lines of slot `tick` first: theirs is played next, and a stream whose packets
    /// were read is heard again from then on. False when it is `until` before that is done.
    fn receive_next(&mut self, tick: i64, until: MonoTime) -> bool {
        if !self.is_behind || self.load.role == Role::Echo {
            return true;
        }
        let mut next = std::mem::take(&mut self.next);
        next.clear();
        next.extend(self.pacer.lines_in(tick));
        let (reader, mut listener) = self.listening();
        let all = next.iter().all(|line| {
            let speaker = speaker_of(listener.load, *line as usize);
            reader.read_port(speaker, &mut listener, until)
        });
        drop(listener);
        self.next = next;
        all
    }

    /// Reads what came until the next slot is due. True when nothing is left to read.
    fn receive(&mut self, until: MonoTime) -> bool {
        let begun = mono_now();
        let (reader, mut listener) = self.listening();
        let all = reader.read(&mut listener, until);
        drop(listener);
        if all {
            self.read_until = self.clock.run(begun);
        }
        all
    }

    /// The reader, and what it reads for.
    fn listening(&mut self) -> (&mut SocketReader, EngineListener<'_, impl FnMut(Fact)>) {
        let listener = EngineListener {
            load: &self.load,
            clock: self.clock,
            status: &self.status,
            pacer: &mut self.pacer,
            lines: &mut self.lines,
            leg: &mut self.leg,
            sent: &mut self.sent,
            pool: &mut self.pool,
            drops: &mut self.drops,
            tap: &mut self.tap,
            space: &mut self.space,
            facts: self.facts.sink(),
        };
        (&mut self.reader, listener)
    }

    /// Once a packet time for each line: closes streams that are over, follows a cut.
    fn keep_house(&mut self, tick: i64, due: RunTime) {
        let cut = RunTime(self.status.cut.load(Ordering::Relaxed));
        if cut < self.end {
            self.end = cut;
            self.pacer.cut(cut);
            self.lines.iter_mut().for_each(|line| line.cut(cut));
        }
        self.learn_steps();
        let slots = usize::try_from(self.pacer.grid().slots()).unwrap_or(1);
        let slot = usize::try_from(tick).unwrap_or(0) % slots;
        let mut sink = self.facts.sink();
        for line in self.lines.iter_mut().skip(slot).step_by(slots) {
            line.sweep(due.min(self.read_until), &mut sink);
        }
        let margin = self.load.onward_offset + PTIME_NS;
        let end = self.end.min(self.plan.cut());
        for lane in (slot..self.recorded.len()).step_by(slots) {
            if let Some(input) = self.recorded.end(lane, due, end, margin) {
                record(&mut self.recorder, input, &self.status);
            }
        }
        if slot == 0 {
            self.recorder.flush();
        }
        if due.0 % NS_PER_SECOND == 0 {
            self.leg.close(due.second(), &mut sink);
        }
    }

    /// Has the lines look for streams when a step has become known.
    fn learn_steps(&mut self) {
        let known = self.plan.steps.as_ref().map_or(0, |steps| steps.known());
        if known != self.steps {
            self.steps = known;
            self.lines.iter_mut().for_each(EngineLine::look_again);
        }
    }

    fn finish(mut self) {
        let end = self.end.min(self.plan.cut());
        for lane in 0..self.recorded.len() {
            if let Some(input) = self.recorded.end(lane, RunTime(i64::MAX), end, 0) {
                record(&mut self.recorder, input, &self.status);
            }
        }
        self.recorder.flush();
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

/// Packets of a stream that wait at a time: those in the buffer, and the one whose turn it is.
fn waiting(load: &LoadSpec) -> usize {
    usize::try_from(load.playout_buffer / PTIME_NS).unwrap_or(0) + 1
}

/// Line of the party whose audio goes out on line `index`: lines are in order of lane and party.
fn speaker_of(load: &LoadSpec, index: usize) -> usize {
    if load.legs >= 2 { index ^ 1 } else { index }
}
