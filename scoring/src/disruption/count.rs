//! Packets that a disruption cost a leg.

use super::common::Blackout;
use super::recovery::late_arrivals;
use super::silence::LegTracks;
use super::track::Track;
use milliwatt_wire::load::PTIME_NS;
use milliwatt_wire::time::RunTime;

/// Packets of all streams of a leg from a disruption's begin until it had recovered. None is counted twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Sent, and never arrived.
    pub lost: u64,
    /// Came over 20 ms after their time, or were read by the guest too late to be played.
    pub late: u64,
    /// Slots whose sender sent nothing.
    pub not_sent: u64,
}

impl Counts {
    pub(super) fn of(
        leg: &LegTracks<'_>,
        blackout: &Blackout,
        time: (RunTime, RunTime),
        step: Option<i64>,
    ) -> Self {
        let mut counts = Self::default();
        let (from, until) = time;
        let up = leg.tracks.iter();
        for (key, track) in up.filter(|(_, track)| track.due < until && from < track.end + PTIME_NS)
        {
            counts.add(leg, track, time, step);
            let own = blackout.silences.get(key);
            if own.is_some_and(|silence| silence.endless) {
                counts.lost += u64::from(track.tail_lost);
            }
        }
        counts
    }

    fn add(
        &mut self,
        leg: &LegTracks<'_>,
        track: &Track<'_>,
        (from, until): (RunTime, RunTime),
        step: Option<i64>,
    ) {
        let slot_from = |at| track.slot_from(at, &leg.levels);
        let slots = (slot_from(from), slot_from(until));
        self.lost += u64::from(track.lost.count(slots.0, slots.1));
        self.not_sent += u64::from(track.unsent.count(slots.0, slots.1));
        // A slot is played as much later as the buffer is deep.
        let played = (
            slot_from(from + -leg.depth).saturating_sub(1),
            slot_from(until + -leg.depth),
        );
        self.late += u64::from(track.unplayed.count(played.0, played.1));
        self.late += late_arrivals(leg, track, (from, until), step).count() as u64;
    }
}
