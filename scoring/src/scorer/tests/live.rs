//! The view of a run that goes on.

use super::judging::recording;
use super::truth::{ENDS, Slot, Truth, first};
use crate::scorer::LiveView;
use milliwatt_wire::facts::{
    DeadCause, Fact, HostSecond, LatePacket, PacingSecond, Scale, StreamSecond,
};
use milliwatt_wire::id::{CallId, End, Leg};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

/// A view that took all facts.
fn view(truth: &Truth) -> LiveView {
    let mut view = LiveView::default();
    truth.tell(ENDS, &mut |end, fact| view.absorb(end, fact));
    view
}

#[test]
fn the_live_view_shows_loss_over_the_last_ten_seconds_both_ends_told_of() {
    let mut truth = Truth::clean(30);
    truth.set(first(Leg::Sent), 1000..1100, Slot::Lost);
    let live = view(&truth).at(RunTime(30 * NS_PER_SECOND));
    // Seconds 19 to 28 of 200 packets each; the stream lost all of seconds 20 and 21.
    assert_eq!(
        (live.sent.loss_percent, live.sent.loss_until),
        (Some(5.0), Some(29))
    );
    assert_eq!(
        (live.receive.loss_percent, live.sent.dead_air_events),
        (Some(0.0), 1)
    );
    assert_eq!(
        (live.receive.packets_received, live.sent.packets_received),
        (6000, 5900)
    );
    assert_eq!(
        (live.calls_up, live.calls_started, live.lateness_p999_us),
        (0, 2, Some(100.0))
    );
    assert_eq!(
        view(&Truth::clean(9)).at(RunTime::ZERO).sent.loss_percent,
        None,
        "not yet ten seconds"
    );
}

/// The guest's facts come 20 s late, and then all at once: the loss of seconds 9 to 18 is told when both
/// ends have told of them, though the tester has told of 29 long since.
#[test]
fn telemetry_that_comes_late_is_no_loss() {
    let mut truth = Truth::clean(30);
    truth.set(first(Leg::Receive), 500..550, Slot::Lost);
    let mut view = LiveView::default();
    for fact in truth.facts(End::Tester) {
        view.absorb(End::Tester, &fact);
    }
    assert_eq!(view.at(RunTime::ZERO).receive.loss_percent, None);
    let told = |fact: &Fact| match fact {
        Fact::Pacing(second) => second.second < 20,
        Fact::Sent(second) => second.second < 20,
        Fact::Host(second) => second.second < 20,
        Fact::StreamSecond(second) => second.second < 20,
        _ => false,
    };
    for fact in truth.facts(End::Guest).iter().filter(|fact| told(fact)) {
        view.absorb(End::Guest, fact);
    }
    let receive = view.at(RunTime::ZERO).receive;
    // The stream's whole second 10 of ten seconds of four streams.
    assert_eq!(
        (receive.loss_percent, receive.loss_until),
        (Some(2.5), Some(19))
    );
}

/// A view of a run that began, and the leg of what is told next.
fn opened() -> LiveView {
    let mut view = LiveView::default();
    let opened = Truth::clean(1).facts(End::Tester).swap_remove(0);
    view.absorb(End::Tester, &opened);
    view
}

fn take(view: &mut LiveView, end: End, facts: impl IntoIterator<Item = Fact>) {
    for fact in facts {
        view.absorb(end, &fact);
    }
}

#[test]
fn recordings_are_counted_and_one_that_cannot_be_scored_is_not_silent() {
    let mut view = LiveView::default();
    let mut broken = recording(3, &[1000.0]);
    if let Fact::Recording(recording) = &mut broken {
        recording.error = Some("no audio".to_owned());
    }
    let expected = (0..5).map(|call| Fact::RecordingExpected { call: CallId(call) });
    take(&mut view, End::Tester, expected);
    let came = [
        recording(0, &[1000.0, 2000.0]),
        recording(1, &[]),
        recording(2, &[500.0]),
        broken,
    ];
    take(&mut view, End::Tester, came);
    let live = view.at(RunTime::ZERO);
    assert_eq!(
        (
            live.recordings_expected,
            live.recordings_received,
            live.recordings_with_silence
        ),
        (5, 4, 2)
    );
}

#[test]
fn the_leg_asked_for_is_the_leg_given() {
    let live = view(&Truth::clean(2)).at(RunTime(7));
    assert_eq!(live.at, RunTime(7));
    assert_eq!(live.leg(Leg::Receive), &live.receive);
    assert_eq!(
        live.leg(Leg::Sent).packets_received,
        400,
        "4 streams of 100"
    );
    assert_eq!(live.leg(Leg::Sent), &live.sent);
}

/// An end that sends nothing is heard of by its host's seconds.
#[test]
fn a_host_s_seconds_tell_how_far_an_end_has_come() {
    let host = |second| {
        Fact::Host(HostSecond {
            second,
            ..HostSecond::default()
        })
    };
    let mut view = opened();
    take(&mut view, End::Tester, [host(12)]);
    take(&mut view, End::Guest, [host(11)]);
    assert_eq!(view.at(RunTime::ZERO).sent.loss_until, Some(11));
}

