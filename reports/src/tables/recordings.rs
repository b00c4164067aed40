//! The table of a run's recordings.

use super::{Fact, dash, fact};
use crate::figures::{self, count};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::Recordings;
use milliwatt_scoring::proportion::{Proven, recordings_needed};

/// The recordings.
#[must_use]
pub fn recordings(scorecard: &Scorecard) -> Vec<Fact> {
    let r = &scorecard.recordings;
    let bound = r.upper_bound_95_percent.map_or_else(dash, |percent| {
        format!(
            "at most {} % of recordings, at 95 % confidence (one-sided, exact)",
            figures::number(percent)
        )
    });
    let weight = r.weight_bits_per_second.map_or_else(dash, |bits| {
        format!("{} bit/s of call time", figures::number(bits.round()))
    });
    vec![
        fact("expected", count(r.expected)),
        fact("received whole", count(r.received)),
        fact("scored", count(r.scored)),
        fact(
            "with silence",
            format!(
                "{} ({})",
                count(r.with_silence),
                figures::counted(r.silence_events, "silence event")
            ),
        ),
        fact("no packet explains", count(r.silence_events_unexplained)),
        fact("also heard", also_heard(r)),
        fact("what that proves", bound),
        fact("at most 1 in 5000", claim(r.with_silence, r.scored)),
        fact("weight on the wire", weight),
        fact("heavier than asked", count(r.heavier_than_asked)),
    ]
}

/// What recordings hold beside silences: `3 dropouts, 1 crossed channel`.
fn also_heard(recordings: &Recordings) -> String {
    let kinds = [
        (recordings.dropout_events, "dropout"),
        (recordings.splice_events, "splice"),
        (recordings.clipping_events, "clipping"),
        (recordings.one_way_channels, "silent channel"),
        (recordings.crossed_channels, "crossed channel"),
    ];
    let found = kinds.into_iter().filter(|(events, _)| *events > 0);
    let said: Vec<String> = found
        .map(|(events, kind)| figures::counted(events, kind))
        .collect();
    if said.is_empty() {
        "nothing".to_owned()
    } else {
        said.join(", ")
    }
}

/// What so many recordings with silence say of the document's figure, one in 5000.
fn claim(with_silence: u64, scored: u64) -> String {
    const SHARE: f64 = 1.0 / 5000.0;
    const CONFIDENCE: f64 = 0.95;
    match Proven::of(with_silence, scored, SHARE, CONFIDENCE) {
        Proven::Yes => "proven".to_owned(),
        Proven::No => "disproven".to_owned(),
        Proven::Undecided => format!(
            "undecided: it takes {} recordings with as few",
            count(recordings_needed(with_silence, SHARE, CONFIDENCE))
        ),
    }
}
