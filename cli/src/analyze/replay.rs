//! The figures of a captured run, made again: its packets go through the run's own receivers, what those say of
//! them and what the capture holds of the plan and the ledgers go to the run's own scorer.
//!
//! Nothing is said where a packet is missing: the figures would be another run's.

mod facts;

use super::capture::CaptureEnd;
use super::packet::Packet;
use super::table::Key;
use facts::ReplayedFacts;
use milliwatt_agent::engine::{line_receiver, port_calls};
use milliwatt_generator::calls::CallPlan;
use milliwatt_generator::grid::Grid;
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, LineReceiver, Taken};
use milliwatt_receiver::packet::RtpView;
use milliwatt_receiver::stream::Placed;
use milliwatt_scoring::analysis::CapturedRun;
use milliwatt_wire::block::BlockReader;
use milliwatt_wire::capture::note::{Note, PacketNote};
use milliwatt_wire::capture::{Way, interface_named};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::load::LoadSpec;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;

/// Facts that are scored together.
const BATCH: usize = 4096;
/// A stream, or a second of a leg, is held open so long after its time, ns: no receiver waits longer.
const OPEN_NS: i64 = 60 * NS_PER_SECOND;

/// Takes what captures hold, and makes a run of it where one of them is a run's.
#[derive(Default)]
pub struct Replay {
    /// The capture being read, and its interfaces.
    place: usize,
    interfaces: Vec<Option<(End, Way, Leg)>>,
    packet_note: Option<PacketNote>,
    is_half: bool,
    captured: Option<Captured>,
    more_than_one: bool,
}

impl Replay {
    /// Another capture begins.
    pub fn begin(&mut self, place: usize) {
        self.place = place;
        self.interfaces.clear();
    }

    /// An interface is described.
    pub fn describe(&mut self, index: u32, name: Option<&str>) {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        // Interfaces are numbered in order.
        if index == self.interfaces.len() {
            self.interfaces.push(name.and_then(interface_named));
        }
    }

    fn interface(&self, index: u32) -> Option<(End, Way, Leg)> {
        let index = usize::try_from(index).ok()?;
        self.interfaces.get(index).copied().flatten()
    }

    /// An interface holds what an end of a run sent: a second copy of what arrives at the other.
    #[must_use]
    pub fn is_departure(&self, interface: u32) -> bool {
        matches!(self.interface(interface), Some((_, Way::Departure, _)))
    }

    /// Takes a block of our own.
    pub fn note(&mut self, data: &[u8]) {
        match (Note::decode(data), &mut self.captured) {
            (Some(Note::Half { .. }), _) => self.is_half = true,
            (Some(run @ Note::Run { .. }), None) => {
                self.captured = Captured::of(run, self.place);
            }
            (Some(Note::Run { .. }), Some(_)) => self.more_than_one = true,
            (Some(Note::Facts { end, block }), Some(captured)) => captured.plan(end, &block),
            (Some(done @ Note::Done { .. }), Some(captured)) => captured.done.push(done),
            _ => {}
        }
    }

    /// What is known of the RTP packet that comes next.
    pub fn note_packet(&mut self, note: PacketNote) {
        self.packet_note = Some(note);
    }

    /// Takes an RTP packet; false where it is not one that arrived anywhere.
    #[inline]
    pub fn take(&mut self, key: &Key, packet: &Packet, interface: u32) -> bool {
        let note = self.packet_note.take();
        let Some((_, way, leg)) = self.interface(interface) else {
            return true;
        };
        if way == Way::Departure {
            return false;
        }
        if let Some(captured) = &mut self.captured {
            captured.take(leg, key, packet, note);
        }
        true
    }