fn pacing(second: u32, ms_tenths: i64, count: u32) -> Fact {
    Fact::Pacing(PacingSecond {
        second,
        lateness: vec![(Scale::LEG.bucket(ms_tenths * 100_000), count)],
        lateness_max: 5_000_000,
        ..PacingSecond::default()
    })
}

/// Of 999 of 100 us by one thread and 2 of 1008 by another rank 1000 is of the second thread.
#[test]
fn lateness_is_that_of_all_the_tester_s_threads_in_the_last_second_told_of() {
    let mut view = opened();
    let p999 = |view: &LiveView| view.at(RunTime::ZERO).lateness_p999_us;
    assert_eq!(p999(&view), None);
    take(&mut view, End::Guest, [pacing(9, 30, 7)]);
    assert_eq!(p999(&view), None, "the guest's is not asked for");
    take(
        &mut view,
        End::Tester,
        [pacing(3, 10, 2), pacing(3, 1, 999)],
    );
    assert_eq!(p999(&view), Some(1008.0));
    take(&mut view, End::Tester, [pacing(2, 30, 500)]);
    assert_eq!(p999(&view), Some(1008.0), "what comes late is past");
    take(&mut view, End::Tester, [pacing(4, 1, 1)]);
    assert_eq!(p999(&view), Some(100.0), "a new second");
}

fn late(above_us: &[u32]) -> Fact {
    let packets = (0..).zip(above_us).map(|(slot, above_us)| LatePacket {
        slot,
        above_us: *above_us,
    });
    Fact::LatePackets {
        stream: first(Leg::Sent),
        packets: packets.collect(),
    }
}

fn lost(slots: u32) -> Fact {
    Fact::DeadSlots {
        stream: first(Leg::Sent),
        cause: DeadCause::Lost,
        first_slot: 10,
        slots,
    }
}

/// The buffer is 60 ms deep, and dead air lasts 60 ms, 3 slots, at least.
#[test]
fn dead_air_is_counted_from_its_least_length_on() {
    let events = |fact: Fact| {
        let mut view = opened();
        view.absorb(End::Tester, &fact);
        let live = view.at(RunTime::ZERO);
        (live.sent.dead_air_events, live.receive.dead_air_events)
    };
    assert_eq!((events(lost(2)), events(lost(3))), ((0, 0), (1, 0)));
    let over = 60_001;
    assert_eq!(events(late(&[over; 3])), (1, 0));
    assert_eq!(events(late(&[over; 2])), (0, 0));
    assert_eq!(events(late(&[over, 60_000, over])), (0, 0), "60 ms plays");
    let mut unopened = LiveView::default();
    take(&mut unopened, End::Tester, [lost(500), late(&[over; 500])]);
    assert_eq!(
        unopened.at(RunTime::ZERO).sent.dead_air_events,
        0,
        "who knows what is dead air"
    );
}

/// A second of a stream: packets, discarded, least and largest transit in ms.
fn second(second: u32, packets: u32, discarded: u32, [least, most]: [i64; 2]) -> Fact {
    Fact::StreamSecond(StreamSecond {
        stream: first(Leg::Sent),
        second,
        packets,
        duplicates: 0,
        reordered: 0,
        discarded,
        transit_min: least * 1_000_000,
        transit_max: most * 1_000_000,
        interarrival_jitter_sum: 0,
        interarrival_jitter_count: 0,
        interarrival_jitter_max: 0,
        pdv: Vec::new(),
    })
}

#[test]
fn pdv_is_the_largest_of_the_last_second_above_the_least_transit_so_far() {
    let mut view = opened();
    let sent = |view: &LiveView| view.at(RunTime::ZERO).sent;
    assert_eq!(sent(&view).pdv_max_ms, None);
    take(&mut view, End::Tester, [second(1, 50, 2, [7, 30])]);
    assert_eq!(sent(&view).pdv_max_ms, Some(23.0));
    take(&mut view, End::Tester, [second(2, 50, 1, [9, 12])]);
    assert_eq!(sent(&view).pdv_max_ms, Some(5.0), "12 above the 7 before");
    // Copies alone have no transit.
    take(&mut view, End::Tester, [second(3, 0, 0, [0, 99])]);
    assert_eq!(sent(&view).pdv_max_ms, Some(5.0));
    assert_eq!(
        (sent(&view).packets_received, sent(&view).packets_discarded),
        (100, 3)
    );
}

/// The next call on a stream's ports may come another way.
#[test]
fn a_stream_that_ended_leaves_no_transit_behind() {
    let mut view = opened();
    let last = Truth::clean(1)
        .facts(End::Tester)
        .into_iter()
        .find(|fact| matches!(fact, Fact::StreamEnd(end) if end.stream == first(Leg::Sent)));
    take(&mut view, End::Tester, [second(1, 50, 0, [7, 8])]);
    take(&mut view, End::Tester, last);
    take(&mut view, End::Tester, [second(2, 50, 0, [20, 21])]);
    assert_eq!(view.at(RunTime::ZERO).sent.pdv_max_ms, Some(1.0));
}
