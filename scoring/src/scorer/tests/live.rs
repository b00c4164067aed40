//! The view of a run that goes on.

use super::truth::{ENDS, Slot, Truth, first};
use crate::scorer::LiveView;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::{End, Leg};
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
