//! Values with which no time and no size can be worked out.

use super::{Refusal, TIME_MAX};
use milliwatt_wire::load::{FileSize, Hold, LoadSpec, PTIME_NS, TRANSFERS_MAX, TransferWhen};
use milliwatt_wire::srtp::key::MediaKeys;
use milliwatt_wire::time::NS_PER_SECOND;
use milliwatt_wire::transfer::FILE_OCTETS_MAX;

/// Values that no tester of this version sends, and with which no time can be worked out.
pub(super) fn check_sense(load: &LoadSpec) -> Result<(), Refusal> {
    let time = |ns: i64| (0..=TIME_MAX).contains(&ns);
    let hold = match load.hold {
        Hold::Fixed(ns) | Hold::Exponential(ns) => time(ns),
        Hold::Uniform(low, high) => time(low) && time(high) && low <= high,
    };
    let silences = &load.known_silences;
    let senseless = [
        ("legs of a call", (1..=2).contains(&load.legs)),
        ("calls at once", load.concurrent > 0),
        ("time between calls", time(load.arrival_interval)),
        ("hold time", hold),
        ("full load", load.full_for.is_none_or(time)),
        ("playout buffer", time(load.playout_buffer)),
        ("dead air", time(load.dead_air_min)),
        ("pacing slot", (1..=PTIME_NS).contains(&load.slot_width)),
        (
            "onward offset",
            (0..=PTIME_NS).contains(&load.onward_offset),
        ),
        (
            "share of recorded calls",
            (0.0..=1.0).contains(&load.recording.share),
        ),
        (
            "transfers at once",
            (1..=TRANSFERS_MAX).contains(&load.transfer.parallel),
        ),
        ("time of transfers", is_sound_when(load.transfer.when)),
        (
            "rate of transfers",
            load.transfer.rate_bits_per_second != Some(0),
        ),
        ("size of made-up files", is_sound_size(load.transfer.size)),
        (
            "known silence",
            silences
                .iter()
                .all(|silence| time(silence.from) && time(silence.length)),
        ),
    ]
    .into_iter()
    .find(|(_, is_sound)| !is_sound);
    match senseless {
        None => Ok(()),
        Some((what, _)) => Err(Refusal {
            reason: format!("a load without sense: {what}"),
            hint: "put the same milliwatt on both machines".into(),
        }),
    }
}

/// A load says whether its media is encrypted; its keys come beside it.
pub(crate) fn check_keys(load: &LoadSpec, keys: Option<&MediaKeys>) -> Result<(), Refusal> {
    if load.srtp == keys.is_some() {
        return Ok(());
    }
    let which = if load.srtp { "without" } else { "with" };
    Err(Refusal {
        reason: format!(
            "a load without sense: media.srtp is {}, {which} keys",
            load.srtp
        ),
        hint: "put the same milliwatt on both machines".into(),
    })
}

fn is_sound_when(when: TransferWhen) -> bool {
    match when {
        TransferWhen::Every(ns) => (NS_PER_SECOND..=TIME_MAX).contains(&ns),
        TransferWhen::AtCallEnd | TransferWhen::Backlog | TransferWhen::Continuous => true,
    }
}

fn is_sound_size(size: FileSize) -> bool {
    let (low, high) = match size {
        FileSize::Recording => return true,
        FileSize::Fixed(octets) => (octets, octets),
        FileSize::Uniform(low, high) => (low, high),
    };
    0 < low && low <= high && high <= FILE_OCTETS_MAX
}
