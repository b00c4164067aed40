//! What encrypted media costs the tester: CPU time of its threads for each packet, beside that of plain media.

use crate::Bench;
use crate::one_way::{Pacer, pace};
use crate::ours::{self, CALLS, PACING, Pacing};
use crate::pairs::{Measured, Required, compare};

/// The pacing of every other comparison, with encrypted media.
const ENCRYPTED: &Pacing = &Pacing {
    args: &["--set", "media.srtp=true"],
    ..*PACING
};
/// Encrypted to plain: at most.
const REQUIRED: Required = Required::AtMost(1.5);

/// 500 streams: the pacing thread to a sink, then the receiving thread of a run whose guest sends all of it back.
pub(crate) fn compare_cpu(bench: &Bench) {
    println!(
        "  {} streams one way to a sink, {}, {} s; ratio of the pacing thread's CPU time a packet",
        CALLS * 2,
        PACING.said(),
        bench.seconds
    );
    let measure = |pacer| {
        let paced = pace(bench, pacer, CALLS * 2, PACING);
        let figure = paced["cpu_us_per_packet"].as_f64().unwrap();
        Measured {
            figure,
            said: format!("{figure:.3} us of CPU a packet sent"),
        }
    };
    let (encrypted, plain) = (|| measure(Pacer::Encrypted), || measure(Pacer::Ours(1)));
    compare_sides(bench, &encrypted, &plain);
    println!(
        "  {} streams each way in runs; ratio of the receiving thread's CPU time a packet",
        CALLS * 2
    );
    let measure = |pacing| {
        let run = ours::run(bench, CALLS, pacing);
        let figure = run.receiving_us_per_packet();
        Measured {
            figure,
            said: format!("{figure:.3} us of CPU a packet received; {}", run.said()),
        }
    };
    let (encrypted, plain) = (|| measure(ENCRYPTED), || measure(PACING));
    compare_sides(bench, &encrypted, &plain);
}

fn compare_sides(bench: &Bench, encrypted: &dyn Fn() -> Measured, plain: &dyn Fn() -> Measured) {
    let (encrypted, plain) = (("encrypted", encrypted), ("plain", plain));
    compare(bench.pairs, encrypted, plain, REQUIRED);
}