    /// The run, where there is one and nothing of it is missing; and what should be known about it.
    #[must_use]
    pub fn finish(self, ends: &[CaptureEnd]) -> (Option<CapturedRun>, Vec<String>) {
        let Some(captured) = self.captured else {
            let half = "a capture is one end's half of a run's, which was broken off before both were put \
                        together: the run's figures cannot be made of it";
            let notes = self.is_half.then(|| half.to_owned());
            return (None, notes.into_iter().collect());
        };
        let mut missing = captured.missing(ends);
        if self.more_than_one {
            missing.push("there is more than one run in the captures".to_owned());
        }
        if missing.is_empty() {
            return match captured.finish() {
                Ok(run) => (Some(run), Vec::new()),
                Err(error) => {
                    let note = format!(
                        "the run's figures were not made of its capture: temporary files cannot be used ({error}); \
                         free some space in TMPDIR, or set it"
                    );
                    (None, vec![note])
                }
            };
        }
        let why = missing.join("; ");
        let note =
            format!("the run's figures are not made of its capture, which is incomplete: {why}");
        (None, vec![note])
    }
}

/// A run that is being made of its capture.
struct Captured {
    place: usize,
    scenario: String,
    wall_at_zero: i64,
    ports: Vec<[u16; 2]>,
    facts: ReplayedFacts,
    /// Ends whose facts have come.
    opened: [bool; 2],
    done: Vec<Note>,
    legs: [CapturedLeg; 2],
}

impl Captured {
    fn of(run: Note, place: usize) -> Option<Self> {
        let Note::Run {
            scenario,
            wall_at_zero,
            ports,
            ..
        } = run
        else {
            return None;
        };
        Some(Self {
            place,
            scenario,
            wall_at_zero,
            ports,
            facts: ReplayedFacts::new(),
            opened: [false; 2],
            done: Vec::new(),
            legs: Leg::BOTH.map(CapturedLeg::new),
        })
    }

    fn plan(&mut self, end: End, block: &[u8]) {
        for fact in BlockReader::new(block).flatten().flat_map(|b| b.facts) {
            if let Fact::Opened { load, .. } = &fact {
                if self.opened == [false; 2] {
                    self.open(load);
                }
                self.opened[end as usize] = true;
            }
            self.facts.keep(end, [fact]);
        }
    }

    /// The receivers of both ends as both make them of the load.
    fn open(&mut self, load: &LoadSpec) {
        let (plan, grid) = (CallPlan::expand(load), Arc::new(Grid::new(load)));
        let shared = Arc::new(load.clone());
        for (_, party, calls) in port_calls(load, &plan, |_| true) {
            for leg in &mut self.legs {
                let line = line_receiver((&shared, &grid), &calls, party, leg.leg);
                leg.lines.push(line);
            }
        }
        for (index, [tester, guest]) in self.ports.iter().enumerate() {
            self.legs[Leg::Receive as usize]
                .by_port
                .insert(*guest, index);
            self.legs[Leg::Sent as usize].by_port.insert(*tester, index);
        }
    }

    fn take(&mut self, leg: Leg, key: &Key, packet: &Packet, note: Option<PacketNote>) {
        let arrived = RunTime(packet.at - self.wall_at_zero);
        let note = note.unwrap_or(PacketNote {
            taken: arrived,
            drift: 0,
            foreign: false,
        });
        if note.foreign {
            return;
        }
        let leg = &mut self.legs[leg as usize];
        leg.take(key, packet, arrived, note);
        leg.hand_over(BATCH, &mut self.facts);
    }

    /// What is missing in the capture, a clause each.
    fn missing(&self, ends: &[CaptureEnd]) -> Vec<String> {
        let mut missing = Vec::new();
        let mut all_frames = 0;
        for end in [End::Tester, End::Guest] {
            let who = match end {
                End::Tester => "the tester",
                End::Guest => "the guest",
            };
            let of = |note: &&Note| matches!(note, Note::Done { end: whose, .. } if *whose == end);
            let Some(Note::Done {
                frames,
                missed: [departures, arrivals],
                stopped,
                ..
            }) = self.done.iter().find(of)
            else {
                missing.push(format!("{who}'s half is not there, or not to its end"));
                continue;
            };
            all_frames += frames;
            if departures + arrivals > 0 {
                let why = stopped.as_ref().map_or("", |why| why);
                let colon = if why.is_empty() { "" } else { ": " };
                missing.push(format!(
                    "{departures} departures and {arrivals} arrivals were not captured at {who}{colon}{why}"
                ));
            }
            if !self.opened[end as usize] {
                missing.push(format!("what {who} says of the plan is not there"));
            }
        }
        let frames = ends.get(self.place).map_or(0, |end| end.frames);
        if missing.is_empty() && frames != all_frames {
            missing.push(format!("it holds {frames} of {all_frames} packets"));
        }
        missing
    }

