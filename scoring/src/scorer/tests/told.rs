//! What is told beside the figures: events, recordings, curves, histograms, notes.

use super::counting::close;
use super::figures::assert_figures;
use super::judging::recording;
use super::rich::{Facts, facts_of, measure, rich};
use super::truth::Truth;
use crate::measured::{EventRow, LegMeasured, Legs, Measured, Outcome, Recordings, Timers};
use crate::scorer::end::EndRecord;
use crate::scorer::notes::notes;
use milliwatt_wire::facts::{Fact, HostSecond};
use milliwatt_wire::id::{CallId, End, Leg};
use serde_json::{Value, json};

/// In order of time; of one instant dead air first, then silences, stalls, what the control plane told. A recording of a
/// call whose start nobody told of lies at the run's start.
#[test]
fn every_event_in_order_of_time() {
    let run = measure(&rich(), None);
    let told: Vec<(f64, &str, bool)> = run
        .events
        .iter()
        .map(|event| (event.at_s, event.text.as_str(), event.tainted))
        .collect();
    assert_eq!(
        told,
        [
            (
                0.0,
                "guest stalled: up to 60.0 ms late, 1 playout ticks missed",
                false
            ),
            (
                0.2,
                "call 1 party A sent: 80 ms of dead air, packets lost",
                false
            ),
            (
                1.0,
                "call 2: 300 ms of silence on channel 1 of 2.wav, 1.000 s in: no packet explains it: the guest's own doing",
                false
            ),
            (
                1.2,
                "call 0 party A receive: 80 ms of dead air, packets lost",
                false
            ),
            (
                2.0,
                "call 0 party A sent: 60 ms of dead air, packets lost",
                false
            ),
            (
                2.0,
                "call 0: 700 ms of silence on channel 1 of 0.wav, 2.000 s in: no packet explains it: the guest's own doing",
                false
            ),
            (
                2.0,
                "guest stalled: up to 45.0 ms late, 2 playout ticks missed",
                false
            ),
            (
                3.0,
                "call 0 party B sent: 200 ms of dead air, packets not sent",
                false
            ),
            (
                3.4,
                "call 1 party A sent: 80 ms of dead air, packets too late for the playout buffer",
                false
            ),
            (
                4.0,
                "call 0: 300 ms of silence on channel 1 of 0.wav, 4.000 s in: no packet explains it: the guest's own doing",
                false
            ),
            (
                4.9,
                "call 0 party A sent: 300 ms of dead air, packets lost",
                true
            ),
            (
                4.921,
                "loss: 2 of 4 streams were silent for 80.0 ms on the sent leg (guest -> tester); 17 packets lost, 0 late; \
                 recovered after 280.0 ms",
                false
            ),
            (
                4.94,
                "call 0 party B sent: 60 ms of dead air, packets lost",
                false
            ),
            (5.5, "here", true),
            (
                6.2,
                "call 1 party B receive: 200 ms of dead air, the guest's playout clock stood still",
                false
            ),
        ]
    );
}

#[test]
fn an_event_s_fields_are_those_of_its_kind() {
    let run = measure(&rich(), None);
    let of = |kind: &str| run.events.iter().find(|event| event.kind == kind).unwrap();
    let expected = |fields: Value| {
        let mut all = json!({
            "stream": null, "call": null, "channel": null, "duration_ms": null, "cause": null, "tainted": false,
        });
        let fields = fields.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(fields);
        all
    };
    let assert_event = |event: &EventRow, fields: Value| assert_figures(event, &expected(fields));
    assert_event(
        of("dead-air"),
        json!({
            "at_s": 0.2, "kind": "dead-air", "stream": { "call": 1, "party": "A", "leg": "sent" }, "call": 1,
            "duration_ms": 80.0, "cause": "lost", "text": "call 1 party A sent: 80 ms of dead air, packets lost",
        }),
    );
    assert_event(
        of("silence"),
        json!({
            "at_s": 1.0, "kind": "silence", "call": 2, "channel": 1, "duration_ms": 300.0,
            "origin": "unexplained", "file": "2.wav", "start_s": 1.0,
            "text": "call 2: 300 ms of silence on channel 1 of 2.wav, 1.000 s in: no packet explains it: the guest's own doing",
        }),
    );
    assert_event(
        of("stall"),
        json!({
            "at_s": 0.0, "kind": "stall", "duration_ms": 60.0,
            "text": "guest stalled: up to 60.0 ms late, 1 playout ticks missed",
        }),
    );
    assert_event(
        of("mark"),
        json!({ "at_s": 5.5, "kind": "mark", "tainted": true, "text": "here" }),
    );
}

