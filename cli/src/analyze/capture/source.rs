//! A file as a window of octets that moves forward.

use super::BLOCK_OCTETS_MAX;
use std::io::{ErrorKind, Read};

/// The window's usual size: what was read is still in the processor's cache when it is looked at.
const WINDOW_OCTETS: usize = 256 << 10;

/// Octets from the place that was reached.
pub(super) struct Source<R> {
    reader: R,
    /// Octets that may still be read: a file is read as long as it was when it was opened.
    left: u64,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// Why octets are not there, the end apart.
pub(super) enum SourceError {
    File(std::io::Error),
    /// More were asked for than any block holds.
    TooLong,
}

impl<R: Read> Source<R> {
    pub(super) fn new(reader: R, length: Option<u64>) -> Self {
        Self {
            reader,
            left: length.unwrap_or(u64::MAX),
            buffer: vec![0; WINDOW_OCTETS],
            start: 0,
            end: 0,
        }
    }

    /// At least so many octets from here, not passed over yet; none when the file ends before.
    #[inline]
    pub(super) fn need(&mut self, octets: usize) -> Result<Option<&[u8]>, SourceError> {
        if self.end - self.start < octets {
            self.fill(octets)?;
        }
        Ok((self.end - self.start >= octets).then(|| &self.buffer[self.start..self.end]))
    }

    /// Those that are at hand.
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Passes over octets that were at hand.
    #[inline]
    pub(super) fn pass(&mut self, octets: usize) {
        self.start = (self.start + octets).min(self.end);
    }

    fn fill(&mut self, octets: usize) -> Result<(), SourceError> {
        if octets > BLOCK_OCTETS_MAX {
            return Err(SourceError::TooLong);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() < octets {
            self.buffer.resize(octets, 0);
        }
        while self.end < octets {
            let room = self.buffer.len() - self.end;
            let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(room);
            match self
                .reader
                .read(&mut self.buffer[self.end..self.end + most])
            {
                Ok(0) => break,
                Ok(read) => {
                    self.end += read;
                    self.left -= read as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::File(error)),
            }
        }
        Ok(())
    }
}
