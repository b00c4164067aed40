//! The tester's receiving thread: reads the sent leg's packets, and keeps up RTCP.

use super::departures::{DepartureLog, DepartureSample};
use milliwatt_agent::engine::{
    FactRing, MediaStatus, PortPair, RtcpPort, SentLog, SocketDrops, heard, line_receiver,
    port_calls,
};
use milliwatt_generator::calls::{CallPlan, stream_headers};
use milliwatt_generator::grid::Grid;
use milliwatt_generator::report::SenderInfo;
use milliwatt_generator::steps::LaneCalls;
use milliwatt_receiver::driver::{Listener, Moment, SocketReader, Until};
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, DRAIN_NS, LineReceiver, Taken};
use milliwatt_receiver::opening::Workspace;
use milliwatt_receiver::packet::{HEAD_OCTETS, RtpView};
use milliwatt_receiver::stream::Placed;
use milliwatt_wire::capture::{self, Channel, Tap};
use milliwatt_wire::clock::{StampClock, mono_now, sleep_until, wall_now};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Leg, Party, StreamId};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::socket::{DATAGRAM_OCTETS, Datagram, MediaSocket};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{NS_PER_MS, NS_PER_SECOND, RunClock, RunTime};
use std::hint::black_box;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Packets carry the kernel's own stamp, so nothing is lost by letting some of each stream come together. What costs is
/// to call the system, and to fetch into the cache what a stream is known by: both are done once for all that wait.
const READ_EVERY_NS: i64 = 100 * NS_PER_MS;
/// Packets of a stream that come in that time: 5, and one for a path that bunches them.
const WAITING: usize = 6;
/// Which DSCP its packets come with is asked of each port for one reading of so many: 100 ms of each 2 s.
const DSCP_TURNS: usize = 20;
/// Each line's house is kept every so many readings: 200 ms.
const SHARE: usize = 2;
/// What still waits in our sockets when all is over is read for so long at most. It did arrive.
const LAST_READING_NS: i64 = 5 * NS_PER_SECOND;
/// When all media ends at once, what the guest sends until it has heard of that is on the way still.
const HALTING_NS: i64 = 200 * NS_PER_MS;

/// One port as the tester hears it.
struct HeardLine {
    receiver: LineReceiver,
    rtcp: RtcpPort,
    party: Party,
    calls: LaneCalls,
}

/// Everything the receiving thread needs.
pub(super) struct Receiving {
    load: LoadSpec,
    clock: RunClock,
    status: Arc<MediaStatus>,
    ports: Arc<Vec<PortPair>>,
    sent: Arc<[AtomicU32]>,
    facts: FactRing,
    lines: Vec<HeardLine>,
    drops: Vec<SocketDrops>,
    reader: SocketReader,
    octets: SentLog,
    leg: LegLog,
    sample: Arc<DepartureSample>,
    departures: DepartureLog,
    tap: Tap,
    space: Workspace,
    plan: Arc<CallPlan>,
    /// Steps whose streams the lines know.
    steps: u32,
    end: RunTime,
    /// Everything that arrived before this has been read.
    read_until: RunTime,
}

impl Receiving {
    pub(super) fn new(
        (load, plan, keys): (&LoadSpec, &Arc<CallPlan>, Option<&Arc<MediaKeys>>),
        (ports, sent): (&Arc<Vec<PortPair>>, &Arc<[AtomicU32]>),
        sample: Arc<DepartureSample>,
        clock: RunClock,
        status: &Arc<MediaStatus>,
        (facts, tap): (rtrb::Producer<Fact>, Tap),
    ) -> io::Result<Self> {
        let (shared, grid) = (Arc::new(load.clone()), Arc::new(Grid::new(load)));
        let reader = SocketReader::new(
            ports.iter().map(|port| (&port.rtp, &port.rtcp)),
            WAITING,
            Until::Each,
            clock,
        )?
        // Only what is encrypted is needed whole: to see that it is authentic.
        .with_rtp_octets(keys.map_or(HEAD_OCTETS, |_| DATAGRAM_OCTETS));
        let lines = port_calls(load, plan, |_| true)
            .into_iter()
            .zip(ports.iter())
            .map(|((_, party, calls), port)| HeardLine {
                receiver: line_receiver((&shared, &grid), &calls, party, Leg::Sent)
                    .with_keys(keys.cloned()),
                rtcp: RtcpPort::new(
                    load.seed ^ u64::from(port.rtp.local_addr().port()) << 16,
                    calls.start(),
                )
                .with_keys(keys.cloned()),
                party,
                calls,
            });
        Ok(Self {
            clock,
            status: Arc::clone(status),
            sent: Arc::clone(sent),
            facts: FactRing::new(facts, status),
            lines: lines.collect(),
            drops: vec![SocketDrops::default(); ports.len()],
            reader,
            octets: SentLog::new(ports.first().is_some_and(|p| p.rtp.local_addr().is_ipv6())),
            leg: LegLog::new(Leg::Sent),
            sample,
            departures: DepartureLog::new(),
            tap,
            space: Workspace::default(),
            end: plan.end() + load.onward_offset + PTIME_NS,
            plan: Arc::clone(plan),
            steps: 0,
            read_until: RunTime::ZERO,
            ports: Arc::clone(ports),
            load: load.clone(),
        })
    }

