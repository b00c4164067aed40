//! The recordings that came back.

use super::end::{float, ratio};
use crate::measured::{RecordingRow, Recordings};
use crate::proportion::upper_bound;
use crate::recording::EventKind;
use milliwatt_wire::facts::{Fact, RecordingEventFact, RecordingFact};
use milliwatt_wire::id::CallId;
use std::collections::BTreeMap;

/// Expected and received recordings by call.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordingLog {
    calls: BTreeMap<CallId, Option<RecordingFact>>,
    others: BTreeMap<CallId, OtherEvents>,
}

/// What was found in a recording beside silences.
#[derive(Clone, Debug)]
struct OtherEvents {
    listed: Vec<RecordingEventFact>,
    unlisted: Vec<(String, u64)>,
}

impl OtherEvents {
    fn count(&self, kind: EventKind) -> u64 {
        let listed = self.listed.iter().filter(|event| event.kind == kind.name());
        let unlisted = self
            .unlisted
            .iter()
            .filter(|(other, _)| other == kind.name());
        listed.count() as u64 + unlisted.map(|(_, events)| events).sum::<u64>()
    }
}

impl RecordingLog {
    pub(super) fn absorb(&mut self, fact: &Fact) {
        match fact {
            Fact::RecordingExpected { call } => {
                self.calls.entry(*call).or_default();
            }
            Fact::Recording(recording) => {
                self.calls
                    .insert(recording.call, Some((**recording).clone()));
            }
            Fact::RecordingEvents {
                call,
                events,
                unlisted,
            } => {
                let others = OtherEvents {
                    listed: events.clone(),
                    unlisted: unlisted.clone(),
                };
                self.others.insert(*call, others);
            }
            _ => {}
        }
    }

    /// Those that came.
    pub(super) fn received(&self) -> impl Iterator<Item = &RecordingFact> + '_ {
        self.calls.values().flatten()
    }

    /// Events of other kinds than silence, as far as they are listed, and the recordings that they lie in.
    pub(super) fn others(
        &self,
    ) -> impl Iterator<Item = (&RecordingFact, &RecordingEventFact)> + '_ {
        self.received().flat_map(|recording| {
            let others = self.others.get(&recording.call).into_iter();
            others.flat_map(move |others| others.listed.iter().map(move |event| (recording, event)))
        })
    }

    /// All events of a kind but silence.
    fn count(&self, kind: EventKind) -> u64 {
        self.others.values().map(|others| others.count(kind)).sum()
    }

    /// Calls whose recording should come.
    pub(super) fn expected(&self) -> u64 {
        self.calls.len() as u64
    }

    /// What stands in the scorecard; `asked_rate` is the weight the scenario asked for, bit/s.
    pub(super) fn measured(&self, asked_rate: Option<u32>) -> Recordings {
        let scored = || {
            self.received()
                .filter(|recording| recording.error.is_none())
        };
        let with_silence = scored()
            .filter(|recording| !recording.silences.is_empty())
            .count() as u64;
        let scored_count = scored().count() as u64;
        let wire: u64 = self.received().map(|recording| recording.wire_octets).sum();
        let asked: u64 = self
            .received()
            .map(|recording| recording.weight_octets)
            .sum();
        let heaviness = ratio(float(wire), float(asked));
        Recordings {
            expected: self.expected(),
            received: self.received().count() as u64,
            scored: scored_count,
            with_silence,
            silence_events: scored()
                .map(|recording| recording.silences.len() as u64)
                .sum(),
            // Known when the legs are summed up.
            silence_events_unexplained: 0,
            dropout_events: self.count(EventKind::Dropout),
            splice_events: self.count(EventKind::Splice),
            clipping_events: self.count(EventKind::Clipping),
            one_way_channels: self.count(EventKind::OneWay),
            crossed_channels: self.count(EventKind::Crossed),
            upper_bound_95_percent: upper_bound(with_silence, scored_count, 0.95),
            weight_bits_per_second: heaviness
                .zip(asked_rate)
                .map(|(times, rate)| times * f64::from(rate)),
            heavier_than_asked: self
                .received()
                .filter(|r| r.wire_octets > r.weight_octets)
                .count() as u64,
        }
    }

    /// A row each.
    pub(super) fn rows(&self) -> Vec<RecordingRow> {
        self.calls
            .iter()
            .map(|(call, recording)| row(*call, recording.as_ref()))
            .collect()
    }
}

fn row(call: CallId, recording: Option<&RecordingFact>) -> RecordingRow {
    let silences = || recording.iter().flat_map(|recording| &recording.silences);
    RecordingRow {
        call: call.0,
        file: recording.map_or_else(String::new, |recording| recording.file.clone()),
        received: recording.is_some(),
        seconds: recording.map(|recording| f64::from(recording.audio_ms) / 1000.0),
        wire_octets: recording.map(|recording| recording.wire_octets),
        attempts: recording.map(|recording| recording.attempts),
        silence_events: silences().count() as u64,
        longest_ms: silences()
            .map(|silence| silence.length_ms)
            .max_by(f64::total_cmp),
        error: recording.and_then(|recording| recording.error.clone()),
    }
}
