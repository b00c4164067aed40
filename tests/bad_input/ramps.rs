//! Ramps and transfers that cannot be: what is wrong, where, and what is allowed; exit code 2.

use super::{assert_said, milliwatt};

/// Tries the built-in search with some keys set otherwise.
fn assert_refused(set: &[&str], words: &[&str]) {
    let mut args = vec!["run", "120-mbps", "--dry-run"];
    args.extend(set.iter().flat_map(|key| ["--set", key]));
    assert_said(&milliwatt(&args), 2, words);
}

#[test]
fn a_ramp_that_does_not_rise_or_has_no_steps_is_refused() {
    let down = ["ramp.from=140", "ramp.to=40"];
    assert_refused(
        &down,
        &["from 140 to 40: the load does not rise", "0 < from < to"],
    );
    assert_refused(
        &["ramp.hold=1500ms"],
        &["1500ms on a load", "whole seconds, 3s or more"],
    );
    assert_refused(&["search.precision=0"], &["0 %", "0.5 to 50"]);
    assert_refused(&["search.repeats=0"], &["0 tries of an edge", "1 to 5"]);
    assert_refused(&["ramp.calls=5"], &["mode rtp", "mode backlog"]);
}

/// 1000 Mbit/s are 5536 calls of two streams with two ports each; the default range has 8192 pairs.
#[test]
fn more_streams_than_ports_are_refused_with_how_many_there_may_be() {
    let words = ["8192 pairs", "4096 calls at most", "--media-ports"];
    assert_refused(&["ramp.to=1000"], &words);
}
