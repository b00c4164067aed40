//! How a thread uses a part of a processor: in each period it works until it has used its share of it, then sleeps.

use milliwatt_wire::time::{MonoTime, NS_PER_MS};

/// Length of a period, ns. A share of it is a few scheduler ticks at least, and a second has ten.
pub const PERIOD_NS: i64 = 100 * NS_PER_MS;

/// What a thread is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Use the processor for a little, then ask again.
    Work,
    /// Nothing until then.
    SleepUntil(MonoTime),
}

/// The duty cycle of a thread in a stretch of load.
///
/// What counts is the CPU time that it got, not the time that passed: a processor that is taken away is asked for again
/// within the same period. What a whole period did not give is not made up for in a later one, so that the load never
/// exceeds what was asked in any period.
#[derive(Clone, Debug)]
pub struct DutyCycle {
    share: i64,
    /// Its first period begins.
    from: MonoTime,
    /// The period it is in, and the CPU time it had used at its begin.
    period: Option<(i64, i64)>,
}

impl DutyCycle {
    /// `percent` of a processor, 1 to 100, in a stretch that begins at `now`; of thread `index` of `threads`, whose periods
    /// begin by turns.
    #[must_use]
    pub fn new(percent: u8, (index, threads): (u32, u32), now: MonoTime) -> Self {
        Self {
            share: PERIOD_NS / 100 * i64::from(percent.min(100)),
            from: now + PERIOD_NS * i64::from(index) / i64::from(threads.max(1)),
            period: None,
        }
    }

    /// What to do at `now`, having used `used` ns of CPU time so far.
    pub fn at(&mut self, now: MonoTime, used: i64) -> Doing {
        // All of a processor is asked for: there is nothing to wait for.
        if self.share == PERIOD_NS {
            return Doing::Work;
        }
        if now < self.from {
            return Doing::SleepUntil(self.from);
        }
        let number = (now - self.from) / PERIOD_NS;
        let begun = match self.period {
            Some((period, begun)) if period == number => begun,
            _ => used,
        };
        self.period = Some((number, begun));
        if used - begun < self.share {
            return Doing::Work;
        }
        Doing::SleepUntil(self.from + (number + 1) * PERIOD_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::time::NS_PER_SECOND;

    /// A piece of work, ns.
    const PIECE: i64 = 100_000;

    /// CPU time that a thread uses within `seconds` on a processor that gives it one of `of` parts of the time.
    fn used(mut duty: DutyCycle, seconds: i64, of: i64) -> Vec<i64> {
        let (mut now, mut used, mut by_second) = (0, 0, Vec::new());
        let mut last = 0;
        for second in 1..=seconds {
            while now < second * NS_PER_SECOND {
                match duty.at(MonoTime(now), used) {
                    Doing::Work => {
                        used += PIECE;
                        now += PIECE * of;
                    }
                    Doing::SleepUntil(until) => now = until.0,
                }
            }
            by_second.push(used - last);
            last = used;
        }
        by_second
    }

    /// 100 ms periods of 100 us pieces: every share of whole percents is met exactly in each second.
    #[test]
    fn a_free_processor_is_used_for_just_its_share() {
        for percent in [1, 20, 50, 95, 99] {
            let share = NS_PER_SECOND / 100 * i64::from(percent);
            let duty = DutyCycle::new(percent, (0, 1), MonoTime(0));
            assert_eq!(used(duty, 5, 1), [share; 5], "{percent} %");
        }
        assert_eq!(
            used(DutyCycle::new(100, (0, 1), MonoTime(0)), 3, 1),
            [NS_PER_SECOND; 3]
        );
    }

    /// A processor of which half is stolen: 40 % asked are had, since the thread works twice as long; of 80 % asked it has
    /// the half that there is, and no more once it is free again.
    #[test]
    fn what_is_stolen_is_asked_for_again_within_its_period_and_not_later() {
        let second = NS_PER_SECOND;
        assert_eq!(
            used(DutyCycle::new(40, (0, 1), MonoTime(0)), 3, 2),
            [second * 2 / 5; 3]
        );
        assert_eq!(
            used(DutyCycle::new(80, (0, 1), MonoTime(0)), 3, 2),
            [second / 2; 3]
        );
        let mut duty = DutyCycle::new(80, (0, 1), MonoTime(0));
        assert_eq!(duty.at(MonoTime(0), 0), Doing::Work);
        // It got 10 ms in a period and a half; the next begins with nothing used and nothing owed.
        assert_eq!(duty.at(MonoTime(150_000_000), 10_000_000), Doing::Work);
        let until = Doing::SleepUntil(MonoTime(200_000_000));
        assert_eq!(duty.at(MonoTime(190_000_000), 90_000_000), until);
    }

    /// Two threads begin half a period apart: at no time do both work at 50 %.
    #[test]
    fn threads_work_by_turns() {
        let mut duties = [0, 1].map(|index| DutyCycle::new(50, (index, 2), MonoTime(0)));
        let mut used = [0; 2];
        let mut both = 0;
        for now in (0..10 * PERIOD_NS).step_by(100_000) {
            let mut working = 0;
            for (duty, used) in duties.iter_mut().zip(&mut used) {
                if duty.at(MonoTime(now), *used) == Doing::Work {
                    *used += 100_000;
                    working += 1;
                }
            }
            both += i32::from(working == 2);
        }
        assert_eq!((used, both), ([5 * PERIOD_NS; 2], 0));
    }
}
