//! How files flow from an end, over all of its connections: the handle by which it is changed, the pace that all of
//! them keep, and the count of what became of them.

use milliwatt_generator::transfer::course::{full_flow, makes_up};
use milliwatt_generator::transfer::{MadeUpFile, MadeUpFiles, Pace};
use milliwatt_wire::clock::mono_now;
use milliwatt_wire::id::End;
use milliwatt_wire::load::{LoadSpec, TransferWhen};
use milliwatt_wire::step::Flow;
use milliwatt_wire::time::MonoTime;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The transfers of an end. Its connections ask it what to send and when; [`TransferLoad::set_flow`] changes that from
/// any thread, at once.
#[derive(Debug)]
pub struct TransferLoad {
    state: Mutex<State>,
    /// The flow or the rate has changed, or there is a file to send again.
    changed: Notify,
    /// One write after the other waits for its time: connections take turns.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    /// How made-up files flow.
    flow: Flow,
    /// Raised whenever made-up files stop, so that a file of before is known.
    epoch: u64,
    /// Made-up files flow never again.
    ended: bool,
    pace: Pace,
    /// Recordings keep the pace too; else they go as TCP does beside it.
    paces_recordings: bool,
    /// Rate of recordings while no made-up files flow, bit/s.
    resting_rate: Option<u64>,
    /// None where made-up files come from the other end.
    files: Option<MadeUpFiles>,
    /// Those that broke off: sent again first.
    again: VecDeque<MadeUpFile>,
    counted: Counted,
}

/// What became of files since the last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Transfers under way now.
    pub under_way: u32,
    /// Files that the other end confirmed.
    pub completed: u32,
    /// Transfers that broke off or were refused; none that was broken off because made-up files were to stop.
    pub broken: u32,
    /// What the pace allowed, network octets; none where nothing was paced.
    pub allowed_octets: Option<u64>,
}

/// A right to send one made-up file, as long as made-up files flow without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    epoch: u64,
}

impl Default for TransferLoad {
    /// No made-up files, and no limit on recordings.
    fn default() -> Self {
        let state = State {
            flow: Flow::None,
            epoch: 0,
            ended: false,
            pace: Pace::new(None, mono_now()),
            paces_recordings: false,
            resting_rate: None,
            files: None,
            again: VecDeque::new(),
            counted: Counted::default(),
        };
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }
}

impl TransferLoad {
    /// The transfers that `load` asks of `end`.
    #[must_use]
    pub fn new(load: &LoadSpec, end: End) -> Self {
        let transfers = Self::default();
        transfers.prepare(load, end);
        transfers
    }

    /// Makes it that of a load, before anything is sent.
    pub fn prepare(&self, load: &LoadSpec, end: End) {
        let mut state = self.state();
        let rate = load.transfer.rate_bits_per_second;
        state.resting_rate = rate;
        // Continuous files without a rate are paced by themselves, beside recordings that are not.
        state.paces_recordings =
            rate.is_some() || load.stepped || load.transfer.when != TransferWhen::Continuous;
        let has_files = makes_up(load, end) && (load.stepped || full_flow(load).is_some());
        state.files = has_files.then(|| MadeUpFiles::new(load));
        state.pace = Pace::new(rate, mono_now());
        state.turn_to(Flow::None, mono_now());
        drop(state);
        self.changed.notify_waiters();
    }

    /// How made-up files flow from now on, and at which rate all files go. [`Flow::None`] breaks off those under way;
    /// an end that sends none, or has ended, changes nothing.
    pub fn set_flow(&self, flow: Flow) {
        let mut state = self.state();
        if state.files.is_none() || state.ended || state.flow == flow {
            return;
        }
        state.turn_to(flow, mono_now());
        drop(state);
        self.changed.notify_waiters();
    }

    /// This end may send made-up files.
    #[must_use]
    pub fn has_made_up(&self) -> bool {
        self.state().files.is_some()
    }

    /// How made-up files flow now.
    #[must_use]
    pub fn flow(&self) -> Flow {
        self.state().flow
    }

    /// Ends made-up files for good.
    pub fn end(&self) {
        self.set_flow(Flow::None);
        self.state().ended = true;
    }

