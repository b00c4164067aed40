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

/// Octets of a file of facts, about: a log that outgrows it goes on in another file.
const FILE_OCTETS: u64 = 32 << 20;

/// The files of an end's log in order, those that there are.
#[must_use]
pub fn facts_files(folder: &Path, end: End) -> Vec<PathBuf> {
    files_from(facts_path(folder, end))
}

/// A log's first file and those that follow it.
fn files_from(first: PathBuf) -> Vec<PathBuf> {
    let further: Vec<PathBuf> = (1..u32::MAX)
        .map(|index| further_path(&first, index))
        .take_while(|path| path.exists())
        .collect();
    std::iter::once(first).chain(further).collect()
}

/// Name of the files that follow the first: `tester.0001.facts`.
fn further_path(first: &Path, index: u32) -> PathBuf {
    first.with_extension(format!("{index:04}.facts"))
}

/// Name of a neighbour's log in `facts/`.
fn neighbour_path(folder: &Path, number: u32) -> PathBuf {
    folder
        .join("facts")
        .join(format!("neighbour-{number}.facts"))
}

/// A growing facts log.
pub(super) struct FactsLog {
    first: PathBuf,
    file: File,
    octets: u64,
    /// Files before this one.
    index: u32,
}

impl FactsLog {
    pub(super) fn create(folder: &Path, end: End) -> io::Result<Self> {
        Self::create_at(facts_path(folder, end))
    }

    /// What the neighbour of this number tells.
    pub(super) fn create_for_neighbour(folder: &Path, number: u32) -> io::Result<Self> {
        Self::create_at(neighbour_path(folder, number))
    }

    fn create_at(first: PathBuf) -> io::Result<Self> {
        Ok(Self {
            file: File::create(&first)?,
            first,
            octets: 0,
            index: 0,
        })
    }

    /// Appends a block; a killed tester loses at most what is not yet here.
    pub(super) fn append(&mut self, block: &[u8]) -> io::Result<()> {
        if self.octets >= FILE_OCTETS {
            self.file = File::create_new(further_path(&self.first, self.index + 1))?;
            self.index += 1;
            self.octets = 0;
        }
        self.octets += block.len() as u64;
        self.file.write_all(block)
    }
}

/// The logs of a run's folder, as far as they had come when they were opened: read as often as needed,
/// they say the same.
pub struct RecordedFacts {
    logs: Vec<RecordedLog>,
    notes: Vec<String>,
}

/// One end's, or a neighbour's.
struct RecordedLog {
    end: End,
    /// Of this neighbour: of its log nothing but what it says of itself is taken.
    neighbour: Option<u32>,
    path: PathBuf,
    /// Its files, and how far each had come.
    files: Vec<(File, u64)>,
}

impl RecordedFacts {
    /// Opens both ends' logs; the guest's may be missing.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let (mut logs, mut notes) = (Vec::new(), Vec::new());
        for end in [End::Tester, End::Guest] {
            let path = facts_path(folder, end);
            match RecordedLog::open(path.clone(), end) {
                Ok(log) => logs.push(log),
                Err(e) if end == End::Guest => notes.push(format!(
                    "{}: {e}: the guest's side is missing",
                    path.display()
                )),
                Err(e) => return Err(unreadable(&path, &e)),
            }
        }
        for number in (1..).take_while(|number| neighbour_path(folder, *number).exists()) {
            let path = neighbour_path(folder, number);
            let opened = RecordedLog::open(path.clone(), End::Tester);
            let log = opened.map_err(|e| unreadable(&path, &e))?;
            logs.push(RecordedLog {
                neighbour: Some(number),
                ..log
            });
        }
        Ok(Self { logs, notes })
    }

    /// Hands every fact to `take`, one end's after the other's; then what neighbours say of themselves, as facts of the
    /// tester, which asked them.
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
    fn open(first: PathBuf, end: End) -> io::Result<Self> {
        let open = |path: &PathBuf| {
            let file = File::open(path)?;
            let octets = file.metadata()?.len();
            Ok((file, octets))
        };
        let files = files_from(first.clone());
        Ok(Self {
            end,
            neighbour: None,
            path: first,
            files: files.iter().map(open).collect::<io::Result<_>>()?,
        })
    }

    /// A neighbour speaks for nobody else.
    fn holds(&self, fact: &Fact) -> bool {
        let Some(number) = self.neighbour else {
            return true;
        };
        matches!(fact, Fact::Neighbour { neighbour, .. } if *neighbour == number)
    }

    /// Gives a note when not all could be read.
    fn read(&self, take: &mut dyn FnMut(End, &Fact)) -> io::Result<Option<String>> {
        let path = self.path.display();
        for (file, octets) in &self.files {
            let mut file = file;
            file.rewind()?;
            let mut blocks = BlockReader::new(BufReader::new(file.take(*octets)));
            for block in &mut blocks {
                match block {
                    Ok(block) => {
                        let own = block.facts.iter().filter(|fact| self.holds(fact));
                        own.for_each(|fact| take(self.end, fact));
                    }
                    Err(e) => return Ok(Some(format!("{path}: {e}: what follows is not read"))),
                }
            }
            if blocks.truncated() {
                return Ok(Some(format!("{path}: the last block is incomplete")));
            }
        }
        Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;
    use milliwatt_wire::block::encode_block;
    use milliwatt_wire::facts::NeighbourFact;
    use milliwatt_wire::time::RunTime;

    fn closed(at: i64) -> Fact {
        Fact::Closed { at: RunTime(at) }
    }

    /// Two blocks that fill a file each, and a small one: three files, read as one log; so far as they had come.
    #[test]
    fn a_log_that_outgrows_its_file_goes_on_in_another() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path()).unwrap();
        let mut log = FactsLog::create(folder.path(), End::Tester).unwrap();
        for index in 0..2 {
            log.append(&encode_block(index, &[closed(1)])).unwrap();
            // As if so much had been written.
            log.octets = FILE_OCTETS;
        }
        log.append(&encode_block(2, &[closed(3)])).unwrap();
        let files = facts_files(folder.path(), End::Tester);
        let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(
            names,
            ["tester.facts", "tester.0001.facts", "tester.0002.facts"]
        );
        let mut recorded = RecordedFacts::open(folder.path()).unwrap();
        log.append(&encode_block(3, &[closed(4)])).unwrap();
        let mut read = Vec::new();
        recorded
            .read(&mut |_, fact| read.push(fact.clone()))
            .unwrap();
        assert_eq!(read, [closed(1), closed(1), closed(3)]);
    }

    /// A neighbour cannot close the tester's log, nor tell of another neighbour.
    #[test]
    fn of_a_neighbours_log_only_what_it_says_of_itself_is_read() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path()).unwrap();
        let told = |neighbour| {
            let told = NeighbourFact::Closed { at: RunTime(1) };
            Fact::Neighbour { neighbour, told }
        };
        let mut tester = FactsLog::create(folder.path(), End::Tester).unwrap();
        tester.append(&encode_block(0, &[closed(7)])).unwrap();
        let mut log = FactsLog::create_for_neighbour(folder.path(), 1).unwrap();
        let facts = [closed(9), told(1), told(2)];
        log.append(&encode_block(0, &facts)).unwrap();
        let mut recorded = RecordedFacts::open(folder.path()).unwrap();
        let mut read = Vec::new();
        recorded
            .read(&mut |_, fact| read.push(fact.clone()))
            .unwrap();
        assert_eq!(read, [closed(7), told(1)]);
    }
}
