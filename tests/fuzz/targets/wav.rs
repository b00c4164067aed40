//! Recordings: WAVE files, and the silences in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt_scoring::silence::{SilenceRule, score_recording};
use milliwatt_scoring::wav::Wav;

fuzz_target!(|octets: &[u8]| {
    let rule = SilenceRule::default();
    let Ok(wav) = Wav::parse(octets) else {
        assert!(score_recording(octets, &rule).is_err());
        return;
    };
    let samples: usize = (0..wav.channels)
        .map(|channel| wav.samples(channel).count())
        .sum();
    assert_eq!(samples, wav.frames() * usize::from(wav.channels));
    assert!(samples * wav.format.octets() <= octets.len());
    let scored = score_recording(octets, &rule).expect("it was parsed");
    for silence in &scored.silences {
        assert!(silence.channel < wav.channels);
        assert!(silence.start_ms >= rule.guard_ms - 1.0 && silence.length_ms >= 0.0);
        assert!(silence.start_ms + silence.length_ms <= scored.seconds * 1e3 + 1e-3);
    }
});