    /// Made-up files have ended for good.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// What became of files since the last time.
    pub fn take_counted(&self) -> Counted {
        let mut state = self.state();
        let allowed_octets = state.pace.take_allowed(mono_now());
        let under_way = state.counted.under_way;
        let counted = Counted {
            under_way,
            ..Counted::default()
        };
        Counted {
            allowed_octets,
            ..std::mem::replace(&mut state.counted, counted)
        }
    }

    /// Waits until a made-up file is to be sent.
    pub async fn next_made_up(&self) -> (MadeUpFile, Leave) {
        self.when(|state| {
            let epoch = state.epoch;
            let file = (state.flow != Flow::None).then(|| state.draw()).flatten()?;
            Some((file, Leave { epoch }))
        })
        .await
    }

    /// Waits until made-up files have stopped since this leave was given.
    pub async fn stopped(&self, leave: Leave) {
        self.when(|state| (state.epoch != leave.epoch).then_some(()))
            .await;
    }

    /// Waits until a write of so many network octets may go; false when it is one of a made-up file, and they have
    /// stopped.
    pub async fn permit(&self, octets: u64, leave: Option<Leave>) -> bool {
        if leave.is_none() && !self.state().paces_recordings {
            return true;
        }
        let _turn = self.turn.lock().await;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable(); // before looking, so that no change is missed
            let due = {
                let mut state = self.state();
                if leave.is_some_and(|leave| leave.epoch != state.epoch) {
                    return false;
                }
                match state.pace.take(octets, mono_now()) {
                    Ok(()) => return true,
                    Err(due) => due,
                }
            };
            tokio::select! {
                () = tokio::time::sleep(until(due)) => {}
                () = changed => {}
            }
        }
    }

    /// A transfer begins: broken until it is said to be otherwise. A made-up file that breaks is sent again.
    pub fn begin(&self, made_up: Option<MadeUpFile>) -> UnderWay<'_> {
        self.state().count_under_way(1);
        UnderWay {
            transfers: self,
            made_up,
            end: Ending::Broken,
        }
    }

    async fn when<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable(); // before looking, so that no change is missed
            let seen = look(&mut self.state());
            if let Some(seen) = seen {
                return seen;
            }
            changed.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn until(due: MonoTime) -> Duration {
    Duration::from_nanos(u64::try_from(due - mono_now()).unwrap_or(0))
}

impl State {
    fn turn_to(&mut self, flow: Flow, now: MonoTime) {
        self.flow = flow;
        let rate = match flow {
            Flow::None => {
                self.epoch += 1;
                self.again.clear();
                self.resting_rate
            }
            Flow::Paced(rate) => Some(rate),
            Flow::Unpaced => None,
        };
        self.pace.set_rate(rate, now);
        self.count(now);
    }

    fn draw(&mut self) -> Option<MadeUpFile> {
        let again = self.again.pop_front();
        again.or_else(|| self.files.as_mut().map(MadeUpFiles::draw))
    }

    fn count_under_way(&mut self, more: i32) {
        self.counted.under_way = self.counted.under_way.saturating_add_signed(more);
        self.count(mono_now());
    }

    /// The pace allows something while made-up files are to flow, and while recordings do that keep it.
    fn count(&mut self, now: MonoTime) {
        let is_sending = self.counted.under_way > 0 && self.paces_recordings;
        self.pace
            .set_counted(self.flow != Flow::None || is_sending, now);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Completed,
    BrokenOff,
    Broken,
}

/// One transfer; its end is counted when this is dropped.
#[derive(Debug)]
pub struct UnderWay<'a> {
    transfers: &'a TransferLoad,
    made_up: Option<MadeUpFile>,
    end: Ending,
}