    fn finish(mut self) -> io::Result<CapturedRun> {
        for leg in &mut self.legs {
            leg.close();
            leg.hand_over(1, &mut self.facts);
        }
        Ok(CapturedRun {
            scenario: self.scenario,
            legs: self.facts.score()?.legs,
        })
    }
}

/// The receiving end of a leg.
struct CapturedLeg {
    leg: Leg,
    lines: Vec<LineReceiver>,
    by_port: HashMap<u16, usize, foldhash::fast::RandomState>,
    /// One a second: threads of an end count in the same second at different times.
    seconds: BTreeMap<u32, LegLog>,
    facts: Vec<Fact>,
}

impl CapturedLeg {
    fn new(leg: Leg) -> Self {
        Self {
            leg,
            lines: Vec::new(),
            by_port: HashMap::default(),
            seconds: BTreeMap::new(),
            facts: Vec::new(),
        }
    }

    fn take(&mut self, key: &Key, packet: &Packet, arrived: RunTime, note: PacketNote) {
        let index = self.by_port.get(&key.destination.port());
        let Some(line) = index.and_then(|index| self.lines.get_mut(*index)) else {
            return;
        };
        let facts = &mut self.facts;
        let mut sink = |fact| facts.push(fact);
        line.sweep(RunTime(arrived.0 - OPEN_NS), &mut sink);
        let octets = header(key, packet);
        let Ok(view) = RtpView::parse(&octets) else {
            return;
        };
        let arrival = Arrival {
            arrived,
            drift: note.drift,
            dscp: Some(packet.dscp),
        };
        let Taken::Stream {
            placed: Placed::New(packet),
            ..
        } = line.take(&view, arrival, &mut sink)
        else {
            return;
        };
        let second = note.taken.second();
        let log = self
            .seconds
            .entry(second)
            .or_insert_with(|| LegLog::new(self.leg));
        log.count(packet, arrived, note.taken, &mut sink);
        self.close_before(RunTime(arrived.0 - OPEN_NS).second());
    }

    fn close_before(&mut self, second: u32) {
        let is_over = |(open, _): (&u32, &LegLog)| *open < second;
        while self.seconds.first_key_value().is_some_and(is_over) {
            if let Some((second, mut log)) = self.seconds.pop_first() {
                log.close(second + 1, &mut |fact| self.facts.push(fact));
            }
        }
    }

    fn close(&mut self) {
        for line in &mut self.lines {
            // Opens what is planned, so that a stream of which nothing came is missed too.
            line.sweep(RunTime(i64::MAX), &mut |fact| self.facts.push(fact));
        }
        self.close_before(u32::MAX);
    }

    /// Has facts kept, once there are so many.
    fn hand_over(&mut self, least: usize, kept: &mut ReplayedFacts) {
        if self.facts.len() < least {
            return;
        }
        let receiver = [End::Tester, End::Guest]
            .into_iter()
            .find(|end| end.receives() == self.leg)
            .unwrap_or(End::Guest);
        kept.keep(receiver, self.facts.drain(..));
    }
}

/// The fixed header of an RTP packet (RFC 3550 5.1), as far as receivers look at it.
fn header(key: &Key, packet: &Packet) -> [u8; 12] {
    let mut octets = [0x80; 12];
    octets[1] = u8::from(packet.marker) << 7 | packet.payload_type;
    octets[2..4].copy_from_slice(&packet.seq.to_be_bytes());
    octets[4..8].copy_from_slice(&packet.timestamp.to_be_bytes());
    octets[8..].copy_from_slice(&key.ssrc.to_be_bytes());
    octets
}

#[cfg(test)]
mod tests;
