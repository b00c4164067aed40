//! Signals of which it can be said by hand what their concealment is.

use crate::signals::{coded, sample, sine};
use crate::{CODECS, decode, heard, play};
use milliwatt_receiver::concealment::Concealer;
use milliwatt_wire::load::{Codec, SAMPLES_PER_PACKET};

/// The size that Appendix I gives a concealed sample, so many samples after the beginning of the erasure: 1 in the
/// first 10 ms, then a fifth of it less in each 10 ms, and nothing from 60 ms on.
fn gain(samples: u16) -> f64 {
    (1.0 - (f64::from(samples) - 80.0).max(0.0) / 400.0).max(0.0)
}

/// Half of the step between code words around a value, which is a 32nd of it at most (a 16th of a segment's least
/// value), or 8 where it is small; and 2 for what is cut off after the point.
fn half_step(value: f64) -> f64 {
    value.abs() / 32.0 + 8.0 + 2.0
}

/// 200 Hz are 40 samples a period, the shortest that is looked for. Packet 5 is not there: for its first 10 ms the sine
/// goes on code for code. Then it goes on smaller, as the standard says, to within the rounding to one code word; at
/// the end 42 samples (a quarter of a period and 4 ms) lead from 0.8 of it back to all of it.
#[test]
fn a_sine_goes_on() {
    for codec in CODECS {
        let truth: Vec<f64> = sine(200.0, 8000.0).take(10 * SAMPLES_PER_PACKET).collect();
        let codes = coded(codec, truth.iter().map(|value| sample(*value)));
        let played = play(codec, &codes, |packet| packet == 5);
        let from = 5 * SAMPLES_PER_PACKET;
        assert_eq!(played[..from + 80], codes[..from + 80], "{codec:?}");
        let value = |n: usize| f64::from(decode(codec, played[n]));
        for n in 80..160 {
            let expected = truth[from + n] * gain(u16::try_from(n).unwrap());
            let off = value(from + n) - expected;
            // Once rounded when it was coded, and once when it was made smaller.
            let most = 2.0 * half_step(truth[from + n]);
            assert!(off.abs() <= most, "{codec:?} {n}: {off} of {expected}");
        }
        for n in 0..42 {
            let back = f64::from(u8::try_from(n).unwrap() + 1) / 42.0;
            let whole = truth[from + 160 + n];
            let expected = whole * (0.8 * (1.0 - back) + back);
            let off = value(from + 160 + n) - expected;
            assert!(
                off.abs() <= 2.0 * half_step(whole),
                "{codec:?} {n}: {off} of {expected}"
            );
        }
        let after = from + 160 + 42;
        let end = codes.len() - 30;
        assert_eq!(played[after..end], codes[after..end], "{codec:?}");
    }
}

/// A square wave of 100 Hz shows its size in every sample. Six packets (120 ms) are not there: each concealed sample
/// has the standard's size to within the rounding to code words, and from 60 ms on each is idle code.
#[test]
fn an_erasure_fades_by_a_fifth_each_10_ms_and_is_silence_from_60_ms_on() {
    for codec in CODECS {
        let level = decode(codec, crate::encode(codec, 8000));
        let wave = (0..12 * SAMPLES_PER_PACKET).map(|n| if n % 80 < 40 { level } else { -level });
        let codes = coded(codec, wave);
        let lost = 5..11;
        let played = play(codec, &codes, |packet| lost.contains(&packet));
        let concealed = &played[lost.start * SAMPLES_PER_PACKET..][..6 * SAMPLES_PER_PACKET];
        for (n, code) in (0..).zip(concealed) {
            let size = f64::from(decode(codec, *code)).abs();
            let expected = f64::from(level) * gain(n);
            assert!(
                (size - expected).abs() <= half_step(expected),
                "{codec:?} {n}: {size}, not {expected}"
            );
        }
        assert!(
            concealed[480..]
                .iter()
                .all(|code| *code == codec.idle_code())
        );
        let at = |ms: usize| f64::from(decode(codec, concealed[8 * ms])).abs() / f64::from(level);
        println!(
            "{codec:?}: {:.3?}",
            [0, 5, 10, 20, 30, 40, 50, 55, 60].map(at)
        );
    }
}

/// Sines of 70 to 390 Hz, whose periods are no whole number of samples, with erasures of 20 to 100 ms: from a quarter
/// of a period before an erasure until 10 ms after it no two samples lie further apart than the sine's own do where it
/// crosses zero, to within 2 % and the rounding of both to code words.
#[test]
fn no_step_at_a_seam_is_larger_than_the_signals_own() {
    const AMPLITUDE: f64 = 10_000.0;
    for codec in CODECS {
        let mut most: f64 = 0.0;
        for tenth in (700_u16..3900).step_by(37) {
            let hz = f64::from(tenth) / 10.0;
            let signal = sine(hz, AMPLITUDE).take(20 * SAMPLES_PER_PACKET);
            let codes = coded(codec, signal.map(sample));
            let own = 2.0 * AMPLITUDE * (std::f64::consts::PI * hz / 8000.0).sin();
            for length in 1..=5 {
                let lost = 7..7 + length;
                let samples = heard(codec, &codes, |packet| lost.contains(&packet));
                let seams =
                    lost.start * SAMPLES_PER_PACKET - 31..lost.end * SAMPLES_PER_PACKET + 81;
                for pair in samples[seams].windows(2) {
                    let [step, size] = [pair[1] - pair[0], pair[0].abs().max(pair[1].abs())];
                    let rounding = 2.0 * half_step(size.into());
                    most = most.max((f64::from(step.abs()) - rounding) / own);
                }
            }
        }
        println!("{codec:?}: {most:.2} of the sine's largest step");
        assert!(most <= 1.02, "{codec:?}: {most}");
    }
}

/// After a stream is over its last 30 samples are played, then silence; the next one finds nothing of it.
#[test]
fn a_stream_that_is_over_leaves_nothing_behind() {
    let loud = [0x9e; SAMPLES_PER_PACKET];
    let idle = Codec::Pcmu.idle_code();
    let mut concealer = Concealer::of(Codec::Pcmu).unwrap();
    let fresh = concealer.clone();
    assert_eq!(
        concealer.play(Some(&loud))[..31],
        [&[idle; 30][..], &[0x9e]].concat()
    );
    assert_eq!(concealer.rest(), *[&[0x9e; 30][..], &[idle; 130]].concat());
    assert_eq!(concealer.rest(), [idle; SAMPLES_PER_PACKET]);
    assert_eq!(format!("{concealer:?}"), format!("{fresh:?}"));
    // A stream whose first packets are not there is silent until one is.
    assert_eq!(concealer.play(None), [idle; SAMPLES_PER_PACKET]);
    // Over within an erasure: what was made up is played to its end.
    concealer.reset();
    for packet in [Some(&loud), Some(&loud), Some(&loud), None] {
        drop(concealer.play(packet).to_vec());
    }
    let left = concealer.rest();
    assert!(left[..30].iter().all(|code| *code != idle));
    assert_eq!(left[30..], [idle; 130]);
}

/// What each stream of a guest that conceals costs more.
#[test]
fn a_concealer_is_small() {
    assert!(size_of::<Concealer>() <= 460, "{}", size_of::<Concealer>());
}
