//! The media-engine thread: wakes once a slot, sends what is due there, then reads what came
//! until the next slot. Here, and nowhere else in the engine, are clocks and sockets.

use super::line::{ARRIVING, EngineLine};
use super::outgoing::{fill, hand_over, reflect, report};
use super::port::{PortPair, RtcpPort, line_receiver, port_calls};
use super::recorded::{RecordedLanes, record};
use super::sent::SentLog;
use super::status::{FactRing, MediaStatus, SocketDrops};
use crate::recording::frames::FrameSender;
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::pacer::{NOT_SENT_AFTER_NS, Pacer, PacingLog};
use milliwatt_receiver::driver::{Listener, Moment, SocketReader};
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, DRAIN_NS, Taken};
use milliwatt_receiver::playout::AudioPool;
use milliwatt_receiver::recorder::RecorderInput;
use milliwatt_receiver::stream::Placed;
use milliwatt_wire::capture::{self, Channel, Tap};
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Lane, Leg};
use milliwatt_wire::load::{LoadSpec, PTIME_NS, Role};
use milliwatt_wire::socket::{Datagram, MediaSocket};
use milliwatt_wire::time::{MonoTime, NS_PER_SECOND, RunClock, RunTime};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What still waits in our sockets when all is over is read for so long at most. It did arrive.
const LAST_READING_NS: i64 = NS_PER_SECOND;

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
    pacing: PacingLog,
    leg: LegLog,
    sent: SentLog,
    facts: FactRing,
    pool: AudioPool,
    recorder: FrameSender,
    tap: Tap,
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
        let pacer = Pacer::new(&load, &plan, Leg::Sent, serves);
        let sockets = ports.iter().map(|port| (&port.rtp, &port.rtcp));
        let reader = SocketReader::new(sockets, 1, clock)?;
        let ipv6 = ports.first().is_some_and(|p| p.rtp.local_addr().is_ipv6());
        let mut lines = Vec::with_capacity(ports.len());
        let (shared, grid) = (Arc::new(load.clone()), Arc::new(pacer.grid().clone()));
        for (port, (_, party, calls)) in ports.into_iter().zip(port_calls(&load, &plan, serves)) {
            let receiver = line_receiver((&shared, &grid), &calls, party, ARRIVING);
            let start = calls.start();
            let rtcp = RtcpPort::new(load.seed ^ u64::from(port.rtp.local_addr().port()), start);
            lines.push(EngineLine::new(&load, port, rtcp, receiver));
        }
        let drops = vec![SocketDrops::default(); lines.len()];
        Ok(Self {
            clock,
            pacer,
            lines,
            reader,
            pacing: PacingLog::default(),
            leg: LegLog::new(ARRIVING),
            sent: SentLog::new(ipv6),
            facts: FactRing::new(facts, &status),
            pool: AudioPool::new(drops.len() * waiting(&load)),
            recorder,
            tap,
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
        while !self.status.halt.load(Ordering::Relaxed) {
            let due = self.pacer.grid().due(tick);
            if due > self.end + DRAIN_NS + 3 * PTIME_NS {
                break;
            }
            sleep_until(self.clock.mono(due));
            self.send(tick, due);
            self.receive(self.clock.mono(self.pacer.grid().due(tick + 1)));
            self.keep_house(tick, due);
            tick += 1;
        }
        let last = mono_now() + LAST_READING_NS;
        while !self.receive(last) && mono_now() < last {}
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
            pool,
            recorder,
            tap,
            recorded,
            end,
            plan,
            ..
        } = self;
        if load.role == Role::Echo {
            return;
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
                    pool,
                );
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
                lines[speaker].miss(&call, due, drift, pool, facts);
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
    }

    /// Reads what came until the next slot is due. True when nothing is left to read.
    fn receive(&mut self, until: MonoTime) -> bool {
        let begun = mono_now();
        let mut listener = EngineListener {
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
            facts: self.facts.sink(),
        };
        let all = self.reader.read(&mut listener, until);
        if all {
            self.read_until = self.clock.run(begun);
        }
        all
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

/// The engine, as the reader of its sockets sees it.
struct EngineListener<'e, F> {
    load: &'e LoadSpec,
    clock: RunClock,
    status: &'e MediaStatus,
    pacer: &'e mut Pacer,
    lines: &'e mut [EngineLine],
    leg: &'e mut LegLog,
    sent: &'e mut SentLog,
    pool: &'e mut AudioPool,
    drops: &'e mut [SocketDrops],
    tap: &'e mut Tap,
    facts: F,
}

impl<F: FnMut(Fact)> Listener for EngineListener<'_, F> {
    fn socket(&self, port: usize, channel: Channel) -> &MediaSocket {
        self.lines[port].port.socket(channel)
    }

    fn expect(&self, port: usize) {
        self.lines[port].touch();
    }

    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, moment: Moment) {
        let mut how = capture::Taken {
            arrived: moment.arrived,
            taken: moment.taken,
            drift: self.status.drift(moment.arrived),
            foreign: false,
        };
        let is_valid = match channel {
            Channel::Rtp => {
                let became = self.take_rtp(port, datagram, (moment, how.drift));
                how.foreign = became == Taken::Foreign;
                matches!(
                    became,
                    Taken::Stream {
                        placed: Placed::New(_),
                        ..
                    }
                )
            }
            Channel::Rtcp => self.lines[port].rtcp.take(datagram.octets, moment.arrived),
        };
        self.tap.arrival(port, channel, datagram, how);
        if is_valid {
            let now = self.clock.mono(moment.taken).0;
            self.status.last_valid.store(now, Ordering::Relaxed);
        }
    }
}

impl<F: FnMut(Fact)> EngineListener<'_, F> {
    /// Takes an RTP datagram; an echo sends a new packet back.
    fn take_rtp(
        &mut self,
        port: usize,
        datagram: &Datagram<'_>,
        (moment, drift): (Moment, i64),
    ) -> Taken {
        let line = &mut self.lines[port];
        let arrival = Arrival {
            arrived: moment.arrived,
            drift,
            dscp: datagram.dscp,
        };
        let became = line.take(
            datagram.octets,
            (arrival, moment.taken),
            (self.leg, self.pool),
            &mut self.facts,
        );
        let Taken::Stream {
            plan,
            placed: Placed::New(packet),
        } = became
        else {
            return became;
        };
        self.drops[port].note(datagram.drops, self.status);
        if self.load.role == Role::Echo
            && let Some(sender) = self
                .pacer
                .stream_of(port, plan.stream.call, &mut self.facts)
        {
            reflect(
                sender,
                packet.slot,
                datagram.octets,
                (&line.port.rtp, port),
                (self.sent, self.tap),
                moment.taken,
                &mut self.facts,
            );
        }
        became
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
