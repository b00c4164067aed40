//! Silences of single streams, what many have in common, and the laws that both keep.

use super::common::{Lives, Silences};
use super::gap::{Gap, GapLog, Source};
use super::level::Levels;
use super::silence::{LegTracks, Nature, Silence};
use super::track::{Heard, Runs, Track};
use milliwatt_wire::facts::{DeadCause, Fact, LatePacket};
use milliwatt_wire::id::{CallId, Leg, Party, StreamId};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MS: i64 = 1_000_000;

fn at(ms: i64) -> RunTime {
    RunTime(ms * MS)
}

fn stream(call: u32) -> StreamId {
    StreamId {
        call: CallId(call),
        party: Party::A,
        leg: Leg::Sent,
    }
}

/// A stream whose packet 100 is due at 1000 ms and takes no time.
fn worked<'a>(dead: &[(DeadCause, u32, u32)], late: &'a [LatePacket]) -> Track<'a> {
    Track {
        due: at(1000 - 100 * 20),
        end: at(10_000),
        heard: Heard::Until(550),
        tail_lost: 0,
        lost: Runs::of(dead, DeadCause::Lost),
        unsent: Runs::of(dead, DeadCause::NotSent),
        unplayed: Runs::default(),
        late,
        anchored_anew: &[],
        tick: None,
    }
}

/// The silences of one such stream with one gap.
fn silences(track: Track<'_>, gap: Gap) -> Vec<Silence> {
    let key = (gap.stream.call, gap.stream.party);
    let leg = LegTracks {
        tracks: BTreeMap::from([(key, track)]),
        levels: Levels::new([(0, 0)].into_iter(), true),
        depth: 60 * MS,
    };
    leg.silences([gap].iter(), &[])
}

fn arrival_gap(slot: u32, ms: u32, missing: u32) -> Gap {
    Gap {
        stream: stream(0),
        source: Source::Arrival,
        slot,
        length_us: ms * 1000,
        slots: missing,
    }
}

/// 100 at 1000 ms, 101 at 1020, 120 at 1400: 18 packets are lost, the blackout is 360 ms.
#[test]
fn the_worked_example_of_a_loss() {
    let track = worked(&[(DeadCause::Lost, 102, 18)], &[]);
    let found = silences(track, arrival_gap(120, 380, 18));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].from, found[0].to), (at(1020), at(1400)));
    assert_eq!(
        (found[0].nature, found[0].blackout()),
        (Nature::Loss, 360 * MS)
    );
}

/// 102 to 119 come in a clump at 1400 ms: none is lost, the first is 360 ms late.
#[test]
fn the_worked_example_of_a_delay() {
    let late: Vec<LatePacket> = (102..120)
        .map(|slot| LatePacket {
            slot,
            above_us: (120 - slot) * 20_000,
        })
        .filter(|late| late.above_us > 20_000)
        .collect();
    let found = silences(worked(&[], &late), arrival_gap(102, 380, 0));
    assert_eq!((found[0].from, found[0].to), (at(1020), at(1400)));
    assert_eq!(
        (found[0].nature, found[0].blackout()),
        (Nature::Delay, 360 * MS)
    );
}

/// 102 comes at 1400 ms, and every 20 ms another from then on: none is lost, and all stay 360 ms late.
#[test]
fn the_worked_example_of_a_pause() {
    let late: Vec<LatePacket> = (102..500)
        .map(|slot| LatePacket {
            slot,
            above_us: 360_000,
        })
        .collect();
    let found = silences(worked(&[], &late), arrival_gap(102, 380, 0));
    assert_eq!((found[0].from, found[0].to), (at(1020), at(1400)));
    // By itself it looks like a delay: that the leg's transit stays stepped tells the two apart.
    assert_eq!(
        (found[0].nature, found[0].blackout()),
        (Nature::Delay, 360 * MS)
    );
    let minima = (0..30).map(|second| (second, if second < 2 { 0 } else { 360 * MS }));
    let levels = Levels::new(minima, true);
    let time = (at(2020), at(2400));
    let all = (RunTime(-NS_PER_SECOND), RunTime(i64::MAX));
    assert_eq!(levels.step(time, all), Some(360 * MS));
    assert_eq!(levels.excess(time, all), [0, 360 * MS]);
    let step = |from, clear| levels.step((at(from), at(from + 100)), clear);
    assert_eq!(step(500, all), None, "nothing was told before");
    assert_eq!(step(9500, all), Some(0), "seven seconds of nine");
    assert_eq!(step(1500, all), None, "one second is too few of a run");
    assert_eq!(
        step(9500, (at(7100), at(11_900))),
        Some(0),
        "one on either side to the next disruption"
    );
    assert_eq!(step(9500, (at(8100), at(11_900))), None);
    assert_eq!(step(9500, (at(7100), at(10_900))), None);
}

