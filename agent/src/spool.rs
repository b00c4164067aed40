//! Facts on the guest's disk until the tester has them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;
use tokio::sync::watch;

/// Blocks in a file, read again when a connection has to be made anew.
#[derive(Debug)]
pub struct Spool {
    file: Mutex<File>,
    blocks: Mutex<Vec<(u64, usize)>>,
    written: watch::Sender<u64>,
    complete: watch::Sender<bool>,
}

impl Spool {
    /// An empty spool at `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        Ok(Self {
            file: Mutex::new(file),
            blocks: Mutex::new(Vec::new()),
            written: watch::Sender::new(0),
            complete: watch::Sender::new(false),
        })
    }

    /// Appends the next block.
    pub fn append(&self, octets: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let at = file.seek(SeekFrom::End(0))?;
        file.write_all(octets)?;
        drop(file);
        self.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, octets.len()));
        self.written.send_modify(|n| *n += 1);
        Ok(())
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

    /// Reads a block; none when there is no such block yet.
    pub fn read(&self, sequence: u64) -> io::Result<Option<Vec<u8>>> {
        let place = {
            let blocks = self.blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            usize::try_from(sequence).ok().and_then(|i| blocks.get(i).copied())
        };
        let Some((at, length)) = place else { return Ok(None) };
        let mut octets = vec![0; length];
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
}
