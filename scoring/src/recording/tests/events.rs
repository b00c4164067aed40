//! Dropouts, clipping, one-way audio.

use super::*;

/// 5 s of a tone with zeros from `at` on.
fn with_zeros(at: usize, zeros: usize) -> Vec<i16> {
    let mut samples = tones(1004, 7000.0, 40_000);
    samples[at..at + zeros].fill(0);
    samples
}

/// Packets of 20 ms that are replaced by digital silence, anywhere in a frame.
#[test]
fn a_packet_of_zeros_is_a_dropout_at_its_place() {
    for at in 16_000..16_160 {
        let found = events(&pcm16(1, &with_zeros(at, 160)), EventKind::Dropout);
        assert_eq!(found.len(), 1, "at {at}");
        // A sample beside it may be zero by itself.
        assert!(
            (found[0].1 - to_ms(at as u64, 8000)).abs() < 0.2,
            "at {at}: {found:?}"
        );
        assert!((found[0].2 - 20.0).abs() < 0.3, "at {at}: {found:?}");
    }
}

#[test]
fn a_dropout_has_a_least_and_a_greatest_length() {
    let at = |zeros| events(&pcm16(1, &with_zeros(16_017, zeros)), EventKind::Dropout).len();
    assert_eq!([38, 42, 470, 482].map(at), [0, 1, 1, 0]);
}

/// Speech that fades out into silence, and a noise gate that opens on little, leave no sound beside it.
#[test]
fn a_fade_into_digital_silence_is_no_dropout() {
    let mut samples = with_zeros(16_000, 320);
    samples[15_900..16_000].fill(40);
    assert_eq!(events(&pcm16(1, &samples), EventKind::Dropout), []);
    let mut samples = with_zeros(16_000, 320);
    samples[16_320..16_420].fill(40);
    assert_eq!(events(&pcm16(1, &samples), EventKind::Dropout), []);
}

#[test]
fn dropouts_near_the_ends_do_not_count() {
    for at in [100, 3000, 36_100, 39_800] {
        assert_eq!(
            events(&pcm16(1, &with_zeros(at, 160)), EventKind::Dropout),
            [],
            "at {at}"
        );
    }
    assert_eq!(
        events(&pcm16(1, &with_zeros(35_700, 160)), EventKind::Dropout).len(),
        1
    );
}

/// A-law has no zero: its silence is +8 and -8.
#[test]
fn a_law_drops_out_to_its_idle_code() {
    use milliwatt_wire::g711::encode_a_law;
    let codes: Vec<u8> = with_zeros(16_000, 160)
        .into_iter()
        .map(encode_a_law)
        .collect();
    assert_eq!(
        events(&file(6, 1, 8000, 8, &codes), EventKind::Dropout).len(),
        1
    );
}

#[test]
fn two_dropouts_in_one_frame_are_two() {
    let mut samples = with_zeros(16_005, 45);
    samples[16_060..16_100].fill(0);
    samples[16_050..16_060].fill(9000);
    assert_eq!(events(&pcm16(1, &samples), EventKind::Dropout).len(), 2);
}

#[test]
fn clipping_is_three_samples_in_a_row_at_the_limit() {
    let clipped = |run: usize, value: i16| {
        let mut samples = tones(1004, 7000.0, 24_000);
        samples[16_078..16_078 + run].fill(value);
        events(&pcm16(1, &samples), EventKind::Clipping)
    };
    assert_eq!(clipped(2, 32_767), []);
    assert_eq!(clipped(3, 32_767), [(0, 16_078.0 / 8.0, 3.0 / 8.0)]);
    assert_eq!(
        clipped(3, -32_768),
        [(0, 16_078.0 / 8.0, 3.0 / 8.0)],
        "over the edge of a frame"
    );
    assert_eq!(clipped(5, 32_766), []);
}

#[test]
fn clipping_close_together_is_one_event() {
    let mut samples = vec![9000_i16; 24_000];
    for at in [8000, 8400, 8800, 12_000] {
        samples[at..at + 4].fill(i16::MAX);
    }
    samples[23_997..].fill(i16::MIN);
    let found = events(&pcm16(1, &samples), EventKind::Clipping);
    let expected = [(8000.0, 804.0), (12_000.0, 4.0), (23_997.0, 3.0)];
    assert_eq!(found, expected.map(|(at, n)| (0, at / 8.0, n / 8.0)));
}

/// The loudest code of each law is its limit.
#[test]
fn g711_clips_at_its_own_limit() {
    for (tag, loudest, below) in [(7, 0x80, 0x81), (6, 0xaa, 0xab)] {
        let of =
            |code: u8| events(&file(tag, 1, 8000, 8, &[code; 8000]), EventKind::Clipping).len();
        assert_eq!([loudest, below].map(of), [1, 0], "format {tag}");
    }
}

#[test]
fn a_channel_that_is_silent_throughout_is_one_way() {
    let left = tones(1004, 7000.0, 24_000);
    let mut samples: Vec<i16> = left.iter().flat_map(|s| [*s, 0]).collect();
    assert_eq!(
        events(&pcm16(2, &samples), EventKind::OneWay),
        [(1, 0.0, 3000.0)]
    );
    assert_eq!(
        events(&pcm16(2, &samples), EventKind::Silence),
        [(1, 500.0, 2000.0)]
    );
    samples[24_001..24_401].fill(7000);
    assert_eq!(events(&pcm16(2, &samples), EventKind::OneWay), []);
    samples[24_001..24_401].fill(0);
    // What sounds within the guards is a click of the call's setup, no audio.
    samples[1..801].fill(7000);
    assert_eq!(
        events(&pcm16(2, &samples).clone(), EventKind::OneWay).len(),
        1
    );
}
