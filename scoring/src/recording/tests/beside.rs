//! Recordings beside the audio that was sent, whose pauses are no events.

use super::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::ops::Range;

/// Talk and pauses of 300 to 1300 ms in turns, of a tone at -9 dBov that nothing else depends on; 20 s, a pause first.
struct Spoken {
    samples: Vec<i16>,
    talk: Vec<Range<usize>>,
}

const RATE: usize = 8000;
const LENGTH: usize = 20 * RATE;

fn below(random: &mut ChaCha8Rng, limit: usize) -> usize {
    random.next_u32() as usize % limit
}

fn speak(random: &mut ChaCha8Rng) -> Spoken {
    let mut spoken = Spoken {
        samples: vec![0; LENGTH],
        talk: Vec::new(),
    };
    let mut at = 0;
    loop {
        let start = at + RATE * 3 / 10 + below(random, RATE);
        let end = start + RATE * 3 / 10 + below(random, RATE);
        if end > LENGTH {
            return spoken;
        }
        for n in start..end {
            spoken.samples[n] = tone(1004, 16_000.0, n);
        }
        spoken.talk.push(start..end);
        at = end;
    }
}

impl Spoken {
    fn pauses(&self, goes_round: bool) -> Pauses {
        Pauses::find(
            &self.samples,
            (8000, 0),
            &SilenceRule::default(),
            goes_round,
        )
    }

    /// What a call that began at sample `first` of the loop holds, `delay` samples late.
    fn recorded(&self, first: usize, delay: usize, samples: usize) -> Vec<i16> {
        let round = self.samples.iter().cycle().skip(first);
        let silence = std::iter::repeat_n(&0, delay);
        silence.chain(round).take(samples).copied().collect()
    }
}

fn reference(channels: &[&Pauses], first: usize) -> Reference {
    #[expect(clippy::cast_precision_loss, reason = "samples of seconds")]
    let first_s = first as f64 / 8000.0;
    Reference {
        channels: channels
            .iter()
            .map(|pauses| Arc::new((*pauses).clone()))
            .collect(),
        first_s,
        delay_ms: 0.0..=500.0,
    }
}

fn beside(wav: &[u8], reference: &Reference) -> ScoredRecording {
    score_against(wav, &Rules::default(), |_| reference.clone()).unwrap()
}

/// 300 seeds: a call begins anywhere in a loop of speech and is heard up to 400 ms late, to the sample. The pauses are no
/// events; one gap of 60 to 260 ms inside talk is found alone, with both edges within a frame of 10 ms (to the sample but
/// for what the tone's own zeros leave open), and the delay is found within a millisecond.
#[test]
fn a_gap_in_talk_is_the_only_event() {
    for seed in 0..300 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let spoken = speak(&mut random);
        let pauses = spoken.pauses(true);
        let (first, delay) = (below(&mut random, LENGTH), below(&mut random, 3200));
        let mut samples = spoken.recorded(first, delay, LENGTH + RATE);
        let clean = beside(&pcm16(1, &samples), &reference(&[&pauses], first));
        assert_eq!(clean.events, [], "seed {seed}");
        let delay_ms = f64::from(u32::try_from(delay).unwrap()) / 8.0;
        assert!(
            (clean.delays_ms[0] - delay_ms).abs() < 1.0,
            "seed {seed}: {:?}, {delay_ms}",
            clean.delays_ms
        );

        let length = 480 + below(&mut random, 1600);
        let place = |n: usize| (n + LENGTH * 2 - delay + first) % LENGTH;
        let fits = |start: &usize| {
            let (from, to) = (place(*start), place(*start) + length);
            let inside = |talk: &Range<usize>| talk.start + 240 <= from && to + 240 <= talk.end;
            (RATE..LENGTH - RATE).contains(start) && spoken.talk.iter().any(inside)
        };
        let Some(start) = (0..500).map(|_| below(&mut random, LENGTH)).find(fits) else {
            continue;
        };
        samples[start..start + length].fill(0);
        let found = beside(&pcm16(1, &samples), &reference(&[&pauses], first));
        let silences = found.events.iter().filter(|e| e.kind == EventKind::Silence);
        let silences: Vec<&Event> = silences.collect();
        let [silence] = silences[..] else {
            panic!("seed {seed}: {:?}", found.events)
        };
        let [from, to] =
            [start, start + length].map(|n| f64::from(u32::try_from(n).unwrap()) / 8.0);
        let apart = [
            silence.start_ms - from,
            silence.start_ms + silence.length_ms - to,
        ];
        assert!(
            apart.iter().all(|ms| ms.abs() < 1.0),
            "seed {seed}: {apart:?}"
        );
        assert_eq!(found.counts.of(EventKind::Dropout), 0);
    }
}

/// The second half of a stretch of talk is gone: the silence runs into the pause after it. What counts is the talk that
/// is missing, and not below 60 ms and the slack of 30 ms at the pause's side.
#[test]
fn a_gap_that_runs_into_a_pause_counts_as_far_as_talk_is_missing() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let spoken = speak(&mut random);
    let pauses = spoken.pauses(true);
    let talk = &spoken.talk[3];
    for (missing_ms, found_ms) in [(80, None), (100, Some(100.0)), (200, Some(200.0))] {
        let mut samples = spoken.recorded(0, 0, LENGTH);
        samples[talk.end - missing_ms * 8..talk.end].fill(0);
        let scored = beside(&pcm16(1, &samples), &reference(&[&pauses], 0));
        let lengths: Vec<f64> = scored.events.iter().map(|e| e.length_ms.round()).collect();
        assert_eq!(
            lengths,
            found_ms.into_iter().collect::<Vec<f64>>(),
            "{missing_ms} ms"
        );
    }
}

