//! The one place that reads this host's clocks and sleeps by them; everything else takes time as
//! an argument.

use crate::time::{MonoTime, NS_PER_MS, NS_PER_SECOND};
use rustix::io::Errno;
use rustix::thread::{clock_nanosleep_absolute, set_current_timer_slack};
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// This host's `CLOCK_MONOTONIC`, ns; the clock that everything is measured by.
#[must_use]
pub fn mono_now() -> MonoTime {
    MonoTime(read_ns(ClockId::Monotonic))
}

/// This host's `CLOCK_REALTIME`, ns since 1970: for labels, and for kernel stamps, which are in it.
#[must_use]
pub fn wall_now() -> i64 {
    read_ns(ClockId::Realtime)
}

fn read_ns(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec * NS_PER_SECOND + now.tv_nsec
}

/// Sleeps until the monotonic clock shows `due`; returns at once when it already does. An absolute
/// time, so that a signal or a preemption on the way in adds nothing to the sleep.
pub fn sleep_until(due: MonoTime) {
    // The kernel arms a timer and gives up the processor even for a time that is past: 25 us in a
    // virtual machine. A thread that stood for 700 ms has 2800 slots to go through, and would keep
    // its processor from every other thread for 70 ms.
    if mono_now() >= due {
        return;
    }
    let ns = due.0.max(0);
    let due = Timespec {
        tv_sec: ns / NS_PER_SECOND,
        tv_nsec: ns % NS_PER_SECOND,
    };
    while clock_nanosleep_absolute(ClockId::Monotonic, &due) == Err(Errno::INTR) {}
}

/// Reads the clock until it shows `due`: exact, at the price of a whole processor.
pub fn spin_until(due: MonoTime) {
    while mono_now() < due {
        std::hint::spin_loop();
    }
}

/// How a thread waits for a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SleepMode {
    /// Sleeps until the kernel's timer wakes it.
    #[default]
    Sleep,
    /// Sleeps until [`SPUN_NS`] before, then reads the clock.
    Hybrid,
    /// Reads the clock all the time.
    Spin,
}

/// The part of a wait that `hybrid` spins, ns: what a wake-up is late by in a quiet virtual machine, and half as
/// much again.
pub const SPUN_NS: i64 = 100_000;

impl SleepMode {
    /// Waits until the monotonic clock shows `due`; returns at once when it already does.
    pub fn wait_until(self, due: MonoTime) {
        match self {
            Self::Sleep => sleep_until(due),
            Self::Hybrid => {
                sleep_until(due + -SPUN_NS);
                spin_until(due);
            }
            Self::Spin => spin_until(due),
        }
    }

    /// Its name, as on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::Hybrid => "hybrid",
            Self::Spin => "spin",
        }
    }
}

/// Lets the calling thread's timers fire within 1 ns instead of the default 50 us after due.
/// Real-time threads have no slack anyway.
pub fn set_timer_slack_1ns() -> std::io::Result<()> {
    Ok(set_current_timer_slack(NonZeroU64::new(1))?)
}

/// Identity of the running kernel since its boot: two processes that read the same one read the
/// same clocks. None where the system does not tell.
#[must_use]
pub fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Both clocks of this host at one instant: maps kernel stamps (wall) to the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockPair {
    /// The monotonic clock.
    pub mono: MonoTime,
    /// The wall clock at the same instant, ns since 1970.
    pub wall: i64,
}

impl ClockPair {
    /// Reads the pair: the wall clock between two monotonic readings, whose middle is taken; the
    /// tightest of three attempts, since a preemption between the readings would show as an offset.
    #[must_use]
    pub fn read() -> Self {
        let attempts = [Self::attempt(), Self::attempt(), Self::attempt()];
        let [first, second, third] = attempts;
        [second, third]
            .into_iter()
            .fold(
                first,
                |best, next| if next.0 < best.0 { next } else { best },
            )
            .1
    }

    /// How long the reading took, ns, and the pair.
    fn attempt() -> (i64, Self) {
        let before = mono_now();
        let wall = wall_now();
        let width = mono_now() - before;
        (
            width,
            Self {
                mono: before + width / 2,
                wall,
            },
        )
    }

    /// The monotonic time of a wall time, ns since 1970. Exact only for instants between which and
    /// this reading the wall clock was not stepped: read a new pair with each batch.
    #[must_use]
    pub fn mono_of(&self, wall_ns: i64) -> MonoTime {
        self.mono + (wall_ns - self.wall)
    }

    /// How far the wall clock moved against the monotonic one since `earlier`, ns: a step, or the
    /// slewing of NTP (at most 500 ppm).
    #[must_use]
    pub fn wall_step_since(&self, earlier: &Self) -> i64 {
        (self.wall - earlier.wall) - (self.mono - earlier.mono)
    }
}

/// A change of the wall clock against the monotonic one within milliseconds beyond this is a step, ns: slewing moves
/// it by 500 ppm at most.
const STEP_NS: i64 = NS_PER_MS;

