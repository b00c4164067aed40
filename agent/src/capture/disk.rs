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
        /// Octets that they may have together, which leaves the recordings theirs.
        most: u64,
        /// Octets that all that is on the shelf may have.
        limit: u64,
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
        place.hold(&preamble);
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
        self.claim(blocks.len() as u64)?;
        if free(&self.path).is_some_and(|free| free < self.least_free) {
            let folder = self.path.parent().unwrap_or(Path::new("")).display();
            return Err(format!("the disk of {folder} is filling up"));
        }
        let turned = self.turn();
        turned
            .and_then(|()| self.append(blocks))
            .map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Takes its share of what the agent allows.
    fn claim(&self, octets: u64) -> Result<(), String> {
        let Place::Parts {
            shelf, most, limit, ..
        } = &self.place
        else {
            return Ok(());
        };
        let whole = self.before + self.octets + octets;
        if whole <= *most && shelf.claim(octets, *limit) {
            return Ok(());
        }
        let mb = most / 1_000_000;
        Err(format!(
            "the agent's --max-disk leaves it {mb} MB beside the recordings"
        ))
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
        self.place.hold(&self.preamble);
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
        if appended.is_ok() {
            self.place.hold(epilogue);
        }
        if let Place::Parts { shelf, .. } = &self.place {
            self.finished.push((self.path, self.octets));
            for (number, (path, octets)) in (0..).zip(self.finished) {
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
    /// Counts what is written whatever the limit: without it no part could be read.
    fn hold(&self, octets: &[u8]) {
        if let Self::Parts { shelf, .. } = self {
            shelf.hold(octets.len() as u64);
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(folder: &Path, shelf: &Arc<Shelf>, most: u64, limit: u64) -> Output {
        let place = Place::Parts {
            folder: folder.to_owned(),
            shelf: Arc::clone(shelf),
            most,
            limit,
        };
        Output::open(place, b"preamble".to_vec(), 0).unwrap()
    }

    #[tokio::test]
    async fn parts_are_whole_and_wait_on_the_shelf_in_their_order() {
        let (folder, shelf) = (tempfile::tempdir().unwrap(), Arc::new(Shelf::new()));
        let mut output = parts(folder.path(), &shelf, u64::MAX, u64::MAX);
        let blocks = vec![7; 9 << 20];
        for _ in 0..3 {
            output.write(&blocks).unwrap();
        }
        output.finish(b"epilogue").unwrap();
        // Two of 9 MiB are more than 16 MiB; the third opens a part of its own.
        for (number, content) in [
            [&blocks[..], &blocks].concat(),
            [&blocks[..], b"epilogue"].concat(),
        ]
        .into_iter()
        .enumerate()
        {
            let part = shelf.take().await.unwrap();
            assert_eq!(part.item, Item::Capture(u32::try_from(number).unwrap()));
            let octets = fs::read(&part.path).unwrap();
            assert_eq!(octets.len() as u64, part.octets);
            assert!(octets == [b"preamble", &content[..]].concat());
            shelf.confirm(part.item).unwrap();
        }
        assert_eq!((shelf.pending(), shelf.held()), (0, 0));
    }

    #[test]
    fn a_capture_stops_at_its_share_and_where_recordings_hold_the_rest() {
        let (folder, shelf) = (tempfile::tempdir().unwrap(), Arc::new(Shelf::new()));
        let mut output = parts(folder.path(), &shelf, 28, 100);
        output.write(&[1; 20]).unwrap();
        let why = output.write(&[1; 4]).unwrap_err();
        assert!(why.contains("--max-disk"), "{why}");
        let mut output = parts(folder.path(), &shelf, 1000, 100);
        assert!(shelf.claim(50, 100), "a recording's");
        assert!(output.write(&[1; 20]).is_err());
    }

    #[test]
    fn a_full_disk_ends_the_capture_with_a_whole_file() {
        let place = Place::File("/dev/full".into());
        assert!(Output::open(place, b"preamble".to_vec(), 0).is_err());
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("capture.pcapng"));
        // More than is free is to be left.
        let mut output = Output::open(place, b"preamble".to_vec(), 200).unwrap();
        let why = output.write(&[1; 4]).unwrap_err();
        assert!(why.contains("is filling up"), "{why}");
        output.finish(b"epilogue").unwrap();
        let octets = fs::read(folder.path().join("capture.pcapng")).unwrap();
        assert_eq!(octets, b"preambleepilogue");
    }
}
