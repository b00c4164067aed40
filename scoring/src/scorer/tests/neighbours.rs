//! Load beside the calls: what neighbours made, and what calls went through with it on and with it off.

use super::truth::{Slot, TRANSIT, Truth, first};
use crate::measured::{Measured, NeighbourStretch};
use milliwatt_wire::facts::{Fact, NeighbourFact, NeighbourPlace, NeighbourSecond};
use milliwatt_wire::id::Leg;
use milliwatt_wire::neighbour::NeighbourLoad;
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};

const MS: i64 = 1_000_000;

fn of(neighbour: u32, told: NeighbourFact) -> Fact {
    Fact::Neighbour { neighbour, told }
}

fn switched(neighbour: u32, ms: i64, on: bool) -> Fact {
    let at = RunTime(ms * MS);
    of(neighbour, NeighbourFact::Switched { on, at })
}

/// One processor at 50 %, 1 GB, 10 MB/s, 8 Mbit/s.
fn asked(neighbour: u32, place: NeighbourPlace) -> Fact {
    let load = NeighbourLoad {
        cores: 1,
        percent: 50,
        memory_octets: 1_000_000_000,
        disk_octets_per_second: 10_000_000,
        network_bits_per_second: 8_000_000,
    };
    let address = "192.0.2.7:7700".into();
    let told = NeighbourFact::Asked {
        load,
        address,
        place,
    };
    of(neighbour, told)
}

/// A second with load on for `on_ms`, in which the load's threads used `cpu_ms`; all else as asked.
fn second(neighbour: u32, second: u32, on_ms: u64, cpu_ms: u64) -> Fact {
    let on = u64::from(on_ms > 0);
    let told = NeighbourSecond {
        second,
        span_ns: 1_000_000_000,
        on_ns: on_ms * 1_000_000,
        cpu_ns: cpu_ms * 1_000_000,
        steal_percent: Some(5.0),
        cpu_percent: Some(30.0),
        memory_octets: on * 1_000_000_000,
        disk_octets: on * 10_000_000,
        network_octets: on * 1_000_000,
    };
    of(neighbour, NeighbourFact::Second(told))
}

/// Full load in seconds 1 to 10; load on from 2 s to 4 s and from 6.5 s to 8.5 s: seconds 2, 3 and 7 are on from begin to
/// end, 6 and 8 in part, 1, 4, 5, 9 and 10 off. Of 500 ms a second asked, the load's threads used `cpu_ms`.
fn contended(place: NeighbourPlace, cpu_ms: u64) -> Truth {
    let mut truth = Truth::clean(12);
    truth.tester.push(asked(1, place));
    for (ms, on) in [(2000, true), (4000, false), (6500, true), (8500, false)] {
        truth.tester.push(switched(1, ms, on));
    }
    for index in 0..12 {
        let on_ms = match index {
            2 | 3 | 7 => 1000,
            6 | 8 => 500,
            _ => 0,
        };
        let used = cpu_ms * on_ms / 1000;
        truth.tester.push(second(1, index, on_ms, used));
    }
    let at = RunTime(12 * NS_PER_SECOND);
    truth.tester.push(of(1, NeighbourFact::Closed { at }));
    truth
}

/// PDV is counted in buckets of 32 us and more.
fn about(measured: Option<f64>, expected: f64) {
    let measured = measured.unwrap();
    assert!(
        (measured - expected).abs() < 0.04,
        "{measured}, not {expected}"
    );
}

