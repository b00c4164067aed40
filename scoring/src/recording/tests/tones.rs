//! Splices in tones: every one says how many samples are missing.

use super::*;
use milliwatt_wire::g711::{decode_mu_law, encode_mu_law};
use milliwatt_wire::load::{TONE_A_HZ, TONE_B_HZ};

#[expect(clippy::cast_precision_loss, reason = "a place in 5 s")]
fn float(sample: usize) -> f64 {
    sample as f64
}

#[track_caller]
fn splices(bytes: &[u8], tones_hz: &[u32]) -> Vec<(u8, f64, Option<i64>)> {
    let rules = Rules {
        tones_hz: tones_hz.to_vec(),
        ..Rules::default()
    };
    let scored = score_with(bytes, &rules);
    let splices = scored
        .events
        .iter()
        .filter(|event| event.kind == EventKind::Splice);
    splices
        .map(|event| (event.channel, event.start_ms, event.missing_samples))
        .collect()
}

/// 5 s of a tone, through mu-law, of which `missing` samples are left out at sample `at`; below zero, repeated.
fn spliced(hertz: u32, at: usize, missing: i64) -> Vec<i16> {
    let through = |sample| decode_mu_law(encode_mu_law(sample));
    let source = |n: usize| {
        let skipped = if n < at { 0 } else { missing };
        usize::try_from(i64::try_from(n).unwrap() + skipped).unwrap()
    };
    (0..40_000)
        .map(|n| through(tone(hertz, 22_600.0, source(n))))
        .collect()
}

/// From a sample to most of a period, for both parties' tones: exact.
#[test]
fn a_splice_tells_how_many_samples_are_missing() {
    for hertz in [TONE_A_HZ, TONE_B_HZ] {
        for missing in [
            160_i64, 1, 2, 7, 8, 80, 239, 320, 480, 1440, -1, -8, -160, -400,
        ] {
            for at in [16_000, 16_041, 20_077] {
                let found = splices(&pcm16(1, &spliced(hertz, at, missing)), &[hertz]);
                assert_eq!(found.len(), 1, "{missing} at {at}: {found:?}");
                assert_eq!(found[0].2, Some(missing), "{hertz} Hz at {at}: {found:?}");
                let place = found[0].1 * 8.0;
                assert!(
                    (place - float(at)).abs() <= 160.0,
                    "{missing} at {at}: {place}"
                );
            }
        }
    }
}

#[test]
fn a_packets_splice_is_placed_to_some_samples() {
    for at in (16_000..16_160).step_by(7) {
        let found = splices(&pcm16(1, &spliced(TONE_A_HZ, at, 160)), &[TONE_A_HZ]);
        let place = found[0].1 * 8.0;
        assert!((place - float(at)).abs() <= 8.0, "at {at}: {place}");
    }
}

/// Two splices of which the second comes before a period is over, and one at the very end.
#[test]
fn splices_close_together_are_told_apart() {
    let whole = spliced(TONE_A_HZ, 0, 0);
    let mut samples = whole[..16_000].to_vec();
    samples.extend(&whole[16_160..20_000]);
    samples.extend(&whole[20_320..38_000]);
    samples.extend(&whole[38_160..38_900]);
    let missing: Vec<_> = splices(&pcm16(1, &samples), &[TONE_A_HZ])
        .iter()
        .map(|s| s.2)
        .collect();
    assert_eq!(missing, [Some(160), Some(320), Some(160)]);
}

/// A dropout that keeps the time is no splice; one that does not is both.
#[test]
fn a_dropout_in_a_tone_is_a_splice_only_when_time_is_missing() {
    let mut samples = spliced(TONE_A_HZ, 0, 0);
    samples[16_000..16_160].fill(0);
    assert_eq!(splices(&pcm16(1, &samples), &[TONE_A_HZ]), []);
    let mut samples = spliced(TONE_A_HZ, 16_100, 160);
    samples[16_000..16_100].fill(0);
    let found = splices(&pcm16(1, &samples), &[TONE_A_HZ]);
    assert_eq!((found.len(), found[0].2), (1, Some(160)));
}

#[test]
fn an_unbroken_tone_and_what_is_no_tone_have_no_splices() {
    for hertz in [TONE_A_HZ, TONE_B_HZ] {
        assert_eq!(splices(&pcm16(1, &spliced(hertz, 0, 0)), &[hertz]), []);
        assert_eq!(
            splices(&pcm16(1, &spliced(hertz, 16_000, 160)), &[hertz + 100]),
            []
        );
    }
}

/// Each channel has the tone of its party; exchanged, both are crossed.
#[test]
fn exchanged_channels_are_crossed() {
    let (a, b) = (spliced(TONE_A_HZ, 0, 0), spliced(TONE_B_HZ, 0, 0));
    let rules = Rules {
        tones_hz: vec![TONE_A_HZ, TONE_B_HZ],
        ..Rules::default()
    };
    let of = |left: &[i16], right: &[i16]| {
        let samples: Vec<i16> = left.iter().zip(right).flat_map(|(l, r)| [*l, *r]).collect();
        events_with(&pcm16(2, &samples), EventKind::Crossed, &rules)
    };
    assert_eq!(of(&a, &b), []);
    assert_eq!(of(&b, &a), [(0, 0.0, 5000.0), (1, 0.0, 5000.0)]);
    assert_eq!(of(&a, &a), [(1, 0.0, 5000.0)]);
}
