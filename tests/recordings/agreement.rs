//! Sample by sample and edge by edge what ffmpeg says.

use super::{ffmpeg, missing, octets, pcm16, samples, score, silences, speech};
use milliwatt_generator::speech::Speech;
use milliwatt_scoring::recording::WavReader;
use milliwatt_wire::g711::{decode_a_law, decode_mu_law, encode_a_law, encode_mu_law};
use milliwatt_wire::id::Party;
use milliwatt_wire::load::Codec;

#[test]
fn every_sample_is_encoded_by_g711_as_ffmpeg_does() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let all: Vec<i16> = (i16::MIN..=i16::MAX).collect();
    for (law, encode) in [
        ("mulaw", encode_mu_law as fn(i16) -> u8),
        ("alaw", encode_a_law),
    ] {
        let args = [
            "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "INPUT", "-f", law, "-",
        ];
        let theirs = ffmpeg(&args, &octets(&all));
        let ours: Vec<u8> = all.iter().map(|sample| encode(*sample)).collect();
        assert_eq!(theirs.len(), 65_536);
        let differ: Vec<_> = all
            .iter()
            .zip(ours.iter().zip(&theirs))
            .filter(|(_, (a, b))| a != b)
            .collect();
        assert!(
            differ.is_empty(),
            "{law}: {} differ: {:?}",
            differ.len(),
            differ.first()
        );
    }
}

#[test]
fn every_code_is_decoded_by_g711_as_ffmpeg_does() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let all: Vec<u8> = (0..=u8::MAX).collect();
    for (law, decode) in [
        ("mulaw", decode_mu_law as fn(u8) -> i16),
        ("alaw", decode_a_law),
    ] {
        let args = [
            "-f", law, "-ar", "8000", "-ac", "1", "-i", "INPUT", "-f", "s16le", "-",
        ];
        let ours: Vec<i16> = all.iter().map(|code| decode(*code)).collect();
        assert_eq!(samples(&ffmpeg(&args, &all)), ours, "{law}");
    }
}

/// Both kinds of ADPCM, of one and two channels, as ffmpeg writes and reads them.
#[test]
fn adpcm_is_decoded_sample_by_sample_as_ffmpeg_does() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let source = octets(&speech(4, &[9000]));
    for codec in ["adpcm_ima_wav", "adpcm_ms"] {
        for channels in ["1", "2"] {
            let from = ["-f", "s16le", "-ar", "8000", "-ac", channels, "-i", "INPUT"];
            let file = ffmpeg(
                &[&from[..], &["-c:a", codec, "-f", "wav", "-"]].concat(),
                &source,
            );
            let theirs = samples(&ffmpeg(&["-i", "INPUT", "-f", "s16le", "-"], &file));
            let (mut ours, mut wav) = (Vec::new(), WavReader::open(file.as_slice()).unwrap());
            assert!(wav.format().encoding.is_adpcm());
            while wav.read(&mut ours).unwrap() {}
            assert!(
                ours.len() >= theirs.len() && theirs.len() > 31_000,
                "{codec}: {} {}",
                ours.len(),
                theirs.len()
            );
            let differs = ours.iter().zip(&theirs).position(|(a, b)| a != b);
            assert_eq!(differs, None, "{codec} of {channels} channels");
        }
    }
}

/// The same level and length; silencedetect has no frames and no guards, so that the silences lie between them, and speech
/// has no quiet sample for as long.
#[test]
fn silencedetect_finds_the_same_silences() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let places = [8000, 17_013, 33_333, 60_001];
    let path = folder.path().join("a.wav");
    std::fs::write(&path, pcm16(&speech(10, &places))).unwrap();
    let ours = silences(&score(folder.path(), &["a.wav"])["recordings"][0]);
    let detect = "silencedetect=n=-50dB:d=0.06,ametadata=print:file=-";
    let said = ffmpeg(
        &[
            "-i",
            path.to_str().unwrap(),
            "-af",
            detect,
            "-f",
            "null",
            "/dev/null",
        ],
        &[],
    );
    let said = String::from_utf8(said).unwrap();
    let of = |key: &str| -> Vec<f64> {
        let key = format!("lavfi.silence_{key}=");
        said.lines()
            .filter_map(|line| line.strip_prefix(&key)?.parse().ok())
            .collect()
    };
    let theirs: Vec<(f64, f64)> = of("start").into_iter().zip(of("end")).collect();
    assert_eq!((ours.len(), theirs.len()), (4, 4), "{ours:?} {theirs:?}");
    for ((start, end), (their_start, their_end)) in ours.into_iter().zip(theirs) {
        assert!(
            (start - their_start).abs() < 0.001 && (end - their_end).abs() < 0.001,
            "{start} to {end} s, theirs {their_start} to {their_end} s"
        );
    }
}

/// What ffmpeg encodes by G.722 we decode as it does, sample for sample from 0.3 s on: until then the states that both begin
/// with differ. What we encode it decodes to the same speech, with no more
/// error than what it encodes (to 1 dB; the delay, which is no whole number of samples, is most of it).
#[test]
fn g722_is_decoded_as_ffmpeg_does_and_encoded_for_it() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let rate = 16_000;
    let sent = Speech::new(1, Party::A, rate).samples;
    let pcm = ["-f", "s16le", "-ar", "16000", "-ac", "1"];
    let encode = [
        &pcm[..],
        &["-i", "INPUT", "-c:a", "g722", "-f", "g722", "-"],
    ]
    .concat();
    let decode = [
        "-f", "g722", "-i", "INPUT", "-f", "s16le", "-ar", "16000", "-",
    ];
    let codes = ffmpeg(&encode, &octets(&sent));
    let theirs = samples(&ffmpeg(&decode, &codes));
    let ours = Codec::G722.decode(&codes);
    assert_eq!(ours.len(), theirs.len());
    let settled = rate as usize * 3 / 10;
    let apart = (settled..ours.len())
        .filter(|n| ours[*n] != theirs[*n])
        .count();
    assert_eq!(apart, 0, "of {}", ours.len() - settled);

    let ratio_db = |codes: &[u8]| {
        let heard = samples(&ffmpeg(&decode, codes));
        let error = |delay: usize| {
            let pairs = sent.iter().zip(&heard[delay..]).skip(settled);
            let errors = pairs.map(|(sent, heard)| f64::from(*sent) - f64::from(*heard));
            errors.map(|error| error * error).sum::<f64>()
        };
        let least = (0..40).map(error).fold(f64::INFINITY, f64::min);
        let signal: f64 = sent[settled..].iter().map(|s| f64::from(*s).powi(2)).sum();
        10.0 * (signal / least).log10()
    };
    let [by_us, by_them] = [ratio_db(&Codec::G722.encode(&sent)), ratio_db(&codes)];
    assert!(
        by_us > by_them - 1.0 && by_them > 10.0,
        "{by_us:.1} and {by_them:.1} dB"
    );
}
