//! The run's folder and the facts in it.

use crate::exit::Failure;
use milliwatt_wire::block::BlockReader;
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Name of an end's log in `facts/`.
#[must_use]
pub fn facts_path(folder: &Path, end: End) -> PathBuf {
    let name = match end {
        End::Tester => "tester.facts",
        End::Guest => "guest.facts",
    };
    folder.join("facts").join(name)
}

/// Name of a captured run's capture; until its end, the tester's half.
#[must_use]
pub fn capture_path(folder: &Path) -> PathBuf {
    folder.join("capture.pcapng")
}

/// Where the guest's half of the capture waits to be put together with the tester's.
#[must_use]
pub fn guest_capture_folder(folder: &Path) -> PathBuf {
    folder.join("capture.guest")
}

/// Makes the run's folder; one with anything in it is refused.
pub fn create(folder: &Path) -> Result<(), Failure> {
    let failed = |e: io::Error| {
        Failure::could_not_run(format!(
            "cannot use {} for the results: {e}",
            folder.display()
        ))
        .hint("name another folder with --out; is the disk full?")
    };
    if folder.is_dir() && std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(Failure::could_not_run(format!(
            "the folder {} is not empty",
            folder.display()
        ))
        .hint("nothing recorded is overwritten: name an empty or a new folder with --out"));
    }
    std::fs::create_dir_all(folder.join("facts")).map_err(failed)?;
    std::fs::create_dir_all(folder.join("recordings")).map_err(failed)
}

/// Takes away the folder of a run that did not come to its start, so that the same `--out` serves
/// the next attempt. Nothing recorded goes.
pub fn discard(folder: &Path) {
    if folder.join("run.json").exists() {
        return;
    }
    // The agent of our own had nothing to do yet. One that cannot be removed is in nobody's way.
    drop(std::fs::remove_dir_all(folder.join("agent")));
    for empty in [
        folder.join("facts"),
        folder.join("recordings"),
        folder.to_path_buf(),
    ] {
        drop(std::fs::remove_dir(empty));
    }
}

/// A growing facts log.
pub(super) struct FactsLog {
    file: File,
}

impl FactsLog {
    pub(super) fn create(folder: &Path, end: End) -> io::Result<Self> {
        Ok(Self {
            file: File::create(facts_path(folder, end))?,
        })
    }

    /// Appends a block; a killed tester loses at most what is not yet here.
    pub(super) fn append(&mut self, block: &[u8]) -> io::Result<()> {
        self.file.write_all(block)
    }
}

/// The logs of a run's folder, as far as they had come when they were opened: read as often as needed,
/// they say the same.
pub struct RecordedFacts {
    logs: Vec<RecordedLog>,
    notes: Vec<String>,
}

/// One end's.
struct RecordedLog {
    end: End,
    path: PathBuf,
    file: File,
    octets: u64,
}

impl RecordedFacts {
    /// Opens both ends' logs; the guest's may be missing.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let (mut logs, mut notes) = (Vec::new(), Vec::new());
        for end in [End::Tester, End::Guest] {
            let path = facts_path(folder, end);
            match RecordedLog::open(end, &path) {
                Ok(log) => logs.push(log),
                Err(e) if end == End::Guest => notes.push(format!(
                    "{}: {e}: the guest's side is missing",
                    path.display()
                )),
                Err(e) => return Err(unreadable(&path, &e)),
            }
        }
        Ok(Self { logs, notes })
    }

    /// Hands every fact to `take`, one end's after the other's.
    pub fn read(&mut self, take: &mut dyn FnMut(End, &Fact)) -> Result<(), Failure> {
        for log in &self.logs {
            if let Some(note) = log.read(take).map_err(|e| unreadable(&log.path, &e))?
                && !self.notes.contains(&note)
            {
                self.notes.push(note);
            }
        }
        Ok(())
    }

    /// What was missing, a sentence each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

impl RecordedLog {
    fn open(end: End, path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            end,
            path: path.to_path_buf(),
            octets: file.metadata()?.len(),
            file,
        })
    }

    /// Gives a note when not all could be read.
    fn read(&self, take: &mut dyn FnMut(End, &Fact)) -> io::Result<Option<String>> {
        (&self.file).rewind()?;
        let mut blocks = BlockReader::new(BufReader::new((&self.file).take(self.octets)));
        let path = self.path.display();
        for block in &mut blocks {
            match block {
                Ok(block) => block.facts.iter().for_each(|fact| take(self.end, fact)),
                Err(e) => return Ok(Some(format!("{path}: {e}: what follows is not read"))),
            }
        }
        let incomplete = blocks.truncated();
        Ok(incomplete.then(|| format!("{path}: the last block is incomplete")))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::could_not_run(format!("cannot read {}: {error}", path.display()))
        .hint("give the folder that `milliwatt run` wrote (--out, or runs/...)")
}

/// Decodes one block and hands on its facts.
pub(super) fn absorb(block: &[u8], mut take: impl FnMut(&Fact)) {
    for block in BlockReader::new(block).flatten() {
        block.facts.iter().for_each(&mut take);
    }
}
