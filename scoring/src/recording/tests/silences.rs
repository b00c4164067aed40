//! Silences at known places.

use super::*;
use milliwatt_wire::g711::{encode_a_law, encode_mu_law};
use milliwatt_wire::load::{TONE_A_HZ, TONE_B_HZ};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SEED: u64 = 7;

/// How a sample is written, with its WAVE format tag and bits.
type Law = (u16, u16, fn(i16) -> Vec<u8>);
const LAWS: [Law; 3] = [
    (7, 8, |sample| vec![encode_mu_law(sample)]),
    (6, 8, |sample| vec![encode_a_law(sample)]),
    (1, 16, |sample| sample.to_le_bytes().to_vec()),
];

/// What sounds where nothing is silent.
#[derive(Clone, Copy, Debug)]
enum Sound {
    Tone,
    /// White noise of -45 dBov.
    Noise,
    /// A voice of 100 to 300 Hz, its harmonics swelling as syllables do, never below -40 dBov.
    Speech,
}

struct Signal {
    sound: Sound,
    random: ChaCha8Rng,
}

impl Signal {
    /// The next sample.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "a test signal"
    )]
    fn sample(&mut self, hertz: u32, n: usize) -> i16 {
        match self.sound {
            Sound::Tone => tone(hertz, 7000.0, n),
            // A uniform value of +-a has an RMS of a / sqrt 3; -45 dBov are 184.3.
            Sound::Noise => (self.random.random_range(-1.0..1.0) * 184.3 * 3_f64.sqrt()) as i16,
            Sound::Speech => {
                let t = n as f64 / 8000.0;
                let pitch = 180.0 * t + 3.0 * (TAU * 0.7 * t).sin();
                let swell = 0.55 + 0.45 * (TAU * 3.1 * t).sin();
                let harmonics = (1..8).map(|k| (TAU * pitch * f64::from(k)).sin() / f64::from(k));
                (harmonics.sum::<f64>() * swell * 4000.0) as i16
                    + self.random.random_range(-450_i16..450)
            }
        }
    }
}

/// A stereo recording, party A left and B right, silent where told: (channel, first sample, samples).
fn recording(
    samples: usize,
    (tag, bits, encode): Law,
    sound: Sound,
    seed: u64,
    silent: &[(u8, usize, usize)],
) -> Vec<u8> {
    let mut octets = Vec::with_capacity(4 * samples);
    let mut signal = Signal {
        sound,
        random: ChaCha8Rng::seed_from_u64(seed),
    };
    for sample in 0..samples {
        for (channel, hertz) in [(0, TONE_A_HZ), (1, TONE_B_HZ)] {
            let is_silent = silent
                .iter()
                .any(|(c, from, n)| *c == channel && (*from..from + n).contains(&sample));
            let value = signal.sample(hertz, sample);
            octets.extend(encode(if is_silent { 0 } else { value }));
        }
    }
    file(tag, 2, 8000, bits, &octets)
}

/// One silence of 60 to 400 ms in each second between the guards, on either channel; in order of channel and time.
fn injected(seed: u64) -> Vec<(u8, usize, usize)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut silent: Vec<(u8, usize, usize)> = (1..4)
        .map(|second| {
            let from = second * 8000 + random.random_range(0..4000);
            (
                random.random_range(0..2),
                from,
                random.random_range(480..3200),
            )
        })
        .collect();
    silent.sort_unstable();
    silent
}

/// 1000 recordings: tones, noise and speech by turns, of mu-law, A-law and PCM.
#[test]
fn every_injected_silence_is_found_at_its_place_and_none_besides() {
    for round in 0..1000_u64 {
        let seed = SEED + round;
        let law = LAWS[usize::try_from(round % 3).unwrap()];
        let sound =
            [Sound::Tone, Sound::Noise, Sound::Speech][usize::try_from(round / 3 % 3).unwrap()];
        let silent = injected(seed);
        let bytes = recording(40_000, law, sound, seed, &silent);
        let found = events(&bytes, EventKind::Silence);
        assert_eq!(
            found.len(),
            silent.len(),
            "{sound:?} {law:?} seed {seed}: {found:?} of {silent:?}"
        );
        for ((channel, start, length), (true_channel, from, samples)) in
            found.into_iter().zip(silent)
        {
            assert_eq!(channel, true_channel);
            let (from, samples) = (to_ms(from as u64, 8000), to_ms(samples as u64, 8000));
            assert!(
                (start - from).abs() < 10.0,
                "seed {seed}: {start} ms, injected at {from} ms"
            );
            let (end, true_end) = (start + length, from + samples);
            assert!(
                (end - true_end).abs() < 10.0,
                "seed {seed}: {end} ms, injected to {true_end} ms"
            );
        }
    }
}

