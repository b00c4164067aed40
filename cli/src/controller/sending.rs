//! What the tester sends: each party's audio, or the silence that the scenario puts in its place.

use super::departures::DepartureSample;
use milliwatt_agent::engine::{FactRing, MediaStatus, PortPair, SentLog};
use milliwatt_agent::media::{PACING_PRIORITY, prepare_packet_thread};
use milliwatt_generator::calls::{Call, CallPlan};
use milliwatt_generator::driver::{Departure, Departures, Pacing};
use milliwatt_generator::voice::Voices;
use milliwatt_wire::capture::{Channel, Tap};
use milliwatt_wire::clock::{SleepMode, mono_now};
use milliwatt_wire::facts::{Fact, Right};
use milliwatt_wire::id::Party;
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::socket::{SendOutcome, allowed_processors, pin_to_cpu};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::{RunClock, RunTime};
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

/// With fewer processors than this a pacing thread is not tied to one: what else runs there would wait for it, and
/// it for the interrupts.
const PINNED_FROM: usize = 4;

/// Everything a pacing thread needs.
pub(super) struct Sending {
    pub(super) load: LoadSpec,
    pub(super) plan: Arc<CallPlan>,
    /// What its streams are encrypted with.
    pub(super) keys: Option<Arc<MediaKeys>>,
    pub(super) voices: Arc<Voices>,
    pub(super) ports: Arc<Vec<PortPair>>,
    pub(super) clock: RunClock,
    pub(super) status: Arc<MediaStatus>,
    pub(super) facts: rtrb::Producer<Fact>,
    pub(super) mode: SleepMode,
    /// Late packets are sent in a burst instead of being left out.
    pub(super) burst: bool,
    /// Which pacing thread this is, and how many there are.
    pub(super) index: u32,
    pub(super) of: u32,
    /// Packets sent of the current stream of each port, for RTCP.
    pub(super) sent: Arc<[AtomicU32]>,
    pub(super) sample: Arc<DepartureSample>,
    /// Captured packets out.
    pub(super) tap: Tap,
}

impl Sending {
    /// Runs until the plan or its cut is over. Says first what the system granted and refused.
    pub(super) fn run(self, granted: mpsc::Sender<Vec<Right>>) {
        let mut rights = prepare_packet_thread(&self.status, PACING_PRIORITY, self.mode);
        rights.extend(pin(self.index as usize));
        drop(granted.send(rights));
        drop(granted);
        let mut facts = FactRing::new(self.facts, &self.status);
        let ipv6 = self
            .ports
            .first()
            .is_some_and(|p| p.rtp.local_addr().is_ipv6());
        let mut end = TesterEnd {
            voices: &self.voices,
            load: &self.load,
            ports: &self.ports,
            status: &self.status,
            sent: &self.sent,
            sample: &self.sample,
            octets: SentLog::new(ipv6),
            tap: self.tap,
        };
        let pacing = Pacing {
            load: &self.load,
            plan: &self.plan,
            keys: self.keys.as_ref(),
            clock: self.clock,
            mode: self.mode,
            burst: self.burst,
            index: self.index,
            of: self.of,
        };
        pacing.run(&mut end, &mut facts.sink());
        let last = self.clock.run(mono_now()).second() + 1;
        end.octets.turn(last, &mut facts.sink());
    }
}

/// Ties the calling thread to a processor, the last first: interrupts prefer the first. None where that is not asked.
fn pin(index: usize) -> Option<Right> {
    let processors = allowed_processors();
    let free = processors.len() >= PINNED_FROM && index < processors.len() / 2;
    let cpu = *processors.iter().rev().nth(index).filter(|_| free)?;
    Some(Right {
        name: "processor of its own".into(),
        granted: pin_to_cpu(cpu).map_err(|e| e.to_string()),
    })
}

/// The tester, as its pacing thread sees it.
struct TesterEnd<'s> {
    voices: &'s Voices,
    load: &'s LoadSpec,
    ports: &'s [PortPair],
    status: &'s MediaStatus,
    sent: &'s [AtomicU32],
    sample: &'s DepartureSample,
    octets: SentLog,
    tap: Tap,
}

impl Departures for TesterEnd<'_> {
    fn cut(&self) -> RunTime {
        RunTime(self.status.cut.load(Ordering::Relaxed))
    }

    fn is_halted(&self) -> bool {
        self.status.halt.load(Ordering::Relaxed)
    }

    fn expect(&self, port: usize) {
        self.ports[port].rtp.touch();
        black_box(self.sent[port].load(Ordering::Relaxed));
    }

    fn fill(&mut self, departure: &Departure<'_>, payload: &mut [u8]) {
        if is_silent(self.load, departure.call, departure.party, departure.slot) {
            payload.fill(self.load.codec.idle_code());
        } else {
            let Departure {
                call, party, slot, ..
            } = *departure;
            payload.copy_from_slice(self.voices.packet(call.id, party, slot));
        }
    }

    fn send(
        &mut self,
        departure: &Departure<'_>,
        octets: &[u8],
        at: RunTime,
        facts: &mut impl FnMut(Fact),
    ) -> SendOutcome {
        let sampled = self.sample.of(departure.port);
        if let Some(sampled) = sampled {
            sampled.leaves(at);
        }
        let outcome = self.ports[departure.port].rtp.send(octets);
        if outcome == SendOutcome::Sent {
            self.octets.rtp(at.second(), octets.len(), facts);
            self.tap.departure(departure.port, Channel::Rtp, octets, at);
            if let Some(sampled) = sampled {
                sampled.left();
            }
        }
        outcome
    }

    fn told_sent(&mut self, port: usize, packets: u32) {
        self.sent[port].store(packets, Ordering::Relaxed);
    }
}

/// A known silence covers this slot.
fn is_silent(load: &LoadSpec, call: &Call, party: Party, slot: u32) -> bool {
    let at = i64::from(slot) * PTIME_NS;
    load.known_silences
        .iter()
        .any(|s| s.call == call.id && s.party == party && (s.from..s.from + s.length).contains(&at))
}