/// A sender that skipped what was due while it stood still sends the next slot up to a packet time late.
#[test]
fn slots_that_were_not_sent_are_a_pause() {
    let track = worked(&[(DeadCause::NotSent, 102, 17)], &[]);
    let found = silences(track, arrival_gap(119, 375, 0));
    // 119 was due at 1380 ms and came at 1395.
    assert_eq!((found[0].from, found[0].to), (at(1020), at(1395)));
    assert_eq!(
        (found[0].nature, found[0].blackout()),
        (Nature::Pause, 355 * MS)
    );
}

/// What was missing when the gap ended and came after it is late, not lost.
#[test]
fn packets_that_came_after_others_are_not_lost() {
    let late = [LatePacket {
        slot: 119,
        above_us: 300_000,
    }];
    let found = silences(worked(&[], &late), arrival_gap(119, 660, 17));
    assert_eq!(found[0].nature, Nature::Pause);
    let track = worked(&[(DeadCause::Lost, 102, 17)], &late);
    assert_eq!(
        silences(track, arrival_gap(119, 660, 17))[0].nature,
        Nature::Loss
    );
}

/// A receiver whose clock stood still with it sees no gap, only that packets are missing.
#[test]
fn lost_packets_without_a_gap_between_arrivals_are_silence_too() {
    let track = worked(&[(DeadCause::Lost, 102, 18)], &[]);
    let lost = Gap {
        source: Source::Lost,
        ..arrival_gap(102, 380, 18)
    };
    let found = silences(track, lost);
    assert_eq!((found[0].from, found[0].to), (at(1020), at(1400)));
}

/// Nothing after slot 550 at 10 s: the stream ended with it. One that was last heard of a second before it did not.
#[test]
fn a_stream_not_heard_of_for_its_last_second_did_not_come_back() {
    let gap = arrival_gap(102, 380, 0);
    assert_eq!(silences(worked(&[], &[]), gap).len(), 1);
    let gone = Track {
        heard: Heard::Until(500),
        ..worked(&[], &[])
    };
    let found = silences(gone, gap);
    assert_eq!(
        (found[1].from, found[1].to, found[1].endless),
        (at(9000), at(10_000), true)
    );
    let never = Track {
        heard: Heard::Nothing,
        due: at(2000),
        ..worked(&[], &[])
    };
    assert!(
        silences(never, arrival_gap(0, 40, 0))
            .iter()
            .any(|found| found.endless)
    );
}

/// A guest that stands still for long cannot hold, or tell of, all that came meanwhile: what it did not send tells how long.
#[test]
fn playout_stood_still_for_as_long_as_nothing_was_sent() {
    let key = (CallId(0), Party::A);
    let leg = LegTracks {
        tracks: BTreeMap::from([(key, worked(&[], &[]))]),
        levels: Levels::new([(0, 0)].into_iter(), true),
        depth: 60 * MS,
    };
    let told = Gap {
        source: Source::Playout,
        ..arrival_gap(150, 180, 8)
    };
    let other = (CallId(0), Party::B);
    let sent = |nature| Silence {
        stream: other,
        nature,
        ..silence(0, 1110, 3190)
    };
    let found = leg.silences([told].iter(), &[sent(Nature::Pause)]);
    assert_eq!((found[0].from, found[0].to), (at(1110), at(3190)));
    // Packets that were lost on their way from it say nothing of its playout: 150 is due at 2000 ms and played 59 ms later.
    let found = leg.silences([told].iter(), &[sent(Nature::Loss)]);
    assert_eq!((found[0].from, found[0].to), (at(2039), at(2219)));
}

