//! Files as they should be, and as they should not.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn error_of(bytes: &[u8]) -> String {
    score_recording(bytes, &Rules::default())
        .unwrap_err()
        .to_string()
}

#[test]
fn channels_are_told_apart_and_other_chunks_passed_over() {
    let plain = file(7, 2, 8000, 8, &[0x80, 0xff, 0x80, 0xff, 0x80]);
    let mut bytes = riff(&[(b"LIST", b"odd")]);
    bytes.extend(&plain[12..]);
    let mut wav = WavReader::open(bytes.as_slice()).unwrap();
    let mut samples = Vec::new();
    assert!(wav.read(&mut samples).unwrap());
    assert_eq!(
        (wav.format().channels, samples),
        (2, vec![32_124, 0, 32_124, 0]),
        "half a frame at the end is none"
    );
}

#[test]
fn format_chunks_of_18_octets_and_extensible_ones_are_read() {
    let plain = file(7, 1, 8000, 8, &[]);
    let mut eighteen = plain[20..36].to_vec();
    eighteen.extend([0, 0]);
    let encoding = |bytes: &[u8]| WavReader::open(bytes).unwrap().format().encoding.clone();
    let bytes = riff(&[(b"fmt ", &eighteen), (b"data", &[0x80])]);
    assert_eq!(encoding(&bytes), Encoding::MuLaw);
    let mut extensible = plain[20..36].to_vec();
    extensible[..2].copy_from_slice(&0xfffe_u16.to_le_bytes());
    extensible.extend([22, 0, 8, 0, 4, 0, 0, 0, 6, 0]);
    extensible.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]);
    let bytes = riff(&[(b"fmt ", &extensible), (b"data", &[0xaa])]);
    assert_eq!(encoding(&bytes), Encoding::ALaw);
}

#[test]
fn errors_say_what_was_expected() {
    assert!(error_of(b"ID3\x03").contains("expected it to begin with RIFF"));
    assert!(error_of(b"").contains("not a WAVE file"));
    let cut = file(7, 2, 8000, 8, &[1, 2]);
    assert!(error_of(&cut[..45]).contains("should hold 2 octets, the file has 1"));
    assert!(error_of(&file(0x31, 1, 8000, 8, &[])).contains("0x0031 (GSM 6.10) with 8 bits"));
    assert!(error_of(&file(0x22, 1, 8000, 1, &[])).contains("(TrueSpeech)"));
    assert!(error_of(&file(7, 0, 8000, 8, &[])).contains("expected 1 to 255 channels"));
    assert!(error_of(&file(7, 1, 4_000_000_000, 8, &[])).contains("100 to 768000 samples/s"));
    assert!(error_of(&riff(&[(b"data", &[1, 2])])).contains("no 'fmt '"));
    assert!(error_of(&file(7, 1, 8000, 8, &[])[..36]).contains("no 'data'"));
    assert!(error_of(&riff(&[(b"fmt ", &[7, 0])])).contains("expected at least 16"));
    assert!(error_of(&file(1, 1, 8000, 16, &[])).ends_with("holds not one sample"));
}

#[test]
fn a_length_of_0_before_audio_says_that_the_writer_was_stopped() {
    let mut bytes = pcm16(1, &[5; 8000]);
    bytes[40..44].copy_from_slice(&0_u32.to_le_bytes());
    assert!(error_of(&bytes).contains("was its writer stopped"));
}

/// A chunk that says it is longer than the file is no reason to set so much memory aside, nor to go on.
#[test]
fn lying_lengths_are_told() {
    let mut bytes = pcm16(1, &[5; 8000]);
    bytes[40..44].copy_from_slice(&0x9000_0000_u32.to_le_bytes());
    assert_eq!(
        error_of(&bytes),
        "cut off: chunk 'data' should hold 2415919104 octets, the file has 16000 left of it"
    );
    let mut bytes = pcm16(1, &[5; 8000]);
    bytes[16..20].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    assert!(
        error_of(&bytes).contains("cut off: chunk 'fmt '"),
        "{}",
        error_of(&bytes)
    );
}

#[test]
fn data_of_unknown_size_reach_to_the_end() {
    let mut bytes = file(7, 1, 8000, 8, &[0x80, 0x80, 0x80]);
    bytes[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes.pop(); // the pad octet
    assert!((score_with(&bytes, &Rules::default()).seconds - 3.0 / 8000.0).abs() < 1e-12);
}

/// More than 4 GiB: the length stands in a chunk of its own.
#[test]
fn an_rf64_file_tells_its_length_apart() {
    let plain = file(7, 1, 8000, 8, &[0x80; 100]);
    let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64".to_vec();
    bytes.extend(28_u32.to_le_bytes());
    for length in [1000_u64, 50, 50] {
        bytes.extend(length.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(&plain[12..40]);
    bytes.extend(u32::MAX.to_le_bytes());
    bytes.extend([0x80; 60]);
    let seconds = score_with(&bytes, &Rules::default()).seconds;
    assert!(
        (seconds - 50.0 / 8000.0).abs() < 1e-12,
        "50 of the 60 octets"
    );
}

#[test]
fn a_source_that_fails_is_no_short_file() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk on fire"))
        }
    }
    let error = score_recording(Failing, &Rules::default()).unwrap_err();
    assert_eq!(error, WavError::Read("disk on fire".to_owned()));
}

proptest! {
    #[test]
    fn no_octets_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(score_recording(bytes.as_slice(), &Rules::default()).is_err());
    }

    #[test]
    fn no_spoiled_file_makes_it_panic(at in 0_usize..60, octet in any::<u8>(), cut in 0_usize..60) {
        let mut bytes = file(1, 2, 8000, 24, &[7; 16]);
        bytes[at.min(59)] = octet;
        bytes.truncate(bytes.len() - cut);
        let rules = Rules { levels: true, tones_hz: vec![1004], ..Rules::default() };
        drop(score_recording(bytes.as_slice(), &rules));
    }

    /// However the octets come, the recording is the same.
    #[test]
    fn reading_in_pieces_changes_nothing(seed in any::<u32>(), piece in 1_usize..5000) {
        struct Pieces<'b>(&'b [u8], usize);
        impl Read for Pieces<'_> {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                let most = into.len().min(self.1);
                Read::read(&mut self.0, &mut into[..most])
            }
        }
        let mut samples = tones(1004, 7000.0, 40_000);
        let at = 8000 + seed as usize % 20_000;
        samples[at..at + 700].fill(0);
        let bytes = pcm16(2, &samples);
        let rules = Rules { levels: true, tones_hz: vec![1004], ..Rules::default() };
        let whole = score_recording(bytes.as_slice(), &rules).unwrap();
        prop_assert_eq!(score_recording(Pieces(&bytes, piece), &rules).unwrap(), whole);
    }
}
