//! What recordings hold beside silences.

use super::judging::recording;
use super::truth::Truth;
use milliwatt_wire::facts::{Fact, RecordingEventFact};
use milliwatt_wire::id::CallId;

fn found(kind: &str, missing_samples: Option<i64>) -> RecordingEventFact {
    RecordingEventFact {
        kind: kind.to_owned(),
        channel: 1,
        start_ms: 2500.0,
        length_ms: 20.0,
        missing_samples,
    }
}

/// Two recordings: listed events and those past the list count alike, of a kind that is not known none; each listed one
/// is an event at its place in the run, which is where its call was 2.5 s after its start.
#[test]
fn what_else_was_heard_is_counted_by_kind_and_told() {
    let mut truth = Truth::clean(10);
    let quiet = truth.clone().measure();
    assert_eq!(quiet.recordings.dropout_events, 0);
    for call in 0..2 {
        truth
            .tester
            .push(Fact::RecordingExpected { call: CallId(call) });
        truth.tester.push(recording(call, &[]));
    }
    truth.tester.push(Fact::RecordingEvents {
        call: CallId(0),
        events: vec![
            found("dropout", None),
            found("splice", Some(160)),
            found("splice", Some(-3)),
        ],
        unlisted: vec![("dropout".to_owned(), 7), ("clipping".to_owned(), 2)],
    });
    truth.tester.push(Fact::RecordingEvents {
        call: CallId(1),
        events: vec![
            found("crossed", None),
            found("one-way", None),
            found("dropout", None),
        ],
        unlisted: Vec::new(),
    });
    let run = truth.measure();
    let r = &run.recordings;
    assert_eq!(
        (r.dropout_events, r.splice_events, r.clipping_events),
        (9, 2, 2)
    );
    assert_eq!((r.one_way_channels, r.crossed_channels), (1, 1));
    assert_eq!((r.with_silence, r.scored), (0, 2));
    let told: Vec<&str> = run
        .events
        .iter()
        .filter(|event| event.call == Some(0) && event.channel == Some(1))
        .map(|event| event.text.as_str())
        .collect();
    assert_eq!(
        told,
        [
            "call 0: dropout of 20 ms on channel 1 of 0.wav, 2.500 s in",
            "call 0: splice of 20 ms on channel 1 of 0.wav, 2.500 s in, 160 samples are missing",
            "call 0: splice of 20 ms on channel 1 of 0.wav, 2.500 s in, 3 samples were put in",
        ]
    );
}