#[test]
fn a_stall_of_the_tester_is_packets_not_sent() {
    let run = Truth::clean(10).stall(End::Tester, 4).measure();
    let stall = run
        .events
        .iter()
        .find(|event| event.kind == "stall")
        .unwrap();
    assert_eq!(
        (stall.at_s, stall.text.as_str(), stall.tainted),
        (
            4.0,
            "tester stalled: up to 30.0 ms late, 1 packets not sent",
            true
        )
    );
}

#[test]
fn a_row_of_each_recording() {
    let run = measure(&rich(), None);
    assert_figures(
        &run.recording_rows,
        &json!([
            {
                "call": 0, "file": "0.wav", "received": true, "seconds": 9.0, "wire_octets": 1200, "attempts": 1,
                "silence_events": 2, "longest_ms": 700.0, "error": null,
            },
            {
                "call": 1, "file": "1.wav", "received": true, "seconds": 9.0, "wire_octets": 1200, "attempts": 1,
                "silence_events": 0, "longest_ms": null, "error": null,
            },
            {
                "call": 2, "file": "2.wav", "received": true, "seconds": 9.0, "wire_octets": 1000, "attempts": 1,
                "silence_events": 1, "longest_ms": 300.0, "error": "no audio",
            },
            {
                "call": 3, "file": "", "received": false, "seconds": null, "wire_octets": null, "attempts": null,
                "silence_events": 0, "longest_ms": null, "error": null,
            },
        ]),
    );
}

/// A silence of a call that began at 0, its second 5 tainted: the threshold's outcomes with and without that second, and
/// whether the row says that it is no evidence.
fn silence_beside_taint(start_ms: f64, length_ms: f64) -> (Outcome, Outcome, bool) {
    let mut truth = Truth::clean(10);
    truth
        .judgement
        .thresholds
        .retain(|t| t.metric == "recordings.with_silence");
    truth.judgement.thresholds[0].limit = 0.0;
    let mut silent = recording(0, &[start_ms]);
    if let Fact::Recording(recording) = &mut silent {
        recording.silences[0].length_ms = length_ms;
    }
    truth.tester.push(silent);
    let run = truth.stall(End::Tester, 5).measure();
    let judged = &run.thresholds[0];
    let row = run
        .events
        .iter()
        .find(|event| event.kind == "silence")
        .unwrap();
    (judged.outcome, judged.outcome_without_tainted, row.tainted)
}

#[test]
fn a_silence_is_no_evidence_that_touches_a_tainted_second() {
    let (fails, rests) = (
        (Outcome::Fail, Outcome::Fail, false),
        (Outcome::Fail, Outcome::Pass, true),
    );
    assert_eq!(silence_beside_taint(4400.0, 300.0), fails, "ends at 4.7 s");
    assert_eq!(silence_beside_taint(4900.0, 300.0), rests, "ends in it");
    assert_eq!(silence_beside_taint(5100.0, 300.0), rests);
    assert_eq!(silence_beside_taint(4900.0, 1500.0), rests, "spans it");
    assert_eq!(silence_beside_taint(6000.0, 300.0), fails);
    // Facts may be broken: a length below zero, or none at all, is that of an instant.
    assert_eq!(silence_beside_taint(6000.0, -2000.0), fails);
    assert_eq!(silence_beside_taint(5100.0, f64::NAN), rests);
}

