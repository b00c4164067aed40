//! Facts on the guest's disk until the tester has them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Blocks in a file, read again when a connection has to be made anew. What the disk has no room
/// for is held in memory. What the tester has is let go of, so that a long run takes no more room than a short one.
#[derive(Debug)]
pub struct Spool {
    state: Mutex<State>,
    written: watch::Sender<u64>,
    complete: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Octets of it in use.
    octets: u64,
    /// Number of the first block that the tester does not have.
    first: u64,
    /// From that one on.
    blocks: VecDeque<Block>,
}

#[derive(Clone, Debug)]
enum Block {
    /// Place in the file and length.
    OnDisk(u64, usize),
    InMemory(Vec<u8>),
}

impl Spool {
    /// An empty spool at `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        Ok(Self {
            state: Mutex::new(State {
                file,
                octets: 0,
                first: 0,
                blocks: VecDeque::new(),
            }),
            written: watch::Sender::new(0),
            complete: watch::Sender::new(false),
        })
    }

    /// Appends the next block. After an error it is there all the same, in memory.
    pub fn append(&self, octets: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let written = state.write(octets);
        let block = match &written {
            Ok(at) => Block::OnDisk(*at, octets.len()),
            Err(_) => Block::InMemory(octets.to_vec()),
        };
        state.blocks.push_back(block);
        drop(state);
        self.written.send_modify(|n| *n += 1);
        written.map(|_| ())
    }

    /// The tester has this block and all before it: the room they took is free again.
    pub fn acknowledge(&self, sequence: u64) {
        self.state().let_go(sequence);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No block follows.
    pub fn complete(&self) {
        self.complete.send_replace(true);
    }

    /// Tells how many blocks there are.
    #[must_use]
    pub fn written(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    /// Tells when no block follows.
    #[must_use]
    pub fn completed(&self) -> watch::Receiver<bool> {
        self.complete.subscribe()
    }

    /// Reads a block; none when there is no such block yet. One that the tester has reads as empty.
    pub fn read(&self, sequence: u64) -> io::Result<Option<Vec<u8>>> {
        self.state().read(sequence)
    }
}

impl State {
    fn write(&mut self, octets: &[u8]) -> io::Result<u64> {
        let at = self.octets;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(octets)?;
        self.octets += octets.len() as u64;
        Ok(at)
    }

    fn let_go(&mut self, sequence: u64) {
        while self.first <= sequence && self.blocks.pop_front().is_some() {
            self.first += 1;
        }
        // A file that cannot be cut short goes on growing, as far as the disk has room.
        if self.blocks.is_empty() && self.octets > 0 && self.file.set_len(0).is_ok() {
            self.octets = 0;
        }
    }

    fn read(&mut self, sequence: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(place) = sequence.checked_sub(self.first) else {
            return Ok(Some(Vec::new()));
        };
        let block = usize::try_from(place)
            .ok()
            .and_then(|place| self.blocks.get(place).cloned());
        match block {
            None => Ok(None),
            Some(Block::InMemory(octets)) => Ok(Some(octets)),
            Some(Block::OnDisk(at, length)) => {
                let mut octets = vec![0; length];
                self.file.seek(SeekFrom::Start(at))?;
                self.file.read_exact(&mut octets)?;
                Ok(Some(octets))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_again_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::create(&folder.path().join("facts")).unwrap();
        spool.append(b"first").unwrap();
        spool.append(b"second").unwrap();
        assert_eq!(spool.read(1).unwrap().unwrap(), b"second");
        assert_eq!(spool.read(0).unwrap().unwrap(), b"first");
        assert_eq!(spool.read(2).unwrap(), None);
        assert_eq!(*spool.written().borrow(), 2);
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_read_until_it_is_acknowledged() {
        let spool = Spool::create(Path::new("/dev/full")).unwrap();
        let error = spool.append(b"first").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(spool.append(b"second").is_err());
        assert_eq!(spool.read(1).unwrap().unwrap(), b"second");
        assert_eq!(*spool.written().borrow(), 2);
        spool.acknowledge(0);
        assert_eq!(spool.read(0).unwrap().unwrap(), b"");
        assert_eq!(spool.read(1).unwrap().unwrap(), b"second");
    }

    #[test]
    fn what_the_tester_has_takes_no_room_and_the_rest_is_still_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("facts");
        let length = || std::fs::metadata(&path).unwrap().len();
        let spool = Spool::create(&path).unwrap();
        for block in [b"0000", b"1111", b"2222"] {
            spool.append(block).unwrap();
        }
        spool.acknowledge(1); // the word for block 0 was lost with its connection
        assert_eq!((spool.read(0).unwrap(), length()), (Some(Vec::new()), 12));
        assert_eq!(spool.read(2).unwrap().unwrap(), b"2222");
        spool.acknowledge(2);
        assert_eq!((spool.read(3).unwrap(), length()), (None, 0));
        spool.append(b"3333").unwrap();
        assert_eq!(spool.read(3).unwrap().unwrap(), b"3333");
        assert_eq!((*spool.written().borrow(), length()), (4, 4));
    }
}