/// Maps kernel stamps (wall) to the monotonic clock, also those of datagrams that waited while the wall clock was
/// stepped: mapped by a pair of after the step alone, they would have come as much too early.
#[derive(Clone, Copy, Debug)]
pub struct StampClock {
    pair: ClockPair,
    /// The pair before, where the wall clock was stepped between the two.
    before_step: Option<ClockPair>,
}

impl StampClock {
    /// Maps by this pair, until the next.
    #[must_use]
    pub fn new(pair: ClockPair) -> Self {
        Self {
            pair,
            before_step: None,
        }
    }

    /// Maps by this pair from now on. Stamps up to the next call are of the time between the pair before and now.
    pub fn turn(&mut self, pair: ClockPair) {
        let stepped = pair.wall_step_since(&self.pair).saturating_abs() > STEP_NS;
        self.before_step = stepped.then_some(self.pair);
        self.pair = pair;
    }

    /// The monotonic time of a stamp. Around a step there are two, of which the one counts that lies nearer to the
    /// time in which it must have been made.
    #[must_use]
    pub fn mono_of(&self, wall_ns: i64) -> MonoTime {
        let by_this = self.pair.mono_of(wall_ns);
        let Some(before) = self.before_step else {
            return by_this;
        };
        let by_that = before.mono_of(wall_ns);
        let outside = |at: MonoTime| (before.mono - at).max(at - self.pair.mono).max(0);
        if outside(by_that) < outside(by_this) {
            by_that
        } else {
            by_this
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_at_due_or_later_and_one_into_the_past_at_once() {
        let due = mono_now() + 2 * NS_PER_MS;
        sleep_until(due);
        let woken = mono_now();
        assert!(woken >= due);
        sleep_until(MonoTime(-1));
        sleep_until(woken);
        assert!(mono_now() - woken < NS_PER_SECOND);
    }

    #[test]
    fn no_mode_returns_before_due() {
        for mode in [SleepMode::Sleep, SleepMode::Hybrid, SleepMode::Spin] {
            let due = mono_now() + NS_PER_MS;
            mode.wait_until(due);
            assert!(mono_now() >= due, "{}", mode.name());
        }
    }

    #[test]
    fn a_pair_lies_between_readings_taken_around_it() {
        let (mono_before, wall_before) = (mono_now(), wall_now());
        let pair = ClockPair::read();
        assert!(mono_before <= pair.mono && pair.mono <= mono_now());
        assert!(wall_before <= pair.wall && pair.wall <= wall_now());
    }

    #[test]
    fn a_wall_time_maps_by_its_distance_from_the_pair() {
        let pair = ClockPair {
            mono: MonoTime(1_000),
            wall: 900_000,
        };
        assert_eq!(pair.mono_of(900_000), MonoTime(1_000));
        assert_eq!(pair.mono_of(899_400), MonoTime(400));
    }

    #[test]
    fn a_step_is_what_wall_moved_beyond_mono() {
        let earlier = ClockPair {
            mono: MonoTime(0),
            wall: 5_000,
        };
        let later = ClockPair {
            mono: MonoTime(100),
            wall: 5_070,
        };
        assert_eq!(later.wall_step_since(&earlier), -30);
    }

    /// Read each millisecond; between the second and the third reading the wall clock is stepped. Datagrams come
    /// 0.3 ms before the step and 0.2 ms after it; a later one is mapped as ever.
    #[test]
    fn a_step_of_the_wall_clock_moves_no_arrival() {
        for step in [
            NS_PER_SECOND,
            -NS_PER_SECOND,
            5 * NS_PER_MS,
            -3600 * NS_PER_SECOND,
        ] {
            let wall_zero = 1_700_000_000 * NS_PER_SECOND;
            let pair = |mono: i64, step: i64| ClockPair {
                mono: MonoTime(mono),
                wall: wall_zero + mono + step,
            };
            let mut stamps = StampClock::new(pair(0, 0));
            stamps.turn(pair(NS_PER_MS, 0));
            let stepped_at = NS_PER_MS + NS_PER_MS / 2;
            stamps.turn(pair(2 * NS_PER_MS, step));
            let (before, after) = (stepped_at - 300_000, stepped_at + 200_000);
            assert_eq!(
                stamps.mono_of(wall_zero + before),
                MonoTime(before),
                "{step}"
            );
            assert_eq!(
                stamps.mono_of(wall_zero + after + step),
                MonoTime(after),
                "{step}"
            );
            stamps.turn(pair(3 * NS_PER_MS, step));
            let later = 3 * NS_PER_MS - 10;
            assert_eq!(
                stamps.mono_of(wall_zero + later + step),
                MonoTime(later),
                "{step}"
            );
        }
    }

    #[test]
    fn the_boot_id_stays_and_the_timer_slack_can_be_set() {
        assert_eq!(boot_id(), boot_id());
        set_timer_slack_1ns().expect("Linux lets each thread choose its slack");
    }
}
