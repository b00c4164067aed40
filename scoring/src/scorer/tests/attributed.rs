//! Whose doing delay was: every part by hand.

use super::figures::assert_figures;
use super::rich::coarse;
use super::truth::Truth;
use crate::measured::{Measured, Origin};
use milliwatt_wire::facts::{DueSecond, Fact, PacingSecond};
use milliwatt_wire::id::{End, Leg};
use serde_json::json;

const MS: i64 = 1_000_000;

/// Of packets: above, taken after arrival, each as (sum, largest) in ms; of some the common part, likewise.
struct Due {
    second: u32,
    packets: u32,
    above: (i64, i64),
    common: (u32, i64, Option<i64>),
    taken_after: (i64, i64),
}

impl Due {
    fn on(&self, leg: Leg) -> Fact {
        Fact::Due(DueSecond {
            leg,
            second: self.second,
            packets: self.packets,
            above_sum: self.above.0 * MS,
            above_max: self.above.1 * MS,
            common_packets: self.common.0,
            common_sum: self.common.1 * MS,
            common_at_max: self.common.2.map(|ms| ms * MS),
            taken_after_sum: self.taken_after.0 * MS,
            taken_after_max: self.taken_after.1 * MS,
        })
    }
}

/// [`truth`], measured.
fn run(receive: &[Due], sent: &[Due]) -> Measured {
    truth(receive, sent).measure()
}

/// Both ends are 0.1 ms late. In second 2 the tester's 200 packets sent are, and 100 more that it did not send are
/// 3.008 ms late, one of them 25 ms.
fn truth(receive: &[Due], sent: &[Due]) -> Truth {
    let mut truth = Truth::clean(6);
    truth
        .guest
        .extend(receive.iter().map(|due| due.on(Leg::Receive)));
    truth
        .tester
        .extend(sent.iter().map(|due| due.on(Leg::Sent)));
    truth.tester.push(Fact::Pacing(PacingSecond {
        second: 2,
        planned: 100,
        sent: 0,
        not_sent: 100,
        lateness: coarse(30, 100),
        lateness_max: 25 * MS,
    }));
    truth
}

/// Two threads tell of second 2: together 100 packets 4 ms above in the mean, the common part 3 ms of the 80 of which
/// it is known, read after 0.5 ms.
fn rich() -> [Due; 4] {
    [
        Due {
            second: 2,
            packets: 60,
            above: (300, 40),
            common: (50, 200, Some(1)),
            taken_after: (30, 10),
        },
        Due {
            second: 2,
            packets: 40,
            above: (100, 50),
            common: (30, 40, Some(45)),
            taken_after: (20, 9),
        },
        // 1 ms above, 1/3 ms common, read after 0.2 ms.
        Due {
            second: 3,
            packets: 300,
            above: (300, 2),
            common: (300, 100, Some(1)),
            taken_after: (60, 60),
        },
        // Before full load.
        Due {
            second: 0,
            packets: 10,
            above: (9000, 900),
            common: (10, 9000, Some(900)),
            taken_after: (9000, 900),
        },
    ]
}

/// Of the 4 ms the tester's 0.1 are known: of the rest nobody can say how much the guest was late to read.
#[test]
fn delay_to_a_guest_whose_system_stamps_no_arrival_is_not_the_paths() {
    let mut truth = truth(&rich(), &[]);
    truth.unstamped = Some(End::Guest);
    let run = truth.measure();
    let mut rows = run.seconds.iter();
    let row = rows.find(|row| (row.leg, row.second) == (Leg::Receive, 2));
    assert_figures(
        &row.unwrap().delay,
        &json!({
            "pdv_ms": 4.0, "tester_ms": 0.1, "guest_ms": 3.9 + 0.5, "path_ms": 0.0, "path_common_ms": null,
            "path_stream_ms": null,
        }),
    );
    assert_eq!(run.attribution.receive.path_percent, Some(0.0));
}

