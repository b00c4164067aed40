//! A log file that grows, is cut off, or is replaced by another of its name: its new lines, from its end on.

use super::lines::Lines;
use regex_lite::Regex;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Octets read at once: a file that grows faster is read on with the next look.
const READ_MAX: u64 = 1 << 20;

/// The label of a line that a pattern finds: what its first group holds, or all that was found.
pub(super) fn label<'l>(pattern: &Regex, line: &'l str) -> Option<&'l str> {
    let found = pattern.captures(line)?;
    found.get(1).or(found.get(0)).map(|part| part.as_str())
}

/// A file that is followed.
pub(super) struct Followed {
    path: PathBuf,
    open: Option<Open>,
    lines: Lines,
    /// What is there before the first look is old.
    begun: bool,
}

struct Open {
    file: File,
    /// Device and inode: a file of the same name may be another.
    identity: (u64, u64),
    position: u64,
}

impl Followed {
    /// Follows the file at `path`, whether it is there yet or not.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
            lines: Lines::default(),
            begun: false,
        }
    }

    /// Hands the lines that have come since the last look to `take`.
    pub(super) fn look(&mut self, mut take: impl FnMut(&str)) -> io::Result<()> {
        let begun = std::mem::replace(&mut self.begun, true);
        if self.open.is_none() {
            self.open = Some(Open::new(&self.path, !begun)?);
        }
        // What the old file still has comes before the new one.
        while let Some(open) = &mut self.open {
            if open.read(&mut self.lines, &mut take)? {
                return Ok(());
            }
            if open.is_at(&self.path)? {
                return open.rewind_if_cut(&mut self.lines);
            }
            self.lines.clear();
            self.open = None;
            self.open = Some(Open::new(&self.path, false)?);
        }
        Ok(())
    }
}

impl Open {
    fn new(path: &Path, at_its_end: bool) -> io::Result<Self> {
        // A pipe of this name would have its opening wait for a writer.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(path)?;
        let metadata = file.metadata()?;
        let position = if at_its_end {
            file.seek(SeekFrom::End(0))?
        } else {
            0
        };
        Ok(Self {
            file,
            identity: (metadata.dev(), metadata.ino()),
            position,
        })
    }

    /// True where there may be more.
    fn read(&mut self, lines: &mut Lines, take: &mut impl FnMut(&str)) -> io::Result<bool> {
        let mut octets = Vec::new();
        let count = (&self.file).take(READ_MAX).read_to_end(&mut octets)?;
        self.position += count as u64;
        lines.push(&octets, take);
        Ok(count as u64 == READ_MAX)
    }

    /// The name still leads to this file; so it does while no file has it.
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok((metadata.dev(), metadata.ino()) == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// A file that is shorter than what was read of it was cut off: it begins anew.
    fn rewind_if_cut(&mut self, lines: &mut Lines) -> io::Result<()> {
        if self.file.metadata()?.len() < self.position {
            self.position = self.file.seek(SeekFrom::Start(0))?;
            lines.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn new_lines(followed: &mut Followed) -> Vec<String> {
        let mut found = Vec::new();
        followed.look(|line| found.push(line.to_owned())).unwrap();
        found
    }

    #[test]
    fn what_was_there_is_old_and_what_comes_is_new_once_its_line_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path, "old\n");
        let mut followed = Followed::new(&path);
        assert!(new_lines(&mut followed).is_empty());
        append(&path, "one\ntw");
        assert_eq!(new_lines(&mut followed), ["one"]);
        append(&path, "o\n");
        assert_eq!(new_lines(&mut followed), ["two"]);
    }

    /// As logrotate does it: the file gets another name, its last line still comes, then a new file has the name.
    #[test]
    fn a_file_that_is_replaced_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path, "");
        let mut followed = Followed::new(&path);
        assert!(new_lines(&mut followed).is_empty());
        let old = folder.path().join("log.1");
        fs::rename(&path, &old).unwrap();
        append(&old, "last\n");
        assert_eq!(new_lines(&mut followed), ["last"]);
        append(&old, "very last\n");
        append(&path, "first\n");
        assert_eq!(new_lines(&mut followed), ["very last", "first"]);
    }

    /// As logrotate's copytruncate does it.
    #[test]
    fn a_file_that_is_cut_off_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path, "something old\n");
        let mut followed = Followed::new(&path);
        assert!(new_lines(&mut followed).is_empty());
        fs::write(&path, "new\n").unwrap();
        assert!(
            new_lines(&mut followed).is_empty(),
            "it is seen to be shorter"
        );
        assert_eq!(new_lines(&mut followed), ["new"]);
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_read_from_its_beginning_once_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut followed = Followed::new(&path);
        assert!(followed.look(|_| ()).is_err());
        append(&path, "first\n");
        assert_eq!(new_lines(&mut followed), ["first"]);
    }

    /// Nobody writes to it: opening it would wait for ever.
    #[test]
    fn a_pipe_is_no_log_and_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        assert!(Followed::new(&path).look(|_| ()).is_err());
    }

    #[test]
    fn a_label_is_the_first_group_or_all_that_was_found() {
        let label_of =
            |pattern, line| label(&Regex::new(pattern).unwrap(), line).map(str::to_owned);
        let line = "2026-11-28 Task: snapshot removed for guest7";
        assert_eq!(
            label_of("Task: (.*) for", line).as_deref(),
            Some("snapshot removed")
        );
        assert_eq!(
            label_of("snapshot \\w+", line).as_deref(),
            Some("snapshot removed")
        );
        assert_eq!(label_of("backup", line), None);
    }
}
