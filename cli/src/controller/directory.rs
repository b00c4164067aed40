//! The run's folder and the facts in it.

use crate::exit::Failure;
use milliwatt_scoring::scorer::Scorer;
use milliwatt_wire::block::BlockReader;
use milliwatt_wire::id::End;
use std::fs::File;
use std::io::{self, BufReader, Write};
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

/// Reads both logs of a folder into a scorer. Gives notes about what was missing.
pub fn read_facts(folder: &Path, scorer: &mut Scorer) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    for end in [End::Tester, End::Guest] {
        let path = facts_path(folder, end);
        match File::open(&path) {
            Ok(file) => notes.extend(read_log(&path, BufReader::new(file), end, scorer)),
            Err(e) if end == End::Guest => notes.push(format!(
                "{}: {e}: the guest's side is missing",
                path.display()
            )),
            Err(e) => {
                return Err(
                    Failure::could_not_run(format!("cannot read {}: {e}", path.display()))
                        .hint("give the folder that `milliwatt run` wrote (--out, or runs/...)"),
                );
            }
        }
    }
    Ok(notes)
}

fn read_log(path: &Path, file: impl io::Read, end: End, scorer: &mut Scorer) -> Option<String> {
    let mut blocks = BlockReader::new(file);
    for block in &mut blocks {
        match block {
            Ok(block) => block.facts.iter().for_each(|fact| scorer.absorb(end, fact)),
            Err(e) => return Some(format!("{}: {e}: what follows is not read", path.display())),
        }
    }
    blocks
        .truncated()
        .then(|| format!("{}: the last block is incomplete", path.display()))
}

/// Decodes one block and gives its facts to the scorer.
pub(super) fn absorb(block: &[u8], end: End, scorer: &mut Scorer) {
    for block in BlockReader::new(block).flatten() {
        block.facts.iter().for_each(|fact| scorer.absorb(end, fact));
    }
}
