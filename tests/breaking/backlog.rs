//! A backlog of recordings that is worked off faster and faster beside calls that stay.

use super::{assert_broke, assert_held, ramp};
use crate::lab::{Lab, Side};

/// 64 calls send 11 Mbit/s into a queue of 40; transfer rises beside them. At 42 together the queue fills, or the transfer gets
/// less than its pace.
#[test]
fn transfer_that_rises_beside_calls_that_stay_breaks_the_sent_leg() {
    let Some(lab) = Lab::open(&["tc"]) else {
        return;
    };
    lab.shape(Side::Guest, "tbf rate 40mbit burst 16kb latency 300ms");
    let course = "mode = \"backlog\"\ncalls = 64\nfrom = 36\nto = 42\nstep = 2";
    let run = ramp(&lab, course, "[transfer]\nwhen = \"backlog\"\nparallel = 4");
    assert_broke(
        &run,
        "sent",
        40.0,
        &["pdv_ms.p999", "transfer.goodput_percent"],
    );
    // 64 calls and what goes back for the transfer: the least and the most of it are far below the load.
    assert_held(&run, "receive", 11.0);
    assert_eq!(run.verdict(), "fail");
}
