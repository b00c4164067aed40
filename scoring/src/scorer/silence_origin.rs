//! Where a recording's silence came from: dead air of the packets that should have filled it, or something that no packet
//! explains, which is the guest's own doing.

use super::Summary;
use super::end::ms;
use super::leg::DeadAirEvent;
use crate::measured::{RecordingLayout, SilenceOrigin};
use milliwatt_wire::facts::{DeadCause, RecordingFact, SilenceFact};
use milliwatt_wire::id::{CallId, Leg};
use milliwatt_wire::load::{KnownSilence, PTIME_NS};
use milliwatt_wire::time::RunTime;
use std::collections::BTreeMap;
use std::ops::Range;

/// A slot is heard when its playout buffer lets it go, on a tick of the guest's: so far from the nominal instant.
const TOLERANCE_NS: i64 = 2 * PTIME_NS;

/// What a silence came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Slots were dead.
    DeadAir(DeadCause),
    /// The scenario's own: it was sent so.
    Known,
    /// Every packet that it should have been filled with was there in time.
    Unexplained,
}

impl Origin {
    /// The end of a sentence.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::DeadAir(DeadCause::Lost) => "dead air of lost packets",
            Self::DeadAir(DeadCause::Late) => "dead air of packets too late for playout",
            Self::DeadAir(DeadCause::NotSent) => "dead air of packets not sent",
            Self::DeadAir(DeadCause::GuestPlayout) => "the guest's playout clock stood still",
            Self::Known => "sent so: a known silence of the scenario",
            Self::Unexplained => "no packet explains it: the guest's own doing",
        }
    }

    /// The cause, where packets were dead.
    pub(super) fn cause(self) -> Option<DeadCause> {
        match self {
            Self::DeadAir(cause) => Some(cause),
            _ => None,
        }
    }

    /// As rows of events tell it.
    pub(super) fn word(self) -> SilenceOrigin {
        match self {
            Self::DeadAir(_) => SilenceOrigin::DeadAir,
            Self::Known => SilenceOrigin::Known,
            Self::Unexplained => SilenceOrigin::Unexplained,
        }
    }
}

/// What can have silenced the recordings of a run.
pub(super) struct Origins<'s> {
    summary: &'s Summary<'s>,
    dead_air: BTreeMap<CallId, Vec<&'s DeadAirEvent>>,
    layout: RecordingLayout,
    playout_buffer: i64,
    known: &'s [KnownSilence],
}

impl<'s> Origins<'s> {
    pub(super) fn of(summary: &'s Summary<'s>) -> Self {
        let load = summary.scorer.load();
        let mut dead_air: BTreeMap<CallId, Vec<&DeadAirEvent>> = BTreeMap::new();
        for event in &summary.leg(Leg::Receive).events {
            dead_air.entry(event.stream.call).or_default().push(event);
        }
        Self {
            summary,
            dead_air,
            layout: summary.recording_layout(),
            playout_buffer: summary.scorer.playout_buffer(),
            known: load.map_or(&[], |load| &load.known_silences),
        }
    }

    /// Where a silence came from: the first that covers half of it or more.
    pub(super) fn origin(&self, recording: &RecordingFact, silence: &SilenceFact) -> Origin {
        let at = |ms| self.summary.silence_at(recording, ms);
        let heard = at(silence.start_ms)..at(silence.start_ms + silence.length_ms.max(0.0));
        let covers = |from: RunTime, length: i64| {
            let from = from + self.playout_buffer;
            covers_half(&heard, from + -TOLERANCE_NS..from + length + TOLERANCE_NS)
        };
        let mut known = self.known.iter().filter(|known| {
            known.call == recording.call && self.layout.holds(silence.channel, known.party)
        });
        let start = at(0.0);
        if known.any(|known| covers(start + known.from, known.length)) {
            return Origin::Known;
        }
        let dead = self.dead_air.get(&recording.call).into_iter().flatten();
        let mut dead = dead.filter(|event| self.layout.holds(silence.channel, event.stream.party));
        dead.find(|event| covers(event.at, event.length))
            .map_or(Origin::Unexplained, |event| Origin::DeadAir(event.cause))
    }
}

/// Whether `cover` holds half of `whole` or more.
fn covers_half(whole: &Range<RunTime>, cover: Range<RunTime>) -> bool {
    let common = whole.end.min(cover.end) - whole.start.max(cover.start);
    common > 0 && 2 * common >= whole.end - whole.start
}

impl Summary<'_> {
    /// How recordings hold what the guest received.
    pub(super) fn recording_layout(&self) -> RecordingLayout {
        let load = self.scorer.load();
        RecordingLayout {
            playout_buffer_ms: ms(self.scorer.playout_buffer()),
            channel_a_party: load.is_some_and(|load| load.recording.stereo),
        }
    }

    /// Silences of scored recordings that no packet explains.
    pub(super) fn unexplained_silences(&self) -> u64 {
        let origins = Origins::of(self);
        let scored = self.recording_log.received().filter(|r| r.error.is_none());
        let unexplained = scored.map(|recording| {
            let silences = recording.silences.iter();
            silences
                .filter(|silence| origins.origin(recording, silence) == Origin::Unexplained)
                .count() as u64
        });
        unexplained.sum()
    }
}
