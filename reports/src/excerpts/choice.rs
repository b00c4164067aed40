//! Which silences tell most.

use super::Span;
use crate::incidents;
use milliwatt_scoring::measured::{EventRow, SilenceOrigin};
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Silences that are shown.
pub(super) const MOST: usize = 8;

/// At most 8 silences with their spans, those that tell most first: unexplained ones before explained ones, then longer
/// ones, then earlier ones. Each incident has one among them before any has two, and what the span of one shows whole is
/// not chosen again: both channels of a call often fall silent at once.
pub(super) fn choose(events: &[EventRow]) -> Vec<(&EventRow, Span)> {
    let mut silences: Vec<(usize, &EventRow, Span)> = incidents::silences(events)
        .into_iter()
        .filter_map(|(incident, event)| Some((incident, event, Span::around(event)?)))
        .collect();
    silences.sort_by(|a, b| telling_first(a.1, b.1));
    let mut seen = BTreeSet::new();
    let (firsts, others): (Vec<_>, Vec<_>) = silences
        .into_iter()
        .partition(|(incident, ..)| seen.insert(*incident));
    let mut chosen: Vec<(&EventRow, Span)> = Vec::new();
    for (_, event, span) in firsts.into_iter().chain(others) {
        if chosen.len() < MOST && !chosen.iter().any(|(_, other)| other.shows(&span)) {
            chosen.push((event, span));
        }
    }
    chosen.sort_by(|a, b| telling_first(a.0, b.0));
    chosen
}