impl UnderWay<'_> {
    /// The other end confirmed it.
    pub fn complete(mut self) {
        self.end = Ending::Completed;
    }

    /// It was broken off because made-up files were to stop: neither completed nor broken, and not sent again.
    pub fn break_off(mut self) {
        self.end = Ending::BrokenOff;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut state = self.transfers.state();
        state.count_under_way(-1);
        match self.end {
            Ending::Completed => state.counted.completed += 1,
            Ending::BrokenOff => {}
            Ending::Broken => {
                state.counted.broken += 1;
                state.again.extend(self.made_up);
            }
        }
        drop(state);
        self.transfers.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::test_load;
    use milliwatt_wire::load::{FileSize, TransferDirection, TransferSpec};
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    fn is_pending(future: impl Future) -> bool {
        let future = std::pin::pin!(future);
        matches!(
            future.poll(&mut Context::from_waker(Waker::noop())),
            Poll::Pending
        )
    }

    fn load(direction: TransferDirection) -> LoadSpec {
        LoadSpec {
            transfer: TransferSpec {
                when: TransferWhen::Backlog,
                size: FileSize::Fixed(1000),
                direction,
                ..TransferSpec::default()
            },
            ..test_load()
        }
    }

    fn transfers() -> TransferLoad {
        TransferLoad::new(&load(TransferDirection::ToTester), End::Guest)
    }

    #[tokio::test]
    async fn made_up_files_flow_while_they_are_to_and_from_that_end_only() {
        let guest = transfers();
        assert!(is_pending(guest.next_made_up()));
        guest.set_flow(Flow::Unpaced);
        let (file, leave) = guest.next_made_up().await;
        assert_eq!((file.number, file.octets), (0, 1000));
        assert!(guest.permit(1_000_000_000, Some(leave)).await);
        guest.set_flow(Flow::None);
        guest.set_flow(Flow::Unpaced);
        assert!(
            !guest.permit(1, Some(leave)).await,
            "it stopped in between, however shortly"
        );
        guest.end();
        guest.set_flow(Flow::Unpaced);
        assert_eq!(guest.flow(), Flow::None, "ended for good");
        let tester = TransferLoad::new(&load(TransferDirection::ToTester), End::Tester);
        tester.set_flow(Flow::Unpaced);
        assert_eq!(tester.flow(), Flow::None);
    }

    /// A rate of 8 bit/s: a second write would wait for 17,198 s.
    #[tokio::test]
    async fn a_write_that_waits_for_its_time_learns_of_a_change_at_once() {
        let guest = transfers();
        guest.set_flow(Flow::Paced(8));
        let (_, leave) = guest.next_made_up().await;
        assert!(guest.permit(17_198, Some(leave)).await);
        let waiting = guest.permit(17_198, Some(leave));
        let changing = async { guest.set_flow(Flow::Unpaced) };
        let (permitted, ()) = tokio::join!(waiting, changing);
        assert!(permitted);
        guest.set_flow(Flow::Paced(8));
        let waiting = async {
            guest.permit(17_198, Some(leave)).await && guest.permit(17_198, Some(leave)).await
        };
        let stopping = async { guest.set_flow(Flow::None) };
        let (permitted, ()) = tokio::join!(waiting, stopping);
        assert!(!permitted);
    }

    #[tokio::test]
    async fn what_breaks_is_sent_again_and_counts_as_completed_only_then() {
        let guest = transfers();
        guest.set_flow(Flow::Unpaced);
        let (file, _) = guest.next_made_up().await;
        let first = guest.begin(Some(file));
        assert_eq!(guest.take_counted().under_way, 1);
        drop(first);
        let (again, _) = guest.next_made_up().await;
        assert_eq!(again, file);
        guest.begin(Some(again)).complete();
        let (next, _) = guest.next_made_up().await;
        assert_eq!(next.number, 1);
        guest.begin(Some(next)).break_off();
        let counted = guest.take_counted();
        assert_eq!(
            (counted.under_way, counted.completed, counted.broken),
            (0, 1, 1)
        );
        assert_eq!(counted.allowed_octets, None, "as TCP goes");
        assert_eq!(guest.next_made_up().await.0.number, 2);
        assert_eq!(guest.take_counted(), Counted::default());
    }

    /// Without a rate, continuous files are paced and recordings are not; with one, both are.
    #[tokio::test]
    async fn recordings_keep_the_pace_that_the_load_names() {
        let spec = |rate_bits_per_second| LoadSpec {
            transfer: TransferSpec {
                when: TransferWhen::Continuous,
                rate_bits_per_second,
                ..TransferSpec::default()
            },
            ..test_load()
        };
        let beside = TransferLoad::new(&spec(None), End::Guest);
        beside.set_flow(Flow::Paced(0));
        assert!(beside.permit(u64::MAX, None).await);
        let within = TransferLoad::new(&spec(Some(0)), End::Guest);
        assert!(is_pending(within.permit(1, None)));
    }
}