#[test]
fn ours_stand_beside_the_published_figures() {
    let document = measure(&rich(), None).document;
    let measured: Vec<f64> = document
        .iter()
        .map(|figure| figure.measured.unwrap())
        .collect();
    // 0.368 and 3.76 / 6 Mbit/s in octets; one recording; the guest's processors.
    let expected = [0.046, 3.76 / 48.0, 1.0, 30.0];
    for (measured, expected) in measured.into_iter().zip(expected) {
        close(Some(measured), expected);
    }
    assert_eq!(document[0].unit, "MB/s");
}

/// Of 1168: 1094, 60, 10 and 4.
#[test]
fn the_curve_of_pdv_adds_up_to_all_packets() {
    let [receive, sent] = measure(&rich(), None).pdv_curves;
    let share = |packets: u32| f64::from(packets) / 1168.0;
    let expected = [(0.016, 1094), (4.992, 1154), (30.208, 1164), (79.872, 1168)];
    assert_eq!(sent, expected.map(|(ms, packets)| (ms, share(packets))));
    assert_eq!(receive, [(0.0, 1.0)]);
}

#[test]
fn a_histogram_of_each_second_of_full_load_that_has_one() {
    let histograms = measure(&rich(), None).histograms;
    let seconds = |name: &str| -> Vec<u32> {
        let named = histograms.iter().filter(|h| h.name == name);
        named.map(|histogram| histogram.second).collect()
    };
    let full: Vec<u32> = (1..7).collect();
    for name in [
        "receive-pdv",
        "sent-pdv",
        "tester-lateness",
        "guest-lateness",
    ] {
        assert_eq!(seconds(name), full, "{name}");
    }
    assert_eq!(
        (seconds("receive-ipdv"), seconds("sent-ipdv")),
        (vec![1], vec![1, 2, 4])
    );
    let counts = |name: &str, second| {
        let mut all = histograms.iter();
        let found = all.find(|h| (h.name, h.second) == (name, second)).unwrap();
        found.counts.clone()
    };
    assert_eq!(counts("sent-pdv", 5), [(16_000, 180), (30_000_000, 10)]);
    assert_eq!(counts("sent-ipdv", 2), [(1_008_000, 10)]);
    assert_eq!(
        counts("tester-lateness", 1),
        [(100_000, 200), (1_008_000, 4)]
    );
    assert_eq!(
        counts("guest-lateness", 4),
        [(100_000, 200), (3_008_000, 5)]
    );
}

#[track_caller]
fn assert_told(run: &Measured, notes: &[&str]) {
    assert_eq!(run.notes, notes);
}

/// The interface of a leg counted 0.3424 of 0.368 Mbit/s, that of the other 0.66944 of 0.626667.
#[test]
fn every_note_on_the_rich_run() {
    assert_told(
        &measure(&rich(), None),
        &[
            "the interface's own counter differs from what this run sent on the receive leg (tester -> guest) by -7.0 % \
         (0.342 against 0.368 Mbit/s): other traffic was on it (on loopback, the other direction)",
            "the interface's own counter differs from what this run sent on the sent leg (guest -> tester) by +6.8 % \
         (0.669 against 0.627 Mbit/s): other traffic was on it (on loopback, the other direction)",
            "tester: a packet thread was ready to run and did not for up to 12 % of a second: something else had its processor",
            "2 recordings could not be made as light as the scenario asks: their real weight was sent",
        ],
    );
}

/// A clean run's facts, each changed.
fn retold(change: impl Fn(End, &mut Fact)) -> Measured {
    let mut facts: Facts = facts_of(&Truth::clean(10));
    for (end, fact) in &mut facts {
        change(*end, fact);
    }
    measure(&facts, None)
}

