//! Facts on the guest's disk until the tester has them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Blocks in a file, read again when a connection has to be made anew. What the disk has no room
/// for is held in memory until the tester has it.
#[derive(Debug)]
pub struct Spool {
    file: Mutex<File>,
    blocks: Mutex<Vec<Block>>,
    written: watch::Sender<u64>,
    complete: watch::Sender<bool>,
}

#[derive(Clone, Debug)]
enum Block {
    /// Place in the file and length.
    OnDisk(u64, usize),
    InMemory(Vec<u8>),
    /// The tester has it.
    Safe,
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
            file: Mutex::new(file),
            blocks: Mutex::new(Vec::new()),
            written: watch::Sender::new(0),
            complete: watch::Sender::new(false),
        })
    }

    /// Appends the next block. After an error it is there all the same, in memory.
    pub fn append(&self, octets: &[u8]) -> io::Result<()> {
        let written = self.write(octets);
        let block = match &written {
            Ok(at) => Block::OnDisk(*at, octets.len()),
            Err(_) => Block::InMemory(octets.to_vec()),
        };
        self.blocks().push(block);
        self.written.send_modify(|n| *n += 1);
        written.map(|_| ())
    }

    fn write(&self, octets: &[u8]) -> io::Result<u64> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let at = file.seek(SeekFrom::End(0))?;
        file.write_all(octets)?;
        Ok(at)
    }

    /// The tester has this block: what it took of memory is free again.
    pub fn acknowledge(&self, sequence: u64) {
        let place = usize::try_from(sequence).unwrap_or(usize::MAX);
        if let Some(block @ Block::InMemory(_)) = self.blocks().get_mut(place) {
            *block = Block::Safe;
        }
    }

    fn blocks(&self) -> MutexGuard<'_, Vec<Block>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Reads a block; none when there is no such block yet. One of memory that the tester has
    /// reads as empty.
    pub fn read(&self, sequence: u64) -> io::Result<Option<Vec<u8>>> {
        let block = usize::try_from(sequence)
            .ok()
            .and_then(|place| self.blocks().get(place).cloned());
        let (at, length) = match block {
            None => return Ok(None),
            Some(Block::Safe) => return Ok(Some(Vec::new())),
            Some(Block::InMemory(octets)) => return Ok(Some(octets)),
            Some(Block::OnDisk(at, length)) => (at, length),
        };
        let mut octets = vec![0; length];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut octets)?;
        Ok(Some(octets))
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
}
