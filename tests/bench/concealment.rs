//! What concealment costs a guest: CPU time of a packet that is there, of one that is not, and of the first one after,
//! for one stream (whose state the processor has at hand) and for 500 in turns.
//!
//!     cargo bench --bench concealment

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends at the first thing that is not as it should be"
)]
#![expect(clippy::print_stdout, reason = "its output is its result")]

use milliwatt_receiver::concealment::Concealer;
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::load::{Codec, SAMPLES_PER_PACKET};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;

/// Times that each pattern is played by each stream, of which the fastest counts.
const ROUNDS: usize = 200;
/// Packets that are there before the first that is not: the history is theirs.
const BEFORE: usize = 4;
/// Packets that are not there: 80 ms.
const LOST: usize = 4;

type Packet = [u8; SAMPLES_PER_PACKET];

fn main() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let packets: Vec<Packet> = (0..64).map(|_| noise(&mut random)).collect();
    for codec in [Codec::Pcmu, Codec::Pcma] {
        for streams in [1, 500] {
            println!("{codec:?}, {streams} streams, ns a packet:");
            for (what, ns) in measure(codec, streams, &packets) {
                println!("  {what:<40}{ns:>8.0}");
            }
        }
    }
}

fn noise(random: &mut ChaCha8Rng) -> Packet {
    std::array::from_fn(|_| random.random())
}

/// The least mean over all streams, of each step of the pattern.
fn measure(codec: Codec, streams: usize, packets: &[Packet]) -> Vec<(String, f64)> {
    let mut concealers = vec![Concealer::of(codec).unwrap(); streams];
    let steps = BEFORE + LOST + 1;
    let mut least = vec![i64::MAX; steps];
    for _ in 0..ROUNDS {
        for (step, least) in least.iter_mut().enumerate() {
            let is_lost = (BEFORE..BEFORE + LOST).contains(&step);
            let began = mono_now();
            for (concealer, packet) in concealers.iter_mut().zip(packets.iter().cycle()) {
                black_box(concealer.play((!is_lost).then_some(packet)));
            }
            *least = (*least).min(mono_now() - began);
        }
    }
    let name = |step: usize| match step.checked_sub(BEFORE) {
        None => "there".to_owned(),
        Some(lost) if lost < LOST => format!("not there, from {} ms on", 20 * lost),
        Some(_) => "there again".to_owned(),
    };
    #[expect(clippy::cast_precision_loss, reason = "some milliseconds in ns")]
    let mean = |ns: i64| ns as f64 / streams as f64;
    let steps = least.into_iter().enumerate().skip(BEFORE - 1);
    steps.map(|(step, ns)| (name(step), mean(ns))).collect()
}
