//! Sample by sample beside the reference.

use crate::reference::{Kept, Reference};
use crate::signals::{Random, coded, speech};
use crate::{CODECS, play};
use milliwatt_receiver::concealment::DELAY_SAMPLES;
use milliwatt_wire::load::{Codec, SAMPLES_PER_PACKET};
use proptest::prelude::*;

/// Packets of a pattern: 600 ms.
const PACKETS: usize = 30;

fn referred(codec: Codec, kept: Kept, codes: &[u8], lost: &[bool]) -> Vec<u8> {
    let mut reference = Reference::new(codec, kept);
    let packets = codes.chunks_exact(SAMPLES_PER_PACKET).zip(lost);
    packets
        .flat_map(|(packet, lost)| reference.packet((!lost).then_some(packet)))
        .collect()
}

/// Losses that come alone and in runs.
fn losses(random: &mut Random) -> Vec<bool> {
    let (begins, goes_on) = (1 + random.below(30), random.below(90));
    let mut losing = false;
    let packet = |_| {
        losing = random.below(100) < if losing { goes_on } else { begins };
        losing
    };
    (0..PACKETS).map(packet).collect()
}

/// 10,000 patterns of loss over speech-like signals, 48 million samples: every code word is the reference's.
#[test]
fn every_sample_of_speech_with_losses_is_that_of_the_standards_structure() {
    let mut random = Random(1);
    let (mut concealed, mut same) = (0_u32, 0_u32);
    for pattern in 0..10_000 {
        let codec = CODECS[pattern % 2];
        let codes = coded(codec, speech(&mut random, PACKETS * SAMPLES_PER_PACKET));
        let lost = losses(&mut random);
        let played = play(codec, &codes, |packet| lost[packet]);
        let expected = referred(codec, Kept::CodeWords, &codes, &lost);
        assert_eq!(
            played[..codes.len() - DELAY_SAMPLES],
            expected[DELAY_SAMPLES..],
            "{codec:?} {lost:?}"
        );
        let by_samples = referred(codec, Kept::Samples, &codes, &lost);
        let of_lost = played.iter().zip(&by_samples[DELAY_SAMPLES..]).enumerate();
        for (_, (ours, theirs)) in of_lost.filter(|(n, _)| lost[n / SAMPLES_PER_PACKET]) {
            concealed += 1;
            same += u32::from(ours == theirs);
        }
    }
    println!("{same} of {concealed} concealed samples are the same with a history of 16 bits");
    assert!(concealed > 1_000_000);
}

/// As long as only code words of packets are in the history, a history of samples says the same: an erasure of any
/// length after 60 ms without one.
#[test]
fn an_erasure_after_none_is_the_same_with_a_history_of_samples() {
    let mut random = Random(2);
    for pattern in 0..1000 {
        let codec = CODECS[pattern % 2];
        let codes = coded(codec, speech(&mut random, 12 * SAMPLES_PER_PACKET));
        let length = 1 + pattern % 5;
        let lost: Vec<bool> = (0..12).map(|n| (3..3 + length).contains(&n)).collect();
        let played = play(codec, &codes, |packet| lost[packet]);
        let expected = referred(codec, Kept::Samples, &codes, &lost);
        assert_eq!(
            played[..codes.len() - DELAY_SAMPLES],
            expected[DELAY_SAMPLES..],
            "{codec:?} {lost:?}"
        );
    }
}

proptest! {
    /// Any code words: without a loss what is played is what came, also where two codes have one value.
    #[test]
    fn a_stream_without_loss_is_bit_exact(
        codes in prop::collection::vec(any::<u8>(), 20 * SAMPLES_PER_PACKET),
        codec in prop::sample::select(&CODECS[..]),
    ) {
        let played = play(codec, &codes, |_| false);
        let heard = codes.len() - DELAY_SAMPLES;
        prop_assert_eq!(&played[..heard], &codes[..heard]);
    }

    /// Any code words with any losses: nothing panics, and the reference agrees here too.
    #[test]
    fn any_codes_with_any_losses_are_the_references(
        packets in prop::collection::vec((any::<[u8; SAMPLES_PER_PACKET]>(), any::<bool>()), 1..30),
        codec in prop::sample::select(&CODECS[..]),
    ) {
        let (codes, lost): (Vec<_>, Vec<bool>) = packets.into_iter().unzip();
        let codes = codes.concat();
        let played = play(codec, &codes, |packet| lost[packet]);
        let expected = referred(codec, Kept::CodeWords, &codes, &lost);
        let decoded = |codes: &[u8]| codes.iter().map(|c| crate::decode(codec, *c)).collect::<Vec<_>>();
        prop_assert_eq!(decoded(&played[..codes.len() - DELAY_SAMPLES]), decoded(&expected[DELAY_SAMPLES..]));
    }
}