#[test]
fn what_the_system_refused_is_told() {
    let run = retold(|end, fact| match fact {
        Fact::Opened {
            timers,
            kernel_timestamps,
            ..
        } if end == End::Guest => {
            timers.rights[0].granted = Err("no permission".to_owned());
            *kernel_timestamps = false;
        }
        Fact::Opened { timers, .. } => timers.rights.clear(),
        _ => {}
    });
    assert_told(
        &run,
        &[
            "guest: SCHED_FIFO was refused: no permission",
            "guest: no kernel receive timestamps; arrivals are stamped when the process reads them, and delay of the way counts as the guest's",
        ],
    );
    assert_eq!(run.guest.real_time.as_deref(), Some("no permission"));
    assert_eq!(
        run.host.real_time.as_deref(),
        Some("not asked: the thread spins")
    );
    let right = &run.timers.guest.rights[0];
    assert_eq!(
        (right.granted, right.refused.as_deref()),
        (false, Some("no permission"))
    );
}

#[test]
fn a_marking_that_was_changed_or_is_not_known_is_told() {
    let marked = |on_receive, on_sent| {
        retold(move |_, fact| {
            if let Fact::StreamEnd(end) = fact {
                end.dscp = if end.stream.leg == Leg::Receive {
                    on_receive
                } else {
                    on_sent
                };
            }
        })
    };
    assert_told(
        &marked(Some(0), None),
        &[
            "media left marked DSCP 46 and arrived marked 0 on the receive leg (tester -> guest): something on the way changes it",
            "the DSCP that arrived on the sent leg (guest -> tester) is not known, or not the same for all streams",
        ],
    );
    assert_told(&marked(Some(46), Some(46)), &[]);
}

#[test]
fn nothing_is_told_of_a_marking_that_nothing_carried() {
    let run = retold(|end, fact| match fact {
        Fact::StreamEnd(last) if end == End::Guest => {
            (last.received, last.first_index, last.last_index) = (0, None, None);
            (last.first_slot, last.last_slot) = (None, None);
        }
        _ => {}
    });
    assert_eq!(
        (
            run.legs.receive.packets_received,
            run.legs.receive.dscp_arrived
        ),
        (0, None)
    );
    assert_told(&run, &[]);
}

#[test]
fn a_thread_that_did_not_run_for_a_tenth_of_a_second_is_told_of() {
    let starved = |percent| {
        retold(move |end, fact| match fact {
            Fact::Host(HostSecond {
                second: 3,
                runnable_percent,
                ..
            }) if end == End::Guest => *runnable_percent = Some(percent),
            _ => {}
        })
    };
    assert_told(&starved(9.875), &[]);
    assert_told(
        &starved(10.0),
        &[
            "guest: a packet thread was ready to run and did not for up to 10 % of a second: something else had its processor",
        ],
    );
}

/// A difference of 2 % is the counter's own.
#[test]
fn a_counter_is_told_of_that_differs_by_more_than_2_percent() {
    let told = |nic_mbps| {
        let mut receive = LegMeasured::default();
        (receive.mbps.mean, receive.nic_mbps) = (Some(100.0), nic_mbps);
        let legs = Legs {
            receive,
            sent: LegMeasured::default(),
        };
        let nobody = EndRecord::default();
        let ends = [&nobody, &nobody];
        notes(
            None,
            ends,
            &legs,
            &Recordings::default(),
            &Timers::default(),
        )
        .len()
    };
    assert_eq!([None, Some(98.0), Some(102.0)].map(told), [0; 3]);
    assert_eq!([Some(97.5), Some(102.5)].map(told), [1; 2]);
}

/// A recording counts for its call whether it was announced or not, and once.
#[test]
fn a_call_s_recording_is_one_recording() {
    let mut truth = Truth::clean(4);
    let expected = |call| Fact::RecordingExpected { call: CallId(call) };
    truth.tester.extend([
        recording(0, &[1000.0]),
        expected(0),
        expected(1),
        recording(5, &[]),
        recording(6, &[]),
    ]);
    let recordings = truth.measure().recordings;
    assert_eq!(
        (recordings.expected, recordings.received, recordings.scored),
        (4, 3, 3)
    );
    assert_eq!((recordings.with_silence, recordings.silence_events), (1, 1));
}
