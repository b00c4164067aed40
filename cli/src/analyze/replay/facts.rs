//! The facts that a capture's packets make again, in temporary files: they are scored by reading them more than once.

use milliwatt_scoring::measured::Measured;
use milliwatt_scoring::scorer::score;
use milliwatt_wire::block::{BlockReader, FactsWriter};
use milliwatt_wire::facts::Fact;
use milliwatt_wire::id::End;
use std::fs::File;
use std::io::{self, BufReader, Seek};

/// Facts of both ends, in order; the first error is kept for the end.
#[derive(Debug)]
pub(super) struct ReplayedFacts {
    logs: io::Result<[Log; 2]>,
}

#[derive(Debug)]
struct Log {
    file: File,
    writer: FactsWriter<File>,
}

impl ReplayedFacts {
    pub(super) fn new() -> Self {
        Self {
            logs: Log::new().and_then(|tester| Ok([tester, Log::new()?])),
        }
    }

    /// Keeps facts of an end, by way of a block, as they are kept in a run: that rounds their times.
    pub(super) fn keep(&mut self, end: End, facts: impl IntoIterator<Item = Fact>) {
        if let Ok(logs) = &mut self.logs
            && let Err(error) = logs[end as usize].append(facts)
        {
            self.logs = Err(error);
        }
    }

    /// What they measure.
    pub(super) fn score(self) -> io::Result<Measured> {
        let mut logs = self.logs?;
        score(None, |take| {
            for (end, log) in [End::Tester, End::Guest].into_iter().zip(&mut logs) {
                log.read(&mut |fact| take(end, fact))?;
            }
            Ok(())
        })
    }
}

impl Log {
    fn new() -> io::Result<Self> {
        let file = tempfile::tempfile()?;
        let writer = FactsWriter::new(file.try_clone()?);
        Ok(Self { file, writer })
    }

    fn append(&mut self, facts: impl IntoIterator<Item = Fact>) -> io::Result<()> {
        facts.into_iter().for_each(|fact| self.writer.push(fact));
        self.writer.flush_block().map(|_| ())
    }

    fn read(&mut self, take: &mut dyn FnMut(&Fact)) -> io::Result<()> {
        self.file.rewind()?;
        for block in BlockReader::new(BufReader::new(&self.file)) {
            let block = block.map_err(io::Error::other)?;
            block.facts.iter().for_each(&mut *take);
        }
        Ok(())
    }
}
