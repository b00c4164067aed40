//! Reads what a report shows of a run's recordings.

use crate::excerpts::{NoAudio, Span, Stretch};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Component, Path, PathBuf};

/// A larger file than this is not read, octets: no call of a run has as much.
pub(super) const MOST_OCTETS: u64 = 64 << 20;

/// A span of a recording in `recordings/` of the directory.
pub(super) fn read(dir: &Path, span: &Span) -> Result<Stretch, NoAudio> {
    let path = path(dir, &span.file)?;
    let metadata = fs::symlink_metadata(&path).map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        return Err(NoAudio::NoFile);
    }
    if metadata.len() > MOST_OCTETS {
        return Err(NoAudio::TooLarge(metadata.len()));
    }
    let file = File::open(&path).map_err(|error| unreadable(&error))?;
    Stretch::cut(BufReader::new(file.take(MOST_OCTETS)), span)
}

/// The place of a recording. Facts may be damaged, or come from elsewhere: what they name must be a name and no path.
fn path(dir: &Path, file: &str) -> Result<PathBuf, NoAudio> {
    let mut parts = Path::new(file).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == file => {
            Ok(dir.join("recordings").join(name))
        }
        _ => Err(NoAudio::NoName),
    }
}

fn unreadable(error: &io::Error) -> NoAudio {
    match error.kind() {
        io::ErrorKind::NotFound => NoAudio::NotThere,
        _ => NoAudio::Unreadable(error.to_string()),
    }
}
