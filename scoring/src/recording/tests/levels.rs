//! Levels, against values of P.56's own steps done sample by sample and threshold by threshold, in another language.

use super::*;

#[track_caller]
fn levels(samples: &[i16]) -> Levels {
    let rules = Rules {
        levels: true,
        ..Rules::default()
    };
    score_with(&pcm16(1, samples), &rules).levels[0]
}

#[track_caller]
fn near(measured: Option<f64>, expected: f64, within: f64) {
    let measured = measured.unwrap();
    assert!(
        (measured - expected).abs() <= within,
        "{measured} is not {expected}"
    );
}

/// A tone of RMS 16017: the digital milliwatt's.
fn milliwatt(samples: usize) -> Vec<i16> {
    tones(1000, 16_017.0 * 2_f64.sqrt(), samples)
}

/// 2 s of tone; 1 s of tone and 1 s of nothing; the same and 3 s more of nothing.
#[test]
fn active_level_and_activity_of_a_tone_are_those_of_p56() {
    let vectors = [
        (16_000, 0, -6.217_46, -6.163_77),
        (8000, 8000, -9.227_76, -7.270_98),
        (8000, 32_000, -13.207_16, -7.270_98),
    ];
    for (tone, silence, long_term, active) in vectors {
        let samples = [milliwatt(tone), vec![0; silence]].concat();
        let found = levels(&samples);
        near(found.long_term_dbov, long_term, 1e-4);
        near(found.active_dbov, active, 1e-4);
        near(
            found.activity,
            10_f64.powf((long_term - active) / 10.0),
            1e-4,
        );
    }
}

/// Pauses do not lower the active level, and quiet noise in them is the floor: 0.5 dB steps, upper edge.
#[test]
fn the_noise_floor_is_that_of_the_pauses() {
    let second: Vec<i16> = milliwatt(8000);
    let pause: Vec<i16> = (0..8000)
        .map(|n| if n % 2 == 0 { 10 } else { -10 })
        .collect();
    let samples = [second.clone(), pause.clone(), second, pause].concat();
    // 20 log10(10 / 32768) = -70.31
    near(levels(&samples).noise_floor_dbov, -70.0, 1e-9);
    near(levels(&samples).peak_dbfs, -3.21, 0.01);
}

#[test]
fn nothing_has_no_level() {
    let found = levels(&[0; 8000]);
    assert_eq!(
        found,
        Levels {
            long_term_dbov: None,
            active_dbov: None,
            activity: None,
            noise_floor_dbov: None,
            peak_dbfs: None,
        }
    );
}
