//! The tester's pacing thread: wakes once a slot, sends what is due there, and keeps a record of
//! how late every packet was. It does nothing else, so that its lateness is the system's.

use milliwatt_agent::engine::{FactRing, MediaStatus, PortPair, SentLog};
use milliwatt_agent::media::{PACING_PRIORITY, prepare_media_thread};
use milliwatt_generator::calls::{Call, CallPlan};
use milliwatt_generator::pacer::{Line, NOT_SENT_AFTER_NS, Pacer, PacingLog};
use milliwatt_generator::stream::Handed;
use milliwatt_generator::tone::Tone;
use milliwatt_wire::clock::{mono_now, sleep_until};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{Leg, Party};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::socket::SendOutcome;
use milliwatt_wire::time::{RunClock, RunTime};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

/// Everything the pacing thread needs.
pub(super) struct Sending {
    pub(super) load: LoadSpec,
    pub(super) plan: Arc<CallPlan>,
    pub(super) ports: Arc<Vec<PortPair>>,
    pub(super) clock: RunClock,
    pub(super) status: Arc<MediaStatus>,
    pub(super) facts: rtrb::Producer<Fact>,
    /// Late packets are sent in a burst instead of being left out.
    pub(super) burst: bool,
    /// Packets sent of the current stream of each port, for RTCP.
    pub(super) sent: Arc<[AtomicU32]>,
}

impl Sending {
    /// Runs until the plan or its cut is over. Says first what real-time scheduling was refused.
    pub(super) fn run(self, granted: &mpsc::Sender<Result<(), String>>) {
        if granted.send(prepare_media_thread(PACING_PRIORITY)).is_err() {
            return;
        }
        let Self {
            load,
            plan,
            ports,
            clock,
            status,
            facts,
            burst,
            sent,
        } = self;
        let mut facts = FactRing::new(facts, &status);
        let mut sink = facts.sink();
        let tones = [
            Tone::new(Party::A, load.codec),
            Tone::new(Party::B, load.codec),
        ];
        let mut pacer = Pacer::new(&load, &plan, Leg::Receive, |_| true);
        let mut pacing = PacingLog::default();
        let mut octets = SentLog::new(ports.first().is_some_and(|p| p.rtp.local_addr().is_ipv6()));
        let mut end = plan.end() + PTIME_NS;
        let mut tick = 0;
        while pacer.grid().due(tick) <= end && !status.halt.load(Ordering::Relaxed) {
            let due = pacer.grid().due(tick);
            sleep_until(clock.mono(due));
            let cut = RunTime(status.cut.load(Ordering::Relaxed));
            if cut < end {
                end = cut + PTIME_NS;
                pacer.cut(cut);
            }
            pacer.visit(tick, &mut sink, |index, line, sink| {
                let now = clock.run(mono_now());
                let in_time = burst || now - due <= NOT_SENT_AFTER_NS;
                pacing.count(due, now, in_time, sink);
                let Some(call) = line.call().copied() else {
                    return;
                };
                if in_time {
                    let left = send(&load, line, &call, &tones, &ports[index], sink);
                    octets.rtp(now.second(), left, sink);
                } else if let Some(sender) = line.sender() {
                    sender.skip();
                }
                sent[index].store(line.sender().map_or(0, |s| s.sent()), Ordering::Relaxed);
            });
            tick += 1;
        }
        pacer.finish(&mut sink);
        let last = clock.run(mono_now()).second() + 1;
        pacing.close(last, &mut sink);
        octets.turn(last, &mut sink);
    }
}

/// Sends the due packet of a line; gives its octets, 0 when the system refused it.
fn send(
    load: &LoadSpec,
    line: &mut Line,
    call: &Call,
    tones: &[Tone; 2],
    port: &PortPair,
    facts: &mut impl FnMut(Fact),
) -> usize {
    let party = line.party();
    let Some(sender) = line.sender() else {
        return 0;
    };
    let slot = sender.next_slot().unwrap_or(0);
    let payload = sender.fill();
    if is_silent(load, call, party, slot) {
        payload.fill(load.codec.idle_code());
    } else {
        payload.copy_from_slice(tones[party.channel()].packet(slot));
    }
    let octets = sender.octets().len();
    let (handed, left) = match port.rtp.send(sender.octets()) {
        SendOutcome::Sent => (Handed::Sent, octets),
        _ => (Handed::Refused, 0),
    };
    sender.settle(handed, facts);
    left
}

/// A known silence covers this slot.
fn is_silent(load: &LoadSpec, call: &Call, party: Party, slot: u32) -> bool {
    let at = i64::from(slot) * PTIME_NS;
    load.known_silences
        .iter()
        .any(|s| s.call == call.id && s.party == party && (s.from..s.from + s.length).contains(&at))
}
