//! Silences of recordings, and the dead air that they came from.

use super::judging::recording;
use super::truth::{ENDS, Slot, Truth, judge, stream};
use crate::measured::{EventRow, Measured, SilenceOrigin};
use milliwatt_wire::facts::{DeadCause, Fact};
use milliwatt_wire::id::{CallId, Leg, Party};
use milliwatt_wire::load::KnownSilence;

/// Slots 100 to 114 of party B on the receive leg: due from 2.0 s on, heard 60 ms later, which is 300 ms on channel 1.
const SLOTS: std::ops::Range<usize> = 100..115;

fn with(slot: Slot, party: Party, leg: Leg, silences: &[f64]) -> Truth {
    let mut truth = Truth::clean(10);
    truth.set(stream(0, party, leg), SLOTS, slot);
    truth
        .tester
        .push(Fact::RecordingExpected { call: CallId(0) });
    truth.tester.push(recording(0, silences));
    truth
}

/// What the only silence of a run is put down to.
#[track_caller]
fn origin(run: &Measured) -> (Option<DeadCause>, u64) {
    let silences: Vec<&EventRow> = run.events.iter().filter(|e| e.kind == "silence").collect();
    assert_eq!(silences.len(), 1);
    let said = silences[0]
        .text
        .ends_with("no packet explains it: the guest's own doing");
    assert_eq!(
        said,
        run.recordings.silence_events_unexplained == 1,
        "{}",
        silences[0].text
    );
    let word = match (silences[0].cause, said) {
        (Some(_), _) => SilenceOrigin::DeadAir,
        (None, true) => SilenceOrigin::Unexplained,
        (None, false) => SilenceOrigin::Known,
    };
    assert_eq!(silences[0].origin, Some(word), "{}", silences[0].text);
    (silences[0].cause, run.recordings.silence_events_unexplained)
}

#[test]
fn a_silence_is_tied_to_the_dead_air_that_was_heard_then() {
    for (slot, cause) in [
        (Slot::Lost, DeadCause::Lost),
        (Slot::NotSent, DeadCause::NotSent),
        (Slot::Arrives(500_000_000), DeadCause::Late),
    ] {
        // Party B is on channel 1, where the recording is silent for 300 ms from here on.
        let run = with(slot, Party::B, Leg::Receive, &[2060.0]).measure();
        assert_eq!(origin(&run), (Some(cause), 0), "{slot:?}");
    }
}

/// The dead air covers half of the silence or more: within 2 packet times of where it was heard.
#[test]
fn only_dead_air_at_its_time_explains_a_silence() {
    let of =
        |start_ms: f64| origin(&with(Slot::Lost, Party::B, Leg::Receive, &[start_ms]).measure());
    let (tied, not) = ((Some(DeadCause::Lost), 0), (None, 1));
    // Heard from 2060 to 2360 ms; with 40 ms to either side, half of 300 ms lies in it from 1870 to 2250 on.
    for (start_ms, expected) in [
        (1869.0, not),
        (1871.0, tied),
        (2249.0, tied),
        (2251.0, not),
        (5000.0, not),
    ] {
        assert_eq!(of(start_ms), expected, "{start_ms}");
    }
}

/// With concealment a silence begins 60 ms after the first packet that is not there, when what was made up has faded,
/// and all is heard 3.75 ms later. Dead air of 120 ms is the shortest that leaves a silence of 60 ms. It covers the
/// whole silence, and a fade at either end would not untie them.
#[test]
fn a_silence_that_concealment_made_shorter_is_tied_to_its_dead_air() {
    for packets in [6, 10, 15_u8] {
        let dead_ms = 20.0 * f64::from(packets);
        let of = |start_ms: f64, length_ms: f64| {
            let mut truth = Truth::clean(10);
            let slots = SLOTS.start..SLOTS.start + usize::from(packets);
            let party_b = stream(0, Party::B, Leg::Receive);
            truth.set(party_b, slots, Slot::Lost);
            let mut silent = recording(0, &[start_ms]);
            if let Fact::Recording(recording) = &mut silent {
                recording.silences[0].length_ms = length_ms;
            }
            truth
                .tester
                .extend([Fact::RecordingExpected { call: CallId(0) }, silent]);
            origin(&truth.measure())
        };
        let (from, length) = (2060.0 + 3.75 + 60.0, dead_ms - 60.0);
        let (tied, not) = ((Some(DeadCause::Lost), 0), (None, 1));
        // Heard exactly then; a tick earlier or later; and with 10 ms of quiet fade at either end.
        for shift in [0.0, -20.0, 20.0] {
            assert_eq!(of(from + shift, length), tied, "{packets} {shift}");
        }
        assert_eq!(of(from - 10.0, length + 20.0), tied, "{packets}");
        // As much later as the dead air lasted, it is another one's.
        assert_eq!(of(from + dead_ms, length), not, "{packets}");
    }
}

#[test]
fn neither_the_other_party_nor_the_other_leg_explains_a_silence() {
    for (party, leg) in [(Party::A, Leg::Receive), (Party::B, Leg::Sent)] {
        let run = with(Slot::Lost, party, leg, &[2060.0]).measure();
        assert_eq!(origin(&run), (None, 1), "{party:?} {leg:?}");
    }
}

/// The run of a scenario that keeps party B of call 0 silent from 2 s to 2.3 s; recorded in stereo or mixed.
fn measure_known(party: Party, stereo: bool) -> Measured {
    let truth = with(Slot::Arrives(1_000_000), Party::B, Leg::Receive, &[2060.0]);
    judge(None, |take| {
        truth.tell(ENDS, &mut |end, fact| {
            let mut fact = fact.clone();
            if let Fact::Opened { load, .. } = &mut fact {
                load.recording.stereo = stereo;
                load.known_silences = vec![KnownSilence {
                    call: CallId(0),
                    party,
                    from: 2_000_000_000,
                    length: 300_000_000,
                }];
            }
            take(end, &fact);
        });
    })
}

#[test]
fn a_silence_that_the_scenario_asked_for_is_explained() {
    assert_eq!(origin(&measure_known(Party::B, true)), (None, 0));
    assert_eq!(origin(&measure_known(Party::A, true)), (None, 1));
    assert_eq!(
        origin(&measure_known(Party::A, false)),
        (None, 0),
        "mixed: either party"
    );
}

#[test]
fn a_recording_that_could_not_be_scored_has_no_unexplained_silence() {
    let mut truth = with(Slot::Lost, Party::A, Leg::Sent, &[2060.0]);
    for fact in &mut truth.tester {
        if let Fact::Recording(recording) = fact {
            recording.error = Some("no audio".to_owned());
        }
    }
    assert_eq!(truth.measure().recordings.silence_events_unexplained, 0);
}

/// Dead air is heard a playout buffer later, of 60 ms here; which party a channel holds is the scenario's to say.
#[test]
fn the_layout_of_recordings_is_told() {
    for stereo in [true, false] {
        let layout = measure_known(Party::B, stereo).recording_layout;
        assert_eq!(layout.channel_a_party, stereo);
        assert!((layout.playout_buffer_ms - 60.0).abs() < 1e-9);
        assert!(layout.holds(1, Party::B));
        assert_eq!(layout.holds(1, Party::A), !stereo);
    }
}
