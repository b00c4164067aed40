//! One party of one lane in the engine: what it says arrives here and is played to the other.

#[cfg(test)]
mod tests;

use super::port::{Heard, PortPair, RtcpPort, heard};
use milliwatt_generator::calls::Call;
use milliwatt_receiver::concealment::Concealer;
use milliwatt_receiver::leg::LegLog;
use milliwatt_receiver::line::{Arrival, LineReceiver, Taken};
use milliwatt_receiver::opening::Workspace;
use milliwatt_receiver::packet::RtpView;
use milliwatt_receiver::playout::{AudioPool, Inserted, PlayoutBuffer};
use milliwatt_receiver::stream::{FirstCopy, Placed, StreamPlan};
use milliwatt_wire::facts::{DeadCause, Fact};
use milliwatt_wire::id::{CallId, Leg, StreamId};
use milliwatt_wire::load::{Fill, LoadSpec, PTIME_NS, Role, SAMPLES_PER_PACKET};
use milliwatt_wire::time::RunTime;

/// Slots that are passed over at once, at least, where a guest's clock stood still with it: fewer, and a packet was only
/// faster than all before it.
const PASSED_OVER: usize = 2;

/// A tick of a call's playout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tick<'c> {
    pub(super) call: &'c Call,
    /// By the guest's clock.
    pub(super) due: RunTime,
    /// How far the clocks have moved apart by then, ns.
    pub(super) drift: i64,
}

/// A run of slots that were there and were not played, still growing.
#[derive(Clone, Copy, Debug)]
struct UnplayedRun {
    stream: StreamId,
    first_slot: u32,
    slots: u32,
}

/// What arrives from one party, and its way to playout.
pub(super) struct EngineLine {
    pub(super) port: PortPair,
    pub(super) rtcp: RtcpPort,
    receiver: LineReceiver,
    /// What comes has a turn to be played: an echo plays nothing.
    plays: bool,
    playout: PlayoutBuffer,
    playout_depth: i64,
    /// The code word of silence.
    idle: u8,
    /// What fills gaps, where that is not silence.
    concealer: Option<Box<Concealer>>,
    playing: Option<CallId>,
    /// When the last tick was due, of whatever call, and the drift by then.
    last_tick: (RunTime, i64),
    unplayed: Option<UnplayedRun>,
}

impl EngineLine {
    /// Touches what [`Self::take`] will need, so that it is in the processor's cache by then.
    pub(super) fn touch(&self) {
        self.receiver.touch();
    }

    pub(super) fn new(
        load: &LoadSpec,
        port: PortPair,
        rtcp: RtcpPort,
        receiver: LineReceiver,
    ) -> Self {
        Self {
            port,
            rtcp,
            receiver,
            plays: load.role != Role::Echo,
            playout: PlayoutBuffer::new(load.playout_buffer),
            playout_depth: load.playout_buffer,
            idle: load.codec.idle_code(),
            concealer: concealer(load).map(Box::new),
            playing: None,
            last_tick: (RunTime(i64::MIN / 2), 0),
            unplayed: None,
        }
    }

    /// What an RTP datagram holds: see [`LineReceiver::open`].
    pub(super) fn open<'o>(
        &mut self,
        octets: &'o [u8],
        arrived: RunTime,
        space: &'o mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) -> Result<&'o [u8], Taken> {
        self.receiver.open(octets, arrived, space, facts)
    }

    /// Takes an RTCP datagram. False when it holds no report of the other side.
    pub(super) fn take_report(
        &mut self,
        octets: &[u8],
        arrived: RunTime,
        space: &mut Workspace,
        facts: &mut impl FnMut(Fact),
    ) -> bool {
        let report = self.receiver.open_report(octets, arrived, space, facts);
        report.is_some_and(|report| self.rtcp.take(report, arrived))
    }

