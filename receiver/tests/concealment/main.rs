//! Concealment of lost packets, held against what ITU-T G.711 Appendix I says of it: by hand where a signal allows
//! that, and against a transcription of the standard's structure everywhere else.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured is part of the proof: --nocapture shows it"
)]

mod agreement;
mod by_hand;
mod reference;
mod signals;

use milliwatt_receiver::concealment::{Concealer, DELAY_SAMPLES};
use milliwatt_wire::g711;
use milliwatt_wire::load::{Codec, SAMPLES_PER_PACKET};

const CODECS: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

fn decode(codec: Codec, code: u8) -> i16 {
    match codec {
        Codec::G722 => panic!("no Appendix I"),
        Codec::Pcmu => g711::decode_mu_law(code),
        Codec::Pcma => g711::decode_a_law(code),
    }
}

fn encode(codec: Codec, sample: i16) -> u8 {
    match codec {
        Codec::G722 => panic!("no Appendix I"),
        Codec::Pcmu => g711::encode_mu_law(sample),
        Codec::Pcma => g711::encode_a_law(sample),
    }
}

/// Plays packets, of which those are not there that `lost` says, and takes the delay out again: sample n of what comes
/// back stands where sample n of the packets did. It ends with silence in place of the last samples.
fn play(codec: Codec, codes: &[u8], lost: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut concealer = Concealer::of(codec).unwrap();
    let packets = codes.chunks_exact(SAMPLES_PER_PACKET).enumerate();
    let mut played: Vec<u8> = packets
        .flat_map(|(index, packet)| {
            let packet: &[u8; SAMPLES_PER_PACKET] = packet.try_into().unwrap();
            concealer.play((!lost(index)).then_some(packet))
        })
        .collect();
    played.extend(concealer.rest());
    let before: Vec<u8> = played.drain(..DELAY_SAMPLES).collect();
    assert_eq!(before, [codec.idle_code(); DELAY_SAMPLES]);
    played.truncate(codes.len());
    played
}

/// The same, decoded.
fn heard(codec: Codec, codes: &[u8], lost: impl Fn(usize) -> bool) -> Vec<i32> {
    let played = play(codec, codes, lost);
    played.iter().map(|c| decode(codec, *c).into()).collect()
}
