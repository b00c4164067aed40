//! Recordings: WAVE files, and what is found in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt_scoring::recording::{EventKind, Rules, score_recording};

fuzz_target!(|octets: &[u8]| {
    let rules = Rules {
        levels: true,
        tones_hz: vec![1004, 1346],
        ..Rules::default()
    };
    let Ok(scored) = score_recording(octets, &rules) else {
        return;
    };
    assert_eq!(scored.levels.len(), usize::from(scored.channels));
    let (end_ms, guard_ms) = (scored.seconds * 1e3 + 1e-3, rules.silence.guard_ms - 1e-3);
    for event in &scored.events {
        assert!(event.channel < scored.channels);
        assert!(event.start_ms >= 0.0 && event.length_ms >= 0.0);
        if matches!(event.kind, EventKind::Silence | EventKind::Dropout) {
            assert!(event.start_ms >= guard_ms);
            assert!(event.start_ms + event.length_ms <= end_ms - guard_ms);
        }
    }
});
