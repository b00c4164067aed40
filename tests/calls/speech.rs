//! Calls of speech: its pauses are no silences, and what is missing of it is.

use super::assert_nothing_lost;
use crate::lab::{Lab, RunFolder};
use crate::recordings::{ffmpeg, octets, score};
use milliwatt_generator::speech::Speech;
use milliwatt_generator::voice::Voices;
use milliwatt_wire::id::{CallId, Party};
use milliwatt_wire::load::Codec;
use serde_json::Value;

const SEED: u64 = 7;
/// The silence put into party A's talk in call 1, ms.
const SILENT_MS: usize = 200;

/// Where in call 1 the first talk of party A after 2 s begins that goes on for 600 ms, ms from the call's start, rounded up
/// to a packet, and 200 ms later.
fn inside_talk(codec: Codec) -> usize {
    let rate = codec.sample_rate();
    let first = Voices::speech(SEED, codec).first(CallId(1)) as usize * 20;
    let talk = Speech::new(SEED, Party::A, rate).talk;
    let ms = |samples: usize| samples * 1000 / rate as usize;
    let begins = talk
        .iter()
        .filter(|spurt| ms(spurt.len()) >= 600)
        .map(|spurt| (ms(spurt.start) + 60_000 - first) % 60_000);
    let begin = begins.filter(|begin| *begin >= 2000).min().unwrap();
    begin.next_multiple_of(20) + 200
}

fn scenario(codec: &str, at_ms: usize) -> String {
    format!(
        "name = \"speech\"\ntitle = \"speech with one silence\"\nfor = \"{for_s}s\"\nseed = {SEED}\n\
         [media]\ncodec = \"{codec}\"\naudio = \"speech\"\n\
         [calls]\nconcurrent = 3\ntotal = 3\narrivals = \"10/s\"\nhold = \"{hold_s}s\"\n\
         [[known_silence]]\ncall = 1\nparty = \"A\"\nat = \"{at_ms}ms\"\nfor = \"{SILENT_MS}ms\"\n",
        for_s = at_ms / 1000 + 2,
        hold_s = at_ms / 1000 + 4,
    )
}

/// In both kinds of codec: the recordings of three calls of speech hold many pauses, and beside what was sent one silence:
/// the known one, at its place and of its length. Alone, without the reference, the pauses are silences too.
#[test]
fn pauses_of_speech_are_no_silences_and_a_hole_in_it_is() {
    for (codec, name) in [(Codec::Pcmu, "PCMU"), (Codec::G722, "G722")] {
        let Some(lab) = Lab::open(&[]) else { return };
        let at_ms = inside_talk(codec);
        let scenario = lab.write("speech.toml", &scenario(name, at_ms));
        let run = lab.run(scenario.to_str().unwrap(), &["--keep-recordings", "all"]);
        assert_nothing_lost(&run);
        assert_eq!(run.count("/recordings/scored"), 3, "{name}");
        let silences = events(&run, "silence");
        let [silence] = silences.as_slice() else {
            panic!("{name}: {silences:?}")
        };
        let text = silence["text"].as_str().unwrap();
        println!("{name}: silent for {SILENT_MS} ms at {at_ms} ms; {text}");
        assert!(
            text.starts_with("call 1: ") && text.contains("sent so"),
            "{name}: {text}"
        );
        let length = silence["duration_ms"].as_f64().unwrap();
        assert!((length - 200.0).abs() <= 20.0, "{name}: {length} ms");
        assert_eq!(run.count("/recordings/crossed_channels"), 0, "{name}");
        let alone = score(&run.path, &["recordings"]);
        assert!(
            alone["totals"]["silence_events"].as_u64().unwrap() > 6,
            "{name}: {alone}"
        );
    }
}

fn events(run: &RunFolder, kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(run.path.join("events.jsonl")).unwrap();
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["kind"] == kind).collect()
}

/// A file of two channels at 44.1 kHz, one 20 dB louder than the other, FLAC: the calls carry both, a channel a party, at
/// -26 dBov active (ITU-T P.56), and nothing in their recordings is a silence.
#[test]
fn a_file_of_any_format_is_resampled_and_levelled() {
    let Some(lab) = Lab::open(&["ffmpeg"]) else {
        return;
    };
    let parties = Party::BOTH.map(|party| Speech::new(3, party, 8000).samples);
    let both = parties[0].iter().zip(&parties[1]);
    let both: Vec<i16> = both.flat_map(|(a, b)| [*a, b / 10]).collect();
    let from = ["-f", "s16le", "-ar", "8000", "-ac", "2", "-i", "INPUT"];
    let to = ["-ar", "44100", "-f", "flac", "-"];
    let file = lab.path("speech.flac");
    std::fs::write(&file, ffmpeg(&[&from[..], &to].concat(), &octets(&both))).unwrap();
    let audio = format!("media.audio={}", file.display());
    let run = lab.run(
        "smoke",
        &[
            "--for",
            "10s",
            "--set",
            &audio,
            "--set",
            "calls.hold=12s",
            "--keep-recordings",
            "all",
        ],
    );
    assert_nothing_lost(&run);
    assert_eq!(
        (
            run.count("/recordings/scored"),
            run.count("/recordings/with_silence")
        ),
        (10, 0),
        "{:?}",
        events(&run, "silence")
    );
    let scored = score(&run.path, &["--levels", "recordings/call-00002.wav"]);
    for channel in 0..2 {
        let levels = &scored["recordings"][0]["levels"][channel];
        let active = levels["active_dbov"].as_f64().unwrap();
        println!("channel {channel}: active speech level {active:.2} dBov");
        assert!((active + 26.0).abs() < 1.5, "{levels}");
    }
}
