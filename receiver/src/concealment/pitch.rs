//! The pitch period of the last 20 ms of a signal.

use super::{HISTORY, PERIOD_MAX};

/// Samples compared: 20 ms.
const COMPARED: usize = 160;
/// Shortest period looked for, samples: 5 ms, which is 200 Hz.
const PERIOD_MIN: usize = 40;
/// Of the samples compared, each second one in the coarse search.
const DECIMATION: usize = 2;
/// Least energy that a correlation is divided by: silence is like nothing.
const ENERGY_MIN: i64 = 250;

/// The period, 40 to 120 samples (5 to 15 ms), by which the last 20 ms are most like what came before them: the
/// largest cross-correlation, normalised by the energy of what is compared. The coarse search looks at each second
/// period and sample and takes the shortest of equals, the fine one at its neighbours, and takes the longest.
pub(super) fn period(history: &[i16; HISTORY]) -> usize {
    let coarse = coarse(history);
    let periods = (coarse - 1).max(PERIOD_MIN)..=(coarse + 1).min(PERIOD_MAX);
    let last = &history[HISTORY - COMPARED..];
    let like = |period: usize| {
        let before = &history[HISTORY - COMPARED - period..][..COMPARED];
        (likeness(before, last), period)
    };
    // Of equals, `max_by` takes the last.
    let best = periods.map(like).max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(coarse, |(_, period)| period)
}

fn coarse(history: &[i16; HISTORY]) -> usize {
    const THINNED: usize = (COMPARED + PERIOD_MAX) / DECIMATION;
    let from = HISTORY - COMPARED - PERIOD_MAX;
    let thinned: [i16; THINNED] = std::array::from_fn(|i| history[from + DECIMATION * i]);
    let last = &thinned[PERIOD_MAX / DECIMATION..];
    let like = |shift: usize| {
        let before = &thinned[shift..][..COMPARED / DECIMATION];
        (likeness(before, last), shift)
    };
    let shifts = 0..=(PERIOD_MAX - PERIOD_MIN) / DECIMATION;
    let best = shifts.map(like).max_by(|a, b| a.0.total_cmp(&b.0));
    PERIOD_MAX - DECIMATION * best.map_or(0, |(_, shift)| shift)
}

/// Cross-correlation by the root of the energy of what came before.
#[expect(clippy::cast_precision_loss, reason = "160 products of 16 bits each")]
fn likeness(before: &[i16], last: &[i16]) -> f64 {
    let (mut correlation, mut energy) = (0, 0);
    for (before, last) in before.iter().zip(last) {
        let (before, last) = (i32::from(*before), i32::from(*last));
        correlation += i64::from(before * last);
        energy += i64::from(before * before);
    }
    correlation as f64 / (energy.max(ENERGY_MIN) as f64).sqrt()
}
