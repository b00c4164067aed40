//! A queue in front of a narrow path: delay first.

use super::{Range, assert_broke, assert_held, search};
use crate::lab::{Lab, RunFolder, Side, long};

/// Every load of the built-in range.
const ALL: Range = Range {
    from: 40.0,
    to: 140.0,
};

/// A range around a rate.
fn around(rate: f64) -> Range {
    Range {
        from: rate * 0.5,
        to: rate * 1.5,
    }
}

fn rates() -> &'static [u32] {
    if long() { &[40, 80, 120] } else { &[40] }
}

fn shape(lab: &Lab, side: Side, rate: u32) {
    lab.shape(
        side,
        &format!("tbf rate {rate}mbit burst 16kb latency 300ms"),
    );
}

/// What the guest sends passes a queue of R Mbit/s: the sent leg breaks there by delay variation, the receive leg does not.
///
/// A full `tbf` has a timer for each packet. On two processors, which guest and tester share, it leaves the guest too little
/// time for what the long form offers: there the guest leaves packets out before the queue is long, and the receive leg is
/// followed no further than to where that harms it.
#[test]
fn the_sent_leg_breaks_at_what_the_guests_way_out_carries() {
    for rate in rates() {
        let Some(lab) = Lab::open(&["tc"]) else {
            return;
        };
        shape(&lab, Side::Guest, *rate);
        let rate = f64::from(*rate);
        let (range, metrics, held): (_, &[&str], _) = if long() {
            (ALL, &["pdv_ms.p999", "dead_air.events"], rate * 0.9)
        } else {
            (around(rate), &["pdv_ms.p999"], rate * 1.5)
        };
        let run = search(&lab, range, &[]);
        assert_broke(&run, "sent", rate, metrics);
        assert_held(&run, "receive", held);
        assert_eq!(run.verdict(), "fail");
    }
}

/// The same on the tester's way out: the receive leg breaks, and what the guest sends back is less then, and held. At the
/// end the last good load is held for longer, and stays good.
#[test]
fn the_receive_leg_breaks_at_what_the_testers_way_out_carries() {
    let rate = if long() { 40 } else { 30 };
    let Some(lab) = Lab::open(&["tc"]) else {
        return;
    };
    shape(&lab, Side::Tester, rate);
    let range = around(f64::from(rate));
    let mut args = vec!["--set", "search.confirm=10s"];
    if !long() {
        args.extend(["--set", "search.repeats=1"]);
    }
    let run = search(&lab, range, &args);
    assert_broke(&run, "receive", f64::from(rate), &["pdv_ms.p999"]);
    assert_held(&run, "sent", range.to);
    assert_confirmed(&run, "receive");
    assert_eq!(run.verdict(), "fail");
}

/// Asserts that the last step held the leg's last good load for 10 s, and that nothing was past a limit on it.
fn assert_confirmed(run: &RunFolder, leg: &str) {
    let step = run.scorecard["steps"].as_array().and_then(|all| all.last());
    let step = step.unwrap();
    assert_eq!(step["kind"], "confirm", "{step:#}");
    let time = |name: &str| step[name].as_f64().unwrap();
    let held = time("until_s") - time("from_s");
    assert!((10.0..11.0).contains(&held), "{step:#}");
    assert_eq!(step[leg]["outcome"], "good", "{step:#}");
}
