//! Memory that is touched and held while load is on.

use super::Work;
use milliwatt_wire::clock::mono_now;
use std::hint::black_box;
use std::sync::atomic::Ordering;

/// Touched between two looks at the orders, octets.
const STEP: usize = 16 << 20;
/// Octets of a page, at most one of which stays untouched.
const PAGE: usize = 4096;

/// Takes memory when load begins and gives it back when it ends, until all is over.
pub(super) fn hold_memory(work: &Work) {
    let asked = usize::try_from(work.asked.load.memory_octets).unwrap_or(usize::MAX);
    while let Some(mut stretch) = work.wait_on() {
        let mut held: Vec<u8> = Vec::new();
        if let Err(error) = held.try_reserve_exact(asked) {
            return work.fail(format!("{asked} octets of memory cannot be had: {error}"));
        }
        while held.len() < asked && work.goes_on(mono_now(), &mut stretch) {
            touch(&mut held, asked);
            work.made.memory.store(held.len() as u64, Ordering::Relaxed);
        }
        while work.goes_on(mono_now(), &mut stretch) {
            work.wait(stretch);
        }
        // Else it would be no part of what is held.
        black_box(&held);
        drop(held);
        work.made.memory.store(0, Ordering::Relaxed);
    }
}

/// Touches the next pages, each with content of its own, so that no host holds two of them as one.
fn touch(held: &mut Vec<u8>, asked: usize) {
    let from = held.len();
    held.resize(asked.min(from + STEP), 0xa5);
    for (number, page) in held.chunks_mut(PAGE).enumerate().skip(from / PAGE) {
        for (octet, of_number) in page.iter_mut().zip(number.to_ne_bytes()) {
            *octet = of_number;
        }
    }
}