#[test]
fn runs_of_slots_told_by_both_ends_count_once() {
    let dead = [
        (DeadCause::NotSent, 10, 5),
        (DeadCause::NotSent, 10, 5),
        (DeadCause::NotSent, 15, 2),
        (DeadCause::Lost, 17, 1),
        (DeadCause::NotSent, 30, 1),
    ];
    let unsent = Runs::of(&dead, DeadCause::NotSent);
    assert_eq!(unsent.count(0, 100), 8);
    assert_eq!(unsent.count(12, 31), 6);
    assert_eq!((unsent.right_before(17), unsent.right_before(18)), (7, 0));
    assert_eq!(unsent.right_before(31), 1);
}

fn silence(call: u32, from: i64, to: i64) -> Silence {
    Silence {
        stream: (CallId(call), Party::A),
        from: at(from),
        to: at(to),
        nature: Nature::Pause,
        endless: false,
    }
}

fn of_streams(count: u32, mut all: Vec<Silence>) -> Silences {
    all.sort_by_key(|silence| silence.from);
    let track = || worked(&[], &[]);
    let tracks: Vec<Track<'_>> = (0..count).map(|_| track()).collect();
    Silences::new(all, Lives::of(tracks.iter()))
}

/// From the last of the begins to the first of the ends.
#[test]
fn a_common_blackout_is_what_all_silences_have_in_common() {
    let all = vec![
        silence(0, 1000, 1350),
        silence(1, 1007, 1344),
        silence(2, 1013, 1361),
    ];
    let silences = of_streams(3, all);
    let stretches = silences.stretches();
    // Two of three are silent from 1007 ms to 1350.
    assert_eq!(stretches, [(at(1007), at(1350))]);
    let found = silences.blackout(&stretches).unwrap();
    assert_eq!((found.from, found.to), (at(1013), at(1344)));
    assert_eq!(
        (found.length(), found.silences.len(), found.up),
        (331 * MS, 3, 3)
    );
}

/// One of twenty that was silent at another time moves neither end.
#[test]
fn one_stream_in_twenty_does_not_move_a_common_blackout() {
    let mut all: Vec<Silence> = (0..19).map(|call| silence(call, 1000, 1300)).collect();
    all.push(silence(19, 1250, 1400));
    let silences = of_streams(20, all);
    let found = silences.blackout(&silences.stretches()).unwrap();
    assert_eq!((found.from, found.to), (at(1000), at(1300)));
}

/// A stream alone has nothing in common with others: its blackout is its own.
#[test]
fn the_blackout_of_a_stream_alone_is_less_a_packet_time() {
    let silences = of_streams(1, vec![silence(0, 1020, 1400)]);
    let found = silences.blackout(&silences.stretches()).unwrap();
    assert_eq!(found.length(), 360 * MS);
}

#[test]
fn one_of_two_streams_alone_is_no_stretch() {
    assert_eq!(of_streams(2, vec![silence(0, 1000, 2000)]).stretches(), []);
    let shorter = of_streams(1, vec![silence(0, 1000, 1039)]);
    assert_eq!(shorter.stretches(), [], "shorter than two packet times");
}

#[test]
fn a_trace_holds_the_most_streams_silent_in_each_part() {
    let silences = of_streams(3, vec![silence(0, 1010, 1050), silence(1, 1035, 1090)]);
    let trace = silences.trace((at(1000), at(1100)), 10);
    assert_eq!(trace, [0, 1, 1, 2, 2, 2, 1, 1, 1, 1]);
}

fn gap_fact(gap_us: u32) -> Fact {
    Fact::ArrivalGap {
        stream: stream(gap_us % 7),
        slot: gap_us / 7,
        gap_us,
        missing: 0,
    }
}