    /// Runs until the plan or its cut is over and drained, or all media ended and what was on the way is here.
    pub(super) fn run(mut self) {
        let mut wake = self.clock.mono(RunTime::ZERO);
        if !self.tap.is_open() {
            tell_dscp(self.ports.iter(), false);
        }
        let mut halted = RunTime(i64::MAX);
        let mut round = 0_usize;
        while self.clock.run(wake) <= halted.min(self.end + DRAIN_NS + 3 * PTIME_NS) {
            sleep_until(wake);
            self.read();
            self.ask_dscp(round);
            self.keep_house(round);
            round += 1;
            wake = (wake + READ_EVERY_NS).max(mono_now());
            if self.status.halt.load(Ordering::Relaxed) {
                halted = halted.min(self.clock.run(wake) + HALTING_NS);
            }
        }
        let last = mono_now() + LAST_READING_NS;
        while !self.read() && mono_now() < last {}
        self.finish();
    }

    /// True when nothing is left to read.
    fn read(&mut self) -> bool {
        let begun = mono_now();
        let until = begun + READ_EVERY_NS;
        let mut listener = TesterListener {
            clock: self.clock,
            status: &self.status,
            ports: &self.ports,
            lines: &mut self.lines,
            drops: &mut self.drops,
            leg: &mut self.leg,
            sample: &self.sample,
            departures: &mut self.departures,
            tap: &mut self.tap,
            space: &mut self.space,
            facts: self.facts.sink(),
        };
        let all = self.reader.read(&mut listener, until);
        if all {
            self.read_until = self.clock.run(begun);
        }
        all
    }

    /// Has the next ports tell the DSCP of what comes until the next reading, and those before them no more. A capture is
    /// told of each packet's.
    fn ask_dscp(&self, round: usize) {
        if self.tap.is_open() {
            return;
        }
        for (turn, tells) in [(round, false), (round + 1, true)] {
            let ports = self.ports.iter().skip(turn % DSCP_TURNS);
            tell_dscp(ports.step_by(DSCP_TURNS), tells);
        }
    }

    /// Each line about every 200 ms: closes what is over and read, reports when it is due.
    fn keep_house(&mut self, round: usize) {
        let now = self.clock.run(mono_now());
        let cut = RunTime(self.status.cut.load(Ordering::Relaxed));
        if cut + PTIME_NS < self.end {
            self.end = cut + PTIME_NS;
            self.lines
                .iter_mut()
                .for_each(|line| line.receiver.cut(cut));
        }
        self.learn_steps();
        let Self {
            load,
            ports,
            sent,
            facts,
            lines,
            octets,
            leg,
            tap,
            read_until,
            ..
        } = self;
        let mut sink = facts.sink();
        for index in (round % SHARE..lines.len()).step_by(SHARE) {
            let line = &mut lines[index];
            line.receiver.sweep(*read_until, &mut sink);
            if now < cut && line.rtcp.expired(now) {
                let packets = sent[index].load(Ordering::Relaxed);
                if let Some(report) = line.report(load, &ports[index], packets, now) {
                    tap.departure(index, Channel::Rtcp, &report, now);
                    octets.rtcp(now.second(), report.len(), &mut sink);
                }
            }
        }
        if now.0 % NS_PER_SECOND < READ_EVERY_NS {
            leg.close(now.second(), &mut sink);
        }
    }

    /// Has the lines look for streams when a step has become known.
    fn learn_steps(&mut self) {
        let known = self.plan.steps.as_ref().map_or(0, |steps| steps.known());
        if known != self.steps {
            self.steps = known;
            self.lines
                .iter_mut()
                .for_each(|line| line.receiver.look_again());
        }
    }

    fn finish(mut self) {
        let last = self.clock.run(mono_now()).second() + 1;
        for (drops, port) in self.drops.iter_mut().zip(self.ports.iter()) {
            drops.conclude(&port.rtp, &self.status);
        }
        let mut sink = self.facts.sink();
        for line in &mut self.lines {
            line.receiver.close(&mut sink);
        }
        self.leg.close(last, &mut sink);
        self.departures.close(last, &mut sink);
        self.octets.turn(last, &mut sink);
    }
}

