//! Where a capture is written, and how much of the disk it may have: what fills the disk would end the
//! run that it is of.

use crate::recording::shelf::{Finished, Shelf};
use milliwatt_wire::transfer::Item;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A part is closed once it has so many octets: it is packed in memory when it travels.
const PART_OCTETS: u64 = 16 << 20;

/// Where it is written.
#[derive(Debug)]
pub enum Place {
    /// One file.
    File(PathBuf),
    /// Files of some size in a folder, which go to the shelf at the end.
    Parts {
        /// The folder.
        folder: PathBuf,
        /// Where they wait for the tester.
        shelf: Arc<Shelf>,
        /// Octets that they may have together.
        most: u64,
    },
}

/// A capture's file, or its parts.
#[derive(Debug)]
pub struct Output {
    place: Place,
    preamble: Vec<u8>,
    file: File,
    path: PathBuf,
    /// Octets in the open file, and in those before.
    octets: u64,
    before: u64,
    finished: Vec<(PathBuf, u64)>,
    /// It stops when the disk has less room than this.
    least_free: u64,
}

impl Output {
    /// Opens the first file and puts the preamble into it, as into each of its parts. The capture stops when of
    /// what is free now less than `keep_percent` is left.
    pub fn open(place: Place, preamble: Vec<u8>, keep_percent: u64) -> io::Result<Self> {
        let path = place.path(0);
        let mut file = File::create(&path)?;
        file.write_all(&preamble)?;
        Ok(Self {
            least_free: free(&path).unwrap_or(0) / 100 * keep_percent,
            octets: preamble.len() as u64,
            before: 0,
            finished: Vec::new(),
            place,
            preamble,
            file,
            path,
        })
    }

    /// Appends whole blocks; an error says why the capture stops here. What is in the file then is whole.
    pub fn write(&mut self, blocks: &[u8]) -> Result<(), String> {
        if blocks.is_empty() {
            return Ok(());
        }
        let whole = self.before + self.octets + blocks.len() as u64;
        if let Place::Parts { most, .. } = self.place
            && whole > most
        {
            let mb = most / 1_000_000;
            return Err(format!(
                "the agent's --max-disk leaves it {mb} MB beside the recordings"
            ));
        }
        if free(&self.path).is_some_and(|free| free < self.least_free) {
            let folder = self.path.parent().unwrap_or(Path::new("")).display();
            return Err(format!("the disk of {folder} is filling up"));
        }
        let turned = self.turn();
        turned
            .and_then(|()| self.append(blocks))
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Appends to the open file whole or not at all.
    fn append(&mut self, blocks: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(blocks);
        match written {
            Ok(()) => self.octets += blocks.len() as u64,
            // A reader of half a block would call the file damaged; where even this fails, it will.
            Err(_) => self.file.set_len(self.octets).unwrap_or_default(),
        }
        written
    }

    /// Begins the next part when the open one is long enough.
    fn turn(&mut self) -> io::Result<()> {
        if matches!(self.place, Place::File(_)) || self.octets < PART_OCTETS {
            return Ok(());
        }
        let path = self.place.path(self.finished.len() + 1);
        let mut file = File::create(&path)?;
        file.write_all(&self.preamble)?;
        self.file = file;
        self.finished
            .push((std::mem::replace(&mut self.path, path), self.octets));
        self.before += self.octets;
        self.octets = self.preamble.len() as u64;
        Ok(())
    }

    /// Appends the last blocks, past any bound but the disk's own, and puts parts on the shelf.
    pub fn finish(mut self, epilogue: &[u8]) -> io::Result<()> {
        let appended = self.append(epilogue);
        if let Place::Parts { shelf, .. } = &self.place {
            self.finished.push((self.path, self.octets));
            for (number, (path, octets)) in (0..).zip(self.finished) {
                // Beside the recordings' own: their bound holds without it.
                shelf.hold(octets);
                shelf.put(Finished {
                    item: Item::Capture(number),
                    path,
                    octets,
                });
            }
        }
        appended
    }
}

impl Place {
    fn path(&self, number: usize) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Parts { folder, .. } => folder.join(format!("capture-{number:05}.pcapng")),
        }
    }
}

/// Octets that are free where a file lies; none where the system does not tell.
fn free(path: &Path) -> Option<u64> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
    let disk = rustix::fs::statvfs(&folder).ok()?;
    Some(disk.f_bavail * disk.f_frsize)
}
