//! Dead air and silences that belong together: one stall of a host hits hundreds of streams at
//! once and is one thing to look for.

use crate::figures;
use milliwatt_scoring::measured::{EventRow, SilenceOrigin};
use milliwatt_wire::facts::DeadCause;
use milliwatt_wire::id::{Leg, StreamId};
use std::collections::{BTreeMap, BTreeSet};

/// Events less than this apart belong to one incident, s.
const APART_S: f64 = 1.0;

/// Events that overlap or nearly so.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Begin of the first event, s of run time.
    pub at_s: f64,
    /// End of the last, s of run time.
    pub end_s: f64,
    /// Longest event, ms.
    pub longest_ms: f64,
    /// Dead-air events.
    pub dead_air_events: u64,
    /// Silences in recordings.
    pub silences: u64,
    /// Streams with dead air.
    pub streams: BTreeSet<StreamId>,
    /// Dead-air events by cause.
    pub causes: BTreeMap<DeadCause, u64>,
    /// All of it in tainted seconds: no evidence against the guest.
    pub tainted: bool,
}

/// Whether an event that begins at `at_s` belongs to what ended last at `end_s`.
fn joins(at_s: f64, end_s: f64) -> bool {
    at_s < end_s + APART_S
}

/// Groups the dead-air and silence events, which are in order of time.
#[must_use]
pub fn group(events: &[EventRow]) -> Vec<Incident> {
    let mut incidents: Vec<Incident> = Vec::new();
    for event in events.iter().filter(|event| is_impairment(event)) {
        match incidents.last_mut() {
            Some(last) if joins(event.at_s, last.end_s) => last.add(event),
            _ => incidents.push(Incident::of(event)),
        }
    }
    incidents
}

/// Each silence of a recording with the number of its incident.
#[must_use]
pub fn silences(events: &[EventRow]) -> Vec<(usize, &EventRow)> {
    let (mut incident, mut last_end_s) = (0, None);
    let mut silences = Vec::new();
    for event in events.iter().filter(|event| is_impairment(event)) {
        let so_far = last_end_s.filter(|end_s| joins(event.at_s, *end_s));
        incident += usize::from(last_end_s.is_some() && so_far.is_none());
        last_end_s = Some(so_far.unwrap_or(event.at_s).max(end_of(event)));
        if event.kind == "silence" {
            silences.push((incident, event));
        }
    }
    silences
}

/// The `most` largest incidents, in order of time.
#[must_use]
pub fn largest(events: &[EventRow], most: usize) -> Vec<Incident> {
    let mut incidents = group(events);
    incidents
        .sort_by_key(|incident| std::cmp::Reverse(incident.dead_air_events + incident.silences));
    incidents.truncate(most);
    incidents.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    incidents
}

/// What happened, in order of time: the `most` largest incidents and the first `most` other events
/// (stalls, marks, lost connections), each with its place in seconds of run time.
#[must_use]
pub fn story(events: &[EventRow], most: usize) -> Vec<(f64, String)> {
    let others = events.iter().filter(|event| is_told(event)).take(most);
    let mut story: Vec<(f64, String)> = others
        .map(|event| (event.at_s, format!("{}: {}", event.kind, event.text)))
        .chain(
            largest(events, most)
                .iter()
                .map(|incident| (incident.at_s, incident.describe())),
        )
        .collect();
    story.sort_by(|a, b| a.0.total_cmp(&b.0));
    story
}

/// How many lines [`story`] would have without a bound.
#[must_use]
pub fn story_length(events: &[EventRow]) -> usize {
    group(events).len() + events.iter().filter(|event| is_told(event)).count()
}

/// Whether an event is told by itself: what else recordings hold is counted with them, steps and load beside the calls have a
/// table and disruptions a section.
fn is_told(event: &EventRow) -> bool {
    !is_impairment(event)
        && event.channel.is_none()
        && !is_step(event)
        && event.kind != "disruption"
        && event.kind != "neighbour"
}

/// Whether an event is the begin or the end of a step, of which a search has many.
#[must_use]
pub fn is_step(event: &EventRow) -> bool {
    event.kind == "step"
}

/// Whether an event is one that a person could hear.
#[must_use]
pub fn is_impairment(event: &EventRow) -> bool {
    matches!(event.kind.as_str(), "dead-air" | "silence")
}

impl Incident {
    fn of(event: &EventRow) -> Self {
        let mut incident = Self {
            at_s: event.at_s,
            end_s: event.at_s,
            longest_ms: 0.0,
            dead_air_events: 0,
            silences: 0,
            streams: BTreeSet::new(),
            causes: BTreeMap::new(),
            tainted: true,
        };
        incident.add(event);
        incident
    }

    fn add(&mut self, event: &EventRow) {
        self.end_s = self.end_s.max(end_of(event));
        self.longest_ms = self.longest_ms.max(event.duration_ms.unwrap_or(0.0));
        self.tainted &= event.tainted;
        if event.kind == "silence" {
            self.silences += 1;
            return;
        }
        self.dead_air_events += 1;
        self.streams.extend(event.stream);
        if let Some(cause) = event.cause {
            *self.causes.entry(cause).or_default() += 1;
        }
    }