/// Second 2: 4 ms, 0.1 of them the tester's, of 2.9 in common 0.1 the guest's, and it read after 0.5.
/// Second 3: 1 ms, 0.1 of them the tester's; of 0.233333 in common 0.1 the guest's, and it read after 0.2.
/// Summed over 100 and 300 packets: the tester 10 + 30, the guest 60 + 90, the path 380 + 240, in common 280 + 40 (less what whole
/// nanoseconds drop of 300 times 0.133333).
#[test]
fn the_receive_leg_by_its_parts() {
    let run = run(&rich(), &[]);
    let delay = |second| {
        let mut rows = run.seconds.iter();
        let row = rows.find(|row| (row.leg, row.second) == (Leg::Receive, second));
        row.unwrap().delay
    };
    assert_figures(
        &delay(2),
        &json!({
            "pdv_ms": 4.0, "tester_ms": 0.1, "guest_ms": 0.6, "path_ms": 3.8, "path_common_ms": 2.8, "path_stream_ms": 1.0,
        }),
    );
    assert_figures(
        &delay(3),
        &json!({
            "pdv_ms": 1.0, "tester_ms": 0.1, "guest_ms": 0.3, "path_ms": 0.8,
            "path_common_ms": 0.133_333, "path_stream_ms": 0.666_667,
        }),
    );
    assert_eq!(delay(4), None);
    assert_figures(
        &run.attribution.receive,
        &json!({
            "pdv_mean_ms": 700.0 / 400.0,
            "tester_percent": 100.0 * 40.0 / 810.0,
            "guest_percent": 100.0 * 150.0 / 810.0,
            "path_percent": 100.0 * 620.0 / 810.0,
            "path_common_percent": 100.0 * 319.9999 / 810.0,
            "path_stream_percent": 100.0 * 300.0001 / 810.0,
            // Second 3, for the 60 ms that the guest took to read: 2 ms above, 0.1 the tester's, in common 0.9, of which
            // the guest was 0.1 late.
            "worst": {
                "at_s": 3.0, "tainted": false, "origin": "guest", "pdv_ms": 2.0, "tester_ms": 0.1, "guest_ms": 60.1,
                "path_ms": 1.8, "path_common_ms": 0.8, "path_stream_ms": 1.0,
            },
        }),
    );
}

/// The guest sends, 0.1 ms late; the tester receives, in second 2 1.069333 ms late in the mean of 300: the path keeps
/// 4 - 0.1 - 1.069333. How late the tester reads bears on nobody: the worst second is 2, where 50 ms hold 0.1 of the
/// guest, 25 of the tester, and of the 44.9 in common 19.9 are left to the path.
#[test]
fn the_sent_leg_by_its_parts() {
    let run = run(&[], &rich());
    let row = run
        .seconds
        .iter()
        .find(|row| (row.leg, row.second) == (Leg::Sent, 2));
    assert_figures(
        &row.unwrap().delay,
        &json!({
            "pdv_ms": 4.0, "tester_ms": 1.069_333, "guest_ms": 0.1, "path_ms": 2.830_667,
            "path_common_ms": 1.830_667, "path_stream_ms": 1.0,
        }),
    );
    assert_figures(
        &run.attribution.sent.worst,
        &json!({
            "at_s": 2.0, "tainted": true, "origin": "tester", "pdv_ms": 50.0, "tester_ms": 25.0, "guest_ms": 0.1,
            "path_ms": 24.9, "path_common_ms": 19.9, "path_stream_ms": 5.0,
        }),
    );
    assert_eq!(run.attribution.receive.worst, None);
    assert_eq!(run.attribution.receive.pdv_mean_ms, None);
}

/// Where the common part is not known the path is not divided, in no second's mean either; what a sender was late is
/// taken off first, and no part is less than nothing.
#[test]
fn a_path_that_cannot_be_divided_is_told_whole() {
    let alone = |second, above| Due {
        second,
        packets: 1,
        above: (above, above),
        common: (0, 0, None),
        taken_after: (0, 0),
    };
    let run = run(&[alone(3, 5), alone(4, 5), alone(2, 1)], &[]);
    let receive = &run.attribution.receive;
    // 11 ms: thrice 0.1 of the tester, thrice 0.1 of the guest.
    assert_figures(
        receive,
        &json!({
            "pdv_mean_ms": 11.0 / 3.0,
            "tester_percent": 100.0 * 0.3 / 11.0,
            "guest_percent": 100.0 * 0.3 / 11.0,
            "path_percent": 100.0 * 10.4 / 11.0,
            "path_common_percent": null,
            "path_stream_percent": null,
            // Of equals the first.
            "worst": {
                "at_s": 3.0, "tainted": false, "origin": "path", "pdv_ms": 5.0, "tester_ms": 0.1, "guest_ms": 0.1,
                "path_ms": 4.8, "path_common_ms": null, "path_stream_ms": null,
            },
        }),
    );
}

/// Of two threads that saw the same largest delay the first tells what of it was common; a largest of nothing counts.
#[test]
fn what_was_common_to_the_largest_is_that_of_the_first_thread_that_saw_it() {
    let told = |above, common| Due {
        second: 3,
        packets: 1,
        above: (above, above),
        common: (1, above, common),
        taken_after: (0, 0),
    };
    let common = |first, second| {
        let worst = run(&[first, second], &[])
            .attribution
            .receive
            .worst
            .unwrap();
        (worst.parts.path_common_ms, worst.origin)
    };
    // 8 - 0.1 of the tester - 0.1 of the guest.
    assert_eq!(
        common(told(9, Some(8)), told(9, None)),
        (Some(7.8), Origin::PathCommon)
    );
    assert_eq!(
        common(told(9, None), told(9, Some(8))),
        (None, Origin::Path)
    );
    assert_eq!(
        common(told(0, Some(0)), told(0, None)),
        (Some(0.0), Origin::Tester)
    );
}
