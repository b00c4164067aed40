//! Finished files, recordings above all, that wait for the tester.

use milliwatt_wire::transfer::Item;
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};
use tokio::sync::Notify;

/// A file on disk, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// What it is.
    pub item: Item,
    /// Where it is.
    pub path: PathBuf,
    /// Its length, octets.
    pub octets: u64,
}

/// Something that went wrong with a file: a line for the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which.
    pub item: Item,
    /// Kind of the event: `disk-full`, `recording-lost`, `recording-gap` or `recording-stays`.
    pub kind: &'static str,
    /// For people: what happened to which recording, and what to do.
    pub text: String,
}

/// Finished recordings, from the writer's thread to the transfer connections. Every recording is
/// waiting or lent to one connection until it is confirmed or lost.
#[derive(Debug, Default)]
pub struct Shelf {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Finished>,
    /// Recordings that are not to go before their batch is released.
    kept: Vec<Finished>,
    keeps: bool,
    lent: BTreeMap<Item, Finished>,
    closed: bool,
    /// Octets of all recordings on disk, unfinished ones included.
    held: u64,
    troubles: Vec<Trouble>,
}

impl Shelf {
    /// An empty shelf.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a finished recording on the shelf; its octets have been claimed.
    pub fn put(&self, recording: Finished) {
        let mut state = self.state();
        if state.keeps && matches!(recording.item, Item::Recording(_)) {
            state.kept.push(recording);
        } else {
            state.waiting.push_back(recording);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// From now on recordings that are put here are kept until they are released, or the shelf is closed.
    pub fn keep_for_batches(&self) {
        let mut state = self.state();
        state.keeps = !state.closed;
    }

    /// Lets the recordings go that are kept.
    pub fn release_batch(&self) {
        let mut state = self.state();
        let State { waiting, kept, .. } = &mut *state;
        waiting.extend(kept.drain(..));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Lets all recordings go, and keeps none any more.
    pub fn release_for_good(&self) {
        self.state().keeps = false;
        self.release_batch();
    }

    /// Lends the recording that waits longest. None when the shelf is closed and the last
    /// recording is confirmed: one that is lent elsewhere may still come back.
    pub async fn take(&self) -> Option<Finished> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable(); // before looking, so that no change is missed
            {
                let mut state = self.state();
                if let Some(recording) = state.waiting.pop_front() {
                    state.lent.insert(recording.item, recording.clone());
                    return Some(recording);
                }
                if state.closed && state.lent.is_empty() {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// The tester has the recording: deletes it.
    pub fn confirm(&self, item: Item) -> io::Result<()> {
        let lent = self.end_loan(item);
        lent.map_or(Ok(()), |recording| fs::remove_file(recording.path))
    }

    /// A transfer broke: the recording waits again, behind the others.
    pub fn give_back(&self, item: Item) {
        let mut state = self.state();
        if let Some(recording) = state.lent.remove(&item) {
            state.waiting.push_back(recording);
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// A lent recording cannot be sent, ever: it is reported and no longer waited for. Its file is
    /// left for people to look at.
    pub fn lose(&self, item: Item, text: String) {
        self.end_loan(item);
        self.report(Trouble {
            item,
            kind: "recording-lost",
            text,
        });
    }

    /// Recordings not yet confirmed, waiting or lent.
    #[must_use]
    pub fn pending(&self) -> usize {
        let state = self.state();
        state.waiting.len() + state.lent.len() + state.kept.len()
    }

    /// Recordings that a connection would be lent now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// No more recordings come.
    pub fn close(&self) {
        self.state().closed = true;
        self.release_for_good();
    }

    /// Claims disk space for octets about to be written; false when all recordings together would
    /// then hold more than `limit`.
    #[must_use]
    pub fn claim(&self, octets: u64, limit: u64) -> bool {
        let mut state = self.state();
        let fits = state.held.saturating_add(octets) <= limit;
        if fits {
            state.held += octets;
        }
        fits
    }

    /// Counts octets that are on disk whatever the limit.
    pub fn hold(&self, octets: u64) {
        self.state().held += octets;
    }

    /// Gives claimed space free.
    pub fn release(&self, octets: u64) {
        let mut state = self.state();
        state.held = state.held.saturating_sub(octets);
    }

    /// Octets of recordings on disk, unfinished ones included.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.state().held
    }

    /// Notes what went wrong.
    pub fn report(&self, trouble: Trouble) {
        self.state().troubles.push(trouble);
    }

    /// What went wrong since the last time.
    #[must_use]
    pub fn take_troubles(&self) -> Vec<Trouble> {
        std::mem::take(&mut self.state().troubles)
    }

    fn end_loan(&self, item: Item) -> Option<Finished> {
        let mut state = self.state();
        let recording = state.lent.remove(&item);
        state.held = state
            .held
            .saturating_sub(recording.as_ref().map_or(0, |r| r.octets));
        drop(state);
        self.changed.notify_waiters();
        recording
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::id::CallId;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn recorded(call: u32) -> Item {
        Item::Recording(CallId(call))
    }

    fn recording(call: u32, folder: &std::path::Path) -> Finished {
        let path = folder.join(format!("{call}.wav"));
        fs::write(&path, b"0123456789").unwrap();
        Finished {
            item: Item::Recording(CallId(call)),
            path,
            octets: 10,
        }
    }

    #[tokio::test]
    async fn a_recording_is_lent_once_and_deleted_only_when_confirmed() {
        let (folder, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
        assert!(shelf.claim(20, 20));
        shelf.put(recording(1, folder.path()));
        shelf.put(recording(2, folder.path()));
        let first = shelf.take().await.unwrap();
        assert_eq!(
            (first.item, shelf.take().await.unwrap().item),
            (recorded(1), recorded(2))
        );
        shelf.give_back(recorded(1));
        assert!(first.path.exists());
        shelf.confirm(recorded(2)).unwrap();
        assert!(!folder.path().join("2.wav").exists());
        assert_eq!((shelf.pending(), shelf.held()), (1, 10));
        assert_eq!(shelf.take().await, Some(first));
    }

    #[tokio::test]
    async fn a_closed_shelf_ends_only_after_what_is_lent_elsewhere() {
        let (folder, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
        shelf.put(recording(1, folder.path()));
        shelf.close();
        shelf.take().await.unwrap();
        let mut other = Box::pin(shelf.take());
        assert!(poll(other.as_mut()).is_pending());
        shelf.give_back(recorded(1));
        assert_eq!(other.await.map(|r| r.item), Some(recorded(1)));
        shelf.confirm(recorded(1)).unwrap();
        assert_eq!(shelf.take().await, None);
    }

    #[tokio::test]
    async fn a_kept_recording_is_lent_when_its_batch_is_released_and_other_files_at_once() {
        let (folder, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
        shelf.keep_for_batches();
        shelf.put(recording(1, folder.path()));
        let mut taken = Box::pin(shelf.take());
        assert!(poll(taken.as_mut()).is_pending());
        let part = Finished {
            item: Item::Capture(0),
            ..recording(2, folder.path())
        };
        shelf.put(part);
        assert_eq!(taken.await.map(|file| file.item), Some(Item::Capture(0)));
        shelf.release_batch();
        assert_eq!(shelf.take().await.map(|r| r.item), Some(recorded(1)));
        shelf.put(recording(3, folder.path()));
        assert_eq!(shelf.waiting(), 0);
        shelf.close();
        assert_eq!(shelf.take().await.map(|r| r.item), Some(recorded(3)));
    }

    #[test]
    fn space_is_claimed_up_to_the_limit_and_given_free() {
        let shelf = Shelf::default();
        assert!(shelf.claim(60, 100));
        assert!(!shelf.claim(41, 100));
        assert!(shelf.claim(40, 100));
        shelf.release(60);
        assert_eq!(shelf.held(), 40);
    }
}
