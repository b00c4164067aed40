//! Formats of samples, each by values that its definition gives.

use super::*;
use proptest::prelude::*;

#[track_caller]
fn samples_of(bytes: &[u8]) -> Vec<i16> {
    let mut wav = WavReader::open(bytes).unwrap();
    let mut samples = Vec::new();
    while wav.read(&mut samples).unwrap() {}
    samples
}

#[track_caller]
fn samples(tag: u16, bits: u16, data: &[u8]) -> Vec<i16> {
    samples_of(&file(tag, 1, 8000, bits, data))
}

#[test]
fn every_format_gives_half_scale_down_and_zero() {
    let half = [-16_384, 0];
    assert_eq!(samples(1, 8, &[64, 128]), half);
    assert_eq!(samples(1, 16, &[0, 0xc0, 0, 0]), half);
    assert_eq!(samples(1, 24, &[0, 0, 0xc0, 0, 0, 0]), half);
    assert_eq!(samples(1, 32, &[0, 0, 0, 0xc0, 0, 0, 0, 0]), half);
    assert_eq!(samples(3, 32, &[0, 0, 0, 0xbf, 0, 0, 0, 0]), half);
    let double = [(-0.5_f64).to_le_bytes(), 0_f64.to_le_bytes()].concat();
    assert_eq!(samples(3, 64, &double), half);
    assert_eq!(samples(7, 8, &[0x80, 0xff]), [32_124, 0]);
    assert_eq!(samples(6, 8, &[0xaa, 0xd5]), [32_256, 8]);
}

#[test]
fn float_beyond_full_scale_is_full_scale_and_no_number_is_silence() {
    let floats: Vec<u8> = [2.0_f32, -2.0, f32::NAN, f32::INFINITY]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    assert_eq!(samples(3, 32, &floats), [32_767, -32_768, 0, 32_767]);
}

/// A format chunk of ADPCM: blocks of `block` octets, with an extension.
fn adpcm(tag: u16, channels: u16, block: u16, extension: &[u8], data: &[u8]) -> Vec<u8> {
    let mut format = tag.to_le_bytes().to_vec();
    format.extend(channels.to_le_bytes());
    format.extend(8000_u32.to_le_bytes());
    format.extend(4000_u32.to_le_bytes());
    format.extend(block.to_le_bytes());
    format.extend(4_u16.to_le_bytes());
    format.extend(extension);
    riff(&[(b"fmt ", &format), (b"data", data)])
}

/// By hand: the head says 100 and index 0, a step of 7. Code 7 adds 15 * 7 / 8 = 13, and the index rises by 8 to a step
/// of 16; code 15 takes 15 * 16 / 8 = 30 away, and the step is 34; code 0 adds 34 / 8 = 4, the step 31; code 8 takes
/// 31 / 8 = 3 away.
#[test]
fn ima_adpcm_by_hand() {
    let block = [100, 0, 0, 0, 0xf7, 0x80, 0, 0];
    let bytes = adpcm(0x11, 1, 8, &[], &block);
    assert_eq!(samples_of(&bytes)[..5], [100, 113, 83, 87, 84]);
    assert_eq!(samples_of(&bytes).len(), 9);
}

/// Two channels: four octets of one, four of the other.
#[test]
fn ima_adpcm_of_two_channels_comes_in_groups_of_eight() {
    let block = [[100, 0, 0, 0, 200, 0, 0, 0], [0xf7, 0x80, 0, 0, 0, 0, 0, 0]].concat();
    let samples = samples_of(&adpcm(0x11, 2, 16, &[], &block));
    assert_eq!(samples.len(), 18);
    let left: Vec<i16> = samples.iter().step_by(2).copied().collect();
    assert_eq!(left[..5], [100, 113, 83, 87, 84]);
    assert_eq!(samples[..4], [100, 200, 113, 200]);
}

/// By hand: pair 1 is (512, -256), the step 16, the last two samples 30 and 20. They come first, the older one before.
/// Code 1 predicts (30 * 512 - 20 * 256) / 256 = 40, plus 1 * 16 is 56; its adaptation of 230 / 256 leaves the least
/// step. Code 15 stands for -1: (56 * 512 - 30 * 256) / 256 = 82, less 16 is 66.
#[test]
fn microsoft_adpcm_by_hand() {
    let block = [1, 16, 0, 30, 0, 20, 0, 0x1f];
    let bytes = adpcm(2, 1, 8, &[], &block);
    assert_eq!(samples_of(&bytes), [20, 30, 56, 66]);
}

/// The file's own pairs are used where it tells them: here pair 0 is (0, 0), so that code 1 is one step.
#[test]
fn microsoft_adpcm_uses_the_files_coefficients() {
    let mut extension = vec![32, 0, 4, 0, 7, 0];
    extension.extend([0; 28]);
    let bytes = adpcm(2, 1, 8, &extension, &[0, 16, 0, 30, 0, 20, 0, 0x10]);
    assert_eq!(samples_of(&bytes), [20, 30, 16, 0]);
}

#[test]
fn a_block_that_is_cut_off_gives_what_it_has() {
    let block = [
        100, 0, 0, 0, 0xf7, 0x80, 0, 0, 50, 0, 0, 0, 0xf7, 0x80, 0, 0, 1, 2,
    ];
    let samples = samples_of(&adpcm(0x11, 1, 8, &[], &block));
    assert_eq!(samples.len(), 18, "two blocks; the rest has no head");
}

proptest! {
    #[test]
    fn no_block_of_adpcm_makes_it_panic(
        tag in prop::sample::select(vec![2_u16, 0x11]),
        channels in 1_u16..6,
        block in 0_u16..80,
        extension in prop::collection::vec(any::<u8>(), 0..60),
        data in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let bytes = adpcm(tag, channels, block, &extension, &data);
        if let Ok(mut wav) = WavReader::open(bytes.as_slice()) {
            let mut samples = Vec::new();
            while wav.read(&mut samples).unwrap_or(false) {}
            prop_assert!(samples.len() <= data.len() * 2 + 2);
        }
    }
}
