//! The calls of a load that comes in steps: known one step at a time, while the run goes on. Whoever hears of a step adds
//! it; the threads that send and receive look without locks.

use crate::calls::Call;
use milliwatt_wire::id::{CallId, Lane};
use milliwatt_wire::load::{LoadSpec, PTIME_NS};
use milliwatt_wire::step::{Flow, STEPS_MAX, Step};
use milliwatt_wire::time::{NS_PER_SECOND, RunTime};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Later than any run: the end of one that ends when it is told to.
pub const FAR: RunTime = RunTime(i64::MAX / 4);

/// A step that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A number was left out, or there are too many.
    #[error("step {0} is not the next, or past the last of {STEPS_MAX}")]
    Order(u32),
    /// It begins before the last has ended, ends before it begins, or not on a whole second.
    #[error("step {0} has no place in time after the one before")]
    Time(u32),
    /// More calls than the load has lanes, or call numbers of another step.
    #[error("step {0} has calls that its load does not have")]
    Calls(u32),
}

/// The steps so far.
#[derive(Debug)]
pub struct StepBook {
    seed: u64,
    /// Share of calls recorded.
    share: f64,
    lanes: u32,
    steps: Box<[OnceLock<Step>]>,
    known: AtomicU32,
    /// From here on the last step is over, whatever it was to be.
    cut: AtomicI64,
    adding: Mutex<()>,
}

impl StepBook {
    /// No step yet.
    #[must_use]
    pub fn new(load: &LoadSpec) -> Self {
        Self {
            seed: load.seed,
            share: load.recording.share,
            lanes: load.concurrent,
            steps: (0..STEPS_MAX).map(|_| OnceLock::new()).collect(),
            known: AtomicU32::new(0),
            cut: AtomicI64::new(i64::MAX),
            adding: Mutex::new(()),
        }
    }

    /// Adds the next step; one that is known already changes nothing.
    pub fn add(&self, step: Step) -> Result<(), StepError> {
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known();
        if self.get(step.index) == Some(&step) {
            return Ok(());
        }
        self.check(&step, known)?;
        // Every line has seen the cut of the step before: `check` leaves it time.
        self.cut.store(i64::MAX, Ordering::Release);
        self.steps[step.index as usize].get_or_init(|| step);
        self.known.store(known + 1, Ordering::Release);
        Ok(())
    }

    fn check(&self, step: &Step, known: u32) -> Result<(), StepError> {
        if step.index != known || step.index >= STEPS_MAX {
            return Err(StepError::Order(step.index));
        }
        let last = known.checked_sub(1).and_then(|index| self.get(index));
        let free_from = last.map_or(RunTime::ZERO, |last| last.until.min(self.cut()));
        let whole = [step.from, step.until]
            .iter()
            .all(|at| at.0 % NS_PER_SECOND == 0);
        if !whole || step.from < free_from || step.until <= step.from || step.until > FAR {
            return Err(StepError::Time(step.index));
        }
        let first_call = last.map_or(Some(0), |last| last.first_call.checked_add(last.calls));
        let fits = step.first_call.checked_add(step.calls).is_some();
        if step.calls > self.lanes || Some(step.first_call) != first_call || !fits {
            return Err(StepError::Calls(step.index));
        }
        Ok(())
    }

    /// Ends the last step at `at`, if it is `index` and would last longer.
    pub fn end_early(&self, index: u32, at: RunTime) {
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known() == index + 1 {
            self.cut.fetch_min(at.0, Ordering::AcqRel);
        }
    }

    /// Steps that are known.
    #[must_use]
    pub fn known(&self) -> u32 {
        self.known.load(Ordering::Acquire)
    }

    /// A step that is known.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Step> {
        self.steps.get(index as usize)?.get()
    }

    /// When the last step ends before its time; the far future when it does not.
    #[must_use]
    pub fn cut(&self) -> RunTime {
        RunTime(self.cut.load(Ordering::Acquire))
    }

    /// What is transferred beside the calls at `now`.
    #[must_use]
    pub fn flow_at(&self, now: RunTime) -> Flow {
        self.last()
            .filter(|step| step.from <= now && now < step.until.min(self.cut()))
            .map_or(Flow::None, |step| step.flow)
    }

    fn last(&self) -> Option<&Step> {
        self.get(self.known().checked_sub(1)?)
    }

    /// The call of a lane in a step, when it has one.
    fn call_in(&self, step: &Step, lane: Lane) -> Option<Call> {
        if lane.0 >= step.calls {
            return None;
        }
        let id = CallId(step.first_call + lane.0);
        Some(Call {
            id,
            lane,
            start: step.from,
            packets: u32::try_from((step.until - step.from) / PTIME_NS).unwrap_or(u32::MAX),
            age: 0,
            cut: false,
            recorded: self.is_recorded(id),
        })
    }

    fn is_recorded(&self, call: CallId) -> bool {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(u64::MAX - u64::from(call.0));
        random.random::<f64>() < self.share
    }

    /// A call by its number.
    #[must_use]
    pub fn call(&self, id: CallId) -> Option<Call> {
        let steps = (0..self.known()).rev().filter_map(|index| self.get(index));
        let step = steps
            .into_iter()
            .find(|step| step.first_call <= id.0 && step.calls > 0)?;
        self.call_in(step, Lane(id.0 - step.first_call))
    }
}

