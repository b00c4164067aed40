//! `milliwatt score --reference`: recordings beside the audio that was played into the calls.

use super::{pcm16, pcm16_of, score, silences};
use crate::cli::milliwatt_in;
use milliwatt_generator::speech::Speech;
use milliwatt_wire::id::Party;

/// 60 s of speech; in the recording it begins 2.5 s later. 200 ms of talk are missing at `hole`, counted in the speech.
fn recorded(speech: &[i16], hole: Option<usize>) -> Vec<i16> {
    let mut samples = vec![0; 20_000];
    samples.extend(speech);
    if let Some(hole) = hole {
        samples[20_000 + hole..20_000 + hole + 1600].fill(0);
    }
    samples
}

/// The middle of a stretch of talk of half a second and more, past the tenth.
fn inside_talk(speech: &Speech) -> usize {
    let mut talk = speech.talk.iter().skip(10);
    let long = talk.find(|spurt| spurt.len() > 4000).unwrap();
    long.start + 1000
}

#[test]
fn pauses_that_were_played_are_no_silences_and_what_is_missing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let speech = Speech::new(11, Party::A, 8000);
    let hole = inside_talk(&speech);
    let write = |name: &str, samples: &[i16]| {
        std::fs::write(folder.path().join(name), pcm16(samples)).unwrap();
    };
    write("played.wav", &speech.samples);
    write("good.wav", &recorded(&speech.samples, None));
    write("bad.wav", &recorded(&speech.samples, Some(hole)));
    let json = score(
        folder.path(),
        &["--reference", "played.wav", "good.wav", "bad.wav"],
    );
    let found = |n: usize| silences(&json["recordings"][n]);
    assert_eq!(found(0), []);
    let [(start, end)] = found(1)[..] else {
        panic!("{json}")
    };
    let at = f64::from(u32::try_from(20_000 + hole).unwrap()) / 8000.0;
    assert!(
        (start - at).abs() < 0.01 && (end - at - 0.2).abs() < 0.01,
        "{at}: {start} to {end}"
    );
    let alone = score(folder.path(), &["good.wav"]);
    assert!(silences(&alone["recordings"][0]).len() > 10, "{alone}");
}

/// The channels of a recording of both parties are swapped: both are crossed, and that is all.
#[test]
fn swapped_channels_are_crossed() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = Party::BOTH.map(|party| Speech::new(12, party, 8000).samples);
    let both = |left: &[i16], right: &[i16]| -> Vec<u8> {
        let turns = left
            .iter()
            .zip(right)
            .flat_map(|(left, right)| [*left, *right]);
        pcm16_of(2, &turns.collect::<Vec<i16>>())
    };
    let (right, swapped) = (both(&a, &b), both(&recorded(&b, None), &recorded(&a, None)));
    std::fs::write(folder.path().join("played.wav"), right).unwrap();
    std::fs::write(folder.path().join("swapped.wav"), swapped).unwrap();
    let json = score(folder.path(), &["--reference", "played.wav", "swapped.wav"]);
    let events = json["recordings"][0]["events"].as_array().unwrap().iter();
    let kinds: Vec<(&str, u64)> = events
        .map(|event| {
            (
                event["kind"].as_str().unwrap(),
                event["channel"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(kinds, [("crossed", 0), ("crossed", 1)], "{json}");
}

#[test]
fn a_reference_that_cannot_be_used_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.wav"), pcm16(&[1; 100])).unwrap();
    for (file, why) in [
        ("short.wav", "shorter than 1 s"),
        ("none.wav", "No such file"),
    ] {
        let outcome = milliwatt_in(folder.path(), &["score", "--reference", file, "x.wav"]);
        assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
        let named = outcome.stderr.contains(&format!("--reference {file}: "));
        assert!(named && outcome.stderr.contains(why), "{}", outcome.stderr);
    }
}