    /// Takes an RTP packet; says where it belonged.
    pub(super) fn take(
        &mut self,
        octets: &[u8],
        (arrival, read_at): (Arrival, RunTime),
        (leg, pool): (&mut LegLog, &mut AudioPool),
        facts: &mut impl FnMut(Fact),
    ) -> Taken {
        let Ok(view) = RtpView::parse(octets) else {
            return Taken::Foreign;
        };
        let taken = self.receiver.take(&view, arrival, facts);
        let Taken::Stream {
            plan,
            placed: Placed::New(packet),
        } = taken
        else {
            return taken;
        };
        leg.count(packet, arrival.arrived, read_at, facts);
        if self.plays {
            self.begin(&plan, packet, pool);
            self.store(&plan, (packet.slot, view.payload()), arrival, pool, facts);
        }
        taken
    }

    /// Begins to play a call's stream with its first packet; or to play it later, where it is anchored anew.
    fn begin(&mut self, plan: &StreamPlan, packet: FirstCopy, pool: &mut AudioPool) {
        let is_next = self.playing.is_none_or(|call| call < plan.stream.call);
        if is_next {
            self.playing = Some(plan.stream.call);
            self.playout.clear(pool);
            if let Some(concealer) = &mut self.concealer {
                concealer.reset();
            }
        }
        if is_next || packet.is_anchored_anew && self.playing == Some(plan.stream.call) {
            // Ticks may have gone by before it was read.
            let (due, drift) = self.last_tick;
            let played = self.turn_at(plan.stream.call, due, drift);
            self.playout.set_played(played);
        }
    }

    /// Puts audio where its turn will find it. A packet that was here in time and was read too
    /// late is the guest's own doing.
    fn store(
        &mut self,
        plan: &StreamPlan,
        (slot, payload): (u32, &[u8]),
        arrival: Arrival,
        pool: &mut AudioPool,
        facts: &mut impl FnMut(Fact),
    ) {
        if self.playing != Some(plan.stream.call) {
            return;
        }
        match self.playout.insert(slot, payload, pool) {
            Inserted::Waits => {}
            Inserted::InPlaceOf(unheard) => self.note_unplayed(plan.stream, unheard, facts),
            Inserted::Past => {
                let stream = self.receiver.stream_of(plan.stream.call);
                let reference = stream.and_then(|s| s.reference_transit()).unwrap_or(0);
                let due = plan.due + i64::from(slot) * PTIME_NS;
                let above = arrival.arrived - due - arrival.drift - reference;
                if above <= self.playout_depth {
                    self.note_unplayed(plan.stream, slot, facts);
                }
            }
        }
    }

    /// Plays what has its turn at a tick, and what fills its place when it is not there.
    /// Before a stream's first packet, and after its last, that is silence.
    pub(super) fn play(
        &mut self,
        tick: Tick<'_>,
        pool: &mut AudioPool,
        payload: &mut [u8],
        facts: &mut impl FnMut(Fact),
    ) {
        let slot = self.turn(tick, facts);
        let audio = slot.and_then(|slot| self.playout.take(slot, pool));
        if self.concealer.is_some() {
            return self.conceal(tick.call, slot, audio, payload);
        }
        match audio {
            Some(audio) => payload.copy_from_slice(audio),
            None => payload.fill(self.idle),
        }
    }

    /// A tick that did not run in time: what it would have played is not heard. The stream goes on with
    /// what came after it, and so does its concealment: what is concealed later follows from what should have been
    /// heard by then, and nothing fades where nothing was played.
    pub(super) fn miss(
        &mut self,
        tick: Tick<'_>,
        pool: &mut AudioPool,
        facts: &mut impl FnMut(Fact),
    ) {
        let slot = self.turn(tick, facts);
        let audio = slot.and_then(|slot| self.playout.take(slot, pool));
        self.conceal(tick.call, slot, audio, &mut [0; SAMPLES_PER_PACKET]);
        let stream = self
            .receiver
            .stream_of(tick.call.id)
            .map(|s| s.plan().stream);
        if let (Some(slot), Some(_), Some(stream)) = (slot, audio, stream) {
            self.note_unplayed(stream, slot, facts);
        }
    }

