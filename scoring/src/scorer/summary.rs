//! Everything summed up, before the verdict.

use super::Scorer;
use super::end::{EndRecord, lateness_us, seconds_of};
use super::evidence::{self, Seconds};
use super::leg::LegSeries;
use super::recordings::RecordingLog;
use super::timeline::Timeline;
use crate::disruption::Found;
use crate::measured::{
    BreakingPoints, CallCounts, ClockMeasured, Disruption, GuestMeasured, HostMeasured, Recordings,
    StepRow,
};
use milliwatt_wire::facts::PacingSecond;
use milliwatt_wire::id::{End, Leg};
use milliwatt_wire::time::RunTime;
use std::collections::BTreeSet;
use std::ops::Range;

/// What all facts together say.
pub(super) struct Summary<'a> {
    pub scorer: &'a Scorer,
    pub timeline: &'a Timeline,
    pub recording_log: &'a RecordingLog,
    pub told: &'a [(RunTime, String, String)],
    pub legs: [LegSeries; 2],
    pub recordings: Recordings,
    pub calls: CallCounts,
    pub clock: ClockMeasured,
    pub full: Option<Range<u32>>,
    pub last_second: Option<u32>,
    pub tainted: BTreeSet<u32>,
    pub judgement_error: Option<String>,
    pub steps: Vec<StepRow>,
    pub breaking_point: BreakingPoints,
    pub found: Found,
    pub disruptions: Vec<Disruption>,
}

impl Summary<'_> {
    pub(super) fn leg(&self, leg: Leg) -> &LegSeries {
        &self.legs[leg as usize]
    }

    pub(super) fn end(&self, end: End) -> &EndRecord {
        self.scorer.end(end)
    }

    pub(super) fn sender(&self, leg: Leg) -> &EndRecord {
        self.scorer.sender(leg)
    }

    /// The load comes in steps, and each is judged by itself.
    pub(super) fn is_stepped(&self) -> bool {
        !self.steps.is_empty() || self.scorer.load().is_some_and(|load| load.stepped)
    }

    /// When and how a guest that was named was lost. An agent of the tester's own is no guest: its
    /// end is the harness's failure.
    pub(super) fn guest_lost(&self) -> Option<(RunTime, &str)> {
        let opening = self.end(End::Tester).opening.as_ref();
        let lost = self.told.iter().find(|(_, kind, _)| kind == "guest-lost");
        opening
            .filter(|opening| opening.guest_named)
            .and(lost)
            .map(|(at, _, text)| (*at, text.as_str()))
    }

    pub(super) fn tester_closed(&self) -> bool {
        self.end(End::Tester).closed
    }

    /// Scored recordings with silence, and their silences, without those that touch a second left
    /// out; none when no recording was scored or expected.
    pub(super) fn silent_recordings(&self, left_out: &BTreeSet<u32>) -> Option<(u64, u64)> {
        if self.recordings.expected == 0 {
            return None;
        }
        let scored = self
            .recording_log
            .received()
            .filter(|recording| recording.error.is_none());
        let silences = scored.map(|recording| {
            let counts = recording.silences.iter().filter(|silence| {
                let seconds = self.silent_seconds(recording, silence);
                left_out.range(seconds).next().is_none()
            });
            counts.count() as u64
        });
        Some(
            silences
                .filter(|count| *count > 0)
                .fold((0, 0), |(recordings, events), count| {
                    (recordings + 1, events + count)
                }),
        )
    }

    pub(super) fn guest(&self) -> GuestMeasured {
        let guest = self.end(End::Guest);
        let full = seconds_of(self.full.as_ref());
        let ticks = |count: fn(&PacingSecond) -> u32| {
            (!guest.pacing.is_empty()).then(|| {
                guest
                    .pacing
                    .values()
                    .map(|second| u64::from(count(second)))
                    .sum()
            })
        };
        GuestMeasured {
            ticks_planned: ticks(|second| second.planned),
            ticks_missed: ticks(|second| second.not_sent),
            tick_lateness_us: lateness_us(&guest.lateness(full.clone())),
            cpu_percent: self.observe("guest.cpu_percent", None, &whole(&full)).value,
            steal_percent: self
                .observe("guest.steal_percent", None, &whole(&full))
                .value,
            socket_drops: guest.socket_drops(),
            recorder_drops: guest
                .host
                .values()
                .map(|second| second.recorder_drops)
                .max(),
            clock_step_ms: evidence::clock_step_ms(guest, guest.host.keys().copied()),
            real_time: real_time(guest),
        }
    }

    pub(super) fn host(&self) -> HostMeasured {
        let tester = self.end(End::Tester);
        let full = seconds_of(self.full.as_ref());
        HostMeasured {
            cpu_percent: self.observe("host.cpu_percent", None, &whole(&full)).value,
            clock_step_ms: evidence::clock_step_ms(tester, tester.host.keys().copied()),
            real_time: real_time(tester),
        }
    }
}

/// All of full load.
pub(super) fn whole(full: &Range<u32>) -> Seconds<'static> {
    static NONE: BTreeSet<u32> = BTreeSet::new();
    Seconds {
        range: full.clone(),
        left_out: &NONE,
    }
}

fn real_time(end: &EndRecord) -> Option<String> {
    let rights = &end.opening.as_ref()?.timers.rights;
    let asked = rights.iter().find(|right| right.name == "SCHED_FIFO");
    Some(asked.map_or_else(
        || "not asked: the thread spins".to_owned(),
        |right| {
            right
                .granted
                .as_ref()
                .map_or_else(Clone::clone, |()| "granted".to_owned())
        },
    ))
}
