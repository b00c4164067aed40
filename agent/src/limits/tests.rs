//! What is refused, and what is laid out.

use super::*;
use crate::recording::test_load;
use milliwatt_wire::load::{FileSize, Hold, RecordingSpec, TransferSpec};
use milliwatt_wire::transfer::FILE_OCTETS_MAX;

/// Calls of 60 s, 10 at once, 16,000 octets a second: 20 of them, and with batches each 2 minutes 30 more.
#[test]
fn recordings_that_wait_for_their_batch_need_disk() {
    assert_eq!(disk_needed(&hour()), 20 * 960_000);
    let transfer = TransferSpec {
        when: TransferWhen::Every(120 * NS_PER_SECOND),
        ..hour().transfer
    };
    let batches = LoadSpec { transfer, ..hour() };
    assert_eq!(disk_needed(&batches), 50 * 960_000);
}

pub(super) fn limits() -> Limits {
    Limits {
        max_streams: 4000,
        max_pps: 250_000,
        max_duration: 12 * 3_600_000_000_000,
        max_disk: 20_000_000_000,
        allow: Vec::new(),
        media_ports: 16_384..=32_767,
        allow_neighbour: false,
    }
}

fn refusal(load: &LoadSpec) -> String {
    match limits().plan(load) {
        Ok(plan) => format!("{} calls", plan.calls.len()),
        Err(refusal) => refusal.reason,
    }
}

/// 100 ms between 10 calls of a minute for an hour: 10 lanes, each with a call every 60.02 s of the 3601 s.
fn hour() -> LoadSpec {
    LoadSpec {
        concurrent: 10,
        arrival_interval: 100_000_000,
        full_for: Some(3_600_000_000_000),
        ..test_load()
    }
}

#[test]
fn a_load_within_bounds_is_laid_out() {
    assert_eq!(refusal(&hour()), "600 calls");
    assert_eq!(calls_expected(&hour()), 10 + 10 * 3601 * 100 / 6002);
    assert_eq!(
        refusal(&test_load()),
        "1 calls",
        "neither time nor number: the ramp"
    );
    let few = LoadSpec {
        total: Some(25),
        ..test_load()
    };
    assert_eq!(
        (refusal(&few).as_str(), calls_expected(&few)),
        ("25 calls", 25)
    );
}

/// Each asks for more than any memory holds; that it is refused in no time shows that nothing was laid out.
#[test]
fn a_load_that_no_memory_holds_is_refused_before_it_is_laid_out() {
    let many = |concurrent| LoadSpec {
        concurrent,
        ..hour()
    };
    assert!(refusal(&many(u32::MAX)).contains("4294967295 streams asked, 4000 allowed"));
    let short = LoadSpec {
        concurrent: 2000,
        hold: Hold::Fixed(1),
        arrival_interval: 0,
        recording: RecordingSpec {
            share: 0.0,
            ..hour().recording
        },
        ..hour()
    };
    // 3600 s of 2000 lanes with a call every 220 ms.
    let said = refusal(&short);
    assert!(said.contains("some 32729272 calls asked"), "{said}");
    let total = LoadSpec {
        total: Some(u32::MAX),
        hold: Hold::Fixed(1),
        full_for: None,
        ..hour()
    };
    assert!(refusal(&total).contains("some 4294967295 calls asked"));
    let ramp = LoadSpec {
        arrival_interval: TIME_MAX,
        ..hour()
    };
    assert!(refusal(&ramp).contains("h asked, 12 h allowed"));
}

#[test]
fn a_load_without_sense_is_refused_by_what_has_none() {
    let hour = hour();
    let share = |share| RecordingSpec {
        share,
        ..hour.recording
    };
    let with = |change: fn(&mut TransferSpec)| {
        let mut load = hour.clone();
        change(&mut load.transfer);
        load
    };
    for (load, what) in [
        (
            LoadSpec {
                legs: 0,
                ..hour.clone()
            },
            "legs of a call",
        ),
        (
            LoadSpec {
                concurrent: 0,
                ..hour.clone()
            },
            "calls at once",
        ),
        (
            LoadSpec {
                arrival_interval: -1,
                ..hour.clone()
            },
            "time between calls",
        ),
        (
            LoadSpec {
                hold: Hold::Uniform(2, 1),
                ..hour.clone()
            },
            "hold time",
        ),
        (
            LoadSpec {
                hold: Hold::Fixed(i64::MAX),
                ..hour.clone()
            },
            "hold time",
        ),
        (with(|t| t.parallel = 0), "transfers at once"),
        (with(|t| t.parallel = 1001), "transfers at once"),
        (
            with(|t| t.when = TransferWhen::Every(999_999_999)),
            "time of transfers",
        ),
        (
            with(|t| t.rate_bits_per_second = Some(0)),
            "rate of transfers",
        ),
        (
            with(|t| t.size = FileSize::Fixed(0)),
            "size of made-up files",
        ),
        (
            with(|t| t.size = FileSize::Uniform(2, 1)),
            "size of made-up files",
        ),
        (
            with(|t| t.size = FileSize::Fixed(FILE_OCTETS_MAX + 1)),
            "size of made-up files",
        ),
        (
            LoadSpec {
                full_for: Some(i64::MIN),
                ..hour.clone()
            },
            "full load",
        ),
        (
            LoadSpec {
                slot_width: 0,
                ..hour.clone()
            },
            "pacing slot",
        ),
        (
            LoadSpec {
                recording: share(f64::NAN),
                ..hour.clone()
            },
            "share of recorded calls",
        ),
    ] {
        assert_eq!(refusal(&load), format!("a load without sense: {what}"));
    }
}

/// Steps are told while the run goes on: without an end nothing would bound them.
#[test]
fn a_load_in_steps_says_for_how_long_it_may_last() {
    let stepped = |full_for| {
        refusal(&LoadSpec {
            stepped: true,
            full_for,
            ..hour()
        })
    };
    let most = limits().max_duration;
    assert_eq!(stepped(Some(most)), "0 calls");
    let longer = most + 3_600_000_000_000;
    assert_eq!(stepped(Some(longer)), "a run of 13 h asked, 12 h allowed");
    assert_eq!(stepped(None), "a load in steps asked without an end");
}