/// Held by 20 ms in seconds 2 and 3, to just before the end, on the sent leg; ten packets of a stream lost in second 7 on the receive leg: of the
/// 600 of the seconds on that is 1.667 %, and 200 ms of dead air.
#[test]
fn what_calls_went_through_is_told_apart_by_seconds_on_and_off() {
    let mut truth = contended(NeighbourPlace::OwnMachine, 475);
    for (id, slots) in &mut truth.slots {
        if id.leg == Leg::Sent {
            slots[100..195].fill(Slot::Arrives(TRANSIT + 20 * MS));
        }
    }
    truth.slots.get_mut(&first(Leg::Receive)).unwrap()[355..365].fill(Slot::Lost);
    let run = truth.measure();
    let contention = run.contention.unwrap();
    assert_eq!((contention.seconds.on, contention.seconds.off), (3, 5));
    let (receive, sent) = (contention.receive, contention.sent);
    about(sent.pdv_ms_p999.on, 20.0);
    about(sent.pdv_ms_p999.off, 0.0);
    about(receive.lost_or_late_percent.on, 10.0 / 6.0);
    about(receive.lost_or_late_percent.off, 0.0);
    let events = receive.dead_air_events;
    assert_eq!((events.on, events.off), (1, 0));
    let told = run.events.iter().filter(|row| row.kind == "neighbour");
    let told: Vec<_> = told.map(|row| (row.at_s, row.text.as_str())).collect();
    let (on, off) = ("neighbour 1: load on", "neighbour 1: load off");
    assert_eq!(told, [(2.0, on), (4.0, off), (6.5, on), (8.5, off)]);
}

#[test]
fn what_a_neighbour_made_is_the_mean_of_its_whole_seconds() {
    let run = contended(NeighbourPlace::OwnMachine, 475).measure();
    let row = &run.neighbours[0];
    assert_eq!((row.neighbour, row.place.as_str()), (1, "own-machine"));
    let (on, off) = (row.made.on, row.made.off);
    assert_eq!((on.seconds, off.seconds), (3, 7));
    about(on.cpu_percent, 47.5);
    about(off.cpu_percent, 0.0);
    about(on.machine_cpu_percent, 30.0);
    about(on.steal_percent, 5.0);
    about(on.memory_octets.map(|octets| octets / 1e9), 1.0);
    about(on.disk_octets_per_second.map(|octets| octets / 1e6), 10.0);
    about(on.network_mbps, 8.0);
    about(row.reached_percent, 95.0);
    let stretch = |from_s, until_s| NeighbourStretch { from_s, until_s };
    assert_eq!(row.stretches, [stretch(2.0, 4.0), stretch(6.5, 8.5)]);
    assert_eq!(row.problems, Vec::<String>::new());
    assert!(notes(&run).is_empty(), "{:?}", run.notes);
}

fn notes(run: &Measured) -> Vec<&str> {
    let notes = run.notes.iter().map(String::as_str);
    notes.filter(|note| note.contains("neighbour 1")).collect()
}

/// 40 % where 50 were asked are 80 % of it; a load on the guest's own kernel is no neighbour on its host.
#[test]
fn load_that_was_not_reached_or_is_in_the_wrong_place_proves_nothing_and_says_so() {
    let run = contended(NeighbourPlace::Guest, 400).measure();
    let said = notes(&run);
    assert!(said[0].contains("reached 80.0 % of the load"), "{said:?}");
    assert!(said[0].contains("took 5.0 %"), "{said:?}");
    assert!(said[1].contains("the guest's own kernel"), "{said:?}");
    let mut never = Truth::clean(12);
    never.tester.push(asked(1, NeighbourPlace::OwnMachine));
    let run = never.measure();
    assert_eq!(run.neighbours[0].reached_percent, None);
    assert!(notes(&run)[0].contains("for no whole second"));
    assert_eq!(Truth::clean(12).measure().contention, None);
}

/// Lost at 5 s with its load on since 2 s: seconds from then on are neither on nor off. Another neighbour that is off makes
/// them no more known.
#[test]
fn seconds_after_a_neighbour_was_lost_are_neither_on_nor_off() {
    let mut truth = Truth::clean(12);
    truth.tester.push(asked(1, NeighbourPlace::OwnMachine));
    truth.tester.push(asked(2, NeighbourPlace::OwnMachine));
    truth.tester.push(switched(1, 2000, true));
    for index in 0..5 {
        truth
            .tester
            .push(second(1, index, 1000 * u64::from(index >= 2), 500));
    }
    let (at, text) = (RunTime(9 * NS_PER_SECOND), "gone".into());
    truth.tester.push(of(1, NeighbourFact::Lost { at, text }));
    let run = truth.measure();
    let seconds = run.contention.unwrap().seconds;
    assert_eq!((seconds.on, seconds.off), (3, 1), "2, 3, 4; and 1");
    assert!(run.neighbours[0].problems[0].contains("lost: gone"));
}
