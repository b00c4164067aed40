//! A thread that uses a part of a processor.

use super::{Doing, DutyCycle, Work};
use milliwatt_wire::clock::mono_now;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::sync::atomic::Ordering;

/// Steps of work between two looks at the clock: some 50 us.
const STEPS: u32 = 40_000;

/// Uses a processor in the stretches in which load is on, until all is over.
pub(super) fn use_processor(work: &Work, index: u32) {
    let load = work.asked.load;
    while let Some(mut stretch) = work.wait_on() {
        let mut now = mono_now();
        let mut duty = DutyCycle::new(load.percent, (index, load.cores), now);
        while work.goes_on(now, &mut stretch) {
            let used = own_cpu_ns();
            if let Some(counter) = usize::try_from(index)
                .ok()
                .and_then(|i| work.made.cpu.get(i))
            {
                counter.store(used.unsigned_abs(), Ordering::Relaxed);
            }
            match duty.at(now, used) {
                Doing::Work => work_a_little(),
                Doing::SleepUntil(until) => work.wait(stretch.no_later(until)),
            }
            now = mono_now();
        }
    }
}

/// CPU time that this thread has used, ns.
fn own_cpu_ns() -> i64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec * 1_000_000_000 + used.tv_nsec
}

/// Arithmetic that waits for nothing: a linear congruential generator (Knuth's MMIX).
fn work_a_little() {
    let mut state = black_box(1_u64);
    for _ in 0..STEPS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
    }
    black_box(state);
}
