//! Recordings: WAVE files, and what is found in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use milliwatt_scoring::recording::{
    EventKind, Pauses, Reference, Rules, ScoredRecording, SilenceRule, score_against, score_recording,
};
use std::sync::{Arc, LazyLock};

/// A second of 8 kHz whose second half is silent, which goes round.
static PAUSES: LazyLock<Arc<Pauses>> = LazyLock::new(|| {
    let samples: Vec<i16> = (0..8000).map(|n| if n < 4000 { 9000 } else { 0 }).collect();
    Arc::new(Pauses::find(&samples, (8000, 0), &SilenceRule::default(), true))
});

fuzz_target!(|octets: &[u8]| {
    let rules = Rules {
        levels: true,
        tones_hz: vec![1004, 1346],
        ..Rules::default()
    };
    if let Ok(scored) = score_recording(octets, &rules) {
        check(&scored, &rules);
    }
    let beside = score_against(octets, &rules, |_| Reference {
        channels: vec![Arc::clone(&PAUSES)],
        first_s: 0.3,
        delay_ms: -200.0..=200.0,
    });
    if let Ok(scored) = beside {
        assert_eq!(scored.delays_ms.len(), usize::from(scored.channels));
        check(&scored, &rules);
    }
});

fn check(scored: &ScoredRecording, rules: &Rules) {
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
}
