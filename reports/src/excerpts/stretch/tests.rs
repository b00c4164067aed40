use super::super::clip::{data_uri, wav};
use super::*;
use crate::plots::COLUMNS;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const RATE: u32 = 8000;

/// Frames of two channels: sample n of channel 0 is n modulo 1000, of channel 1 that below zero.
fn counted(frames: u64) -> Stretch {
    let samples = (0..frames).flat_map(|n| {
        let n = i16::try_from(n % 1000).unwrap();
        [n, -n]
    });
    Stretch {
        sample_rate: RATE,
        channels: 2,
        first: 0,
        samples: samples.collect(),
    }
}

fn span(start_s: f64, from_s: f64, to_s: f64) -> Span {
    Span {
        file: "1.wav".to_owned(),
        channel: 0,
        start_s,
        from_s,
        to_s,
        is_cut: false,
    }
}

fn cut(file: &[u8], span: &Span) -> Result<Stretch, NoAudio> {
    Stretch::cut(file, span)
}

/// 20 s are several pieces of a file as it is read; the span begins in one and ends in another.
#[test]
fn exactly_the_samples_of_the_span_are_cut_out() {
    let whole = counted(20 * u64::from(RATE));
    let found = cut(&wav(&whole), &span(3.0, 2.000_125, 9.5)).unwrap();
    // 2.000125 s are 16,001 samples, 9.5 s are 76,000.
    assert_eq!(
        (found.first, found.channels, found.sample_rate),
        (16_001, 2, RATE)
    );
    assert_eq!(found.samples, whole.samples[2 * 16_001..2 * 76_000]);
    assert!((found.from_s() - 2.000_125).abs() < 1e-9 && (found.to_s() - 9.5).abs() < 1e-9);
}

#[test]
fn a_recording_that_ends_within_the_span_gives_what_it_has() {
    let found = cut(&wav(&counted(16_100)), &span(2.0, 1.0, 3.2)).unwrap();
    assert_eq!((found.first, found.frames()), (8_000, 8_100));
}

#[test]
fn a_clip_decoded_again_is_the_stretch() {
    let stretch = cut(&wav(&counted(30_000)), &span(1.5, 0.5, 2.75)).unwrap();
    let uri = data_uri(&stretch);
    let text = uri.strip_prefix("data:audio/wav;base64,").unwrap();
    let file = STANDARD.decode(text).unwrap();
    // 2.25 s of 8000 frames of 4 octets, after 44 of header.
    assert_eq!(file.len(), 44 + 72_000);
    let mut reader = WavReader::open(file.as_slice()).unwrap();
    assert_eq!(
        (reader.format().channels, reader.format().sample_rate),
        (2, RATE)
    );
    let mut samples = Vec::new();
    while reader.read(&mut samples).unwrap() {}
    assert_eq!(samples, stretch.samples);
}

/// 3 s are 24,000 frames; silent are frames 8,000 to 15,999 of channel 1. Of 846 columns of 28.37 frames, those from the
/// 283rd (frames 8,000.0 ff: 282 x 24,000 / 846 = 8,000) to the 564th (563 x 24,000 / 846 + 28.37 = 16,000) are flat.
#[test]
fn a_silence_is_flat_in_its_pixel_columns_and_nowhere_else() {
    assert_eq!(COLUMNS, 846);
    let frames = 0..24_000_u32;
    let samples = frames.flat_map(|n| {
        let loud = if n % 2 == 0 { 16_384 } else { -8_192 };
        [
            loud,
            if (8_000..16_000).contains(&n) {
                0
            } else {
                loud
            },
        ]
    });
    let stretch = Stretch {
        sample_rate: RATE,
        channels: 2,
        first: 0,
        samples: samples.collect(),
    };
    for (channel, flat) in [(0, 0..0), (1, 282..564)] {
        let envelope = stretch.envelope(channel, COLUMNS);
        assert_eq!(envelope.len(), COLUMNS);
        for (column, found) in envelope.into_iter().enumerate() {
            let expected = if flat.contains(&column) {
                (0.0, 0.0)
            } else {
                (-0.25, 0.5)
            };
            assert_eq!(found, expected, "channel {channel}, column {column}");
        }
    }
}

#[test]
fn more_columns_than_samples_show_each_sample_in_turn() {
    let stretch = Stretch {
        sample_rate: RATE,
        channels: 1,
        first: 0,
        samples: vec![16_384, -16_384],
    };
    let envelope = stretch.envelope(0, 4);
    assert_eq!(
        envelope,
        [(0.5, 0.5), (0.5, 0.5), (-0.5, -0.5), (-0.5, -0.5)]
    );
    let empty = Stretch {
        samples: Vec::new(),
        ..stretch
    };
    assert!(empty.envelope(0, 4).is_empty());
}

#[test]
fn what_is_no_recording_of_a_run_is_said_to_be_none() {
    let mut foreign = counted(100);
    foreign.channels = 5;
    let error = cut(&wav(&foreign), &span(0.0, 0.0, 1.0)).unwrap_err();
    assert!(
        matches!(error, NoAudio::Foreign { channels: 5, .. }),
        "{error}"
    );
    foreign.channels = 2;
    foreign.sample_rate = 96_000;
    let error = cut(&wav(&foreign), &span(0.0, 0.0, 1.0)).unwrap_err();
    assert!(
        matches!(
            error,
            NoAudio::Foreign {
                sample_rate: 96_000,
                ..
            }
        ),
        "{error}"
    );
    let error = cut(b"RIFF, they said", &span(0.0, 0.0, 1.0)).unwrap_err();
    assert!(matches!(error, NoAudio::Damaged(_)), "{error}");
}

#[test]
fn a_recording_without_the_silence_is_another_one() {
    let file = wav(&counted(8_000));
    for (span, what) in [
        (span(1.0, 0.0, 2.0), "it begins at the end"),
        (span(1e300, 1e300, 1e301), "beyond any file"),
        (
            Span {
                channel: 2,
                ..span(0.5, 0.0, 2.0)
            },
            "no such channel",
        ),
    ] {
        assert_eq!(cut(&file, &span), Err(NoAudio::Beyond), "{what}");
    }
}

/// Cut off anywhere, or with any octet changed, a recording gives samples or an error.
#[test]
fn no_damage_is_worse_than_an_error() {
    let file = wav(&counted(4_000));
    let span = span(0.25, 0.0, 0.4);
    for length in 0..200.min(file.len()) {
        assert!(cut(&file[..length], &span).is_err(), "{length}");
    }
    // 0.4 s lie in the first piece that is read: the rest of the file must be there all the same.
    assert!(cut(&file[..file.len() - 1], &span).is_err());
    for place in 0..44 {
        for value in [0, 1, 0x7f, 0xff] {
            let mut damaged = file.clone();
            damaged[place] = value;
            if let Ok(stretch) = cut(&damaged, &span) {
                assert!(
                    stretch.samples.len() <= 2 * 48_000,
                    "octet {place} is {value}"
                );
            }
        }
    }
}