/// By origin, length, time, call and channel: no two silences of a run are alike in all of these.
fn telling_first(a: &EventRow, b: &EventRow) -> Ordering {
    let is_explained = |event| incidents::origin(event) != SilenceOrigin::Unexplained;
    let length = |event: &EventRow| event.duration_ms.unwrap_or(0.0);
    is_explained(a)
        .cmp(&is_explained(b))
        .then(length(b).total_cmp(&length(a)))
        .then(a.at_s.total_cmp(&b.at_s))
        .then((a.call, a.channel).cmp(&(b.call, b.channel)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use SilenceOrigin::{DeadAir, Known, Unexplained};
    use milliwatt_wire::facts::DeadCause;

    /// A silence of a call that began with the run, tied to its `call`.
    fn silence(call: u32, at_s: f64, length_ms: f64, origin: SilenceOrigin) -> EventRow {
        EventRow {
            at_s,
            kind: "silence".to_owned(),
            stream: None,
            call: Some(call),
            channel: Some(0),
            duration_ms: Some(length_ms),
            cause: (origin == DeadAir).then_some(DeadCause::Lost),
            origin: Some(origin),
            file: Some(format!("{call}.wav")),
            start_s: Some(at_s),
            tainted: false,
            text: String::new(),
        }
    }

    fn calls(events: &[EventRow]) -> Vec<u32> {
        let chosen = choose(events).into_iter();
        chosen.map(|(event, _)| event.call.unwrap()).collect()
    }

    #[test]
    fn unexplained_ones_come_before_explained_ones_and_then_the_longest() {
        let events = [
            silence(1, 10.0, 900.0, DeadAir),
            silence(2, 20.0, 80.0, Unexplained),
            silence(3, 30.0, 1000.0, Known),
            silence(4, 40.0, 90.0, Unexplained),
            silence(5, 50.0, 950.0, DeadAir),
        ];
        assert_eq!(calls(&events), [4, 2, 3, 5, 1]);
    }

    /// Incidents at 10 s (six silences), 20 s and 30 s (one each): the two others are chosen though all six tell more, and
    /// of the first incident the least is left out when there are eight with them.
    #[test]
    fn each_incident_has_one_before_any_has_two() {
        let mut events: Vec<EventRow> = (1..=10_u32)
            .map(|n| silence(n, 10.0, 500.0 + f64::from(n), Unexplained))
            .collect();
        events.push(silence(20, 20.0, 70.0, DeadAir));
        events.push(silence(30, 30.0, 60.0, Known));
        assert_eq!(calls(&events), [10, 9, 8, 7, 6, 5, 20, 30]);
    }

    /// Dead air from 10 s to 11.5 s ties silences of its begin and end together.
    #[test]
    fn dead_air_between_silences_makes_them_one_incident() {
        let dead = EventRow {
            kind: "dead-air".to_owned(),
            ..silence(9, 10.0, 1500.0, DeadAir)
        };
        let mut events = vec![
            silence(1, 9.5, 100.0, Unexplained),
            dead,
            silence(2, 12.0, 90.0, Unexplained),
        ];
        let incidents = |events: &[EventRow]| -> Vec<usize> {
            let silences = incidents::silences(events).into_iter();
            silences.map(|(incident, _)| incident).collect()
        };
        assert_eq!(incidents(&events), [0, 0]);
        events.remove(1);
        assert_eq!(incidents(&events), [0, 1], "2.4 s apart");
    }

    #[test]
    fn silences_that_tell_as_much_come_in_order_of_time_then_call_then_channel() {
        let mut other_channel = silence(7, 10.0, 100.0, DeadAir);
        other_channel.channel = Some(1);
        let mut events = vec![
            silence(9, 10.0, 100.0, DeadAir),
            other_channel,
            silence(7, 10.0, 100.0, DeadAir),
            silence(8, 9.99, 100.0, DeadAir),
        ];
        let of = |events: &[EventRow]| -> Vec<(u32, u8)> {
            let chosen = choose(events).into_iter();
            chosen
                .map(|(event, span)| (event.call.unwrap(), span.channel))
                .collect()
        };
        // Channel 1 of call 7 is seen in the picture of channel 0.
        let expected = [(8, 0), (7, 0), (9, 0)];
        assert_eq!(of(&events), expected);
        events.reverse();
        assert_eq!(of(&events), expected);
    }

    /// The picture of the longest reaches from 9 s to 11.5 s of the recording.
    #[test]
    fn what_a_picture_shows_is_not_shown_again() {
        let of = |file: &str, start_s, length_ms| EventRow {
            file: Some(file.to_owned()),
            ..silence(1, start_s, length_ms, Unexplained)
        };
        let events = [
            of("1.wav", 9.2, 60.0),
            of("1.wav", 10.0, 500.0),
            of("1.wav", 11.0, 400.0),
            of("1.wav", 11.3, 300.0),
            of("2.wav", 11.35, 200.0),
        ];
        let chosen = choose(&events).into_iter();
        let places: Vec<(String, f64)> =
            chosen.map(|(_, span)| (span.file, span.start_s)).collect();
        let expected = [("1.wav", 10.0), ("1.wav", 11.3), ("2.wav", 11.35)];
        assert_eq!(places, expected.map(|(file, at)| (file.to_owned(), at)));
    }

    #[test]
    fn a_silence_that_does_not_say_where_it_lies_is_passed_over() {
        let mut nowhere = silence(1, 10.0, 100.0, Unexplained);
        nowhere.start_s = None;
        let mut broken = silence(2, 10.0, 100.0, Unexplained);
        broken.start_s = Some(f64::NAN);
        assert!(choose(&[nowhere, broken]).is_empty());
    }

    #[test]
    fn a_span_is_a_second_to_either_side_and_five_seconds_at_most() {
        let span = |start_s, length_ms| {
            let mut event = silence(1, 100.0, length_ms, Unexplained);
            event.start_s = Some(start_s);
            let span = Span::around(&event).unwrap();
            (span.from_s, span.to_s, span.is_cut)
        };
        assert_eq!(span(10.0, 500.0), (9.0, 11.5, false));
        assert_eq!(span(0.5, 500.0), (0.0, 2.0, false), "the recording begins");
        assert_eq!(span(10.0, 3000.0), (9.0, 14.0, false));
        assert_eq!(span(10.0, 3001.0), (9.0, 14.0, true));
        assert_eq!(span(10.0, -5.0), (9.0, 11.0, false), "damaged facts");
    }
}