/// A gap of 20 ms in talk is a dropout; the same in a pause, and idle samples at the edge of talk, are none.
#[test]
fn dropouts_count_in_talk_alone() {
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let spoken = speak(&mut random);
    let pauses = spoken.pauses(true);
    let talk = &spoken.talk[4];
    let middle = usize::midpoint(talk.start, talk.end);
    for (place, dropouts) in [(middle, 1), (talk.start - 800, 0), (talk.start + 80, 0)] {
        let mut samples = spoken.recorded(0, 0, LENGTH);
        samples[place..place + 160].fill(0);
        let scored = beside(&pcm16(1, &samples), &reference(&[&pauses], 0));
        assert_eq!(scored.counts.of(EventKind::Dropout), dropouts, "at {place}");
        assert_eq!(scored.counts.of(EventKind::Silence), 0);
    }
}

/// Two parties with timelines of their own. Swapped, both channels are crossed, and nothing else is said of them.
#[test]
fn swapped_parties_are_crossed_and_right_ones_are_not() {
    for seed in 0..40 {
        let mut random = ChaCha8Rng::seed_from_u64(1000 + seed);
        let [a, b] = [speak(&mut random), speak(&mut random)];
        let pauses = [a.pauses(true), b.pauses(true)];
        let [left, right] = [&a, &b].map(|spoken| spoken.recorded(77, 640, LENGTH));
        let interleave = |left: &[i16], right: &[i16]| -> Vec<i16> {
            left.iter().zip(right).flat_map(|(l, r)| [*l, *r]).collect()
        };
        let reference = reference(&[&pauses[0], &pauses[1]], 77);
        let right_way = beside(&pcm16(2, &interleave(&left, &right)), &reference);
        assert_eq!(right_way.events, [], "seed {seed}");
        let swapped = beside(&pcm16(2, &interleave(&right, &left)), &reference);
        let kinds: Vec<(EventKind, u8)> =
            swapped.events.iter().map(|e| (e.kind, e.channel)).collect();
        assert_eq!(
            kinds,
            [(EventKind::Crossed, 0), (EventKind::Crossed, 1)],
            "seed {seed}"
        );
    }
}

/// Both parties in one channel: only where neither speaks it may be quiet.
#[test]
fn a_mix_is_quiet_where_both_are() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let [a, b] = [speak(&mut random), speak(&mut random)];
    let both = a.pauses(true).of_both(&b.pauses(true));
    let mix = |a: &[i16], b: &[i16]| -> Vec<i16> {
        a.iter().zip(b).map(|(a, b)| a / 2 + b / 2).collect()
    };
    let mut samples = mix(&a.recorded(0, 0, LENGTH), &b.recorded(0, 0, LENGTH));
    let reference = reference(&[&both], 0);
    let scored = beside(&pcm16(1, &samples), &reference);
    assert_eq!(
        scored.counts.of(EventKind::Silence),
        0,
        "{:?}",
        scored.events
    );
    let talk = a.talk.iter().find(|talk| talk.start > RATE).unwrap();
    samples[talk.start + 400..talk.start + 1600].fill(0);
    assert_eq!(
        beside(&pcm16(1, &samples), &reference)
            .counts
            .of(EventKind::Silence),
        1
    );
}

/// Audio that does not go round: before and after it nothing was said.
#[test]
fn outside_the_reference_nothing_is_missed() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let spoken = speak(&mut random);
    let pauses = spoken.pauses(false);
    let samples: Vec<i16> = std::iter::repeat_n(0, 2 * RATE)
        .chain(spoken.samples.iter().copied())
        .chain(std::iter::repeat_n(0, 3 * RATE))
        .collect();
    let reference = Reference {
        delay_ms: -5000.0..=5000.0,
        ..reference(&[&pauses], 0)
    };
    let scored = beside(&pcm16(1, &samples), &reference);
    assert_eq!(scored.events, []);
    assert!(
        (scored.delays_ms[0] - 2000.0).abs() < 1.0,
        "{:?}",
        scored.delays_ms
    );
}

#[test]
fn a_reference_of_another_rate_is_refused() {
    let pauses = Pauses::find(&vec![0; 16_000], (16_000, 0), &SilenceRule::default(), true);
    let error = score_against(&pcm16(1, &[0; 800])[..], &Rules::default(), |_| {
        reference(&[&pauses], 0)
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "the recording has 8000 samples a second, its reference 16000"
    );
}

/// A call that lies in a pause from beginning to end is as quiet as it should be; one that is as quiet and lies in talk has
/// no audio.
#[test]
fn a_channel_is_one_way_only_where_it_should_sound() {
    let mut samples = vec![0_i16; LENGTH];
    for (n, sample) in samples.iter_mut().enumerate().skip(5 * RATE) {
        *sample = tone(1004, 16_000.0, n);
    }
    let pauses = Pauses::find(&samples, (8000, 0), &SilenceRule::default(), true);
    let quiet = pcm16(1, &vec![0; 3 * RATE]);
    for (first, one_way) in [(RATE, 0), (10 * RATE, 1)] {
        let scored = beside(&quiet, &reference(&[&pauses], first));
        assert_eq!(scored.counts.of(EventKind::OneWay), one_way, "{first}");
    }
}