/// The calls of one lane, one after the other.
#[derive(Clone, Debug)]
pub enum LaneCalls {
    /// All known before the run.
    Planned(Arc<[Call]>),
    /// Known a step at a time.
    Stepped(Lane, Arc<StepBook>),
}

impl LaneCalls {
    /// The call at `place` or after it, 0 at first, where `place` is moved to. None where none is known, yet or at all. The
    /// one after it is at `place` + 1. A step that another follows is over: its calls are passed by.
    #[must_use]
    pub fn peek(&self, place: &mut usize) -> Option<Call> {
        match self {
            Self::Planned(calls) => calls.get(*place).copied(),
            Self::Stepped(lane, book) => {
                let last = book.known().checked_sub(1)?;
                if *place > last as usize {
                    return None;
                }
                let call = book.call_in(book.get(last)?, *lane);
                *place = last as usize + usize::from(call.is_none());
                call
            }
        }
    }

    /// The call that is up at `now`.
    #[must_use]
    pub fn up_at(&self, now: RunTime) -> Option<Call> {
        let up = |call: &Call| call.start <= now && now < call.end();
        match self {
            Self::Planned(calls) => calls.iter().rev().find(|call| up(call)).copied(),
            Self::Stepped(lane, book) => book
                .last()
                .and_then(|step| book.call_in(step, *lane))
                .filter(up),
        }
    }

    /// When the first call begins; the run's begin where that is not known.
    #[must_use]
    pub fn start(&self) -> RunTime {
        self.peek(&mut 0).map_or(RunTime::ZERO, |call| call.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book() -> Arc<StepBook> {
        Arc::new(StepBook::new(&LoadSpec {
            concurrent: 10,
            stepped: true,
            ..crate::test_load()
        }))
    }

    fn step(index: u32, from_s: i64, calls: u32, first_call: u32) -> Step {
        Step {
            index,
            from: RunTime(from_s * NS_PER_SECOND),
            until: RunTime((from_s + 4) * NS_PER_SECOND),
            calls,
            first_call,
            flow: Flow::Paced(1_000_000),
        }
    }

    #[test]
    fn a_lane_has_a_call_in_each_step_that_reaches_it_and_sees_those_that_come_later() {
        let book = book();
        let calls = LaneCalls::Stepped(Lane(5), Arc::clone(&book));
        let mut place = 0;
        assert_eq!(calls.peek(&mut place), None);
        book.add(step(0, 1, 4, 0)).unwrap();
        assert_eq!(calls.peek(&mut place), None);
        book.add(step(1, 7, 10, 4)).unwrap();
        let call = calls.peek(&mut place).unwrap();
        assert_eq!((call.id, call.packets, place), (CallId(9), 200, 1));
        assert_eq!(call.start, RunTime(7 * NS_PER_SECOND));
        place += 1;
        assert_eq!((calls.peek(&mut place), place), (None, 2));
        let passed_by = LaneCalls::Stepped(Lane(0), Arc::clone(&book)).peek(&mut 0);
        assert_eq!(passed_by.map(|call| call.id), Some(CallId(4)));
        assert_eq!(book.call(CallId(9)), Some(call));
        assert_eq!(book.call(CallId(14)), None);
        assert_eq!(calls.up_at(RunTime(8 * NS_PER_SECOND)), Some(call));
        assert_eq!(calls.up_at(RunTime(11 * NS_PER_SECOND)), None);
    }

    #[test]
    fn a_step_may_end_early_and_the_next_begin_then() {
        let book = book();
        book.add(step(0, 1, 4, 0)).unwrap();
        let at = |ms: i64| RunTime(ms * 1_000_000);
        book.end_early(0, at(2_500));
        book.end_early(0, at(3_500));
        assert_eq!(book.cut(), at(2_500));
        assert_eq!(book.flow_at(at(2_499)), Flow::Paced(1_000_000));
        assert_eq!(book.flow_at(at(2_500)), Flow::None);
        assert_eq!(book.add(step(1, 2, 4, 4)), Err(StepError::Time(1)));
        book.add(step(1, 3, 4, 4)).unwrap();
        assert_eq!(book.cut(), RunTime(i64::MAX));
        book.end_early(0, at(3_000));
        assert_eq!(book.cut(), RunTime(i64::MAX), "that step is over");
    }

    #[test]
    fn a_step_without_sense_is_refused_and_the_same_one_again_is_not() {
        let book = book();
        book.add(step(0, 1, 4, 0)).unwrap();
        assert_eq!(book.add(step(0, 1, 4, 0)), Ok(()));
        assert_eq!(book.add(step(0, 1, 5, 0)), Err(StepError::Order(0)));
        assert_eq!(book.add(step(2, 9, 4, 4)), Err(StepError::Order(2)));
        assert_eq!(book.add(step(1, 4, 4, 4)), Err(StepError::Time(1)));
        assert_eq!(book.add(step(1, 9, 11, 4)), Err(StepError::Calls(1)));
        assert_eq!(book.add(step(1, 9, 4, 3)), Err(StepError::Calls(1)));
        assert_eq!(book.known(), 1);
    }
}