    /// The slot whose turn is at a tick. What is there and is passed over by it is not played: the stream is played earlier
    /// from now on, by as much as the clock of a guest that stood still fell behind.
    fn turn(&mut self, tick: Tick<'_>, facts: &mut impl FnMut(Fact)) -> Option<u32> {
        self.last_tick = (tick.due, tick.drift);
        if self.playing != Some(tick.call.id) {
            return None;
        }
        let slot = self.turn_at(tick.call.id, tick.due, tick.drift)?;
        if self.playout.passed_over(slot).count() >= PASSED_OVER {
            self.note_passed_over(tick.call.id, slot, facts);
        }
        let stream = self.receiver.stream_of(tick.call.id)?;
        (slot < stream.plan().slots).then_some(slot)
    }

    #[cold]
    fn note_passed_over(&mut self, call: CallId, slot: u32, facts: &mut impl FnMut(Fact)) {
        let Some(stream) = self.receiver.stream_of(call).map(|s| s.plan().stream) else {
            return;
        };
        let first = slot.saturating_sub(PlayoutBuffer::SLOTS);
        for unheard in first..slot {
            if self.playout.passed_over(slot).any(|slot| slot == unheard) {
                self.note_unplayed(stream, unheard, facts);
            }
        }
    }

    /// The frame of a tick of `call` where gaps are concealed. Without a slot its stream has not begun, and is silent,
    /// or is over.
    fn conceal(
        &mut self,
        call: &Call,
        slot: Option<u32>,
        audio: Option<&[u8; SAMPLES_PER_PACKET]>,
        payload: &mut [u8],
    ) {
        let Some(concealer) = &mut self.concealer else {
            return;
        };
        if self.playing != Some(call.id) {
            // What is left of another call is not heard in this one.
            concealer.reset();
        }
        let frame = match slot {
            Some(_) => concealer.play(audio),
            None => concealer.rest(),
        };
        payload.copy_from_slice(&frame);
    }

    /// The slot whose turn it is at a time, also past the last; none before the first.
    fn turn_at(&mut self, call: CallId, due: RunTime, drift: i64) -> Option<u32> {
        let stream = self.receiver.stream_of(call)?;
        let reference = stream.reference_transit()?;
        self.playout
            .slot_at(due, stream.plan().due, reference + drift)
    }

    fn note_unplayed(&mut self, stream: StreamId, slot: u32, facts: &mut impl FnMut(Fact)) {
        match &mut self.unplayed {
            Some(run) if run.stream == stream && run.first_slot + run.slots == slot => {
                run.slots += 1;
            }
            _ => {
                self.flush_unplayed(facts);
                self.unplayed = Some(UnplayedRun {
                    stream,
                    first_slot: slot,
                    slots: 1,
                });
            }
        }
    }

    fn flush_unplayed(&mut self, facts: &mut impl FnMut(Fact)) {
        if let Some(UnplayedRun {
            stream,
            first_slot,
            slots,
        }) = self.unplayed.take()
        {
            facts(Fact::DeadSlots {
                stream,
                cause: DeadCause::GuestPlayout,
                first_slot,
                slots,
            });
        }
    }

    /// What the RFC 3550 state of `call`'s stream says.
    pub(super) fn heard(&mut self, call: &Call) -> Option<Heard> {
        heard(&mut self.receiver, call)
    }

    /// Streams have become known.
    pub(super) fn look_again(&mut self) {
        self.receiver.look_again();
    }

    pub(super) fn cut(&mut self, at: RunTime) {
        self.receiver.cut(at);
    }

    /// Closes streams that are over; true when no more will come.
    pub(super) fn sweep(&mut self, now: RunTime, facts: &mut impl FnMut(Fact)) -> bool {
        self.flush_unplayed(facts);
        self.receiver.sweep(now, facts);
        self.receiver.is_over()
    }

    /// Closes everything.
    pub(super) fn close(&mut self, facts: &mut impl FnMut(Fact)) {
        self.flush_unplayed(facts);
        self.receiver.close(facts);
    }
}

/// What a load has fill the gaps of a stream that is played; none is silence.
fn concealer(load: &LoadSpec) -> Option<Concealer> {
    match (load.role, load.fill) {
        (Role::MediaServer, Fill::G711AppendixI) => Concealer::of(load.codec),
        (Role::Echo, _) | (_, Fill::Silence) => None,
    }
}

/// The leg that arrives at the engine.
pub(super) const ARRIVING: Leg = Leg::Receive;
