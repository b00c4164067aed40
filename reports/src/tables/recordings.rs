//! The table of a run's recordings.

use super::{Fact, dash, fact, pair};
use crate::figures::{self, count};
use crate::scorecard::Scorecard;
use milliwatt_scoring::measured::{LegTransfers, Recordings, Transfers};
use milliwatt_scoring::proportion::{Proven, recordings_needed};

/// The recordings, and their transfer where there was any.
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
    let mut facts = vec![
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
    ];
    facts.extend(transfers(&scorecard.transfers));
    facts
}

/// A line a direction in which anything was transferred.
fn transfers(transfers: &Transfers) -> Vec<Fact> {
    let legs = [
        ("transfer, receive", &transfers.receive),
        ("transfer, sent", &transfers.sent),
    ];
    let told = legs.into_iter().filter_map(|(label, leg)| {
        let leg = leg.as_ref()?;
        Some(fact(label, transfer(leg)))
    });
    told.collect()
}

/// `350 files, 1 broken off; goodput mean / max 2.17 / 3.08 Mbit/s; 3 segments sent again; at most stalled 4 ms, round trip
/// 0.62 ms`.
fn transfer(leg: &LegTransfers) -> String {
    format!(
        "{}, {} broken off; goodput mean / max {} Mbit/s; {} sent again; at most stalled {} ms, round trip {} ms",
        figures::counted(leg.completed, "file"),
        count(leg.broken),
        pair(leg.goodput_mbps.mean, leg.goodput_mbps.max),
        figures::counted(leg.retransmissions, "segment"),
        figures::number(leg.stalled_ms),
        figures::number_or_dash(leg.round_trip_ms),
    )
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
