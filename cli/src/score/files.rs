//! Which files are recordings: those named, and in folders those whose name says so.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// What the names of recordings end in. Files that are named on the command line are taken whatever they are called.
const ENDINGS: [&str; 24] = [
    "wav", "wave", "rf64", "w64", "g722", "722", "g729", "gsm", "opus", "ogg", "oga", "mp3", "mp2",
    "flac", "au", "snd", "aif", "aiff", "m4a", "aac", "amr", "wma", "webm", "caf",
];

/// The files to score.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// In order of the command line, folders by name.
    pub(super) recordings: Vec<PathBuf>,
    /// Folders that could not be read, and why.
    pub(super) errors: Vec<(PathBuf, String)>,
    /// Files in folders that are no recordings by their name.
    pub(super) ignored: u64,
}

impl Files {
    /// Finds what `paths` name.
    pub(super) fn find(paths: &[PathBuf]) -> Self {
        let mut found = Self::default();
        for path in paths {
            if path.is_dir() {
                found.search(path);
            } else {
                found.recordings.push(path.clone());
            }
        }
        found
    }

    /// Searches a folder and those in it, however deep they lie. Links to folders are not followed: they can lead in
    /// circles.
    fn search(&mut self, folder: &Path) {
        let mut folders = VecDeque::from([folder.to_owned()]);
        while let Some(folder) = folders.pop_front() {
            match list(&folder) {
                Ok(entries) => self.sort(entries, &mut folders),
                Err(error) => self.errors.push((folder, error.to_string())),
            }
        }
    }

    /// Takes a folder's entries: those in it come before what lies beside it.
    fn sort(&mut self, entries: Vec<(PathBuf, bool)>, folders: &mut VecDeque<PathBuf>) {
        let mut inside = Vec::new();
        for (path, is_folder) in entries {
            if is_folder {
                inside.push(path);
            } else if is_named_so(&path) && path.is_file() {
                self.recordings.push(path);
            } else {
                self.ignored += 1;
            }
        }
        for folder in inside.into_iter().rev() {
            folders.push_front(folder);
        }
    }
}

/// What is in a folder, by name, and whether it is a folder itself.
fn list(folder: &Path) -> std::io::Result<Vec<(PathBuf, bool)>> {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?.is_dir()))
    };
    let mut entries = std::fs::read_dir(folder)?
        .map(entry)
        .collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    Ok(entries)
}

fn is_named_so(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
    })
}