/// Whether these ports tell the DSCP of what comes.
fn tell_dscp<'p>(ports: impl Iterator<Item = &'p PortPair>, tells: bool) {
    for port in ports {
        // One that cannot be silenced costs a little more, and is no fault.
        port.rtp.tell_dscp(tells).unwrap_or_default();
    }
}

/// The tester, as the reader of its sockets sees it.
struct TesterListener<'r, F> {
    clock: RunClock,
    status: &'r MediaStatus,
    ports: &'r [PortPair],
    lines: &'r mut [HeardLine],
    drops: &'r mut [SocketDrops],
    leg: &'r mut LegLog,
    sample: &'r DepartureSample,
    departures: &'r mut DepartureLog,
    tap: &'r mut Tap,
    space: &'r mut Workspace,
    facts: F,
}

impl<F: FnMut(Fact)> Listener for TesterListener<'_, F> {
    fn socket(&self, port: usize, channel: Channel) -> &MediaSocket {
        self.ports[port].socket(channel)
    }

    fn expect(&self, port: usize) {
        black_box(self.ports[port].rtp.as_fd());
        black_box(self.drops[port]);
        let line = &self.lines[port];
        line.receiver.touch();
    }

    fn is_ready(&mut self, port: usize, channel: Channel, stamps: &StampClock) {
        if let (Some(sampled), Channel::Rtp) = (self.sample.of(port), channel) {
            let from = (&self.ports[port], sampled);
            self.departures
                .read(from, (stamps, self.clock), &mut self.facts);
        }
    }

    fn take(&mut self, port: usize, channel: Channel, datagram: &Datagram<'_>, moment: Moment) {
        let Moment { arrived, taken } = moment;
        let mut how = capture::Taken {
            arrived,
            taken,
            drift: -self.status.drift(arrived),
            foreign: false,
        };
        let line = &mut self.lines[port];
        match channel {
            Channel::Rtcp => {
                line.take_report(datagram.octets, arrived, self.space, &mut self.facts);
            }
            Channel::Rtp => {
                let became = line.take(datagram, arrived, how.drift, &mut self.facts);
                how.foreign = !matches!(became, Taken::Stream { .. });
                if let Taken::Stream {
                    placed: Placed::New(packet),
                    ..
                } = became
                {
                    self.leg.count(packet, arrived, taken, &mut self.facts);
                    let now = self.clock.mono(taken).0;
                    self.status.last_valid.store(now, Ordering::Relaxed);
                    self.drops[port].note(datagram.drops, self.status);
                }
            }
        }
        self.tap.arrival(port, channel, datagram, how);
    }
}

impl HeardLine {
    fn take(
        &mut self,
        datagram: &Datagram<'_>,
        arrived: RunTime,
        drift: i64,
        facts: &mut impl FnMut(Fact),
    ) -> Taken {
        let (octets, length) = match self.receiver.check(datagram.octets, arrived, facts) {
            Ok(octets) => (
                octets,
                datagram.length - (datagram.octets.len() - octets.len()),
            ),
            Err(became) => return became,
        };
        let Ok(view) = RtpView::parse_captured(octets, length) else {
            return Taken::Foreign;
        };
        let arrival = Arrival {
            arrived,
            drift,
            dscp: datagram.dscp,
        };
        self.receiver.take(&view, arrival, facts)
    }

    fn take_report(
        &mut self,
        octets: &[u8],
        arrived: RunTime,
        space: &mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) {
        if let Some(report) = self.receiver.open_report(octets, arrived, space, facts) {
            self.rtcp.take(report, arrived);
        }
    }

    /// Sends a report of the call that is up; gives its octets, none when none left.
    fn report(
        &mut self,
        load: &LoadSpec,
        port: &PortPair,
        packets: u32,
        now: RunTime,
    ) -> Option<Vec<u8>> {
        let call = self.calls.up_at(now)?;
        let stream = StreamId {
            call: call.id,
            party: self.party,
            leg: Leg::Receive,
        };
        let headers = stream_headers(load.seed, stream);
        let ticks = u32::try_from((now - call.start).max(0) / 125_000).unwrap_or(u32::MAX);
        let info = SenderInfo {
            ssrc: headers.ssrc,
            wall_ns: wall_now(),
            timestamp: headers.first_timestamp.wrapping_add(ticks),
            packets,
        };
        let heard = heard(&mut self.receiver, &call);
        self.rtcp.send(&port.rtcp, (stream, info), heard, now)
    }
}