/// On a tone that is cut at its peaks the edges are exact.
#[test]
fn edges_are_exact_to_the_sample() {
    let mut samples = vec![7000_i16; 40_000];
    samples[16_003..16_003 + 1001].fill(0);
    assert_eq!(
        events(&pcm16(1, &samples), EventKind::Silence),
        [(0, 16_003.0 / 8.0, 1001.0 / 8.0)]
    );
}

#[test]
fn unbroken_sound_holds_no_event() {
    for law in LAWS {
        for sound in [Sound::Tone, Sound::Noise, Sound::Speech] {
            let scored = score_with(&recording(80_000, law, sound, SEED, &[]), &Rules::default());
            assert_eq!(scored.events, [], "{sound:?} {law:?}");
        }
    }
}

#[test]
fn less_than_60_ms_is_no_silence() {
    let short = [(0, 16_000, 440), (1, 20_003, 440)];
    let bytes = recording(40_000, LAWS[0], Sound::Tone, SEED, &short);
    assert_eq!(events(&bytes, EventKind::Silence), []);
    assert_eq!(events(&bytes, EventKind::Dropout).len(), 2);
}

#[test]
fn the_first_and_last_half_second_are_not_looked_at() {
    let ends = [(0, 0, 3999), (1, 76_001, 3999)];
    let scored = |silent: &[_]| {
        let bytes = recording(80_000, LAWS[0], Sound::Tone, SEED, silent);
        events(&bytes, EventKind::Silence)
    };
    assert_eq!(scored(&ends), []);
    let found = scored(&[(0, 0, 4800)]);
    assert_eq!(
        (found.len(), found[0].1),
        (1, 500.0),
        "the 100 ms past the guard count"
    );
    assert!((found[0].2 - 100.0).abs() < 1.0);
    let found = scored(&[(1, 75_200, 4800)]);
    assert!(
        (found[0].1 + found[0].2 - 9500.0).abs() < 1e-9,
        "cut at the tail's guard: {found:?}"
    );
    assert!((found[0].2 - 100.0).abs() < 1.0);
}

#[test]
fn the_level_decides() {
    let silences = |value: i16| events(&pcm16(1, &vec![value; 16_000]), EventKind::Silence).len();
    assert_eq!(silences(103), 1, "-50.05 dBov");
    assert_eq!(silences(104), 0, "-49.97 dBov");
    let limit = |level_dbov| Rules {
        silence: SilenceRule {
            level_dbov,
            ..SilenceRule::default()
        },
        ..Rules::default()
    };
    let idle = file(6, 1, 8000, 8, &vec![0xd5; 16_000]);
    let silences = |level| events_with(&idle, EventKind::Silence, &limit(level)).len();
    assert_eq!(silences(-72.0), 1, "A-law's idle code is -72.25 dBov");
    assert_eq!(silences(-73.0), 0);
}

#[test]
fn the_digital_milliwatt_is_no_silence() {
    let mu: Vec<u8> = [0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e].repeat(2000);
    assert_eq!(
        score_with(&file(7, 1, 8000, 8, &mu), &Rules::default()).events,
        []
    );
}

#[test]
fn a_recording_shorter_than_its_guards_is_scored_and_empty() {
    let scored = score_with(&file(7, 2, 8000, 8, &[0xff; 1600]), &Rules::default());
    assert!((scored.seconds - 0.1).abs() < 1e-12);
    assert_eq!((scored.channels, scored.events.len()), (2, 0));
}

/// Party A is silent from 1 s to 6 s, B from 4 s to 9 s: together they are from 4 s to 6 s.
#[test]
fn what_only_one_party_says_nothing_for_is_no_silence_of_a_conversation() {
    let silent = [(0, 8000, 40_000), (1, 32_000, 40_000)];
    let bytes = recording(80_000, LAWS[2], Sound::Speech, SEED, &silent);
    let rules = |least_ms| Rules {
        silence: SilenceRule {
            least_ms,
            ..SilenceRule::default()
        },
        mutual: true,
        ..Rules::default()
    };
    let found = events_with(&bytes, EventKind::Silence, &rules(1900.0));
    assert_eq!(found.len(), 1);
    assert!(
        (found[0].1 - 4000.0).abs() < 10.0 && (found[0].2 - 2000.0).abs() < 10.0,
        "{found:?}"
    );
    assert_eq!(events_with(&bytes, EventKind::Silence, &rules(2100.0)), []);
}

/// More silences than are listed are counted.
#[test]
fn the_list_ends_and_the_count_goes_on() {
    let second: Vec<i16> = [vec![9000; 480], vec![0; 480]].concat();
    let bytes = pcm16(1, &second.repeat(1200));
    let scored = score_with(&bytes, &Rules::default());
    assert_eq!(scored.events.len(), 1000);
    // Silence k goes from 120 k + 60 ms to 120 k + 120: number 4 is the first past the guard, and 1194 the last that
    // ends before 143.5 s; of number 1195 the guard leaves 40 ms.
    assert_eq!(scored.counts.of(EventKind::Silence), 1191);
}