fn kept(most: usize, lengths: &[u32]) -> (Vec<u32>, Option<u32>) {
    let mut log = GapLog::holding(most);
    for length in lengths {
        log.absorb(&gap_fact(*length));
    }
    let mut kept: Vec<u32> = log.of(Leg::Sent).map(|gap| gap.length_us).collect();
    kept.sort_unstable();
    (kept, log.forgotten_below_us())
}

#[test]
fn of_more_gaps_than_are_held_the_longest_stay_and_it_is_said() {
    let lengths = [39_000, 41_000, 90_000, 79_999, 200_000, 80_000];
    assert_eq!(
        kept(9, &lengths),
        (vec![41_000, 79_999, 80_000, 90_000, 200_000], None)
    );
    assert_eq!(
        kept(4, &lengths),
        (vec![80_000, 90_000, 200_000], Some(80_000))
    );
}

/// Lengths that no length is above, as a damaged log may have: there is no end of doubling that parts them.
#[test]
fn more_gaps_than_are_held_of_the_greatest_length_are_all_forgotten() {
    let lengths = [90_000, u32::MAX, u32::MAX, u32::MAX, u32::MAX, 90_000];
    assert_eq!(kept(2, &lengths), (Vec::new(), Some(u32::MAX)));
}

proptest! {
    /// Facts of two ends come in any order.
    #[test]
    fn the_same_gaps_are_kept_in_any_order(
        mut lengths in prop::collection::vec(30_000_u32..3_000_000, 0..200),
        most in 1_usize..50,
    ) {
        let forwards = kept(most, &lengths);
        lengths.reverse();
        prop_assert_eq!(&kept(most, &lengths), &forwards);
        lengths.sort_unstable();
        prop_assert_eq!(&kept(most, &lengths), &forwards);
        prop_assert!(forwards.0.len() <= most);
    }

    /// In a common blackout fewer than one in twenty of the streams that were hit had a packet, and it is no longer than the
    /// time from the first silence's begin to the last one's end.
    #[test]
    fn nearly_all_streams_that_were_hit_are_silent_in_a_common_blackout(
        spread in prop::collection::vec((0_i64..20, 0_i64..20), 2..120),
        length in 60_i64..2000,
    ) {
        let streams = u32::try_from(spread.len()).unwrap();
        let all: Vec<Silence> = (0..).zip(&spread)
            .map(|(call, (early, late))| silence(call, 5000 - early, 5000 + length + late))
            .collect();
        let silences = of_streams(streams, all);
        let found = silences.blackout(&silences.stretches()).unwrap();
        prop_assert!(found.length() >= length * MS);
        prop_assert!(found.length() <= (length + 40) * MS);
        let middle = |silence: &&Silence| silence.from <= found.from && found.to <= silence.to;
        let silent = found.silences.values().filter(middle).count();
        prop_assert!(silent + 2 * (spread.len() / 20) >= spread.len());
    }

    /// Whatever is told of a stream, its silences lie apart and in order, and none is shorter than nothing.
    #[test]
    fn silences_of_a_stream_lie_apart(
        told in prop::collection::vec((0_u32..400, 40_u32..3000, 0_u32..50), 1..40),
    ) {
        let gaps: Vec<Gap> = told.iter().map(|(slot, ms, missing)| arrival_gap(*slot, *ms, *missing)).collect();
        let key = (CallId(0), Party::A);
        let leg = LegTracks {
            tracks: BTreeMap::from([(key, worked(&[], &[]))]),
            levels: Levels::default(),
            depth: 0,
        };
        let found = leg.silences(gaps.iter(), &[]);
        for pair in found.windows(2) {
            prop_assert!(pair[0].to <= pair[1].from);
        }
        prop_assert!(found.iter().all(|silence| silence.from < silence.to));
        prop_assert!(found.iter().all(|silence| silence.to - silence.from < 10 * NS_PER_SECOND * 60));
    }
}