    /// What happened, in a phrase.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        if self.dead_air_events > 0 {
            parts.push(self.dead_air());
        }
        if self.silences > 0 {
            parts.push(format!(
                "{} in recordings",
                figures::counted(self.silences, "silence")
            ));
        }
        parts.push(format!("longest {} ms", figures::number(self.longest_ms)));
        if self.tainted {
            parts.push("in tainted seconds, no evidence against the guest".to_owned());
        }
        parts.join(", ")
    }

    fn dead_air(&self) -> String {
        let streams = figures::counted(self.streams.len() as u64, "stream");
        let legs = Leg::BOTH.map(|leg| self.streams.iter().any(|stream| stream.leg == leg));
        let place = match legs {
            [true, true] => "both legs",
            [true, false] => Leg::Receive.title(),
            [false, true] => Leg::Sent.title(),
            [false, false] => "unknown leg",
        };
        let causes: Vec<String> = self
            .causes
            .iter()
            .map(|(cause, events)| format!("{} {}", cause_word(*cause), figures::count(*events)))
            .collect();
        format!(
            "dead air on {streams}, {place} (cause: {})",
            causes.join(", ")
        )
    }
}

/// End of an event, s of run time.
fn end_of(event: &EventRow) -> f64 {
    event.at_s + event.duration_ms.unwrap_or(0.0) / 1000.0
}

/// Where a silence came from; one that does not say is put down to its cause, if it has any.
#[must_use]
pub fn origin(event: &EventRow) -> SilenceOrigin {
    let by_cause = match event.cause {
        Some(_) => SilenceOrigin::DeadAir,
        None => SilenceOrigin::Unexplained,
    };
    event.origin.unwrap_or(by_cause)
}

/// Where an event came from, in a word or two.
#[must_use]
pub fn origin_word(event: &EventRow) -> &'static str {
    match (event.cause, event.origin) {
        (Some(cause), _) => cause_word(cause),
        (None, Some(SilenceOrigin::Known)) => "known silence",
        (None, Some(SilenceOrigin::Unexplained)) => "unexplained",
        (None, _) => "",
    }
}

/// A cause as `scorecard.json` and `events.jsonl` name it.
#[must_use]
pub fn cause_word(cause: DeadCause) -> &'static str {
    match cause {
        DeadCause::Lost => "lost",
        DeadCause::Late => "late",
        DeadCause::NotSent => "not-sent",
        DeadCause::GuestPlayout => "guest-playout",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::id::{CallId, Party};

    fn dead_air(at_s: f64, call: u32, tainted: bool) -> EventRow {
        EventRow {
            at_s,
            kind: "dead-air".to_owned(),
            stream: Some(StreamId {
                call: CallId(call),
                party: Party::A,
                leg: Leg::Sent,
            }),
            call: None,
            channel: None,
            duration_ms: Some(700.0),
            cause: Some(DeadCause::Late),
            origin: None,
            file: None,
            start_s: None,
            tainted,
            text: String::new(),
        }
    }

    #[test]
    fn events_join_while_less_than_a_second_parts_them() {
        // 10.0..10.7 and 11.6..12.3 are 0.9 s apart; 13.4 begins 1.1 s after the end of both.
        let events = [
            dead_air(10.0, 1, true),
            dead_air(11.6, 2, false),
            dead_air(13.4, 3, true),
        ];
        let incidents = group(&events);
        assert_eq!(
            incidents
                .iter()
                .map(|i| i.dead_air_events)
                .collect::<Vec<_>>(),
            [2, 1]
        );
        assert_eq!(incidents[0].streams.len(), 2);
        assert!(!incidents[0].tainted, "one of its events is evidence");
        assert!(incidents[1].tainted);
    }

    #[test]
    fn the_story_puts_a_stall_beside_its_dead_air() {
        let stall = EventRow {
            kind: "stall".to_owned(),
            stream: None,
            text: "playout ticks missed".to_owned(),
            ..dead_air(4.9, 0, false)
        };
        let story = story(
            &[
                dead_air(1.0, 1, false),
                stall.clone(),
                dead_air(5.0, 1, false),
            ],
            5,
        );
        assert_eq!(
            story.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
            [1.0, 4.9, 5.0]
        );
        assert_eq!(story[1].1, "stall: playout ticks missed");
        assert_eq!(story_length(&[stall.clone(), stall]), 2);
    }

    #[test]
    fn the_largest_come_in_order_of_time() {
        let events = [
            dead_air(1.0, 1, false),
            dead_air(5.0, 1, false),
            dead_air(9.0, 1, false),
            dead_air(9.1, 2, false),
        ];
        let at: Vec<f64> = largest(&events, 2)
            .iter()
            .map(|incident| incident.at_s)
            .collect();
        assert_eq!(at, [1.0, 9.0]);
    }
}
